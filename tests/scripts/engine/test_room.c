/*
 * A full queue: who submits waits, is refused, or is told when there is room.
 */
#include "scripts/engine/thread_inner.h"
#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>

static void a_full_queue_can_be_waited_for(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(9, ":1\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 3; /* the load counts as well */
    options.on_full = EVS_FULL_BLOCK;
    world w;
    slot slots[10] = {0};
    WORLD_OPEN(&w, steps, &options);
    for (int i = 0; i < 10; i++)
        assert_int_equal(world_submit(&w, &slots[i], WORLD_PATIENCE_MS), EVS_OK);
    world_finish(&w);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(slots[i].order, i + 1);
    world_close(&w);
}

static void waiting_for_room_ends_with_the_calls_time(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_SAY(WORLD_SHA_REPLY ":1\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 2;
    options.on_full = EVS_FULL_BLOCK;
    world w;
    slot slots[2] = {0};
    WORLD_OPEN(&w, steps, &options);
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(world_submit(&w, &slots[1], 30), EVS_E_QUEUE_FULL);
    assert_int_equal(slots[1].done, 0);
    fake_shard_go(w.fake);
    world_finish(&w);
    world_close(&w);
}

static void count_room(void *arg, const char *shard)
{
    world *w = arg;
    assert_string_equal(shard, "s0");
    w->rooms++;
}

static void who_was_refused_is_told_of_room(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(2, ":1\r\n")};
    world w;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 4;
    options.on_full = EVS_FULL_SIGNAL;
    options.room = count_room;
    options.room_arg = &w;
    slot slots[4] = {0};
    WORLD_OPEN(&w, steps, &options);
    for (int i = 0; i < 3; i++)
        assert_int_equal(world_submit(&w, &slots[i], WORLD_PATIENCE_MS), EVS_OK);
    assert_int_equal(world_submit(&w, &slots[3], WORLD_PATIENCE_MS), EVS_E_QUEUE_FULL);
    assert_int_equal(w.rooms, 0);
    world_finish(&w);
    assert_int_equal(w.rooms, 1);
    world_close(&w);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_DEAF};
    world w;
    evs_client *client = NULL;
    WORLD_OPEN(&w, steps, NULL);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.on_full = EVS_FULL_SIGNAL; /* without a function */
    assert_int_equal(evs_client_open(&client, w.set.map, w.set.registry, &options, NULL),
                     EVS_E_INVALID);
    options = (evs_client_options)EVS_CLIENT_OPTIONS_INIT;
    options.order = (evs_order)7;
    assert_int_equal(evs_client_open(&client, w.set.map, w.set.registry, &options, NULL),
                     EVS_E_INVALID);
    world_close(&w);
}

static void count_one(void *arg, const evs_result *result)
{
    *(atomic_int *)arg += result->status == EVS_OK;
}

static evs_status submit_unseen(world *w, atomic_int *done)
{
    evs_bytes key = evs_text("k");
    evs_invocation call = {
        .handle = w->script, .keys = &key, .nkeys = 1, .timeout_ms = WORLD_PATIENCE_MS};
    return evs_submit(w->set.client, &call, count_one, done, NULL);
}

static void finish_unseen(const world *w)
{
    while (evs_client_pending(w->set.client) > 0)
        sched_yield();
}

/* Of a client with a thread, where numbers have 32 bits after some hours. */
static void what_is_pending_is_bounded_after_any_number_of_calls(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,       FAKE_COMMANDS(2), FAKE_SAY(WORLD_SHA_REPLY ":1\r\n"),
        FAKE_COMMANDS(2), FAKE_PAUSE,       FAKE_SAY(":1\r\n:1\r\n"),
        FAKE_COMMANDS(2), FAKE_PAUSE,       FAKE_SAY(":1\r\n:1\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 2;
    options.threaded = 1;
    world w;
    atomic_int done = 0;
    WORLD_OPEN(&w, steps, &options);
    evs__thread *thread = w.set.client->thread;
    assert_int_equal(submit_unseen(&w, &done), EVS_OK);
    finish_unseen(&w);
    atomic_store(&thread->ended_once, SIZE_MAX);
    atomic_store(&thread->begun, SIZE_MAX); /* the first of the next two ends an era */
    atomic_store(&thread->ended, SIZE_MAX);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(submit_unseen(&w, &done), EVS_OK);
        assert_int_equal(submit_unseen(&w, &done), EVS_OK);
        assert_int_equal(submit_unseen(&w, &done), EVS_E_QUEUE_FULL);
        fake_shard_go(w.fake);
        finish_unseen(&w);
    }
    assert_int_equal(done, 5);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_can_be_waited_for),
        cmocka_unit_test(waiting_for_room_ends_with_the_calls_time),
        cmocka_unit_test(who_was_refused_is_told_of_room),
        cmocka_unit_test(what_is_pending_is_bounded_after_any_number_of_calls),
        cmocka_unit_test(options_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
