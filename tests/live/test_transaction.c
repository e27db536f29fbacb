/*
 * Transactions on real servers: scripts and commands in one MULTI ... EXEC, what is refused and
 * when, scripts that are known and are not. Watching is in test_transaction_watch.c, threads and
 * completions are in test_transaction_async.c.
 */
#include "tests/support/transactions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- what runs ---- */

static void scripts_and_commands_run_together(void **state)
{
    (void)state;
    evs_client_stats before, after;
    evs_transaction *tx = tx_new();
    uint64_t loaded = tx_loads(stage.set.client);
    for (int round = 0; round < 3; round++) {
        TX_ADD_SCRIPT(tx, stage.incr, stage.here);
        TX_ADD(tx, "INCRBY", stage.here, "10");
        TX_ADD_SCRIPT(tx, stage.incr, stage.here);
        TX_ADD(tx, "PING");
        assert_null(evs_transaction_result(tx, 0));
        evs_client_stats_get(&before, stage.set.client);
        tx_run(tx);
        evs_client_stats_get(&after, stage.set.client);
        assert_int_equal(tx_integer(tx, 0), 12 * round + 1);
        assert_int_equal(tx_integer(tx, 1), 12 * round + 11);
        assert_int_equal(tx_integer(tx, 2), 12 * round + 12);
        assert_int_equal(evs_reply_kind(evs_transaction_result(tx, 3)->reply), EVS_REPLY_STATUS);
        assert_null(evs_transaction_result(tx, 4));
        assert_int_equal(evs_transaction_failures(tx), 0);
        assert_int_equal(evs_transaction_count(tx), 4);
        if (round > 0)
            assert_int_equal(after.writes - before.writes, 1);
        evs_transaction_clear(tx);
    }
    assert_int_equal(tx_loads(stage.set.client) - loaded,
                     1); /* inside the first, for both elements */
    evs_transaction_free(tx);
}

static void it_must_be_cleared_before_it_is_used_again(void **state)
{
    (void)state;
    evs_error err;
    evs_transaction *tx = tx_new();
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_INVALID);
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    tx_run(tx);
    assert_int_equal(tx_add_script(tx, stage.incr, stage.here), EVS_E_STATE);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_STATE);
    assert_int_equal(tx_counter(0, stage.here), 1);
    evs_transaction_free(tx);
}

static void elements_on_two_shards_are_named(void **state)
{
    (void)state;
    evs_error err;
    evs_transaction *tx = tx_new();
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    TX_ADD(tx, "PING");
    TX_ADD(tx, "GET", stage.there);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_CROSS_SHARD);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "element 1 (incr), key \"{"));
    assert_non_null(strstr(err.message, "element 3 (GET), key \"{"));
    assert_non_null(strstr(err.message, "shard s1"));
    assert_int_equal(tx_counter(0, stage.here), 0);

    evs_transaction_clear(tx);
    TX_ADD(tx, "GET", stage.here);
    TX_ADD(tx, "MULTI");
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
    evs_transaction *tx = tx_new();
    TX_ADD(tx, "SET", stage.here, "text");
    TX_ADD(tx, "LPUSH", stage.here, "x");
    TX_ADD_SCRIPT(tx, stage.fail, stage.here);
    TX_ADD(tx, "STRLEN", stage.here);
    tx_run(tx);
    assert_int_equal(evs_transaction_failures(tx), 1);
    const evs_reply *wrong = evs_transaction_result(tx, 1)->reply;
    tx_assert_element(tx, 1, EVS_OK, EVS_EXECUTED);
    assert_int_equal(evs_reply_kind(wrong), EVS_REPLY_ERROR);
    assert_memory_equal(evs_reply_bytes(wrong).data, "WRONGTYPE", 9);
    tx_assert_element(tx, 2, EVS_E_SCRIPT, EVS_EXECUTED);
    assert_non_null(strstr(evs_transaction_result(tx, 2)->error->message, "script fail, key \"{"));
    assert_int_equal(tx_integer(tx, 3), 4);
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
    tx_assert_element(tx, 0, EVS_E_CANCELED, EVS_NOT_EXECUTED);
    tx_assert_element(tx, 1, status, EVS_NOT_EXECUTED);
    assert_int_equal(tx_counter(0, stage.here), 0);
}

static void what_cannot_be_queued_discards_everything(void **state)
{
    (void)state;
    evs_transaction *tx = tx_new();
    shards_do(&stage.set, 0, "SCRIPT FLUSH");
    evs_client *fresh = NULL;
    assert_int_equal(evs_client_open(&fresh, stage.set.map, stage.set.registry, NULL, NULL),
                     EVS_OK);
    evs_transaction *other = tx_new_on(fresh);
    TX_ADD_SCRIPT(other, stage.incr, stage.here);
    TX_ADD_TO(other, "s0", "NOSUCHCOMMAND", stage.here);
    assert_refused(other, EVS_E_INVALID, "unknown command");
    evs_transaction_clear(other);
    assert_int_equal(tx_loads(fresh), 1); /* discarded with the rest: it is not known */
    TX_ADD_SCRIPT(other, stage.incr, stage.here);
    tx_run(other);
    assert_int_equal(tx_integer(other, 0), 1);
    assert_int_equal(tx_loads(fresh), 2);
    evs_transaction_free(other);
    evs_client_free(fresh);

    shards_do(&stage.set, 0, "FLUSHALL");
    TX_ADD(tx, "INCR", stage.here);
    TX_ADD(tx, "GET", stage.here, "superfluous");
    assert_refused(tx, EVS_E_ARITY, "wrong number of arguments");
    evs_transaction_free(tx);
}

/* A server that is full queues nothing, so the first element is the one. */
static void a_full_server_discards_everything(void **state)
{
    (void)state;
    evs_transaction *tx = tx_new();
    TX_ADD(tx, "SET", stage.here, "1");
    TX_ADD(tx, "GET", stage.here);
    shards_do(&stage.set, 0, "CONFIG SET maxmemory 1");
    evs_error err;
    evs_status status = evs_transaction_exec(tx, &err);
    shards_do(&stage.set, 0, "CONFIG SET maxmemory 0");
    assert_int_equal(status, EVS_E_OOM);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    tx_assert_element(tx, 0, EVS_E_OOM, EVS_NOT_EXECUTED);
    tx_assert_element(tx, 1, EVS_E_CANCELED, EVS_NOT_EXECUTED);
    assert_int_equal(shards_do(&stage.set, 0, "DBSIZE"), 0);
    evs_transaction_free(tx);
}

/* ---- scripts that are not there ---- */

static void a_flushed_script_is_not_executed_and_loaded_next_time(void **state)
{
    (void)state;
    evs_transaction *tx = tx_new();
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    tx_run(tx);
    evs_transaction_clear(tx);
    shards_do(&stage.set, 0, "SCRIPT FLUSH");

    uint64_t before = tx_loads(stage.set.client);
    TX_ADD(tx, "INCR", stage.here);
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    TX_ADD(tx, "INCR", stage.here);
    tx_run(tx);
    assert_int_equal(tx_integer(tx, 0), 2);
    tx_assert_element(tx, 1, EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED);
    assert_int_equal(tx_integer(tx, 2), 3);
    assert_int_equal(tx_loads(stage.set.client), before);

    evs_transaction_clear(tx);
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    tx_run(tx);
    assert_int_equal(tx_integer(tx, 0), 4);
    assert_int_equal(tx_loads(stage.set.client), before + 1);
    evs_transaction_free(tx);
}

/* It may return any error, and NOSCRIPT all the same proves that it did not run: the server is
 * asked.
 */
static void a_flushed_script_that_may_lie_is_settled(void **state)
{
    (void)state;
    const evs_script *liar = shards_script(
        &stage.set, "liar", "redis.call('INCR', KEYS[1]) return redis.pcall('GET', KEYS[1])");
    evs_transaction *tx = tx_new();
    TX_ADD_SCRIPT(tx, liar, stage.here);
    tx_run(tx);
    evs_transaction_clear(tx);
    shards_do(&stage.set, 0, "SCRIPT FLUSH");
    TX_ADD_SCRIPT(tx, liar, stage.here);
    TX_ADD(tx, "GET", stage.here);
    tx_run(tx);
    tx_assert_element(tx, 0, EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED);
    tx_assert_element(tx, 1, EVS_OK, EVS_EXECUTED);
    assert_int_equal(tx_counter(0, stage.here), 1);
    evs_transaction_free(tx);
}

static void what_a_call_has_loaded_is_not_loaded_again(void **state)
{
    (void)state;
    evs_client *fresh = NULL;
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(stage.here);
    evs_invocation call = {.handle = stage.incr, .keys = &key, .nkeys = 1};
    assert_int_equal(evs_client_open(&fresh, stage.set.map, stage.set.registry, NULL, NULL),
                     EVS_OK);
    assert_int_equal(evs_call(&reply, fresh, &call, NULL), EVS_OK);
    evs_reply_free(reply);
    evs_transaction *tx = tx_new_on(fresh);
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    tx_run(tx);
    assert_int_equal(tx_loads(fresh), 1);
    evs_transaction_free(tx);
    evs_client_free(fresh);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, tx_empty_servers)
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
    };
    return cmocka_run_group_tests(tests, tx_set_up, tx_tear_down);
}
