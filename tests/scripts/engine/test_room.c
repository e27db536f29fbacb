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

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <time.h>

#include <sched.h>

/* So many calls per shard, a load that one needs included; a full queue tells `room`. */
static evs_client_options signaling(size_t most, void (*room)(void *, const char *), void *arg)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = most;
    options.on_full = EVS_FULL_SIGNAL;
    options.room = room;
    options.room_arg = arg;
    return options;
}

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
    evs_client_options options = signaling(4, count_room, &w);
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

/* A call that was let go keeps its place until its reply has come. */
static void a_late_reply_makes_room_too(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_SAY(WORLD_SHA_REPLY ":1\r\n")};
    world w;
    evs_client_options options = signaling(2, count_room, &w);
    slot slots[2] = {0};
    WORLD_OPEN(&w, steps, &options);
    assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
    while (fake_shard_done(w.fake) < 3)
        evs_client_process(w.set.client, 1, NULL);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_OK);
    assert_int_equal(slots[0].outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(world_submit(&w, &slots[1], WORLD_PATIENCE_MS), EVS_E_QUEUE_FULL);
    assert_int_equal(w.rooms, 0);
    fake_shard_go(w.fake);
    while (w.rooms == 0) {
        struct pollfd fd = {.events = POLLIN};
        assert_int_equal(evs_client_fd(&fd.fd, w.set.client, NULL), EVS_OK);
        assert_int_equal(poll(&fd, 1, WORLD_PATIENCE_MS), 1);
        assert_int_equal(evs_client_process(w.set.client, 0, NULL), EVS_OK);
    }
    assert_int_equal(w.rooms, 1);
    world_close(&w);
}

static void never_answered(void *arg, const evs_result *result)
{
    assert_int_equal(result->status, EVS_E_CANCELED);
    ++*(int *)arg;
}

static void count_cluster(void *arg, const char *shard)
{
    assert_string_equal(shard, "c");
    ++*(int *)arg;
}

static void calls_that_wait_for_a_node_make_room_too(void **state)
{
    (void)state;
    const char *text = "evalshard: 1\npools:\n  c:\n    cluster: {seeds: [\"127.0.0.1:1\"]}\n";
    int rooms = 0, done = 0;
    evs_client_options options = signaling(2, count_cluster, &rooms);
    evs_shardmap *map = NULL;
    evs_registry *registry = NULL;
    evs_client *client = NULL;
    evs_bytes key = evs_text("k");
    evs_ticket tickets[3];
    assert_int_equal(evs_shardmap_parse(&map, evs_text(text), "m", NULL, NULL), EVS_OK);
    assert_int_equal(evs_registry_new(&registry, NULL, NULL), EVS_OK);
    assert_int_equal(evs_script_load(registry, "one", evs_text("return 1"), NULL, NULL), EVS_OK);
    assert_int_equal(evs_client_open(&client, map, registry, &options, NULL), EVS_OK);
    for (int i = 0; i < 3; i++) {
        evs_invocation call = {.script = "one",
                               .keys = &key,
                               .nkeys = 1,
                               .timeout_ms = WORLD_PATIENCE_MS,
                               .ticket = &tickets[i]};
        assert_int_equal(evs_submit(client, &call, never_answered, &done, NULL),
                         i < 2 ? EVS_OK : EVS_E_QUEUE_FULL);
    }
    assert_int_equal(rooms, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(evs_cancel(client, tickets[i], NULL), EVS_OK);
    assert_int_equal(done, 2);
    assert_int_equal(rooms, 1);
    evs_client_free(client);
    evs_registry_free(registry);
    evs_shardmap_free(map);
}

/* ---- on a client with a thread of its own ---- */

static void post_room(void *arg, const char *shard)
{
    assert_string_equal(shard, ""); /* it was no single shard */
    sem_post(arg);
}

static void await(sem_t *sem)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += WORLD_PATIENCE_MS / 1000;
    int failed;
    do
        failed = sem_timedwait(sem, &limit);
    while (failed && errno == EINTR);
    assert_int_equal(failed, 0);
}

/* Refused where it was submitted, without a word to the client's thread. */
static void so_it_is_when_too_many_are_pending(void **state)
{
    (void)state;
    for (int queued = 0; queued < 2; queued++) {
        const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                                   FAKE_SAY(WORLD_SHA_REPLY ":1\r\n")};
        world w;
        sem_t room;
        sem_init(&room, 0, 0);
        evs_client_options options = signaling(1, post_room, &room);
        options.threaded = 1;
        options.completions = queued ? EVS_COMPLETIONS_QUEUED : EVS_COMPLETIONS_AT_ONCE;
        slot slots[2] = {0};
        WORLD_OPEN(&w, steps, &options);
        assert_int_equal(world_submit(&w, &slots[0], WORLD_PATIENCE_MS), EVS_OK);
        assert_int_equal(world_submit(&w, &slots[1], WORLD_PATIENCE_MS), EVS_E_QUEUE_FULL);
        fake_shard_go(w.fake);
        while (queued && slots[0].done == 0)
            assert_int_equal(evs_client_process(w.set.client, -1, NULL), EVS_OK);
        await(&room);
        assert_int_equal(evs_client_pending(w.set.client), 0);
        world_close(&w);
        assert_int_equal(slots[0].done, 1);
        assert_int_equal(sem_trywait(&room), -1); /* told once */
        sem_destroy(&room);
    }
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
        cmocka_unit_test(a_late_reply_makes_room_too),
        cmocka_unit_test(calls_that_wait_for_a_node_make_room_too),
        cmocka_unit_test(so_it_is_when_too_many_are_pending),
        cmocka_unit_test(options_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
