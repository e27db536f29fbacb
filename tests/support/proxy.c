/*
 * One thread polls everything. It never reads beyond the byte of a fault, so it needs to keep
 * nothing but counts. All state is behind one lock, which is free while the thread polls.
 */
#include "tests/support/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024, MOST = 32 };

typedef struct pair {
    int fds[2]; /* of the client, which is read for PROXY_UP, and of the server; -1: ended */
    size_t done[2];
    int held[2];
    int drips[2];
    size_t number; /* of all that were served, from 1 */
} pair;

struct proxy {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int listener;
    int wake[2]; /* a pipe */
    int stopping;
    char address[32];
    int port;
    struct sockaddr_storage server;
    socklen_t server_len;
    pair wires[MOST]; /* the newest last */
    size_t count;
    size_t served;
    size_t last_done[2]; /* of the newest connection when it has ended */
    int armed;           /* `fault` is still to happen */
    int refusing;
    proxy_fault fault;
};

static void die(const char *what)
{
    fprintf(stderr, "tests/support/proxy: %s: %s\n", what, strerror(errno));
    abort();
}

/* ---- bytes ---- */

static int send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = sendto(fd, data, len, MSG_NOSIGNAL, NULL, 0);
        if (n <= 0)
            return 0;
        data += n;
        len -= (size_t)n;
    }
    return 1;
}

static void pause_a_little(void)
{
    struct timespec pause = {.tv_nsec = 1000000};
    nanosleep(&pause, NULL);
}

static int is_newest(const proxy *self, const pair *w)
{
    return w->number == self->served;
}

/* ---- ends ---- */

static void end_client(pair *w, int reset)
{
    struct linger hard = {.l_onoff = 1};
    if (w->fds[0] == -1)
        return;
    if (reset)
        setsockopt(w->fds[0], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(w->fds[0]);
    w->fds[0] = -1;
    shutdown(w->fds[1], SHUT_WR); /* and then it is read to its end */
}

static void end_wire(proxy *self, pair *w)
{
    for (int way = 0; way < 2; way++) {
        if (w->fds[way] != -1)
            close(w->fds[way]);
        if (is_newest(self, w))
            self->last_done[way] = w->done[way];
    }
    size_t behind = (size_t)(&self->wires[self->count] - (w + 1));
    memmove(w, w + 1, behind * sizeof *w);
    self->count--;
}

/* ---- faults ---- */

static int is_due(const proxy *self, const pair *w, int way)
{
    return self->armed && is_newest(self, w) && self->fault.way == (proxy_way)way &&
           self->fault.at == w->done[way];
}

static void happen(proxy *self, pair *w)
{
    const proxy_fault *fault = &self->fault;
    self->armed = 0;
    self->refusing = fault->alone;
    switch (fault->what) {
    case PROXY_CLOSE:
    case PROXY_RESET:
        end_client(w, fault->what == PROXY_RESET);
        break;
    case PROXY_FREEZE:
        w->held[!fault->way] = 1;
        w->held[fault->way] = 1;
        break;
    case PROXY_HOLD:
        w->held[fault->way] = 1;
        break;
    case PROXY_INSERT:
        send_all(w->fds[!fault->way], fault->data.data, fault->data.len);
        break;
    case PROXY_SPLIT:
        pause_a_little();
        break;
    case PROXY_DRIP:
        w->drips[fault->way] = 1;
        break;
    }
}

static void happen_at_once(proxy *self)
{
    if (self->count == 0 || !self->fault.at_once)
        return;
    pair *newest = &self->wires[self->count - 1];
    if (is_due(self, newest, (int)self->fault.way))
        happen(self, newest);
}

/* ---- forwarding ---- */

static size_t how_much(const proxy *self, const pair *w, int way)
{
    size_t left = CHUNK;
    if (w->drips[way])
        return 1;
    if (self->armed && is_newest(self, w) && self->fault.way == (proxy_way)way &&
        self->fault.at > w->done[way])
        left = self->fault.at - w->done[way];
    return left < CHUNK ? left : CHUNK;
}

/* 0 when the connection is over. */
static int forward(proxy *self, pair *w, int way)
{
    char data[CHUNK];
    if (is_due(self, w, way) && recv(w->fds[way], data, 1, MSG_PEEK) > 0)
        happen(self, w);
    if (w->held[way] || w->fds[way] == -1)
        return 1;
    ssize_t n = recv(w->fds[way], data, how_much(self, w, way), 0);
    if (n <= 0 && way == PROXY_UP)
        end_client(w, 0);
    if (n <= 0)
        return way == PROXY_UP;
    if (w->fds[!way] == -1) /* the client is gone; what the server still says is read away */
        return 1;
    send_all(w->fds[!way], data, (size_t)n);
    w->done[way] += (size_t)n;
    happen_at_once(self);
    return 1;
}

static int reach_server(const proxy *self)
{
    int fd = socket(self->server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd != -1 && connect(fd, (const struct sockaddr *)&self->server, self->server_len) == 0)
        return fd;
    if (fd != -1)
        close(fd);
    return -1;
}

static void take_one(proxy *self)
{
    int on = 1;
    pair fresh = {.fds = {accept(self->listener, NULL, NULL), -1}};
    if (fresh.fds[0] == -1)
        return;
    if (!self->refusing && self->count < MOST)
        fresh.fds[1] = reach_server(self);
    if (fresh.fds[1] == -1) {
        end_client(&fresh, 1);
        return;
    }
    setsockopt(fresh.fds[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fresh.number = ++self->served;
    self->wires[self->count++] = fresh;
    happen_at_once(self);
}

static void serve(proxy *self, const struct pollfd *watched)
{
    for (size_t i = self->count; i-- > 0;) {
        int alive = 1;
        for (int way = 0; alive && way < 2; way++)
            if (watched[2 * i + (size_t)way].revents != 0)
                alive = forward(self, &self->wires[i], way);
        if (!alive)
            end_wire(self, &self->wires[i]);
    }
}

static nfds_t what_to_watch(const proxy *self, struct pollfd *watched)
{
    nfds_t n = 0;
    for (size_t i = 0; i < self->count; i++)
        for (int way = 0; way < 2; way++, n++)
            watched[n] = (struct pollfd){
                .fd = self->wires[i].held[way] ? -1 : self->wires[i].fds[way], .events = POLLIN};
    watched[n++] = (struct pollfd){.fd = self->listener, .events = POLLIN};
    watched[n++] = (struct pollfd){.fd = self->wake[0], .events = POLLIN};
    return n;
}

static void *run(void *arg)
{
    proxy *self = arg;
    struct pollfd watched[2 * MOST + 2];
    char bytes[64];
    pthread_mutex_lock(&self->lock);
    while (!self->stopping) {
        nfds_t n = what_to_watch(self, watched);
        pthread_mutex_unlock(&self->lock);
        poll(watched, n, -1);
        pthread_mutex_lock(&self->lock);
        if (watched[n - 1].revents != 0 && read(self->wake[0], bytes, sizeof bytes) <= 0)
            break;
        serve(self, watched);
        if (watched[n - 2].revents != 0)
            take_one(self);
        pthread_cond_broadcast(&self->changed);
    }
    while (self->count > 0)
        end_wire(self, &self->wires[0]);
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* ---- for the test ---- */

static void find_server(proxy *self, const char *address)
{
    struct sockaddr_un *local = (struct sockaddr_un *)&self->server;
    struct sockaddr_in *tcp = (struct sockaddr_in *)&self->server;
    if (strncmp(address, "unix:", 5) == 0) {
        local->sun_family = AF_UNIX;
        snprintf(local->sun_path, sizeof local->sun_path, "%s", address + 5);
        self->server_len = sizeof *local;
        return;
    }
    tcp->sin_family = AF_INET;
    tcp->sin_port = htons((uint16_t)strtol(strrchr(address, ':') + 1, NULL, 10));
    tcp->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    self->server_len = sizeof *tcp;
}

static void listen_somewhere(proxy *self)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(self->listener, (struct sockaddr *)&at, len) != 0 || listen(self->listener, 64) != 0 ||
        getsockname(self->listener, (struct sockaddr *)&at, &len) != 0)
        die("listen");
    self->port = ntohs(at.sin_port);
    snprintf(self->address, sizeof self->address, "127.0.0.1:%d", self->port);
}

proxy *proxy_start(const char *address)
{
    proxy *self = calloc(1, sizeof *self);
    if (self == NULL)
        die("memory");
    find_server(self, address);
    listen_somewhere(self);
    if (pipe2(self->wake, O_CLOEXEC) != 0)
        die("pipe");
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    if (pthread_create(&self->thread, NULL, run, self) != 0)
        die("thread");
    return self;
}

const char *proxy_address(const proxy *wire)
{
    return wire->address;
}

int proxy_port(const proxy *wire)
{
    return wire->port;
}

/* The thread looks at everything anew. */
static void unlock_and_wake(proxy *self)
{
    pthread_mutex_unlock(&self->lock);
    if (write(self->wake[1], "", 1) != 1)
        die("wake");
}

void proxy_harm(proxy *wire, const proxy_fault *fault)
{
    pthread_mutex_lock(&wire->lock);
    wire->armed = fault != NULL;
    wire->refusing = 0;
    if (fault != NULL)
        wire->fault = *fault;
    happen_at_once(wire);
    unlock_and_wake(wire);
}

void proxy_await(proxy *wire)
{
    pthread_mutex_lock(&wire->lock);
    while (wire->armed)
        pthread_cond_wait(&wire->changed, &wire->lock);
    pthread_mutex_unlock(&wire->lock);
}

void proxy_go(proxy *wire)
{
    pthread_mutex_lock(&wire->lock);
    for (size_t i = 0; i < wire->count; i++)
        memset(wire->wires[i].held, 0, sizeof wire->wires[i].held);
    unlock_and_wake(wire);
}

size_t proxy_forwarded(proxy *wire, proxy_way way)
{
    pthread_mutex_lock(&wire->lock);
    size_t n = wire->last_done[way];
    if (wire->count > 0 && is_newest(wire, &wire->wires[wire->count - 1]))
        n = wire->wires[wire->count - 1].done[way];
    pthread_mutex_unlock(&wire->lock);
    return n;
}

size_t proxy_connections(proxy *wire)
{
    pthread_mutex_lock(&wire->lock);
    size_t n = wire->served;
    pthread_mutex_unlock(&wire->lock);
    return n;
}

void proxy_settle(proxy *wire)
{
    pthread_mutex_lock(&wire->lock);
    while (wire->count > 0)
        pthread_cond_wait(&wire->changed, &wire->lock);
    pthread_mutex_unlock(&wire->lock);
}

void proxy_stop(proxy *wire)
{
    pthread_mutex_lock(&wire->lock);
    wire->stopping = 1;
    unlock_and_wake(wire);
    pthread_join(wire->thread, NULL);
    close(wire->wake[0]);
    close(wire->wake[1]);
    close(wire->listener);
    pthread_cond_destroy(&wire->changed);
    pthread_mutex_destroy(&wire->lock);
    free(wire);
}
