/*
 * conn_inner.h - a connection as the files that make it up see it.
 *
 *   conn_body.h  what it is, and queueing
 *   conn.c     life, the queue of requests, what callers ask
 *   connect.c  from IDLE to READY: address after address, then the greeting
 *   ahead.c    the order in which replies are read without being announced
 *   stream.c   READY: writing what is queued, reading replies, matching them to requests
 *   loss.c     back to IDLE: what requests are told
 *   pulse.c    finds connections to servers that vanished
 *   breaker.c  how long opening is refused, and to whom
 *   silence.c  servers that take requests and say nothing
 *
 * The stream. Bytes of requests have positions that only grow. `out` holds those from `base` on,
 * the kernel accepted those before `written`. What lies before the oldest request is dead; it is
 * moved away only once it is more than half of the buffer, so that each byte is moved about once.
 * A request that is withdrawn leaves a hole behind `written`; the next write closes all holes in
 * one pass.
 *
 * Under TLS, `written` follows whole records, and bytes behind it may be held (tls.h): they are not
 * sent, but neither withdrawn nor moved.
 *
 * Completions may do anything, freeing the connection included. Whoever may run one brackets it
 * with evs__conn_enter and evs__conn_leave: the memory goes with the last leave.
 */
#ifndef EVS_CORE_NET_CONN_INNER_H
#define EVS_CORE_NET_CONN_INNER_H

#include "core/net/conn_body.h"
#include "core/net/loop_inner.h"
#include "core/net/reader.h"
#include "core/net/resolve.h"
#include "core/net/socket.h"

/* What only connecting needs. */
typedef struct evs__attempt {
    evs__timer *timer; /* ours */
    evs__lookup *lookup;
    struct addrinfo *addresses;     /* ours */
    const struct addrinfo *address; /* the one being tried */
    int seeking;                    /* the finder was asked for an address */
    int shaking;                    /* hands: the socket is connected, TLS is not yet */
    uint64_t deadline;              /* of the whole, in the loop's milliseconds; 0 is none */
    evs__buf greeting;              /* not accepted by the kernel yet */
} evs__attempt;

/* What lies before cannot be taken back. */
static inline uint64_t evs__conn_committed(const evs__conn *conn)
{
    return conn->tls == NULL ? conn->written : conn->written + evs__tls_held(conn->tls);
}

/* Where the oldest bytes lie that a request still needs. */
static inline uint64_t evs__conn_first(const evs__conn *conn)
{
    if (!evs__ring_empty(&conn->lost))
        return ((const evs__request *)conn->lost.next)->start;
    if (!evs__ring_empty(&conn->queue))
        return ((const evs__request *)conn->queue.next)->start;
    return evs__conn_tail(conn);
}

/* How many bytes may be queued for certain. */
static inline uint32_t evs__conn_easy(const evs__conn_limits *limits)
{
    size_t most = limits->max_queued_bytes;
    return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

/* Does somebody wait for the reply? */
static inline int evs__conn_is_awaited(const evs__request *request)
{
    return !request->unwanted && !request->servant;
}

static inline void evs__conn_enter(evs__conn *conn)
{
    conn->busy++;
}
void evs__conn_leave(evs__conn *conn);

/* Forgets bytes that belong to no request any more. */
void evs__conn_discard(evs__conn *conn);

/* Of a retired connection, for whoever asks. */
const char *evs__conn_why_unfit(const evs__conn *conn);

/* Moves what is unwritten together, so that it has no holes. */
void evs__conn_close_holes(evs__conn *conn);

/* connect.c */

/* Begins to connect. What fails at once is a failure like any other: see evs__conn_down. */
void evs__conn_open(evs__conn *conn);
void evs__conn_connect_event(evs__conn *conn, unsigned events);
/* An answer to the greeting. Returns 0 when the connection is gone. */
int evs__conn_greeted(evs__conn *conn, const evs_reply *reply);
void evs__conn_drop_attempt(evs__conn *conn);

/* stream.c */

void evs__conn_on_socket(void *conn, unsigned events);
void evs__conn_flush(evs__dirty *dirty);
void evs__conn_write(evs__conn *conn);

/* Was anything written that is not answered? */
int evs__conn_owes(evs__conn *conn);

/* Of a retired connection: nothing more is written, and the next flush ends it. */
void evs__conn_end_soon(evs__conn *conn);

/* Reads once, if anything is awaited. 0 when nothing is there yet. */
int evs__conn_read_early(evs__conn *conn);

/* Sleeps until there is something to read, a moment at most, and reads it. 0 when nothing came, or
 * when it may not sleep: somebody has to wait for the newest reply. */
int evs__conn_read_asleep(evs__conn *conn);

/* loss.c */

/* Ends the connection, with a problem for whoever asks: the epoch changes, and every request is
 * moved to `lost`. They are told by evs__conn_tell_lost, or by the next flush. The text is one
 * printable line. */
void evs__conn_down(evs__conn *conn, evs_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void evs__conn_tell_lost(evs__conn *conn);

/* Begins to connect again instead of going on; requests stay queued. */
void evs__conn_restart(evs__conn *conn);

/* The last problem with shard and address; `wait` ms until opening is allowed, 0 says nothing. */
evs_status evs__conn_problem(const evs__conn *conn, uint64_t wait, evs_error *err);

/* The same for a text of this moment. */
evs_status evs__conn_fail(const evs__conn *conn, evs_error *err, evs_status status,
                          const char *text);

/* Moves every queued request to `lost`. */
void evs__conn_strand(evs__conn *conn);
void evs__conn_tell(evs__conn *conn, const evs_error *why);

/* What it says first; the login may have a password of the connection's own. */
static inline evs__greeting evs__conn_says(const evs__conn *conn)
{
    return (evs__greeting){conn->fresh != NULL ? conn->fresh : conn->login, conn->limits->protocol};
}

/* password.c */

/* The server refused the password: 1 when there is another one, which is tried now. */
int evs__conn_reread_password(evs__conn *conn);

/* The login is another one, with the same password; or with another. */
void evs__conn_keep_password(evs__conn *conn);
void evs__conn_forget_password(evs__conn *conn);

/* pulse.c */

/* A connection became READY, or is not any more. */
void evs__conn_join_pulse(evs__conn *conn);
void evs__conn_leave_pulse(evs__conn *conn);
void evs__conn_ponged(evs__conn *conn);       /* PING was answered */
void evs__conn_change_pulse(evs__conn *conn); /* the login is another one */

/* breaker.c */

/* Milliseconds until opening is allowed; 0 when it is. */
uint64_t evs__conn_wait(const evs__conn *conn);

/* For a connection that is not READY: begins to connect when that is due, or lets requests wait.
 * Fails when they are refused. */
evs_status evs__conn_reach(evs__conn *conn, int patiently, evs_error *err);

/* An attempt failed; a connection that was READY is lost, with its requests still in the queue; an
 * attempt worked. */
void evs__conn_failed(evs__conn *conn);
void evs__conn_fell(evs__conn *conn);
void evs__conn_rose(evs__conn *conn);

/* A request is refused: somebody wants the server that is down. */
evs_status evs__conn_refuse(evs__conn *conn, evs_error *err);
void evs__conn_want(evs__conn *conn);
int evs__conn_is_wanted(const evs__conn *conn); /* a short while ago */

/* Starts the timer for when evs__conn_wait is over. 0 when out of memory. */
int evs__conn_arm(evs__conn *conn);
uint64_t evs__conn_retry_delay(evs__conn *conn); /* retry_after and up to a quarter more */

/* What whoever listens to the log is told. */
void evs__conn_tell_news(const evs__conn *conn, evs_status status, const char *text);
void evs__conn_tell_up(evs__conn *conn);
void evs__conn_write_since(const evs__conn *conn, char *out, size_t cap); /* it is down */

/* Is there a time at which what is queued leaves? */
static inline int evs__conn_waits(const evs__conn *conn)
{
    return conn->awaited && conn->armed;
}

/* silence.c */

/* Bytes arrived while deadlines had passed. */
void evs__conn_heard(evs__conn *conn);

/* For a silent connection: lets who can wait `until` then queue, or begins to try the server anew.
 * Fails when requests are refused. */
evs_status evs__conn_bear(evs__conn *conn, uint64_t until, evs_error *err);

/* The time has come to do something about a silent connection. */
void evs__conn_probe(evs__conn *conn);

/* Gives the connection up for a new one. Nobody waits for what was written. */
void evs__conn_try_anew(evs__conn *conn);

/* It ends. */
void evs__conn_end_silence(evs__conn *conn);

#endif
