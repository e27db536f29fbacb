/*
 * Replicas of a real cluster that are read from: three primaries and three replicas. Who ran what
 * is counted by the servers.
 */
#include "core/mem.h"
#include "tests/support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

enum { PRIMARIES = 3, REPLICAS = 3, NODES = PRIMARIES + REPLICAS, KEYS = 60 };

static nodes set;
static evs_registry *registry;

static const char SET[] = "--- Writes.\n-- @key k a string\n-- @arg v its value\n"
                          "return redis.call('SET', KEYS[1], ARGV[1])";
static const char GET[] = "--- Reads.\n-- @key k a string\n-- @retry read_only\n"
                          "return redis.call('GET', KEYS[1])";
static const char PLAIN_GET[] = "--- Reads, and does not say so.\n-- @key k a string\n"
                                "return redis.call('GET', KEYS[1])";
static const char FLAGGED[] = "#!lua flags=allow-oom\n--- Reads, for all that the server knows "
                              "it may write.\n-- @key k a string\n-- @retry read_only\n"
                              "return redis.call('GET', KEYS[1])";

/* ---- a client ---- */

static evs_shardmap *map_of(const char *rule)
{
    char yaml[1024];
    evs_error err;
    evs_shardmap *map;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s, "
                       "script_timeout: 30s}\n"
                       "pools:\n  c:\n    cluster: {seeds: [\"127.0.0.1:%d\"]}\n"
                       "    read_from: %s\n",
                       scratch_port(set.servers[1]), rule);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return map;
}

static evs_client *open_client(const char *rule, const evs_client_options *options)
{
    evs_error err;
    evs_client *client = NULL;
    evs_shardmap *map = map_of(rule);
    evs_status status = evs_client_open(&client, map, registry, options, &err);
    evs_shardmap_free(map);
    if (status != EVS_OK)
        fail_msg("%s", err.message);
    return client;
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

static const char *key_of(int i)
{
    static char key[32];
    snprintf(key, sizeof key, "key:%d", i);
    return key;
}

static size_t home_of(const char *key)
{
    return nodes_owner(&set, 1, (unsigned)nodes_number(&set, 1, "CLUSTER KEYSLOT %s", key));
}

/* A key of that primary. */
static const char *key_at(size_t primary)
{
    for (int i = 0;; i++)
        if (home_of(key_of(i)) == primary)
            return key_of(i);
}

/* ---- what servers say ---- */

/* How often a node ran the command. */
static long ran(size_t node, const char *command)
{
    char word[64];
    redisReply *reply = nodes_ask(&set, node, "INFO commandstats");
    snprintf(word, sizeof word, "cmdstat_%s:calls=", command);
    const char *at = strstr(reply->str, word);
    long count = at == NULL ? 0 : strtol(at + strlen(word), NULL, 10);
    freeReplyObject(reply);
    return count;
}

static long ran_by(size_t from, size_t to, const char *command)
{
    long sum = 0;
    for (size_t i = from; i < to; i++)
        sum += ran(i, command);
    return sum;
}

static void count_anew(void)
{
    for (size_t i = 0; i < set.count; i++)
        if (scratch_pid(set.servers[i]) != 0)
            nodes_do(&set, i, "CONFIG RESETSTAT");
}

static int lists(const redisReply *slots, const char *id)
{
    for (size_t i = 0; i < slots->elements; i++) {
        const redisReply *range = slots->element[i];
        for (size_t k = 3; k < range->elements; k++)
            if (strcmp(range->element[k]->element[2]->str, id) == 0)
                return 1;
    }
    return 0;
}

/* Until every node lists that one as a replica, which has data. */
static void await_replica(size_t replica)
{
    for (size_t i = 0; i < set.count; i++)
        for (int listed = scratch_pid(set.servers[i]) == 0; !listed;) {
            redisReply *slots = nodes_ask(&set, i, "CLUSTER SLOTS");
            listed = lists(slots, set.ids[replica]);
            freeReplyObject(slots);
        }
}

/* Every key is its own value, on the replicas, too. */
static void fill(void)
{
    for (int i = 0; i < KEYS; i++)
        nodes_do(&set, home_of(key_of(i)), "SET %s %s", key_of(i), key_of(i));
    for (size_t i = 0; i < PRIMARIES; i++)
        assert_true(nodes_number(&set, i, "WAIT 1 60000") >= 1);
}

/* ---- all is well ---- */

static void check_spread(const evs_client_options *options, const char *rule)
{
    evs_error err;
    evs_client *client = open_client(rule, options);
    count_anew();
    for (int i = 0; i < KEYS; i++) {
        evs_reply *reply;
        evs_bytes key = evs_text(key_of(i));
        evs_invocation one = {.script = "set", .keys = &key, .nkeys = 1, .args = &key, .nargs = 1};
        assert_int_equal(evs_call(&reply, client, &one, &err), EVS_OK);
        evs_reply_free(reply);
        read_key(client, "get", key_of(i));
        read_key(client, "plain_get", key_of(i));
    }
    assert_int_equal(ran_by(0, PRIMARIES, "evalsha"), 2 * KEYS);
    assert_int_equal(ran_by(0, PRIMARIES, "evalsha_ro"), 0);
    assert_int_equal(ran_by(PRIMARIES, NODES, "evalsha"), 0);
    assert_int_equal(ran_by(PRIMARIES, NODES, "evalsha_ro"), KEYS);
    for (size_t i = PRIMARIES; i < NODES; i++)
        assert_true(ran(i, "evalsha_ro") > 0);
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
    options.threaded = 0;
    options.order = EVS_ORDER_STRICT;
    check_spread(&options, "replica");
}

static void primaries_are_read_from_without_a_rule(void **state)
{
    (void)state;
    evs_client *client = open_client("primary", NULL);
    count_anew();
    for (int i = 0; i < KEYS; i++)
        read_key(client, "get", key_of(i));
    assert_int_equal(ran_by(0, PRIMARIES, "evalsha"), KEYS);
    assert_int_equal(ran_by(PRIMARIES, NODES, "evalsha_ro"), 0);
    evs_client_free(client);
}

static void plain_commands_that_read_go_there_too(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = open_client("replica", NULL);
    fill();
    count_anew();
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
    assert_int_equal(ran_by(0, PRIMARIES, "get"), 0);
    assert_int_equal(ran_by(PRIMARIES, NODES, "get"), KEYS);
    assert_int_equal(ran_by(0, PRIMARIES, "append"), KEYS);
    evs_client_free(client);
}

/* The server would refuse it on a replica, and EVALSHA_RO of it anywhere. */
static void a_shebang_without_no_writes_keeps_it_at_the_primary(void **state)
{
    (void)state;
    evs_client *client = open_client("replica", NULL);
    count_anew();
    for (int i = 0; i < KEYS; i++)
        read_key(client, "flagged", key_of(i));
    assert_int_equal(ran_by(0, PRIMARIES, "evalsha"), KEYS);
    evs_client_free(client);
}

static void scripts_are_healed_on_replicas(void **state)
{
    (void)state;
    evs_client *client = open_client("replica", NULL);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < KEYS; i++)
            read_key(client, "get", key_of(i));
        for (size_t i = PRIMARIES; i < NODES; i++)
            nodes_do(&set, i, "SCRIPT FLUSH");
    }
    read_key(client, "get", key_of(0));
    evs_client_free(client);
}

static void a_running_client_takes_another_rule(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = open_client("primary", NULL);
    count_anew();
    static const char *const rules[] = {"replica", "primary", "prefer_replica", "primary"};
    for (size_t i = 0; i < 4; i++) {
        read_key(client, "get", key_of(1));
        evs_shardmap *map = map_of(rules[i]);
        assert_int_equal(evs_client_reload(client, map, &err), EVS_OK);
        evs_shardmap_free(map);
    }
    assert_int_equal(ran_by(0, PRIMARIES, "evalsha"), 2);
    assert_int_equal(ran_by(PRIMARIES, NODES, "evalsha_ro"), 2);
    evs_client_free(client);
}

/* Memory runs out at every allocation in turn; when there is some again the client works. */
static void failing_allocations_lose_no_read(void **state)
{
    (void)state;
    int failures = 0;
    evs_shardmap *map = map_of("replica");
    for (size_t n = 1; n < 160; n++) {
        evs_error err = {0};
        evs_client *client = NULL;
        evs__mem_fail_at(n);
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

/* ---- what goes wrong ---- */

static void a_busy_replica_is_left_alone(void **state)
{
    (void)state;
    const char *key = key_at(0);
    evs_client *client = open_client("prefer_replica", NULL);
    read_key(client, "get", key);
    nodes_do(&set, PRIMARIES, "CONFIG SET busy-reply-threshold 1");
    redisContext *link = redisConnect("127.0.0.1", scratch_port(set.servers[PRIMARIES]));
    assert_true(link != NULL && link->err == 0);
    int sent = 0;
    redisAppendCommand(link, "EVAL_RO %s 0", "while true do end");
    while (!sent)
        assert_int_equal(redisBufferWrite(link, &sent), REDIS_OK);
    for (;;) { /* until it is busy */
        redisReply *reply = redisCommand(set.links[PRIMARIES], "PING");
        int busy = reply->type == REDIS_REPLY_ERROR;
        freeReplyObject(reply);
        if (busy)
            break;
    }
    nodes_do(&set, 0, "CONFIG RESETSTAT");
    for (int i = 0; i < 10; i++)
        read_key(client, "get", key);
    assert_int_equal(ran(0, "evalsha_ro"), 10);
    nodes_do(&set, PRIMARIES, "SCRIPT KILL");
    redisFree(link);
    evs_client_free(client);
}

/* It costs one call its deadline; the next ones go to the primary. */
static void a_silent_replica_is_left_alone(void **state)
{
    (void)state;
    evs_error err;
    const char *key = key_at(1);
    evs_client *client = open_client("prefer_replica\n    retry_after: 10m", NULL);
    read_key(client, "get", key);
    kill(scratch_pid(set.servers[PRIMARIES + 1]), SIGSTOP);
    nodes_do(&set, 1, "CONFIG RESETSTAT");
    assert_int_equal(read_for(client, "get", key, 100, &err), EVS_E_TIMEOUT);
    assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    for (int i = 0; i < 10; i++)
        read_key(client, "get", key);
    assert_int_equal(ran(1, "evalsha_ro"), 10);
    kill(scratch_pid(set.servers[PRIMARIES + 1]), SIGCONT);
    evs_client_free(client);
    nodes_wait(&set, 0, "CLUSTER INFO", "cluster_state:ok");
    await_replica(PRIMARIES + 1);
}

static void a_user_who_may_not_say_readonly_is_told(void **state)
{
    (void)state;
    evs_error err;
    const char *key = key_at(0);
    evs_client *client = open_client("prefer_replica", NULL);
    nodes_do(&set, PRIMARIES, "ACL SETUSER default -readonly");
    assert_int_equal(read_for(client, "get", key, 0, &err), EVS_E_DENIED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "+readonly"));
    nodes_do(&set, PRIMARIES, "ACL SETUSER default +readonly");
    evs_client_free(client);
}

static void what_replicas_ran_is_counted_there(void **state)
{
    (void)state;
    evs_error err;
    char name[32];
    evs_stats *stats;
    const char *key = key_at(2);
    evs_client *client = open_client("replica", NULL);
    read_key(client, "get", key);
    assert_int_equal(evs_stats_snapshot(&stats, client, &err), EVS_OK);
    assert_int_equal(evs_stats_count(stats), 1);
    snprintf(name, sizeof name, "127.0.0.1:%d", scratch_port(set.servers[PRIMARIES + 2]));
    assert_string_equal(evs_stats_at(stats, 0)->shard, name);
    assert_int_equal(evs_stats_at(stats, 0)->calls, 1);
    evs_stats_free(stats);
    evs_client_free(client);
}

static void reads_follow_a_slot_that_moved(void **state)
{
    (void)state;
    const char *key = key_at(0);
    unsigned slot = (unsigned)nodes_number(&set, 0, "CLUSTER KEYSLOT %s", key);
    evs_client *client = open_client("replica", NULL);
    read_key(client, "get", key);
    nodes_open_slot(&set, slot, 0, 1);
    nodes_move_key(&set, key, 0, 1);
    nodes_hand_over(&set, slot, 1);
    assert_true(nodes_number(&set, 1, "WAIT 1 60000") >= 1);
    while (nodes_owner(&set, PRIMARIES, slot) != 1 || nodes_owner(&set, PRIMARIES + 1, slot) != 1)
        ;
    count_anew();
    for (int i = 0; i < 10; i++)
        read_key(client, "get", key);
    assert_int_equal(ran(PRIMARIES + 1, "evalsha_ro"), 10);
    assert_int_equal(ran_by(0, PRIMARIES, "evalsha_ro"), 0);
    evs_client_free(client);
}

static void replicas_of_a_slot_are_read_in_turn(void **state)
{
    (void)state;
    const char *key = key_at(0);
    size_t more = nodes_add(&set);
    nodes_do(&set, more, "CLUSTER REPLICATE %s", set.ids[0]);
    await_replica(more);
    evs_client *client = open_client("replica", NULL);
    read_key(client, "get", key);
    count_anew();
    for (int i = 0; i < 20; i++)
        read_key(client, "get", key);
    assert_int_equal(ran(PRIMARIES, "evalsha_ro"), 10);
    assert_int_equal(ran(more, "evalsha_ro"), 10);
    scratch_kill(set.servers[more]); /* the other one has them all */
    for (int i = 0; i < 20; i++)
        read_key(client, "get", key);
    assert_int_equal(ran(PRIMARIES, "evalsha_ro"), 30);
    evs_client_free(client);
}

static void count_read(void *arg, const evs_result *result)
{
    if (result->status != EVS_OK)
        fail_msg("%s", result->error->message);
    ++*(int *)arg;
}

/* With calls on their way to it. */
static void a_killed_replica_loses_no_call(void **state)
{
    (void)state;
    enum { CALLS = 200 };
    int done = 0;
    evs_error err;
    evs_bytes key = evs_text(key_at(2));
    evs_client *client = open_client("prefer_replica", NULL);
    read_key(client, "get", key.data);
    for (int i = 0; i < CALLS; i++) {
        evs_invocation one = {.script = "get", .keys = &key, .nkeys = 1};
        assert_int_equal(evs_submit(client, &one, count_read, &done, &err), EVS_OK);
        if (i == CALLS / 2)
            scratch_kill(set.servers[PRIMARIES + 2]);
    }
    while (done < CALLS)
        assert_int_equal(evs_client_process(client, 1000, &err), EVS_OK);
    count_anew();
    for (int i = 0; i < 10; i++)
        read_key(client, "get", key.data);
    assert_int_equal(ran(2, "evalsha_ro"), 10);
    evs_client_free(client);

    client = open_client("replica", NULL);
    assert_int_equal(read_for(client, "get", key.data, 1500, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "no replica that serves slot"));
    evs_client_free(client);
    client = open_client("replica\n    on_shard_down: fail_fast", NULL);
    assert_int_equal(read_for(client, "get", key.data, 0, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(ran(2, "evalsha_ro"), 10);
    evs_client_free(client);
}

static void restart(size_t node)
{
    assert_int_equal(scratch_restart(set.servers[node]), SCRATCH_OK);
    redisFree(set.links[node]);
    set.links[node] = redisConnectUnix(scratch_socket(set.servers[node]));
    assert_true(set.links[node] != NULL && set.links[node]->err == 0);
}

static void who_waits_for_a_replica_gets_the_next_one(void **state)
{
    (void)state;
    int done = 0;
    evs_error err;
    evs_bytes key = evs_text(key_at(2));
    evs_client *client = open_client("replica", NULL);
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
    const char *key = key_at(2);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.patience = EVS_PATIENCE_NONE;
    await_replica(PRIMARIES + 2);
    evs_client *client = open_client("prefer_replica\n    retry_after: 10m", &options);
    read_key(client, "get", key);
    scratch_kill(set.servers[PRIMARIES + 2]);
    read_for(client, "get", key, 0, &err);
    nodes_do(&set, 2, "CONFIG RESETSTAT");
    for (int i = 0; i < 10; i++)
        read_key(client, "get", key);
    assert_int_equal(ran(2, "evalsha_ro"), 10);
    evs_client_free(client);
}

/* Its replica answers MASTERDOWN, then CLUSTERDOWN, until it is the primary. */
static void reads_outlive_a_primary(void **state)
{
    (void)state;
    const char *key = key_at(1);
    nodes_do(&set, PRIMARIES + 1, "CONFIG SET replica-serve-stale-data no");
    evs_client *client = open_client("prefer_replica", NULL);
    read_key(client, "get", key);
    scratch_kill(set.servers[1]);
    for (int i = 0; i < 10; i++)
        read_key(client, "get", key);
    nodes_wait(&set, PRIMARIES + 1, "INFO replication", "role:master");
    read_key(client, "get", key);
    evs_client_free(client);
}

static void load(const char *name, const char *source)
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
        cmocka_unit_test(a_shebang_without_no_writes_keeps_it_at_the_primary),
        cmocka_unit_test(scripts_are_healed_on_replicas),
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
    nodes_start(&set, PRIMARIES, REPLICAS);
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK)
        abort();
    load("set", SET);
    load("get", GET);
    load("plain_get", PLAIN_GET);
    load("flagged", FLAGGED);
    fill();
    for (size_t i = PRIMARIES; i < NODES; i++)
        await_replica(i);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    nodes_stop(&set);
    return failed;
}
