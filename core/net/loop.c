#include "core/net/loop_inner.h"

#include "core/error.h"
#include "core/mem.h"

#include <assert.h>

enum { LARGEST_SPARE = 256 * 1024 };

struct evs__timer {
    uv_timer_t uv; /* first: libuv's handle is the timer */
    evs__loop *loop;
    void (*fire)(void *owner);
    void *owner;
};

/* ---- who has something to write ---- */

static void make_ring(evs__dirty *head)
{
    head->next = head;
    head->prev = head;
}

static int is_empty(const evs__dirty *head)
{
    return head->next == head;
}

void evs__loop_mark(evs__loop *loop, evs__dirty *dirty)
{
    if (dirty->next != NULL)
        return;
    dirty->next = &loop->dirty;
    dirty->prev = loop->dirty.prev;
    dirty->prev->next = dirty;
    loop->dirty.prev = dirty;
}

void evs__loop_unmark(evs__dirty *dirty)
{
    if (dirty->next == NULL)
        return;
    dirty->prev->next = dirty->next;
    dirty->next->prev = dirty->prev;
    dirty->next = NULL;
    dirty->prev = NULL;
}

/* Who becomes dirty meanwhile waits for the next flush, so that this one ends. */
static void flush(evs__loop *loop)
{
    if (is_empty(&loop->dirty))
        return;
    evs__dirty batch = loop->dirty;
    batch.next->prev = &batch;
    batch.prev->next = &batch;
    make_ring(&loop->dirty);
    while (!is_empty(&batch)) {
        evs__dirty *first = batch.next;
        evs__loop_unmark(first);
        first->flush(first);
    }
}

static void before_wait(uv_prepare_t *handle)
{
    evs__loop *loop = handle->data;
    flush(loop);
    if (loop->stirred || !is_empty(&loop->dirty))
        uv_stop(&loop->uv); /* libuv then looks for events without waiting */
}

/* ---- the loop ---- */

static evs_status fail_uv(evs_error *err, int code)
{
    if (code == UV_ENOMEM)
        return evs__fail_nomem(err);
    return evs__fail(err, EVS_E_STATE, "cannot make an event loop: %s", uv_strerror(code));
}

evs_status evs__loop_new(evs__loop **out, evs_error *err)
{
    evs__loop *loop = evs__zalloc_array(1, sizeof *loop);
    if (loop == NULL)
        return evs__fail_nomem(err);
    int code = uv_loop_init(&loop->uv);
    if (code != 0) {
        evs__free(loop);
        return fail_uv(err, code);
    }
    make_ring(&loop->dirty);
    uv_timer_init(&loop->uv, &loop->limit);
    loop->limit.data = loop;
    uv_prepare_init(&loop->uv, &loop->before_wait);
    loop->before_wait.data = loop;
    uv_prepare_start(&loop->before_wait, before_wait);
    uv_unref((uv_handle_t *)&loop->before_wait);
    *out = loop;
    return EVS_OK;
}

static void release(evs__loop *loop)
{
    evs__arena_free(&loop->spare_arena);
    evs__buf_free(&loop->spare_buf);
    evs__free(loop);
}

/* Waits for lookups that are under way in libuv's threads: those cannot be interrupted. */
void evs__loop_free(evs__loop *loop)
{
    if (loop == NULL)
        return;
    uv_close((uv_handle_t *)&loop->before_wait, NULL);
    uv_close((uv_handle_t *)&loop->limit, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int code = uv_loop_close(&loop->uv);
    assert(code == 0); /* everything on the loop was freed before */
    (void)code;
    release(loop);
}

int evs__loop_fork(evs__loop *loop)
{
    if (loop->forked)
        return !loop->broken;
    loop->forked = 1;
    loop->broken = uv_loop_fork(&loop->uv) != 0;
    return !loop->broken;
}

/* The thread that would have ended a lookup is not in this process: then libuv's part of the loop
 * stays allocated. */
void evs__loop_abandon(evs__loop *loop)
{
    if (loop == NULL)
        return;
    if (!evs__loop_fork(loop))
        return;
    uv_close((uv_handle_t *)&loop->before_wait, NULL);
    uv_close((uv_handle_t *)&loop->limit, NULL);
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    if (uv_loop_close(&loop->uv) == 0)
        release(loop);
}

/* When this thread was held up, the time is over before libuv waits, and then it must not. */
static void time_is_up(uv_timer_t *handle)
{
    evs__loop_stir(handle->data);
}

static void set_limit(evs__loop *loop, int timeout_ms)
{
    uv_update_time(&loop->uv);
    uv_timer_start(&loop->limit, time_is_up, (uint64_t)timeout_ms, 0);
}

void evs__loop_run(evs__loop *loop, int timeout_ms)
{
    loop->stirred = 0;
    if (timeout_ms > 0)
        set_limit(loop, timeout_ms);
    uv_run(&loop->uv, timeout_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    if (timeout_ms > 0)
        uv_timer_stop(&loop->limit);
    flush(loop);
}

uint64_t evs__loop_now_ms(const evs__loop *loop)
{
    (void)loop;
    return uv_hrtime() / 1000000;
}

/* ---- memory that is lent ---- */

void evs__loop_lend_arena(evs__loop *loop, evs__arena *arena)
{
    if (arena->blocks != NULL)
        return;
    *arena = loop->spare_arena;
    loop->spare_arena = (evs__arena)EVS__ARENA_INIT;
}

void evs__loop_lend_buf(evs__loop *loop, evs__buf *buf)
{
    if (buf->data != NULL)
        return;
    *buf = loop->spare_buf;
    loop->spare_buf = (evs__buf)EVS__BUF_INIT;
}

void evs__loop_return_arena(evs__loop *loop, evs__arena *arena)
{
    evs__arena_reset(arena);
    if (loop->spare_arena.blocks != NULL || arena->end - arena->at > LARGEST_SPARE) {
        evs__arena_free(arena);
        return;
    }
    loop->spare_arena = *arena;
    *arena = (evs__arena)EVS__ARENA_INIT;
}

void evs__loop_return_buf(evs__loop *loop, evs__buf *buf)
{
    evs__buf_clear(buf);
    if (buf->cap > LARGEST_SPARE || buf->cap <= loop->spare_buf.cap) {
        evs__buf_free(buf);
        return;
    }
    evs__buf_free(&loop->spare_buf);
    loop->spare_buf = *buf;
    *buf = (evs__buf)EVS__BUF_INIT;
}

/* ---- timers ---- */

static void fired(uv_timer_t *handle)
{
    evs__timer *timer = (evs__timer *)handle;
    evs__loop_stir(timer->loop);
    timer->fire(timer->owner);
}

evs__timer *evs__timer_new(evs__loop *loop, void (*fire)(void *owner), void *owner)
{
    evs__timer *timer = evs__zalloc_array(1, sizeof *timer);
    if (timer == NULL)
        return NULL;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->loop = loop;
    timer->fire = fire;
    timer->owner = owner;
    return timer;
}

void evs__timer_start(evs__timer *timer, uint64_t delay_ms)
{
    uv_update_time(&timer->loop->uv);
    uv_timer_start(&timer->uv, fired, delay_ms, 0);
}

void evs__timer_stop(evs__timer *timer)
{
    uv_timer_stop(&timer->uv);
}

static void timer_closed(uv_handle_t *handle)
{
    evs__free(handle);
}

void evs__timer_free(evs__timer *timer)
{
    if (timer != NULL)
        uv_close((uv_handle_t *)&timer->uv, timer_closed);
}
