/*
 * Transactions on real servers: scripts and commands in one MULTI ... EXEC, what is refused and
 * when, scripts that are known and are not, watched keys, lost connections, many threads, memory
 * that runs out.
 */
#include "core/mem.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>

enum { THREADS = 16, EACH = 40, TIMEOUT_MS = 60000 };

static shards set;
static const evs_script *incr, *fail, *value;
static char here[32], there[32];

static int set_up(void **state)
{
    (void)state;
    shards_start(&set, 2, NULL);
    incr = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    fail = shards_script(&set, "fail", "return redis.call('INCRBY', KEYS[1], 'x')");
    value = shards_script(&set, "value",
                          "--- A value.\n-- @key k string\n-- @retry read_only\n"
                          "return redis.call('GET', KEYS[1])");
    shards_key(&set, 0, here);
    shards_key(&set, 1, there);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shards_stop(&set);
    return 0;
}

static int empty_servers(void **state)
{
    (void)state;
    for (size_t i = 0; i < set.count; i++)
        shards_do(&set, i, "FLUSHALL");
    return 0;
}

/* ---- saying it shortly ---- */

static evs_transaction *new_on(evs_client *client)
{
    evs_transaction *tx;
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = TIMEOUT_MS;
    assert_int_equal(evs_transaction_new(&tx, client, &options, NULL), EVS_OK);
    return tx;
}

static evs_transaction *new_transaction(void)
{
    return new_on(set.client);
}

static evs_status add_script(evs_transaction *tx, const evs_script *script, const char *key)
{
    evs_bytes keys[] = {evs_text(key)};
    evs_invocation call = {.handle = script, .keys = keys, .nkeys = 1};
    return evs_transaction_add(tx, &call, NULL);
}

/* A command of up to four words, the rest NULL; to `shard` when that is not NULL. */
static evs_status add_words(evs_transaction *tx, const char *shard, const char *const words[4])
{
    evs_bytes args[4];
    evs_plain_command cmd = {.args = args, .shard = shard};
    while (cmd.nargs < 4 && words[cmd.nargs] != NULL) {
        args[cmd.nargs] = evs_text(words[cmd.nargs]);
        cmd.nargs++;
    }
    return evs_transaction_add_command(tx, &cmd, NULL);
}
#define ADD(tx, ...) \
    assert_int_equal(add_words(tx, NULL, (const char *const[4]){__VA_ARGS__}), EVS_OK)
#define ADD_TO(tx, shard, ...) \
    assert_int_equal(add_words(tx, shard, (const char *const[4]){__VA_ARGS__}), EVS_OK)
#define ADD_SCRIPT(tx, script, key) assert_int_equal(add_script(tx, script, key), EVS_OK)

static void run(evs_transaction *tx)
{
    evs_error err;
    if (evs_transaction_exec(tx, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(evs_transaction_outcome(tx)->outcome, EVS_EXECUTED);
}

static void assert_element(const evs_transaction *tx, size_t index, evs_status status,
                           evs_outcome outcome)
{
    const evs_result *result = evs_transaction_result(tx, index);
    assert_non_null(result);
    if (result->status != status)
        fail_msg("element %zu: %s: %s", index, evs_status_name(result->status),
                 result->error == NULL ? "" : result->error->message);
    assert_int_equal(result->outcome, outcome);
    assert_true((result->error == NULL) == (status == EVS_OK));
}

static int64_t integer(const evs_transaction *tx, size_t index)
{
    assert_element(tx, index, EVS_OK, EVS_EXECUTED);
    return evs_reply_integer(evs_transaction_result(tx, index)->reply);
}

static long long counter(size_t server, const char *key)
{
    char command[64];
    snprintf(command, sizeof command, "INCRBY %s 0", key);
    return shards_do(&set, server, command);
}

static uint64_t loads(const evs_client *client)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    return stats.loads;
}

static void watch(evs_transaction *tx, const char *key)
{
    evs_error err;
    evs_bytes keys[] = {evs_text(key)};
    if (evs_transaction_watch(tx, keys, 1, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

/* ---- what runs ---- */

static void scripts_and_commands_run_together(void **state)
{
    (void)state;
    evs_client_stats before, after;
    evs_transaction *tx = new_transaction();
    uint64_t loaded = loads(set.client);
    for (int round = 0; round < 3; round++) {
        ADD_SCRIPT(tx, incr, here);
        ADD(tx, "INCRBY", here, "10");
        ADD_SCRIPT(tx, incr, here);
        ADD(tx, "PING");
        assert_null(evs_transaction_result(tx, 0));
        evs_client_stats_get(&before, set.client);
        run(tx);
        evs_client_stats_get(&after, set.client);
        assert_int_equal(integer(tx, 0), 12 * round + 1);
        assert_int_equal(integer(tx, 1), 12 * round + 11);
        assert_int_equal(integer(tx, 2), 12 * round + 12);
        assert_int_equal(evs_reply_kind(evs_transaction_result(tx, 3)->reply), EVS_REPLY_STATUS);
        assert_null(evs_transaction_result(tx, 4));
        assert_int_equal(evs_transaction_failures(tx), 0);
        assert_int_equal(evs_transaction_count(tx), 4);
        if (round > 0)
            assert_int_equal(after.writes - before.writes, 1);
        evs_transaction_clear(tx);
    }
    assert_int_equal(loads(set.client) - loaded, 1); /* inside the first, for both elements */
    evs_transaction_free(tx);
}

static void it_must_be_cleared_before_it_is_used_again(void **state)
{
    (void)state;
    evs_error err;
    evs_transaction *tx = new_transaction();
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_INVALID);
    ADD_SCRIPT(tx, incr, here);
    run(tx);
    assert_int_equal(add_script(tx, incr, here), EVS_E_STATE);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_STATE);
    assert_int_equal(counter(0, here), 1);
    evs_transaction_free(tx);
}

static void elements_on_two_shards_are_named(void **state)
{
    (void)state;
    evs_error err;
    evs_transaction *tx = new_transaction();
    ADD_SCRIPT(tx, incr, here);
    ADD(tx, "PING");
    ADD(tx, "GET", there);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_CROSS_SHARD);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "element 1 (incr), key \"{"));
    assert_non_null(strstr(err.message, "element 3 (GET), key \"{"));
    assert_non_null(strstr(err.message, "shard s1"));
    assert_int_equal(counter(0, here), 0);

    evs_transaction_clear(tx);
    ADD(tx, "GET", here);
    ADD(tx, "MULTI");
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_INVALID);
    assert_non_null(strstr(err.message, "element 2 (MULTI)"));

    evs_transaction_clear(tx);
    evs_invocation unknown = {.script = "nowhere", .shard = "s0"};
    assert_int_equal(evs_transaction_add(tx, &unknown, NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_NO_SCRIPT);
    assert_non_null(strstr(err.message, "element 1: no script is called"));
    evs_transaction_free(tx);
}

static void errors_inside_belong_to_their_element(void **state)
{
    (void)state;
    evs_transaction *tx = new_transaction();
    ADD(tx, "SET", here, "text");
    ADD(tx, "LPUSH", here, "x");
    ADD_SCRIPT(tx, fail, here);
    ADD(tx, "STRLEN", here);
    run(tx);
    assert_int_equal(evs_transaction_failures(tx), 1);
    const evs_reply *wrong = evs_transaction_result(tx, 1)->reply;
    assert_element(tx, 1, EVS_OK, EVS_EXECUTED);
    assert_int_equal(evs_reply_kind(wrong), EVS_REPLY_ERROR);
    assert_memory_equal(evs_reply_bytes(wrong).data, "WRONGTYPE", 9);
    assert_element(tx, 2, EVS_E_SCRIPT, EVS_EXECUTED);
    assert_non_null(strstr(evs_transaction_result(tx, 2)->error->message, "script fail, key \"{"));
    assert_int_equal(integer(tx, 3), 4);
    evs_transaction_free(tx);
}

/* ---- what the server refuses to queue ---- */

static void assert_refused(evs_transaction *tx, evs_status status, const char *words)
{
    evs_error err;
    assert_int_equal(evs_transaction_exec(tx, &err), status);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, words));
    assert_non_null(strstr(err.message, "element 2 was refused"));
    assert_element(tx, 0, EVS_E_CANCELED, EVS_NOT_EXECUTED);
    assert_element(tx, 1, status, EVS_NOT_EXECUTED);
    assert_int_equal(counter(0, here), 0);
}

static void what_cannot_be_queued_discards_everything(void **state)
{
    (void)state;
    evs_transaction *tx = new_transaction();
    shards_do(&set, 0, "SCRIPT FLUSH");
    evs_client *fresh = NULL;
    assert_int_equal(evs_client_open(&fresh, set.map, set.registry, NULL, NULL), EVS_OK);
    evs_transaction *other = new_on(fresh);
    ADD_SCRIPT(other, incr, here);
    ADD_TO(other, "s0", "NOSUCHCOMMAND", here);
    assert_refused(other, EVS_E_INVALID, "unknown command");
    evs_transaction_clear(other);
    assert_int_equal(loads(fresh), 1); /* discarded with the rest: it is not known */
    ADD_SCRIPT(other, incr, here);
    run(other);
    assert_int_equal(integer(other, 0), 1);
    assert_int_equal(loads(fresh), 2);
    evs_transaction_free(other);
    evs_client_free(fresh);

    shards_do(&set, 0, "FLUSHALL");
    ADD(tx, "INCR", here);
    ADD(tx, "GET", here, "superfluous");
    assert_refused(tx, EVS_E_ARITY, "wrong number of arguments");
    evs_transaction_free(tx);
}

/* A server that is full queues nothing, so the first element is the one. */
static void a_full_server_discards_everything(void **state)
{
    (void)state;
    evs_transaction *tx = new_transaction();
    ADD(tx, "SET", here, "1");
    ADD(tx, "GET", here);
    shards_do(&set, 0, "CONFIG SET maxmemory 1");
    evs_error err;
    evs_status status = evs_transaction_exec(tx, &err);
    shards_do(&set, 0, "CONFIG SET maxmemory 0");
    assert_int_equal(status, EVS_E_OOM);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_element(tx, 0, EVS_E_OOM, EVS_NOT_EXECUTED);
    assert_element(tx, 1, EVS_E_CANCELED, EVS_NOT_EXECUTED);
    assert_int_equal(shards_do(&set, 0, "DBSIZE"), 0);
    evs_transaction_free(tx);
}

/* ---- scripts that are not there ---- */

static void a_flushed_script_is_not_executed_and_loaded_next_time(void **state)
{
    (void)state;
    evs_transaction *tx = new_transaction();
    ADD_SCRIPT(tx, incr, here);
    run(tx);
    evs_transaction_clear(tx);
    shards_do(&set, 0, "SCRIPT FLUSH");

    uint64_t before = loads(set.client);
    ADD(tx, "INCR", here);
    ADD_SCRIPT(tx, incr, here);
    ADD(tx, "INCR", here);
    run(tx);
    assert_int_equal(integer(tx, 0), 2);
    assert_element(tx, 1, EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED);
    assert_int_equal(integer(tx, 2), 3);
    assert_int_equal(loads(set.client), before);

    evs_transaction_clear(tx);
    ADD_SCRIPT(tx, incr, here);
    run(tx);
    assert_int_equal(integer(tx, 0), 4);
    assert_int_equal(loads(set.client), before + 1);
    evs_transaction_free(tx);
}

/* It may return any error, and NOSCRIPT all the same proves that it did not run: the server is
 * asked.
 */
static void a_flushed_script_that_may_lie_is_settled(void **state)
{
    (void)state;
    const evs_script *liar = shards_script(
        &set, "liar", "redis.call('INCR', KEYS[1]) return redis.pcall('GET', KEYS[1])");
    evs_transaction *tx = new_transaction();
    ADD_SCRIPT(tx, liar, here);
    run(tx);
    evs_transaction_clear(tx);
    shards_do(&set, 0, "SCRIPT FLUSH");
    ADD_SCRIPT(tx, liar, here);
    ADD(tx, "GET", here);
    run(tx);
    assert_element(tx, 0, EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED);
    assert_element(tx, 1, EVS_OK, EVS_EXECUTED);
    assert_int_equal(counter(0, here), 1);
    evs_transaction_free(tx);
}

static void what_a_call_has_loaded_is_not_loaded_again(void **state)
{
    (void)state;
    evs_client *fresh = NULL;
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(here);
    evs_invocation call = {.handle = incr, .keys = &key, .nkeys = 1};
    assert_int_equal(evs_client_open(&fresh, set.map, set.registry, NULL, NULL), EVS_OK);
    assert_int_equal(evs_call(&reply, fresh, &call, NULL), EVS_OK);
    evs_reply_free(reply);
    evs_transaction *tx = new_on(fresh);
    ADD_SCRIPT(tx, incr, here);
    run(tx);
    assert_int_equal(loads(fresh), 1);
    evs_transaction_free(tx);
    evs_client_free(fresh);
}

/* ---- watching ---- */

static void a_watched_key_that_stays_as_it_was(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("GET"), evs_text(here)};
    evs_plain_command get = {.args = words, .nargs = 2};
    evs_invocation call = {.handle = value, .keys = &words[1], .nkeys = 1};
    evs_transaction *tx = new_transaction();
    assert_int_equal(evs_transaction_read(&reply, tx, &get, &err), EVS_E_STATE);
    shards_do(&set, 0, "SCRIPT FLUSH");
    for (int i = 0; i < 3; i++) {
        watch(tx, here);
        assert_int_equal(evs_transaction_read(&reply, tx, &get, &err), EVS_OK);
        assert_int_equal(evs_reply_kind(reply), i == 0 ? EVS_REPLY_NIL : EVS_REPLY_STRING);
        evs_reply_free(reply);
        assert_int_equal(evs_transaction_call(&reply, tx, &call, &err), EVS_OK);
        evs_reply_free(reply);
        ADD_SCRIPT(tx, incr, here);
        run(tx);
        assert_int_equal(integer(tx, 0), i + 1);
        evs_transaction_clear(tx);
    }
    evs_transaction_free(tx);
}

static void a_watched_key_that_somebody_changed_aborts(void **state)
{
    (void)state;
    evs_error err;
    char command[64];
    evs_transaction *tx = new_transaction();
    watch(tx, here);
    ADD_SCRIPT(tx, incr, here);
    snprintf(command, sizeof command, "SET %s 7", here);
    shards_do(&set, 0, command);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_ABORTED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_element(tx, 0, EVS_E_ABORTED, EVS_NOT_EXECUTED);
    assert_int_equal(counter(0, here), 7);

    evs_transaction_clear(tx);
    watch(tx, here);
    ADD_SCRIPT(tx, incr, here);
    run(tx);
    assert_int_equal(integer(tx, 0), 8);
    evs_transaction_free(tx);
}

/* The next one has the same connection, on which nothing is watched any more. */
static void what_is_given_back_watches_nothing(void **state)
{
    (void)state;
    evs_client_stats before, after;
    char command[64], other[48];
    evs_transaction *tx = new_transaction();
    watch(tx, here);
    evs_client_stats_get(&before, set.client);
    evs_transaction_clear(tx);
    snprintf(other, sizeof other, "%s-other", here);
    watch(tx, other); /* behind the UNWATCH */
    snprintf(command, sizeof command, "SET %s 7", here);
    shards_do(&set, 0, command);
    ADD(tx, "INCR", here);
    run(tx);
    assert_int_equal(integer(tx, 0), 8);
    evs_client_stats_get(&after, set.client);
    assert_int_equal(after.connects, before.connects);
    evs_transaction_free(tx);
}

static void reads_that_write_or_are_elsewhere_are_refused(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(here), far = evs_text(there);
    evs_bytes words[] = {evs_text("INCR"), key};
    evs_bytes away[] = {evs_text("GET"), far};
    evs_plain_command writes = {.args = words, .nargs = 2}, gets = {.args = away, .nargs = 2};
    evs_invocation once = {.handle = incr, .keys = &key, .nkeys = 1};
    evs_transaction *tx = new_transaction();
    watch(tx, here);
    assert_int_equal(evs_transaction_read(&reply, tx, &writes, &err), EVS_E_INVALID);
    assert_int_equal(evs_transaction_read(&reply, tx, &gets, &err), EVS_E_CROSS_SHARD);
    assert_int_equal(evs_transaction_call(&reply, tx, &once, &err), EVS_E_INVALID);
    ADD(tx, "GET", there);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_CROSS_SHARD);
    assert_non_null(strstr(err.message, "what is watched is on shard s0"));
    assert_int_equal(evs_transaction_watch(tx, &far, 1, &err), EVS_E_CROSS_SHARD);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_STATE);
    evs_transaction_free(tx);
}

static void as_many_may_watch_as_are_allowed(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    evs_transaction *tx[3];
    evs_bytes key = evs_text(here);
    options.max_watching = 2;
    assert_int_equal(evs_client_open(&client, set.map, set.registry, &options, NULL), EVS_OK);
    for (int i = 0; i < 3; i++)
        tx[i] = new_on(client);
    watch(tx[0], here);
    watch(tx[1], here);
    assert_int_equal(evs_transaction_watch(tx[2], &key, 1, &err), EVS_E_QUEUE_FULL);
    evs_transaction_clear(tx[0]);
    evs_transaction_clear(tx[2]);
    watch(tx[2], here);
    ADD(tx[2], "INCR", here);
    run(tx[2]);
    ADD(tx[1], "INCR", here);
    assert_int_equal(evs_transaction_exec(tx[1], &err), EVS_E_ABORTED);
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.connects, 2); /* nothing went over the one that others share */
    for (int i = 0; i < 3; i++)
        evs_transaction_free(tx[i]);
    evs_client_free(client);
}

static void a_watching_connection_that_is_lost_runs_nothing(void **state)
{
    (void)state;
    evs_error err;
    evs_transaction *tx = new_transaction();
    watch(tx, here);
    shards_do(&set, 0, "CLIENT KILL TYPE normal SKIPME yes");
    ADD(tx, "INCR", here);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_CLOSED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    evs_transaction_clear(tx);
    watch(tx, here); /* the next connection works */
    ADD(tx, "INCR", here);
    run(tx);
    assert_int_equal(integer(tx, 0), 1);
    evs_transaction_free(tx);
}

/* ---- without waiting ---- */

typedef struct rounds {
    int done;
    int64_t last;
} rounds;

static void again(void *arg, evs_transaction *tx)
{
    rounds *self = arg;
    self->last = integer(tx, 0);
    if (++self->done == 3) {
        evs_transaction_free(tx);
        return;
    }
    evs_transaction_clear(tx);
    ADD_SCRIPT(tx, incr, here);
    assert_int_equal(evs_transaction_submit(tx, again, arg, NULL), EVS_OK);
}

static void a_completion_may_submit_again_and_free(void **state)
{
    (void)state;
    rounds self = {0, 0};
    evs_transaction *tx = new_transaction();
    ADD_SCRIPT(tx, incr, here);
    assert_int_equal(evs_transaction_submit(tx, again, &self, NULL), EVS_OK);
    assert_int_equal(evs_client_pending(set.client), 1);
    while (evs_client_pending(set.client) > 0)
        assert_int_equal(evs_client_process(set.client, -1, NULL), EVS_OK);
    assert_int_equal(self.done, 3);
    assert_int_equal(self.last, 3);
}

static void note_integer(void *arg, const evs_result *result)
{
    *(int64_t *)arg = evs_reply_integer(result->reply);
}

static void strict_order_holds_for_transactions_too(void **state)
{
    (void)state;
    evs_client *client = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    assert_int_equal(evs_client_open(&client, set.map, set.registry, &options, NULL), EVS_OK);
    evs_bytes key = evs_text(here);
    evs_invocation call = {.handle = incr, .keys = &key, .nkeys = 1};
    int64_t first = 0, last = 0;
    rounds self = {2, 0};
    evs_transaction *tx = new_on(client);
    ADD_SCRIPT(tx, incr, here);
    assert_int_equal(evs_submit(client, &call, note_integer, &first, NULL), EVS_OK);
    assert_int_equal(evs_transaction_submit(tx, again, &self, NULL), EVS_OK);
    assert_int_equal(evs_submit(client, &call, note_integer, &last, NULL), EVS_OK);
    while (evs_client_pending(client) > 0)
        assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
    assert_int_equal(first, 1);
    assert_int_equal(self.last, 2);
    assert_int_equal(last, 3);
    evs_client_free(client);
}

static void note_end(void *arg, evs_transaction *tx)
{
    *(evs_status *)arg = evs_transaction_outcome(tx)->status;
}

static void closing_ends_what_is_under_way(void **state)
{
    (void)state;
    evs_client *client = NULL;
    evs_status ended = EVS_OK;
    assert_int_equal(evs_client_open(&client, set.map, set.registry, NULL, NULL), EVS_OK);
    evs_transaction *tx = new_on(client), *watching = new_on(client);
    watch(watching, here);
    ADD(tx, "INCR", here);
    assert_int_equal(evs_transaction_submit(tx, note_end, &ended, NULL), EVS_OK);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_ABORT, 0, NULL), EVS_OK);
    assert_int_equal(ended, EVS_E_CANCELED);
    assert_element(tx, 0, EVS_E_CANCELED, EVS_NOT_EXECUTED);
    assert_int_equal(counter(0, here), 0);
    evs_transaction_free(tx);
    evs_transaction_free(watching);
    evs_client_free(client);
}

/* ---- many threads ---- */

/* cmocka's asserts belong to the main thread; others only count. */
typedef struct worker {
    pthread_t id;
    evs_client *client;
    char key[48]; /* its own, on shard 0 */
    size_t ok, aborted;
} worker;

static int run_own(worker *self, evs_transaction *tx, int round)
{
    evs_bytes key = evs_text(self->key);
    evs_bytes words[] = {evs_text("INCR"), key};
    evs_plain_command cmd = {.args = words, .nargs = 2};
    evs_invocation call = {.handle = incr, .keys = &key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    evs_reply *reply = NULL;
    evs_transaction_clear(tx);
    evs_transaction_add(tx, &call, NULL);
    evs_transaction_add_command(tx, &cmd, NULL);
    if (evs_transaction_exec(tx, NULL) != EVS_OK ||
        evs_reply_integer(evs_transaction_result(tx, 1)->reply) != 3 * round + 2)
        return 0;
    int fine = evs_call(&reply, self->client, &call, NULL) == EVS_OK &&
               evs_reply_integer(reply) == 3 * round + 3;
    evs_reply_free(reply);
    return fine;
}

/* Adds one to a counter that all share, by reading it and writing what follows. */
static int run_shared(worker *self, evs_transaction *tx)
{
    char text[32];
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(here);
    evs_bytes get[] = {evs_text("GET"), key};
    evs_plain_command read = {.args = get, .nargs = 2, .timeout_ms = TIMEOUT_MS};
    evs_status status;
    do {
        int64_t now = 0;
        evs_transaction_clear(tx);
        if (evs_transaction_watch(tx, &key, 1, NULL) != EVS_OK ||
            evs_transaction_read(&reply, tx, &read, NULL) != EVS_OK)
            return 0;
        if (evs_reply_kind(reply) != EVS_REPLY_NIL)
            evs_reply_int(&now, reply, NULL);
        evs_reply_free(reply);
        snprintf(text, sizeof text, "%lld", (long long)now + 1);
        evs_bytes put[] = {evs_text("SET"), key, evs_text(text)};
        evs_plain_command write = {.args = put, .nargs = 3};
        evs_transaction_add_command(tx, &write, NULL);
        status = evs_transaction_exec(tx, NULL);
        self->aborted += status == EVS_E_ABORTED;
    } while (status == EVS_E_ABORTED);
    return status == EVS_OK;
}

static void *work(void *arg)
{
    worker *self = arg;
    evs_transaction *tx = NULL;
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = TIMEOUT_MS;
    if (evs_transaction_new(&tx, self->client, &options, NULL) != EVS_OK)
        return NULL;
    for (int i = 0; i < EACH; i++)
        self->ok += (size_t)(run_own(self, tx, i) && (i % 8 != 0 || run_shared(self, tx)));
    evs_transaction_free(tx);
    return NULL;
}

static void many_threads_share_a_client(void **state)
{
    (void)state;
    worker crowd[THREADS];
    evs_client *client = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    assert_int_equal(evs_client_open(&client, set.map, set.registry, &options, NULL), EVS_OK);
    for (int i = 0; i < THREADS; i++) {
        crowd[i] = (worker){.client = client};
        snprintf(crowd[i].key, sizeof crowd[i].key, "%s%d", here, i);
        assert_int_equal(pthread_create(&crowd[i].id, NULL, work, &crowd[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(crowd[i].id, NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(crowd[i].ok, EACH);
        assert_int_equal(counter(0, crowd[i].key), 3 * EACH);
    }
    assert_int_equal(counter(0, here), THREADS * EACH / 8);
    evs_client_free(client);
}

/* ---- memory ---- */

/* One run of everything, on a client of its own. Returns what the server must have counted, or -1
 * when nobody can know. */
static int run_once(evs_status *status)
{
    evs_error err = {.status = EVS_E_NOMEM};
    evs_client *client = NULL;
    evs_transaction *tx = NULL;
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(here);
    evs_bytes words[] = {evs_text("GET"), key};
    evs_plain_command get = {.args = words, .nargs = 2};
    evs_invocation call = {.handle = incr, .keys = &key, .nkeys = 1};
    int counted = 0;
    *status = evs_client_open(&client, set.map, set.registry, NULL, &err);
    if (*status == EVS_OK)
        *status = evs_transaction_new(&tx, client, NULL, &err);
    if (*status == EVS_OK)
        *status = evs_transaction_watch(tx, &key, 1, &err);
    if (*status == EVS_OK)
        *status = evs_transaction_read(&reply, tx, &get, &err);
    if (*status == EVS_OK)
        *status = evs_transaction_add(tx, &call, &err);
    if (*status == EVS_OK)
        *status = evs_transaction_add_command(tx, &get, &err);
    if (*status == EVS_OK) {
        *status = evs_transaction_exec(tx, &err);
        const evs_result *one = evs_transaction_result(tx, 0);
        evs_outcome outcome = one != NULL ? one->outcome : err.outcome;
        counted = outcome == EVS_MAYBE_EXECUTED ? -1 : outcome == EVS_EXECUTED;
        if (*status == EVS_OK && evs_transaction_failures(tx) > 0)
            *status = EVS_E_NOMEM;
    }
    evs_reply_free(reply);
    evs_transaction_free(tx);
    evs_client_free(client);
    return counted;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    evs_status status = EVS_E_NOMEM;
    size_t n = 1;
    for (; status != EVS_OK; n++) {
        shards_do(&set, 0, "FLUSHALL");
        evs__mem_fail_at(n);
        int counted = run_once(&status);
        evs__mem_fail_at(0);
        if (counted >= 0)
            assert_int_equal(counter(0, here), counted);
        assert_true(n < 2000);
    }
    assert_true(n > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty_servers)
    const struct CMUnitTest tests[] = {
        TEST(scripts_and_commands_run_together),
        TEST(it_must_be_cleared_before_it_is_used_again),
        TEST(elements_on_two_shards_are_named),
        TEST(errors_inside_belong_to_their_element),
        TEST(what_cannot_be_queued_discards_everything),
        TEST(a_full_server_discards_everything),
        TEST(a_flushed_script_is_not_executed_and_loaded_next_time),
        TEST(a_flushed_script_that_may_lie_is_settled),
        TEST(what_a_call_has_loaded_is_not_loaded_again),
        TEST(a_watched_key_that_stays_as_it_was),
        TEST(a_watched_key_that_somebody_changed_aborts),
        TEST(what_is_given_back_watches_nothing),
        TEST(reads_that_write_or_are_elsewhere_are_refused),
        TEST(as_many_may_watch_as_are_allowed),
        TEST(a_watching_connection_that_is_lost_runs_nothing),
        TEST(a_completion_may_submit_again_and_free),
        TEST(strict_order_holds_for_transactions_too),
        TEST(closing_ends_what_is_under_way),
        TEST(many_threads_share_a_client),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
