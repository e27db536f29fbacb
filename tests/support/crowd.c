#include "tests/support/crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

crowd_stage crowd;

int crowd_set_up(void **state)
{
    (void)state;
    shards_start(&crowd.set, 3, NULL);
    crowd.incr = shards_script(&crowd.set, "incr", "return redis.call('INCR', KEYS[1])");
    return 0;
}

int crowd_tear_down(void **state)
{
    (void)state;
    shards_stop(&crowd.set);
    return 0;
}

int crowd_empty_servers(void **state)
{
    (void)state;
    shards_empty(&crowd.set);
    return 0;
}

evs_client *crowd_open(const evs_client_options *given)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    if (given != NULL)
        options = *given;
    options.threaded = 1;
    return shards_client(&crowd.set, &options);
}

evs_invocation crowd_call(const evs_script *script, const evs_bytes *key)
{
    evs_invocation call = {
        .handle = script, .keys = key, .nkeys = 1, .timeout_ms = CROWD_TIMEOUT_MS};
    return call;
}

/* ---- the threads ---- */

void crowd_run(crowd_worker *workers, size_t count, evs_client *client, void *(*work)(void *))
{
    for (size_t i = 0; i < count; i++) {
        workers[i] = (crowd_worker){.client = client, .number = i};
        assert_int_equal(pthread_create(&workers[i].id, NULL, work, &workers[i]), 0);
    }
}

void crowd_join(crowd_worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_join(workers[i].id, NULL);
}

void *crowd_submit_often(void *worker)
{
    crowd_worker *self = worker;
    char text[32];
    snprintf(text, sizeof text, "{c:%zu}", self->number);
    for (int i = 0; i < CROWD_EACH; i++) {
        evs_bytes key = evs_text(text);
        evs_invocation call = crowd_call(crowd.incr, &key);
        evs_status status = evs_submit(self->client, &call, crowd_count, &crowd.totals, NULL);
        self->ok += status == EVS_OK;
        self->refused += status != EVS_OK;
    }
    memset(text, 'x', sizeof text); /* it was copied */
    return NULL;
}

void *crowd_call_until_closed(void *worker)
{
    crowd_worker *self = worker;
    char text[32];
    snprintf(text, sizeof text, "{c:%zu}", self->number);
    evs_bytes key = evs_text(text);
    evs_invocation call = crowd_call(crowd.incr, &key);
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

/* ---- what came of it ---- */

void crowd_begin(size_t expected, evs_client *client, sem_t *all_done)
{
    memset(&crowd.totals, 0, sizeof crowd.totals);
    crowd.totals.here = pthread_self();
    crowd.totals.expected = expected;
    crowd.totals.client = client;
    crowd.totals.all_done = all_done;
}

void crowd_count(void *tally, const evs_result *result)
{
    crowd_tally *t = tally;
    evs_bytes key = evs_text("{c:0}");
    evs_invocation call = crowd_call(crowd.incr, &key);
    t->ok += result->status == EVS_OK;
    t->canceled += result->status == EVS_E_CANCELED;
    t->full += result->status == EVS_E_QUEUE_FULL;
    t->elsewhere += !pthread_equal(pthread_self(), t->here);
    if (t->client != NULL)
        t->waited += evs_call(NULL, t->client, &call, NULL) == EVS_E_STATE;
    if (++t->done == t->expected && t->all_done != NULL)
        sem_post(t->all_done);
}

long long crowd_sum(void)
{
    long long sum = 0;
    char command[64];
    for (size_t i = 0; i < CROWD_MOST; i++) {
        char key[32];
        evs_route route;
        snprintf(key, sizeof key, "{c:%zu}", i);
        assert_int_equal(evs_shardmap_route(&route, crowd.set.map, evs_text(key), NULL), EVS_OK);
        snprintf(command, sizeof command, "INCRBY %s 0", key);
        sum += shards_do(&crowd.set, route.shard, command);
    }
    return sum;
}

void crowd_wait(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        ;
}

/* ---- a thread that is held up ---- */

void crowd_hold_init(crowd_hold *self)
{
    sem_init(&self->begun, 0, 0);
    sem_init(&self->go, 0, 0);
}

void crowd_hold_destroy(crowd_hold *self)
{
    sem_destroy(&self->begun);
    sem_destroy(&self->go);
}

void crowd_hold_up(void *hold, const evs_result *result)
{
    crowd_hold *self = hold;
    (void)result;
    sem_post(&self->begun);
    crowd_wait(&self->go);
}
