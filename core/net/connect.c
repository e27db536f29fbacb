/*
 * connect.c - from IDLE to READY.
 *
 * The addresses of a name are tried in turn; each gets its share of what is left of the time, so
 * that one that swallows packets does not keep the others from being tried. One timer serves all of
 * it. The greeting is pipelined and must be answered in full before requests leave.
 */
#include "core/net/conn_inner.h"

#include "core/error.h"
#include "core/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/un.h>

enum { UNIX_RETRY_MS = 10 };

void evs__conn_drop_attempt(evs__conn *conn)
{
    evs__attempt *attempt = conn->attempt;
    if (attempt == NULL)
        return;
    conn->attempt = NULL;
    evs__timer_free(attempt->timer);
    evs__lookup_drop(attempt->lookup);
    if (attempt->addresses != NULL)
        freeaddrinfo(attempt->addresses);
    if (attempt->greeting.data != NULL)
        explicit_bzero(attempt->greeting.data, attempt->greeting.cap);
    evs__buf_free(&attempt->greeting);
    evs__free(attempt);
}

/* ---- time ---- */

static uint64_t time_left(const evs__conn *conn)
{
    uint64_t now = evs__loop_now_ms(conn->loop);
    return conn->attempt->deadline > now ? conn->attempt->deadline - now : 0;
}

static void start_timer(evs__conn *conn, uint64_t ways)
{
    if (conn->attempt->deadline != 0)
        evs__timer_start(conn->attempt->timer, time_left(conn) / ways);
}

static void time_out(evs__conn *conn)
{
    evs__conn_down(
        conn, EVS_E_CONNECT, "timed out after %u ms%s", conn->login->connect_timeout_ms,
        conn->attempt->shaking ? ", in the TLS handshake: does it speak TLS at this port?" : "");
}

/* ---- addresses ---- */

static uint64_t addresses_left(const evs__conn *conn)
{
    uint64_t count = 1;
    if (conn->attempt->address != NULL)
        for (const struct addrinfo *at = conn->attempt->address->ai_next; at != NULL;
             at = at->ai_next)
            count++;
    return count;
}

/* Returns 0 or an errno. */
static int try_address(evs__conn *conn, const struct sockaddr *address, socklen_t len)
{
    int problem = evs__socket_open(&conn->socket, conn->loop, address, len);
    if (problem != 0)
        return problem;
    evs__socket_tell(conn->socket, evs__conn_on_socket, conn);
    conn->fd = evs__socket_fd(conn->socket);
    if (conn->login->endpoint.host != NULL)
        evs__socket_keepalive(conn->socket, conn->login->link.keepalive_ms);
    problem = evs__socket_watch(conn->socket, EVS__SOCKET_WRITABLE);
    if (problem != 0) {
        evs__socket_close(conn->socket);
        conn->socket = NULL;
        return problem;
    }
    start_timer(conn, addresses_left(conn));
    return 0;
}

static void give_up(evs__conn *conn, int problem)
{
    evs_status status = problem == ENOMEM ? EVS_E_NOMEM : EVS_E_CONNECT;
    evs__conn_down(conn, status, "%s", uv_strerror(-problem));
}

/* Tries addresses from the current one on until one is under way. */
static void try_addresses(evs__conn *conn, int problem)
{
    for (; conn->attempt->address != NULL;
         conn->attempt->address = conn->attempt->address->ai_next) {
        problem = try_address(conn, conn->attempt->address->ai_addr,
                              conn->attempt->address->ai_addrlen);
        if (problem == 0)
            return;
    }
    give_up(conn, problem);
}

static void try_next(evs__conn *conn, int problem)
{
    evs__socket_close(conn->socket);
    conn->socket = NULL;
    if (conn->attempt->address != NULL)
        conn->attempt->address = conn->attempt->address->ai_next;
    try_addresses(conn, problem);
}

static void found(void *owner, int problem, struct addrinfo *addresses)
{
    evs__conn *conn = owner;
    evs__conn_enter(conn);
    conn->attempt->lookup = NULL;
    conn->attempt->addresses = addresses;
    conn->attempt->address = addresses;
    if (problem != 0)
        evs__conn_down(conn, EVS_E_CONNECT, "name lookup: %s", evs__resolve_text(problem));
    else
        try_addresses(conn, EADDRNOTAVAIL);
    evs__conn_tell_lost(conn);
    evs__conn_leave(conn);
}

static void open_tcp(evs__conn *conn)
{
    const evs__endpoint *to = &conn->login->endpoint;
    if (evs__resolve_numeric(&conn->attempt->addresses, to->host, to->port) == 0) {
        conn->attempt->address = conn->attempt->addresses;
        try_addresses(conn, EADDRNOTAVAIL);
        return;
    }
    conn->attempt->addresses = NULL;
    start_timer(conn, 1);
    int problem = evs__lookup_start(&conn->attempt->lookup, conn->loop, to->host, to->port, found,
                                    conn);
    if (problem != 0)
        evs__conn_down(conn, EVS_E_CONNECT, "name lookup: %s", evs__resolve_text(problem));
}

/* A unix socket whose queue of pending connections is full refuses with EAGAIN, and nothing tells
 * when there is room again: it is asked every 10 ms until the time is over. */
static void open_unix(evs__conn *conn)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(conn->login->endpoint.path);
    if (len >= sizeof address.sun_path) {
        evs__conn_down(conn, EVS_E_CONNECT, "the path is longer than %zu bytes",
                       sizeof address.sun_path - 1);
        return;
    }
    memcpy(address.sun_path, conn->login->endpoint.path, len);
    int problem = try_address(conn, (const struct sockaddr *)&address, sizeof address);
    if (problem == EAGAIN)
        evs__timer_start(conn->attempt->timer, UNIX_RETRY_MS);
    else if (problem != 0)
        give_up(conn, problem);
}

static void open_address(evs__conn *conn)
{
    unsigned timeout = conn->login->connect_timeout_ms;
    conn->attempt->deadline = timeout == 0 ? 0 : evs__loop_now_ms(conn->loop) + timeout;
    if (conn->login->endpoint.path != NULL)
        open_unix(conn);
    else
        open_tcp(conn);
}

static void on_timer(void *owner)
{
    evs__conn *conn = owner;
    evs__conn_enter(conn);
    evs__conn_connect_event(conn, 0);
    evs__conn_leave(conn);
}

void evs__conn_open(evs__conn *conn)
{
    evs__attempt *attempt = evs__zalloc_array(1, sizeof *attempt);
    conn->attempt = attempt;
    conn->awaited = 0;
    conn->state = EVS__CONN_CONNECTING;
    if (attempt != NULL)
        attempt->timer = evs__timer_new(conn->loop, on_timer, conn);
    if (attempt == NULL || attempt->timer == NULL) {
        evs__conn_down(conn, EVS_E_NOMEM, "out of memory");
        return;
    }
    attempt->seeking = conn->finder != NULL;
    if (attempt->seeking)
        conn->finder->seek(conn->finder, conn);
    else
        open_address(conn);
}

void evs__conn_found(evs__conn *conn)
{
    assert(evs__conn_is_seeking(conn));
    evs__conn_enter(conn);
    conn->attempt->seeking = 0;
    open_address(conn);
    evs__conn_tell_lost(conn);
    evs__conn_leave(conn);
}

/* ---- the greeting ---- */

/* When the server does not want to read it, it may have said why: see evs__conn_flush. */
static void write_greeting(evs__conn *conn)
{
    evs__buf *left = &conn->attempt->greeting;
    ssize_t n = evs__socket_send(conn->socket, left->data, left->len);
    if (n < 0 && n != -EAGAIN) {
        conn->send_problem = (int16_t)-n;
        evs__loop_mark(conn->loop, &conn->dirty);
        return;
    }
    if (n > 0)
        evs__buf_consume(left, (size_t)n);
    unsigned events = EVS__SOCKET_READABLE | (left->len > 0 ? EVS__SOCKET_WRITABLE : 0);
    int problem = evs__socket_watch(conn->socket, events);
    if (problem != 0)
        give_up(conn, problem);
}

/* Reserved in one piece, so that growing leaves no copy of the password in freed memory. */
static int compose_greeting(evs__conn *conn)
{
    evs__greeting says = evs__conn_says(conn);
    const evs__login *login = says.login;
    const char *words[] = {login->username, login->password, login->client_name};
    size_t len = 256; /* the commands, and the lengths of three words */
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        len += words[i] == NULL ? 0 : strlen(words[i]);
    evs__buf_reserve(&conn->attempt->greeting, len);
    evs__greeting_write(&conn->attempt->greeting, &says);
    return evs__buf_ok(&conn->attempt->greeting);
}

static void greet(evs__conn *conn)
{
    conn->state = EVS__CONN_GREETING;
    evs__greeting says = evs__conn_says(conn);
    conn->step = evs__greeting_next(&says, 0);
    start_timer(conn, 1);
    if (compose_greeting(conn))
        write_greeting(conn);
    else
        evs__conn_down(conn, EVS_E_NOMEM, "out of memory");
}

/* ---- TLS ---- */

static void shake_hands(evs__conn *conn)
{
    unsigned events = EVS__SOCKET_READABLE;
    switch (evs__tls_handshake(conn->tls)) {
    case EVS__TLS_DONE:
        conn->attempt->shaking = 0;
        greet(conn);
        return;
    case EVS__TLS_FAILED:
        evs__conn_down(conn, EVS_E_TLS, "%s", evs__tls_problem(conn->tls));
        return;
    case EVS__TLS_WANT_WRITE:
        events = EVS__SOCKET_WRITABLE;
        break;
    case EVS__TLS_WANT_READ:
        break;
    }
    int problem = evs__socket_watch(conn->socket, events);
    if (problem != 0)
        give_up(conn, problem);
}

static int prepare_tls(evs__conn *conn)
{
    if (conn->loop->tls == NULL)
        conn->loop->tls = evs__tls_contexts_new();
    if (conn->tls == NULL && conn->loop->tls != NULL)
        conn->tls = evs__tls_new(conn->loop->tls, conn->login);
    return conn->tls != NULL;
}

static void begin_tls(evs__conn *conn)
{
    if (!prepare_tls(conn)) {
        evs__conn_down(conn, EVS_E_NOMEM, "out of memory");
        return;
    }
    conn->attempt->shaking = 1;
    start_timer(conn, 1);
    if (evs__socket_secure(conn->socket, conn->tls))
        shake_hands(conn);
    else
        evs__conn_down(conn, EVS_E_TLS, "%s", evs__tls_problem(conn->tls));
}

/* ---- the end of it ---- */

static void tell_connected(const evs__conn *conn)
{
    char text[64] = "connected";
    if (conn->tls != NULL)
        snprintf(text, sizeof text, "connected by %s%s", evs__tls_version(conn->tls),
                 evs__tls_resumed(conn->tls) ? ", session resumed" : "");
    conn->limits->news(conn->limits->news_owner, conn->login, EVS_OK, text);
}

static void become_ready(evs__conn *conn)
{
    evs__conn_drop_attempt(conn);
    conn->state = EVS__CONN_READY;
    conn->retired = 0;
    conn->loop->counts.connects++;
    if (conn->limits->news != NULL)
        tell_connected(conn);
    evs__conn_rose(conn);
    evs__conn_join_pulse(conn);
    if (!evs__ring_empty(&conn->queue))
        evs__loop_mark(conn->loop, &conn->dirty);
}

int evs__conn_greeted(evs__conn *conn, const evs_reply *reply)
{
    evs_error err;
    evs__greeting says = evs__conn_says(conn);
    evs_status status = evs__greeting_judge(&says, conn->step, reply, &err);
    if (status == EVS_E_AUTH && evs__conn_reread_password(conn))
        return 0;
    if (status != EVS_OK) {
        evs__conn_down(conn, status, "%s", err.message);
        return 0;
    }
    if (conn->step == EVS__GREETING_HELLO)
        conn->resp3 = evs_reply_kind(reply) != EVS_REPLY_ERROR;
    conn->step = evs__greeting_next(&says, conn->step + 1);
    if (conn->step == EVS__GREETING_END)
        become_ready(conn);
    return 1;
}

/* ---- events while connecting; `events` is 0 for the timer ---- */

static void timer_event(evs__conn *conn)
{
    if (conn->attempt->deadline != 0 && time_left(conn) == 0) {
        time_out(conn);
        return;
    }
    if (conn->state == EVS__CONN_CONNECTING && conn->socket == NULL)
        open_unix(conn); /* its queue was full */
    else if (conn->state == EVS__CONN_CONNECTING && !conn->attempt->shaking)
        try_next(conn, ETIMEDOUT);
}

static void socket_event(evs__conn *conn)
{
    if (conn->state == EVS__CONN_GREETING) {
        write_greeting(conn);
        return;
    }
    if (conn->attempt->shaking) {
        shake_hands(conn);
        return;
    }
    int problem = evs__socket_problem(conn->socket);
    if (problem != 0)
        try_next(conn, problem);
    else if (conn->login->tls != NULL)
        begin_tls(conn);
    else
        greet(conn);
}

void evs__conn_connect_event(evs__conn *conn, unsigned events)
{
    if (events == 0)
        timer_event(conn);
    else
        socket_event(conn);
    evs__conn_tell_lost(conn);
}
