/*
 * Every way to call, in a pool of a real cluster that is read from replicas: batches and scatters
 * go there, one way or the other of driving a client; transactions go to the primary as a whole.
 * Who ran what is counted by the servers.
 */
#include "tests/support/readers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PRIMARIES = 3, REPLICAS = 3, NODES = PRIMARIES + REPLICAS, KEYS = READERS_KEYS };

static evs_client *open_driven(int threaded)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = threaded;
    return readers_open("replica", &options);
}

static void is_its_key(const evs_result *result, const char *key)
{
    if (result->status != EVS_OK)
        fail_msg("%s: %s", key, result->error->message);
    evs_bytes text = evs_reply_bytes(result->reply);
    assert_int_equal(text.len, strlen(key));
    assert_memory_equal(text.data, key, text.len);
}

static void only_replicas_were_read_from(void)
{
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha"), 0);
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha_ro"), 0);
    assert_true(readers_ran(PRIMARIES, NODES, "evalsha_ro") >= KEYS);
    for (size_t i = PRIMARIES; i < NODES; i++)
        assert_true(nodes_ran(&readers.set, i, "evalsha_ro") > 0);
}

/* ---- batches and scatters ---- */

static void run_batch(int threaded, evs_batch_error on_error)
{
    evs_error err;
    evs_batch *batch;
    evs_client *client = open_driven(threaded);
    evs_batch_options options = EVS_BATCH_OPTIONS_INIT;
    options.on_error = on_error;
    nodes_count_anew(&readers.set);
    assert_int_equal(evs_batch_new(&batch, client, &options, &err), EVS_OK);
    for (int i = 0; i < KEYS; i++) {
        evs_bytes key = evs_text(reading_key(i));
        evs_invocation one = {.script = "get", .keys = &key, .nkeys = 1};
        assert_int_equal(evs_batch_add(batch, &one, &err), EVS_OK);
    }
    assert_int_equal(evs_batch_run(batch, &err), EVS_OK);
    for (int i = 0; i < KEYS; i++)
        is_its_key(evs_batch_result(batch, (size_t)i), reading_key(i));
    only_replicas_were_read_from();
    evs_batch_free(batch);
    evs_client_free(client);
}

static void a_batch_of_reads_goes_to_replicas(void **state)
{
    (void)state;
    for (int threaded = 0; threaded < 2; threaded++) {
        run_batch(threaded, EVS_BATCH_GO_ON);
        run_batch(threaded, EVS_BATCH_STOP);
    }
}

static void a_batch_parts_what_writes_from_what_reads(void **state)
{
    (void)state;
    evs_error err;
    evs_batch *batch;
    evs_client *client = open_driven(0);
    nodes_count_anew(&readers.set);
    assert_int_equal(evs_batch_new(&batch, client, NULL, &err), EVS_OK);
    for (int i = 0; i < 2 * KEYS; i++) {
        evs_bytes key = evs_text(reading_key(i / 2));
        evs_invocation read = {.script = "get", .keys = &key, .nkeys = 1};
        evs_invocation write = {
            .script = "set", .keys = &key, .nkeys = 1, .args = &key, .nargs = 1};
        assert_int_equal(evs_batch_add(batch, i % 2 == 0 ? &read : &write, &err), EVS_OK);
    }
    assert_int_equal(evs_batch_run(batch, &err), EVS_OK);
    assert_int_equal(evs_batch_failures(batch), 0);
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha"), KEYS);
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha_ro"), 0);
    assert_int_equal(readers_ran(PRIMARIES, NODES, "evalsha"), 0);
    assert_true(readers_ran(PRIMARIES, NODES, "evalsha_ro") >= KEYS);
    evs_batch_free(batch);
    evs_client_free(client);
}

static void check_fold(void *arg, size_t index, const evs_result *result)
{
    is_its_key(result, reading_key((int)index));
    ++*(int *)arg;
}

static void a_scatter_of_reads_goes_to_replicas(void **state)
{
    (void)state;
    evs_error err;
    static char text[KEYS][32];
    evs_bytes keys[KEYS];
    evs_key_group groups[KEYS];
    evs_invocation call = {.script = "get"};
    for (int i = 0; i < KEYS; i++) {
        snprintf(text[i], sizeof text[i], "%s", reading_key(i));
        keys[i] = evs_text(text[i]);
        groups[i] = (evs_key_group){.keys = &keys[i], .nkeys = 1};
    }
    for (int threaded = 0; threaded < 2; threaded++) {
        int folded = 0;
        evs_client *client = open_driven(threaded);
        nodes_count_anew(&readers.set);
        assert_int_equal(evs_scatter(client, &call, groups, KEYS, check_fold, &folded, &err),
                         EVS_OK);
        assert_int_equal(folded, KEYS);
        only_replicas_were_read_from();
        evs_client_free(client);
    }
}

/* ---- transactions ---- */

/* A script and a command, which both only read. */
static void add_reads(evs_transaction *tx, const char *key)
{
    evs_bytes keys = evs_text(key), words[] = {evs_text("GET"), keys};
    evs_invocation script = {.script = "get", .keys = &keys, .nkeys = 1};
    evs_plain_command command = {.args = words, .nargs = 2};
    assert_int_equal(evs_transaction_add(tx, &script, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add_command(tx, &command, NULL), EVS_OK);
}

static void run_reads(evs_transaction *tx, int watches)
{
    evs_error err;
    for (int i = 0; i < KEYS; i++) {
        evs_bytes key = evs_text(reading_key(i));
        evs_transaction_clear(tx);
        if (watches)
            assert_int_equal(evs_transaction_watch(tx, &key, 1, &err), EVS_OK);
        add_reads(tx, key.data);
        if (evs_transaction_exec(tx, &err) != EVS_OK)
            fail_msg("%s", err.message);
        for (size_t k = 0; k < 2; k++)
            is_its_key(evs_transaction_result(tx, k), key.data);
    }
}

static void only_primaries_ran_transactions(void)
{
    static const char *const none[] = {"multi", "exec", "watch", "evalsha", "evalsha_ro", "get"};
    assert_int_equal(readers_ran(0, PRIMARIES, "exec"), KEYS);
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha"), KEYS);
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(readers_ran(PRIMARIES, NODES, none[i]), 0);
}

/* Even when all of it only reads: what it says is of one moment, and the newest. */
static void transactions_go_to_primaries(void **state)
{
    (void)state;
    static const char *const rules[] = {"prefer_replica", "replica"};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    evs_transaction_options patience = EVS_TRANSACTION_OPTIONS_INIT;
    patience.timeout_ms = 60000;
    for (int i = 0; i < 8; i++) { /* each rule, each driver, with and without WATCH */
        evs_transaction *tx;
        options.threaded = i / 2 % 2;
        evs_client *client = readers_open(rules[i % 2], &options);
        assert_int_equal(evs_transaction_new(&tx, client, &patience, NULL), EVS_OK);
        nodes_count_anew(&readers.set);
        run_reads(tx, i / 4);
        only_primaries_ran_transactions();
        evs_transaction_free(tx);
        evs_client_free(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_of_reads_goes_to_replicas),
        cmocka_unit_test(a_batch_parts_what_writes_from_what_reads),
        cmocka_unit_test(a_scatter_of_reads_goes_to_replicas),
        cmocka_unit_test(transactions_go_to_primaries),
    };
    readers_start(PRIMARIES, REPLICAS, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    readers_stop();
    return failed;
}
