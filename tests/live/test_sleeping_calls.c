/*
 * Calls that block on a client that its caller drives, next to a server that hangs: when they sleep
 * in reading, and that they never do for an answer that may not be theirs.
 */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

enum { SHORT_MS = 30, LONG_MS = 60000, CALLS = 20, MANY = 100000, LARGE = 2000000 };

static const char GET[] =
    "--- Gets.\n-- @key name a string\nreturn redis.call('GET', KEYS[1]) or 'nothing'";

/* What the library reads with. */
static size_t sleeps;

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    sleeps += (flags & MSG_DONTWAIT) == 0;
    return recvfrom(fd, data, len, flags, NULL, NULL);
}

typedef struct world {
    shards set;
    char keys[2][32]; /* of the two shards */
    evs_bytes words[2];
    size_t done;
} world;

static void set_up(world *w)
{
    char command[80];
    *w = (world){.done = 0};
    shards_start(&w->set, 2, NULL);
    shards_script(&w->set, "get", GET);
    for (size_t i = 0; i < 2; i++) {
        w->words[i] = evs_text(shards_key(&w->set, i, w->keys[i]));
        snprintf(command, sizeof command, "SETRANGE %s %d x", w->keys[i], i == 0 ? LARGE : 1);
        shards_do(&w->set, i, command);
    }
}

static evs_invocation get(const world *w, size_t shard, unsigned timeout_ms)
{
    return (evs_invocation){
        .script = "get", .keys = &w->words[shard], .nkeys = 1, .timeout_ms = timeout_ms};
}

static evs_status call(const world *w, size_t shard, unsigned timeout_ms)
{
    evs_reply *reply = NULL;
    evs_invocation what = get(w, shard, timeout_ms);
    evs_status status = evs_call(&reply, w->set.client, &what, NULL);
    evs_reply_free(reply);
    return status;
}

static void call_some(const world *w)
{
    sleeps = 0;
    for (size_t i = 0; i < CALLS; i++)
        assert_int_equal(call(w, 0, LONG_MS), EVS_OK);
}

static void hang(const world *w)
{
    assert_int_equal(kill(scratch_pid(w->set.servers[1]), SIGSTOP), 0);
}

static void go_on(const world *w)
{
    assert_int_equal(kill(scratch_pid(w->set.servers[1]), SIGCONT), 0);
}

static void a_call_sleeps_in_reading_its_answer(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    sleeps = 0;
    for (size_t i = 0; i < MANY && sleeps == 0; i++) /* where ticks are not in between */
        assert_int_equal(call(&w, 1, LONG_MS), EVS_OK);
    assert_true(sleeps > 0);
    shards_stop(&w.set);
}

static void note(void *arg, const evs_result *result)
{
    (void)result;
    ++*(size_t *)arg;
}

/* Its answer comes in many parts, and its connection leaves the line with the first. */
static void a_call_does_not_sleep_for_that_of_another_call(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    assert_int_equal(call(&w, 1, LONG_MS), EVS_OK);
    hang(&w);
    evs_invocation other = get(&w, 1, LONG_MS);
    assert_int_equal(evs_submit(w.set.client, &other, note, &w.done, NULL), EVS_OK);
    call_some(&w);
    assert_int_equal(sleeps, 0);
    go_on(&w);
    while (w.done == 0)
        assert_int_equal(evs_client_process(w.set.client, -1, NULL), EVS_OK);
    shards_stop(&w.set);
}

static void a_call_does_not_sleep_for_one_that_came_too_late(void **state)
{
    (void)state;
    world w;
    set_up(&w);
    assert_int_equal(call(&w, 1, LONG_MS), EVS_OK);
    hang(&w);
    evs_status status;
    do {
        status = call(&w, 1, SHORT_MS);
    } while (status == EVS_OK); /* it stops a moment later */
    assert_int_equal(status, EVS_E_TIMEOUT);
    sleeps = 0;
    assert_int_equal(call(&w, 0, LONG_MS), EVS_OK); /* connects meanwhile */
    assert_int_equal(sleeps, 0);
    go_on(&w);
    shards_stop(&w.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_sleeps_in_reading_its_answer),
        cmocka_unit_test(a_call_does_not_sleep_for_that_of_another_call),
        cmocka_unit_test(a_call_does_not_sleep_for_one_that_came_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
