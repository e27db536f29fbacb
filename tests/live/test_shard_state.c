/* Shards that the map restricts: what is refused before it is sent, what is not, and that a state
 * comes and goes with a reload that moves no key. */
#include "tests/support/shards.h"

#include <evalshard/batch.h>
#include <evalshard/transaction.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { LONG_MS = 30000 };

static shards set;

static int set_up(void **state)
{
    (void)state;
    shards_start(&set, 2, NULL);
    shards_script(&set, "write", "return redis.call('INCR', KEYS[1])");
    shards_script(&set, "get", "return redis.call('GET', KEYS[1])");
    shards_script(&set, "read",
                  "--- Reads.\n-- @key k string\n-- @retry read_only\n"
                  "return redis.call('GET', KEYS[1])");
    shards_script(&set, "any", "return redis.call(ARGV[1], KEYS[1])"); /* not proven */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shards_stop(&set);
    return 0;
}

/* Takes a map of the same shards where s0 has this state; its keys are on `s0`. */
static void take_state(const char *state)
{
    char yaml[1024];
    evs_error err;
    evs_shardmap *map;
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\npools:\n  "
             "main:\n    shards:\n"
             "      s0: {address: \"%s\", state: %s}\n      s1: \"%s\"\n",
             scratch_address(set.servers[0]), state, scratch_address(set.servers[1]));
    if (evs_shardmap_parse(&map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK ||
        evs_client_reload(set.client, map, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_true(evs_shardmap_fingerprint(map) == evs_shardmap_fingerprint(set.map));
    evs_shard_info info;
    assert_int_equal(evs_shardmap_shard(&info, map, 0, &err), EVS_OK);
    assert_string_equal(info.state, state);
    evs_shardmap_free(map);
}

static evs_status call(const char *script, size_t shard, evs_error *err)
{
    char text[32];
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(shards_key(&set, shard, text)), arg = evs_text("GET");
    evs_invocation one = {.script = script,
                          .keys = &key,
                          .nkeys = 1,
                          .args = &arg,
                          .nargs = strcmp(script, "any") == 0,
                          .timeout_ms = LONG_MS};
    evs_status status = evs_call(&reply, set.client, &one, err);
    evs_reply_free(reply);
    return status;
}

static evs_status command(const char *name, const char *shard, evs_error *err)
{
    char text[32];
    evs_reply *reply = NULL;
    evs_bytes args[] = {evs_text(name), evs_text(shards_key(&set, 0, text))};
    evs_plain_command cmd = {
        .args = args, .nargs = shard == NULL ? 2 : 1, .shard = shard, .timeout_ms = LONG_MS};
    evs_status status = evs_command(&reply, set.client, &cmd, err);
    evs_reply_free(reply);
    return status;
}

static void expect_refused(evs_status status, const evs_error *err, const char *words)
{
    assert_int_equal(status, EVS_E_READONLY);
    assert_int_equal(err->outcome, EVS_NOT_EXECUTED);
    assert_string_equal(err->shard, "s0");
    if (strstr(err->message, words) == NULL || strstr(err->message, "shard s0: ") == NULL)
        fail_msg("%s", err->message);
}

static void an_active_shard_takes_anything(void **state)
{
    (void)state;
    evs_error err;
    take_state("active");
    assert_int_equal(call("write", 0, &err), EVS_OK);
    assert_int_equal(call("any", 0, &err), EVS_OK);
    assert_int_equal(command("INCR", NULL, &err), EVS_OK);
}

static void one_that_drains_takes_what_surely_does_not_write(void **state)
{
    (void)state;
    evs_error err;
    take_state("draining");
    expect_refused(call("write", 0, &err), &err,
                   "the map has state: draining, and the script may write");
    assert_string_equal(err.script, "write");
    expect_refused(call("any", 0, &err), &err, "state: draining");
    assert_int_equal(call("get", 0, &err), EVS_OK);
    assert_int_equal(call("read", 0, &err), EVS_OK);
    assert_int_equal(call("write", 1, &err), EVS_OK); /* nobody else is meant */
}

static void one_that_is_readonly_takes_what_says_so(void **state)
{
    (void)state;
    evs_error err;
    take_state("readonly");
    expect_refused(call("write", 0, &err), &err, "state: readonly, and the script may write");
    expect_refused(call("get", 0, &err), &err,
                   "state: readonly, and the script does not say -- @retry read_only");
    assert_int_equal(call("read", 0, &err), EVS_OK);
}

static void commands_go_by_the_table(void **state)
{
    (void)state;
    evs_error err;
    take_state("draining");
    expect_refused(command("INCR", NULL, &err), &err, "state: draining, and INCR may write");
    expect_refused(command("FLUSHALL", "s0", &err), &err, "FLUSHALL may write");
    expect_refused(command("EVAL", "s0", &err), &err, "EVAL may write");
    expect_refused(command("UNHEARD.OF", "s0", &err), &err, "UNHEARD.OF may write");
    assert_int_equal(command("GET", NULL, &err), EVS_OK);
    assert_int_equal(command("PING", "s0", &err), EVS_OK);
    assert_int_equal(command("INFO", "s0", &err), EVS_OK);
    assert_int_equal(command("EVAL_RO", "s0", &err), EVS_OK); /* to an error of its own */
}

static void batches_and_transactions_are_looked_at_as_well(void **state)
{
    (void)state;
    char text[32];
    evs_error err;
    evs_batch *batch;
    evs_transaction *tx;
    evs_bytes key = evs_text(shards_key(&set, 0, text));
    evs_bytes words[] = {evs_text("DEL"), key};
    evs_invocation read = {.script = "read", .keys = &key, .nkeys = 1},
                   write = {.script = "write", .keys = &key, .nkeys = 1};
    evs_plain_command del = {.args = words, .nargs = 2};
    take_state("draining");

    assert_int_equal(evs_batch_new(&batch, set.client, NULL, NULL), EVS_OK);
    assert_int_equal(evs_batch_add(batch, &write, NULL), EVS_OK);
    assert_int_equal(evs_batch_add(batch, &read, NULL), EVS_OK);
    assert_int_equal(evs_batch_run(batch, NULL), EVS_OK);
    const evs_result *first = evs_batch_result(batch, 0);
    expect_refused(first->status, first->error, "state: draining");
    assert_int_equal(evs_batch_result(batch, 1)->status, EVS_OK);
    evs_batch_free(batch);

    assert_int_equal(evs_transaction_new(&tx, set.client, NULL, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &read, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add_command(tx, &del, NULL), EVS_OK);
    expect_refused(evs_transaction_exec(tx, &err), &err, "element 2 (DEL): ");
    evs_transaction_clear(tx);
    assert_int_equal(evs_transaction_add(tx, &write, NULL), EVS_OK);
    expect_refused(evs_transaction_exec(tx, &err), &err, "element 1 (write): ");
    evs_transaction_clear(tx);
    assert_int_equal(evs_transaction_add(tx, &read, NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_OK);
    evs_transaction_free(tx);
}

static void a_threaded_client_refuses_too(void **state)
{
    (void)state;
    evs_error err;
    evs_client *driven = set.client;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    assert_int_equal(evs_client_open(&set.client, set.map, set.registry, &options, NULL), EVS_OK);
    assert_int_equal(call("write", 0, &err), EVS_OK);
    take_state("draining");
    expect_refused(call("write", 0, &err), &err, "state: draining");
    take_state("active");
    assert_int_equal(call("write", 0, &err), EVS_OK);
    evs_client_free(set.client);
    set.client = driven;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_active_shard_takes_anything),
        cmocka_unit_test(one_that_drains_takes_what_surely_does_not_write),
        cmocka_unit_test(one_that_is_readonly_takes_what_says_so),
        cmocka_unit_test(commands_go_by_the_table),
        cmocka_unit_test(batches_and_transactions_are_looked_at_as_well),
        cmocka_unit_test(a_threaded_client_refuses_too),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
