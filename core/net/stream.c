/*
 * stream.c - requests out, replies in.
 *
 * What was queued in a turn leaves in one write. Reading goes through the loop's one buffer and is
 * bounded per turn, so that a talkative server does not keep others waiting. A refused write does
 * not end the connection at once: answers that lie in the socket already are delivered first.
 */
#include "core/net/conn_inner.h"

#include "core/mem.h"
#include "core/printable.h"
#include "core/resp_quick.h"

#include <errno.h>

enum {
    ARENA_USED = 8 * 1024, /* bytes of replies that were delivered */
    QUOTED = 200,          /* bytes of a server's text in a message */
    READS_PER_TURN = 16,
    READS_AT_THE_END = 4096 /* of a broken socket; more than a socket's buffer holds */
};

static const char TLS_HINT[] = ": does it expect TLS at this port?";

/* ---- writing ---- */

static void set_send_problem(evs__conn *conn, int problem)
{
    conn->send_problem = (int16_t)problem;
    evs__loop_mark(conn->loop, &conn->dirty);
}

void evs__conn_end_soon(evs__conn *conn)
{
    if (conn->send_problem == 0)
        set_send_problem(conn, ESTALE);
}

/* Whatever is written to a retired connection would be refused, too, and would keep it: only a
 * request that was begun is ended. */
static int holds_back(evs__conn *conn)
{
    if (!conn->retired || !evs__conn_owes(conn) || evs__conn_committed(conn) != conn->written)
        return 0;
    for (const evs__ring *at = conn->queue.next; at != &conn->queue; at = at->next) {
        const evs__request *request = (const evs__request *)at;
        if (request->end > conn->written)
            return request->start >= conn->written;
    }
    return 1;
}

void evs__conn_write(evs__conn *conn)
{
    if (holds_back(conn))
        return;
    if (conn->holes)
        evs__conn_close_holes(conn);
    size_t left = (size_t)(evs__conn_tail(conn) - conn->written);
    if (conn->send_problem != 0 || conn->blocked || left == 0)
        return;
    const char *data = conn->out.data + (conn->written - conn->base);
    ssize_t n = conn->tls == NULL ? evs__fd_send(conn->fd, data, left)
                                  : evs__socket_send(conn->socket, data, left);
    if (n < 0 && n != -EAGAIN) {
        set_send_problem(conn, (int)-n);
        return;
    }
    if (n > 0) {
        conn->written += (uint64_t)n;
        conn->loop->counts.writes++;
    }
    conn->blocked = n < 0 || (size_t)n < left ? EVS__BLOCKED_FULL : 0;
    if (!conn->blocked)
        return;
    int problem = evs__socket_watch(conn->socket, EVS__SOCKET_READABLE | EVS__SOCKET_WRITABLE);
    if (problem != 0)
        set_send_problem(conn, problem);
}

static void write_on(evs__conn *conn)
{
    conn->blocked &= EVS__BLOCKED_SILENT;
    evs__conn_write(conn);
    if ((conn->blocked & EVS__BLOCKED_FULL) != 0 || conn->send_problem != 0)
        return;
    int problem = evs__socket_watch(conn->socket, EVS__SOCKET_READABLE);
    if (problem != 0)
        set_send_problem(conn, problem);
}

/* ---- replies ---- */

static void unexpected(evs__conn *conn, const evs_reply *reply)
{
    const char *when = evs__ring_empty(&conn->queue) ? "anybody asked" : "the request was sent";
    char text[QUOTED] = "";
    if (evs_reply_kind(reply) == EVS_REPLY_ERROR)
        evs__printable(text, sizeof text, evs_reply_bytes(reply));
    evs__conn_down(conn, EVS_E_PROTOCOL, "the server answered before %s%s%s", when,
                   text[0] == '\0' ? "" : ": ", text);
}

static evs__got got_of(evs__resp_got got)
{
    switch (got) {
    case EVS__RESP_TOO_BIG:
        return EVS__GOT_TOO_BIG;
    case EVS__RESP_TOO_DEEP:
        return EVS__GOT_TOO_DEEP;
    case EVS__RESP_NOMEM:
        return EVS__GOT_NOMEM;
    case EVS__RESP_NOMEM_VALUE:
        return EVS__GOT_NOMEM_VALUE;
    default:
        return EVS__GOT_REPLY;
    }
}

/* A reply may begin when a part of its request was written: it is a complaint then, and worth
 * reading to its end. It counts as the answer only when all was written; otherwise the server would
 * take the rest of the request for something else. */
static inline int is_expected(const evs__conn *conn, const evs__request *request, int complete)
{
    if (conn->state == EVS__CONN_GREETING ||
        (!complete && evs__resp_owes_nothing(conn->reader->resp)))
        return 1;
    if (request == NULL)
        return 0;
    return complete ? request->end <= conn->written : request->start < conn->written;
}

/* In RESP2, a message of a channel is a reply that nobody asked for. */
static int is_message(const evs__conn *conn, const evs__request *request, evs__resp_got got)
{
    return conn->limits->unasked != NULL && request == NULL && conn->state == EVS__CONN_READY &&
           (got == EVS__RESP_REPLY || got == EVS__RESP_MORE);
}

static int is_pong(const evs__conn *conn, evs__resp_got got, const evs_reply *reply)
{
    static const char word[] = "message";
    evs_bytes first = evs_reply_bytes(evs_reply_at(reply, 0));
    return conn->pinged && got != EVS__RESP_PUSH &&
           (first.len != sizeof word - 1 || memcmp(first.data, word, sizeof word - 1) != 0);
}

static void hear(evs__conn *conn, evs__resp_got got, const evs_reply *reply)
{
    if (is_pong(conn, got, reply))
        evs__conn_ponged(conn);
    else if (conn->limits->unasked != NULL && reply != NULL)
        conn->limits->unasked(conn->limits->news_owner, reply);
}

/* The request is answered. */
static inline void take(evs__conn *conn, evs__request *request)
{
    evs__ring_remove(&request->ring);
    conn->count--;
}

/* Gives a complete reply to the oldest request. Returns 0 when the connection is gone then. */
static inline int deliver(evs__conn *conn, evs__request *request, evs__resp_got got,
                          const evs_reply *reply)
{
    uint64_t epoch = conn->epoch;
    evs__answer answer = {.got = EVS__GOT_REPLY};
    take(conn, request);
    evs__loop_stir(conn->loop);
    if (!request->unwanted) {
        answer.got = got == EVS__RESP_REPLY ? EVS__GOT_REPLY : got_of(got);
        answer.reply = reply;
    }
    request->done(request, &answer);
    return conn->epoch == epoch;
}

static void not_resp(evs__conn *conn, const char *data, size_t len)
{
    const char *guess = NULL;
    if (conn->state == EVS__CONN_GREETING)
        guess = evs__greeting_guess(data, len);
    evs__conn_down(conn, EVS_E_PROTOCOL, "%s%s%s", evs__resp_problem(conn->reader->resp),
                   guess == NULL ? "" : "; ", guess == NULL ? "" : guess);
}

static void skip_unwanted(evs__conn *conn)
{
    if (conn->state != EVS__CONN_READY || conn->skipping)
        return;
    evs__resp_skip(conn->reader->resp);
    conn->skipping = 1;
}

static int take_reader(evs__conn *conn)
{
    const evs__conn_limits *limits = conn->limits;
    if (conn->reader == NULL)
        conn->reader = evs__loop_lend_reader(conn->loop, limits->max_reply_bytes,
                                             limits->max_reply_depth);
    if (conn->reader == NULL)
        evs__conn_down(conn, EVS_E_NOMEM, "out of memory");
    return conn->reader != NULL;
}

/* Reads one reply, or a part of one. Returns 0 when the connection is gone. */
static int absorb_one(evs__conn *conn, evs_bytes *data)
{
    size_t used;
    const evs_reply *reply = NULL;
    evs__request *request = conn->pinged ? NULL : evs__conn_oldest(conn);
    if (request != NULL && request->unwanted)
        skip_unwanted(conn);
    evs__resp_got got = evs__resp_read(conn->reader->resp, data->data, data->len, &used, &reply);
    if (got == EVS__RESP_BAD) {
        not_resp(conn, data->data, data->len);
        return 0;
    }
    data->data += used;
    data->len -= used;
    conn->halfway = got == EVS__RESP_MORE;
    if (got == EVS__RESP_PUSH || is_message(conn, request, got)) {
        if (!conn->halfway)
            hear(conn, got, reply);
        return 1;
    }
    if (conn->pinged) {
        if (!conn->halfway)
            evs__conn_ponged(conn);
        return 1;
    }
    if (!is_expected(conn, request, !conn->halfway)) {
        unexpected(conn, reply);
        return 0;
    }
    if (conn->halfway)
        return 1;
    conn->skipping = 0;
    if (conn->state != EVS__CONN_GREETING)
        return deliver(conn, request, got, reply);
    if (got == EVS__RESP_NOMEM || got == EVS__RESP_NOMEM_VALUE) {
        evs__conn_down(conn, EVS_E_NOMEM, "out of memory during the greeting");
        return 0;
    }
    return evs__conn_greeted(conn, reply);
}

/* Whole numbers, which most scripts return, need neither the reader nor the arena. Stops before
 * anything else, and before what is not complete or not awaited. Returns 0 when the connection is
 * gone. */
static inline int absorb_numbers(evs__conn *conn, evs_bytes *data)
{
    const char *p = data->data, *end = p + data->len;
    uint64_t epoch = conn->epoch;
    evs_reply reply = {EVS_REPLY_INTEGER, 0, {.integer = 0}};
    const evs__answer answer = {.got = EVS__GOT_REPLY, .reply = &reply};
    while (conn->epoch == epoch && p < end && *p == ':') {
        evs__request *request = evs__conn_oldest(conn);
        if (request == NULL || request->unwanted || request->end > conn->written)
            break;
        evs__fetch_soon(request->ring.next->next); /* the one behind the next, and its owner */
        const char *behind = evs__quick_number(&reply.as.integer, p + 1, end);
        if (behind == NULL)
            break;
        p = behind;
        take(conn, request);
        request->done(request, &answer);
    }
    if (p != data->data)
        evs__loop_stir(conn->loop);
    *data = (evs_bytes){p, (size_t)(end - p)};
    return conn->epoch == epoch;
}

static inline int is_between_replies(const evs__conn *conn)
{
    return conn->state == EVS__CONN_READY && !conn->halfway && !conn->skipping && !conn->pinged;
}

/* What many small replies took of the arena is given back at once, not reply by reply. */
static int absorb_any(evs__conn *conn, evs_bytes *left)
{
    int alive = take_reader(conn);
    while (alive && left->len > 0) {
        if (conn->reader->arena.used > ARENA_USED && !conn->halfway)
            evs__arena_reset(&conn->reader->arena);
        alive = absorb_one(conn, left);
        if (alive && left->len > 0 && is_between_replies(conn))
            alive = absorb_numbers(conn, left);
    }
    return alive;
}

/* `data` is in the loop's one buffer. */
static int absorb(evs__conn *conn, const char *data, size_t len)
{
    evs_bytes left = {data, len};
    if (conn->doubted)
        evs__conn_heard(conn);
    conn->loop->reading = 1;
    int alive = !is_between_replies(conn) || absorb_numbers(conn, &left);
    if (alive && left.len > 0)
        alive = absorb_any(conn, &left);
    conn->loop->reading = 0;
    if (conn->retired && conn->state == EVS__CONN_READY && !evs__ring_empty(&conn->queue) &&
        !evs__conn_owes(conn))
        evs__conn_end_soon(conn);
    evs__conn_discard(conn);
    return alive;
}

/* ---- reading ---- */

/* A server that hangs up at the first words may have expected others. */
static int wants_tls(const evs__conn *conn)
{
    evs__greeting says = evs__conn_says(conn);
    return conn->state == EVS__CONN_GREETING && conn->login->tls == NULL &&
           conn->login->endpoint.host != NULL && conn->step == evs__greeting_next(&says, 0);
}

static void ended(evs__conn *conn, int problem)
{
    int greeting = conn->state == EVS__CONN_GREETING;
    const char *text = "connection closed by the server";
    if (conn->tls != NULL && evs__tls_problem(conn->tls)[0] != '\0') {
        evs__conn_down(conn, EVS_E_TLS, "%s", evs__tls_problem(conn->tls));
        return;
    }
    if (problem == ESTALE && conn->retired)
        text = evs__conn_why_unfit(conn);
    else if (problem != 0 && problem != EPIPE)
        text = uv_strerror(-problem);
    evs__conn_down(conn, greeting ? EVS_E_CONNECT : EVS_E_CLOSED, "%s%s%s", text,
                   greeting ? " during the greeting" : "", wants_tls(conn) ? TLS_HINT : "");
}

/* A short read has emptied the socket; looking again would cost a system call per turn. */
static void read_some(evs__conn *conn)
{
    evs__ahead_fetch(conn); /* while the system reads */
    for (int i = 0; i < READS_PER_TURN; i++) {
        ssize_t n = evs__socket_recv(conn->socket, conn->loop->read_buffer, EVS__READ_BUFFER);
        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            ended(conn, (int)-n);
            return;
        }
        if (!absorb(conn, conn->loop->read_buffer, (size_t)n) || n < EVS__READ_BUFFER)
            return;
    }
}

static inline int owes(const evs__conn *conn)
{
    return conn->state == EVS__CONN_READY && conn->tls == NULL && conn->send_problem == 0 &&
           !evs__ring_empty(&conn->queue);
}

/* What a read outside of the loop's events came to. */
static void take_read(evs__conn *conn, ssize_t n)
{
    evs__conn_enter(conn);
    if (n <= 0)
        ended(conn, (int)-n);
    else
        absorb(conn, conn->loop->read_buffer, (size_t)n);
    evs__conn_tell_lost(conn);
    evs__conn_leave(conn);
}

int evs__conn_read_early(evs__conn *conn)
{
    if (!owes(conn))
        return 1;
    ssize_t n = evs__fd_recv(conn->fd, conn->loop->read_buffer, EVS__READ_BUFFER);
    if (n == -EAGAIN)
        return 0;
    take_read(conn, n);
    return 1;
}

/* Where the newest reply is wanted by nobody, whoever waits may wait for another connection, and
 * this one owes what came too late for somebody. */
int evs__conn_read_asleep(evs__conn *conn)
{
    if (!owes(conn) || conn->blocked ||
        !evs__conn_is_awaited((const evs__request *)conn->queue.prev))
        return 0;
    ssize_t n = evs__socket_await(conn->socket, conn->loop->read_buffer, EVS__READ_BUFFER);
    if (n == -EAGAIN)
        return 0;
    take_read(conn, n);
    return 1;
}

/* The socket is of no more use: takes what is left in it, then ends the connection. */
static void read_rest(evs__conn *conn)
{
    int problem = conn->send_problem;
    for (int i = 0; i < READS_AT_THE_END; i++) {
        ssize_t n = evs__socket_recv(conn->socket, conn->loop->read_buffer, EVS__READ_BUFFER);
        if (n <= 0) {
            if (n != 0 && n != -EAGAIN)
                problem = (int)-n;
            break;
        }
        if (!absorb(conn, conn->loop->read_buffer, (size_t)n))
            return;
    }
    ended(conn, problem);
}

/* ---- events ---- */

static void read_event(evs__conn *conn, unsigned events)
{
    if (events & EVS__SOCKET_BROKEN)
        read_rest(conn);
    else if (events & EVS__SOCKET_READABLE)
        read_some(conn);
}

static void write_event(evs__conn *conn, unsigned events)
{
    if (conn->state == EVS__CONN_READY)
        write_on(conn);
    else
        evs__conn_connect_event(conn, events);
}

void evs__conn_on_socket(void *owner, unsigned events)
{
    evs__conn *conn = owner;
    uint64_t epoch = conn->epoch;
    const evs__socket *socket = conn->socket;
    evs__conn_enter(conn);
    if (conn->state != EVS__CONN_CONNECTING)
        read_event(conn, events);
    if (conn->epoch == epoch && conn->socket == socket &&
        (conn->state == EVS__CONN_CONNECTING || (events & EVS__SOCKET_WRITABLE)))
        write_event(conn, events);
    evs__conn_tell_lost(conn);
    evs__conn_leave(conn);
}

/* Queued without asking evs__conn_prepare first, e.g. while being told of a loss. */
static void open_late(evs__conn *conn)
{
    if (evs__conn_wait(conn) == 0) {
        evs__conn_open(conn);
        return;
    }
    if (evs__conn_waits(conn))
        return;
    conn->epoch++;
    evs__conn_strand(conn);
}

void evs__conn_flush(evs__dirty *dirty)
{
    evs__conn *conn = (evs__conn *)((char *)dirty - offsetof(evs__conn, dirty));
    evs__conn_enter(conn);
    evs__conn_tell_lost(conn);
    if (!conn->closing && conn->state == EVS__CONN_IDLE && !evs__ring_empty(&conn->queue))
        open_late(conn);
    if (conn->state == EVS__CONN_READY)
        evs__conn_write(conn);
    if (conn->state >= EVS__CONN_GREETING && conn->send_problem != 0)
        read_rest(conn);
    evs__conn_tell_lost(conn);
    evs__conn_leave(conn);
}
