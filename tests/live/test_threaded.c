/*
 * A client with a thread of its own, called by many threads: every call completes exactly once,
 * counters on the servers agree, closing races calls, completions run where they should.
 */
#include "tests/support/shards.h"

#include <evalshard/batch.h>
#include <evalshard/transaction.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64, EACH = 100, TIMEOUT_MS = 60000 };

static shards set;
static const evs_script *incr, *nothing;

static int set_up(void **state)
{
    (void)state;
    shards_start(&set, 3, NULL);
    incr = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    nothing = shards_script(&set, "nothing", "return 1");
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

static evs_client *open_client(const evs_client_options *given)
{
    evs_client *client = NULL;
    evs_error err;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    if (given != NULL)
        options = *given;
    options.threaded = 1;
    if (evs_client_open(&client, set.map, set.registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

/* What one thread of a crowd works with. cmocka's asserts belong to the main thread, so others only
 * count. */
typedef struct worker {
    pthread_t id;
    evs_client *client;
    size_t number;
    size_t ok, refused, other;
} worker;

static evs_invocation call_on(const evs_script *script, const evs_bytes *key)
{
    evs_invocation call = {.handle = script, .keys = key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    return call;
}

static void run_crowd(worker *crowd, size_t count, evs_client *client, void *(*work)(void *))
{
    for (size_t i = 0; i < count; i++) {
        crowd[i] = (worker){.client = client, .number = i};
        assert_int_equal(pthread_create(&crowd[i].id, NULL, work, &crowd[i]), 0);
    }
}

static void join_crowd(worker *crowd, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_join(crowd[i].id, NULL);
}

/* The sum of all counters on all servers. */
static long long sum_of_counters(void)
{
    long long sum = 0;
    char command[64];
    for (size_t i = 0; i < THREADS; i++) {
        char key[32];
        evs_route route;
        snprintf(key, sizeof key, "{c:%zu}", i);
        assert_int_equal(evs_shardmap_route(&route, set.map, evs_text(key), NULL), EVS_OK);
        snprintf(command, sizeof command, "INCRBY %s 0", key);
        sum += shards_do(&set, route.shard, command);
    }
    return sum;
}

static void *call_often(void *arg)
{
    worker *self = arg;
    char text[32];
    snprintf(text, sizeof text, "{c:%zu}", self->number);
    evs_bytes key = evs_text(text);
    evs_invocation call = call_on(incr, &key);
    for (int i = 1; i <= EACH; i++) {
        evs_reply *reply = NULL;
        evs_status status = evs_call(&reply, self->client, &call, NULL);
        self->ok += status == EVS_OK && evs_reply_integer(reply) == i;
        evs_reply_free(reply);
    }
    return NULL;
}

static void many_threads_call_and_wait(void **state)
{
    (void)state;
    worker crowd[THREADS];
    evs_client *client = open_client(NULL);
    evs_client_stats stats;
    run_crowd(crowd, THREADS, client, call_often);
    join_crowd(crowd, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(crowd[i].ok, EACH);
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.calls, THREADS * EACH);
    assert_int_equal(stats.loads, 3);
    assert_true(stats.connects == 3);
    assert_true(stats.writes < stats.calls); /* they pipeline; how much is the scheduler's to say */
    evs_stats *snapshot;
    uint64_t calls = 0;
    assert_int_equal(evs_stats_snapshot(&snapshot, client, NULL), EVS_OK);
    for (size_t i = 0; i < evs_stats_count(snapshot); i++)
        calls += evs_stats_at(snapshot, i)->calls;
    assert_int_equal(calls, THREADS * EACH);
    evs_stats_free(snapshot);
    evs_client_free(client);
    assert_int_equal(sum_of_counters(), THREADS * EACH);
}

typedef struct tally {
    atomic_size_t done, ok, canceled, full;
    pthread_t here;
    atomic_size_t elsewhere; /* completions that ran on another thread */
    evs_client *client;
    atomic_size_t waited; /* statuses of a call that would wait, in a completion */
    sem_t *all_done;
    size_t expected;
} tally;

static void count(void *arg, const evs_result *result)
{
    tally *t = arg;
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = call_on(incr, &key);
    t->ok += result->status == EVS_OK;
    t->canceled += result->status == EVS_E_CANCELED;
    t->full += result->status == EVS_E_QUEUE_FULL;
    t->elsewhere += !pthread_equal(pthread_self(), t->here);
    if (t->client != NULL)
        t->waited += evs_call(NULL, t->client, &call, NULL) == EVS_E_STATE;
    if (++t->done == t->expected && t->all_done != NULL)
        sem_post(t->all_done);
}

static tally totals;

static void *submit_often(void *arg)
{
    worker *self = arg;
    char text[32];
    snprintf(text, sizeof text, "{c:%zu}", self->number);
    for (int i = 0; i < EACH; i++) {
        evs_bytes key = evs_text(text);
        evs_invocation call = call_on(incr, &key);
        evs_status status = evs_submit(self->client, &call, count, &totals, NULL);
        self->ok += status == EVS_OK;
        self->refused += status != EVS_OK;
    }
    memset(text, 'x', sizeof text); /* it was copied */
    return NULL;
}

static void begin_tally(size_t expected, evs_client *client, sem_t *all_done)
{
    memset(&totals, 0, sizeof totals);
    totals.here = pthread_self();
    totals.expected = expected;
    totals.client = client;
    totals.all_done = all_done;
}

static void completions_run_on_the_thread_of_the_client(void **state)
{
    (void)state;
    worker crowd[THREADS];
    sem_t all_done;
    sem_init(&all_done, 0, 0);
    evs_client *client = open_client(NULL);
    begin_tally(THREADS * EACH, client, &all_done);
    run_crowd(crowd, THREADS, client, submit_often);
    join_crowd(crowd, THREADS);
    while (sem_wait(&all_done) != 0)
        ;
    while (evs_client_pending(client) > 0) /* the last completion is about to return */
        sched_yield();
    evs_client_free(client);
    assert_int_equal(totals.ok, THREADS * EACH);
    assert_int_equal(totals.elsewhere, THREADS * EACH);
    assert_int_equal(totals.waited, THREADS * EACH);
    assert_int_equal(sum_of_counters(), THREADS * EACH);
    sem_destroy(&all_done);
}

/* Holds the thread of the client up, in a completion. */
typedef struct slow {
    sem_t begun, go;
} slow;

static void take_long(void *arg, const evs_result *result)
{
    slow *self = arg;
    (void)result;
    sem_post(&self->begun);
    while (sem_wait(&self->go) != 0)
        ;
}

/* Who sees that nothing is pending may free what completions use. */
static void a_call_is_pending_until_its_completion_has_returned(void **state)
{
    (void)state;
    slow self;
    sem_init(&self.begun, 0, 0);
    sem_init(&self.go, 0, 0);
    evs_client *client = open_client(NULL);
    evs_bytes key = evs_text("slow");
    evs_invocation call = call_on(incr, &key);
    assert_int_equal(evs_submit(client, &call, take_long, &self, NULL), EVS_OK);
    while (sem_wait(&self.begun) != 0)
        ;
    assert_int_equal(evs_client_pending(client), 1);
    sem_post(&self.go);
    while (evs_client_pending(client) > 0)
        sched_yield();
    sem_destroy(&self.begun);
    sem_destroy(&self.go);
    evs_client_free(client);
}

/* Submits a call whose server is held up. */
typedef struct chain {
    evs_client *client;
    evs_bytes key;
    sem_t submitted;
} chain;

static void submit_the_next(void *arg, const evs_result *result)
{
    chain *self = arg;
    evs_invocation call = call_on(incr, &self->key);
    (void)result;
    totals.full += evs_submit(self->client, &call, count, &totals, NULL) != EVS_OK;
    sem_post(&self->submitted);
}

static void so_are_the_calls_that_completions_submit(void **state)
{
    (void)state;
    char held_up[32], other[32];
    evs_client_stats stats;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 1;
    chain self = {.client = open_client(&options)};
    evs_bytes key = evs_text(shards_key(&set, 1, other));
    evs_invocation call = call_on(incr, &key);
    self.key = evs_text(shards_key(&set, 0, held_up));
    sem_init(&self.submitted, 0, 0);
    begin_tally(1, NULL, NULL);
    shards_do(&set, 0, "CLIENT PAUSE 60000 WRITE");
    assert_int_equal(evs_submit(self.client, &call, submit_the_next, &self, NULL), EVS_OK);
    while (sem_wait(&self.submitted) != 0)
        ;
    evs_client_stats_get(&stats, self.client); /* when the completion has returned */
    assert_int_equal(evs_client_pending(self.client), 1);
    shards_do(&set, 0, "CLIENT UNPAUSE");
    while (evs_client_pending(self.client) > 0)
        sched_yield();
    assert_int_equal(totals.ok, 1);
    assert_int_equal(totals.full, 0);
    evs_client_free(self.client);
    sem_destroy(&self.submitted);
}

static void completions_can_be_queued_for_the_caller(void **state)
{
    (void)state;
    worker crowd[8];
    int fd;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.completions = EVS_COMPLETIONS_QUEUED;
    evs_client *client = open_client(&options);
    begin_tally(8 * EACH, NULL, NULL);
    assert_int_equal(evs_client_fd(&fd, client, NULL), EVS_OK);
    run_crowd(crowd, 8, client, submit_often);
    while (totals.done < 8 * EACH) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, TIMEOUT_MS), 1);
        assert_int_equal(evs_client_process(client, 0, NULL), EVS_OK);
    }
    join_crowd(crowd, 8);
    assert_int_equal(totals.ok, 8 * EACH);
    assert_int_equal(totals.elsewhere, 0);
    assert_int_equal(evs_client_pending(client), 0);

    /* What nobody took is completed by freeing. */
    begin_tally(EACH, NULL, NULL);
    run_crowd(crowd, 1, client, submit_often);
    join_crowd(crowd, 1);
    evs_client_free(client);
    assert_int_equal(totals.done, EACH);
    assert_int_equal(totals.elsewhere, 0);
}

static void *take_until_none_is_pending(void *arg)
{
    worker *self = arg;
    while (evs_client_pending(self->client) > 0)
        self->ok += evs_client_process(self->client, -1, NULL) == EVS_OK;
    return NULL;
}

/* Whoever takes the last one tells the others that nothing will come any more. */
static void many_may_wait_for_completions(void **state)
{
    (void)state;
    worker crowd[4];
    char key_text[32];
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.completions = EVS_COMPLETIONS_QUEUED;
    evs_client *client = open_client(&options);
    evs_bytes key = evs_text(shards_key(&set, 0, key_text));
    evs_invocation call = call_on(incr, &key);
    begin_tally(1, NULL, NULL);
    shards_do(&set, 0, "CLIENT PAUSE 60000 WRITE");
    assert_int_equal(evs_submit(client, &call, count, &totals, NULL), EVS_OK);
    run_crowd(crowd, 4, client, take_until_none_is_pending);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    shards_do(&set, 0, "CLIENT UNPAUSE");
    join_crowd(crowd, 4);
    assert_int_equal(totals.ok, 1);
    evs_client_free(client);
}

static void free_and_ask(void *arg, const evs_result *result)
{
    tally *t = arg;
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = call_on(incr, &key);
    if (t->done++ == 0)
        evs_client_free(t->client);
    t->ok += result->status == EVS_OK;
    t->waited += evs_submit(t->client, &call, count, t, NULL) == EVS_E_STATE;
}

/* It is there until the last of those that were taken together has returned. */
static void a_queued_completion_may_free_the_client(void **state)
{
    (void)state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.completions = EVS_COMPLETIONS_QUEUED;
    evs_client *client = open_client(&options);
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = call_on(incr, &key);
    evs_client_stats stats = {0};
    begin_tally(0, client, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(evs_submit(client, &call, free_and_ask, &totals, NULL), EVS_OK);
    while (stats.calls < 3)
        evs_client_stats_get(&stats, client);
    assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
    assert_int_equal(totals.done, 3);
    assert_int_equal(totals.ok, 3);
    assert_int_equal(totals.waited, 3);
}

static void submit_behind(void *arg, evs_transaction *tx)
{
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = call_on(incr, &key);
    evs_client *client = arg;
    totals.full += evs_submit(client, &call, count, &totals, NULL) != EVS_OK;
    evs_transaction_free(tx);
}

static void note_batch(void *arg, evs_batch *batch)
{
    size_t *ok = arg;
    *ok = evs_batch_count(batch) - evs_batch_failures(batch);
}

/* They end on the thread of the client; what is submitted there is queued like any other call. */
static void transactions_and_batches_are_pending_until_they_are_done(void **state)
{
    (void)state;
    size_t ok = 0;
    evs_batch *batch;
    evs_transaction *tx;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.completions = EVS_COMPLETIONS_QUEUED;
    evs_client *client = open_client(&options);
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = call_on(incr, &key);
    begin_tally(1, NULL, NULL);
    assert_int_equal(evs_transaction_new(&tx, client, NULL, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &call, NULL), EVS_OK);
    assert_int_equal(evs_transaction_submit(tx, submit_behind, client, NULL), EVS_OK);
    while (evs_client_pending(client) > 0)
        assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
    assert_int_equal(totals.full, 0);
    assert_int_equal(totals.ok, 1);
    assert_int_equal(totals.elsewhere, 0);

    assert_int_equal(evs_batch_new(&batch, client, NULL, NULL), EVS_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(evs_batch_add(batch, &call, NULL), EVS_OK);
    assert_int_equal(evs_batch_submit(batch, note_batch, &ok, NULL), EVS_OK);
    while (evs_client_pending(client) > 0)
        assert_int_equal(evs_client_process(client, -1, NULL), EVS_OK);
    assert_int_equal(ok, 3);
    evs_batch_free(batch);
    evs_client_free(client);
}

/* Without a queue there is nothing to process and no descriptor to watch. */
static void a_client_that_drives_itself_need_not_be_driven(void **state)
{
    (void)state;
    int fd;
    evs_client *client = open_client(NULL);
    assert_int_equal(evs_client_process(client, 0, NULL), EVS_E_STATE);
    assert_int_equal(evs_client_fd(&fd, client, NULL), EVS_E_STATE);
    evs_client_free(client);
}

static void *call_until_closed(void *arg)
{
    worker *self = arg;
    char text[32];
    snprintf(text, sizeof text, "{c:%zu}", self->number);
    evs_bytes key = evs_text(text);
    evs_invocation call = call_on(incr, &key);
    for (;;) {
        evs_reply *reply = NULL;
        evs_status status = evs_call(&reply, self->client, &call, NULL);
        evs_reply_free(reply);
        self->ok += status == EVS_OK;
        self->other += status != EVS_OK && status != EVS_E_STATE;
        if (status == EVS_E_STATE)
            return NULL;
    }
}

static void closing_races_calls_and_loses_none(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        worker crowd[16];
        long long ok = 0, before = sum_of_counters();
        evs_client *client = open_client(NULL);
        evs_client_stats stats = {0};
        run_crowd(crowd, 16, client, call_until_closed);
        while (stats.calls < 200)
            evs_client_stats_get(&stats, client);
        assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
        join_crowd(crowd, 16);
        for (size_t i = 0; i < 16; i++) {
            ok += (long long)crowd[i].ok;
            assert_int_equal(crowd[i].other, 0);
        }
        assert_int_equal(evs_client_close(client, EVS_CLOSE_ABORT, 0, NULL), EVS_E_STATE);
        evs_client_free(client);
        assert_int_equal(sum_of_counters() - before, ok);
    }
}

typedef struct closer {
    pthread_t id;
    evs_client *client;
    sem_t *begun;
    evs_status status;
} closer;

static void *close_it(void *arg)
{
    closer *self = arg;
    sem_post(self->begun);
    self->status = evs_client_close(self->client, EVS_CLOSE_DRAIN, -1, NULL);
    return NULL;
}

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        ;
}

/* Each looks whether the client is closed before the thread of the client gets to either. */
static void of_two_who_close_at_once_one_closes(void **state)
{
    (void)state;
    slow held;
    sem_t begun;
    closer pair[2];
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = call_on(incr, &key);
    evs_client *client = open_client(NULL);
    sem_init(&begun, 0, 0);
    sem_init(&held.begun, 0, 0);
    sem_init(&held.go, 0, 0);
    assert_int_equal(evs_submit(client, &call, take_long, &held, NULL), EVS_OK);
    wait_for(&held.begun);
    for (int i = 0; i < 2; i++) {
        pair[i] = (closer){.client = client, .begun = &begun};
        assert_int_equal(pthread_create(&pair[i].id, NULL, close_it, &pair[i]), 0);
    }
    wait_for(&begun);
    wait_for(&begun);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    sem_post(&held.go);
    for (int i = 0; i < 2; i++)
        pthread_join(pair[i].id, NULL);
    assert_int_equal(pair[0].status + pair[1].status, EVS_OK + EVS_E_STATE);
    evs_client_free(client);
    sem_destroy(&begun);
    sem_destroy(&held.begun);
    sem_destroy(&held.go);
}

/* The server is held up, so nothing is answered before the client is closed. */
static void an_abort_completes_what_is_in_flight(void **state)
{
    (void)state;
    char key_text[32];
    evs_client *client = open_client(NULL);
    evs_bytes key = evs_text(shards_key(&set, 0, key_text));
    evs_invocation call = call_on(incr, &key);
    shards_do(&set, 0, "CLIENT PAUSE 60000 WRITE");
    begin_tally(10, NULL, NULL);
    for (int i = 0; i < 10; i++)
        assert_int_equal(evs_submit(client, &call, count, &totals, NULL), EVS_OK);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, 1, NULL), EVS_E_TIMEOUT);
    assert_int_equal(totals.done, 10);
    assert_int_equal(totals.canceled, 10);
    assert_int_equal(evs_submit(client, &call, count, &totals, NULL), EVS_E_STATE);
    evs_client_free(client);
    shards_do(&set, 0, "CLIENT UNPAUSE");
}

static void a_full_queue_holds_threads_up(void **state)
{
    (void)state;
    worker crowd[16];
    sem_t all_done;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 4;
    options.on_full = EVS_FULL_BLOCK;
    sem_init(&all_done, 0, 0);
    evs_client *client = open_client(&options);
    begin_tally(16 * EACH, NULL, &all_done);
    run_crowd(crowd, 16, client, submit_often);
    join_crowd(crowd, 16);
    while (sem_wait(&all_done) != 0)
        ;
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(crowd[i].ok, EACH);
    assert_int_equal(totals.ok, 16 * EACH);
    run_crowd(crowd, 16, client, call_until_closed);
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    join_crowd(crowd, 16);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(crowd[i].other, 0);
    evs_client_free(client);
    sem_destroy(&all_done);
}

static void a_full_queue_may_fail_instead(void **state)
{
    (void)state;
    char key_text[32];
    size_t accepted = 0;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 4;
    evs_client *client = open_client(&options);
    evs_bytes key = evs_text(shards_key(&set, 1, key_text));
    evs_invocation call = call_on(incr, &key);
    shards_do(&set, 1, "CLIENT PAUSE 60000 WRITE");
    begin_tally(0, NULL, NULL);
    for (int i = 0; i < 100; i++)
        accepted += evs_submit(client, &call, count, &totals, NULL) == EVS_OK;
    assert_true(accepted >= 4); /* those that the thread has refused by now made room for others */
    shards_do(&set, 1, "CLIENT UNPAUSE");
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    assert_int_equal(totals.done, accepted);
    assert_int_equal(totals.ok + totals.full, accepted);
    assert_in_range(totals.ok, 1, 4);
    evs_client_free(client);
}

/* Of all shards together there may be more than a number can say. */
static void a_queue_may_be_as_long_as_can_be(void **state)
{
    (void)state;
    char key_text[32];
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = SIZE_MAX / 3 + 1;
    evs_client *client = open_client(&options);
    evs_bytes key = evs_text(shards_key(&set, 1, key_text));
    evs_invocation call = call_on(incr, &key);
    shards_do(&set, 1, "CLIENT PAUSE 60000 WRITE");
    begin_tally(0, NULL, NULL);
    for (int i = 0; i < 10; i++)
        assert_int_equal(evs_submit(client, &call, count, &totals, NULL), EVS_OK);
    shards_do(&set, 1, "CLIENT UNPAUSE");
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    assert_int_equal(totals.ok, 10);
    evs_client_free(client);
}

static void another_thread_may_cancel(void **state)
{
    (void)state;
    char key_text[32];
    evs_ticket ticket = 0;
    evs_client *client = open_client(NULL);
    evs_bytes key = evs_text(shards_key(&set, 2, key_text));
    evs_invocation call = call_on(incr, &key);
    call.ticket = &ticket;
    shards_do(&set, 2, "CLIENT PAUSE 60000 WRITE");
    begin_tally(1, NULL, NULL);
    assert_int_equal(evs_submit(client, &call, count, &totals, NULL), EVS_OK);
    assert_true(ticket != 0);
    assert_int_equal(evs_cancel(client, ticket, NULL), EVS_OK);
    assert_int_equal(totals.canceled, 1);
    assert_int_equal(evs_cancel(client, ticket, NULL), EVS_E_STATE);
    shards_do(&set, 2, "CLIENT UNPAUSE");
    evs_client_free(client);
}

static void free_it(void *arg, const evs_result *result)
{
    tally *t = arg;
    t->ok += result->status == EVS_OK;
    evs_client_free(t->client);
    sem_post(t->all_done);
}

/* The thread ends by itself then; nobody joins it. */
static void a_completion_may_free_the_client(void **state)
{
    (void)state;
    sem_t all_done;
    evs_bytes key = evs_text("{c:1}");
    evs_invocation call = call_on(incr, &key);
    sem_init(&all_done, 0, 0);
    evs_client *client = open_client(NULL);
    begin_tally(1, client, &all_done);
    assert_int_equal(evs_submit(client, &call, free_it, &totals, NULL), EVS_OK);
    while (sem_wait(&all_done) != 0)
        ;
    assert_int_equal(totals.ok, 1);
    sem_destroy(&all_done);
}

static void gather(void *arg, size_t index, const evs_result *result)
{
    worker *self = arg;
    (void)index;
    self->ok += result->status == EVS_OK;
}

static void use_everything(worker *self, const evs_bytes *key)
{
    evs_batch *batch;
    evs_invocation call = call_on(incr, key), everywhere = {.handle = nothing};
    evs_key_group groups[2] = {{key, 1}, {key, 1}};
    evs_bytes words[] = {evs_text("GET"), *key};
    evs_plain_command get = {.args = words, .nargs = 2, .timeout_ms = TIMEOUT_MS};
    evs_reply *reply = NULL;
    if (evs_batch_new(&batch, self->client, NULL, NULL) != EVS_OK)
        return;
    for (int i = 0; i < 3; i++)
        evs_batch_add(batch, &call, NULL);
    if (evs_batch_run(batch, NULL) == EVS_OK)
        self->ok += evs_batch_count(batch) - evs_batch_failures(batch);
    evs_batch_free(batch);
    evs_scatter(self->client, &call, groups, 2, gather, self, NULL);
    evs_broadcast(self->client, &everywhere, gather, self, NULL);
    self->ok += evs_command(&reply, self->client, &get, NULL) == EVS_OK;
    evs_reply_free(reply);
}

static void *use_everything_often(void *arg)
{
    worker *self = arg;
    char text[32];
    snprintf(text, sizeof text, "{c:%zu}", self->number);
    evs_bytes key = evs_text(text);
    for (int i = 0; i < 20; i++)
        use_everything(self, &key);
    return NULL;
}

static void batches_scatters_and_commands_work_from_any_thread(void **state)
{
    (void)state;
    worker crowd[16];
    evs_client *client = open_client(NULL);
    run_crowd(crowd, 16, client, use_everything_often);
    join_crowd(crowd, 16);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(crowd[i].ok, 20 * (3 + 2 + 3 + 1));
    evs_client_free(client);
    assert_int_equal(sum_of_counters(), 16 * 20 * 5);
}

static void take_refusal(void *arg, size_t index, const evs_result *result)
{
    size_t *refused = arg;
    (void)index;
    *refused += result->status == EVS_E_NO_SCRIPT;
}

/* Everything is refused at once: the caller goes on while the client's thread still has to do with
 * the scatter. */
static void a_scatter_of_which_nothing_is_sent_ends(void **state)
{
    (void)state;
    size_t refused = 0;
    evs_client *client = open_client(NULL);
    evs_bytes key = evs_text("{c:0}");
    evs_key_group group = {&key, 1};
    evs_invocation call = {.script = "no/such", .timeout_ms = TIMEOUT_MS};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(evs_scatter(client, &call, &group, 1, take_refusal, &refused, NULL),
                         EVS_E_NO_SCRIPT);
    assert_int_equal(refused, 1000);
    evs_client_free(client);
}

static void refusals_that_need_no_server_come_at_once(void **state)
{
    (void)state;
    evs_client *client = open_client(NULL);
    evs_error err;
    char here[32], there[32];
    shards_key(&set, 0, here);
    shards_key(&set, 1, there);
    evs_bytes apart[] = {evs_text(here), evs_text(there)};
    evs_invocation call = {.handle = incr, .keys = apart, .nkeys = 2};
    assert_int_equal(evs_submit(client, &call, count, &totals, &err), EVS_E_CROSS_SHARD);
    assert_int_equal(evs_submit(client, &call, NULL, NULL, &err), EVS_E_INVALID);
    assert_int_equal(evs_call(NULL, client, &call, &err), EVS_E_CROSS_SHARD);
    evs_client_free(client);
}

/* The child has neither the thread nor the sockets. */
static void a_forked_child_is_told_and_may_free(void **state)
{
    (void)state;
    int status;
    evs_bytes key = evs_text("{c:2}");
    evs_invocation call = call_on(incr, &key);
    evs_reply *reply = NULL;
    evs_client *client = open_client(NULL);
    assert_int_equal(evs_call(&reply, client, &call, NULL), EVS_OK);
    evs_reply_free(reply);
    pid_t child = fork();
    if (child == 0) {
        evs_stats *stats;
        int told = evs_call(&reply, client, &call, NULL) == EVS_E_STATE &&
                   evs_stats_snapshot(&stats, client, NULL) == EVS_E_STATE &&
                   evs_client_refusal(client, NULL) == EVS_E_STATE &&
                   evs_submit(client, &call, count, &totals, NULL) == EVS_E_STATE &&
                   evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL) == EVS_E_STATE;
        evs_client_free(client);
        _exit(told ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(evs_call(&reply, client, &call, NULL), EVS_OK);
    assert_int_equal(evs_reply_integer(reply), 2);
    evs_reply_free(reply);
    evs_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(many_threads_call_and_wait, empty_servers),
        cmocka_unit_test_setup(completions_run_on_the_thread_of_the_client, empty_servers),
        cmocka_unit_test(a_call_is_pending_until_its_completion_has_returned),
        cmocka_unit_test(so_are_the_calls_that_completions_submit),
        cmocka_unit_test_setup(completions_can_be_queued_for_the_caller, empty_servers),
        cmocka_unit_test_setup(many_may_wait_for_completions, empty_servers),
        cmocka_unit_test_setup(a_queued_completion_may_free_the_client, empty_servers),
        cmocka_unit_test_setup(transactions_and_batches_are_pending_until_they_are_done,
                               empty_servers),
        cmocka_unit_test_setup(a_client_that_drives_itself_need_not_be_driven, empty_servers),
        cmocka_unit_test_setup(closing_races_calls_and_loses_none, empty_servers),
        cmocka_unit_test_setup(of_two_who_close_at_once_one_closes, empty_servers),
        cmocka_unit_test_setup(an_abort_completes_what_is_in_flight, empty_servers),
        cmocka_unit_test_setup(a_full_queue_holds_threads_up, empty_servers),
        cmocka_unit_test_setup(a_full_queue_may_fail_instead, empty_servers),
        cmocka_unit_test_setup(a_queue_may_be_as_long_as_can_be, empty_servers),
        cmocka_unit_test_setup(another_thread_may_cancel, empty_servers),
        cmocka_unit_test_setup(a_completion_may_free_the_client, empty_servers),
        cmocka_unit_test_setup(batches_scatters_and_commands_work_from_any_thread, empty_servers),
        cmocka_unit_test_setup(a_scatter_of_which_nothing_is_sent_ends, empty_servers),
        cmocka_unit_test_setup(refusals_that_need_no_server_come_at_once, empty_servers),
        cmocka_unit_test_setup(a_forked_child_is_told_and_may_free, empty_servers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
