/*
 * Replicas of a real cluster that are read from: three primaries and three replicas. Who ran what
 * is counted by the servers.
 */
#include "core/mem.h"
#include "tests/support/readers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

enum { PRIMARIES = 3, REPLICAS = 3, NODES = PRIMARIES + REPLICAS, KEYS = READERS_KEYS };

static void settle(void)
{
    readers_fill(PRIMARIES);
    nodes_count_anew(&readers.set);
}

static long ran(size_t node, const char *command)
{
    return nodes_ran(&readers.set, node, command);
}

static void forget_scripts(size_t node)
{
    nodes_do(&readers.set, node, "SCRIPT FLUSH");
}

static const reading_stage stage = {
    .keys = KEYS,
    .primaries = PRIMARIES,
    .replicas = REPLICAS,
    .open = readers_open,
    .settle = settle,
    .ran = ran,
    .forget_scripts = forget_scripts,
};

/* ---- all is well ---- */

/* The server would refuse it on a replica, and EVALSHA_RO of it anywhere. */
static void a_shebang_without_no_writes_keeps_it_at_the_primary(void **state)
{
    (void)state;
    evs_client *client = readers_open("replica", NULL);
    nodes_count_anew(&readers.set);
    for (int i = 0; i < KEYS; i++)
        reading_read(client, "flagged", reading_key(i));
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha"), KEYS);
    evs_client_free(client);
}

/* Without keys: any replica, or any primary. A cluster is one shard here. */
static evs_status call_anywhere(evs_client *client, const char *script, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_invocation one = {.script = script, .shard = "c"};
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

static void add_script(const char *name, const char *shebang, const char *body)
{
    evs_error err;
    char text[256];
    snprintf(text, sizeof text, "%s--- Some.\n-- @retry read_only\n%s", shebang, body);
    if (evs_script_load(readers.registry, name, evs_text(text), NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void what_has_no_keys_goes_by_its_shebang(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = readers_open("replica", NULL);
    add_script("size", "", "return redis.call('DBSIZE')");
    add_script("flagged_size", "#!lua flags=no-writes\n", "return redis.call('DBSIZE')");
    add_script("doubtful_size", "#!lua flags=allow-oom\n", "return redis.call('DBSIZE')");
    nodes_count_anew(&readers.set);
    for (int i = 0; i < REPLICAS; i++) {
        assert_int_equal(call_anywhere(client, "size", &err), EVS_OK);
        assert_int_equal(call_anywhere(client, "flagged_size", &err), EVS_OK);
    }
    assert_int_equal(readers_ran(PRIMARIES, NODES, "evalsha_ro"), 2 * REPLICAS);
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha"), 0);
    for (int i = 0; i < PRIMARIES; i++)
        assert_int_equal(call_anywhere(client, "doubtful_size", &err), EVS_OK);
    assert_int_equal(readers_ran(PRIMARIES, NODES, "evalsha_ro"), 2 * REPLICAS);
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha"), PRIMARIES);
    evs_client_free(client);
}

/* It says that it only reads, and does not. */
static void what_writes_after_all_is_refused_there(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = readers_open("replica", NULL);
    add_script("writes", "", "-- @key k any\nreturn redis.call('INCR', KEYS[1])");
    assert_int_equal(reading_try(client, "writes", "written", 0, &err), EVS_E_SCRIPT);
    assert_int_equal(err.outcome, EVS_EXECUTED);
    assert_non_null(strstr(err.message, "Write commands are not allowed"));
    assert_int_equal(nodes_number(&readers.set, readers_home("written"), "EXISTS written"), 0);
    evs_client_free(client);
}

static void a_running_client_takes_another_rule(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = readers_open("primary", NULL);
    nodes_count_anew(&readers.set);
    static const char *const rules[] = {"replica", "primary", "prefer_replica", "primary"};
    for (size_t i = 0; i < 4; i++) {
        reading_read(client, "get", reading_key(1));
        evs_shardmap *map = readers_map(rules[i]);
        assert_int_equal(evs_client_reload(client, map, &err), EVS_OK);
        evs_shardmap_free(map);
    }
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha"), 2);
    assert_int_equal(readers_ran(PRIMARIES, NODES, "evalsha_ro"), 2);
    evs_client_free(client);
}

/* Memory runs out at every allocation in turn; when there is some again the client works. */
static void failing_allocations_lose_no_read(void **state)
{
    (void)state;
    int failures = 0;
    evs_shardmap *map = readers_map("replica");
    for (size_t n = 1; n < 160; n++)
        failures += reading_starved(map, readers.registry, evs__mem_fail_at, n);
    assert_true(failures > 5);
    evs_shardmap_free(map);
}

/* ---- what goes wrong ---- */

static void a_busy_replica_is_left_alone(void **state)
{
    (void)state;
    const char *key = readers_key_at(0);
    evs_client *client = readers_open("prefer_replica", NULL);
    reading_read(client, "get", key);
    nodes_do(&readers.set, PRIMARIES, "CONFIG SET busy-reply-threshold 1");
    redisContext *link = redisConnect("127.0.0.1", scratch_port(readers.set.servers[PRIMARIES]));
    assert_true(link != NULL && link->err == 0);
    int sent = 0;
    redisAppendCommand(link, "EVAL_RO %s 0", "while true do end");
    while (!sent)
        assert_int_equal(redisBufferWrite(link, &sent), REDIS_OK);
    for (;;) { /* until it is busy */
        redisReply *reply = redisCommand(readers.set.links[PRIMARIES], "PING");
        int busy = reply->type == REDIS_REPLY_ERROR;
        freeReplyObject(reply);
        if (busy)
            break;
    }
    nodes_do(&readers.set, 0, "CONFIG RESETSTAT");
    for (int i = 0; i < 10; i++)
        reading_read(client, "get", key);
    assert_int_equal(nodes_ran(&readers.set, 0, "evalsha_ro"), 10);
    nodes_do(&readers.set, PRIMARIES, "SCRIPT KILL");
    redisFree(link);
    evs_client_free(client);
}

/* It costs one call its deadline; the next ones go to the primary. */
static void a_silent_replica_is_left_alone(void **state)
{
    (void)state;
    evs_error err;
    const char *key = readers_key_at(1);
    evs_client *client = readers_open("prefer_replica\n    retry_after: 10m", NULL);
    reading_read(client, "get", key);
    kill(scratch_pid(readers.set.servers[PRIMARIES + 1]), SIGSTOP);
    nodes_do(&readers.set, 1, "CONFIG RESETSTAT");
    do { /* on a busy machine a second is over before the request has left */
        assert_int_equal(reading_try(client, "get", key, 1000, &err), EVS_E_TIMEOUT);
    } while (err.outcome == EVS_NOT_EXECUTED);
    assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    for (int i = 0; i < 10; i++)
        reading_read(client, "get", key);
    assert_int_equal(nodes_ran(&readers.set, 1, "evalsha_ro"), 10);
    kill(scratch_pid(readers.set.servers[PRIMARIES + 1]), SIGCONT);
    evs_client_free(client);
    nodes_wait(&readers.set, 0, "CLUSTER INFO", "cluster_state:ok");
    nodes_await_replica(&readers.set, PRIMARIES + 1);
}

static void a_user_who_may_not_say_readonly_is_told(void **state)
{
    (void)state;
    evs_error err;
    const char *key = readers_key_at(0);
    evs_client *client = readers_open("prefer_replica", NULL);
    nodes_do(&readers.set, PRIMARIES, "ACL SETUSER default -readonly");
    assert_int_equal(reading_try(client, "get", key, 0, &err), EVS_E_DENIED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "+readonly"));
    nodes_do(&readers.set, PRIMARIES, "ACL SETUSER default +readonly");
    evs_client_free(client);
}

static void what_replicas_ran_is_counted_there(void **state)
{
    (void)state;
    evs_error err;
    char name[32];
    evs_stats *stats;
    const char *key = readers_key_at(2);
    evs_client *client = readers_open("replica", NULL);
    reading_read(client, "get", key);
    assert_int_equal(evs_stats_snapshot(&stats, client, &err), EVS_OK);
    assert_int_equal(evs_stats_count(stats), 1);
    snprintf(name, sizeof name, "127.0.0.1:%d", scratch_port(readers.set.servers[PRIMARIES + 2]));
    assert_string_equal(evs_stats_at(stats, 0)->shard, name);
    assert_int_equal(evs_stats_at(stats, 0)->calls, 1);
    evs_stats_free(stats);
    evs_client_free(client);
}

static void reads_follow_a_slot_that_moved(void **state)
{
    (void)state;
    const char *key = readers_key_at(0);
    unsigned slot = (unsigned)nodes_number(&readers.set, 0, "CLUSTER KEYSLOT %s", key);
    evs_client *client = readers_open("replica", NULL);
    reading_read(client, "get", key);
    nodes_open_slot(&readers.set, slot, 0, 1);
    nodes_move_key(&readers.set, key, 0, 1);
    nodes_hand_over(&readers.set, slot, 1);
    assert_true(nodes_number(&readers.set, 1, "WAIT 1 60000") >= 1);
    while (nodes_owner(&readers.set, PRIMARIES, slot) != 1 ||
           nodes_owner(&readers.set, PRIMARIES + 1, slot) != 1)
        ;
    nodes_count_anew(&readers.set);
    for (int i = 0; i < 10; i++)
        reading_read(client, "get", key);
    assert_int_equal(nodes_ran(&readers.set, PRIMARIES + 1, "evalsha_ro"), 10);
    assert_int_equal(readers_ran(0, PRIMARIES, "evalsha_ro"), 0);
    evs_client_free(client);
}

static void replicas_of_a_slot_are_read_in_turn(void **state)
{
    (void)state;
    const char *key = readers_key_at(0);
    size_t more = nodes_add(&readers.set);
    nodes_do(&readers.set, more, "CLUSTER REPLICATE %s", readers.set.ids[0]);
    nodes_await_replica(&readers.set, more);
    evs_client *client = readers_open("replica", NULL);
    reading_read(client, "get", key);
    nodes_count_anew(&readers.set);
    for (int i = 0; i < 20; i++)
        reading_read(client, "get", key);
    assert_int_equal(nodes_ran(&readers.set, PRIMARIES, "evalsha_ro"), 10);
    assert_int_equal(nodes_ran(&readers.set, more, "evalsha_ro"), 10);
    scratch_kill(readers.set.servers[more]); /* the other one has them all */
    for (int i = 0; i < 20; i++)
        reading_read(client, "get", key);
    assert_int_equal(nodes_ran(&readers.set, PRIMARIES, "evalsha_ro"), 30);
    evs_client_free(client);
}

static void count_read(void *arg, const evs_result *result)
{
    if (result->status != EVS_OK)
        fail_msg("%s", result->error->message);
    ++*(int *)arg;
}

/* Until a deadline finds the client told of the nodes and refused by the one that is wanted: on a
 * busy machine the first ones come too soon for that. */
static evs_status read_in_vain(evs_client *client, const char *key, evs_error *err)
{
    evs_status status = EVS_OK;
    for (int i = 0; i < 60; i++) {
        status = reading_try(client, "get", key, 1000, err);
        if (status == EVS_OK || strstr(err->message, "no replica that serves slot") != NULL)
            break;
        assert_int_equal(err->outcome, EVS_NOT_EXECUTED);
    }
    return status;
}

/* With calls on their way to it. */
static void a_killed_replica_loses_no_call(void **state)
{
    (void)state;
    enum { CALLS = 200 };
    int done = 0;
    evs_error err;
    evs_bytes key = evs_text(readers_key_at(2));
    evs_client *client = readers_open("prefer_replica", NULL);
    reading_read(client, "get", key.data);
    for (int i = 0; i < CALLS; i++) {
        evs_invocation one = {.script = "get", .keys = &key, .nkeys = 1};
        assert_int_equal(evs_submit(client, &one, count_read, &done, &err), EVS_OK);
        if (i == CALLS / 2)
            scratch_kill(readers.set.servers[PRIMARIES + 2]);
    }
    while (done < CALLS)
        assert_int_equal(evs_client_process(client, 1000, &err), EVS_OK);
    nodes_count_anew(&readers.set);
    for (int i = 0; i < 10; i++)
        reading_read(client, "get", key.data);
    assert_int_equal(nodes_ran(&readers.set, 2, "evalsha_ro"), 10);
    evs_client_free(client);

    client = readers_open("replica", NULL);
    if (read_in_vain(client, key.data, &err) != EVS_E_CONNECT)
        fail_msg("%s", err.message);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "no replica that serves slot"));
    evs_client_free(client);
    client = readers_open("replica\n    on_shard_down: fail_fast", NULL);
    assert_int_equal(reading_try(client, "get", key.data, 0, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(nodes_ran(&readers.set, 2, "evalsha_ro"), 10);
    evs_client_free(client);
}

static void restart(size_t node)
{
    assert_int_equal(scratch_restart(readers.set.servers[node]), SCRATCH_OK);
    redisFree(readers.set.links[node]);
    readers.set.links[node] = redisConnectUnix(scratch_socket(readers.set.servers[node]));
    assert_true(readers.set.links[node] != NULL && readers.set.links[node]->err == 0);
}

static void who_waits_for_a_replica_gets_the_next_one(void **state)
{
    (void)state;
    int done = 0;
    evs_error err;
    evs_bytes key = evs_text(readers_key_at(2));
    evs_client *client = readers_open("replica", NULL);
    evs_invocation one = {.script = "get", .keys = &key, .nkeys = 1};
    assert_int_equal(evs_submit(client, &one, count_read, &done, &err), EVS_OK);
    for (int i = 0; i < 20; i++)
        assert_int_equal(evs_client_process(client, 10, &err), EVS_OK);
    assert_int_equal(done, 0);
    restart(PRIMARIES + 2);
    while (done == 0)
        assert_int_equal(evs_client_process(client, 1000, &err), EVS_OK);
    evs_client_free(client);
}

/* The loss is the caller's to hear of; calls behind it know. */
static void an_impatient_client_knows_after_one_loss(void **state)
{
    (void)state;
    evs_error err;
    const char *key = readers_key_at(2);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.patience = EVS_PATIENCE_NONE;
    nodes_await_replica(&readers.set, PRIMARIES + 2);
    evs_client *client = readers_open("prefer_replica\n    retry_after: 10m", &options);
    reading_read(client, "get", key);
    scratch_kill(readers.set.servers[PRIMARIES + 2]);
    reading_try(client, "get", key, 0, &err);
    nodes_do(&readers.set, 2, "CONFIG RESETSTAT");
    for (int i = 0; i < 10; i++)
        reading_read(client, "get", key);
    assert_int_equal(nodes_ran(&readers.set, 2, "evalsha_ro"), 10);
    evs_client_free(client);
}

/* Its replica answers MASTERDOWN, then CLUSTERDOWN, until it is the primary. */
static void reads_outlive_a_primary(void **state)
{
    (void)state;
    const char *key = readers_key_at(1);
    nodes_do(&readers.set, PRIMARIES + 1, "CONFIG SET replica-serve-stale-data no");
    evs_client *client = readers_open("prefer_replica", NULL);
    reading_read(client, "get", key);
    nodes_watch_each_other(&readers.set);
    scratch_kill(readers.set.servers[1]);
    for (int i = 0; i < 10; i++)
        reading_read(client, "get", key);
    nodes_wait(&readers.set, PRIMARIES + 1, "INFO replication", "role:master");
    reading_read(client, "get", key);
    evs_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READING_TEST(reading_is_spread_over_replicas, &stage),
        READING_TEST(reading_goes_to_primaries_without_a_rule, &stage),
        READING_TEST(reading_by_plain_commands_goes_to_replicas, &stage),
        cmocka_unit_test(a_shebang_without_no_writes_keeps_it_at_the_primary),
        cmocka_unit_test(what_has_no_keys_goes_by_its_shebang),
        cmocka_unit_test(what_writes_after_all_is_refused_there),
        READING_TEST(reading_heals_scripts_on_replicas, &stage),
        cmocka_unit_test(a_running_client_takes_another_rule),
        cmocka_unit_test(failing_allocations_lose_no_read),
        cmocka_unit_test(a_busy_replica_is_left_alone),
        cmocka_unit_test(a_silent_replica_is_left_alone),
        cmocka_unit_test(a_user_who_may_not_say_readonly_is_told),
        cmocka_unit_test(what_replicas_ran_is_counted_there),
        cmocka_unit_test(reads_follow_a_slot_that_moved),
        cmocka_unit_test(replicas_of_a_slot_are_read_in_turn),
        cmocka_unit_test(a_killed_replica_loses_no_call),
        cmocka_unit_test(who_waits_for_a_replica_gets_the_next_one),
        cmocka_unit_test(an_impatient_client_knows_after_one_loss),
        cmocka_unit_test(reads_outlive_a_primary),
    };
    readers_start(PRIMARIES, REPLICAS, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    readers_stop();
    return failed;
}
