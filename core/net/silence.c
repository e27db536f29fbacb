/*
 * silence.c - servers that take requests and say nothing any more: stopped, hung, or gone.
 *
 *   READY --silent_after deadlines without a byte--> silent --retry_after--> tried anew (breaker.c)
 *     ^                                                |
 *     +---------------- a byte arrives ----------------+
 *
 * Only deadlines of requests that were written count, and any byte begins the row anew. While a
 * connection is silent nothing more is written, so what is queued did not run and can be withdrawn;
 * with the first byte it leaves, behind what was written before. So a server that was only slow
 * loses nothing, and order is kept.
 *
 * It is tried anew by another connection in place of this one: what greets is alive. Nobody may
 * wait for an answer here any more then, since the server may be at work on it. Whoever cannot wait
 * so long is refused: how long a silence lasts is counted from its first deadline, so a caller of
 * much patience does not suffer from those of little.
 */
#include "core/net/conn_inner.h"

#include <stdio.h>
#include <time.h>

/* ---- what is known ---- */

static uint64_t lasted(const evs__conn *conn)
{
    return evs__loop_now_ms(conn->loop) - conn->unanswered_since;
}

static int is_quiet(const evs__conn *conn)
{
    return evs__socket_peek(conn->socket) == EVS__SOCKET_QUIET;
}

static int was_written(const evs__conn *conn, const evs__request *request)
{
    return request->start >= conn->lost_end && request->end <= conn->written;
}

int evs__conn_holds_back(const evs__conn *conn, const evs__request *request)
{
    return evs__conn_is_silent(conn) && request->start >= evs__conn_committed(conn);
}

/* For something that was written at least in part. */
static int somebody_waits(const evs__conn *conn)
{
    uint64_t committed = evs__conn_committed(conn);
    for (const evs__ring *at = conn->queue.next; at != &conn->queue; at = at->next) {
        const evs__request *request = (const evs__request *)at;
        if (request->start >= committed)
            return 0;
        if (evs__conn_is_awaited(request))
            return 1;
    }
    return 0;
}

static int holds_any(const evs__conn *conn)
{
    return !evs__ring_empty(&conn->queue) &&
           evs__conn_holds_back(conn, (const evs__request *)conn->queue.prev);
}

/* ---- into silence ---- */

static void put_off(evs__conn *conn)
{
    conn->retry_at = evs__loop_now_ms(conn->loop) + evs__conn_retry_delay(conn);
    evs__conn_arm(conn); /* out of memory, the next request finds out */
}

static void tell_silent(evs__conn *conn)
{
    char text[120];
    conn->told_down = 1;
    conn->loop->counts.downs++;
    snprintf(text, sizeof text,
             "silent, %u calls in a row had no answer in time: nothing more is sent",
             conn->unanswered);
    evs__conn_tell_news(conn, EVS_E_TIMEOUT, text);
}

static void fall_silent(evs__conn *conn)
{
    conn->blocked |= EVS__BLOCKED_SILENT;
    conn->easy = 0; /* evs__conn_takes fails */
    conn->down_since = (uint32_t)(time(NULL) - (time_t)(lasted(conn) / 1000));
    evs__conn_want(conn);
    put_off(conn);
    tell_silent(conn);
}

void evs__conn_unanswered(evs__conn *conn, const evs__request *request)
{
    unsigned most = conn->login->link.silent_after;
    if (conn->state != EVS__CONN_READY || most == 0 || !was_written(conn, request))
        return;
    if (conn->unanswered++ == 0)
        conn->unanswered_since = evs__loop_now_ms(conn->loop);
    conn->doubted = 1;
    if (conn->unanswered >= most && !evs__conn_is_silent(conn) && is_quiet(conn))
        fall_silent(conn);
}

/* ---- out of it ---- */

void evs__conn_end_silence(evs__conn *conn)
{
    conn->unanswered = 0;
    conn->doubted = 0;
    if (!evs__conn_is_silent(conn))
        return;
    conn->blocked &= EVS__BLOCKED_FULL;
    conn->easy = evs__conn_easy(conn->limits);
}

void evs__conn_heard(evs__conn *conn)
{
    int silent = evs__conn_is_silent(conn);
    evs__conn_end_silence(conn);
    if (!silent)
        return;
    conn->retry_at = 0;
    evs__loop_mark(conn->loop, &conn->dirty);
    evs__conn_tell_up(conn);
}

/* ---- trying anew ---- */

/* It counts as down from now on, where the link knows of that, until a connection works. */
void evs__conn_try_anew(evs__conn *conn)
{
    char since[32];
    uint32_t down_since = conn->down_since;
    unsigned most = conn->login->link.down_after;
    evs__conn_write_since(conn, since, sizeof since);
    evs__conn_down(conn, EVS_E_CLOSED, "no answer since %s", since);
    if (conn->failures < most)
        conn->failures = most;
    conn->down_since = down_since;
    conn->retry_at = 0;
    evs__conn_open(conn);
}

void evs__conn_probe(evs__conn *conn)
{
    int held = holds_any(conn);
    if (evs__conn_wait(conn) > 0) {
        evs__conn_arm(conn);
    } else if (somebody_waits(conn) || !is_quiet(conn)) {
        put_off(conn);
    } else if (held || evs__conn_is_wanted(conn)) {
        evs__conn_try_anew(conn);
        conn->probing = conn->state != EVS__CONN_IDLE;
    }
}

/* ---- who asks ---- */

static int is_due(const evs__conn *conn)
{
    return evs__conn_wait(conn) == 0 && conn->busy == 0 && !somebody_waits(conn);
}

evs_status evs__conn_bear(evs__conn *conn, uint64_t until, evs_error *err)
{
    if (!is_quiet(conn)) /* it leaves behind what lies in the socket */
        return EVS_OK;
    if (is_due(conn)) {
        evs__conn_try_anew(conn);
        return EVS_OK;
    }
    if (until == 0)
        return evs__conn_refuse(conn, err);
    evs__conn_arm(conn);
    uint64_t now = evs__loop_now_ms(conn->loop), left = until > now ? until - now : 0;
    if (conn->login->link.waits || left > lasted(conn))
        return EVS_OK;
    return evs__conn_refuse(conn, err);
}
