#include "core/net/conn_inner.h"

#include "core/error.h"
#include "core/mem.h"

#include <assert.h>

enum { MOVE_FROM = 4096 };

/* ---- life ---- */

static void destroy(evs__conn *conn)
{
    evs__conn_forget_password(conn);
    evs__reader_free(conn->reader);
    evs__tls_free(conn->tls);
    evs__buf_free(&conn->out);
    evs__free(conn->problem);
    evs__free(conn);
}

evs_status evs__conn_new(evs__conn **out, evs__loop *loop, const evs__login *login,
                         const evs__conn_limits *limits, evs_error *err)
{
    evs__conn *conn = evs__zalloc_lines(1, sizeof *conn);
    if (conn == NULL)
        return evs__fail_nomem(err);
    conn->loop = loop;
    conn->login = login;
    conn->limits = limits;
    conn->easy = evs__conn_easy(limits);
    evs__ahead_make_known(&loop->ahead, conn);
    conn->dirty.flush = evs__conn_flush;
    loop->listeners += limits->unasked != NULL;
    evs__ring_init(&conn->queue);
    evs__ring_init(&conn->lost);
    evs__ring_init(&conn->pulse);
    *out = conn;
    return EVS_OK;
}

void evs__conn_set_finder(evs__conn *conn, evs__finder *finder)
{
    assert(conn->state == EVS__CONN_IDLE);
    conn->finder = finder;
}

int evs__conn_is_seeking(const evs__conn *conn)
{
    return conn->attempt != NULL && conn->attempt->seeking;
}

int evs__conn_is_idle(const evs__conn *conn)
{
    return conn->state == EVS__CONN_READY && conn->count == 0 && conn->busy == 0;
}

int evs__conn_is_stirred(const evs__conn *conn)
{
    return conn->state == EVS__CONN_READY && evs__socket_peek(conn->socket) != EVS__SOCKET_QUIET;
}

void evs__conn_set_login(evs__conn *conn, const evs__login *login)
{
    assert(evs__login_same(conn->login, login));
    conn->login = login;
    evs__conn_keep_password(conn);
    evs__conn_change_pulse(conn);
    if (conn->tls != NULL)
        evs__tls_set_login(conn->tls, login);
}

void evs__conn_leave(evs__conn *conn)
{
    assert(conn->busy > 0);
    if (--conn->busy > 0)
        return;
    if (conn->closing)
        destroy(conn);
    else if (conn->reader != NULL && !conn->halfway) {
        evs__loop_return_reader(conn->loop, conn->reader);
        conn->reader = NULL;
    }
}

/* Everything that ties the connection to the loop. */
static void detach(evs__conn *conn)
{
    conn->closing = 1;
    conn->loop->listeners -= conn->limits->unasked != NULL;
    evs__loop_unmark(&conn->dirty);
    evs__ahead_leave(conn);
    evs__conn_drop_attempt(conn);
    evs__conn_leave_pulse(conn);
    evs__timer_free(conn->again);
    conn->again = NULL;
    evs__socket_close(conn->socket);
    conn->socket = NULL;
    conn->state = EVS__CONN_IDLE;
}

void evs__conn_free(evs__conn *conn)
{
    if (conn == NULL)
        return;
    evs__conn_enter(conn);
    detach(conn);
    conn->epoch++;
    evs__conn_strand(conn);
    evs_error why;
    evs__conn_fail(conn, &why, EVS_E_CANCELED, "connection closed by its owner");
    evs__conn_tell(conn, &why);
    evs__conn_leave(conn);
}

void evs__conn_abandon(evs__conn *conn)
{
    if (conn == NULL)
        return;
    evs__conn_enter(conn);
    evs__loop_fork(conn->loop);
    detach(conn);
    conn->epoch++; /* in a completion: nothing is told after it has returned */
    evs__ring_init(&conn->queue);
    evs__ring_init(&conn->lost);
    evs__conn_leave(conn);
}

/* ---- what callers ask ---- */

static void reconnect_if_dead(evs__conn *conn)
{
    if (conn->busy > 0 || !evs__ring_empty(&conn->queue))
        return;
    if (conn->retired) {
        evs__conn_down(conn, conn->retired == EVS__CONN_NO_LOGIN ? EVS_E_AUTH : EVS_E_READONLY,
                       "%s", evs__conn_why_unfit(conn));
        return;
    }
    if (conn->pinged && conn->loop->reading)
        return; /* the answer to PING comes first, and is read in its turn */
    if (conn->pinged && evs__ring_empty(&conn->lost) &&
        evs__socket_peek(conn->socket) != EVS__SOCKET_QUIET)
        evs__conn_on_socket(conn, EVS__SOCKET_READABLE); /* the answer, and what is behind it */
    if (conn->state != EVS__CONN_READY)
        return;
    switch (evs__socket_peek(conn->socket)) {
    case EVS__SOCKET_QUIET:
        return;
    case EVS__SOCKET_DEAD:
        evs__conn_down(conn, EVS_E_CLOSED, "connection closed by the server");
        return;
    case EVS__SOCKET_TALKS:
        if (conn->resp3 || conn->limits->unasked != NULL) /* may be a push; reading will tell */
            return;
        evs__conn_down(conn, EVS_E_PROTOCOL, "the server sent bytes that nobody asked for");
        return;
    }
}

/* The same in short, for one in the clear to which nothing happened, and whose server may not have
 * been replaced meanwhile. Gets it a buffer. */
int evs__conn_wakes(evs__conn *conn)
{
    if (conn->retired || conn->pinged || conn->tls != NULL || conn->finder != NULL ||
        !evs__ring_empty(&conn->lost) ||
        (conn->busy == 0 && !evs__loop_is_quiet(conn->loop, conn->fd)))
        return 0;
    evs__loop_lend_buf(conn->loop, &conn->out);
    return 1;
}

size_t evs__conn_queued_bytes(const evs__conn *conn)
{
    if (evs__ring_empty(&conn->queue))
        return 0;
    return (size_t)(evs__conn_tail(conn) - ((evs__request *)conn->queue.next)->start);
}

static evs_status queue_full(const evs__conn *conn, evs_error *err)
{
    evs_error full;
    evs__fail(&full, EVS_E_QUEUE_FULL, "%zu bytes are queued, the limit is %zu",
              evs__conn_queued_bytes(conn), conn->limits->max_queued_bytes);
    return evs__conn_fail(conn, err, full.status, full.message);
}

/* Who cannot wait has 0 in `until`. */
static evs_status prepare(evs__conn *conn, uint64_t until, evs_error *err)
{
    evs_status status = EVS_OK;
    if (conn->closing)
        return evs__conn_fail(conn, err, EVS_E_CANCELED, "connection closed by its owner");
    if (conn->state == EVS__CONN_READY)
        reconnect_if_dead(conn);
    if (evs__conn_is_silent(conn))
        status = evs__conn_bear(conn, until, err);
    if (status == EVS_OK && conn->state != EVS__CONN_READY)
        status = evs__conn_reach(conn, until != 0, err);
    if (status != EVS_OK)
        return status;
    if (evs__conn_queued_bytes(conn) > conn->limits->max_queued_bytes && conn->holes)
        evs__conn_close_holes(conn);
    if (evs__conn_queued_bytes(conn) > conn->limits->max_queued_bytes)
        return queue_full(conn, err);
    return EVS_OK;
}

evs_status evs__conn_prepare(evs__conn *conn, evs_error *err)
{
    return prepare(conn, 0, err);
}

evs_status evs__conn_await(evs__conn *conn, uint64_t until, evs_error *err)
{
    assert(until != 0);
    return prepare(conn, until, err);
}

evs__conn_state evs__conn_state_of(const evs__conn *conn)
{
    return conn->state;
}

uint64_t evs__conn_epoch(const evs__conn *conn)
{
    return conn->epoch;
}

size_t evs__conn_queued(const evs__conn *conn)
{
    return conn->count;
}

const char *evs__conn_why_unfit(const evs__conn *conn)
{
    return conn->retired == EVS__CONN_NO_LOGIN ? "the server does not know the login any more"
                                               : "the server is a read-only replica now";
}

int evs__conn_owes(evs__conn *conn)
{
    const evs__request *oldest = evs__conn_oldest(conn);
    return oldest != NULL && oldest->start < evs__conn_committed(conn);
}

/* Outside of completions the next request is what finds out, before it is queued. */
void evs__conn_retire(evs__conn *conn, evs__conn_unfit why)
{
    conn->retired = (unsigned char)why;
    if (conn->state == EVS__CONN_READY && conn->busy > 0 && !evs__conn_owes(conn))
        evs__conn_end_soon(conn);
}

/* ---- the queue ---- */

evs__buf *evs__conn_begin(evs__conn *conn, evs__request *request)
{
    evs__loop_lend_buf(conn->loop, &conn->out);
    request->start = evs__conn_tail(conn);
    return &conn->out;
}

static int take_back(evs__conn *conn, evs__request *request)
{
    request->end = request->start;
    conn->out.len = (size_t)(request->start - conn->base);
    conn->out.failed = 0;
    return 0;
}

void evs__conn_mark(evs__conn *conn, const void *one, const void *other)
{
    evs__ahead_join(conn, one, other);
    evs__loop_mark(conn->loop, &conn->dirty);
}

void evs__conn_write_early(evs__conn *conn)
{
    if (conn->state == EVS__CONN_READY)
        evs__conn_write(conn);
}

int evs__conn_end(evs__conn *conn, evs__request *request)
{
    assert(request->done != NULL);
    if (conn->closing || !evs__buf_ok(&conn->out))
        return take_back(conn, request);
    evs__conn_append(conn, request, NULL, NULL);
    return 1;
}

/* What is behind the last request of the queue belongs to nobody. */
static void cut_tail(evs__conn *conn)
{
    uint64_t end = evs__conn_committed(conn);
    if (!evs__ring_empty(&conn->queue)) {
        const evs__request *last = (const evs__request *)conn->queue.prev;
        end = last->end > end ? last->end : end;
    }
    conn->out.len = (size_t)(end - conn->base);
}

/* The bytes stay where they are for now, unless they are at one end of what is unwritten. */
static void leave_hole(evs__conn *conn, const evs__request *request)
{
    if (request->end == evs__conn_tail(conn))
        cut_tail(conn);
    else if (request->start == conn->written) /* then nothing is held */
        conn->written = request->end;
    else
        conn->holes = 1;
}

void evs__conn_close_holes(evs__conn *conn)
{
    uint64_t committed = evs__conn_committed(conn), to = committed;
    conn->holes = 0;
    for (evs__ring *at = conn->queue.next; at != &conn->queue; at = at->next) {
        evs__request *request = (evs__request *)at;
        uint64_t len = request->end - request->start;
        if (request->start < committed) {
            to = request->end > to ? request->end : to;
            continue;
        }
        if (request->start != to)
            memmove(conn->out.data + (to - conn->base),
                    conn->out.data + (request->start - conn->base), len);
        request->start = to;
        request->end = to + len;
        to += len;
    }
    conn->out.len = (size_t)(to - conn->base);
}

int evs__conn_withdraw(evs__conn *conn, evs__request *request)
{
    int lost = request->start < conn->lost_end;
    if (request->start < (lost ? conn->lost_written : evs__conn_committed(conn)))
        return 0;
    evs__ring_remove(&request->ring);
    conn->count--;
    if (lost)
        return 1;
    leave_hole(conn, request);
    if (conn->busy == 0) /* else a completion may still look at its request's bytes */
        evs__conn_discard(conn);
    return 1;
}

evs_bytes evs__conn_bytes(const evs__conn *conn, const evs__request *request)
{
    evs_bytes bytes = {conn->out.data + (request->start - conn->base),
                       (size_t)(request->end - request->start)};
    return bytes;
}

void evs__conn_discard(evs__conn *conn)
{
    if (conn->closing)
        return;
    size_t dead = (size_t)(evs__conn_first(conn) - conn->base);
    if (dead < conn->out.len && (dead < MOVE_FROM || dead < conn->out.len / 2))
        return;
    conn->base += dead;
    if (dead < conn->out.len) {
        evs__buf_consume(&conn->out, dead);
        return;
    }
    conn->out.len = 0;
    if (conn->out.data != NULL)
        evs__loop_return_buf(conn->loop, &conn->out);
}
