/* The loop: what is dirty is flushed before waiting, timers fire once, limits of time hold. */
#include "core/net/loop_inner.h"
#include "core/net/task.h"
#include "core/net/waker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long hold_up_ms; /* by which the clock advances each time it is read */
static long held_up_ms;

/* Visible, so that libuv finds this one. */
EVS_API int clock_gettime(clockid_t id, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, id, now) != 0)
        return -1;
    held_up_ms += hold_up_ms;
    now->tv_sec += held_up_ms / 1000;
    now->tv_nsec += held_up_ms % 1000 * 1000000;
    now->tv_sec += now->tv_nsec / 1000000000;
    now->tv_nsec %= 1000000000;
    return 0;
}

/* A thread that is held up when it writes. */
static struct {
    pthread_t id;
    int held;
    sem_t writing, go;
} sender;

EVS_API ssize_t write(int fd, const void *data, size_t len)
{
    if (sender.held && pthread_equal(pthread_self(), sender.id)) {
        sem_post(&sender.writing);
        sem_wait(&sender.go);
    }
    return (ssize_t)syscall(SYS_write, fd, data, len);
}

typedef struct writer {
    evs__dirty dirty; /* first */
    evs__loop *loop;
    struct writer *other; /* made dirty by a flush */
    int flushes;
} writer;

typedef struct waker {
    evs__loop *loop;
    evs__timer *timer;
    writer *writer;
    int fired;
} waker;

static evs__loop *new_loop(void)
{
    evs__loop *loop;
    assert_int_equal(evs__loop_new(&loop, NULL), EVS_OK);
    return loop;
}

static void flush(evs__dirty *dirty)
{
    writer *self = (writer *)dirty;
    self->flushes++;
    if (self->other != NULL)
        evs__loop_mark(self->loop, &self->other->dirty);
}

static void fire(void *owner)
{
    waker *self = owner;
    self->fired++;
    if (self->writer != NULL)
        evs__loop_mark(self->loop, &self->writer->dirty);
}

static void run_flushes_each_writer_once(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    writer a = {.dirty = {.flush = flush}}, b = {.dirty = {.flush = flush}};
    evs__loop_mark(loop, &a.dirty);
    evs__loop_mark(loop, &a.dirty);
    evs__loop_mark(loop, &b.dirty);
    evs__loop_run(loop, 0);
    assert_int_equal(a.flushes, 1);
    assert_int_equal(b.flushes, 1);
    evs__loop_run(loop, 0);
    assert_int_equal(a.flushes, 1);
    evs__loop_free(loop);
}

static void unmarked_writers_are_not_flushed(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    writer a = {.dirty = {.flush = flush}}, b = {.dirty = {.flush = flush}};
    evs__loop_mark(loop, &a.dirty);
    evs__loop_mark(loop, &b.dirty);
    evs__loop_unmark(&a.dirty);
    evs__loop_unmark(&a.dirty);
    evs__loop_run(loop, 0);
    assert_int_equal(a.flushes, 0);
    assert_int_equal(b.flushes, 1);
    evs__loop_free(loop);
}

static void writers_that_keep_each_other_dirty_do_not_hold_up_run(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    writer a = {.dirty = {.flush = flush}, .loop = loop};
    a.other = &a;
    evs__loop_mark(loop, &a.dirty);
    evs__loop_run(loop, 60000);
    assert_in_range(a.flushes, 1, 2);
    evs__loop_unmark(&a.dirty);
    evs__loop_free(loop);
}

static void a_timer_fires_once_per_start(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    waker c = {.loop = loop};
    c.timer = evs__timer_new(loop, fire, &c);
    assert_non_null(c.timer);
    evs__timer_start(c.timer, 1);
    while (c.fired == 0)
        evs__loop_run(loop, -1);
    evs__loop_run(loop, 5);
    assert_int_equal(c.fired, 1);
    evs__timer_start(c.timer, 0);
    evs__loop_run(loop, -1);
    assert_int_equal(c.fired, 2);
    evs__timer_free(c.timer);
    evs__loop_free(loop);
}

static void a_stopped_timer_does_not_fire(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    waker c = {.loop = loop};
    c.timer = evs__timer_new(loop, fire, &c);
    evs__timer_start(c.timer, 0);
    evs__timer_stop(c.timer);
    evs__loop_run(loop, 5);
    assert_int_equal(c.fired, 0);
    evs__timer_free(c.timer);
    evs__loop_free(loop);
}

/* Were the timer's writer flushed only after the next event, this would wait for a minute. */
static void what_a_timer_makes_dirty_leaves_in_the_same_turn(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    writer w = {.dirty = {.flush = flush}};
    waker c = {.loop = loop, .writer = &w};
    c.timer = evs__timer_new(loop, fire, &c);
    evs__timer_start(c.timer, 0);
    evs__loop_run(loop, 60000);
    assert_int_equal(c.fired, 1);
    assert_int_equal(w.flushes, 1);
    evs__timer_free(c.timer);
    evs__loop_free(loop);
}

static void run_waits_no_longer_than_its_limit(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    waker c = {.loop = loop};
    c.timer = evs__timer_new(loop, fire, &c);
    evs__timer_start(c.timer, 600000);
    evs__loop_run(loop, 0);
    uint64_t before = evs__loop_now_ms(loop);
    evs__loop_run(loop, 20);
    assert_true(evs__loop_now_ms(loop) - before >= 19);
    assert_int_equal(c.fired, 0);
    evs__timer_free(c.timer);
    evs__loop_free(loop);
}

/* A thread that is held up finds the time over before it waits: waiting would have no end then. */
static void run_does_not_wait_when_its_limit_has_passed_already(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    waker c = {.loop = loop};
    c.timer = evs__timer_new(loop, fire, &c);
    evs__timer_start(c.timer, 1000000000); /* something to wait for */
    alarm(60);                             /* ends the test instead of waiting for it */
    hold_up_ms = 50;
    evs__loop_run(loop, 1);
    evs__timer_start(c.timer, 1);
    evs__loop_run(loop, -1);
    hold_up_ms = 0;
    alarm(0);
    assert_int_equal(c.fired, 1);
    evs__timer_free(c.timer);
    evs__loop_free(loop);
}

static void a_child_can_abandon_the_loop(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    waker c = {.loop = loop};
    c.timer = evs__timer_new(loop, fire, &c);
    evs__timer_start(c.timer, 30);
    pid_t child = fork();
    if (child == 0) {
        evs__timer_free(c.timer);
        evs__loop_abandon(loop);
        _exit(0);
    }
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    while (c.fired == 0)
        evs__loop_run(loop, -1);
    evs__timer_free(c.timer);
    evs__loop_free(loop);
}

static void rest_ends_when_a_turn_is_due(void **state)
{
    (void)state;
    atomic_int rests = 0;
    evs__loop *loop = new_loop();
    writer w = {.dirty = {.flush = flush}};
    waker c = {.loop = loop};
    c.timer = evs__timer_new(loop, fire, &c);
    evs__timer_start(c.timer, 600000);
    evs__loop_mark(loop, &w.dirty);
    evs__loop_rest(loop, -1, &rests); /* what is dirty does not wait */
    evs__loop_run(loop, 0);
    assert_int_equal(w.flushes, 1);
    evs__loop_rest(loop, 1, &rests);
    assert_int_equal(c.fired, 0);
    evs__timer_start(c.timer, 3);
    while (c.fired == 0) {
        evs__loop_rest(loop, -1, &rests);
        assert_int_equal(rests, 0);
        evs__loop_run(loop, 0);
    }
    evs__timer_free(c.timer);
    evs__loop_free(loop);
}

/* A thread that rests, until it is woken. */
typedef struct resting {
    evs__loop *loop;
    atomic_int rests, woken;
} resting;

static void woken(void *owner)
{
    ((resting *)owner)->woken = 1;
}

static void *rest_until_woken(void *arg)
{
    resting *self = arg;
    while (!self->woken) {
        evs__loop_rest(self->loop, -1, &self->rests);
        evs__loop_run(self->loop, 0);
    }
    return NULL;
}

static void others_see_that_a_thread_rests_and_wake_it(void **state)
{
    (void)state;
    pthread_t id;
    resting self = {.loop = new_loop()};
    evs__waker *bell = evs__waker_new(self.loop, woken, &self);
    assert_non_null(bell);
    sender.held = 0;
    assert_int_equal(pthread_create(&id, NULL, rest_until_woken, &self), 0);
    while (!self.rests)
        sched_yield();
    evs__waker_wake(bell);
    pthread_join(id, NULL);
    assert_int_equal(self.rests, 0);
    evs__waker_free(bell);
    evs__loop_free(self.loop);
}

static void spare_memory_goes_round(void **state)
{
    (void)state;
    evs__loop *loop = new_loop();
    evs__buf buf = EVS__BUF_INIT, other = EVS__BUF_INIT;
    evs__buf_reserve(&buf, 5000);
    char *memory = buf.data;
    evs__loop_return_buf(loop, &buf);
    assert_null(buf.data);
    evs__loop_lend_buf(loop, &other);
    assert_ptr_equal(other.data, memory);
    assert_int_equal(other.len, 0);
    evs__buf_free(&other);

    evs__buf_reserve(&buf, 1 << 20); /* more than is worth keeping */
    evs__loop_return_buf(loop, &buf);
    evs__loop_lend_buf(loop, &other);
    assert_true(other.cap < 1 << 20);
    evs__buf_free(&other);

    evs__reader *reader = evs__loop_lend_reader(loop, 1000, 8);
    evs__loop_return_reader(loop, reader);
    assert_ptr_equal(evs__loop_lend_reader(loop, 1000, 8), reader);
    evs__reader *second = evs__loop_lend_reader(loop, 1000, 8);
    assert_true(second != reader);
    evs__loop_return_reader(loop, second);
    evs__loop_return_reader(loop, reader);
    reader = evs__loop_lend_reader(loop, 2000, 8);
    assert_int_equal(reader->max_bytes, 2000);
    evs__loop_return_reader(loop, reader);
    evs__loop_free(loop);
}

static void nothing(void *owner)
{
    (void)owner;
}

static void *wake(void *sleeper)
{
    sender.id = pthread_self();
    sender.held = 1;
    evs__waker_wake(sleeper);
    return NULL;
}

/* The child would wait for a thread that it does not have. */
static void a_child_can_abandon_what_a_thread_is_waking(void **state)
{
    (void)state;
    int status;
    pthread_t id;
    evs__loop *loop = new_loop();
    evs__waker *sleeper = evs__waker_new(loop, nothing, NULL);
    assert_non_null(sleeper);
    sem_init(&sender.writing, 0, 0);
    sem_init(&sender.go, 0, 0);
    assert_int_equal(pthread_create(&id, NULL, wake, sleeper), 0);
    sem_wait(&sender.writing);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        evs__waker_abandon(sleeper);
        evs__loop_abandon(loop);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    sem_post(&sender.go);
    pthread_join(id, NULL);
    sender.held = 0;
    evs__loop_run(loop, -1); /* woken */
    evs__waker_free(sleeper);
    evs__loop_free(loop);
    sem_destroy(&sender.writing);
    sem_destroy(&sender.go);
}

/* On a thread of libuv's, which then holds a lock of the loop when it tells that it is through. */
static void be_held(void *job)
{
    (void)job;
    sender.id = pthread_self();
    sender.held = 1;
}

static void note_end(void *job)
{
    *(int *)job = 1;
}

/* Nobody in the child lets that lock go. */
static void a_child_can_abandon_what_a_worker_is_finishing(void **state)
{
    (void)state;
    int status, ended = 0;
    evs__loop *loop = new_loop();
    sem_init(&sender.writing, 0, 0);
    sem_init(&sender.go, 0, 0);
    evs__task *task = evs__task_start(loop, be_held, note_end, &ended);
    assert_non_null(task);
    sem_wait(&sender.writing);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        if (evs__loop_fork(loop))
            evs__task_drop(task, note_end);
        evs__loop_abandon(loop);
        _exit(ended);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    sender.held = 0;
    sem_post(&sender.go);
    while (!ended)
        evs__loop_run(loop, -1);
    evs__loop_free(loop);
    sem_destroy(&sender.writing);
    sem_destroy(&sender.go);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_flushes_each_writer_once),
        cmocka_unit_test(unmarked_writers_are_not_flushed),
        cmocka_unit_test(writers_that_keep_each_other_dirty_do_not_hold_up_run),
        cmocka_unit_test(a_timer_fires_once_per_start),
        cmocka_unit_test(a_stopped_timer_does_not_fire),
        cmocka_unit_test(what_a_timer_makes_dirty_leaves_in_the_same_turn),
        cmocka_unit_test(run_waits_no_longer_than_its_limit),
        cmocka_unit_test(run_does_not_wait_when_its_limit_has_passed_already),
        cmocka_unit_test(rest_ends_when_a_turn_is_due),
        cmocka_unit_test(others_see_that_a_thread_rests_and_wake_it),
        cmocka_unit_test(a_child_can_abandon_the_loop),
        cmocka_unit_test(a_child_can_abandon_what_a_thread_is_waking),
        cmocka_unit_test(a_child_can_abandon_what_a_worker_is_finishing),
        cmocka_unit_test(spare_memory_goes_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
