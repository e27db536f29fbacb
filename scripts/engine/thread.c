/*
 * thread.c - the I/O thread: what it does, and how other threads reach it.
 *
 * Read on in thread_submit.c (calls that nobody waits for), thread_queue.c (completions that wait
 * to be taken) and thread_close.c (ending).
 */
#include "scripts/engine/thread_inner.h"

#include "core/error.h"
#include "core/mem.h"

#include <errno.h>
#include <signal.h>

enum { RETRY_MS = 5 }; /* how long at most who waits for room is not looked at */

/* ---- posting ---- */

int evs__posts_add(evs__posts *posts, evs__post *post)
{
    evs__post *first = atomic_load_explicit(posts, memory_order_relaxed);
    do
        post->next = first;
    while (!atomic_compare_exchange_weak_explicit(posts, &first, post, memory_order_release,
                                                  memory_order_relaxed));
    return first == NULL;
}

static evs__post *take_oldest_first(evs__posts *posts)
{
    evs__post *newest = atomic_exchange_explicit(posts, NULL, memory_order_acquire);
    evs__post *oldest = NULL;
    while (newest != NULL) {
        evs__post *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

void evs__posts_run(evs__posts *posts)
{
    evs__post *post = take_oldest_first(posts);
    while (post != NULL) {
        evs__post *next = post->next; /* a post is gone once it ran */
        post->run(post);
        post = next;
    }
}

void evs__thread_post(evs__thread *thread, evs__post *post)
{
    if (evs__posts_add(&thread->posts, post))
        evs__waker_wake(thread->waker);
}

void evs__thread_run_posts(evs__thread *thread)
{
    evs__posts_run(&thread->posts);
}

/* ---- starting something and waiting for it ---- */

/* On the stack of the thread that waits. */
struct evs__pending_start {
    evs__post post; /* first */
    evs__thread *thread;
    const evs__start *what;
    evs__pending_start *next; /* in the list of those who wait for room */
    uint64_t deadline;        /* of trying again; 0 before the first try */
    evs_error *err;           /* of who waits, may be NULL */
    evs_status status;
    sem_t sem;
};

static void wait_for_room(evs__pending_start *self)
{
    evs__thread *thread = self->thread;
    self->next = NULL;
    *thread->last_in_line = self;
    thread->last_in_line = &self->next;
}

/* Once the gate may be open, the memory is no longer ours. */
static void try_start(evs__pending_start *self)
{
    const evs__start *what = self->what;
    evs_client *client = self->thread->client;
    uint64_t now = evs__loop_now_ms(client->loop);
    int waits = what->gate != NULL;
    if (self->deadline == 0)
        self->deadline = evs__clock_next_ms() + what->timeout_ms;
    evs_status status = what->start(what->job, self->err);
    if (status == EVS_OK && waits)
        return;
    if (status == EVS_E_QUEUE_FULL && client->options.on_full == EVS_FULL_BLOCK &&
        now < self->deadline) {
        wait_for_room(self);
        return;
    }
    self->status = status;
    sem_post(&self->sem);
}

static void run_start(evs__post *post)
{
    try_start((evs__pending_start *)post);
}

/* Who finds no room again goes back to the end of the line. */
static void retry_line(evs__thread *thread)
{
    evs__pending_start *first = thread->line;
    thread->line = NULL;
    thread->last_in_line = &thread->line;
    while (first != NULL) {
        evs__pending_start *next = first->next;
        try_start(first);
        first = next;
    }
}

/* Of a client that is closing: each is told so. */
void evs__thread_refuse_line(evs__thread *thread)
{
    while (thread->line != NULL)
        retry_line(thread);
}

void evs__sem_wait(sem_t *sem)
{
    while (sem_wait(sem) != 0 && errno == EINTR)
        ;
}

int evs__thread_is_other(const evs__thread *thread)
{
    return !pthread_equal(pthread_self(), thread->id);
}

evs_status evs__thread_check(const evs_client *client, evs_error *err)
{
    if (evs__fork_mark_is_child(client->fork_mark))
        return evs__client_refuse(client, err);
    if (atomic_load_explicit(&client->thread->shut, memory_order_relaxed))
        return evs__fail(err, EVS_E_STATE, "the client is closed");
    return EVS_OK;
}

evs_status evs__thread_run(evs_client *client, const evs__start *what, evs_error *err)
{
    evs_status status = evs__thread_check(client, err);
    return status == EVS_OK ? evs__thread_run_always(client, what, err) : status;
}

evs_status evs__thread_run_always(evs_client *client, const evs__start *what, evs_error *err)
{
    evs__pending_start self = {
        .post = {NULL, run_start}, .thread = client->thread, .what = what, .err = err};
    sem_init(&self.sem, 0, 0);
    if (what->gate != NULL)
        *what->gate = (evs__gate){0, &self.sem};
    evs__thread_post(client->thread, &self.post);
    evs__sem_wait(&self.sem);
    sem_destroy(&self.sem);
    return self.status;
}

/* ---- the thread ---- */

static void nothing(void *owner)
{
    (void)owner; /* posts are taken at the top of every turn */
}

static void *work(void *arg)
{
    evs__thread *thread = arg;
    evs_client *client = thread->client;
    thread->id = pthread_self();
    sem_post(&thread->started);
    for (;;) {
        evs__clock_forget(&client->clock);
        evs__thread_run_posts(thread);
        retry_line(thread);
        evs__thread_tell_room(thread);
        evs__client_end_if_due(client);
        if (thread->stop || client->closing)
            break;
        evs__loop_rest(client->loop, thread->line == NULL ? -1 : RETRY_MS, &thread->rests);
        evs__loop_run(client->loop, 0);
    }
    if (!thread->stop)
        evs__thread_end_itself(thread);
    return NULL;
}

int evs__thread_rested(const evs__thread *thread)
{
    return atomic_load(&thread->rests);
}

/* Signals are for the threads of the application. */
static int start_thread(evs__thread *thread)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t id;
    sem_init(&thread->started, 0, 0);
    int failed = pthread_create(&id, NULL, work, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        evs__sem_wait(&thread->started); /* it knows itself now */
    sem_destroy(&thread->started);
    return !failed;
}

void evs__thread_set_shards(evs__thread *thread, size_t nshards)
{
    size_t most;
    if (__builtin_mul_overflow(thread->client->options.max_in_flight, nshards, &most))
        most = SIZE_MAX;
    atomic_store_explicit(&thread->most, most, memory_order_relaxed);
}

evs_status evs__thread_new(evs_client *client, evs_error *err)
{
    evs__thread *thread = evs__zalloc_lines(1, sizeof *thread);
    if (thread == NULL)
        return evs__fail_nomem(err);
    thread->client = client;
    thread->last_in_line = &thread->line;
    thread->queue_fd = -1;
    evs__thread_set_shards(thread, client->nlanes);
    thread->waker = evs__waker_new(client->loop, nothing, NULL);
    if (thread->waker == NULL || !evs__thread_open_queue(thread)) {
        evs__thread_free(thread);
        return evs__fail(err, EVS_E_STATE, "the system gives no descriptor for another thread");
    }
    client->thread = thread;
    client->running = 1; /* for ever: nobody else drives this client */
    if (start_thread(thread))
        return EVS_OK;
    client->thread = NULL;
    client->running = 0;
    evs__thread_free(thread);
    return evs__fail(err, EVS_E_STATE, "the system gives no thread: %s", strerror(errno));
}
