/*
 * loop_rest.c - waiting for the next turn outside of libuv, so that meanwhile nothing of the loop,
 * nor of anything on it, is half-changed. The turns that follow do not wait.
 */
#include "core/net/loop_inner.h"

#include <poll.h>

/* Milliseconds in which nothing is due; 0: a turn is; negative: for ever. */
static int idle_ms(evs__loop *loop)
{
    if (loop->unwatched || loop->dirty.next != &loop->dirty)
        return 0;
    uv_update_time(&loop->uv); /* completions may have taken long */
    return uv_backend_timeout(&loop->uv);
}

void evs__loop_rest(evs__loop *loop, int most_ms, atomic_int *rests)
{
    int ms = idle_ms(loop);
    if (most_ms >= 0 && (ms < 0 || ms > most_ms))
        ms = most_ms;
    if (ms == 0)
        return;
    struct pollfd ready = {.fd = uv_backend_fd(&loop->uv), .events = POLLIN};
    atomic_store(rests, 1);
    poll(&ready, 1, ms); /* too early is no harm */
    atomic_store(rests, 0);
}
