/*
 * Transactions that watch keys, on real servers: what aborts them, what may be read meanwhile, how
 * many may watch, and connections that are lost.
 */
#include "tests/support/transactions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- watching ---- */

static void a_watched_key_that_stays_as_it_was(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("GET"), evs_text(stage.here)};
    evs_plain_command get = {.args = words, .nargs = 2};
    evs_invocation call = {.handle = stage.value, .keys = &words[1], .nkeys = 1};
    evs_transaction *tx = tx_new();
    assert_int_equal(evs_transaction_read(&reply, tx, &get, &err), EVS_E_STATE);
    shards_do(&stage.set, 0, "SCRIPT FLUSH");
    for (int i = 0; i < 3; i++) {
        tx_watch(tx, stage.here);
        assert_int_equal(evs_transaction_read(&reply, tx, &get, &err), EVS_OK);
        assert_int_equal(evs_reply_kind(reply), i == 0 ? EVS_REPLY_NIL : EVS_REPLY_STRING);
        evs_reply_free(reply);
        assert_int_equal(evs_transaction_call(&reply, tx, &call, &err), EVS_OK);
        evs_reply_free(reply);
        TX_ADD_SCRIPT(tx, stage.incr, stage.here);
        tx_run(tx);
        assert_int_equal(tx_integer(tx, 0), i + 1);
        evs_transaction_clear(tx);
    }
    evs_transaction_free(tx);
}

static void a_watched_key_that_somebody_changed_aborts(void **state)
{
    (void)state;
    evs_error err;
    char command[64];
    evs_transaction *tx = tx_new();
    tx_watch(tx, stage.here);
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    snprintf(command, sizeof command, "SET %s 7", stage.here);
    shards_do(&stage.set, 0, command);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_ABORTED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    tx_assert_element(tx, 0, EVS_E_ABORTED, EVS_NOT_EXECUTED);
    assert_int_equal(tx_counter(0, stage.here), 7);

    evs_transaction_clear(tx);
    tx_watch(tx, stage.here);
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    tx_run(tx);
    assert_int_equal(tx_integer(tx, 0), 8);
    evs_transaction_free(tx);
}

/* The load inside is aborted with the rest. */
static void a_script_is_not_known_after_an_abort(void **state)
{
    (void)state;
    evs_error err;
    char command[64];
    evs_client *fresh = NULL;
    shards_do(&stage.set, 0, "SCRIPT FLUSH");
    assert_int_equal(evs_client_open(&fresh, stage.set.map, stage.set.registry, NULL, NULL),
                     EVS_OK);
    evs_transaction *tx = tx_new_on(fresh);
    tx_watch(tx, stage.here);
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    snprintf(command, sizeof command, "SET %s 7", stage.here);
    shards_do(&stage.set, 0, command);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_ABORTED);
    assert_int_equal(tx_loads(fresh), 1);

    evs_transaction_clear(tx);
    tx_watch(tx, stage.here); /* on the same connection */
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    tx_run(tx);
    assert_int_equal(tx_integer(tx, 0), 8);
    assert_int_equal(tx_loads(fresh), 2);
    evs_transaction_free(tx);
    evs_client_free(fresh);
}

/* The next one has the same connection, on which nothing is watched any more. */
static void what_is_given_back_watches_nothing(void **state)
{
    (void)state;
    evs_client_stats before, after;
    char command[64], other[48];
    evs_transaction *tx = tx_new();
    tx_watch(tx, stage.here);
    evs_client_stats_get(&before, stage.set.client);
    evs_transaction_clear(tx);
    snprintf(other, sizeof other, "%s-other", stage.here);
    tx_watch(tx, other); /* behind the UNWATCH */
    snprintf(command, sizeof command, "SET %s 7", stage.here);
    shards_do(&stage.set, 0, command);
    TX_ADD(tx, "INCR", stage.here);
    tx_run(tx);
    assert_int_equal(tx_integer(tx, 0), 8);
    evs_client_stats_get(&after, stage.set.client);
    assert_int_equal(after.connects, before.connects);
    evs_transaction_free(tx);
}

static void reads_that_write_or_are_elsewhere_are_refused(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(stage.here), far = evs_text(stage.there);
    evs_bytes words[] = {evs_text("INCR"), key};
    evs_bytes away[] = {evs_text("GET"), far};
    evs_plain_command writes = {.args = words, .nargs = 2}, gets = {.args = away, .nargs = 2};
    evs_invocation once = {.handle = stage.incr, .keys = &key, .nkeys = 1};
    evs_transaction *tx = tx_new();
    tx_watch(tx, stage.here);
    assert_int_equal(evs_transaction_read(&reply, tx, &writes, &err), EVS_E_INVALID);
    assert_int_equal(evs_transaction_read(&reply, tx, &gets, &err), EVS_E_CROSS_SHARD);
    assert_int_equal(evs_transaction_call(&reply, tx, &once, &err), EVS_E_INVALID);
    TX_ADD(tx, "GET", stage.there);
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
    evs_bytes key = evs_text(stage.here);
    options.max_watching = 2;
    assert_int_equal(evs_client_open(&client, stage.set.map, stage.set.registry, &options, NULL),
                     EVS_OK);
    for (int i = 0; i < 3; i++)
        tx[i] = tx_new_on(client);
    tx_watch(tx[0], stage.here);
    tx_watch(tx[1], stage.here);
    assert_int_equal(evs_transaction_watch(tx[2], &key, 1, &err), EVS_E_QUEUE_FULL);
    evs_transaction_clear(tx[0]);
    evs_transaction_clear(tx[2]);
    tx_watch(tx[2], stage.here);
    TX_ADD(tx[2], "INCR", stage.here);
    tx_run(tx[2]);
    TX_ADD(tx[1], "INCR", stage.here);
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
    evs_transaction *tx = tx_new();
    tx_watch(tx, stage.here);
    shards_do(&stage.set, 0, "CLIENT KILL TYPE normal SKIPME yes");
    TX_ADD(tx, "INCR", stage.here);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_CLOSED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    evs_transaction_clear(tx);
    tx_watch(tx, stage.here); /* the next connection works */
    TX_ADD(tx, "INCR", stage.here);
    tx_run(tx);
    assert_int_equal(tx_integer(tx, 0), 1);
    evs_transaction_free(tx);
}

static void free_it(void *arg, const evs_result *result)
{
    evs_transaction **tx = arg;
    assert_int_equal(result->status, EVS_E_CANCELED);
    evs_transaction_free(*tx);
    *tx = NULL;
}

/* The connection that watches was closed before that of the call. */
static void one_that_watches_may_be_freed_while_the_client_closes(void **state)
{
    (void)state;
    evs_client *client = NULL;
    evs_bytes key = evs_text(stage.here);
    evs_invocation call = {.handle = stage.incr, .keys = &key, .nkeys = 1};
    for (int closes = 0; closes < 2; closes++) {
        assert_int_equal(evs_client_open(&client, stage.set.map, stage.set.registry, NULL, NULL),
                         EVS_OK);
        evs_transaction *tx = tx_new_on(client);
        tx_watch(tx, stage.here);
        assert_int_equal(evs_submit(client, &call, free_it, &tx, NULL), EVS_OK);
        if (closes)
            assert_int_equal(evs_client_close(client, EVS_CLOSE_ABORT, 0, NULL), EVS_OK);
        evs_client_free(client);
        assert_null(tx);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, tx_empty_servers)
    const struct CMUnitTest tests[] = {
        TEST(a_watched_key_that_stays_as_it_was),
        TEST(a_watched_key_that_somebody_changed_aborts),
        TEST(a_script_is_not_known_after_an_abort),
        TEST(what_is_given_back_watches_nothing),
        TEST(reads_that_write_or_are_elsewhere_are_refused),
        TEST(as_many_may_watch_as_are_allowed),
        TEST(a_watching_connection_that_is_lost_runs_nothing),
        TEST(one_that_watches_may_be_freed_while_the_client_closes),
    };
    return cmocka_run_group_tests(tests, tx_set_up, tx_tear_down);
}
