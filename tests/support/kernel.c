#include "tests/support/kernel.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST = 64 };

typedef struct stream {
    int fd;
    in_port_t from; /* with it, what tells a connection from a later one of the same number */
    char *data;
    size_t len;
    size_t limit;
} stream;

static struct {
    pthread_mutex_t lock;
    int port;
    size_t count;
    size_t limit; /* of the next connection */
    stream streams[MOST];
} kernel = {.lock = PTHREAD_MUTEX_INITIALIZER, .limit = SIZE_MAX};

static in_port_t port_of(int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_in at = {0};
    socklen_t len = sizeof at;
    if (ask(fd, (struct sockaddr *)&at, &len) != 0 || at.sin_family != AF_INET)
        return 0;
    return ntohs(at.sin_port);
}

static int ask_peer(int fd, struct sockaddr *at, socklen_t *len)
{
    return getpeername(fd, at, len);
}

static int ask_self(int fd, struct sockaddr *at, socklen_t *len)
{
    return getsockname(fd, at, len);
}

/* The connection's record; NULL when it is not looked at. */
static stream *find(int fd)
{
    if (kernel.port == 0 || port_of(fd, ask_peer) != kernel.port)
        return NULL;
    in_port_t from = port_of(fd, ask_self);
    for (size_t i = 0; i < kernel.count; i++)
        if (kernel.streams[i].fd == fd && kernel.streams[i].from == from)
            return &kernel.streams[i];
    if (kernel.count == MOST) {
        fprintf(stderr, "tests/support/kernel: too many connections\n");
        abort();
    }
    kernel.streams[kernel.count] = (stream){.fd = fd, .from = from, .limit = kernel.limit};
    kernel.limit = SIZE_MAX;
    return &kernel.streams[kernel.count++];
}

static void keep(stream *s, const void *data, size_t len)
{
    char *grown = realloc(s->data, s->len + len);
    if (grown == NULL)
        abort();
    memcpy(grown + s->len, data, len);
    s->data = grown;
    s->len += len;
}

static ssize_t pass_on(int fd, const void *data, size_t len, int flags)
{
    return sendto(fd, data, len, flags, NULL, 0);
}

ssize_t kernel_send(int fd, const void *data, size_t len, int flags)
{
    ssize_t n = -1;
    pthread_mutex_lock(&kernel.lock);
    stream *s = find(fd);
    if (s == NULL) {
        pthread_mutex_unlock(&kernel.lock);
        return pass_on(fd, data, len, flags);
    }
    size_t room = s->limit > s->len ? s->limit - s->len : 0;
    errno = EAGAIN;
    if (room > 0)
        n = pass_on(fd, data, len < room ? len : room, flags);
    if (n > 0)
        keep(s, data, (size_t)n);
    int problem = errno;
    pthread_mutex_unlock(&kernel.lock);
    errno = problem;
    return n;
}

void kernel_watch(int port)
{
    pthread_mutex_lock(&kernel.lock);
    for (size_t i = 0; i < kernel.count; i++)
        free(kernel.streams[i].data);
    kernel.count = 0;
    kernel.limit = SIZE_MAX;
    kernel.port = port;
    pthread_mutex_unlock(&kernel.lock);
}

void kernel_limit(size_t bytes)
{
    pthread_mutex_lock(&kernel.lock);
    size_t *limit = kernel.count > 0 ? &kernel.streams[kernel.count - 1].limit : &kernel.limit;
    *limit = bytes;
    pthread_mutex_unlock(&kernel.lock);
}

evs_bytes kernel_taken(size_t connection)
{
    evs_bytes taken = {NULL, 0};
    pthread_mutex_lock(&kernel.lock);
    if (connection < kernel.count)
        taken = (evs_bytes){kernel.streams[connection].data, kernel.streams[connection].len};
    pthread_mutex_unlock(&kernel.lock);
    return taken;
}

size_t kernel_connections(void)
{
    pthread_mutex_lock(&kernel.lock);
    size_t n = kernel.count;
    pthread_mutex_unlock(&kernel.lock);
    return n;
}
