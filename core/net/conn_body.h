/*
 * conn_body.h - what a connection is, for the files that make it up (conn_inner.h), and for who
 * queues so often that a function call for it would show.
 *
 * With a thousand connections each of them is cold, so what a turn touches comes first and is three
 * cache lines: two for queueing, and one more for writing and reading.
 */
#ifndef EVS_CORE_NET_CONN_BODY_H
#define EVS_CORE_NET_CONN_BODY_H

#include "core/mem.h"
#include "core/net/ahead.h"
#include "core/net/conn.h"
#include "core/net/greeting.h"
#include "core/net/reader.h"
#include "core/net/socket.h"
#include <stddef.h>

enum {
    EVS__BLOCKED_FULL = 1,  /* the kernel took less than it was given; an event will tell */
    EVS__BLOCKED_SILENT = 2 /* the server says nothing any more: silence.c */
};

struct evs__conn {
    /* where requests are */
    evs__ring queue; /* requests of this epoch */
    evs__buf out;
    uint64_t base; /* position of out.data[0] */
    uint64_t epoch;

    size_t count;     /* of both rings */
    uint64_t written; /* the kernel accepted the bytes before */
    evs__dirty dirty; /* in the middle of the three: loop.c */
    evs__loop *loop;
    evs__soon *soon; /* ahead.h; always there */
    evs__conn_state state;
    uint32_t easy; /* so many bytes may be queued for certain; 0 while silent */

    /* reading and writing */
    evs__socket *socket;  /* NULL while IDLE */
    evs__reader *reader;  /* lent by the loop while a reply is read */
    evs__tls *tls;        /* ours, over all sockets; NULL in the clear and until first used */
    evs__finder *finder;  /* NULL: the login has the address */
    evs__ring lost;       /* of an earlier epoch, not told yet */
    int fd;               /* the socket's */
    uint16_t busy;        /* enters without leave */
    int16_t send_problem; /* errno of a refused write; the socket is read to its end, then closed */
    unsigned char retired;     /* an evs__conn_unfit: to be made anew when nothing is in flight */
    unsigned char holes;       /* some bytes behind `written` belong to nobody */
    unsigned char blocked;     /* EVS__BLOCKED_..., why nothing is written; 0: it is */
    unsigned char halfway;     /* a reply is half read */
    unsigned char skipping;    /* the reader was told to skip the next reply */
    unsigned char resp3;       /* the server agreed to it */
    unsigned char pinged;      /* the next reply is that to PING: pulse.c */
    unsigned char reread : 1;  /* the password was, in this attempt */
    unsigned char closing : 1; /* freed; only the memory is left */
    unsigned char doubted : 1; /* deadlines have passed since a byte arrived: silence.c */

    uint64_t lost_end;     /* what begins before was lost */
    uint64_t lost_written; /* `written` when it was */
    const evs__login *login;
    const evs__conn_limits *limits;
    struct evs__attempt *attempt; /* while connecting; ours */
    evs__login *fresh; /* ours: the login with a password that was read again; NULL: none was */
    unsigned step;     /* of the greeting, the one whose answer comes next */

    /* after a problem */
    evs_status status;
    unsigned failures; /* to become READY, in a row */
    char *problem;     /* ours; NULL when memory ran out, then the status has to do */
    uint64_t retry_at; /* opening is refused before */

    /* breaker.c */
    evs__timer *again;     /* ours; fires when opening is not refused any more */
    uint32_t down_since;   /* when the first of the failures was, in seconds of the calendar */
    uint32_t wanted_until; /* a server that is down is tried so long without being asked; of the
                            * loop's seconds */
    unsigned char armed;   /* the timer runs */
    unsigned char awaited; /* what is queued may wait for that */
    unsigned char probing; /* nobody asked for the attempt that is under way */
    unsigned char told_down : 1; /* or silent, and not up since */
    unsigned char proven : 1;    /* a request was answered before `seen` was looked at */
    unsigned char was_ready : 1; /* when it ended last */

    /* silence.c */
    unsigned unanswered;       /* deadlines in a row that passed without a byte */
    uint64_t unanswered_since; /* the first of them, in the loop's milliseconds */

    /* pulse.c */
    uint32_t quiet_since; /* since when `seen` is what it is, in the loop's milliseconds */
    uint32_t ready_since; /* and the connection READY; breaker.c */
    uint64_t seen;        /* the oldest position in use when it was looked at last */
    evs__ring pulse;      /* in the loop's */
};

static inline int evs__conn_is_silent(const evs__conn *conn)
{
    return (conn->blocked & EVS__BLOCKED_SILENT) != 0;
}

static inline uint64_t evs__conn_tail(const evs__conn *conn)
{
    return conn->base + conn->out.len;
}

/* The oldest request; NULL when there is none. */
static inline evs__request *evs__conn_oldest(evs__conn *conn)
{
    return evs__ring_empty(&conn->queue) ? NULL : (evs__request *)conn->queue.next;
}

int evs__conn_wakes(evs__conn *conn); /* for evs__conn_takes */

/* Needs neither evs__conn_prepare nor evs__conn_begin, as is usual: the connection is READY with
 * something in flight, or was looked at in this turn, its epoch is `epoch`, fewer than `most`
 * requests are queued, and their bytes are within the limit for certain. `room` more bytes fit
 * behind conn->out then. */
static inline int evs__conn_takes(evs__conn *conn, uint64_t epoch, size_t most, size_t room)
{
    return conn->epoch == epoch && conn->state == EVS__CONN_READY && conn->count < most &&
           (!evs__ring_empty(&conn->queue) || evs__conn_wakes(conn)) &&
           conn->out.cap - conn->out.len > room && !conn->out.failed && conn->out.len <= conn->easy;
}

_Static_assert(offsetof(evs__conn, lost_end) == 3 * EVS__LINE, "a turn touches three lines");

enum { EVS__WRITE_EARLY = 256 * 1024 /* unsent bytes */ };

/* For evs__conn_append: the first one since the last flush, and too many bytes. */
void evs__conn_mark(evs__conn *conn, const void *one, const void *other);
void evs__conn_write_early(evs__conn *conn);

/* The request is what lies behind the others in conn->out. Its `done` needs what lies at the two
 * others, which may be NULL. */
static inline void evs__conn_append(evs__conn *conn, evs__request *request, const void *one,
                                    const void *other)
{
    request->end = evs__conn_tail(conn);
    if (__builtin_expect(conn->dirty.next == NULL, 0))
        evs__conn_mark(conn, one, other);
    evs__ring_append(&conn->queue, &request->ring);
    evs__soon_request(conn->soon, conn->count++, request);
    if (request->end - conn->written > EVS__WRITE_EARLY)
        evs__conn_write_early(conn);
}

#endif
