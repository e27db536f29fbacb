/*
 * crew.c - each thread takes the next server until there are none. The client has a thread of its
 * own for all input and output; these only wait.
 */
#include "tools/evalshard/crew.h"

#include <pthread.h>
#include <time.h>

#include "tools/evalshard/term.h"

enum { MOST_THREADS = 64, LOOK_EVERY_MS = 100 };

typedef struct round {
    probe *servers;
    size_t count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t taken, done; /* guarded by the lock */
} round;

static probe *next(round *r, int finished)
{
    probe *server = NULL;
    pthread_mutex_lock(&r->lock);
    r->done += (size_t)finished;
    if (r->taken < r->count)
        server = &r->servers[r->taken++];
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return server;
}

static void *work(void *arg)
{
    round *r = arg;
    for (probe *server = next(r, 0); server != NULL; server = next(r, 1))
        probe_ask(server);
    return NULL;
}

/* Waits until all is done, and shows how far it is. */
static void watch(round *r)
{
    progress p;
    progress_start(&p, "servers asked:");
    pthread_mutex_lock(&r->lock);
    while (r->done < r->count) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_EVERY_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&r->changed, &r->lock, &until);
        progress_show(&p, r->done, r->count);
    }
    pthread_mutex_unlock(&r->lock);
    progress_end(&p);
}

void crew_ask(probe *servers, size_t count)
{
    pthread_t threads[MOST_THREADS];
    size_t started = 0, wanted = count < MOST_THREADS ? count : MOST_THREADS;
    round r = {.servers = servers, .count = count};
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.changed, NULL);
    while (started < wanted && pthread_create(&threads[started], NULL, work, &r) == 0)
        started++;
    if (started == 0)
        work(&r);
    watch(&r);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&r.changed);
    pthread_mutex_destroy(&r.lock);
}
