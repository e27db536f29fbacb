/*
 * pulse.c - idle connections to servers that do not answer any more are found and replaced.
 *
 * A peer that vanished without a word leaves a connection that looks fine until somebody waits for
 * an answer in vain. So one that was idle for a while is asked PING, and when nothing comes for as
 * long again it is closed and made anew. The same becomes of one whose last callers have all gone
 * away without an answer. While somebody waits for an answer nothing is closed: the server may be
 * at work on it.
 *
 * PING is no request: it is written when nothing is queued, so its answer is the next one that
 * comes. One timer serves all connections of a loop. A late one, because nobody drove the loop, is
 * no reason to give up on an answer that lies in the socket.
 */
#include "core/net/conn_inner.h"

static const char PING[] = "*1\r\n$4\r\nPING\r\n";

static unsigned keepalive(const evs__conn *conn)
{
    return conn->login->link.keepalive_ms;
}

/* ---- one connection ---- */

static int somebody_waits(const evs__conn *conn)
{
    for (const evs__ring *at = conn->queue.next; at != &conn->queue; at = at->next)
        if (evs__conn_is_awaited((const evs__request *)at))
            return 1;
    return 0;
}

static void give_up(evs__conn *conn)
{
    if (evs__conn_is_silent(conn)) {
        evs__conn_try_anew(conn);
        return;
    }
    evs__conn_down(conn, EVS_E_CLOSED, "no answer to %s for %u ms",
                   conn->pinged ? "PING" : "what was asked", conn->login->link.keepalive_ms);
    if (evs__conn_wait(conn) == 0)
        evs__conn_open(conn);
}

static void look(evs__conn *conn, uint64_t now)
{
    uint64_t first = evs__conn_first(conn);
    conn->proven |= first != conn->seen;
    conn->seen = first;
    conn->quiet_since = (uint32_t)now;
}

static void ping(evs__conn *conn, uint64_t now)
{
    ssize_t n = evs__socket_send(conn->socket, PING, sizeof PING - 1);
    conn->pinged = 1;
    conn->quiet_since = (uint32_t)now;
    if (n != (ssize_t)sizeof PING - 1) /* there is room for so much in a socket that is idle */
        give_up(conn);
}

/* The next time that it is to be looked at. */
static uint64_t beat(evs__conn *conn, uint64_t now)
{
    if (evs__conn_first(conn) != conn->seen && !conn->pinged)
        look(conn, now);
    uint32_t quiet = (uint32_t)now - conn->quiet_since;
    if (quiet < keepalive(conn))
        return now + keepalive(conn) - quiet;
    if (!conn->pinged && evs__ring_empty(&conn->queue))
        ping(conn, now);
    else if (!somebody_waits(conn) && evs__socket_peek(conn->socket) == EVS__SOCKET_QUIET)
        give_up(conn);
    return now + keepalive(conn);
}

void evs__conn_ponged(evs__conn *conn)
{
    conn->pinged = 0;
    look(conn, evs__loop_now_ms(conn->loop));
}

/* ---- all of a loop ---- */

static evs__conn *conn_of(evs__ring *ring)
{
    return (evs__conn *)((char *)ring - offsetof(evs__conn, pulse));
}

static void arm(evs__loop *loop, uint64_t now, uint64_t at)
{
    loop->pulse_at = at;
    evs__timer_start(loop->pulse, at > now ? at - now : 0);
}

/* Nobody is told anything here: requests that are lost hear of it in the next flush. */
static void beat_all(void *owner)
{
    evs__loop *loop = owner;
    uint64_t now = evs__loop_now_ms(loop), next = UINT64_MAX;
    evs__glance_expire(&loop->glance);
    for (evs__ring *at = loop->beating.next, *behind; at != &loop->beating; at = behind) {
        behind = at->next;
        uint64_t due = beat(conn_of(at), now);
        next = due < next ? due : next;
    }
    loop->pulse_at = UINT64_MAX;
    if (!evs__ring_empty(&loop->beating))
        arm(loop, now, next);
}

/* Without memory for the timer it goes without. */
void evs__conn_join_pulse(evs__conn *conn)
{
    evs__loop *loop = conn->loop;
    if (keepalive(conn) == 0 || conn->login->endpoint.host == NULL)
        return;
    if (loop->pulse == NULL)
        loop->pulse = evs__timer_new(loop, beat_all, loop);
    if (loop->pulse == NULL)
        return;
    uint64_t now = evs__loop_now_ms(loop);
    conn->quiet_since = (uint32_t)now;
    evs__ring_append(&loop->beating, &conn->pulse);
    if (now + keepalive(conn) < loop->pulse_at)
        arm(loop, now, now + keepalive(conn));
}

static void leave(evs__conn *conn)
{
    evs__ring_remove(&conn->pulse);
    evs__ring_init(&conn->pulse);
}

void evs__conn_leave_pulse(evs__conn *conn)
{
    leave(conn);
    conn->pinged = 0;
}

/* An answer that is owed is still to come. */
void evs__conn_change_pulse(evs__conn *conn)
{
    if (conn->state != EVS__CONN_READY)
        return;
    leave(conn);
    evs__conn_join_pulse(conn);
}
