#include "core/net/conn_inner.h"

#include "core/error.h"
#include "core/mem.h"

#include <assert.h>

enum { KEEP_BUF = 512, MOVE_FROM = 4096, WRITE_EARLY = 256 * 1024 };

/* ---- life ---- */

static void destroy(evs__conn *conn)
{
    evs__resp_free(conn->resp);
    evs__arena_free(&conn->arena);
    evs__buf_free(&conn->out);
    evs__free(conn->problem);
    evs__free(conn);
}

evs_status evs__conn_new(evs__conn **out, evs__loop *loop, const evs__login *login,
                         const evs__conn_limits *limits, evs_error *err)
{
    evs__conn *conn = evs__zalloc_array(1, sizeof *conn);
    if (conn == NULL)
        return evs__fail_nomem(err);
    conn->loop = loop;
    conn->login = login;
    conn->limits = *limits;
    conn->says = (evs__greeting){login, limits->protocol};
    conn->dirty.flush = evs__conn_flush;
    conn->random = ((uint64_t)(uintptr_t)conn ^ uv_hrtime()) | 1;
    conn->resp = evs__resp_new(&conn->arena, limits->max_reply_bytes, limits->max_reply_depth);
    if (conn->resp == NULL) {
        destroy(conn);
        return evs__fail_nomem(err);
    }
    *out = conn;
    return EVS_OK;
}

void evs__conn_leave(evs__conn *conn)
{
    assert(conn->busy > 0);
    if (--conn->busy > 0)
        return;
    if (conn->closing)
        destroy(conn);
    else if (!conn->halfway && conn->arena.blocks != NULL)
        evs__loop_return_arena(conn->loop, &conn->arena);
}

/* Everything that ties the connection to the loop. */
static void detach(evs__conn *conn)
{
    conn->closing = 1;
    evs__loop_unmark(&conn->dirty);
    evs__conn_drop_attempt(conn);
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
    evs__conn_leave(conn);
}

/* ---- what callers ask ---- */

static void reconnect_if_dead(evs__conn *conn)
{
    if (conn->busy > 0 || conn->queue.head != NULL)
        return;
    switch (evs__socket_peek(conn->socket)) {
    case EVS__SOCKET_QUIET:
        return;
    case EVS__SOCKET_DEAD:
        evs__conn_down(conn, EVS_E_CLOSED, "connection closed by the server");
        return;
    case EVS__SOCKET_TALKS:
        if (conn->resp3) /* may be a push; reading it will tell */
            return;
        evs__conn_down(conn, EVS_E_PROTOCOL, "the server sent bytes that nobody asked for");
        return;
    }
}

static size_t queued_bytes(const evs__conn *conn)
{
    if (conn->queue.head == NULL)
        return 0;
    return (size_t)(evs__conn_tail(conn) - conn->queue.head->start);
}

static evs_status queue_full(const evs__conn *conn, evs_error *err)
{
    evs_error full;
    evs__fail(&full, EVS_E_QUEUE_FULL, "%zu bytes are queued, the limit is %zu", queued_bytes(conn),
              conn->limits.max_queued_bytes);
    return evs__conn_fail(conn, err, full.status, full.message);
}

evs_status evs__conn_prepare(evs__conn *conn, evs_error *err)
{
    if (conn->closing)
        return evs__conn_fail(conn, err, EVS_E_CANCELED, "connection closed by its owner");
    if (conn->state == EVS__CONN_READY)
        reconnect_if_dead(conn);
    if (conn->state == EVS__CONN_IDLE) {
        uint64_t wait = evs__conn_wait(conn);
        if (wait > 0)
            return evs__conn_problem(conn, wait, err);
        evs__conn_open(conn);
        if (conn->state == EVS__CONN_IDLE)
            return evs__conn_problem(conn, 0, err);
    }
    if (queued_bytes(conn) > conn->limits.max_queued_bytes)
        return queue_full(conn, err);
    return EVS_OK;
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
    return conn->queue.count + conn->lost.count;
}

void evs__conn_stats_add(const evs__conn *conn, evs__conn_stats *sum)
{
    sum->writes += conn->stats.writes;
    sum->connects += conn->stats.connects;
}

/* ---- the queue ---- */

evs__buf *evs__conn_begin(evs__conn *conn, evs__request *request)
{
    evs__loop_lend_buf(conn->loop, &conn->out);
    request->start = evs__conn_tail(conn);
    request->next = NULL;
    return &conn->out;
}

static int take_back(evs__conn *conn, const evs__request *request)
{
    conn->out.len = (size_t)(request->start - conn->base);
    conn->out.failed = 0;
    return 0;
}

static void append(evs__queue *queue, evs__request *request)
{
    if (queue->head == NULL)
        queue->head = request;
    else
        queue->tail->next = request;
    queue->tail = request;
    queue->count++;
}

int evs__conn_end(evs__conn *conn, evs__request *request)
{
    assert(request->done != NULL);
    if (conn->closing || !evs__buf_ok(&conn->out))
        return take_back(conn, request);
    request->end = evs__conn_tail(conn);
    append(&conn->queue, request);
    evs__loop_mark(conn->loop, &conn->dirty);
    if (conn->state == EVS__CONN_READY && request->end - conn->written > WRITE_EARLY)
        evs__conn_write(conn);
    return 1;
}

/* The request before `request`, NULL when it is the first. Returns 0 when it is not in the queue.
 */
static int find(evs__request **before, const evs__queue *queue, const evs__request *request)
{
    *before = NULL;
    for (evs__request *at = queue->head; at != NULL; at = at->next) {
        if (at == request)
            return 1;
        *before = at;
    }
    return 0;
}

static void unlink_behind(evs__queue *queue, evs__request *before, evs__request *request)
{
    if (before == NULL)
        queue->head = request->next;
    else
        before->next = request->next;
    if (queue->tail == request)
        queue->tail = before;
    queue->count--;
    request->next = NULL;
}

/* The oldest unwritten request is stepped over, which costs nothing however many follow. */
static void cut_bytes(evs__conn *conn, evs__request *request)
{
    if (request->start == conn->written) {
        conn->written = request->end;
        return;
    }
    uint64_t len = request->end - request->start;
    char *at = conn->out.data + (request->start - conn->base);
    memmove(at, at + len, (size_t)(evs__conn_tail(conn) - request->end));
    conn->out.len -= (size_t)len;
    for (evs__request *later = request->next; later != NULL; later = later->next) {
        later->start -= len;
        later->end -= len;
    }
}

int evs__conn_withdraw(evs__conn *conn, evs__request *request)
{
    evs__request *before;
    if (request->start < conn->written && conn->lost.head == NULL)
        return 0; /* without a search: when a server hangs, all that is in flight comes here */
    if (find(&before, &conn->queue, request)) {
        if (request->start < conn->written)
            return 0;
        cut_bytes(conn, request);
        unlink_behind(&conn->queue, before, request);
        if (conn->busy == 0) /* else a completion may still look at its request's bytes */
            evs__conn_discard(conn);
        return 1;
    }
    if (!find(&before, &conn->lost, request) || request->start < conn->lost_written)
        return 0;
    unlink_behind(&conn->lost, before, request);
    return 1;
}

evs_bytes evs__conn_bytes(const evs__conn *conn, const evs__request *request)
{
    evs_bytes bytes = {conn->out.data + (request->start - conn->base),
                       (size_t)(request->end - request->start)};
    return bytes;
}

/* Where the oldest bytes lie that a request still needs. */
static uint64_t oldest(const evs__conn *conn)
{
    if (conn->lost.head != NULL)
        return conn->lost.head->start;
    if (conn->queue.head != NULL)
        return conn->queue.head->start;
    return evs__conn_tail(conn);
}

void evs__conn_discard(evs__conn *conn)
{
    if (conn->closing)
        return;
    size_t dead = (size_t)(oldest(conn) - conn->base);
    if (dead < conn->out.len && (dead < MOVE_FROM || dead < conn->out.len / 2))
        return;
    conn->base += dead;
    if (dead < conn->out.len) {
        evs__buf_consume(&conn->out, dead);
        return;
    }
    conn->out.len = 0;
    if (conn->out.cap > KEEP_BUF)
        evs__loop_return_buf(conn->loop, &conn->out);
}
