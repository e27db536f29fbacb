/*
 * Scripts on contexts of hiredis that the test owns, on real servers: loading, healing, lies,
 * transactions, pipelines over shards. What happened is read from the servers' own counters.
 */
#include "tests/support/shards.h"
#include <evalshard/hiredis.h>

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 500 };

typedef struct bench {
    shards set;
    redisContext *contexts[SHARDS_MOST];
    evs_hiredis *scripts; /* routed over all shards */
    int asked;            /* how often a context was asked for */
} bench;

static struct redisContext *context_of(void *arg, size_t shard)
{
    bench *b = arg;
    b->asked++;
    return b->contexts[shard];
}

static redisContext *connect_to(bench *b, size_t shard)
{
    redisContext *context = redisConnectUnix(scratch_socket(b->set.servers[shard]));
    assert_non_null(context);
    assert_int_equal(context->err, 0);
    return context;
}

static void open_bench(bench *b, size_t count)
{
    evs_hiredis_options options = EVS_HIREDIS_OPTIONS_INIT;
    memset(b, 0, sizeof *b);
    shards_start(&b->set, count, NULL);
    for (size_t i = 0; i < count; i++)
        b->contexts[i] = connect_to(b, i);
    options.map = b->set.map;
    options.context = context_of;
    options.arg = b;
    assert_int_equal(evs_hiredis_open(&b->scripts, b->set.registry, &options, NULL), EVS_OK);
}

static void close_bench(bench *b)
{
    evs_hiredis_free(b->scripts);
    for (size_t i = 0; i < SHARDS_MOST; i++)
        if (b->contexts[i] != NULL)
            redisFree(b->contexts[i]);
    shards_stop(&b->set);
}

static evs_invocation on_key(const char *script, const evs_bytes *key)
{
    return (evs_invocation){.script = script, .keys = key, .nkeys = 1};
}

static evs_status run(bench *b, const char *script, const char *key_text, evs_reply **reply,
                      evs_error *err)
{
    evs_bytes key = evs_text(key_text);
    evs_invocation call = on_key(script, &key);
    *reply = NULL;
    memset(err, 0, sizeof *err);
    return evs_hiredis_call(reply, b->scripts, &call, err);
}

static void append(bench *b, const char *script, const char *key_text)
{
    evs_error err = {0};
    evs_bytes key = evs_text(key_text);
    evs_invocation call = on_key(script, &key);
    if (evs_hiredis_append(b->scripts, &call, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void append_command(bench *b, const char *name, const char *key, const char *shard)
{
    evs_error err = {0};
    evs_bytes args[] = {evs_text(name), evs_text(key)};
    evs_plain_command cmd = {.args = args, .nargs = 2, .shard = shard};
    if (evs_hiredis_append_command(b->scripts, &cmd, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static int64_t fetch_number(bench *b)
{
    evs_reply *reply = NULL;
    evs_error err = {0};
    int64_t number = 0;
    if (evs_hiredis_get_reply(&reply, b->scripts, &err) != EVS_OK ||
        evs_reply_int(&number, reply, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_reply_free(reply);
    return number;
}

static void fetch_failure(bench *b, evs_status status, evs_outcome outcome)
{
    evs_reply *reply = NULL;
    evs_error err = {0};
    evs_status got = evs_hiredis_get_reply(&reply, b->scripts, &err);
    if (got != status || err.outcome != outcome)
        fail_msg("%s, %s: %s", evs_status_name(got), evs_outcome_text(err.outcome), err.message);
    evs_reply_free(reply);
}

/* The script "incr" ran once on "n" and is gone from the first server. */
static void know_and_flush(bench *b)
{
    evs_reply *reply;
    evs_error err;
    assert_int_equal(run(b, "incr", "n", &reply, &err), EVS_OK);
    evs_reply_free(reply);
    shards_do(&b->set, 0, "SCRIPT FLUSH");
}

static long loads(bench *b, size_t shard)
{
    return shards_info(&b->set, shard, "commandstats", "cmdstat_script|load:calls=");
}

static const char incr[] = "return redis.call('INCR', KEYS[1])";

static void a_shard_that_drains_takes_no_writes(void **state)
{
    (void)state;
    bench b;
    evs_error err;
    evs_reply *reply;
    open_bench(&b, 1);
    char yaml[512];
    evs_shardmap *map;
    snprintf(yaml, sizeof yaml, "evalshard: 1\nshards:\n  s0: {address: \"%s\", state: draining}\n",
             scratch_address(b.set.servers[0]));
    assert_int_equal(evs_shardmap_parse(&map, evs_text(yaml), "t", NULL, &err), EVS_OK);
    evs_hiredis_free(b.scripts);
    evs_hiredis_options options = EVS_HIREDIS_OPTIONS_INIT;
    options.map = map;
    options.context = context_of;
    options.arg = &b;
    assert_int_equal(evs_hiredis_open(&b.scripts, b.set.registry, &options, NULL), EVS_OK);
    evs_shardmap_free(map);

    shards_script(&b.set, "incr", "return redis.call('INCR', KEYS[1])");
    shards_script(&b.set, "get", "return redis.call('GET', KEYS[1])");
    assert_int_equal(run(&b, "incr", "k", &reply, &err), EVS_E_READONLY);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "shard s0: the map has state: draining"));
    assert_int_equal(run(&b, "get", "k", &reply, &err), EVS_OK);
    evs_reply_free(reply);
    evs_bytes args[] = {evs_text("SET"), evs_text("k"), evs_text("v")};
    evs_plain_command cmd = {.args = args, .nargs = 3};
    assert_int_equal(evs_hiredis_append_command(b.scripts, &cmd, &err), EVS_E_READONLY);
    close_bench(&b);
}

static void a_script_is_loaded_once_and_healed(void **state)
{
    (void)state;
    bench b;
    evs_reply *reply;
    evs_error err;
    open_bench(&b, 1);
    shards_script(&b.set, "incr", incr);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(run(&b, "incr", "a\nkey", &reply, &err), EVS_OK);
        assert_int_equal(evs_reply_integer(reply), i);
        evs_reply_free(reply);
    }
    assert_int_equal(loads(&b, 0), 1);
    shards_do(&b.set, 0, "SCRIPT FLUSH");
    assert_int_equal(run(&b, "incr", "a\nkey", &reply, &err), EVS_OK);
    assert_int_equal(evs_reply_integer(reply), 4);
    evs_reply_free(reply);
    assert_int_equal(loads(&b, 0), 2);
    close_bench(&b);
}

static void one_attached_context_needs_no_map(void **state)
{
    (void)state;
    bench b;
    evs_hiredis *one = NULL;
    evs_reply *reply = NULL;
    evs_error err = {0};
    open_bench(&b, 1);
    shards_script(&b.set, "binary", "return {KEYS[1], ARGV[1], string.rep('x', 3000000)}");
    assert_int_equal(evs_hiredis_attach(&one, b.set.registry, b.contexts[0], &err), EVS_OK);
    evs_bytes key = {"k\0\r\n\xff", 5}, arg = {"", 0};
    evs_invocation call = {.script = "binary", .keys = &key, .nkeys = 1, .args = &arg, .nargs = 1};
    assert_int_equal(evs_hiredis_call(&reply, one, &call, &err), EVS_OK);
    assert_int_equal(evs_reply_count(reply), 3);
    assert_int_equal(evs_reply_bytes(evs_reply_at(reply, 0)).len, 5);
    assert_memory_equal(evs_reply_bytes(evs_reply_at(reply, 0)).data, key.data, 5);
    assert_int_equal(evs_reply_bytes(evs_reply_at(reply, 2)).len, 3000000);
    evs_reply_free(reply);
    call.shard = "s0";
    assert_int_equal(evs_hiredis_call(&reply, one, &call, &err), EVS_E_INVALID);
    call.shard = NULL;
    call.timeout_ms = 5;
    assert_int_equal(evs_hiredis_call(&reply, one, &call, &err), EVS_E_INVALID);
    assert_non_null(strstr(err.message, "redisSetTimeout"));
    call.script = "binry";
    assert_int_equal(evs_hiredis_call(&reply, one, &call, &err), EVS_E_NO_SCRIPT);
    assert_non_null(strstr(err.message, "did you mean \"binary\"?"));
    evs_hiredis_free(one);
    close_bench(&b);
}

static void a_pipeline_runs_over_all_shards_in_order(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, 3);
    shards_script(&b.set, "echo", "redis.call('INCR', '{' .. 'x}') return KEYS[1]");
    char keys[MANY][32];
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof keys[i], "key:%d", i);
        append(&b, "echo", keys[i]);
    }
    assert_int_equal(evs_hiredis_pending(b.scripts), MANY);
    for (int i = 0; i < MANY; i++) {
        evs_reply *reply = NULL;
        assert_int_equal(evs_hiredis_get_reply(&reply, b.scripts, NULL), EVS_OK);
        assert_string_equal(evs_reply_bytes(reply).data, keys[i]);
        evs_reply_free(reply);
    }
    assert_int_equal(evs_hiredis_pending(b.scripts), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(loads(&b, i), 1);
    close_bench(&b);
}

/* All of them met NOSCRIPT; one question and one load heal them, and each runs once. */
static void a_pipeline_is_healed_as_a_whole(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, 1);
    shards_script(&b.set, "incr", incr);
    shards_script(&b.set, "other", "return redis.call('INCRBY', KEYS[1], 1000)");
    know_and_flush(&b);
    for (int i = 0; i < MANY; i++)
        append(&b, "incr", "n");
    append(&b, "other", "m");
    append_command(&b, "GET", "n", NULL);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(fetch_number(&b), 2 + i);
    assert_int_equal(fetch_number(&b), 1000);
    assert_int_equal(fetch_number(&b), 1); /* what was healed ran behind it */
    assert_int_equal(loads(&b, 0), 3);
    assert_int_equal(shards_info(&b.set, 0, "commandstats", "cmdstat_script|exists:calls="), 1);
    close_bench(&b);
}

static void lies_are_told_from_the_truth(void **state)
{
    (void)state;
    static const struct {
        const char *name, *source;
        evs_status status;
        int runs;
    } rows[] = {
        {"lie/once",
         "redis.call('INCR', KEYS[1]) return redis.error_reply('NOSCRIPT No matching script.')",
         EVS_E_SCRIPT, 1},
        {"lie/idempotent",
         "--- Lies.\n-- @retry idempotent\nredis.call('INCR', KEYS[1])\n"
         "return redis.error_reply('NOSCRIPT No matching script.')",
         EVS_E_SCRIPT, 2},
        {"lie/busy",
         "redis.call('INCR', KEYS[1]) return redis.error_reply('BUSY Redis is busy running a "
         "script.')",
         EVS_E_BUSY, 1},
    };
    bench b;
    open_bench(&b, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evs_reply *reply;
        evs_error err;
        shards_script(&b.set, rows[i].name, rows[i].source);
        assert_int_equal(run(&b, rows[i].name, rows[i].name, &reply, &err), rows[i].status);
        assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
        evs_reply_free(reply);
        append_command(&b, "GET", rows[i].name, NULL);
        assert_int_equal(fetch_number(&b), rows[i].runs);
    }
    close_bench(&b);
}

static void errors_say_what_happened(void **state)
{
    (void)state;
    bench b;
    evs_reply *reply;
    evs_error err;
    open_bench(&b, 3);
    shards_script(&b.set, "fails", "return redis.call('HGET', KEYS[1], 'f', 'g')");
    assert_int_equal(run(&b, "fails", "k", &reply, &err), EVS_E_SCRIPT);
    assert_int_equal(err.outcome, EVS_EXECUTED);
    assert_int_equal(err.line, 1);
    assert_string_equal(err.script, "fails");
    evs_reply_free(reply);
    evs_bytes keys[] = {evs_text("a"), evs_text("b"), evs_text("c"), evs_text("d")};
    evs_invocation call = {.script = "fails", .keys = keys, .nkeys = 4};
    assert_int_equal(evs_hiredis_call(&reply, b.scripts, &call, &err), EVS_E_CROSS_SHARD);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    close_bench(&b);
}

static void a_lost_connection_is_told_and_can_be_replaced(void **state)
{
    (void)state;
    bench b;
    evs_reply *reply;
    evs_error err;
    open_bench(&b, 1);
    shards_script(&b.set, "incr", incr);
    assert_int_equal(run(&b, "incr", "n", &reply, &err), EVS_OK);
    evs_reply_free(reply);
    append(&b, "incr", "n");
    append(&b, "incr", "n");
    shards_do(&b.set, 0, "CLIENT KILL TYPE normal SKIPME yes");
    fetch_failure(&b, EVS_E_CLOSED, EVS_NOT_EXECUTED); /* nothing could be written */
    fetch_failure(&b, EVS_E_CLOSED, EVS_NOT_EXECUTED);
    assert_int_equal(run(&b, "incr", "n", &reply, &err), EVS_E_CLOSED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    evs_hiredis_forget(b.scripts, b.contexts[0]);
    assert_int_equal(redisReconnect(b.contexts[0]), REDIS_OK);
    assert_int_equal(run(&b, "incr", "n", &reply, &err), EVS_OK);
    evs_reply_free(reply);
    redisFree(b.contexts[0]); /* without a word */
    b.contexts[0] = connect_to(&b, 0);
    shards_do(&b.set, 0, "SCRIPT FLUSH");
    assert_int_equal(run(&b, "incr", "n", &reply, &err), EVS_OK);
    evs_reply_free(reply);
    redisContext *kept = b.contexts[0];
    b.contexts[0] = NULL;
    assert_int_equal(run(&b, "incr", "n", &reply, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    b.contexts[0] = kept;
    close_bench(&b);
}

/* ---- transactions ---- */

static void a_transaction_gives_each_its_element(void **state)
{
    (void)state;
    bench b;
    evs_reply *reply;
    evs_error err;
    open_bench(&b, 1);
    shards_script(&b.set, "incr", incr);
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, NULL), EVS_OK);
    append(&b, "incr", "n");
    append_command(&b, "GET", "n", NULL);
    append(&b, "incr", "n");
    assert_int_equal(evs_hiredis_get_reply(&reply, b.scripts, &err), EVS_E_STATE);
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, &err), EVS_E_STATE);
    assert_int_equal(run(&b, "incr", "n", &reply, &err), EVS_E_STATE);
    assert_int_equal(evs_hiredis_exec(b.scripts, NULL), EVS_OK);
    assert_int_equal(fetch_number(&b), 1);
    assert_int_equal(fetch_number(&b), 1);
    assert_int_equal(fetch_number(&b), 2);
    assert_int_equal(loads(&b, 0), 1);
    assert_int_equal(run(&b, "incr", "n", &reply, &err), EVS_OK); /* known by EXEC's word */
    evs_reply_free(reply);
    assert_int_equal(loads(&b, 0), 1);
    assert_int_equal(evs_hiredis_exec(b.scripts, &err), EVS_E_STATE);
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, NULL), EVS_OK);
    assert_int_equal(evs_hiredis_exec(b.scripts, NULL), EVS_OK); /* empty: nothing stays behind */
    redisReply *pong = redisCommand(b.contexts[0], "PING");
    assert_string_equal(pong->str, "PONG");
    freeReplyObject(pong);
    close_bench(&b);
}

static void noscript_inside_is_not_healed(void **state)
{
    (void)state;
    bench b;
    open_bench(&b, 1);
    shards_script(&b.set, "incr", incr);
    shards_script(&b.set, "lie", "return redis.error_reply('NOSCRIPT of my own')");
    know_and_flush(&b);
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, NULL), EVS_OK);
    append_command(&b, "INCR", "m", NULL);
    append(&b, "incr", "n");
    append(&b, "lie", "n");
    append_command(&b, "INCR", "m", NULL);
    assert_int_equal(evs_hiredis_exec(b.scripts, NULL), EVS_OK);
    append(&b, "incr", "n"); /* behind it, and healed */
    assert_int_equal(fetch_number(&b), 1);
    fetch_failure(&b, EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED);
    fetch_failure(&b, EVS_E_SCRIPT, EVS_MAYBE_EXECUTED);
    assert_int_equal(fetch_number(&b), 2);
    assert_int_equal(fetch_number(&b), 2);
    close_bench(&b);
}

static void a_watched_key_or_a_bad_command_cancels_all(void **state)
{
    (void)state;
    bench b;
    evs_error err;
    evs_reply *reply;
    open_bench(&b, 1);
    shards_script(&b.set, "incr", incr);
    append_command(&b, "WATCH", "n", NULL);
    assert_int_equal(evs_hiredis_get_reply(&reply, b.scripts, &err), EVS_OK);
    evs_reply_free(reply);
    shards_do(&b.set, 0, "SET n 5");
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, NULL), EVS_OK);
    append(&b, "incr", "n");
    append(&b, "incr", "n");
    assert_int_equal(evs_hiredis_exec(b.scripts, NULL), EVS_OK);
    fetch_failure(&b, EVS_E_CANCELED, EVS_NOT_EXECUTED);
    fetch_failure(&b, EVS_E_CANCELED, EVS_NOT_EXECUTED);
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, NULL), EVS_OK);
    append(&b, "incr", "n");
    append_command(&b, "HSET", "n", NULL);
    assert_int_equal(evs_hiredis_exec(b.scripts, NULL), EVS_OK);
    fetch_failure(&b, EVS_E_CANCELED, EVS_NOT_EXECUTED);
    fetch_failure(&b, EVS_E_INVALID, EVS_NOT_EXECUTED);
    assert_int_equal(run(&b, "incr", "n", &reply, &err), EVS_OK); /* no mark came from it */
    assert_int_equal(evs_reply_integer(reply), 6);
    evs_reply_free(reply);
    close_bench(&b);
}

static void a_transaction_stays_on_its_shard(void **state)
{
    (void)state;
    bench b;
    char here[32], there[32];
    evs_error err;
    open_bench(&b, 2);
    shards_script(&b.set, "incr", incr);
    shards_key(&b.set, 0, here);
    shards_key(&b.set, 1, there);
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, &err), EVS_E_NO_KEYS);
    assert_int_equal(evs_hiredis_multi(b.scripts, "s0", &err), EVS_OK);
    append(&b, "incr", here);
    evs_bytes key = evs_text(there);
    evs_invocation call = on_key("incr", &key);
    assert_int_equal(evs_hiredis_append(b.scripts, &call, &err), EVS_E_CROSS_SHARD);
    assert_int_equal(evs_hiredis_exec(b.scripts, &err), EVS_OK);
    append(&b, "incr", there);
    assert_int_equal(fetch_number(&b), 1);
    assert_int_equal(fetch_number(&b), 1);
    evs_bytes words[] = {evs_text("subscribe"), evs_text("x")};
    evs_plain_command cmd = {.args = words, .nargs = 2, .shard = "s0"};
    assert_int_equal(evs_hiredis_append_command(b.scripts, &cmd, &err), EVS_E_INVALID);
    close_bench(&b);
}

static void a_transaction_ends_with_its_connection(void **state)
{
    (void)state;
    bench b;
    evs_error err;
    evs_reply *reply;
    open_bench(&b, 1);
    shards_script(&b.set, "incr", incr);
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, NULL), EVS_OK);
    append(&b, "incr", "n");
    evs_hiredis_forget(b.scripts, b.contexts[0]);
    evs_bytes key = evs_text("n");
    evs_invocation call = on_key("incr", &key);
    assert_int_equal(evs_hiredis_append(b.scripts, &call, &err), EVS_E_CLOSED);
    assert_int_equal(evs_hiredis_exec(b.scripts, &err), EVS_E_CLOSED);
    fetch_failure(&b, EVS_E_CLOSED, EVS_NOT_EXECUTED);
    redisFree(b.contexts[0]);
    b.contexts[0] = connect_to(&b, 0);
    assert_int_equal(run(&b, "incr", "n", &reply, &err), EVS_OK);
    assert_int_equal(evs_reply_integer(reply), 1);
    evs_reply_free(reply);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_loaded_once_and_healed),
        cmocka_unit_test(a_shard_that_drains_takes_no_writes),
        cmocka_unit_test(one_attached_context_needs_no_map),
        cmocka_unit_test(a_pipeline_runs_over_all_shards_in_order),
        cmocka_unit_test(a_pipeline_is_healed_as_a_whole),
        cmocka_unit_test(lies_are_told_from_the_truth),
        cmocka_unit_test(errors_say_what_happened),
        cmocka_unit_test(a_lost_connection_is_told_and_can_be_replaced),
        cmocka_unit_test(a_transaction_gives_each_its_element),
        cmocka_unit_test(noscript_inside_is_not_healed),
        cmocka_unit_test(a_watched_key_or_a_bad_command_cancels_all),
        cmocka_unit_test(a_transaction_stays_on_its_shard),
        cmocka_unit_test(a_transaction_ends_with_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
