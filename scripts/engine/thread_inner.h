/*
 * thread_inner.h - what the files of the I/O thread share.
 */
#ifndef EVS_SCRIPTS_ENGINE_THREAD_INNER_H
#define EVS_SCRIPTS_ENGINE_THREAD_INNER_H

#include "core/mem.h"
#include "core/net/waker.h"
#include "scripts/engine/client.h"
#include "scripts/engine/slabs.h"
#include "scripts/engine/thread.h"

#include <pthread.h>
#include <stdatomic.h>

/* Something for the I/O thread to do. `run` may free it. */
typedef struct evs__post {
    struct evs__post *next;
    void (*run)(struct evs__post *post);
} evs__post;

/* From any thread to one that takes all of them at once; newest first. */
typedef _Atomic(evs__post *) evs__posts;

/* Whether it is the first since they were taken, so that somebody has to be told. */
int evs__posts_add(evs__posts *posts, evs__post *post);

/* Takes all and runs them, oldest first. */
void evs__posts_run(evs__posts *posts);

typedef struct evs__pending_start evs__pending_start;

/* In lines of the cache by who changes them all the time. */
struct evs__thread {
    pthread_t id;
    sem_t started;
    evs_client *client;
    evs__waker *waker;
    atomic_int shut;       /* takes no more calls */
    atomic_size_t most;    /* that may be pending */
    atomic_int wants_room; /* somebody found that many pending, and is told when half of them are */
    int queue_fd;          /* readable while completions wait to be taken; -1: they run here */

    /* Those who submit. */
    _Alignas(EVS__LINE) evs__posts posts;
    atomic_size_t begun;      /* calls */
    atomic_size_t ended_once; /* what some thread saw of `ended` */
    evs__slabs slabs;         /* of what is posted */

    /* Who completes. */
    _Alignas(EVS__LINE) atomic_size_t ended; /* calls: completion returned; in the queue: taken */

    /* The I/O thread's. */
    evs__pending_start *line; /* who waits for room in a queue, oldest first */
    evs__pending_start **last_in_line;
    int stop;
    atomic_int rests; /* waits, and nothing is being changed */

    /* Completions that wait for somebody to take them. */
    _Alignas(EVS__LINE) evs__posts finished;
    atomic_int waiting; /* threads that wait for some */
    atomic_int taking;  /* threads that run some; nested ones count again */
    atomic_int freed;   /* by one of those: goes when they are through */
};

void evs__thread_post(evs__thread *thread, evs__post *post);
void evs__thread_run_posts(evs__thread *thread);
void evs__thread_refuse_line(evs__thread *thread);

/* STATE in a forked child and after closing. */
evs_status evs__thread_check(const evs_client *client, evs_error *err);

void evs__sem_wait(sem_t *sem);

/* thread_queue.c: a call is not to be, as if it had not begun. */
void evs__thread_withdraw(evs__thread *thread);

/* Too many are pending for one more. With EVS_FULL_SIGNAL its caller is told of room later, by the
 * I/O thread at the top of a turn. */
void evs__thread_want_room(evs__thread *thread);
void evs__thread_tell_room(evs__thread *thread);

/* A completion waits for somebody to take it. */
void evs__thread_queue(evs__thread *thread, evs__post *post);

/* Makes the descriptor of the queue, if the client has one. 0 when there is none
 * to be had. */
int evs__thread_open_queue(evs__thread *thread);

/* The client was freed in a completion: ends it, and the thread. */
void evs__thread_end_itself(evs__thread *thread);

#endif
