/*
 * loop_inner.h - what the other files of core/net see of the loop: libuv's loop, the head of the
 * list of those who have something to write, and memory that connections lend each other.
 *
 * Nobody waits while something is unwritten or unsaid: the list is flushed right before libuv
 * waits, and a turn in which a completion ran already does not wait at all.
 */
#ifndef EVS_CORE_NET_LOOP_INNER_H
#define EVS_CORE_NET_LOOP_INNER_H

#include "core/buf.h"
#include "core/net/ahead.h"
#include "core/net/glance.h"
#include "core/net/loop.h"
#include "core/net/reader.h"
#include "core/net/tls.h"
#include "core/ring.h"
#include <uv.h>

enum { EVS__READ_BUFFER = 64 * 1024 };

struct evs__loop {
    uv_loop_t uv;
    uv_prepare_t before_wait;
    uv_timer_t limit;   /* of one evs__loop_run */
    evs__dirty dirty;   /* head of the ring */
    int stirred;        /* a completion ran in this turn */
    int reading;        /* read_buffer is in use: completions run between the replies in it */
    int patient;        /* the turn may wait, and no other thread may want something meanwhile */
    unsigned wakers;    /* waker.c */
    unsigned listeners; /* connections on which something may arrive unasked at any time */
    uint64_t turned;    /* the tick in which the last whole turn ended */
    int unwatched;      /* somebody began to watch a socket since libuv last looked */
    int fd;             /* loop_fd.c; -1 until asked for */
    int timer_fd;
    int hurried; /* the timer has been set to fire at once */
    evs__glance glance;
    evs__ahead ahead;
    int forked; /* in a child: libuv's descriptors are the child's own */
    int broken; /* in a child: they are not, and must not be touched */

    evs__loop_counts counts;
    uint64_t random;   /* state of the jitter */
    evs__timer *pulse; /* pulse.c; ours, NULL until needed */
    uint64_t pulse_at; /* when it fires; UINT64_MAX: not */
    evs__ring beating; /* connections that are looked after */

    evs__tls_contexts *tls; /* ours; NULL until somebody connects by TLS */

    /* Lent to whoever reads or writes at the moment, taken back when it has nothing under way. */
    evs__reader *spare_reader;
    struct evs__spare *spare_bufs; /* a list in the memory itself */
    size_t spare_bytes;
    char read_buffer[EVS__READ_BUFFER];
};

/* loop_fd.c */
void evs__loop_close_fd(evs__loop *loop);
void evs__loop_hurry_now(evs__loop *loop);

/* At the end of a turn: fires when the next one is due, at once when `busy`. */
void evs__loop_set_alarm(evs__loop *loop, int busy);

/* A turn is needed soon; whoever watches the descriptor is told. */
static inline void evs__loop_hurry(evs__loop *loop)
{
    if (loop->fd >= 0 && !loop->hurried)
        evs__loop_hurry_now(loop);
}

/* A socket is watched, or in another way: libuv notices in its next turn. */
static inline void evs__loop_rewatch(evs__loop *loop)
{
    loop->unwatched = 1;
    evs__loop_hurry(loop);
}

/* Did nothing happen to a socket in the clear, which was watched when the loop last waited? */
static inline int evs__loop_is_quiet(evs__loop *loop, int fd)
{
    return !evs__glance_at(&loop->glance, uv_backend_fd(&loop->uv), fd, evs__loop_about_ms());
}

/* A completion ran: the turn must not wait any more. */
static inline void evs__loop_stir(evs__loop *loop)
{
    loop->stirred = 1;
}

/* A reader with these limits, between two replies; NULL when out of memory. Given back, it is the
 * next one's, so that idle connections need none. */
evs__reader *evs__loop_lend_reader(evs__loop *loop, size_t max_bytes, unsigned max_depth);
void evs__loop_return_reader(evs__loop *loop, evs__reader *reader);

/* Takes the spare memory, or leaves an empty buffer empty. */
void evs__loop_lend_buf(evs__loop *loop, evs__buf *buf);

/* Gives memory back; what is larger than worth keeping is freed. The buffer is empty afterwards. */
void evs__loop_return_buf(evs__loop *loop, evs__buf *buf);

/* In a forked child, before handles are closed: gives libuv descriptors of its own, since the ones
 * it has are shared with the parent, whose epoll set closing would change. Returns 0 when that is
 * not possible; then handles must be left alone. */
int evs__loop_fork(evs__loop *loop);

#endif
