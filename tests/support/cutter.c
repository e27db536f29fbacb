#include "tests/support/cutter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024 };

struct cutter {
    pthread_t thread;
    int listener;
    int stop[2]; /* a pipe; its end says that it is over */
    int port, server_port;
    atomic_size_t limits[2];
    atomic_size_t forwarded[2];
};

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int reach_server(const cutter *wire)
{
    struct sockaddr_in at = loopback(wire->server_port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd != -1 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    if (fd != -1)
        close(fd);
    return -1;
}

static int send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return 0;
        data += n;
        len -= (size_t)n;
    }
    return 1;
}

/* Forwards once. 0 when the connection is over. */
static int forward(cutter *wire, const int fds[2], int way)
{
    char data[CHUNK];
    size_t limit = wire->limits[way], done = wire->forwarded[way];
    ssize_t n = recv(fds[way], data, sizeof data, 0);
    if (n <= 0)
        return 0;
    size_t take = limit - done < (size_t)n ? limit - done : (size_t)n;
    int sent = send_all(fds[!way], data, take);
    wire->forwarded[way] = done + take;
    return sent && done + take < limit;
}

/* 0 when the cutter is to stop. */
static int serve(cutter *wire, const int fds[2])
{
    struct pollfd watched[] = {{.fd = fds[0], .events = POLLIN},
                               {.fd = fds[1], .events = POLLIN},
                               {.fd = wire->stop[0], .events = POLLIN}};
    wire->forwarded[0] = 0;
    wire->forwarded[1] = 0;
    for (;;) {
        poll(watched, 3, -1);
        if (watched[2].revents != 0)
            return 0;
        for (int way = 0; way < 2; way++) {
            if (watched[way].revents != 0 && !forward(wire, fds, way))
                return 1;
        }
    }
}

static void *run(void *arg)
{
    cutter *wire = arg;
    struct pollfd watched[] = {{.fd = wire->listener, .events = POLLIN},
                               {.fd = wire->stop[0], .events = POLLIN}};
    for (int on = 1; on;) {
        poll(watched, 2, -1);
        if (watched[1].revents != 0)
            break;
        int client = accept(wire->listener, NULL, NULL), server = reach_server(wire);
        if (client != -1 && server != -1)
            on = serve(wire, (int[2]){client, server});
        if (client != -1)
            close(client);
        if (server != -1)
            close(server);
    }
    return NULL;
}

cutter *cutter_start(int port)
{
    cutter *wire = calloc(1, sizeof *wire);
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof at;
    assert_non_null(wire);
    wire->server_port = port;
    wire->limits[0] = SIZE_MAX;
    wire->limits[1] = SIZE_MAX;
    wire->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(wire->listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(wire->listener, 16), 0);
    assert_int_equal(getsockname(wire->listener, (struct sockaddr *)&at, &len), 0);
    wire->port = ntohs(at.sin_port);
    assert_int_equal(pipe(wire->stop), 0);
    assert_int_equal(pthread_create(&wire->thread, NULL, run, wire), 0);
    return wire;
}

int cutter_port(const cutter *wire)
{
    return wire->port;
}

void cutter_cut(cutter *wire, cutter_way way, size_t bytes)
{
    wire->limits[way] = bytes;
    wire->limits[!way] = SIZE_MAX;
}

size_t cutter_forwarded(cutter *wire, cutter_way way)
{
    return wire->forwarded[way];
}

void cutter_stop(cutter *wire)
{
    close(wire->stop[1]);
    pthread_join(wire->thread, NULL);
    close(wire->stop[0]);
    close(wire->listener);
    free(wire);
}
