/*
 * Memory runs out while something is called, at every allocation in turn: for that one allocation,
 * or from there on. Each call is completed exactly once, what is said of it is true by the server's
 * own count, and the client works when there is memory again.
 */
#include "core/mem.h"
#include "tests/support/ways.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <unistd.h>

static struct {
    shards set;
} world;

typedef void fail_fn(size_t n);
static fail_fn *const lacks[] = {evs__mem_fail_once_at, evs__mem_fail_at};

/* A connection that memory lacked for is tried again after a pause. */
static void works_again(const way *how, evs_client *client)
{
    way_run run;
    way again = *how;
    again.before = NULL;
    for (int i = 0; i < 1000; i++) {
        way_begin(&run, &again, client, &world.set);
        again.act(&run);
        if (run.calls[0].status == EVS_OK)
            return;
        assert_int_equal(run.calls[0].status, EVS_E_NOMEM);
        usleep(1000);
    }
    fail_msg("%s: the client does not work any more", how->name);
}

typedef struct tally {
    size_t said[3];
} tally;

static void judge(const way *how, const way_run *run, size_t n, tally *seen)
{
    for (size_t i = 0; i < how->ncalls; i++) {
        const way_call *call = &run->calls[i];
        long long ran = shards_counter(&world.set, call->key);
        if (call->done != 1 || ran > how->most || (call->status == EVS_OK && ran == 0) ||
            (call->outcome == EVS_NOT_EXECUTED && ran > 0) ||
            (call->outcome == EVS_EXECUTED && ran == 0) ||
            (call->status != EVS_OK && call->status != EVS_E_NOMEM))
            fail_msg("%s, allocation %zu: call %zu: done %d, %s, %s, ran %lld times", how->name, n,
                     i, call->done, evs_status_name(call->status), evs_outcome_text(call->outcome),
                     ran);
        seen->said[call->outcome]++;
    }
}

/* 0 when the n-th allocation was not even asked for. */
static int try_at(const way *how, fail_fn *lack, size_t n, tally *seen)
{
    way_run run;
    freeReplyObject(redisCommand(shards_side(&world.set), "SCRIPT FLUSH"));
    evs_client *client = way_open(how, &world.set);
    way_begin(&run, how, client, &world.set);
    lack(n);
    how->act(&run);
    size_t count = evs__mem_count();
    evs__mem_fail_at(0);
    judge(how, &run, n, seen);
    works_again(how, client);
    evs_client_free(client);
    return count >= n;
}

static tally try_everywhere(const way *how)
{
    tally seen = {0};
    size_t tried = 0;
    for (size_t l = 0; l < sizeof lacks / sizeof lacks[0]; l++)
        for (size_t n = 1; try_at(how, lacks[l], n, &seen); n++)
            tried++;
    print_message("%s: %zu allocations failed; NOT %zu, EXECUTED %zu, MAYBE %zu\n", how->name,
                  tried, seen.said[EVS_NOT_EXECUTED], seen.said[EVS_EXECUTED],
                  seen.said[EVS_MAYBE_EXECUTED]);
    return seen;
}

static void every_call_survives_a_lack_of_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < ways_count; i++)
        try_everywhere(&ways[i]);
}

/* Settings of maps that make a connection or a call do more. */
static void so_it_does_with_other_maps(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "    on_no_keys: all\n    preload: all\n",
        "    on_no_keys: all\n    on_shard_down: wait\n    down_after: 1\n    retry: {attempts: 3, "
        "backoff: 1ms}\n",
    };
    evs_shardmap *plain = world.set.map;
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        shards other = {.area = NULL};
        const char *address = scratch_address(world.set.servers[0]);
        shards_open(&other, &address, 1, settings[i]);
        world.set.map = other.map;
        print_message("%s", settings[i]);
        for (size_t w = 0; w < ways_count; w++)
            try_everywhere(&ways[w]);
        world.set.map = plain;
        shards_stop(&other);
    }
}

/* Buffers and arenas grow in the middle of a reply, and the reader's stack. No such reply is an
 * error, so there is never a doubt whether the script ran. */
static const struct {
    const char *script, *source;
} growing[] = {
    {"long_text", "redis.call('INCR', KEYS[1]) return string.rep('x', 300000)"},
    {"many_elements", "redis.call('INCR', KEYS[1]) local t = {} for i = 1, 3000 do t[i] = 'e' .. i "
                      "end return t"},
    {"nested",
     "redis.call('INCR', KEYS[1]) local t = {} for i = 1, 100 do t = {i, t} end return t"},
    {"maps", "redis.call('INCR', KEYS[1]) redis.setresp(3) local t = {} for i = 1, 500 do "
             "t['k' .. i] = {map = {a = {double = 1.5}, b = {set = {x = true}}}} end "
             "return {map = t}"},
};

static void growing_in_the_middle_of_a_reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof growing / sizeof growing[0]; i++)
        shards_script(&world.set, growing[i].script, growing[i].source);
    for (size_t w = 0; w < ways_count; w++) {
        way how = ways[w];
        if (how.ncalls > 1 || how.last != NULL || strcmp(how.script, "count") != 0)
            continue;
        for (size_t i = 0; i < sizeof growing / sizeof growing[0]; i++) {
            how.name = how.script = growing[i].script;
            tally seen = try_everywhere(&how);
            assert_int_equal(seen.said[EVS_MAYBE_EXECUTED], 0);
        }
    }
}

/* ---- another map ---- */

static void a_map_that_memory_lacks_for_changes_nothing(void **state)
{
    (void)state;
    evs_error err;
    char yaml[512];
    evs_shardmap *next;
    snprintf(
        yaml, sizeof yaml,
        "evalshard: 1\ngeneration: 2\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
        "pools:\n  main:\n    on_no_keys: all\n    shards:\n      s0: \"%s\"\n      s1: \"%s\"\n",
        scratch_address(world.set.servers[0]), scratch_address(world.set.servers[1]));
    assert_int_equal(evs_shardmap_parse(&next, evs_text(yaml), "next.yaml", NULL, &err), EVS_OK);
    for (int i = 0; i < 2 * (int)ways_count; i++) {
        const way *how = &ways[i / 2];
        evs_status status = EVS_E_NOMEM;
        for (size_t n = 1; status != EVS_OK; n++) {
            way_run run;
            evs_client *client = way_open(how, &world.set);
            way_begin(&run, how, client, &world.set);
            lacks[i % 2](n);
            status = evs_client_reload(client, next, &err);
            evs__mem_fail_at(0);
            assert_true(status == EVS_OK || status == EVS_E_NOMEM);
            evs_client_stats stats;
            evs_client_stats_get(&stats, client);
            assert_int_equal(stats.map_generation, status == EVS_OK ? 2 : 0);
            how->act(&run);
            for (size_t c = 0; c < how->ncalls; c++)
                assert_int_equal(run.calls[c].status, EVS_OK);
            evs_client_free(client);
        }
    }
    evs_shardmap_free(next);
}

static int set_up(void **state)
{
    (void)state;
    shards_start(&world.set, 1, "    on_no_keys: all\n");
    if (scratch_start(&world.set.servers[1], world.set.area, "s1", NULL) != SCRATCH_OK)
        return -1;
    ways_load(&world.set);
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
        cmocka_unit_test(every_call_survives_a_lack_of_memory),
        cmocka_unit_test(so_it_does_with_other_maps),
        cmocka_unit_test(growing_in_the_middle_of_a_reply),
        cmocka_unit_test(a_map_that_memory_lacks_for_changes_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
