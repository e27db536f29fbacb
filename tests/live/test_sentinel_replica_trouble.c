/*
 * Reads from replicas that real sentinels know, while something happens to them: another map, a
 * replica that dies, falls silent, loses its link or is promoted, a sentinel that does not tell.
 * Who ran what is counted by the servers.
 */
#include "core/mem.h"
#include "tests/support/followed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

/* ---- reads and other maps under way ---- */

typedef struct load {
    evs_client *client;
    size_t begun, ended, failed;
    char why[1024];
} load;

static void ended(void *arg, const evs_result *result)
{
    load *l = arg;
    l->ended++;
    if (result->status == EVS_OK)
        return;
    l->failed++;
    snprintf(l->why, sizeof l->why, "%s", result->error->message);
}

static void begin(load *l, const char *script)
{
    evs_error err;
    evs_bytes key = evs_text(reading_key((int)(l->begun++ % FOLLOWED_KEYS)));
    evs_invocation one = {.script = script, .keys = &key, .nkeys = 1};
    if (strcmp(script, "set") == 0) {
        one.args = &key;
        one.nargs = 1;
    }
    if (evs_submit(l->client, &one, ended, l, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void drive_until(load *l, size_t ended_by_then)
{
    while (l->ended < ended_by_then)
        assert_int_equal(evs_client_process(l->client, 1000, NULL), EVS_OK);
}

static void maps_change_while_reads_are_under_way(void **state)
{
    (void)state;
    static const char *const rules[] = {"primary", "replica", "prefer_replica"};
    followed_settle();
    load l = {.client = followed_open("replica", NULL)};
    for (size_t i = 0; i < 60; i++) {
        for (int k = 0; k < 10; k++)
            begin(&l, k == 5 ? "set" : "get");
        if (i % 3 == 1)
            assert_int_equal(evs_client_process(l.client, 1, NULL), EVS_OK);
        followed_reload(l.client, rules[i % 3]);
    }
    drive_until(&l, l.begun);
    if (l.failed > 0)
        fail_msg("%zu: %s", l.failed, l.why);
    evs_client_free(l.client);
}

/* ---- what goes wrong ---- */

/* The server is read from again, sooner or later. */
static void read_until_used(evs_client *client, size_t server)
{
    for (int i = 0; followed_ran(server, "evalsha_ro") == 0; i++)
        reading_read(client, "get", reading_key(i % FOLLOWED_KEYS));
}

static void a_killed_replica_loses_no_read(const char *rule)
{
    followed_settle();
    load l = {.client = followed_open(rule, NULL)};
    for (int i = 0; i < 10; i++)
        begin(&l, "get");
    drive_until(&l, l.begun);
    for (int i = 0; i < 200; i++) {
        begin(&l, "get");
        if (i == 100)
            scratch_kill(followed.set.servers[followed.replicas[0]]);
    }
    drive_until(&l, l.begun);
    if (l.failed > 0)
        fail_msg("%zu: %s", l.failed, l.why);
    watched_number(&followed.set, followed.primary, "CONFIG RESETSTAT");
    watched_number(&followed.set, followed.replicas[1], "CONFIG RESETSTAT");
    for (int i = 0; i < FOLLOWED_KEYS; i++)
        reading_read(l.client, "get", reading_key(i));
    assert_int_equal(followed_ran(followed.primary, "evalsha_ro"), 0);
    assert_int_equal(followed_ran(followed.replicas[1], "evalsha_ro"), FOLLOWED_KEYS);
    followed_restart(followed.replicas[0]);
    read_until_used(l.client, followed.replicas[0]);
    evs_client_free(l.client);
}

static void a_killed_replica_is_left(void **state)
{
    (void)state;
    a_killed_replica_loses_no_read("prefer_replica");
    a_killed_replica_loses_no_read("replica");
}

static void without_replicas_the_rule_decides(void **state)
{
    (void)state;
    evs_error err;
    followed_settle();
    evs_client *prefers = followed_open("prefer_replica", NULL);
    evs_client *waits = followed_open("replica", NULL);
    evs_client *fails = followed_open("replica\n    on_shard_down: fail_fast", NULL);
    reading_read(prefers, "get", reading_key(0));
    reading_read(waits, "get", reading_key(0));
    for (size_t i = 0; i < 2; i++)
        scratch_kill(followed.set.servers[followed.replicas[i]]);
    watched_number(&followed.set, followed.primary, "CONFIG RESETSTAT");
    for (int i = 0; i < FOLLOWED_KEYS; i++)
        reading_read(prefers, "get", reading_key(i));
    assert_int_equal(followed_ran(followed.primary, "evalsha_ro"), FOLLOWED_KEYS);

    evs_status status = reading_try(waits, "get", reading_key(0), 1500, &err);
    if (status != EVS_E_CONNECT && status != EVS_E_TIMEOUT)
        fail_msg("%s", err.message);
    assert_int_not_equal(err.outcome, EVS_EXECUTED);
    assert_int_equal(reading_try(fails, "get", reading_key(0), 0, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "no replica can be read from"));
    reading_write(fails, reading_key(0)); /* the primary is there */
    assert_int_equal(followed_ran(followed.primary, "evalsha_ro"), FOLLOWED_KEYS);

    load l = {.client = waits};
    begin(&l, "get");
    for (int i = 0; i < 20; i++)
        assert_int_equal(evs_client_process(waits, 10, NULL), EVS_OK);
    assert_int_equal(l.ended, 0);
    followed_restart(followed.replicas[0]);
    followed_restart(followed.replicas[1]);
    drive_until(&l, 1);
    if (l.failed > 0)
        fail_msg("%s", l.why);
    assert_int_equal(followed_ran(followed.primary, "evalsha_ro"), FOLLOWED_KEYS);
    evs_client_free(prefers);
    evs_client_free(waits);
    evs_client_free(fails);
}

/* It costs one call its deadline at most. */
static void a_silent_replica_is_left_alone(void **state)
{
    (void)state;
    evs_error err;
    followed_settle();
    evs_client *client = followed_open("prefer_replica\n    retry_after: 10m", NULL);
    for (int i = 0; i < 4; i++)
        reading_read(client, "get", reading_key(i));
    kill(scratch_pid(followed.set.servers[followed.replicas[0]]), SIGSTOP);
    evs_status first = reading_try(client, "get", reading_key(0), 500, &err);
    evs_status second = reading_try(client, "get", reading_key(0), 500, &err);
    assert_true(first == EVS_E_TIMEOUT || second == EVS_E_TIMEOUT);
    watched_number(&followed.set, followed.primary, "CONFIG RESETSTAT");
    for (int i = 0; i < 10; i++)
        reading_read(client, "get", reading_key(i));
    kill(scratch_pid(followed.set.servers[followed.replicas[0]]), SIGCONT);
    evs_client_free(client);
}

/* Its data is as old as that. It serves it all the same, and would for years. */
static void break_link(size_t replica, size_t other)
{
    redisReply *reply = redisCommand(followed.set.links[replica], "CONFIG SET masterauth wrong");
    freeReplyObject(reply);
    watched_number(&followed.set, followed.primary, "CLIENT KILL TYPE replica");
    watched_await(&followed.set, replica, "INFO replication", "master_link_status:down");
    watched_await(&followed.set, other, "INFO replication", "master_link_status:up");
    watched_await(&followed.set, followed.primary, "INFO replication", "connected_slaves:1");
    assert_int_equal(watched_number(&followed.set, followed.primary, "WAIT 1 60000"), 1);
}

static void mend_link(size_t replica)
{
    redisReply *reply = redisCommand(followed.set.links[replica], "CONFIG SET masterauth %s", "");
    freeReplyObject(reply);
}

static void a_replica_without_a_link_is_not_read_from(void **state)
{
    char text[128];
    (void)state;
    followed_settle();
    evs_client *before = followed_open("replica", NULL);
    for (int i = 0; i < FOLLOWED_KEYS; i++)
        reading_read(before, "get", reading_key(i));
    break_link(followed.replicas[0], followed.replicas[1]);

    followed_count_anew();
    evs_client *after = followed_open("replica", NULL);
    for (int i = 0; i < FOLLOWED_KEYS; i++)
        reading_read(after, "get", reading_key(i));
    assert_int_equal(followed_ran(followed.replicas[0], "evalsha_ro"), 0);
    assert_int_equal(followed_ran(followed.replicas[1], "evalsha_ro"), FOLLOWED_KEYS);

    evs_client_free(after);

    /* Sentinels look every ten seconds, and are asked every one. */
    snprintf(text, sizeof text, "127.0.0.1:%d is not read from: its link to the primary is down",
             scratch_port(followed.set.servers[followed.replicas[0]]));
    do {
        for (int i = 0; i < 10; i++)
            assert_int_equal(evs_client_process(before, 10, NULL), EVS_OK);
        followed_count_anew();
        for (int i = 0; i < FOLLOWED_KEYS; i++)
            reading_read(before, "get", reading_key(i));
    } while (followed_ran(followed.replicas[0], "evalsha_ro") > 0);
    assert_non_null(strstr(followed.log, text));
    mend_link(followed.replicas[0]);
    watched_await(&followed.set, followed.replicas[0], "INFO replication", "master_link_status:up");
    read_until_used(before, followed.replicas[0]);
    evs_client_free(before);
}

static void a_replica_that_is_promoted_is_left(const char *rule)
{
    evs_client_stats stats;
    followed_settle();
    load l = {.client = followed_open(rule, NULL)};
    size_t before = followed.primary;
    watched_tell_sentinel(&followed.set, 1, "SENTINEL FAILOVER ledger-1");
    do {
        begin(&l, "get");
        begin(&l, "get");
        drive_until(&l, l.begun);
        assert_int_equal(evs_client_process(l.client, 1, NULL), EVS_OK);
        evs_client_stats_get(&stats, l.client);
    } while (stats.switches == 0);
    watched_await_switch(&followed.set, before);
    followed_settle();
    assert_int_not_equal(followed.primary, before);
    for (int i = 0; i < FOLLOWED_KEYS; i++) {
        reading_write(l.client, reading_key(i));
        reading_read(l.client, "get", reading_key(i));
    }
    assert_int_equal(followed_ran(followed.primary, "evalsha"), FOLLOWED_KEYS);
    if (strcmp(rule, "replica") == 0)
        assert_int_equal(followed_ran(followed.primary, "evalsha_ro"), 0);
    read_until_used(l.client, before); /* a replica now */
    if (l.failed > 0)
        fail_msg("%zu: %s", l.failed, l.why);
    evs_client_free(l.client);
}

static void a_planned_failover_is_followed(void **state)
{
    (void)state;
    a_replica_that_is_promoted_is_left("replica");
    a_replica_that_is_promoted_is_left("prefer_replica");
}

static void tell_sentinels(const char *command)
{
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_tell_sentinel(&followed.set, i, command);
}

static void a_user_who_may_not_ask_for_replicas_is_told(void **state)
{
    (void)state;
    evs_error err;
    followed_settle();
    tell_sentinels("ACL SETUSER default -sentinel|replicas");
    evs_client *client = followed_open("replica", NULL);
    assert_int_equal(reading_try(client, "get", reading_key(0), 0, &err), EVS_E_DENIED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "does not tell the replicas"));
    reading_write(client, reading_key(0));
    evs_client_free(client);
    client = followed_open("prefer_replica", NULL);
    reading_read(client, "get", reading_key(0));
    evs_client_free(client);
    tell_sentinels("ACL SETUSER default +sentinel|replicas");
}

static void an_unknown_name_fails_at_once(void **state)
{
    (void)state;
    evs_error err;
    char yaml[2048], group[512];
    evs_client *client;
    evs_shardmap *map;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, script_timeout: 60s}\n%s"
                       "pools:\n  p:\n    shards: {a: {sentinel: eu, master_name: nobody}}\n"
                       "    read_from: replica\n",
                       watched_group(&followed.set, "", 0, group));
    assert_int_equal(evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "t", NULL, &err),
                     EVS_OK);
    assert_int_equal(evs_client_open(&client, map, followed.registry, NULL, &err), EVS_OK);
    assert_int_equal(reading_try(client, "get", "k", 0, &err), EVS_E_CONFIG);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "no primary of that name is watched"));
    evs_client_free(client);
    evs_shardmap_free(map);
}

/* Memory runs out at every allocation in turn; when there is some again the client works. */
static void failing_allocations_lose_no_read(void **state)
{
    (void)state;
    int failures = 0;
    followed_settle();
    evs_shardmap *map = followed_map("replica");
    for (size_t n = 1; n < 220; n++)
        failures += n % 2 == 0
                        ? reading_starved(map, followed.registry, evs__mem_fail_at, n / 2)
                        : reading_starved(map, followed.registry, evs__mem_fail_once_at, n / 2 + 1);
    assert_true(failures > 5);
    evs_shardmap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_change_while_reads_are_under_way),
        cmocka_unit_test(a_killed_replica_is_left),
        cmocka_unit_test(without_replicas_the_rule_decides),
        cmocka_unit_test(a_silent_replica_is_left_alone),
        cmocka_unit_test(a_replica_without_a_link_is_not_read_from),
        cmocka_unit_test(a_planned_failover_is_followed),
        cmocka_unit_test(a_user_who_may_not_ask_for_replicas_is_told),
        cmocka_unit_test(an_unknown_name_fails_at_once),
        cmocka_unit_test(failing_allocations_lose_no_read),
    };
    followed_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    followed_stop();
    return failed;
}
