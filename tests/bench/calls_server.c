#include "tests/bench/calls_server.h"

#include "core/buf.h"
#include "core/sha1.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench.calls: the server: %s: %s\n", what, why);
    exit(1);
}

typedef struct peer {
    int fd;
    int listens;
    int waits; /* for room to write */
    evs__buf out;
    size_t sent; /* of `out` */
    size_t len;
    char buf[128 * 1024];
} peer;

/* A whole request at `at`: the bytes behind it, else NULL. Requests are well-formed. */
static const char *request(const char *at, const char *end, evs_bytes words[3])
{
    size_t count = 0;
    const char *eol = memchr(at, '\n', (size_t)(end - at));
    if (eol == NULL)
        return NULL;
    count = strtoul(at + 1, NULL, 10);
    at = eol + 1;
    for (size_t i = 0; i < count; i++) {
        eol = memchr(at, '\n', (size_t)(end - at));
        size_t len = eol == NULL ? 0 : strtoul(at + 1, NULL, 10);
        if (eol == NULL || (size_t)(end - eol) < len + 3)
            return NULL;
        if (i < 3)
            words[i] = (evs_bytes){eol + 1, len};
        at = eol + 1 + len + 2;
    }
    return at;
}

/* What the server says: to EVALSHA, and to CLUSTER SLOTS. */
typedef struct sayings {
    evs__buf value, slots;
} sayings;

static void answer(evs__buf *out, const evs_bytes words[3], const sayings *says)
{
    if (words[0].len == 7 && words[0].data[0] == 'C') { /* CLUSTER */
        evs__buf_append(out, says->slots.data, says->slots.len);
    } else if (words[0].len == 7) { /* EVALSHA */
        evs__buf_append(out, says->value.data, says->value.len);
    } else if (words[0].data[0] == 'S') { /* SCRIPT LOAD */
        char sha[41];
        evs__sha1_hex(sha, words[2]);
        evs__buf_format(out, "$40\r\n%s\r\n", sha);
    } else {
        evs__buf_text(out, "+OK\r\n");
    }
}

/* Writes what it can; the rest waits for the peer to read. 0 at the end of the connection. */
static int send_some(int set, peer *to)
{
    ssize_t n = 0;
    while (to->sent < to->out.len &&
           (n = write(to->fd, to->out.data + to->sent, to->out.len - to->sent)) > 0)
        to->sent += (size_t)n;
    if (n < 0 && errno != EAGAIN)
        return 0;
    int waits = to->sent < to->out.len;
    if (!waits) {
        evs__buf_clear(&to->out);
        to->sent = 0;
    }
    if (waits == to->waits)
        return 1;
    to->waits = waits;
    struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0u), .data.ptr = to};
    return epoll_ctl(set, EPOLL_CTL_MOD, to->fd, &event) == 0;
}

static int read_some(peer *from, const sayings *says)
{
    ssize_t n = read(from->fd, from->buf + from->len, sizeof from->buf - from->len);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    from->len += (size_t)n;
    const char *at = from->buf, *end = from->buf + from->len, *next;
    evs_bytes words[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    while (at < end && (next = request(at, end, words)) != NULL) {
        answer(&from->out, words, says);
        at = next;
    }
    from->len = (size_t)(end - at);
    memmove(from->buf, at, from->len);
    return 1;
}

static void watch(int set, int fd, int listens)
{
    peer *one = calloc(1, sizeof *one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    if (one == NULL)
        die("server", "out of memory");
    one->fd = fd;
    one->listens = listens;
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl", strerror(errno));
}

static int listen_at(const char *folder, size_t shard)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%zu", folder, shard);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0)
        die(address.sun_path, strerror(errno));
    return fd;
}

static int listen_on_port(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        die("a node", strerror(errno));
    *port = ntohs(address.sin_port);
    return fd;
}

/* The nodes share the slots evenly. Returns a port of one of them, 0 when there are none. */
static int make_nodes(int set, size_t nodes, evs__buf *slots)
{
    int port = 0;
    evs__buf_format(slots, "*%zu\r\n", nodes);
    for (size_t i = 0; i < nodes; i++) {
        watch(set, listen_on_port(&port), 1);
        evs__buf_format(slots, "*3\r\n:%zu\r\n:%zu\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n",
                        i * 16384 / nodes, (i + 1) * 16384 / nodes - 1, port);
    }
    return port;
}

static int leave(const char *folder, size_t shards)
{
    for (size_t i = 0; i < shards; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%zu", folder, i);
        unlink(path);
    }
    return rmdir(folder) == 0 ? 0 : 1;
}

int calls_serve(const char *folder, size_t shards, size_t elements, size_t nodes)
{
    signal(SIGINT, SIG_IGN); /* whoever started us ends, and then so do we */
    sayings says = {EVS__BUF_INIT, EVS__BUF_INIT};
    evs__buf_format(&says.value, elements == 0 ? ":1\r\n" : "*%zu\r\n", elements);
    for (size_t i = 0; i < elements; i++)
        evs__buf_format(&says.value, "$10\r\n%010zu\r\n", i);
    int set = epoll_create1(EPOLL_CLOEXEC);
    int port = make_nodes(set, nodes, &says.slots);
    for (size_t i = 0; nodes == 0 && i < shards; i++)
        watch(set, listen_at(folder, i), 1);
    watch(set, 0, 0);
    if (write(1, &port, sizeof port) != sizeof port)
        return 1;
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(set, events, 256, -1);
        for (int i = 0; i < n; i++) {
            peer *from = events[i].data.ptr;
            if (from->listens)
                watch(set, accept4(from->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), 0);
            else if (from->fd == 0)
                return leave(folder, nodes == 0 ? shards : 0);
            else if (!read_some(from, &says) || !send_some(set, from))
                close(from->fd);
        }
    }
}
