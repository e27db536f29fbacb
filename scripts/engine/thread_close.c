/*
 * thread_close.c - ending a threaded client: from another thread, or in one of its completions.
 */
#include "scripts/engine/thread_inner.h"

#include "core/error.h"

/* ---- closing ---- */

void evs__thread_shut(evs__thread *thread)
{
    atomic_store_explicit(&thread->shut, 1, memory_order_relaxed);
}

/* Somebody else may have been faster, after this one was let in. */
static evs_status refuse_calls(void *job, evs_error *err)
{
    evs_client *client = job;
    if (client->shut)
        return evs__client_refuse(client, err);
    evs__client_shut(client);
    return EVS_OK;
}

void evs__thread_drained(evs__thread *thread)
{
    evs__gate *gate = thread->drained;
    if (gate == NULL || thread->client->pending > 0)
        return;
    thread->drained = NULL;
    evs__gate_open(gate);
}

/* Who waits for the last call, and no longer than that. */
typedef struct drain {
    evs_client *client;
    evs__gate gate;
    sem_t sem;
    int timeout_ms; /* < 0: however long it takes */
    evs__timer *timer;
} drain;

static void time_is_up(void *owner)
{
    drain *self = owner;
    evs__thread *thread = self->client->thread;
    if (thread->drained == NULL)
        return; /* it was opened already */
    thread->drained = NULL;
    evs__gate_open(&self->gate);
}

static evs_status begin_drain(void *job, evs_error *err)
{
    drain *self = job;
    if (self->timeout_ms >= 0) {
        self->timer = evs__timer_new(self->client->loop, time_is_up, self);
        if (self->timer == NULL)
            return evs__fail_nomem(err);
        evs__timer_start(self->timer, (uint64_t)self->timeout_ms);
    }
    self->client->thread->drained = &self->gate;
    return EVS_OK;
}

static evs_status end_drain(void *job, evs_error *err)
{
    drain *self = job;
    (void)err;
    evs__timer_free(self->timer);
    return EVS_OK;
}

/* Out of memory, it does not wait. */
static void wait_for_calls(evs_client *client, int timeout_ms)
{
    drain self = {.client = client, .timeout_ms = timeout_ms};
    evs__start begin = {.start = begin_drain, .job = &self};
    evs__start end = {.start = end_drain, .job = &self};
    sem_init(&self.sem, 0, 0);
    self.gate.sem = &self.sem;
    if (evs__thread_run_always(client, &begin, NULL) == EVS_OK)
        evs__sem_wait(&self.sem);
    evs__thread_run_always(client, &end, NULL);
    sem_destroy(&self.sem);
}

typedef struct abortion {
    evs_client *client;
    size_t left;
} abortion;

static evs_status abort_calls(void *job, evs_error *err)
{
    abortion *self = job;
    (void)err;
    self->left = self->client->pending;
    evs__client_end_calls(self->client);
    return EVS_OK;
}

evs_status evs__thread_close(evs_client *client, evs_close how, int timeout_ms, evs_error *err)
{
    evs__start refuse = {.start = refuse_calls, .job = client};
    evs_status status = evs__thread_run(client, &refuse, err);
    if (status != EVS_OK)
        return status;
    if (how == EVS_CLOSE_DRAIN)
        wait_for_calls(client, timeout_ms);
    abortion last = {client, 0};
    evs__start finish = {.start = abort_calls, .job = &last};
    evs__thread_run_always(client, &finish, NULL);
    if (how == EVS_CLOSE_DRAIN && last.left > 0)
        return evs__fail(err, EVS_E_TIMEOUT, "%zu calls were not answered in time", last.left);
    return EVS_OK;
}

/* ---- freeing ---- */

/* This thread is now the one that may touch everything: no other is left. What was posted is
 * refused by a client that is closing. */
static void take_over(evs__thread *thread)
{
    thread->id = pthread_self();
    thread->client->closing = 1;
    thread->client->running = 0;
    evs__thread_drained(thread);
    while (atomic_load_explicit(&thread->posts, memory_order_relaxed) != NULL)
        evs__thread_run_posts(thread);
    evs__thread_refuse_line(thread);
}

static evs_status stop(void *job, evs_error *err)
{
    (void)err;
    ((evs__thread *)job)->stop = 1;
    return EVS_OK;
}

void evs__thread_join(evs_client *client)
{
    evs__thread *thread = client->thread;
    evs__start what = {.start = stop, .job = thread};
    evs__thread_run_always(client, &what, NULL);
    pthread_join(thread->id, NULL);
    take_over(thread);
}

void evs__thread_end_itself(evs__thread *thread)
{
    evs_client *client = thread->client;
    pthread_detach(thread->id);
    take_over(thread);
    evs__client_destroy(client);
}
