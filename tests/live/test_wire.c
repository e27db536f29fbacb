/*
 * A wire between a client and a real server that delays, drips, splits, garbles and falls silent,
 * at every byte of a call: the caller is released in time, what it is told is true, late replies
 * are nobody's, and the next call is right.
 */
#include "tests/support/proxy.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <poll.h>
#include <sched.h>

enum { LONG_MS = 60000, SHORT_MS = 10 };

static struct {
    shards set;
    unsigned serial;
} world;

/* ---- clients ---- */

typedef struct mode {
    unsigned protocol;
    int threaded;
} mode;

static const mode modes[] = {{2, 0}, {3, 0}, {2, 1}};
enum { MODES = sizeof modes / sizeof modes[0] };

static evs_client *open_client(const mode *how)
{
    evs_client *client;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.protocol = how->protocol;
    options.threaded = how->threaded;
    proxy_harm(world.set.wire, NULL);
    assert_int_equal(evs_client_open(&client, world.set.map, world.set.registry, &options, NULL),
                     EVS_OK);
    return client;
}

static uint64_t connects(const evs_client *client)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    return stats.connects;
}

/* ---- calls ---- */

typedef struct attempt {
    char key[24], word[24];
    evs_status status;
    evs_outcome outcome;
} attempt;

/* Counts, and says what it was given in a reply of several kinds. */
static const char SAY[] = "local n = redis.call('INCR', KEYS[1])\n"
                          "return {KEYS[1], n, {ARGV[1], {n, false, {}}}}";

static void check_reply(const evs_reply *reply, const attempt *self)
{
    const evs_reply *inner = evs_reply_at(reply, 2);
    assert_int_equal(evs_reply_count(reply), 3);
    assert_string_equal(evs_reply_bytes(evs_reply_at(reply, 0)).data, self->key);
    assert_int_equal(evs_reply_integer(evs_reply_at(reply, 1)), 1);
    assert_string_equal(evs_reply_bytes(evs_reply_at(inner, 0)).data, self->word);
    assert_int_equal(evs_reply_count(evs_reply_at(inner, 1)), 3);
}

static attempt attempt_for(evs_client *client, unsigned timeout_ms)
{
    attempt self;
    evs_error err = {0};
    evs_reply *reply = NULL;
    snprintf(self.key, sizeof self.key, "k%07u", world.serial);
    snprintf(self.word, sizeof self.word, "w%07u", world.serial++);
    evs_bytes key = evs_text(self.key), arg = evs_text(self.word);
    evs_invocation call = {.script = "say",
                           .keys = &key,
                           .nkeys = 1,
                           .args = &arg,
                           .nargs = 1,
                           .timeout_ms = timeout_ms};
    self.status = evs_call(&reply, client, &call, &err);
    self.outcome = self.status == EVS_OK ? EVS_EXECUTED : err.outcome;
    if (self.status == EVS_OK)
        check_reply(reply, &self);
    evs_reply_free(reply);
    return self;
}

static long long times_run(const attempt *self)
{
    return shards_counter(&world.set, self->key);
}

static void works(evs_client *client)
{
    attempt self = attempt_for(client, LONG_MS);
    assert_int_equal(self.status, EVS_OK);
    assert_int_equal(times_run(&self), 1);
}

/* Bytes that a call of a known script sends and gets. */
static void measure(size_t total[2], const mode *how)
{
    size_t before[2];
    evs_client *client = open_client(how);
    works(client);
    for (int way = 0; way < 2; way++)
        before[way] = proxy_forwarded(world.set.wire, (proxy_way)way);
    works(client);
    for (int way = 0; way < 2; way++)
        total[way] = proxy_forwarded(world.set.wire, (proxy_way)way) - before[way];
    evs_client_free(client);
}

/* The next call meets this fault. Garbage within a line of text would only be another text; the
 * replies here have none. */
static void arm(proxy_what what, proxy_way way, size_t at)
{
    static const char garbage[] = "\x01 what is this\r\n";
    proxy_harm(world.set.wire, &(proxy_fault){.what = what,
                                              .way = way,
                                              .at = proxy_forwarded(world.set.wire, way) + at,
                                              .data = {garbage, sizeof garbage - 1}});
}

/* ---- slow, but all there ---- */

static void a_wire_that_drips_changes_nothing(void **state)
{
    (void)state;
    for (size_t m = 0; m < MODES; m++) {
        for (int way = 0; way < 2; way++) {
            evs_client *client = open_client(&modes[m]);
            proxy_harm(world.set.wire, &(proxy_fault){.what = PROXY_DRIP, .way = (proxy_way)way});
            works(client);
            freeReplyObject(redisCommand(shards_side(&world.set), "SCRIPT FLUSH"));
            works(client);
            assert_int_equal(connects(client), 1);
            evs_client_free(client);
        }
    }
}

static void a_wire_that_splits_anywhere_changes_nothing(void **state)
{
    (void)state;
    for (size_t m = 0; m < MODES; m++) {
        size_t total[2];
        measure(total, &modes[m]);
        evs_client *client = open_client(&modes[m]);
        works(client);
        for (int way = 0; way < 2; way++) {
            for (size_t at = 1; at < total[way]; at++) {
                arm(PROXY_SPLIT, (proxy_way)way, at);
                works(client);
            }
        }
        assert_int_equal(connects(client), 1);
        evs_client_free(client);
    }
}

/* ---- late ---- */

static void late_at(evs_client *client, proxy_way way, size_t at, size_t said[3])
{
    arm(PROXY_HOLD, way, at);
    attempt self = attempt_for(client, SHORT_MS);
    assert_int_equal(self.status, EVS_E_TIMEOUT);
    proxy_harm(world.set.wire, NULL); /* should the call not even have left */
    proxy_go(world.set.wire);
    works(client);
    assert_int_equal(times_run(&self), self.outcome == EVS_NOT_EXECUTED ? 0 : 1);
    said[self.outcome]++;
}

static void a_late_reply_is_nobodys(void **state)
{
    (void)state;
    size_t said[3] = {0};
    for (size_t m = 0; m < MODES; m++) {
        size_t total[2];
        measure(total, &modes[m]);
        evs_client *client = open_client(&modes[m]);
        works(client);
        for (int way = 0; way < 2; way++)
            for (size_t at = 0; at < total[way]; at++)
                late_at(client, (proxy_way)way, at, said);
        assert_int_equal(connects(client), 1); /* nothing had to be given up */
        evs_client_free(client);
    }
    assert_int_equal(said[EVS_EXECUTED], 0);
    print_message("delayed %zu times: MAYBE %zu, NOT %zu\n",
                  said[EVS_MAYBE_EXECUTED] + said[EVS_NOT_EXECUTED], said[EVS_MAYBE_EXECUTED],
                  said[EVS_NOT_EXECUTED]);
}

/* ---- garbage ---- */

static void garbage_in_a_reply_is_noticed(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t m = 0; m < MODES; m++) {
        size_t total[2];
        measure(total, &modes[m]);
        evs_client *client = open_client(&modes[m]);
        works(client);
        for (size_t at = 0; at < total[PROXY_DOWN]; at++, count++) {
            uint64_t before = connects(client);
            arm(PROXY_INSERT, PROXY_DOWN, at);
            attempt self = attempt_for(client, LONG_MS);
            if (self.status != EVS_E_PROTOCOL || self.outcome != EVS_MAYBE_EXECUTED)
                fail_msg("byte %zu: %s", at, evs_status_name(self.status));
            assert_int_equal(times_run(&self), 1);
            works(client);
            assert_int_equal(connects(client), before + 1);
        }
        evs_client_free(client);
    }
    print_message("garbage %zu times\n", count);
}

/* Between two replies nobody loses anything by it; only in RESP3, where it could be a push, the
 * next call meets it. */
static void garbage_that_nobody_asked_for_costs_the_connection(void **state)
{
    (void)state;
    for (size_t m = 0; m < MODES; m++) {
        evs_client *client = open_client(&modes[m]);
        works(client);
        proxy_harm(world.set.wire, &(proxy_fault){.what = PROXY_INSERT,
                                                  .way = PROXY_DOWN,
                                                  .at = proxy_forwarded(world.set.wire, PROXY_DOWN),
                                                  .at_once = 1,
                                                  .data = {"$5\r\n", 4}});
        attempt self = attempt_for(client, LONG_MS);
        if (self.status != EVS_OK && modes[m].protocol == 3) {
            assert_int_equal(self.status, EVS_E_PROTOCOL);
            assert_int_equal(self.outcome, EVS_MAYBE_EXECUTED);
            self = attempt_for(client, LONG_MS);
        }
        assert_int_equal(self.status, EVS_OK);
        assert_int_equal(connects(client), 2);
        evs_client_free(client);
    }
}

/* ---- half-open ---- */

/* Nothing comes any more and nothing goes; then the wire breaks, as a dead one does at last. */
static void a_wire_that_is_half_open_holds_nobody_beyond_the_deadline(void **state)
{
    (void)state;
    size_t said[3] = {0};
    for (size_t m = 0; m < MODES; m++) {
        size_t total[2];
        measure(total, &modes[m]);
        for (size_t at = 0; at < total[PROXY_UP] + total[PROXY_DOWN]; at += 7) {
            evs_client *client = open_client(&modes[m]);
            works(client);
            int down = at >= total[PROXY_UP];
            arm(PROXY_FREEZE, down ? PROXY_DOWN : PROXY_UP, down ? at - total[PROXY_UP] : at);
            attempt first = attempt_for(client, SHORT_MS);
            attempt second = attempt_for(client, SHORT_MS);
            assert_int_equal(first.status, EVS_E_TIMEOUT);
            assert_int_equal(second.status, EVS_E_TIMEOUT);
            if (first.outcome != EVS_NOT_EXECUTED) /* else it left too late, and this one froze */
                assert_int_equal(times_run(&second), 0);
            said[first.outcome]++;
            said[second.outcome]++;

            proxy_harm(world.set.wire,
                       &(proxy_fault){.what = PROXY_RESET,
                                      .way = PROXY_UP,
                                      .at = proxy_forwarded(world.set.wire, PROXY_UP),
                                      .at_once = 1});
            works(client);
            evs_client_free(client);
            proxy_go(world.set.wire);
            proxy_settle(world.set.wire);
            if (first.outcome == EVS_NOT_EXECUTED)
                assert_int_equal(times_run(&first), 0);
        }
    }
    assert_int_equal(said[EVS_EXECUTED], 0);
    print_message("half-open: MAYBE %zu, NOT %zu\n", said[EVS_MAYBE_EXECUTED],
                  said[EVS_NOT_EXECUTED]);
}

/* What happens by itself meanwhile. */
static void let_time_pass(evs_client *client, const mode *how)
{
    struct pollfd ready = {.events = POLLIN};
    if (how->threaded) {
        sched_yield();
        return;
    }
    assert_int_equal(evs_client_fd(&ready.fd, client, NULL), EVS_OK);
    assert_int_equal(poll(&ready, 1, LONG_MS), 1);
    evs_client_process(client, 0, NULL);
}

/* Nobody answers and nobody says so: it is asked, and replaced before the next call needs it. */
static void a_wire_that_is_half_open_is_replaced(void **state)
{
    (void)state;
    for (size_t m = 0; m < MODES; m++) {
        shards other = {.area = NULL};
        const char *address = proxy_address(world.set.wire);
        evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
        options.protocol = modes[m].protocol;
        options.threaded = modes[m].threaded;
        shards_open(&other, &address, 1, "    keepalive: 50ms\n");
        shards_script(&other, "say", SAY);
        evs_client *client;
        assert_int_equal(evs_client_open(&client, other.map, other.registry, &options, NULL),
                         EVS_OK);
        proxy_harm(world.set.wire, NULL);
        works(client);
        arm(PROXY_FREEZE, PROXY_UP, 0);
        attempt lost = attempt_for(client, SHORT_MS);
        assert_int_equal(lost.status, EVS_E_TIMEOUT);
        while (connects(client) < 2)
            let_time_pass(client, &modes[m]);
        works(client);
        evs_client_free(client);
        proxy_go(world.set.wire);
        proxy_settle(world.set.wire);
        shards_stop(&other);
    }
}

static int set_up(void **state)
{
    (void)state;
    shards_start_behind(&world.set);
    shards_script(&world.set, "say", SAY);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shards_stop(&world.set);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wire_that_drips_changes_nothing),
        cmocka_unit_test(a_wire_that_splits_anywhere_changes_nothing),
        cmocka_unit_test(a_late_reply_is_nobodys),
        cmocka_unit_test(garbage_in_a_reply_is_noticed),
        cmocka_unit_test(garbage_that_nobody_asked_for_costs_the_connection),
        cmocka_unit_test(a_wire_that_is_half_open_holds_nobody_beyond_the_deadline),
        cmocka_unit_test(a_wire_that_is_half_open_is_replaced),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
