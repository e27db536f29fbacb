/*
 * loop.h - the event loop: the one user of libuv's loop, and the list of connections that have
 * something to write. Writes of one turn coalesce: connections only note that they are dirty, and
 * evs__loop_run flushes them all before it waits.
 */
#ifndef EVS_CORE_NET_LOOP_H
#define EVS_CORE_NET_LOOP_H

#include <evalshard/base.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

typedef struct evs__loop evs__loop;
typedef struct evs__timer evs__timer;

/* What the connections of a loop came to. */
typedef struct evs__loop_counts {
    uint64_t writes;   /* system calls that carried requests */
    uint64_t connects; /* times that one became READY */
    uint64_t downs;    /* times that a server was taken for down */
    uint64_t ups;      /* times that it was not any more */
    uint64_t refusals; /* requests refused meanwhile */
} evs__loop_counts;

evs__loop_counts evs__loop_counted(const evs__loop *loop);

evs_status evs__loop_new(evs__loop **out, evs_error *err);

/* Everything on the loop must have been freed before. */
void evs__loop_free(evs__loop *loop);

/* In a forked child: frees memory without touching descriptors that the parent shares. */
void evs__loop_abandon(evs__loop *loop);

/* A descriptor that is readable whenever evs__loop_run has something to do, timers included. It is
 * the loop's. Fails with STATE. */
evs_status evs__loop_fd(int *out, evs__loop *loop, evs_error *err);

/* Somebody who may have something to write. `flush` runs once per evs__loop_mark. */
typedef struct evs__dirty {
    struct evs__dirty *next; /* NULL while not in the list, which is a ring */
    struct evs__dirty *prev;
    void (*flush)(struct evs__dirty *dirty);
} evs__dirty;

void evs__loop_mark_first(evs__loop *loop, evs__dirty *dirty); /* for evs__loop_mark */

/* Twice is once. */
static inline void evs__loop_mark(evs__loop *loop, evs__dirty *dirty)
{
    if (dirty->next == NULL)
        evs__loop_mark_first(loop, dirty);
}

void evs__loop_unmark(evs__dirty *dirty);

/* Flushes what is dirty, waits up to `timeout_ms` (0 not at all, < 0 no limit) for events, runs
 * their callbacks, flushes again what those made dirty. */
void evs__loop_run(evs__loop *loop, int timeout_ms);

/* A turn for who waits for a single answer. When one connection owes something and nothing else is
 * due soon, it sleeps in reading from that one, so that the system need not be asked whose answer
 * is there. Others wait for the next whole turn meanwhile: for a quarter of a second at most, and
 * for a tick of the system's clock when answers come. 0 when a whole turn is needed now. */
int evs__loop_run_alone(evs__loop *loop);

/* Waits up to `most_ms` (< 0 no limit) until evs__loop_run has something to do, for which that one
 * needs not wait any more. `rests` is 1 only while nothing that is on the loop is being changed: a
 * child that another thread forks meanwhile finds everything whole. */
void evs__loop_rest(evs__loop *loop, int most_ms, atomic_int *rests);

/* Gives back memory that is kept for the next burst. */
void evs__loop_trim(evs__loop *loop);

/* Milliseconds of the monotonic clock, read now. */
uint64_t evs__loop_now_ms(const evs__loop *loop);

/* The clock as the system's last tick found it: behind by nearly two ticks at most, unless ticks
 * are late; for an eighth of the price. */
#ifdef CLOCK_MONOTONIC_COARSE
static inline uint64_t evs__loop_about_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
#else
uint64_t evs__loop_about_ms(void);
#endif
uint64_t evs__loop_tick_ms(void); /* from one tick to the next, rounded up */

/* A timer that calls `fire(owner)` once per start. NULL when out of memory. */
evs__timer *evs__timer_new(evs__loop *loop, void (*fire)(void *owner), void *owner);
void evs__timer_start(evs__timer *timer, uint64_t delay_ms); /* restarts a running one */
void evs__timer_stop(evs__timer *timer);
void evs__timer_free(evs__timer *timer);

#endif
