/*
 * Everything that 64 threads may do to one client, all at once, until one of them closes it:
 * calls, calls that nobody waits for, batches, transactions that watch, canceling, numbers, other
 * maps. Every completion runs once, and what calls say of themselves agrees with the servers. Made
 * for ThreadSanitizer.
 */
#include "tests/support/shards.h"

#include <evalshard/batch.h>
#include <evalshard/stats.h>
#include <evalshard/transaction.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 64, KEYS = 6, STEPS = 3200, TIMEOUT_MS = 60000 };

static shards set;
static const evs_script *incr;
static evs_shardmap *maps[2];

/* The same servers, and keys where they were; but with connections of its own. */
static evs_shardmap *make_other_map(void)
{
    char yaml[4096];
    evs_shardmap *map = NULL;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\n"
                       "defaults: {connect_timeout: 20s, command_timeout: 20s, client_name: b}\n"
                       "pools:\n  main:\n    shards:\n");
    for (size_t i = 0; i < set.count; i++)
        len += snprintf(yaml + len, sizeof yaml - (size_t)len, "      s%zu: \"%s\"\n", i,
                        scratch_address(set.servers[i]));
    evs_bytes text = {yaml, (size_t)len};
    assert_int_equal(evs_shardmap_parse(&map, text, "other.yaml", NULL, NULL), EVS_OK);
    return map;
}

static int set_up(void **state)
{
    (void)state;
    shards_start(&set, 3, NULL);
    incr = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    maps[0] = evs_shardmap_ref(set.map);
    maps[1] = make_other_map();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    evs_shardmap_free(maps[0]);
    evs_shardmap_free(maps[1]);
    shards_stop(&set);
    return 0;
}

/* ---- what came of it ---- */

/* Increments by what their callers were told, and completions. */
static struct {
    atomic_long ran, maybe;
    atomic_long submitted, completed;
    atomic_long steps;
} told;

static void note(evs_status status, evs_outcome outcome)
{
    if (status == EVS_OK || outcome == EVS_EXECUTED)
        told.ran++;
    else if (outcome == EVS_MAYBE_EXECUTED)
        told.maybe++;
}

static void completed(void *arg, const evs_result *result)
{
    (void)arg;
    note(result->status, result->outcome);
    told.completed++;
}

static long long sum_of_counters(void)
{
    long long sum = 0;
    for (int i = 0; i < KEYS; i++) {
        char key[32], command[64];
        evs_route route;
        snprintf(key, sizeof key, "{c:%d}", i);
        assert_int_equal(evs_shardmap_route(&route, set.map, evs_text(key), NULL), EVS_OK);
        snprintf(command, sizeof command, "INCRBY %s 0", key);
        sum += shards_do(&set, route.shard, command);
    }
    return sum;
}

/* ---- what is done ---- */

/* cmocka's asserts belong to the main thread; others only count. */
typedef struct worker {
    pthread_t id;
    evs_client *client;
    unsigned random;
    char text[32];
    evs_bytes key;
    evs_invocation call;
    int closed; /* so it was told */
} worker;

typedef void step(worker *self);

static unsigned pick(worker *self, unsigned count)
{
    self->random = self->random * 1664525u + 1013904223u;
    return (self->random >> 16) % count;
}

static void call_and_wait(worker *self)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_status status = evs_call(&reply, self->client, &self->call, &err);
    note(status, err.outcome);
    evs_reply_free(reply);
    self->closed = status == EVS_E_STATE;
}

static int submit(worker *self, evs_ticket *ticket)
{
    evs_invocation call = self->call;
    call.ticket = ticket;
    told.submitted++;
    if (evs_submit(self->client, &call, completed, NULL, NULL) == EVS_OK)
        return 1;
    told.submitted--;
    return 0;
}

static void submit_some(worker *self)
{
    for (int i = 0; i < 4; i++)
        submit(self, NULL);
}

static void cancel_one(worker *self)
{
    evs_ticket ticket;
    if (submit(self, &ticket))
        evs_cancel(self->client, ticket, NULL);
}

static void take_completions(worker *self)
{
    evs_client_process(self->client, (int)pick(self, 2), NULL);
}

static void run_batch(worker *self)
{
    evs_batch *batch;
    evs_batch_options options = EVS_BATCH_OPTIONS_INIT;
    options.on_error = pick(self, 2) ? EVS_BATCH_STOP : EVS_BATCH_GO_ON;
    if (evs_batch_new(&batch, self->client, &options, NULL) != EVS_OK)
        return;
    for (int i = 0; i < 3; i++)
        evs_batch_add(batch, &self->call, NULL);
    if (evs_batch_run(batch, NULL) == EVS_OK)
        for (size_t i = 0; i < evs_batch_count(batch); i++)
            note(evs_batch_result(batch, i)->status, evs_batch_result(batch, i)->outcome);
    evs_batch_free(batch);
}

/* EXEC that ran says nothing of the one element. */
static void note_transaction(const evs_transaction *tx, evs_status status, evs_outcome outcome)
{
    const evs_result *element = evs_transaction_result(tx, 0);
    if (status == EVS_OK)
        note(element->status, element->outcome);
    else
        note(status, outcome);
}

static void run_transaction(worker *self)
{
    evs_error err = {0};
    evs_transaction *tx;
    evs_reply *reply = NULL;
    evs_bytes words[] = {evs_text("GET"), self->key};
    evs_plain_command get = {.args = words, .nargs = 2, .timeout_ms = TIMEOUT_MS};
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = TIMEOUT_MS;
    if (evs_transaction_new(&tx, self->client, &options, NULL) != EVS_OK)
        return;
    if (evs_transaction_watch(tx, &self->key, 1, NULL) == EVS_OK &&
        evs_transaction_read(&reply, tx, &get, NULL) == EVS_OK &&
        evs_transaction_add(tx, &self->call, NULL) == EVS_OK) {
        evs_status status = evs_transaction_exec(tx, &err);
        note_transaction(tx, status, err.outcome);
    }
    evs_reply_free(reply);
    evs_transaction_free(tx);
}

static void done(void *arg, evs_transaction *tx)
{
    const evs_result *whole = evs_transaction_outcome(tx);
    (void)arg;
    note_transaction(tx, whole->status, whole->outcome);
    told.completed++;
    evs_transaction_free(tx);
}

static void submit_transaction(worker *self)
{
    evs_transaction *tx;
    if (evs_transaction_new(&tx, self->client, NULL, NULL) != EVS_OK)
        return;
    told.submitted++;
    if (evs_transaction_add(tx, &self->call, NULL) == EVS_OK &&
        evs_transaction_submit(tx, done, NULL, NULL) == EVS_OK)
        return;
    told.submitted--;
    evs_transaction_free(tx);
}

static void ask_for_numbers(worker *self)
{
    evs_stats *stats;
    evs_client_stats sum;
    evs_client_stats_get(&sum, self->client);
    if (evs_stats_snapshot(&stats, self->client, NULL) == EVS_OK)
        evs_stats_free(stats);
    evs_shardmap_free(evs_client_map(self->client));
    evs_client_pending(self->client);
    evs_client_refusal(self->client, NULL);
}

static void reload(worker *self)
{
    evs_client_reload(self->client, maps[pick(self, 2)], NULL);
}

static step *const steps[] = {
    call_and_wait,    submit_some,     run_batch,          run_transaction,
    take_completions, ask_for_numbers, submit_transaction, cancel_one,
    call_and_wait,    submit_some,     take_completions,   reload,
};

/* Until the client is closed. */
static void *work(void *arg)
{
    worker *self = arg;
    while (!self->closed) {
        snprintf(self->text, sizeof self->text, "{c:%u}", pick(self, KEYS));
        self->key = evs_text(self->text);
        self->call = (evs_invocation){
            .handle = incr, .keys = &self->key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
        steps[pick(self, sizeof steps / sizeof steps[0])](self);
        told.steps++;
    }
    return NULL;
}

/* ---- the test ---- */

static evs_client *open_client(evs_completions completions, evs_on_full on_full)
{
    evs_client *client = NULL;
    evs_error err;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    options.completions = completions;
    options.on_full = on_full;
    options.max_in_flight = 16;
    options.max_watching = 4;
    if (evs_client_open(&client, maps[0], set.registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

static void play(evs_completions completions, evs_on_full on_full, evs_close how)
{
    worker crowd[THREADS];
    long long before = sum_of_counters();
    memset(&told, 0, sizeof told);
    evs_client *client = open_client(completions, on_full);
    for (unsigned i = 0; i < THREADS; i++) {
        crowd[i] = (worker){.client = client, .random = i + 1};
        assert_int_equal(pthread_create(&crowd[i].id, NULL, work, &crowd[i]), 0);
    }
    while (told.steps < STEPS)
        sched_yield();
    assert_int_equal(evs_client_close(client, how, -1, NULL), EVS_OK);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(crowd[i].id, NULL);
    evs_client_free(client);
    assert_int_equal(told.completed, told.submitted);
    assert_in_range(sum_of_counters() - before, told.ran, told.ran + told.maybe);
    if (how == EVS_CLOSE_DRAIN && on_full != EVS_FULL_BLOCK)
        assert_true(told.ran > 0);
}

static void on_the_thread_of_the_client(void **state)
{
    (void)state;
    play(EVS_COMPLETIONS_AT_ONCE, EVS_FULL_FAIL, EVS_CLOSE_DRAIN);
    play(EVS_COMPLETIONS_AT_ONCE, EVS_FULL_BLOCK, EVS_CLOSE_ABORT);
}

static void with_a_queue_that_all_take_from(void **state)
{
    (void)state;
    play(EVS_COMPLETIONS_QUEUED, EVS_FULL_FAIL, EVS_CLOSE_ABORT);
    play(EVS_COMPLETIONS_QUEUED, EVS_FULL_BLOCK, EVS_CLOSE_DRAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_the_thread_of_the_client),
        cmocka_unit_test(with_a_queue_that_all_take_from),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
