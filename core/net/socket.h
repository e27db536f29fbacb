/*
 * socket.h - one stream socket on the loop.
 *
 * Sockets do not block unless they are told to, are not inherited by programs that are started, and
 * raise no SIGPIPE. TCP sends small writes at once and notices a dead peer by keepalive within
 * about a minute. Problems are errno numbers.
 */
#ifndef EVS_CORE_NET_SOCKET_H
#define EVS_CORE_NET_SOCKET_H

#include "core/net/loop.h"
#include "core/net/tls.h"
#include <sys/socket.h>
#include <sys/types.h>

typedef struct evs__socket evs__socket;

enum {
    EVS__SOCKET_READABLE = 1,
    EVS__SOCKET_WRITABLE = 2,
    EVS__SOCKET_BROKEN = 4 /* nothing is watched any more: read what is left, then close */
};

/* A sleep in reading. The system has a timer for each; a much shorter one would be the next one due
 * whenever the processor idles, and setting that up costs more than is saved. A longer one may last
 * much longer than it should: Linux rounds 64 ticks or more up by as much as an eighth. */
enum { EVS__NAP_MS = 200 };

typedef enum evs__socket_life {
    EVS__SOCKET_QUIET, /* connected, nothing to read */
    EVS__SOCKET_TALKS, /* there are bytes to read */
    EVS__SOCKET_DEAD   /* closed or broken by the peer */
} evs__socket_life;

typedef void evs__socket_fn(void *owner, unsigned events);

/* Begins to connect; WRITABLE is watched and says when that ended. Returns 0 or an errno (EAGAIN:
 * the queue of a unix socket is full, try again later). */
int evs__socket_open(evs__socket **out, evs__loop *loop, const struct sockaddr *address,
                     socklen_t len);

/* Whom events are told. */
void evs__socket_tell(evs__socket *socket, evs__socket_fn *ready, void *owner);

/* Has the system look after a TCP connection that was idle so long; 0: it does not. */
void evs__socket_keepalive(const evs__socket *socket, unsigned after_ms);

/* `events` of READABLE and WRITABLE; the same as before costs nothing. Returns 0 or an errno. */
int evs__socket_watch(evs__socket *socket, unsigned events);

/* What connecting came to, or what broke the socket: 0 or an errno. */
int evs__socket_problem(evs__socket *socket);

/* Begins TLS on a connected socket: send, recv and peek go through `tls` from now on, which is
 * borrowed until the socket is closed. 0: failed, and evs__tls_problem says why. */
int evs__socket_secure(evs__socket *socket, evs__tls *tls);

/* Bytes written, or a negative errno. */
ssize_t evs__socket_send(evs__socket *socket, const char *data, size_t len);

/* Bytes read, 0 at the end, or a negative errno. */
ssize_t evs__socket_recv(evs__socket *socket, char *data, size_t len);

/* Bytes read of a socket in the clear, for which it sleeps, EVS__NAP_MS at most and until a signal
 * arrives; else as evs__socket_recv. */
ssize_t evs__socket_await(evs__socket *socket, char *data, size_t len);

/* Of a socket that is watched, and was when the loop last waited. */
evs__socket_life evs__socket_peek(evs__socket *socket);

/* Its descriptor, which is the socket's. */
int evs__socket_fd(const evs__socket *socket);

/* Send and recv of a socket in the clear, by its descriptor. */
ssize_t evs__fd_send(int fd, const char *data, size_t len);
ssize_t evs__fd_recv(int fd, char *data, size_t len);

/* No event is told afterwards. Accepts NULL. */
void evs__socket_close(evs__socket *socket);

#endif
