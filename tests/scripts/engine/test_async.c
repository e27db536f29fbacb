/*
 * Calls without waiting: embedded in a foreign poll() loop, canceled, in strict order, and closed.
 */
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a foreign loop ---- */

static void a_foreign_loop_sees_replies_on_one_descriptor(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(3, ":2\r\n")};
    world w;
    slot slots[4] = {0};
    WORLD_OPEN(&w, steps, NULL);
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    world_poll(&w);
    assert_int_equal(slots[0].number, 1);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(world_submit(&w, &slots[i], WORLD_PATIENCE_MS), EVS_OK);
        world_poll(&w);
        assert_int_equal(slots[i].number, 2);
    }
    world_close(&w);
}

static void a_foreign_loop_sees_deadlines(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE};
    world w;
    slot slots[3] = {0};
    WORLD_OPEN(&w, steps, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(world_submit(&w, &slots[i], 20 + 30 * (unsigned)i), EVS_OK);
    world_poll(&w);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(slots[i].status, EVS_E_TIMEOUT);
        assert_int_equal(slots[i].order, i + 1);
    }
    fake_shard_go(w.fake);
    world_close(&w);
}

static void submit_one_more(slot *self)
{
    if (self[1].all == NULL && self->ticket != 0)
        assert_int_equal(world_submit(self->all, self + 1, WORLD_PATIENCE_MS), EVS_OK);
}

static void what_completions_submit_is_seen_too(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(6, ":2\r\n")};
    world w;
    slot slots[8] = {0};
    WORLD_OPEN(&w, steps, NULL);
    for (int i = 0; i < 6; i++)
        slots[i].then = submit_one_more;
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    world_poll(&w);
    assert_int_equal(slots[6].number, 2);
    world_close(&w);
}

/* Connecting takes turns of the loop before the first byte moves, and trying again needs a timer.
 */
static void a_foreign_loop_sees_connections_made_anew(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"), FAKE_CLOSE,
        FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":3\r\n")};
    world w;
    slot slots[2] = {0};
    WORLD_OPEN(&w, steps, NULL);
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    world_poll(&w);
    fake_shard_await(w.fake, 5);
    assert_int_equal(world_submit(&w, &slots[1], WORLD_PATIENCE_MS), EVS_OK);
    world_poll(&w);
    assert_int_equal(slots[1].number, 3);
    world_close(&w);
}

/* A thread of libuv looks the name up; that it is done is an event like any other. */
static void a_foreign_loop_sees_names_looked_up(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n")};
    world w;
    slot one = {0};
    char address[64];
    const char *addresses[] = {address};
    memset(&w, 0, sizeof w);
    w.fake = FAKE_START(FAKE_TCP, steps);
    snprintf(address, sizeof address, "localhost:%s", strchr(fake_shard_address(w.fake), ':') + 1);
    shards_open(&w.set, addresses, 1, NULL);
    w.script = shards_script(&w.set, "one", "return 1");
    assert_int_equal(world_submit(&w, &one, WORLD_PATIENCE_MS), EVS_OK);
    world_poll(&w);
    assert_int_equal(one.number, 1);
    world_close(&w);
}

/* ---- canceling ---- */

static void a_call_that_did_not_leave_is_taken_back(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n")};
    world w;
    slot slots[2] = {0};
    WORLD_OPEN(&w, steps, NULL);
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(world_submit(&w, &slots[1], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_OK);
    assert_int_equal(slots[0].status, EVS_E_CANCELED);
    assert_int_equal(slots[0].outcome, EVS_NOT_EXECUTED);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_E_STATE);
    world_finish(&w);
    assert_int_equal(slots[1].number, 1);
    assert_int_equal(evs_cancel(w.set.client, slots[1].ticket, NULL), EVS_E_STATE);
    assert_int_equal(evs_cancel(w.set.client, 0, NULL), EVS_E_STATE);
    assert_int_equal(evs_cancel(w.set.client, UINT64_MAX, NULL), EVS_E_STATE);
    world_close(&w);
}

static void the_late_reply_of_a_canceled_call_is_skipped(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_PAUSE,
                               FAKE_SAY(WORLD_SHA_REPLY "*2\r\n$1\r\nx\r\n:9\r\n:2\r\n")};
    world w;
    slot slots[2] = {0};
    WORLD_OPEN(&w, steps, NULL);
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(world_submit(&w, &slots[1], WORLD_PATIENCE_MS), EVS_OK);
    while (fake_shard_done(w.fake) < 3)
        evs_client_process(w.set.client, 1, NULL);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_OK);
    assert_int_equal(slots[0].outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(slots[0].done, 1);
    fake_shard_go(w.fake);
    world_finish(&w);
    assert_int_equal(slots[0].done, 1);
    assert_int_equal(slots[1].number, 2);
    world_close(&w);
}

static void cancel_next(slot *self)
{
    evs_cancel(self->all->set.client, self[1].ticket, NULL);
}

static void a_completion_may_cancel(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(4),
                               FAKE_SAY(WORLD_SHA_REPLY ":1\r\n:2\r\n:3\r\n")};
    world w;
    slot slots[3] = {0};
    WORLD_OPEN(&w, steps, NULL);
    slots[0].then = cancel_next;
    for (int i = 0; i < 3; i++)
        assert_int_equal(world_submit(&w, &slots[i], WORLD_PATIENCE_MS), EVS_OK);
    world_finish(&w);
    assert_int_equal(slots[1].status, EVS_E_CANCELED);
    assert_int_equal(slots[1].done, 1);
    assert_int_equal(slots[2].number, 3);
    world_close(&w);
}

/* A place is used again: an old ticket must not hit the new call. */
static void tickets_are_not_reused(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(1, ":2\r\n")};
    world w;
    slot slots[2] = {0};
    WORLD_OPEN(&w, steps, NULL);
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    world_finish(&w);
    assert_int_equal(world_submit(&w, &slots[1], WORLD_PATIENCE_MS), EVS_OK);
    assert_true(slots[0].ticket != slots[1].ticket);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_E_STATE);
    world_finish(&w);
    assert_int_equal(slots[1].number, 2);
    world_close(&w);
}

/* ---- order ---- */

static void strict_order_survives_a_heal(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,
        FAKE_COMMANDS(2), /* the first call alone */
        FAKE_SAY(WORLD_SHA_REPLY WORLD_NOSCRIPT),
        FAKE_COMMANDS(2),
        FAKE_SAY("*1\r\n:0\r\n" WORLD_SHA_REPLY),
        FAKE_ANSWER(1, ":1\r\n"),
        FAKE_ANSWER(1, ":2\r\n"),
        FAKE_ANSWER(1, ":3\r\n"),
    };
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[3] = {0};
    WORLD_OPEN(&w, steps, &options);
    for (int i = 0; i < 3; i++)
        assert_int_equal(world_submit(&w, &slots[i], WORLD_PATIENCE_MS), EVS_OK);
    world_finish(&w);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(slots[i].number, i + 1);
        assert_int_equal(slots[i].order, i + 1);
    }
    world_close(&w);
}

static void plain_commands_wait_for_their_turn_too(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,
                               FAKE_COMMANDS(2),
                               FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(1, ":2\r\n"),
                               FAKE_EXPECT("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"),
                               FAKE_SAY("$1\r\nv\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[2] = {0};
    evs_reply *reply = NULL;
    WORLD_OPEN(&w, steps, &options);
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(world_submit(&w, &slots[1], WORLD_PATIENCE_MS), EVS_OK);
    evs_bytes args[] = {evs_text("GET"), evs_text("k")};
    evs_plain_command get = {.args = args, .nargs = 2, .timeout_ms = WORLD_PATIENCE_MS};
    assert_int_equal(evs_command(&reply, w.set.client, &get, NULL), EVS_OK);
    assert_int_equal(slots[1].number, 2);
    evs_reply_free(reply);
    world_close(&w);
}

static void who_waits_for_a_turn_can_be_canceled_and_expire(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"), FAKE_ANSWER(1, ":2\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[4] = {0};
    WORLD_OPEN(&w, steps, &options);
    for (int i = 0; i < 4; i++)
        assert_int_equal(world_submit(&w, &slots[i], i == 2 ? 20 : WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_cancel(w.set.client, slots[1].ticket, NULL), EVS_OK);
    assert_int_equal(slots[1].outcome, EVS_NOT_EXECUTED);
    while (slots[2].done == 0)
        evs_client_process(w.set.client, -1, NULL);
    assert_int_equal(slots[2].status, EVS_E_TIMEOUT);
    assert_int_equal(slots[2].outcome, EVS_NOT_EXECUTED);
    fake_shard_go(w.fake);
    world_finish(&w);
    assert_int_equal(slots[0].number, 1);
    assert_int_equal(slots[3].number, 2);
    world_close(&w);
}

/* ---- closing ---- */

static void a_drain_waits_for_what_is_in_flight(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n")};
    world w;
    slot slots[2] = {0};
    WORLD_OPEN(&w, steps, NULL);
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    assert_int_equal(slots[0].number, 1);
    assert_int_equal(world_submit(&w, &slots[1], WORLD_PATIENCE_MS), EVS_E_STATE);
    evs_client_stats stats;
    evs_client_stats_get(&stats, w.set.client);
    assert_int_equal(stats.calls, 1);
    assert_int_equal(stats.connects, 1);
    world_close(&w);
}

static void a_drain_lets_calls_have_their_turn(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(4, ":1\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[5] = {0};
    WORLD_OPEN(&w, steps, &options);
    for (int i = 0; i < 5; i++)
        assert_int_equal(world_submit(&w, &slots[i], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(slots[i].number, 1);
    world_close(&w);
}

static void a_drain_that_takes_too_long_aborts(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE};
    world w;
    slot one = {0};
    WORLD_OPEN(&w, steps, NULL);
    assert_int_equal(world_submit(&w, &one, WORLD_PATIENCE_MS), EVS_OK);
    while (fake_shard_done(w.fake) < 3)
        evs_client_process(w.set.client, 1, NULL);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_DRAIN, 20, NULL), EVS_E_TIMEOUT);
    assert_int_equal(one.status, EVS_E_CANCELED);
    assert_int_equal(one.outcome, EVS_MAYBE_EXECUTED);
    fake_shard_go(w.fake);
    world_close(&w);
}

static void an_abort_completes_everything_once(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[5] = {0};
    WORLD_OPEN(&w, steps, &options);
    for (int i = 0; i < 5; i++)
        assert_int_equal(world_submit(&w, &slots[i], WORLD_PATIENCE_MS), EVS_OK);
    while (fake_shard_done(w.fake) < 3)
        evs_client_process(w.set.client, 1, NULL);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_ABORT, 0, NULL), EVS_OK);
    assert_int_equal(evs_client_pending(w.set.client), 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(slots[i].done, 1);
        assert_int_equal(slots[i].status, EVS_E_CANCELED);
        assert_int_equal(slots[i].outcome, i == 0 ? EVS_MAYBE_EXECUTED : EVS_NOT_EXECUTED);
    }
    fake_shard_go(w.fake);
    world_close(&w);
}

static void try_to_close(slot *self)
{
    evs_client *client = self->all->set.client;
    assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_E_STATE);
    evs_client_free(client);
}

static void freed_while_draining(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                               FAKE_PAUSE};
    world w;
    slot slots[2] = {0};
    WORLD_OPEN(&w, steps, NULL);
    slots[0].then = try_to_close;
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(world_submit(&w, &slots[1], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_DRAIN, -1, NULL), EVS_E_TIMEOUT);
    assert_int_equal(slots[1].status, EVS_E_CANCELED);
    w.set.client = NULL;
    fake_shard_go(w.fake);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_loop_sees_replies_on_one_descriptor),
        cmocka_unit_test(a_foreign_loop_sees_deadlines),
        cmocka_unit_test(what_completions_submit_is_seen_too),
        cmocka_unit_test(a_foreign_loop_sees_connections_made_anew),
        cmocka_unit_test(a_foreign_loop_sees_names_looked_up),
        cmocka_unit_test(a_call_that_did_not_leave_is_taken_back),
        cmocka_unit_test(the_late_reply_of_a_canceled_call_is_skipped),
        cmocka_unit_test(a_completion_may_cancel),
        cmocka_unit_test(tickets_are_not_reused),
        cmocka_unit_test(strict_order_survives_a_heal),
        cmocka_unit_test(plain_commands_wait_for_their_turn_too),
        cmocka_unit_test(who_waits_for_a_turn_can_be_canceled_and_expire),
        cmocka_unit_test(a_drain_waits_for_what_is_in_flight),
        cmocka_unit_test(a_drain_lets_calls_have_their_turn),
        cmocka_unit_test(a_drain_that_takes_too_long_aborts),
        cmocka_unit_test(an_abort_completes_everything_once),
        cmocka_unit_test(freed_while_draining),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
