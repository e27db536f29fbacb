/* What a map says of calls, on real servers: how long they may take, which pool gets which keys,
 * and what becomes of keys that met by luck. */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <signal.h>

enum { SERVERS = 3 };

static struct {
    shards set; /* its own client is of no interest */
    evs_client *client;
} bench;

static int set_up(void **state)
{
    (void)state;
    shards_start(&bench.set, SERVERS, NULL);
    shards_script(&bench.set, "set", "return redis.call('SET', KEYS[1], 'v')");
    shards_script(&bench.set, "two", "return redis.call('EXISTS', KEYS[1], KEYS[2])");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shards_stop(&bench.set);
    return 0;
}

static int empty_servers(void **state)
{
    (void)state;
    shards_empty(&bench.set);
    return 0;
}

/* The addresses of the servers stand for %s, in their order. */
static void open_with(const char *yaml)
{
    char text[2048];
    evs_error err;
    evs_shardmap *map;
    const char *at[SERVERS];
    for (size_t i = 0; i < SERVERS; i++)
        at[i] = scratch_address(bench.set.servers[i]);
    size_t len = 0;
    for (size_t i = 0; *yaml != '\0'; yaml++) {
        int place = yaml[0] == '%' && yaml[1] == 's';
        len += (size_t)snprintf(text + len, sizeof text - len, place ? "\"%s\"" : "%.1s",
                                place ? at[i] : yaml);
        i += (size_t)place;
        yaml += place;
    }
    if (evs_shardmap_parse(&map, evs_text(text), "test.yaml", NULL, &err) != EVS_OK ||
        evs_client_open(&bench.client, map, bench.set.registry, NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
}

static void close_client(void)
{
    evs_client_free(bench.client);
    bench.client = NULL;
}

static evs_status call_two(const char *script, const char *first, const char *second,
                           evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys[] = {evs_text(first), evs_text(second == NULL ? "" : second)};
    evs_invocation one = {.script = script, .keys = keys, .nkeys = second == NULL ? 1 : 2};
    evs_status status = evs_call(&reply, bench.client, &one, err);
    evs_reply_free(reply);
    return status;
}

static evs_status get(const char *key, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes args[] = {evs_text("GET"), evs_text(key)};
    evs_plain_command cmd = {.args = args, .nargs = 2};
    evs_status status = evs_command(&reply, bench.client, &cmd, err);
    evs_reply_free(reply);
    return status;
}

/* ---- time ---- */

static void note(void *arg, const evs_result *result)
{
    *(int *)arg = result->status == EVS_OK ? 1 : -1;
}

/* Shard a is stopped for longer than one of the two times. */
static void scripts_and_commands_have_times_of_their_own(void **state)
{
    (void)state;
    evs_error err;
    int done = 0;
    open_with("evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 50ms, "
              "script_timeout: 1ms}\npools:\n  p: {script_timeout: 30s, shards: {a: %s}}\n");
    while (call_two("set", "k", NULL, &err) != EVS_OK) /* now it is connected */
        continue;
    pid_t server = scratch_pid(bench.set.servers[0]);
    kill(server, SIGSTOP);
    assert_int_equal(get("k", &err), EVS_E_TIMEOUT);
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "set", .keys = &key, .nkeys = 1};
    assert_int_equal(evs_submit(bench.client, &one, note, &done, &err), EVS_OK);
    assert_int_equal(get("k", &err), EVS_E_TIMEOUT); /* which took as long as a command may */
    assert_int_equal(done, 0);
    one.timeout_ms = 20; /* the call's own counts more */
    evs_reply *reply;
    assert_int_equal(evs_call(&reply, bench.client, &one, &err), EVS_E_TIMEOUT);
    kill(server, SIGCONT);
    while (done == 0)
        assert_int_equal(evs_client_process(bench.client, -1, NULL), EVS_OK);
    assert_int_equal(done, 1);
    close_client();
}

static void without_a_time_of_their_own_scripts_have_that_of_commands(void **state)
{
    (void)state;
    evs_error err;
    open_with("evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
              "shards: {a: {address: %s, command_timeout: 50ms}}\n");
    while (call_two("set", "k", NULL, &err) != EVS_OK)
        continue;
    kill(scratch_pid(bench.set.servers[0]), SIGSTOP);
    assert_int_equal(call_two("set", "k", NULL, &err), EVS_E_TIMEOUT);
    kill(scratch_pid(bench.set.servers[0]), SIGCONT);
    close_client();
}

/* ---- routes ---- */

static const char ROUTES[] = "evalshard: 1\n"
                             "defaults: {connect_timeout: 20s, command_timeout: 20s}\n"
                             "pools:\n"
                             "  users: {shards: {u: %s}}\n"
                             "  carts: {shards: {c: %s}}\n"
                             "  misc: {shards: {m: %s}}\n"
                             "routes:\n"
                             "  - {prefix: 'user:', pool: users}\n"
                             "  - {prefix: 'user:cart:', pool: carts}\n"
                             "  - {prefix: '{cart}', pool: carts}\n";

static void the_longest_prefix_chooses_the_pool(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t server;
    } rows[] = {{"user:7", 0},         {"user:", 0},       {"user:cart", 0}, {"user:cart:7", 1},
                {"{cart}:1", 1},       {"x{cart}", 2},     {"other", 2},     {"{user:}7", 2},
                {"user:{cart}:99", 0}, {"USER:cart:1", 2}, {"", 2}};
    char yaml[1024];
    evs_error err;
    snprintf(yaml, sizeof yaml, "%s  - {default: true, pool: misc}\n", ROUTES);
    open_with(yaml);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        empty_servers(state);
        if (call_two("set", rows[i].key, NULL, &err) != EVS_OK)
            fail_msg("%s", err.message);
        for (size_t k = 0; k < SERVERS; k++)
            if (shards_do(&bench.set, k, "DBSIZE") != (k == rows[i].server))
                fail_msg("\"%s\" is not where it belongs", rows[i].key);
    }
    close_client();
}

static void a_key_without_a_route_and_keys_of_two_pools_are_refused(void **state)
{
    (void)state;
    evs_error err;
    open_with(ROUTES);
    assert_int_equal(call_two("set", "other", NULL, &err), EVS_E_NO_ROUTE);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "\"other\""));
    assert_int_equal(call_two("two", "user:1", "user:cart:1", &err), EVS_E_CROSS_SHARD);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    if (strstr(err.message, "users") == NULL || strstr(err.message, "carts") == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(call_two("two", "{cart}:1", "user:cart:1", &err), EVS_OK);
    assert_int_equal(get("other", &err), EVS_E_NO_ROUTE);
    close_client();
}

/* ---- tags ---- */

static void keys_that_meet_by_luck_are_taken_counted_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        evs_status status;
        uint64_t counted;
    } rows[] = {{"off", EVS_OK, 0}, {"warn", EVS_OK, 1}, {"error", EVS_E_TAG, 0}};
    evs_error err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\npools:\n"
                 "  p: {require_same_tag: %s, shards: {a: %%s}}\n",
                 rows[i].rule);
        open_with(yaml);
        assert_int_equal(call_two("two", "{a}1", "{a}2", &err), EVS_OK);
        assert_int_equal(call_two("two", "{a}1", "{b}1", &err), rows[i].status);
        if (rows[i].status != EVS_OK) {
            assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
            assert_non_null(strstr(err.message, "require_same_tag: error"));
        }
        evs_client_stats stats;
        evs_client_stats_get(&stats, bench.client);
        assert_int_equal(stats.mixed_tags, rows[i].counted);
        close_client();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_and_commands_have_times_of_their_own),
        cmocka_unit_test(without_a_time_of_their_own_scripts_have_that_of_commands),
        cmocka_unit_test_setup(the_longest_prefix_chooses_the_pool, empty_servers),
        cmocka_unit_test(a_key_without_a_route_and_keys_of_two_pools_are_refused),
        cmocka_unit_test(keys_that_meet_by_luck_are_taken_counted_or_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
