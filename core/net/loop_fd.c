/*
 * loop_fd.c - one descriptor for all that the loop waits for, to be watched by another event loop.
 *
 * libuv's own descriptor is an epoll set that knows sockets but no timers, and sockets only from
 * the turn on that follows their being watched. So ours is an epoll set over that one and a
 * timerfd, which fires when a timer is due, and at once when a turn is needed before anything can
 * happen: something is unwritten, or somebody began to watch a socket.
 */
#include "core/net/loop_inner.h"

#include "core/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/timerfd.h>

enum { NEVER = -1 };

static int add(int set, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return fd < 0 ? -1 : epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

/* Milliseconds from now; NEVER disarms. Setting it takes back what has fired. */
static void set_timer(evs__loop *loop, int ms)
{
    struct itimerspec when = {{0, 0}, {0, 0}};
    if (ms == 0)
        when.it_value.tv_nsec = 1;
    if (ms > 0) {
        when.it_value.tv_sec = ms / 1000;
        when.it_value.tv_nsec = ms % 1000 * 1000000L;
    }
    timerfd_settime(loop->timer_fd, 0, &when, NULL);
}

evs_status evs__loop_fd(int *out, evs__loop *loop, evs_error *err)
{
    if (loop->fd < 0) {
        int set = epoll_create1(EPOLL_CLOEXEC);
        loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        loop->fd = set;
        if (set < 0 || add(set, loop->timer_fd) != 0 || add(set, uv_backend_fd(&loop->uv)) != 0) {
            evs_status status = evs__fail(err, EVS_E_STATE, "cannot make a descriptor: %s",
                                          strerror(errno));
            evs__loop_close_fd(loop);
            return status;
        }
        evs__loop_hurry_now(loop); /* what was due before there was a descriptor, too */
    }
    *out = loop->fd;
    return EVS_OK;
}

void evs__loop_close_fd(evs__loop *loop)
{
    if (loop->timer_fd >= 0)
        close(loop->timer_fd);
    if (loop->fd >= 0)
        close(loop->fd);
    loop->timer_fd = -1;
    loop->fd = -1;
}

void evs__loop_hurry_now(evs__loop *loop)
{
    loop->hurried = 1;
    set_timer(loop, 0);
}

void evs__loop_set_alarm(evs__loop *loop, int busy)
{
    uv_update_time(&loop->uv); /* completions may have taken long */
    int ms = uv_loop_alive(&loop->uv) ? uv_backend_timeout(&loop->uv) : NEVER;
    loop->hurried = busy;
    set_timer(loop, busy ? 0 : ms);
}

#else

evs_status evs__loop_fd(int *out, evs__loop *loop, evs_error *err)
{
    (void)out;
    (void)loop;
    return evs__fail(err, EVS_E_STATE, "one descriptor for everything is not made on this system");
}

void evs__loop_close_fd(evs__loop *loop)
{
    (void)loop;
}

void evs__loop_hurry_now(evs__loop *loop)
{
    (void)loop;
}

void evs__loop_set_alarm(evs__loop *loop, int busy)
{
    (void)loop;
    (void)busy;
}

#endif
