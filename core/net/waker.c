/* waker.c - libuv's async handle: the one thing of a loop that other threads may touch. */
#include "core/net/waker.h"

#include "core/mem.h"
#include "core/net/loop_inner.h"

#include <sched.h>
#include <stdatomic.h>

struct evs__waker {
    uv_async_t uv;     /* first: libuv's handle is the waker */
    atomic_int waking; /* threads that are in evs__waker_wake */
    evs__loop *loop;
    void (*woken)(void *owner);
    void *owner;
};

static void woken(uv_async_t *handle)
{
    evs__waker *waker = (evs__waker *)handle;
    evs__loop_stir(waker->loop);
    waker->woken(waker->owner);
}

evs__waker *evs__waker_new(evs__loop *loop, void (*on_wake)(void *owner), void *owner)
{
    evs__waker *waker = evs__zalloc_array(1, sizeof *waker);
    if (waker == NULL)
        return NULL;
    waker->woken = on_wake;
    waker->owner = owner;
    waker->loop = loop;
    if (uv_async_init(&loop->uv, &waker->uv, woken) == 0) {
        loop->wakers++;
        return waker;
    }
    evs__free(waker);
    return NULL;
}

void evs__waker_wake(evs__waker *waker)
{
    atomic_fetch_add(&waker->waking, 1);
    uv_async_send(&waker->uv);
    atomic_fetch_sub(&waker->waking, 1);
}

static void closed(uv_handle_t *handle)
{
    evs__free(handle);
}

/* What the loop did since a thread woke it may be to free the waker, which that thread may still
 * be about to leave. */
void evs__waker_free(evs__waker *waker)
{
    if (waker == NULL)
        return;
    while (atomic_load(&waker->waking) > 0)
        sched_yield();
    waker->loop->wakers--;
    uv_close((uv_handle_t *)&waker->uv, closed);
}

/* libuv would wait for that thread to come out of it. */
void evs__waker_abandon(evs__waker *waker)
{
    if (waker != NULL && atomic_load(&waker->waking) == 0)
        evs__waker_free(waker);
}
