#include "core/net/socket.h"

#include "core/mem.h"
#include "core/net/loop_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>
#include <unistd.h>

enum { KEEPALIVE_PROBES = 3 };

struct evs__socket {
    uv_poll_t poll; /* first: libuv's handle is the socket */
    evs__loop *loop;
    int fd;                  /* ours */
    unsigned char watched;   /* EVS__SOCKET_* */
    unsigned char may_sleep; /* the system lets it, so each call has to say when it must not */
    evs__socket_fn *ready;
    void *owner;
    evs__tls *tls; /* borrowed; NULL in the clear */
};

static void set(int fd, int level, int option, int value)
{
    /* A system that lacks one of these works without it. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

static void tune(int fd, const struct sockaddr *address)
{
    if (address->sa_family == AF_UNIX)
        return;
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static int at_least_1(unsigned seconds)
{
    return seconds < 1 ? 1 : (int)seconds;
}

/* The peer's system is asked when nothing was said for so long, and three times more; what it does
 * not acknowledge for twice as long ends the connection, too. */
void evs__socket_keepalive(const evs__socket *socket, unsigned after_ms)
{
    if (after_ms == 0)
        return;
    set(socket->fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(socket->fd, IPPROTO_TCP, TCP_KEEPIDLE, at_least_1(after_ms / 1000));
    set(socket->fd, IPPROTO_TCP, TCP_KEEPINTVL, at_least_1(after_ms / 3000));
    set(socket->fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
    set(socket->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 2 * at_least_1(after_ms / 1000) * 1000);
}

/* Connecting goes on in the background; EINTR too leaves it under way. */
static int begin(int *fd_out, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    tune(fd, address);
    if (connect(fd, address, len) != 0 && errno != EINPROGRESS && errno != EINTR) {
        int problem = errno;
        close(fd);
        return problem;
    }
    *fd_out = fd;
    return 0;
}

int evs__socket_open(evs__socket **out, evs__loop *loop, const struct sockaddr *address,
                     socklen_t len)
{
    evs__socket *made = evs__zalloc_array(1, sizeof *made);
    if (made == NULL)
        return ENOMEM;
    int problem = begin(&made->fd, address, len);
    if (problem != 0) {
        evs__free(made);
        return problem;
    }
    problem = -uv_poll_init(&loop->uv, &made->poll, made->fd);
    if (problem != 0) {
        close(made->fd);
        evs__free(made);
        return problem;
    }
    made->loop = loop;
    *out = made;
    return 0;
}

/* libuv tells an error without anything to read as UV_EBADF and stops watching. */
static void on_poll(uv_poll_t *handle, int status, int events)
{
    evs__socket *from = (evs__socket *)handle;
    unsigned told = 0;
    if (status < 0) {
        told = EVS__SOCKET_BROKEN;
        from->watched = 0;
    }
    if (events & UV_READABLE)
        told |= EVS__SOCKET_READABLE;
    if (events & UV_WRITABLE)
        told |= EVS__SOCKET_WRITABLE;
    from->ready(from->owner, told);
}

void evs__socket_tell(evs__socket *socket, evs__socket_fn *ready, void *owner)
{
    socket->ready = ready;
    socket->owner = owner;
}

int evs__socket_watch(evs__socket *socket, unsigned events)
{
    if (socket->watched == events)
        return 0;
    int wanted = 0;
    if (events & EVS__SOCKET_READABLE)
        wanted |= UV_READABLE;
    if (events & EVS__SOCKET_WRITABLE)
        wanted |= UV_WRITABLE;
    int problem = -uv_poll_start(&socket->poll, wanted, on_poll);
    if (problem == 0)
        socket->watched = (unsigned char)events;
    evs__loop_rewatch(socket->loop);
    return problem;
}

int evs__socket_problem(evs__socket *socket)
{
    int problem = 0;
    socklen_t len = sizeof problem;
    if (getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &problem, &len) != 0)
        return errno;
    return problem;
}

int evs__socket_secure(evs__socket *socket, evs__tls *tls)
{
    socket->tls = tls;
    return evs__tls_begin(tls, socket->fd);
}

int evs__socket_fd(const evs__socket *socket)
{
    return socket->fd;
}

ssize_t evs__fd_send(int fd, const char *data, size_t len)
{
    ssize_t n;
    do {
        n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR); /* each signal that arrives costs one more turn */
    return n < 0 ? -errno : n;
}

ssize_t evs__fd_recv(int fd, char *data, size_t len)
{
    ssize_t n;
    do {
        n = recv(fd, data, len, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t evs__socket_send(evs__socket *socket, const char *data, size_t len)
{
    return socket->tls != NULL ? evs__tls_send(socket->tls, data, len)
                               : evs__fd_send(socket->fd, data, len);
}

ssize_t evs__socket_recv(evs__socket *socket, char *data, size_t len)
{
    return socket->tls != NULL ? evs__tls_recv(socket->tls, data, len)
                               : evs__fd_recv(socket->fd, data, len);
}

/* The system's own limit, so that no sleep needs a call to set one. */
static int let_sleep(evs__socket *socket)
{
    struct timeval nap = {.tv_usec = EVS__NAP_MS * 1000};
    int flags = fcntl(socket->fd, F_GETFL);
    socket->may_sleep = flags >= 0 &&
                        setsockopt(socket->fd, SOL_SOCKET, SO_RCVTIMEO, &nap, sizeof nap) == 0 &&
                        fcntl(socket->fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
    return socket->may_sleep;
}

ssize_t evs__socket_await(evs__socket *socket, char *data, size_t len)
{
    if (!socket->may_sleep && !let_sleep(socket))
        return -EAGAIN;
    ssize_t n = recv(socket->fd, data, len, 0);
    if (n >= 0)
        return n;
    return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static ssize_t look(evs__socket *socket)
{
    char byte;
    if (evs__loop_is_quiet(socket->loop, socket->fd))
        return -EAGAIN;
    ssize_t n = recv(socket->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 ? -errno : n;
}

evs__socket_life evs__socket_peek(evs__socket *socket)
{
    ssize_t n = socket->tls == NULL ? look(socket) : evs__tls_peek(socket->tls);
    if (n > 0)
        return EVS__SOCKET_TALKS;
    return n == -EAGAIN || n == -EWOULDBLOCK || n == -EINTR ? EVS__SOCKET_QUIET : EVS__SOCKET_DEAD;
}

static void closed(uv_handle_t *handle)
{
    evs__free(handle);
}

void evs__socket_close(evs__socket *socket)
{
    if (socket == NULL)
        return;
    if (socket->tls != NULL)
        evs__tls_end(socket->tls);
    if (!socket->loop->broken)
        uv_close((uv_handle_t *)&socket->poll, closed);
    close(socket->fd);
}
