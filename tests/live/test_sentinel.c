/*
 * Three real sentinels, a primary and two replicas: the primary is found, followed when it is
 * replaced, and never taken for granted. Every call is reported once, and none runs twice.
 */
#include "tests/support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <time.h>

static watched set;

typedef struct world {
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
    char log[16 * 1024];
} world;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";

static void keep_log(void *arg, const evs_log_event *event)
{
    world *w = arg;
    size_t len = strlen(w->log);
    if (getenv("EVS_TEST_TALK") != NULL)
        fprintf(stderr, "LOG %s: %s\n", event->shard, event->message);
    snprintf(w->log + len, sizeof w->log - len, "%s: %s\n", event->shard, event->message);
}

static evs_shardmap *parse(const char *sentinels, const char *more)
{
    char yaml[2048];
    evs_error err;
    evs_shardmap *map = NULL;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 2s, command_timeout: 2m}\n%s"
                       "pools:\n  p:\n    on_no_keys: any\n    shards:\n"
                       "      a: {sentinel: eu, master_name: ledger-1}\n%s",
                       sentinels, more);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static void open_world(world *w, const char *sentinels, const char *more,
                       const evs_client_options *given)
{
    evs_error err;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    if (given != NULL)
        options = *given;
    memset(w, 0, sizeof *w);
    options.log = keep_log;
    options.log_arg = w;
    w->map = parse(sentinels, more);
    assert_int_equal(evs_registry_new(&w->registry, NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(w->registry, "add", evs_text(ADD), NULL, &err), EVS_OK);
    assert_int_equal(evs_client_open(&w->client, w->map, w->registry, &options, &err), EVS_OK);
}

static void close_world(world *w)
{
    evs_client_free(w->client);
    evs_registry_free(w->registry);
    evs_shardmap_free(w->map);
}

static evs_client_stats stats_of(world *w)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, w->client);
    return stats;
}

static evs_status add_within(world *w, unsigned timeout_ms, int64_t *out, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys[] = {evs_text("{k}")};
    evs_invocation one = {.script = "add", .keys = keys, .nkeys = 1, .timeout_ms = timeout_ms};
    evs_status status = evs_call(&reply, w->client, &one, err);
    *out = evs_reply_integer(reply);
    evs_reply_free(reply);
    return status;
}

static evs_status add(world *w, const char *key, int64_t *out, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys[] = {evs_text(key)};
    evs_invocation one = {.script = "add", .keys = keys, .nkeys = 1};
    evs_status status = evs_call(&reply, w->client, &one, err);
    *out = evs_reply_integer(reply);
    evs_reply_free(reply);
    return status;
}

static void add_one(world *w, const char *key, int64_t expected)
{
    int64_t now;
    evs_error err;
    if (add(w, key, &now, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(now, expected);
}

static void the_primary_is_found(void **state)
{
    (void)state;
    world w;
    char group[512];
    open_world(&w, watched_group(&set, "", 0, group), "", NULL);
    add_one(&w, "{found}", 1);
    add_one(&w, "{found}", 2);
    assert_int_equal(watched_number(&set, watched_primary(&set, 0), "GET {found}"), 2);
    assert_int_equal(stats_of(&w).switches, 0);
    close_world(&w);
}

/* ---- load ---- */

enum { LOAD = 32, MOST_CALLS = 200000, BEFORE = 1000, BEHIND = 2000, EVERY_MS = 5 };

/* One call; its key is its own, so that the servers say how often it ran. */
typedef struct one_call {
    struct load *load;
    size_t number;
    evs_status status;
    evs_outcome outcome;
    int reports;
} one_call;

typedef struct load {
    world w;
    one_call *calls;
    size_t begun, ended, succeeded, behind;
    size_t owed; /* calls to begin next */
    double next_at;
    int stopping;
    double struck, mended; /* when it was done, when the first call submitted later succeeded */
    size_t first_after;
} load;

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void ended(void *arg, const evs_result *result)
{
    one_call *call = arg;
    load *l = call->load;
    call->reports++;
    call->status = result->status;
    call->outcome = result->outcome;
    l->ended++;
    l->succeeded += result->status == EVS_OK;
    if (result->status == EVS_OK && l->struck > 0 && call->number >= l->first_after) {
        if (l->behind++ == 0)
            l->mended = now();
    }
    l->owed++;
}

static void begin_call(load *l)
{
    char key[32];
    evs_error err;
    assert_true(l->begun < MOST_CALLS);
    one_call *call = &l->calls[l->begun];
    call->load = l;
    call->number = l->begun++;
    snprintf(key, sizeof key, "call:%zu", call->number);
    evs_bytes keys[] = {evs_text(key)};
    evs_invocation one = {.script = "add", .keys = keys, .nkeys = 1};
    if (evs_submit(l->w.client, &one, ended, call, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void begin_owed(load *l)
{
    for (; l->owed > 0; l->owed--)
        begin_call(l);
}

/* In bursts, so that there are not too many to count. */
static void drive(load *l)
{
    assert_int_equal(evs_client_process(l->w.client, EVERY_MS, NULL), EVS_OK);
    if (l->stopping || now() < l->next_at)
        return;
    begin_owed(l);
    l->next_at = now() + EVERY_MS / 1000.0;
}

/* How often a server was asked for a script that it did not have. */
static long noscripts(size_t server)
{
    static const char word[] = "errorstat_NOSCRIPT:count=";
    redisReply *reply = redisCommand(set.links[server], "INFO errorstats");
    if (reply == NULL) { /* it changed its role */
        watched_relink(&set, server);
        reply = redisCommand(set.links[server], "INFO errorstats");
    }
    assert_non_null(reply);
    const char *at = strstr(reply->str, word);
    long count = at == NULL ? 0 : strtol(at + sizeof word - 1, NULL, 10);
    freeReplyObject(reply);
    return count;
}

static void start_load(load *l, const char *more)
{
    char group[512];
    for (size_t i = 0; i < WATCHED_SERVERS; i++) {
        watched_number(&set, i, "SCRIPT FLUSH");
        watched_number(&set, i, "CONFIG RESETSTAT");
    }
    memset(l, 0, sizeof *l);
    l->calls = calloc(MOST_CALLS, sizeof *l->calls);
    assert_non_null(l->calls);
    open_world(&l->w, watched_group(&set, more, 0, group), "", NULL);
    l->owed = LOAD;
    while (l->succeeded < BEFORE)
        drive(l);
}

/* What follows has happened now. */
static void strike(load *l)
{
    l->first_after = l->begun;
    l->struck = now();
}

static void run_on(load *l, double seconds)
{
    for (double end = now() + seconds; now() < end;)
        drive(l);
}

/* Until enough calls that were submitted after the strike have succeeded. */
static void run_until_mended(load *l)
{
    double end = now() + 120;
    while (l->behind < BEHIND && now() < end)
        drive(l);
    assert_true(l->behind >= BEHIND);
    watched_allow_silence(&set); /* the new one stays, however slow it is */
}

static void stop_load(load *l)
{
    l->stopping = 1;
    while (evs_client_pending(l->w.client) > 0)
        drive(l);
    assert_int_equal(l->begun, l->ended);
}

typedef struct counts {
    size_t calls, ok, errors, maybe, duplicates, unreported, untrue, lost;
} counts;

static counts count(load *l, size_t primary)
{
    counts c = {.calls = l->begun};
    for (size_t i = 0; i < l->begun; i++) {
        char command[64];
        const one_call *call = &l->calls[i];
        snprintf(command, sizeof command, "GET call:%zu", i);
        long long ran = watched_number(&set, primary, command);
        c.ok += call->status == EVS_OK;
        c.errors += call->status != EVS_OK;
        c.maybe += call->outcome == EVS_MAYBE_EXECUTED;
        c.duplicates += ran > 1;
        c.unreported += call->reports != 1;
        c.untrue += call->outcome == EVS_NOT_EXECUTED && ran > 0;
        c.lost += call->status == EVS_OK && ran == 0;
    }
    return c;
}

static void print_statuses(const load *l)
{
    for (size_t i = 0; i < l->begun; i++) {
        size_t same = 0;
        int first = l->calls[i].status != EVS_OK;
        for (size_t k = 0; first && k < i; k++)
            first = l->calls[k].status != l->calls[i].status;
        if (!first)
            continue;
        for (size_t k = i; k < l->begun; k++)
            same += l->calls[k].status == l->calls[i].status;
        printf(", %zu %s", same, evs_status_name(l->calls[i].status));
    }
}

/* No call is lost sight of, none runs twice, none ran that is said not to have. */
static void check(load *l, const char *what, size_t primary)
{
    stop_load(l);
    evs_client_stats stats = stats_of(&l->w);
    counts c = count(l, primary);
    printf("FIGURES %s: calls %zu, ok %zu, errors %zu", what, c.calls, c.ok, c.errors);
    print_statuses(l);
    printf(", maybe %zu, duplicates %zu, unreported %zu, untrue outcomes %zu, lost by the server "
           "%zu, first success after %.0f ms, switches %llu, resends %llu, NOSCRIPT %ld\n",
           c.maybe, c.duplicates, c.unreported, c.untrue, c.lost, (l->mended - l->struck) * 1000,
           (unsigned long long)stats.switches, (unsigned long long)stats.resends,
           noscripts(primary));
    assert_int_equal(c.duplicates, 0);
    assert_int_equal(c.unreported, 0);
    assert_int_equal(c.untrue, 0);
    assert_int_equal(c.maybe, c.errors); /* what did not run has waited */
    assert_true(stats.switches >= 1);
    assert_true(c.errors <= LOAD * stats.switches); /* once each time */
    assert_non_null(strstr(l->w.log, "the primary is 127.0.0.1:"));
    assert_int_equal(noscripts(primary), 0); /* it got the script before any call */
    close_world(&l->w);
    free(l->calls);
}

static void a_killed_primary_is_replaced(void **state)
{
    (void)state;
    load l;
    size_t before = watched_settle(&set);
    start_load(&l, "");
    watched_allow_no_silence(&set);
    kill(scratch_pid(set.servers[before]), SIGSTOP);
    begin_owed(&l);
    assert_int_equal(evs_client_process(l.w.client, 0, NULL), EVS_OK); /* sent, never answered */
    scratch_kill(set.servers[before]);
    strike(&l);
    run_until_mended(&l);
    size_t after = watched_await_switch(&set, before);
    check(&l, "killed primary", after);
    assert_int_equal(scratch_restart(set.servers[before]), SCRATCH_OK);
    watched_relink(&set, before);
}

/* The paused one never learns of it until it goes on, and acknowledges what comes then. */
static void a_paused_primary_is_left(void **state)
{
    (void)state;
    load l;
    size_t before = watched_settle(&set);
    start_load(&l, "");
    watched_allow_no_silence(&set);
    kill(scratch_pid(set.servers[before]), SIGSTOP);
    strike(&l);
    run_until_mended(&l);
    kill(scratch_pid(set.servers[before]), SIGCONT);
    run_on(&l, 1);
    check(&l, "paused primary", watched_agreed(&set));
}

static void a_planned_failover_is_followed(void **state)
{
    (void)state;
    load l;
    size_t before = watched_settle(&set);
    start_load(&l, "");
    watched_tell_sentinel(&set, 1, "SENTINEL FAILOVER ledger-1");
    strike(&l);
    while (stats_of(&l.w).switches == 0)
        drive(&l);
    l.behind = 0;
    run_until_mended(&l);
    check(&l, "planned failover", watched_await_switch(&set, before));
}

static void several_have_to_agree_where_the_map_says_so(void **state)
{
    (void)state;
    load l;
    size_t before = watched_settle(&set);
    start_load(&l, ", quorum_reads: 2");
    watched_allow_no_silence(&set);
    scratch_kill(set.servers[before]);
    strike(&l);
    run_until_mended(&l);
    check(&l, "killed primary, two sentinels agree", watched_await_switch(&set, before));
    assert_int_equal(scratch_restart(set.servers[before]), SCRATCH_OK);
    watched_relink(&set, before);
}

static void one_dead_sentinel_does_no_harm(void **state)
{
    (void)state;
    load l;
    size_t before = watched_settle(&set);
    watched_kill_sentinel(&set, 0);
    start_load(&l, ", quorum_reads: 2");
    watched_allow_no_silence(&set);
    scratch_kill(set.servers[before]);
    strike(&l);
    run_until_mended(&l);
    check(&l, "killed primary, one sentinel dead", watched_await_switch(&set, before));
    assert_int_equal(scratch_restart(set.servers[before]), SCRATCH_OK);
    watched_relink(&set, before);
    watched_restart_sentinel(&set, 0);
}

static void scripts_are_on_the_new_primary_before_calls(void **state)
{
    (void)state;
    world w;
    char group[512];
    size_t before = watched_settle(&set);
    open_world(&w, watched_group(&set, "", 0, group), "", NULL);
    add_one(&w, "{loaded}", 1);
    uint64_t loads = stats_of(&w).loads;
    watched_tell_sentinel(&set, 2, "SENTINEL FAILOVER ledger-1");
    size_t after = watched_await_switch(&set, before);
    watched_number(&set, after, "SCRIPT FLUSH");
    int64_t now_is;
    evs_error err;
    if (add(&w, "{loaded}", &now_is, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(stats_of(&w).loads, loads + 1);
    assert_int_equal(stats_of(&w).heals, 0);
    assert_int_equal(stats_of(&w).switches, 1);
    close_world(&w);
}

static void an_unknown_name_fails_at_once(void **state)
{
    (void)state;
    world w;
    int64_t got;
    evs_error err;
    char group[512];
    open_world(&w, watched_group(&set, "", 0, group),
               "      b: {sentinel: eu, master_name: nobody}\n", NULL);
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof key, "{%d}", i);
        evs_status status = add(&w, key, &got, &err);
        if (status == EVS_OK)
            continue;
        assert_int_equal(status, EVS_E_CONFIG);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
        assert_non_null(strstr(err.message, "no primary of that name is watched"));
        assert_non_null(strstr(err.message, "\"nobody\""));
        close_world(&w);
        return;
    }
    fail_msg("no key is on shard b");
}

static void without_sentinels_each_is_named_with_its_reason(void **state)
{
    (void)state;
    world w;
    int64_t got;
    evs_error err;
    char group[512], port[32];
    watched_settle(&set);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_kill_sentinel(&set, i);
    open_world(&w, watched_group(&set, "", 0, group), "", NULL);
    assert_int_equal(add_within(&w, 2000, &got, &err), EVS_E_CONNECT);
    print_message("%s\n", err.message);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++) {
        snprintf(port, sizeof port, "127.0.0.1:%d", set.ports[i]);
        assert_non_null(strstr(err.message, port));
    }
    assert_non_null(strstr(err.message, "connection refused"));
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_restart_sentinel(&set, i);
    assert_int_equal(add(&w, "{k}", &got, &err), EVS_OK);
    close_world(&w);
}

static void a_hasty_client_is_told_at_once(void **state)
{
    (void)state;
    world w;
    int64_t got;
    evs_error err;
    char group[512];
    watched_settle(&set);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_kill_sentinel(&set, i);
    open_world(&w, watched_group(&set, "", 0, group), "    on_shard_down: fail_fast\n", NULL);
    double begin = now();
    assert_int_equal(add(&w, "{k}", &got, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_true(now() - begin < 60); /* of two minutes */
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_restart_sentinel(&set, i);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_primary_is_found),
        cmocka_unit_test(a_killed_primary_is_replaced),
        cmocka_unit_test(a_paused_primary_is_left),
        cmocka_unit_test(a_planned_failover_is_followed),
        cmocka_unit_test(several_have_to_agree_where_the_map_says_so),
        cmocka_unit_test(one_dead_sentinel_does_no_harm),
        cmocka_unit_test(scripts_are_on_the_new_primary_before_calls),
        cmocka_unit_test(an_unknown_name_fails_at_once),
        cmocka_unit_test(without_sentinels_each_is_named_with_its_reason),
        cmocka_unit_test(a_hasty_client_is_told_at_once),
    };
    watched_start(&set, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    watched_stop(&set);
    return failed;
}
