/* Calls without keys in pools that send them to every shard: one array, or what failed and where.
 */
#include "core/mem.h"
#include "tests/support/nodes.h"
#include "tests/support/shards.h"

#include <evalshard/transaction.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { SHARDS = 3, LONG_MS = 30000 };

static shards set;

static int set_up(void **state)
{
    (void)state;
    shards_start(&set, SHARDS, "    on_no_keys: all\n    retry: {attempts: 0}\n");
    shards_script(&set, "size", "return redis.call('DBSIZE')");
    shards_script(&set, "nothing", "redis.call('DBSIZE')");
    shards_script(&set, "picky",
                  "if redis.call('DBSIZE') == 2 then return redis.error_reply('ERR two') end\n"
                  "return 'fine'");
    for (size_t i = 0; i < SHARDS; i++)
        for (size_t k = 0; k <= i; k++) {
            char command[32];
            snprintf(command, sizeof command, "SET k%zu v", k);
            shards_do(&set, i, command);
        }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shards_stop(&set);
    return 0;
}

static evs_status call(evs_client *client, const char *script, evs_reply **reply, evs_error *err)
{
    evs_invocation one = {.script = script, .timeout_ms = LONG_MS};
    *reply = NULL;
    return evs_call(reply, client, &one, err);
}

static void expect_sizes(evs_client *client)
{
    evs_error err;
    evs_reply *reply;
    if (call(client, "size", &reply, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(evs_reply_kind(reply), EVS_REPLY_ARRAY);
    assert_int_equal(evs_reply_count(reply), SHARDS);
    for (size_t i = 0; i < SHARDS; i++)
        assert_int_equal(evs_reply_integer(evs_reply_at(reply, i)), i + 1);
    evs_reply_free(reply);
}

static void all_shards_reply_in_the_order_of_the_map(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply;
    expect_sizes(set.client);
    assert_int_equal(call(set.client, "nothing", &reply, &err), EVS_OK);
    assert_int_equal(evs_reply_count(reply), SHARDS);
    assert_int_equal(evs_reply_kind(evs_reply_at(reply, 0)), EVS_REPLY_NIL);
    evs_reply_free(reply);
}

static void a_call_that_names_a_shard_goes_there(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply = NULL;
    evs_invocation one = {.script = "size", .shard = "s1", .timeout_ms = LONG_MS};
    assert_int_equal(evs_call(&reply, set.client, &one, &err), EVS_OK);
    assert_int_equal(evs_reply_integer(reply), 2);
    evs_reply_free(reply);
}

static void a_threaded_client_does_it_too(void **state)
{
    (void)state;
    evs_client *client;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    assert_int_equal(evs_client_open(&client, set.map, set.registry, &options, NULL), EVS_OK);
    expect_sizes(client);
    evs_client_free(client);
}

static void an_error_of_one_script_is_that_of_all(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply;
    assert_int_equal(call(set.client, "picky", &reply, &err), EVS_E_SCRIPT);
    assert_int_equal(evs_reply_kind(reply), EVS_REPLY_ERROR);
    assert_int_equal(err.outcome, EVS_EXECUTED);
    assert_string_equal(err.shard, "s1");
    if (strstr(err.message, "ran on 3 of 3 shards: ") == NULL || strstr(err.message, "two") == NULL)
        fail_msg("%s", err.message);
    evs_reply_free(reply);
}

static void where_it_ran_is_said_when_a_shard_is_gone(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply;
    scratch_kill(set.servers[1]);
    assert_int_equal(call(set.client, "size", &reply, &err), EVS_E_CONNECT);
    assert_null(reply);
    assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    assert_string_equal(err.shard, "s1");
    if (strstr(err.message, "ran on 2 of 3 shards: ") == NULL)
        fail_msg("%s", err.message);
    scratch_kill(set.servers[0]);
    scratch_kill(set.servers[2]);
    assert_int_equal(call(set.client, "size", &reply, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "ran on 0 of 3 shards: "));
    for (size_t i = 0; i < SHARDS; i++)
        assert_int_equal(scratch_restart(set.servers[i]), SCRATCH_OK);
    while (call(set.client, "size", &reply, &err) != EVS_OK)
        assert_int_equal(err.status, EVS_E_CONNECT);
    assert_int_equal(evs_reply_count(reply), SHARDS);
    evs_reply_free(reply);
}

/* How often a script ran on the servers that are there, by what it appends. */
static long long times_run(void)
{
    return shards_do(&set, 0, "STRLEN k0") + shards_do(&set, 1, "STRLEN k0");
}

/* Server s2 is gone. One allocation fails, or it and all behind it, wherever that is. */
static void where_it_ran_is_true_without_memory(void **state)
{
    (void)state;
    static void (*const ways[])(size_t) = {evs__mem_fail_at, evs__mem_fail_once_at};
    shards_script(&set, "append", "return redis.call('APPEND', 'k0', 'x')");
    scratch_kill(set.servers[2]);
    for (size_t way = 0; way < 2; way++) {
        for (size_t n = 0; n < 60; n++) {
            evs_error err = {0};
            evs_reply *reply;
            long long before = times_run();
            ways[way](n);
            evs_status status = call(set.client, "append", &reply, &err);
            evs__mem_fail_at(0);
            long long ran = times_run() - before;
            evs_reply_free(reply);
            assert_int_not_equal(status, EVS_OK);
            assert_int_not_equal(err.outcome, EVS_EXECUTED); /* never on all three */
            if (err.outcome == EVS_NOT_EXECUTED && ran != 0)
                fail_msg("allocation %zu: ran %lld times: %s", n, ran, err.message);
        }
    }
    assert_int_equal(scratch_restart(set.servers[2]), SCRATCH_OK);
}

static void a_transaction_has_one_shard_and_is_refused(void **state)
{
    (void)state;
    evs_error err;
    evs_transaction *tx;
    evs_invocation one = {.script = "size"};
    assert_int_equal(evs_transaction_new(&tx, set.client, NULL, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &one, NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_NO_KEYS);
    assert_non_null(strstr(err.message, "on_no_keys: all; what runs on one shard, as a "
                                        "transaction does, has to name it"));
    evs_transaction_free(tx);
}

static void an_unknown_script_runs_nowhere(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply;
    assert_int_equal(call(set.client, "unheard", &reply, &err), EVS_E_NO_SCRIPT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
}

static void failing_allocations_are_reported(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply;
    evs_status status;
    size_t n = 0;
    expect_sizes(set.client);
    do {
        evs__mem_fail_at(++n);
        status = call(set.client, "size", &reply, &err);
        evs__mem_fail_at(0);
        assert_int_equal(status == EVS_OK, reply != NULL);
        evs_reply_free(reply);
        if (status != EVS_OK && status != EVS_E_NOMEM)
            fail_msg("%zu: %s", n, err.message);
    } while (status != EVS_OK && n < 1000);
    assert_in_range(n, 3, 999);
}

static void every_primary_of_a_cluster_replies(void **state)
{
    (void)state;
    nodes cluster;
    char yaml[300];
    evs_error err;
    evs_reply *reply;
    evs_shardmap *map;
    evs_client *client = NULL;
    nodes_start(&cluster, 3, 0);
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\npools:\n  c:\n"
             "    on_no_keys: all\n    cluster: {seeds: [\"127.0.0.1:%d\"]}\n",
             scratch_port(cluster.servers[0]));
    if (evs_shardmap_parse(&map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK ||
        evs_client_open(&client, map, set.registry, NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    if (call(client, "size", &reply, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(evs_reply_count(reply), 3);
    evs_reply_free(reply);
    evs_client_free(client);
    nodes_stop(&cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_shards_reply_in_the_order_of_the_map),
        cmocka_unit_test(a_call_that_names_a_shard_goes_there),
        cmocka_unit_test(a_threaded_client_does_it_too),
        cmocka_unit_test(an_error_of_one_script_is_that_of_all),
        cmocka_unit_test(failing_allocations_are_reported),
        cmocka_unit_test(a_transaction_has_one_shard_and_is_refused),
        cmocka_unit_test(an_unknown_script_runs_nowhere),
        cmocka_unit_test(where_it_ran_is_said_when_a_shard_is_gone),
        cmocka_unit_test(where_it_ran_is_true_without_memory),
        cmocka_unit_test(every_primary_of_a_cluster_replies),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
