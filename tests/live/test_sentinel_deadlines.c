/*
 * Calls with short deadlines to a primary that was paused: what they report is true, none runs
 * twice, and they go on when sentinels have named another one.
 *
 * Every call has a key of its own, so that the servers say how often it ran.
 */
#include "tests/support/scene.h"
#include "tests/support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

enum {
    SHORT_MS = 100,
    LONG_MS = 300000,
    AT_ONCE = 4,
    MOST_CALLS = 80000, /* for three minutes at least */
    GOOD = 20
};

typedef struct one_call {
    evs_status status;
    evs_outcome outcome;
    int reports;
} one_call;

typedef struct run {
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
    one_call calls[MOST_CALLS];
    size_t begun, ended, good;
} run;

static watched set;
static run r;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";

static void open_client(const char *on_shard_down)
{
    evs_error err;
    char yaml[2048], group[512];
    memset(&r, 0, sizeof r);
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s}\n%s"
                       "pools: {p: {on_shard_down: %s, "
                       "shards: {a: {sentinel: eu, master_name: ledger-1}}}}\n",
                       watched_group(&set, "", 0, group), on_shard_down);
    if (evs_shardmap_parse(&r.map, (evs_bytes){yaml, (size_t)len}, "t", NULL, &err) != EVS_OK ||
        evs_registry_new(&r.registry, NULL, &err) != EVS_OK ||
        evs_script_load(r.registry, "add", evs_text(ADD), NULL, &err) != EVS_OK ||
        evs_client_open(&r.client, r.map, r.registry, NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void close_client(void)
{
    evs_client_free(r.client);
    evs_registry_free(r.registry);
    evs_shardmap_free(r.map);
}

static uint64_t switches(void)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, r.client);
    return stats.switches;
}

/* ---- calls ---- */

static void ended(void *arg, const evs_result *result)
{
    one_call *call = arg;
    call->reports++;
    call->status = result->status;
    call->outcome = result->outcome;
    r.ended++;
    r.good += result->status == EVS_OK;
}

/* What is refused at once has an outcome, too. */
static void begin(unsigned timeout_ms)
{
    char key[32];
    evs_error err;
    if (r.begun == MOST_CALLS)
        fail_msg("nothing changes, after %d calls", MOST_CALLS);
    one_call *call = &r.calls[r.begun];
    snprintf(key, sizeof key, "call:%zu", r.begun++);
    evs_bytes keys[] = {evs_text(key)};
    evs_invocation one = {.script = "add", .keys = keys, .nkeys = 1, .timeout_ms = timeout_ms};
    if (evs_submit(r.client, &one, ended, call, &err) == EVS_OK)
        return;
    const evs_result refused = {err.status, err.outcome, NULL, &err};
    ended(call, &refused);
}

static void finish(void)
{
    while (r.ended < r.begun)
        assert_int_equal(evs_client_process(r.client, 1000, NULL), EVS_OK);
}

/* Between calls that may all be refused at once. */
static void rest(void)
{
    scene_pause();
    assert_int_equal(evs_client_process(r.client, 0, NULL), EVS_OK);
}

static void begin_burst(void)
{
    for (int i = 0; i < AT_ONCE; i++)
        begin(SHORT_MS);
    finish();
    rest();
}

/* Calls that have time; every other one has not. */
static void run_until_good(void)
{
    for (size_t good = 0; good < GOOD;) {
        begin(LONG_MS);
        size_t number = r.begun - 1;
        begin(SHORT_MS);
        finish();
        good += r.calls[number].status == EVS_OK;
        if (r.calls[number].status != EVS_OK)
            rest();
    }
}

/* ---- what came of them ---- */

static long long ran(size_t server, size_t call)
{
    char command[64];
    snprintf(command, sizeof command, "GET call:%zu", call);
    return watched_number(&set, server, command);
}

static void check_call(size_t number, size_t before, size_t primary)
{
    const one_call *call = &r.calls[number];
    long long count = ran(primary, number);
    assert_int_equal(call->reports, 1);
    assert_in_range(count, 0, 1);
    assert_int_equal(call->status == EVS_OK, call->outcome == EVS_EXECUTED);
    if (call->outcome == EVS_NOT_EXECUTED)
        assert_int_equal(count + ran(before, number), 0);
}

/* They were acknowledged by a primary that stayed, or by all servers. */
static void check_kept(size_t from, size_t to, size_t primary)
{
    for (size_t i = from; i < to; i++)
        if (r.calls[i].status == EVS_OK)
            assert_int_equal(ran(primary, i), 1);
}

static void print_figures(const char *what)
{
    size_t maybe = 0;
    for (size_t i = 0; i < r.begun; i++)
        maybe += r.calls[i].outcome == EVS_MAYBE_EXECUTED;
    printf("FIGURES paused primary, deadlines of %d ms, %s: calls %zu, ok %zu, maybe %zu, not "
           "executed %zu, switches %llu\n",
           SHORT_MS, what, r.begun, r.good, maybe, r.begun - r.good - maybe,
           (unsigned long long)switches());
}

static void pause_primary(const char *on_shard_down)
{
    size_t before = watched_settle(&set);
    open_client(on_shard_down);
    run_until_good();
    assert_int_equal(watched_number(&set, before, "WAIT 2 60000"), 2);
    size_t struck = r.begun;

    watched_allow_no_silence(&set);
    kill(scratch_pid(set.servers[before]), SIGSTOP);
    while (switches() == 0)
        begin_burst();
    watched_allow_silence(&set); /* the new one stays, however slow it is */
    size_t after = watched_await_switch(&set, before), mended = r.begun;
    uint64_t times = switches();
    run_until_good();

    kill(scratch_pid(set.servers[before]), SIGCONT);
    size_t primary = watched_agreed(&set);
    for (size_t i = 0; i < r.begun; i++)
        check_call(i, before, primary);
    check_kept(0, struck, primary);
    if (primary == after && switches() == times) /* not again, on a slow machine */
        check_kept(mended, r.begun, primary);
    print_figures(on_shard_down);
    close_client();
}

static void calls_wait_and_go_on(void **state)
{
    (void)state;
    pause_primary("wait");
}

static void calls_fail_at_once_and_go_on(void **state)
{
    (void)state;
    pause_primary("fail_fast");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_wait_and_go_on),
        cmocka_unit_test(calls_fail_at_once_and_go_on),
    };
    watched_start(&set, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    watched_stop(&set);
    return failed;
}
