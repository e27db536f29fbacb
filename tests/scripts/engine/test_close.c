/*
 * Closing a client in a completion: nothing more is taken from then on, and what there is completes
 * when the completion has returned, each call once, driven or by a thread of the client's own.
 */
#include "core/mem.h"
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>

/* How the completion of a call closes, and what it was told. */
static struct {
    evs_close how;
    int timeout_ms;
    int frees;
    evs_status closed, again, submitted;
} closing;

static void close_it(slot *self)
{
    evs_client *client = self->all->set.client;
    slot late = {0};
    closing.closed = evs_client_close(client, closing.how, closing.timeout_ms, NULL);
    closing.again = evs_client_close(client, closing.how, closing.timeout_ms, NULL);
    closing.submitted = world_submit(self->all, &late, WORLD_PATIENCE_MS);
    if (closing.frees)
        evs_client_free(client);
}

static void will_close(slot *self, evs_close how, int timeout_ms)
{
    closing.how = how;
    closing.timeout_ms = timeout_ms;
    closing.frees = 0;
    closing.closed = closing.again = closing.submitted = EVS_E_INVALID;
    self->then = close_it;
}

static void assert_closed(const world *w)
{
    evs_client_stats stats;
    assert_int_equal(closing.closed, EVS_OK);
    assert_int_equal(closing.again, EVS_E_STATE);
    assert_int_equal(closing.submitted, EVS_E_STATE);
    assert_int_equal(evs_client_pending(w->set.client), 0);
    evs_client_stats_get(&stats, w->set.client);
    assert_int_equal(stats.connects, 1);
    assert_int_equal(evs_client_close(w->set.client, EVS_CLOSE_ABORT, 0, NULL), EVS_E_STATE);
}

static void submit_all(world *w, slot *slots, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(world_submit(w, &slots[i], WORLD_PATIENCE_MS), EVS_OK);
}

static void assert_all(const slot *slots, int count, evs_status status)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(slots[i].done, 1);
        assert_int_equal(slots[i].status, status);
        assert_int_equal(slots[i].outcome, status == EVS_OK ? EVS_EXECUTED : EVS_MAYBE_EXECUTED);
    }
}

static const fake_step one_of_three[] = {FAKE_GREET, FAKE_COMMANDS(4),
                                         FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"), FAKE_PAUSE};
static const fake_step three[] = {FAKE_GREET, FAKE_COMMANDS(4), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                                  FAKE_SAY(":2\r\n:3\r\n")};

/* ---- driven ---- */

static void an_abort_ends_the_others(void **state)
{
    (void)state;
    world w;
    slot slots[3] = {0};
    WORLD_OPEN(&w, one_of_three, NULL);
    will_close(&slots[0], EVS_CLOSE_ABORT, 0);
    submit_all(&w, slots, 3);
    while (slots[0].done == 0)
        assert_int_equal(evs_client_process(w.set.client, -1, NULL), EVS_OK);
    assert_all(slots, 1, EVS_OK);
    assert_all(slots + 1, 2, EVS_E_CANCELED);
    assert_closed(&w);
    assert_int_equal(evs_client_process(w.set.client, 0, NULL), EVS_E_STATE);
    fake_shard_go(w.fake);
    world_close(&w);
}

static void a_drain_waits_for_the_others(void **state)
{
    (void)state;
    world w;
    slot slots[3] = {0};
    WORLD_OPEN(&w, three, NULL);
    will_close(&slots[0], EVS_CLOSE_DRAIN, -1);
    submit_all(&w, slots, 3);
    while (slots[0].done == 0)
        assert_int_equal(evs_client_process(w.set.client, -1, NULL), EVS_OK);
    assert_all(slots, 3, EVS_OK);
    assert_closed(&w);
    world_close(&w);
}

static void but_no_longer_than_it_may(void **state)
{
    (void)state;
    world w;
    slot slots[3] = {0};
    for (int timeout_ms = 0; timeout_ms <= 20; timeout_ms += 20) {
        memset(slots, 0, sizeof slots);
        WORLD_OPEN(&w, one_of_three, NULL);
        will_close(&slots[0], EVS_CLOSE_DRAIN, timeout_ms);
        submit_all(&w, slots, 3);
        while (slots[0].done == 0)
            assert_int_equal(evs_client_process(w.set.client, -1, NULL), EVS_OK);
        assert_all(slots + 1, 2, EVS_E_CANCELED);
        assert_closed(&w);
        fake_shard_go(w.fake);
        world_close(&w);
    }
}

static void it_may_be_freed_as_well(void **state)
{
    (void)state;
    for (int drain = 0; drain < 2; drain++) {
        world w;
        slot slots[3] = {0};
        WORLD_OPEN(&w, one_of_three, NULL);
        will_close(&slots[0], drain ? EVS_CLOSE_DRAIN : EVS_CLOSE_ABORT, -1);
        closing.frees = 1;
        submit_all(&w, slots, 3);
        while (slots[0].done == 0)
            assert_int_equal(evs_client_process(w.set.client, -1, NULL), EVS_OK);
        assert_all(slots + 1, 2, EVS_E_CANCELED);
        assert_int_equal(closing.closed, EVS_OK);
        w.set.client = NULL;
        fake_shard_go(w.fake);
        world_close(&w);
    }
}

/* The completion of another call, while one is waited for. */
static void who_waits_for_a_call_is_released(void **state)
{
    (void)state;
    for (int drain = 0; drain < 2; drain++) {
        world w;
        slot slots[2] = {0};
        evs_reply *reply = NULL;
        evs_error err = {0};
        evs_bytes key = evs_text("k");
        if (drain)
            WORLD_OPEN(&w, three, NULL);
        else
            WORLD_OPEN(&w, one_of_three, NULL);
        will_close(&slots[0], drain ? EVS_CLOSE_DRAIN : EVS_CLOSE_ABORT, -1);
        submit_all(&w, slots, 2);
        evs_invocation call = {
            .handle = w.script, .keys = &key, .nkeys = 1, .timeout_ms = WORLD_PATIENCE_MS};
        evs_status status = evs_call(&reply, w.set.client, &call, &err);
        assert_int_equal(status, drain ? EVS_OK : EVS_E_CANCELED);
        if (!drain)
            assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
        evs_reply_free(reply);
        assert_all(slots + 1, 1, status);
        assert_closed(&w);
        fake_shard_go(w.fake);
        world_close(&w);
    }
}

static void so_may_one_that_is_canceled(void **state)
{
    (void)state;
    static const fake_step none[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_PAUSE};
    world w;
    slot slots[2] = {0};
    WORLD_OPEN(&w, none, NULL);
    will_close(&slots[0], EVS_CLOSE_ABORT, 0);
    submit_all(&w, slots, 2);
    while (fake_shard_done(w.fake) < 3)
        assert_int_equal(evs_client_process(w.set.client, 1, NULL), EVS_OK);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_OK);
    assert_all(slots, 2, EVS_E_CANCELED);
    assert_closed(&w);
    fake_shard_go(w.fake);
    world_close(&w);
}

static void close_without_memory(slot *self)
{
    evs__mem_fail_at(1);
    closing.closed = evs_client_close(self->all->set.client, EVS_CLOSE_DRAIN, 60000, NULL);
    evs__mem_fail_at(0);
}

static void it_takes_no_memory(void **state)
{
    (void)state;
    world w;
    slot slots[3] = {0};
    WORLD_OPEN(&w, three, NULL);
    slots[0].then = close_without_memory;
    submit_all(&w, slots, 3);
    world_finish(&w);
    assert_int_equal(closing.closed, EVS_OK);
    assert_all(slots, 3, EVS_OK);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_DRAIN, -1, NULL), EVS_E_STATE);
    world_close(&w);
}

/* ---- with a thread of its own ---- */

static void so_it_is_with_a_thread(void **state)
{
    (void)state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    for (int drain = 0; drain < 2; drain++) {
        world w;
        slot slots[3] = {0};
        if (drain)
            WORLD_OPEN(&w, three, &options);
        else
            WORLD_OPEN(&w, one_of_three, &options);
        will_close(&slots[0], drain ? EVS_CLOSE_DRAIN : EVS_CLOSE_ABORT, drain ? 60000 : 0);
        submit_all(&w, slots, 3); /* nothing is answered before all are there */
        while (evs_client_pending(w.set.client) > 0)
            sched_yield();
        assert_all(slots, 1, EVS_OK);
        assert_all(slots + 1, 2, drain ? EVS_OK : EVS_E_CANCELED);
        assert_closed(&w);
        fake_shard_go(w.fake);
        world_close(&w);
    }
}

static void nor_does_a_thread_drain_longer_than_it_may(void **state)
{
    (void)state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    world w;
    slot slots[3] = {0};
    WORLD_OPEN(&w, one_of_three, &options);
    will_close(&slots[0], EVS_CLOSE_DRAIN, 20);
    submit_all(&w, slots, 3);
    while (evs_client_pending(w.set.client) > 0)
        sched_yield();
    assert_all(slots + 1, 2, EVS_E_CANCELED);
    assert_closed(&w);
    fake_shard_go(w.fake);
    world_close(&w);
}

static void there_are_two_ways_to_close(void **state)
{
    (void)state;
    shards set = {0};
    const char *nowhere[] = {"unix:/nowhere"};
    evs_error err;
    shards_open(&set, nowhere, 1, NULL);
    assert_int_equal(evs_client_close(set.client, (evs_close)2, 0, &err), EVS_E_INVALID);
    assert_string_equal(err.message, "how is 2, which there is not; the last one is 1");
    assert_int_equal(evs_client_close(set.client, EVS_CLOSE_ABORT, 0, NULL), EVS_OK);
    shards_stop(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_two_ways_to_close),
        cmocka_unit_test(an_abort_ends_the_others),
        cmocka_unit_test(a_drain_waits_for_the_others),
        cmocka_unit_test(but_no_longer_than_it_may),
        cmocka_unit_test(it_may_be_freed_as_well),
        cmocka_unit_test(who_waits_for_a_call_is_released),
        cmocka_unit_test(so_may_one_that_is_canceled),
        cmocka_unit_test(it_takes_no_memory),
        cmocka_unit_test(so_it_is_with_a_thread),
        cmocka_unit_test(nor_does_a_thread_drain_longer_than_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
