/*
 * Transactions without waiting, on real servers: completions, strict order, closing, many threads,
 * memory that runs out.
 */
#include "core/mem.h"
#include "tests/support/transactions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>

enum { THREADS = 16, EACH = 40 };

/* ---- without waiting ---- */

typedef struct rounds {
    int done;
    int64_t last;
} rounds;

static void again(void *arg, evs_transaction *tx)
{
    rounds *self = arg;
    self->last = tx_integer(tx, 0);
    if (++self->done == 3) {
        evs_transaction_free(tx);
        return;
    }
    evs_transaction_clear(tx);
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    assert_int_equal(evs_transaction_submit(tx, again, arg, NULL), EVS_OK);
}

static void a_completion_may_submit_again_and_free(void **state)
{
    (void)state;
    rounds self = {0, 0};
    evs_transaction *tx = tx_new();
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
    assert_int_equal(evs_transaction_submit(tx, again, &self, NULL), EVS_OK);
    assert_int_equal(evs_client_pending(stage.set.client), 1);
    while (evs_client_pending(stage.set.client) > 0)
        assert_int_equal(evs_client_process(stage.set.client, -1, NULL), EVS_OK);
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
    assert_int_equal(evs_client_open(&client, stage.set.map, stage.set.registry, &options, NULL),
                     EVS_OK);
    evs_bytes key = evs_text(stage.here);
    evs_invocation call = {.handle = stage.incr, .keys = &key, .nkeys = 1};
    int64_t first = 0, last = 0;
    rounds self = {2, 0};
    evs_transaction *tx = tx_new_on(client);
    TX_ADD_SCRIPT(tx, stage.incr, stage.here);
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
    assert_int_equal(evs_client_open(&client, stage.set.map, stage.set.registry, NULL, NULL),
                     EVS_OK);
    evs_transaction *tx = tx_new_on(client), *watching = tx_new_on(client);
    tx_watch(watching, stage.here);
    TX_ADD(tx, "INCR", stage.here);
    assert_int_equal(evs_transaction_submit(tx, note_end, &ended, NULL), EVS_OK);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_ABORT, 0, NULL), EVS_OK);
    assert_int_equal(ended, EVS_E_CANCELED);
    tx_assert_element(tx, 0, EVS_E_CANCELED, EVS_NOT_EXECUTED);
    assert_int_equal(tx_counter(0, stage.here), 0);
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
    evs_invocation call = {
        .handle = stage.incr, .keys = &key, .nkeys = 1, .timeout_ms = TX_TIMEOUT_MS};
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
    evs_bytes key = evs_text(stage.here);
    evs_bytes get[] = {evs_text("GET"), key};
    evs_plain_command read = {.args = get, .nargs = 2, .timeout_ms = TX_TIMEOUT_MS};
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
    options.timeout_ms = TX_TIMEOUT_MS;
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
    assert_int_equal(evs_client_open(&client, stage.set.map, stage.set.registry, &options, NULL),
                     EVS_OK);
    for (int i = 0; i < THREADS; i++) {
        crowd[i] = (worker){.client = client};
        snprintf(crowd[i].key, sizeof crowd[i].key, "%s%d", stage.here, i);
        assert_int_equal(pthread_create(&crowd[i].id, NULL, work, &crowd[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(crowd[i].id, NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(crowd[i].ok, EACH);
        assert_int_equal(tx_counter(0, crowd[i].key), 3 * EACH);
    }
    assert_int_equal(tx_counter(0, stage.here), THREADS * EACH / 8);
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
    evs_bytes key = evs_text(stage.here);
    evs_bytes words[] = {evs_text("GET"), key};
    evs_plain_command get = {.args = words, .nargs = 2};
    evs_invocation call = {.handle = stage.incr, .keys = &key, .nkeys = 1};
    int counted = 0;
    *status = evs_client_open(&client, stage.set.map, stage.set.registry, NULL, &err);
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
        shards_do(&stage.set, 0, "FLUSHALL");
        evs__mem_fail_at(n);
        int counted = run_once(&status);
        evs__mem_fail_at(0);
        if (counted >= 0)
            assert_int_equal(tx_counter(0, stage.here), counted);
        assert_true(n < 2000);
    }
    assert_true(n > 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, tx_empty_servers)
    const struct CMUnitTest tests[] = {
        TEST(a_completion_may_submit_again_and_free),
        TEST(strict_order_holds_for_transactions_too),
        TEST(closing_ends_what_is_under_way),
        TEST(many_threads_share_a_client),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, tx_set_up, tx_tear_down);
}
