/*
 * Calls without waiting: embedded in a foreign poll() loop, canceled, in strict order, against a
 * full queue, and closed.
 */
#include "tests/support/fake_shard.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <poll.h>

#define SHA_REPLY "$40\r\n" SHA "\r\n"
#define SHA       "e0e1f9fabfc9d4800c877a703b823ac0578ff8db" /* of "return 1" */
#define NOSCRIPT  "-NOSCRIPT No matching script.\r\n"

enum { PATIENCE_MS = 60000 };

typedef struct world world;

typedef struct slot {
    world *all;
    evs_ticket ticket;
    int done;
    size_t order; /* among all that are done, from 1 */
    evs_status status;
    evs_outcome outcome;
    int64_t number;
    void (*then)(struct slot *self);
} slot;

struct world {
    shards set;
    fake_shard *fake;
    const evs_script *script;
    size_t done;
    size_t rooms;
};

static void open_world(world *w, fake_listen listen, const fake_step *steps, size_t nsteps,
                       const evs_client_options *options)
{
    memset(w, 0, sizeof *w);
    w->fake = fake_shard_start(listen, steps, nsteps);
    const char *address = fake_shard_address(w->fake);
    shards_open(&w->set, &address, 1, NULL);
    w->script = shards_script(&w->set, "one", "return 1");
    if (options == NULL)
        return;
    evs_client_free(w->set.client);
    assert_int_equal(evs_client_open(&w->set.client, w->set.map, w->set.registry, options, NULL),
                     EVS_OK);
}
#define OPEN(w, steps, options) \
    open_world(w, FAKE_UNIX, steps, sizeof(steps) / sizeof(steps)[0], options)

static void close_world(world *w)
{
    evs_client_free(w->set.client);
    w->set.client = NULL;
    fake_shard_stop(w->fake);
    shards_stop(&w->set);
}

static void note(void *arg, const evs_result *result)
{
    slot *self = arg;
    self->done++;
    self->order = ++self->all->done;
    self->status = result->status;
    self->outcome = result->outcome;
    self->number = evs_reply_integer(result->reply);
    if (self->then != NULL)
        self->then(self);
}

static evs_status submit(world *w, slot *self, unsigned timeout_ms)
{
    evs_bytes key = evs_text("k");
    evs_invocation call = {.handle = w->script,
                           .keys = &key,
                           .nkeys = 1,
                           .timeout_ms = timeout_ms,
                           .ticket = &self->ticket};
    self->all = w;
    return evs_submit(w->set.client, &call, note, self, NULL);
}

static void finish(world *w)
{
    while (evs_client_pending(w->set.client) > 0)
        assert_int_equal(evs_client_process(w->set.client, -1, NULL), EVS_OK);
}

/* ---- a foreign loop ---- */

/* Waits without a limit of its own: what the descriptor does not tell is never noticed. */
static void poll_until_done(world *w)
{
    struct pollfd wait = {.events = POLLIN};
    assert_int_equal(evs_client_fd(&wait.fd, w->set.client, NULL), EVS_OK);
    while (evs_client_pending(w->set.client) > 0) {
        assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
        assert_int_equal(evs_client_process(w->set.client, 0, NULL), EVS_OK);
    }
}

static void a_foreign_loop_sees_replies_on_one_descriptor(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(3, ":2\r\n")};
    world w;
    slot slots[4] = {0};
    OPEN(&w, steps, NULL);
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    poll_until_done(&w);
    assert_int_equal(slots[0].number, 1);
    for (int i = 1; i < 4; i++) {
        assert_int_equal(submit(&w, &slots[i], PATIENCE_MS), EVS_OK);
        poll_until_done(&w);
        assert_int_equal(slots[i].number, 2);
    }
    close_world(&w);
}

static void a_foreign_loop_sees_deadlines(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE};
    world w;
    slot slots[3] = {0};
    OPEN(&w, steps, NULL);
    for (int i = 0; i < 3; i++)
        assert_int_equal(submit(&w, &slots[i], 20 + 30 * (unsigned)i), EVS_OK);
    poll_until_done(&w);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(slots[i].status, EVS_E_TIMEOUT);
        assert_int_equal(slots[i].order, i + 1);
    }
    fake_shard_go(w.fake);
    close_world(&w);
}

static void submit_one_more(slot *self)
{
    if (self[1].all == NULL && self->ticket != 0)
        assert_int_equal(submit(self->all, self + 1, PATIENCE_MS), EVS_OK);
}

static void what_completions_submit_is_seen_too(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(6, ":2\r\n")};
    world w;
    slot slots[8] = {0};
    OPEN(&w, steps, NULL);
    for (int i = 0; i < 6; i++)
        slots[i].then = submit_one_more;
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    poll_until_done(&w);
    assert_int_equal(slots[6].number, 2);
    close_world(&w);
}

/* Connecting takes turns of the loop before the first byte moves, and trying again needs a timer.
 */
static void a_foreign_loop_sees_connections_made_anew(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n"), FAKE_CLOSE,
        FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":3\r\n")};
    world w;
    slot slots[2] = {0};
    OPEN(&w, steps, NULL);
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    poll_until_done(&w);
    fake_shard_await(w.fake, 5);
    assert_int_equal(submit(&w, &slots[1], PATIENCE_MS), EVS_OK);
    poll_until_done(&w);
    assert_int_equal(slots[1].number, 3);
    close_world(&w);
}

/* A thread of libuv looks the name up; that it is done is an event like any other. */
static void a_foreign_loop_sees_names_looked_up(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n")};
    world w;
    slot one = {0};
    char address[64];
    const char *addresses[] = {address};
    memset(&w, 0, sizeof w);
    w.fake = FAKE_START(FAKE_TCP, steps);
    snprintf(address, sizeof address, "localhost:%s", strchr(fake_shard_address(w.fake), ':') + 1);
    shards_open(&w.set, addresses, 1, NULL);
    w.script = shards_script(&w.set, "one", "return 1");
    assert_int_equal(submit(&w, &one, PATIENCE_MS), EVS_OK);
    poll_until_done(&w);
    assert_int_equal(one.number, 1);
    close_world(&w);
}

/* ---- canceling ---- */

static void a_call_that_did_not_leave_is_taken_back(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n")};
    world w;
    slot slots[2] = {0};
    OPEN(&w, steps, NULL);
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    assert_int_equal(submit(&w, &slots[1], PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_OK);
    assert_int_equal(slots[0].status, EVS_E_CANCELED);
    assert_int_equal(slots[0].outcome, EVS_NOT_EXECUTED);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_E_STATE);
    finish(&w);
    assert_int_equal(slots[1].number, 1);
    assert_int_equal(evs_cancel(w.set.client, slots[1].ticket, NULL), EVS_E_STATE);
    assert_int_equal(evs_cancel(w.set.client, 0, NULL), EVS_E_STATE);
    assert_int_equal(evs_cancel(w.set.client, UINT64_MAX, NULL), EVS_E_STATE);
    close_world(&w);
}

static void the_late_reply_of_a_canceled_call_is_skipped(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_PAUSE,
                               FAKE_SAY(SHA_REPLY "*2\r\n$1\r\nx\r\n:9\r\n:2\r\n")};
    world w;
    slot slots[2] = {0};
    OPEN(&w, steps, NULL);
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    assert_int_equal(submit(&w, &slots[1], PATIENCE_MS), EVS_OK);
    while (fake_shard_done(w.fake) < 3)
        evs_client_process(w.set.client, 1, NULL);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_OK);
    assert_int_equal(slots[0].outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(slots[0].done, 1);
    fake_shard_go(w.fake);
    finish(&w);
    assert_int_equal(slots[0].done, 1);
    assert_int_equal(slots[1].number, 2);
    close_world(&w);
}

static void cancel_next(slot *self)
{
    evs_cancel(self->all->set.client, self[1].ticket, NULL);
}

static void a_completion_may_cancel(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(4),
                               FAKE_SAY(SHA_REPLY ":1\r\n:2\r\n:3\r\n")};
    world w;
    slot slots[3] = {0};
    OPEN(&w, steps, NULL);
    slots[0].then = cancel_next;
    for (int i = 0; i < 3; i++)
        assert_int_equal(submit(&w, &slots[i], PATIENCE_MS), EVS_OK);
    finish(&w);
    assert_int_equal(slots[1].status, EVS_E_CANCELED);
    assert_int_equal(slots[1].done, 1);
    assert_int_equal(slots[2].number, 3);
    close_world(&w);
}

/* A place is used again: an old ticket must not hit the new call. */
static void tickets_are_not_reused(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(1, ":2\r\n")};
    world w;
    slot slots[2] = {0};
    OPEN(&w, steps, NULL);
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    finish(&w);
    assert_int_equal(submit(&w, &slots[1], PATIENCE_MS), EVS_OK);
    assert_true(slots[0].ticket != slots[1].ticket);
    assert_int_equal(evs_cancel(w.set.client, slots[0].ticket, NULL), EVS_E_STATE);
    finish(&w);
    assert_int_equal(slots[1].number, 2);
    close_world(&w);
}

/* ---- order ---- */

static void strict_order_survives_a_heal(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,
        FAKE_COMMANDS(2), /* the first call alone */
        FAKE_SAY(SHA_REPLY NOSCRIPT),
        FAKE_COMMANDS(2),
        FAKE_SAY("*1\r\n:0\r\n" SHA_REPLY),
        FAKE_ANSWER(1, ":1\r\n"),
        FAKE_ANSWER(1, ":2\r\n"),
        FAKE_ANSWER(1, ":3\r\n"),
    };
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[3] = {0};
    OPEN(&w, steps, &options);
    for (int i = 0; i < 3; i++)
        assert_int_equal(submit(&w, &slots[i], PATIENCE_MS), EVS_OK);
    finish(&w);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(slots[i].number, i + 1);
        assert_int_equal(slots[i].order, i + 1);
    }
    close_world(&w);
}

static void plain_commands_wait_for_their_turn_too(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,
                               FAKE_COMMANDS(2),
                               FAKE_SAY(SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(1, ":2\r\n"),
                               FAKE_EXPECT("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"),
                               FAKE_SAY("$1\r\nv\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[2] = {0};
    evs_reply *reply = NULL;
    OPEN(&w, steps, &options);
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    assert_int_equal(submit(&w, &slots[1], PATIENCE_MS), EVS_OK);
    evs_bytes args[] = {evs_text("GET"), evs_text("k")};
    evs_plain_command get = {.args = args, .nargs = 2, .timeout_ms = PATIENCE_MS};
    assert_int_equal(evs_command(&reply, w.set.client, &get, NULL), EVS_OK);
    assert_int_equal(slots[1].number, 2);
    evs_reply_free(reply);
    close_world(&w);
}

static void who_waits_for_a_turn_can_be_canceled_and_expire(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_SAY(SHA_REPLY ":1\r\n"), FAKE_ANSWER(1, ":2\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[4] = {0};
    OPEN(&w, steps, &options);
    for (int i = 0; i < 4; i++)
        assert_int_equal(submit(&w, &slots[i], i == 2 ? 20 : PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_cancel(w.set.client, slots[1].ticket, NULL), EVS_OK);
    assert_int_equal(slots[1].outcome, EVS_NOT_EXECUTED);
    while (slots[2].done == 0)
        evs_client_process(w.set.client, -1, NULL);
    assert_int_equal(slots[2].status, EVS_E_TIMEOUT);
    assert_int_equal(slots[2].outcome, EVS_NOT_EXECUTED);
    fake_shard_go(w.fake);
    finish(&w);
    assert_int_equal(slots[0].number, 1);
    assert_int_equal(slots[3].number, 2);
    close_world(&w);
}

/* ---- resting ---- */

static const char reader[] = "--- Reads.\n-- @key k any\n-- @retry read_only\nreturn 1";

static void a_busy_shard_is_asked_again(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,
                               FAKE_COMMANDS(2),
                               FAKE_SAY("+OK\r\n-BUSY running\r\n"),
                               FAKE_COMMANDS(2), /* the script is not known to be there */
                               FAKE_SAY("+OK\r\n-LOADING the data set\r\n"),
                               FAKE_COMMANDS(2),
                               FAKE_SAY("+OK\r\n:7\r\n")};
    world w;
    slot one = {0};
    OPEN(&w, steps, NULL);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(submit(&w, &one, PATIENCE_MS), EVS_OK);
    poll_until_done(&w);
    assert_int_equal(one.status, EVS_OK);
    assert_int_equal(one.number, 7);
    evs_client_stats stats;
    evs_client_stats_get(&stats, w.set.client);
    assert_int_equal(stats.retries, 2);
    close_world(&w);
}

static evs_status refuse_until_the_deadline(void)
{
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n-BUSY x\r\n"),
                               FAKE_SERVE("-BUSY x\r\n")};
    world w;
    slot one = {0};
    OPEN(&w, steps, NULL);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(submit(&w, &one, 1000), EVS_OK);
    finish(&w);
    fake_shard_go(w.fake);
    close_world(&w);
    return one.status;
}

/* On a busy machine it may be under way just then, and nothing is known: then it is tried anew. */
static void the_last_refusal_is_what_is_told_at_the_deadline(void **state)
{
    (void)state;
    evs_status status = EVS_E_TIMEOUT;
    for (int i = 0; i < 30 && status == EVS_E_TIMEOUT; i++)
        status = refuse_until_the_deadline();
    assert_int_equal(status, EVS_E_BUSY);
}

static void without_patience_the_caller_is_told_at_once(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n-BUSY x\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.patience = EVS_PATIENCE_NONE;
    world w;
    slot one = {0};
    OPEN(&w, steps, &options);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(submit(&w, &one, PATIENCE_MS), EVS_OK);
    finish(&w);
    assert_int_equal(one.status, EVS_E_BUSY);
    close_world(&w);
}

static void a_resting_call_can_be_canceled(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n-BUSY x\r\n"),
                               FAKE_SERVE("-BUSY x\r\n")};
    evs_client_stats stats = {0};
    world w;
    slot one = {0};
    OPEN(&w, steps, NULL);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(submit(&w, &one, PATIENCE_MS), EVS_OK);
    while (stats.retries == 0) {
        evs_client_process(w.set.client, -1, NULL);
        evs_client_stats_get(&stats, w.set.client);
    }
    assert_int_equal(evs_cancel(w.set.client, one.ticket, NULL), EVS_OK);
    assert_int_equal(one.status, EVS_E_CANCELED);
    fake_shard_go(w.fake);
    close_world(&w);
}

/* After a failover the name may lead elsewhere: a new connection is made before asking again. */
static void a_replica_is_left(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n-READONLY You can't write\r\n"),
        FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n:5\r\n")};
    world w;
    slot one = {0};
    OPEN(&w, steps, NULL);
    w.script = shards_script(&w.set, "reader", reader);
    assert_int_equal(submit(&w, &one, PATIENCE_MS), EVS_OK);
    finish(&w);
    assert_int_equal(one.number, 5);
    close_world(&w);
}

/* ---- a full queue ---- */

static void a_full_queue_can_be_waited_for(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(9, ":1\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 3; /* the load counts as well */
    options.on_full = EVS_FULL_BLOCK;
    world w;
    slot slots[10] = {0};
    OPEN(&w, steps, &options);
    for (int i = 0; i < 10; i++)
        assert_int_equal(submit(&w, &slots[i], PATIENCE_MS), EVS_OK);
    finish(&w);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(slots[i].order, i + 1);
    close_world(&w);
}

static void waiting_for_room_ends_with_the_calls_time(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_SAY(SHA_REPLY ":1\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 2;
    options.on_full = EVS_FULL_BLOCK;
    world w;
    slot slots[2] = {0};
    OPEN(&w, steps, &options);
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    assert_int_equal(submit(&w, &slots[1], 30), EVS_E_QUEUE_FULL);
    assert_int_equal(slots[1].done, 0);
    fake_shard_go(w.fake);
    finish(&w);
    close_world(&w);
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
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(2, ":1\r\n")};
    world w;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 4;
    options.on_full = EVS_FULL_SIGNAL;
    options.room = count_room;
    options.room_arg = &w;
    slot slots[4] = {0};
    OPEN(&w, steps, &options);
    for (int i = 0; i < 3; i++)
        assert_int_equal(submit(&w, &slots[i], PATIENCE_MS), EVS_OK);
    assert_int_equal(submit(&w, &slots[3], PATIENCE_MS), EVS_E_QUEUE_FULL);
    assert_int_equal(w.rooms, 0);
    finish(&w);
    assert_int_equal(w.rooms, 1);
    close_world(&w);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_DEAF};
    world w;
    evs_client *client = NULL;
    OPEN(&w, steps, NULL);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.on_full = EVS_FULL_SIGNAL; /* without a function */
    assert_int_equal(evs_client_open(&client, w.set.map, w.set.registry, &options, NULL),
                     EVS_E_INVALID);
    options = (evs_client_options)EVS_CLIENT_OPTIONS_INIT;
    options.order = (evs_order)7;
    assert_int_equal(evs_client_open(&client, w.set.map, w.set.registry, &options, NULL),
                     EVS_E_INVALID);
    close_world(&w);
}

/* ---- closing ---- */

static void a_drain_waits_for_what_is_in_flight(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n")};
    world w;
    slot slots[2] = {0};
    OPEN(&w, steps, NULL);
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    assert_int_equal(slots[0].number, 1);
    assert_int_equal(submit(&w, &slots[1], PATIENCE_MS), EVS_E_STATE);
    evs_client_stats stats;
    evs_client_stats_get(&stats, w.set.client);
    assert_int_equal(stats.calls, 1);
    assert_int_equal(stats.connects, 1);
    close_world(&w);
}

static void a_drain_lets_calls_have_their_turn(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n"),
                               FAKE_ANSWER(4, ":1\r\n")};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[5] = {0};
    OPEN(&w, steps, &options);
    for (int i = 0; i < 5; i++)
        assert_int_equal(submit(&w, &slots[i], PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(slots[i].number, 1);
    close_world(&w);
}

static void a_drain_that_takes_too_long_aborts(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE};
    world w;
    slot one = {0};
    OPEN(&w, steps, NULL);
    assert_int_equal(submit(&w, &one, PATIENCE_MS), EVS_OK);
    while (fake_shard_done(w.fake) < 3)
        evs_client_process(w.set.client, 1, NULL);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_DRAIN, 20, NULL), EVS_E_TIMEOUT);
    assert_int_equal(one.status, EVS_E_CANCELED);
    assert_int_equal(one.outcome, EVS_MAYBE_EXECUTED);
    fake_shard_go(w.fake);
    close_world(&w);
}

static void an_abort_completes_everything_once(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.order = EVS_ORDER_STRICT;
    world w;
    slot slots[5] = {0};
    OPEN(&w, steps, &options);
    for (int i = 0; i < 5; i++)
        assert_int_equal(submit(&w, &slots[i], PATIENCE_MS), EVS_OK);
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
    close_world(&w);
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
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_SAY(SHA_REPLY ":1\r\n"),
                               FAKE_PAUSE};
    world w;
    slot slots[2] = {0};
    OPEN(&w, steps, NULL);
    slots[0].then = try_to_close;
    assert_int_equal(submit(&w, &slots[0], PATIENCE_MS), EVS_OK);
    assert_int_equal(submit(&w, &slots[1], PATIENCE_MS), EVS_OK);
    assert_int_equal(evs_client_close(w.set.client, EVS_CLOSE_DRAIN, -1, NULL), EVS_E_TIMEOUT);
    assert_int_equal(slots[1].status, EVS_E_CANCELED);
    w.set.client = NULL;
    fake_shard_go(w.fake);
    close_world(&w);
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
        cmocka_unit_test(a_busy_shard_is_asked_again),
        cmocka_unit_test(the_last_refusal_is_what_is_told_at_the_deadline),
        cmocka_unit_test(without_patience_the_caller_is_told_at_once),
        cmocka_unit_test(a_resting_call_can_be_canceled),
        cmocka_unit_test(a_replica_is_left),
        cmocka_unit_test(a_full_queue_can_be_waited_for),
        cmocka_unit_test(waiting_for_room_ends_with_the_calls_time),
        cmocka_unit_test(who_was_refused_is_told_of_room),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(a_drain_waits_for_what_is_in_flight),
        cmocka_unit_test(a_drain_lets_calls_have_their_turn),
        cmocka_unit_test(a_drain_that_takes_too_long_aborts),
        cmocka_unit_test(an_abort_completes_everything_once),
        cmocka_unit_test(freed_while_draining),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
