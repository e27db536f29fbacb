/*
 * Replicas that real sentinels know are read from: three sentinels, a primary, two replicas. Who
 * ran what is counted by the servers.
 */
#include "core/mem.h"
#include "tests/support/watched.h"

#include <evalshard/batch.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

enum { KEYS = 40 };

static watched set;
static evs_registry *registry;
static size_t primary; /* numbers of servers */
static size_t replicas[2];

static const char SET[] = "--- Writes.\n-- @key k a string\n-- @arg v its value\n"
                          "return redis.call('SET', KEYS[1], ARGV[1])";
static const char GET[] = "--- Reads.\n-- @key k a string\n-- @retry read_only\n"
                          "return redis.call('GET', KEYS[1])";
static const char PLAIN_GET[] = "--- Reads, and does not say so.\n-- @key k a string\n"
                                "return redis.call('GET', KEYS[1])";

/* ---- a client ---- */

static char talk[64 * 1024];

static void keep_log(void *arg, const evs_log_event *event)
{
    size_t len = strlen(talk);
    (void)arg;
    if (getenv("EVS_TEST_TALK") != NULL)
        fprintf(stderr, "LOG %s: %s\n", event->shard, event->message);
    snprintf(talk + len, sizeof talk - len, "%s: %s\n", event->shard, event->message);
}

static evs_shardmap *map_of(const char *rule)
{
    char yaml[2048], group[512];
    evs_error err;
    evs_shardmap *map;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s, "
                       "script_timeout: 60s}\n%s"
                       "pools:\n  p:\n    shards:\n"
                       "      a: {sentinel: eu, master_name: ledger-1}\n"
                       "    read_from: %s\n",
                       watched_group(&set, ", refresh: 1s", 0, group), rule);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static evs_client *open_client(const char *rule, const evs_client_options *given)
{
    evs_error err;
    evs_client *client = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    if (given != NULL)
        options = *given;
    options.log = options.threaded ? NULL : keep_log;
    evs_shardmap *map = map_of(rule);
    talk[0] = '\0';
    if (evs_client_open(&client, map, registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

static void reload(evs_client *client, const char *rule)
{
    evs_error err;
    evs_shardmap *map = map_of(rule);
    if (evs_client_reload(client, map, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
}

static evs_status read_for(evs_client *client, const char *script, const char *key,
                           unsigned timeout_ms, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys = evs_text(key);
    evs_invocation one = {.script = script, .keys = &keys, .nkeys = 1, .timeout_ms = timeout_ms};
    evs_status status = evs_call(&reply, client, &one, err);
    if (status == EVS_OK) {
        evs_bytes text = evs_reply_bytes(reply);
        assert_int_equal(text.len, strlen(key));
        assert_memory_equal(text.data, key, text.len);
    }
    evs_reply_free(reply);
    return status;
}

static void read_key(evs_client *client, const char *script, const char *key)
{
    evs_error err;
    if (read_for(client, script, key, 0, &err) != EVS_OK)
        fail_msg("%s: %s", key, err.message);
}

static void write_key(evs_client *client, const char *key)
{
    evs_error err;
    evs_reply *reply;
    evs_bytes text = evs_text(key);
    evs_invocation one = {.script = "set", .keys = &text, .nkeys = 1, .args = &text, .nargs = 1};
    if (evs_call(&reply, client, &one, &err) != EVS_OK)
        fail_msg("%s: %s", key, err.message);
    evs_reply_free(reply);
}

static const char *key_of(int i)
{
    static char key[32];
    snprintf(key, sizeof key, "key:%d", i);
    return key;
}

/* ---- what servers say ---- */

static long ran(size_t server, const char *command)
{
    char word[64];
    redisReply *reply = redisCommand(set.links[server], "INFO commandstats");
    if (reply == NULL) { /* it changed its role */
        watched_relink(&set, server);
        reply = redisCommand(set.links[server], "INFO commandstats");
    }
    assert_non_null(reply);
    snprintf(word, sizeof word, "cmdstat_%s:calls=", command);
    const char *at = strstr(reply->str, word);
    long count = at == NULL ? 0 : strtol(at + strlen(word), NULL, 10);
    freeReplyObject(reply);
    return count;
}

static long ran_by_replicas(const char *command)
{
    return ran(replicas[0], command) + ran(replicas[1], command);
}

static void count_anew(void)
{
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        watched_number(&set, i, "CONFIG RESETSTAT");
}

/* Every key is its own value, on the replicas, too. */
static void fill(void)
{
    char command[128];
    for (int i = 0; i < KEYS; i++) {
        snprintf(command, sizeof command, "SET %s %s", key_of(i), key_of(i));
        watched_number(&set, primary, command);
    }
    assert_int_equal(watched_number(&set, primary, "WAIT 2 60000"), 2);
}

/* One primary, two replicas, all with the keys. */
static void settle(void)
{
    size_t count = 0;
    primary = watched_settle(&set);
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        if (i != primary)
            replicas[count++] = i;
    fill();
    count_anew();
}

/* A replica is one again; sentinels would see to it, after ten seconds. */
static void restart(size_t server)
{
    char command[64];
    assert_int_equal(scratch_restart(set.servers[server]), SCRATCH_OK);
    watched_relink(&set, server);
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %d", scratch_port(set.servers[primary]));
    watched_number(&set, server, command);
}

/* ---- all is well ---- */

static void check_spread(const evs_client_options *options, const char *rule)
{
    evs_client *client = open_client(rule, options);
    settle();
    for (int i = 0; i < KEYS; i++) {
        read_key(client, "get", key_of(i));
        write_key(client, key_of(i));
        read_key(client, "plain_get", key_of(i));
    }
    assert_int_equal(ran(primary, "evalsha"), 2 * KEYS);
    assert_int_equal(ran(primary, "evalsha_ro"), 0);
    assert_int_equal(ran_by_replicas("evalsha"), 0);
    assert_int_equal(ran_by_replicas("evalsha_ro"), KEYS);
    assert_true(ran(replicas[0], "evalsha_ro") > 0);
    assert_true(ran(replicas[1], "evalsha_ro") > 0);
    evs_client_free(client);
}

static void what_only_reads_is_run_by_replicas(void **state)
{
    (void)state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    check_spread(NULL, "prefer_replica");
    check_spread(NULL, "replica");
    options.threaded = 1;
    check_spread(&options, "replica");
    check_spread(&options, "prefer_replica");
    options.threaded = 0;
    options.order = EVS_ORDER_STRICT;
    check_spread(&options, "replica");
}

static void primaries_are_read_from_without_a_rule(void **state)
{
    (void)state;
    settle();
    evs_client *client = open_client("primary", NULL);
    for (int i = 0; i < KEYS; i++)
        read_key(client, "get", key_of(i));
    assert_int_equal(ran(primary, "evalsha"), KEYS);
    assert_int_equal(ran_by_replicas("evalsha_ro"), 0);
    evs_client_free(client);
}

static void plain_commands_that_read_go_there_too(void **state)
{
    (void)state;
    evs_error err;
    settle();
    evs_client *client = open_client("replica", NULL);
    for (int i = 0; i < KEYS; i++) {
        evs_reply *reply;
        evs_bytes get[] = {evs_text("GET"), evs_text(key_of(i))};
        evs_bytes append[] = {evs_text("APPEND"), evs_text(key_of(i)), evs_text("")};
        evs_plain_command read = {.args = get, .nargs = 2}, write = {.args = append, .nargs = 3};
        assert_int_equal(evs_command(&reply, client, &read, &err), EVS_OK);
        assert_true(evs_reply_bytes(reply).len > 0);
        evs_reply_free(reply);
        assert_int_equal(evs_command(&reply, client, &write, &err), EVS_OK);
        evs_reply_free(reply);
    }
    assert_int_equal(ran(primary, "get"), 0);
    assert_int_equal(ran_by_replicas("get"), KEYS);
    assert_int_equal(ran(primary, "append"), KEYS);
    evs_client_free(client);
}

static void batches_go_to_both(void **state)
{
    (void)state;
    evs_error err;
    evs_batch *batch;
    settle();
    evs_client *client = open_client("replica", NULL);
    assert_int_equal(evs_batch_new(&batch, client, NULL, &err), EVS_OK);
    for (int i = 0; i < KEYS; i++) {
        evs_bytes key = evs_text(key_of(i));
        evs_invocation one = {.script = "get", .keys = &key, .nkeys = 1};
        assert_int_equal(evs_batch_add(batch, &one, &err), EVS_OK);
        one = (evs_invocation){.script = "set", .keys = &key, .nkeys = 1, .args = &key, .nargs = 1};
        assert_int_equal(evs_batch_add(batch, &one, &err), EVS_OK);
    }
    assert_int_equal(evs_batch_run(batch, &err), EVS_OK);
    assert_int_equal(evs_batch_failures(batch), 0);
    evs_batch_free(batch);
    assert_int_equal(ran(primary, "evalsha"), KEYS);
    assert_int_equal(ran(replicas[0], "evalsha_ro"), KEYS / 2);
    assert_int_equal(ran(replicas[1], "evalsha_ro"), KEYS / 2);
    evs_client_free(client);
}

static void scripts_are_healed_on_replicas(void **state)
{
    (void)state;
    settle();
    evs_client *client = open_client("replica", NULL);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < KEYS; i++)
            read_key(client, "get", key_of(i));
        for (size_t i = 0; i < 2; i++)
            watched_number(&set, replicas[i], "SCRIPT FLUSH");
    }
    read_key(client, "get", key_of(0));
    evs_client_free(client);
}

static void what_replicas_ran_is_counted_for_the_shard(void **state)
{
    (void)state;
    evs_error err;
    evs_stats *stats;
    settle();
    evs_client *client = open_client("replica", NULL);
    read_key(client, "get", key_of(0));
    read_key(client, "get", key_of(1));
    assert_int_equal(evs_stats_snapshot(&stats, client, &err), EVS_OK);
    assert_int_equal(evs_stats_count(stats), 1);
    assert_string_equal(evs_stats_at(stats, 0)->shard, "a");
    assert_int_equal(evs_stats_at(stats, 0)->calls, 2);
    evs_stats_free(stats);
    evs_client_free(client);
}

static void a_running_client_takes_another_rule(void **state)
{
    (void)state;
    static const char *const rules[] = {"replica", "primary", "prefer_replica", "primary",
                                        "replica"};
    settle();
    evs_client *client = open_client("primary", NULL);
    for (size_t i = 0; i < 5; i++) {
        count_anew();
        for (int k = 0; k < 4; k++)
            read_key(client, "get", key_of(k));
        assert_int_equal(ran(primary, "evalsha") + ran_by_replicas("evalsha_ro") +
                             ran(primary, "evalsha_ro"),
                         4);
        if (i % 2 == 0) /* before any other */
            assert_int_equal(ran(primary, "evalsha"), 4);
        else if (strcmp(rules[i - 1], "replica") == 0)
            assert_int_equal(ran_by_replicas("evalsha_ro"), 4);
        reload(client, rules[i]);
    }
    evs_client_free(client);
}

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
    evs_bytes key = evs_text(key_of((int)(l->begun++ % KEYS)));
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
    settle();
    load l = {.client = open_client("replica", NULL)};
    for (size_t i = 0; i < 60; i++) {
        for (int k = 0; k < 10; k++)
            begin(&l, k == 5 ? "set" : "get");
        if (i % 3 == 1)
            assert_int_equal(evs_client_process(l.client, 1, NULL), EVS_OK);
        reload(l.client, rules[i % 3]);
    }
    drive_until(&l, l.begun);
    if (l.failed > 0)
        fail_msg("%zu: %s", l.failed, l.why);
    evs_client_free(l.client);
}

/* ---- what goes wrong ---- */

static void a_killed_replica_loses_no_read(const char *rule)
{
    settle();
    load l = {.client = open_client(rule, NULL)};
    for (int i = 0; i < 10; i++)
        begin(&l, "get");
    drive_until(&l, l.begun);
    for (int i = 0; i < 200; i++) {
        begin(&l, "get");
        if (i == 100)
            scratch_kill(set.servers[replicas[0]]);
    }
    drive_until(&l, l.begun);
    if (l.failed > 0)
        fail_msg("%zu: %s", l.failed, l.why);
    watched_number(&set, primary, "CONFIG RESETSTAT");
    watched_number(&set, replicas[1], "CONFIG RESETSTAT");
    for (int i = 0; i < KEYS; i++)
        read_key(l.client, "get", key_of(i));
    assert_int_equal(ran(primary, "evalsha_ro"), 0);
    assert_int_equal(ran(replicas[1], "evalsha_ro"), KEYS);
    restart(replicas[0]);
    for (int i = 0; ran(replicas[0], "evalsha_ro") == 0; i++) /* it is used again */
        read_key(l.client, "get", key_of(i % KEYS));
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
    settle();
    evs_client *prefers = open_client("prefer_replica", NULL);
    evs_client *waits = open_client("replica", NULL);
    evs_client *fails = open_client("replica\n    on_shard_down: fail_fast", NULL);
    read_key(prefers, "get", key_of(0));
    read_key(waits, "get", key_of(0));
    for (size_t i = 0; i < 2; i++)
        scratch_kill(set.servers[replicas[i]]);
    watched_number(&set, primary, "CONFIG RESETSTAT");
    for (int i = 0; i < KEYS; i++)
        read_key(prefers, "get", key_of(i));
    assert_int_equal(ran(primary, "evalsha_ro"), KEYS);

    evs_status status = read_for(waits, "get", key_of(0), 1500, &err);
    if (status != EVS_E_CONNECT && status != EVS_E_TIMEOUT)
        fail_msg("%s", err.message);
    assert_int_not_equal(err.outcome, EVS_EXECUTED);
    assert_int_equal(read_for(fails, "get", key_of(0), 0, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "no replica can be read from"));
    write_key(fails, key_of(0)); /* the primary is there */
    assert_int_equal(ran(primary, "evalsha_ro"), KEYS);

    load l = {.client = waits};
    begin(&l, "get");
    for (int i = 0; i < 20; i++)
        assert_int_equal(evs_client_process(waits, 10, NULL), EVS_OK);
    assert_int_equal(l.ended, 0);
    restart(replicas[0]);
    restart(replicas[1]);
    drive_until(&l, 1);
    if (l.failed > 0)
        fail_msg("%s", l.why);
    assert_int_equal(ran(primary, "evalsha_ro"), KEYS);
    evs_client_free(prefers);
    evs_client_free(waits);
    evs_client_free(fails);
}

/* It costs one call its deadline at most. */
static void a_silent_replica_is_left_alone(void **state)
{
    (void)state;
    evs_error err;
    settle();
    evs_client *client = open_client("prefer_replica\n    retry_after: 10m", NULL);
    for (int i = 0; i < 4; i++)
        read_key(client, "get", key_of(i));
    kill(scratch_pid(set.servers[replicas[0]]), SIGSTOP);
    evs_status first = read_for(client, "get", key_of(0), 500, &err);
    evs_status second = read_for(client, "get", key_of(0), 500, &err);
    assert_true(first == EVS_E_TIMEOUT || second == EVS_E_TIMEOUT);
    watched_number(&set, primary, "CONFIG RESETSTAT");
    for (int i = 0; i < 10; i++)
        read_key(client, "get", key_of(i));
    kill(scratch_pid(set.servers[replicas[0]]), SIGCONT);
    evs_client_free(client);
}

/* Its data is as old as that. It serves it all the same, and would for years. */
static void break_link(size_t replica, size_t other)
{
    redisReply *reply = redisCommand(set.links[replica], "CONFIG SET masterauth wrong");
    freeReplyObject(reply);
    watched_number(&set, primary, "CLIENT KILL TYPE replica");
    watched_await(&set, replica, "INFO replication", "master_link_status:down");
    watched_await(&set, other, "INFO replication", "master_link_status:up");
    watched_await(&set, primary, "INFO replication", "connected_slaves:1");
    assert_int_equal(watched_number(&set, primary, "WAIT 1 60000"), 1);
}

static void mend_link(size_t replica)
{
    redisReply *reply = redisCommand(set.links[replica], "CONFIG SET masterauth %s", "");
    freeReplyObject(reply);
}

static void a_replica_without_a_link_is_not_read_from(void **state)
{
    char text[128];
    (void)state;
    settle();
    evs_client *before = open_client("replica", NULL);
    for (int i = 0; i < KEYS; i++)
        read_key(before, "get", key_of(i));
    break_link(replicas[0], replicas[1]);

    count_anew();
    evs_client *after = open_client("replica", NULL);
    for (int i = 0; i < KEYS; i++)
        read_key(after, "get", key_of(i));
    assert_int_equal(ran(replicas[0], "evalsha_ro"), 0);
    assert_int_equal(ran(replicas[1], "evalsha_ro"), KEYS);

    evs_client_free(after);

    /* Sentinels look every ten seconds, and are asked every one. */
    snprintf(text, sizeof text, "127.0.0.1:%d is not read from: its link to the primary is down",
             scratch_port(set.servers[replicas[0]]));
    do {
        for (int i = 0; i < 10; i++)
            assert_int_equal(evs_client_process(before, 10, NULL), EVS_OK);
        count_anew();
        for (int i = 0; i < KEYS; i++)
            read_key(before, "get", key_of(i));
    } while (ran(replicas[0], "evalsha_ro") > 0);
    assert_non_null(strstr(talk, text));
    mend_link(replicas[0]);
    watched_await(&set, replicas[0], "INFO replication", "master_link_status:up");
    for (int i = 0; ran(replicas[0], "evalsha_ro") == 0; i++)
        read_key(before, "get", key_of(i % KEYS));
    evs_client_free(before);
}

static void a_replica_that_is_promoted_is_left(const char *rule)
{
    evs_client_stats stats;
    settle();
    load l = {.client = open_client(rule, NULL)};
    size_t before = primary;
    watched_tell_sentinel(&set, 1, "SENTINEL FAILOVER ledger-1");
    do {
        begin(&l, "get");
        begin(&l, "get");
        drive_until(&l, l.begun);
        assert_int_equal(evs_client_process(l.client, 1, NULL), EVS_OK);
        evs_client_stats_get(&stats, l.client);
    } while (stats.switches == 0);
    watched_await_switch(&set, before);
    settle();
    assert_int_not_equal(primary, before);
    for (int i = 0; i < KEYS; i++) {
        write_key(l.client, key_of(i));
        read_key(l.client, "get", key_of(i));
    }
    assert_int_equal(ran(primary, "evalsha"), KEYS);
    if (strcmp(rule, "replica") == 0)
        assert_int_equal(ran(primary, "evalsha_ro"), 0);
    for (int i = 0; ran(before, "evalsha_ro") == 0; i++) /* the old one is a replica now */
        read_key(l.client, "get", key_of(i % KEYS));
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
        watched_tell_sentinel(&set, i, command);
}

static void a_user_who_may_not_ask_for_replicas_is_told(void **state)
{
    (void)state;
    evs_error err;
    settle();
    tell_sentinels("ACL SETUSER default -sentinel|replicas");
    evs_client *client = open_client("replica", NULL);
    assert_int_equal(read_for(client, "get", key_of(0), 0, &err), EVS_E_DENIED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "does not tell the replicas"));
    write_key(client, key_of(0));
    evs_client_free(client);
    client = open_client("prefer_replica", NULL);
    read_key(client, "get", key_of(0));
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
                       watched_group(&set, "", 0, group));
    assert_int_equal(evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "t", NULL, &err),
                     EVS_OK);
    assert_int_equal(evs_client_open(&client, map, registry, NULL, &err), EVS_OK);
    assert_int_equal(read_for(client, "get", "k", 0, &err), EVS_E_CONFIG);
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
    settle();
    evs_shardmap *map = map_of("replica");
    for (size_t n = 1; n < 220; n++) {
        evs_error err = {0};
        evs_client *client = NULL;
        if (n % 2 == 0)
            evs__mem_fail_at(n / 2);
        else
            evs__mem_fail_once_at(n / 2 + 1);
        evs_status status = evs_client_open(&client, map, registry, NULL, &err);
        if (status == EVS_OK)
            status = read_for(client, "get", key_of(0), 20, &err);
        evs__mem_fail_at(0);
        failures += status != EVS_OK;
        status = client == NULL ? EVS_OK : read_for(client, "get", key_of(1), 0, &err);
        if (status != EVS_OK && status != EVS_E_NOMEM) /* said while a connection pauses for it */
            fail_msg("%zu: %s", n, err.message);
        evs_client_free(client);
    }
    assert_true(failures > 5);
    evs_shardmap_free(map);
}

static void load_script(const char *name, const char *source)
{
    evs_error err;
    if (evs_script_load(registry, name, evs_text(source), NULL, &err) != EVS_OK) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_reads_is_run_by_replicas),
        cmocka_unit_test(primaries_are_read_from_without_a_rule),
        cmocka_unit_test(plain_commands_that_read_go_there_too),
        cmocka_unit_test(batches_go_to_both),
        cmocka_unit_test(scripts_are_healed_on_replicas),
        cmocka_unit_test(what_replicas_ran_is_counted_for_the_shard),
        cmocka_unit_test(a_running_client_takes_another_rule),
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
    /* sentinels take nobody for down, who is only slow */
    watched_options options = {.down_after_ms = 120000};
    watched_start(&set, &options);
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK)
        abort();
    load_script("set", SET);
    load_script("get", GET);
    load_script("plain_get", PLAIN_GET);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    watched_stop(&set);
    return failed;
}
