#include "core/net/conn_inner.h"

#include "core/error.h"
#include "core/mem.h"

#include <assert.h>

enum { LATE_MS = 40 }; /* more than a sleep may be longer than it should, and a tick */

enum { LARGEST_SPARE = 256 * 1024, MOST_SPARE = 4 * 1024 * 1024, FIRST_BUF = 1000 };

/* The beginning of memory that is nobody's at the moment. */
typedef struct evs__spare {
    struct evs__spare *next;
    size_t cap;
} evs__spare;

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

void evs__loop_mark_first(evs__loop *loop, evs__dirty *dirty)
{
    dirty->next = &loop->dirty;
    dirty->prev = loop->dirty.prev;
    dirty->prev->next = dirty;
    loop->dirty.prev = dirty;
    evs__loop_hurry(loop);
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

/* Connections are dirty: the line in the middle of three. */
static void fetch_around(const evs__dirty *dirty)
{
    evs__fetch_soon((const void *)((uintptr_t)dirty - EVS__LINE));
    evs__fetch_soon(dirty);
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
        fetch_around(batch.next->next);
        first->flush(first);
    }
}

static void before_wait(uv_prepare_t *handle)
{
    evs__loop *loop = handle->data;
    flush(loop);
    evs__ahead_read(&loop->ahead, loop->patient && !loop->stirred && is_empty(&loop->dirty));
    evs__glance_expire(&loop->glance);
    loop->unwatched = 0;
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
    evs__ring_init(&loop->beating);
    loop->pulse_at = UINT64_MAX;
    loop->random = ((uint64_t)(uintptr_t)loop ^ uv_hrtime()) | 1;
    loop->fd = -1;
    loop->timer_fd = -1;
    uv_timer_init(&loop->uv, &loop->limit);
    loop->limit.data = loop;
    uv_prepare_init(&loop->uv, &loop->before_wait);
    loop->before_wait.data = loop;
    uv_prepare_start(&loop->before_wait, before_wait);
    uv_unref((uv_handle_t *)&loop->before_wait);
    *out = loop;
    return EVS_OK;
}

evs__loop_counts evs__loop_counted(const evs__loop *loop)
{
    return loop->counts;
}

static void release(evs__loop *loop)
{
    evs__loop_close_fd(loop);
    evs__reader_free(loop->spare_reader);
    evs__tls_contexts_free(loop->tls);
    evs__loop_trim(loop);
    evs__free(loop);
}

/* Waits for lookups that are under way in libuv's threads: those cannot be interrupted. */
void evs__loop_free(evs__loop *loop)
{
    if (loop == NULL)
        return;
    evs__timer_free(loop->pulse);
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
    evs__loop_close_fd(loop); /* the timer in it is the parent's, too */
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
    evs__timer_free(loop->pulse);
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

static void end_turn(evs__loop *loop)
{
    flush(loop);
    evs__glance_expire(&loop->glance);
}

void evs__loop_run(evs__loop *loop, int timeout_ms)
{
    loop->stirred = 0;
    loop->patient = timeout_ms != 0 && loop->wakers == 0;
    loop->hurried = 1; /* the end of the turn says what comes next */
    if (timeout_ms > 0)
        set_limit(loop, timeout_ms);
    uv_run(&loop->uv, timeout_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    if (timeout_ms > 0)
        uv_timer_stop(&loop->limit);
    end_turn(loop);
    loop->turned = evs__loop_about_ms();
    if (loop->fd >= 0)
        evs__loop_set_alarm(loop, loop->unwatched || !is_empty(&loop->dirty));
}

/* libuv's time stands still while completions run, so what it says is left counts from there. */
static int is_due_soon(const evs__loop *loop)
{
    int ms = uv_backend_timeout(&loop->uv);
    return ms >= 0 &&
           uv_now(&loop->uv) + (uint64_t)ms < evs__loop_about_ms() + EVS__NAP_MS + LATE_MS;
}

static int may_be_alone(const evs__loop *loop)
{
    return loop->ahead.waiting == 1 && loop->listeners == 0 && loop->wakers == 0 && loop->fd < 0 &&
           loop->turned == evs__loop_about_ms();
}

/* Once all is written. */
static int may_sleep(const evs__loop *loop)
{
    return !loop->stirred && is_empty(&loop->dirty) && !loop->unwatched && !is_due_soon(loop);
}

int evs__loop_run_alone(evs__loop *loop)
{
    if (!may_be_alone(loop))
        return 0;
    loop->stirred = 0;
    flush(loop);
    evs__conn *conn = evs__ahead_only(&loop->ahead);
    if (conn != NULL && may_sleep(loop)) {
        evs__ahead_fetch(conn);
        evs__conn_read_asleep(conn);
    }
    end_turn(loop);
    return loop->stirred;
}

uint64_t evs__loop_now_ms(const evs__loop *loop)
{
    (void)loop;
    return uv_hrtime() / 1000000;
}

#ifdef CLOCK_MONOTONIC_COARSE
uint64_t evs__loop_tick_ms(void)
{
    struct timespec tick;
    clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
    return (uint64_t)tick.tv_nsec / 1000000 + 1;
}
#else
uint64_t evs__loop_about_ms(void)
{
    return uv_hrtime() / 1000000;
}

uint64_t evs__loop_tick_ms(void)
{
    return 1; /* for the part of a millisecond that is cut off */
}
#endif

/* ---- memory that is lent ---- */

evs__reader *evs__loop_lend_reader(evs__loop *loop, size_t max_bytes, unsigned max_depth)
{
    evs__reader *reader = loop->spare_reader;
    if (reader == NULL || reader->max_bytes != max_bytes || reader->max_depth != max_depth)
        return evs__reader_new(max_bytes, max_depth);
    loop->spare_reader = NULL;
    return reader;
}

/* New memory is as large as is worth having: growing from nothing would copy every byte twice. */
void evs__loop_lend_buf(evs__loop *loop, evs__buf *buf)
{
    if (buf->data != NULL)
        return;
    evs__spare *spare = loop->spare_bufs;
    if (spare == NULL) {
        evs__buf_reserve(buf, FIRST_BUF);
        return;
    }
    loop->spare_bufs = spare->next;
    evs__fetch_soon(spare->next);
    loop->spare_bytes -= spare->cap;
    *buf = (evs__buf){(char *)spare, 0, spare->cap, 0};
}

void evs__loop_trim(evs__loop *loop)
{
    while (loop->spare_bufs != NULL) {
        evs__spare *spare = loop->spare_bufs;
        loop->spare_bufs = spare->next;
        evs__free(spare);
    }
    loop->spare_bytes = 0;
}

void evs__loop_return_reader(evs__loop *loop, evs__reader *reader)
{
    if (loop->spare_reader != NULL) {
        evs__reader_free(reader);
        return;
    }
    evs__arena_reset(&reader->arena);
    loop->spare_reader = reader;
}

void evs__loop_return_buf(evs__loop *loop, evs__buf *buf)
{
    if (buf->cap < sizeof(evs__spare) || buf->cap > LARGEST_SPARE ||
        buf->cap > MOST_SPARE - loop->spare_bytes) {
        evs__buf_free(buf);
        return;
    }
    evs__spare *spare = (evs__spare *)(void *)buf->data;
    *spare = (evs__spare){loop->spare_bufs, buf->cap};
    loop->spare_bufs = spare;
    loop->spare_bytes += buf->cap;
    *buf = (evs__buf)EVS__BUF_INIT;
}

/* ---- timers ---- */

static void fired(uv_timer_t *handle)
{
    evs__timer *timer = (evs__timer *)handle;
    if (timer->loop->forked)
        return; /* a child was forked in this turn, and only ends it */
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
    evs__loop_hurry(timer->loop);
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
