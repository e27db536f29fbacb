/*
 * Replicas of a real cluster that cannot serve a read, or not any more: a slot that moves, data
 * that is still being loaded, a replica that became the primary.
 */
#include "tests/support/readers.h"
#include "tests/support/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PRIMARIES = 3, REPLICAS = 3, NODES = PRIMARIES + REPLICAS };

static const char *const config[] = {"--enable-debug-command", "yes"};
static const scratch_options how = {SCRATCH_UNIX_AND_TCP, config, 2};

static unsigned slot_of(const char *key)
{
    return (unsigned)nodes_number(&readers.set, 1, "CLUSTER KEYSLOT %s", key);
}

static uint64_t redirects_of(const evs_client *client)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    return stats.redirects;
}

/* The replica becomes the primary, the primary its replica. */
static void swap(size_t primary, size_t replica)
{
    time_t asked = 0;
    nodes_settle(&readers.set);
    nodes_agree(&readers.set);
    while (!nodes_take_over(&readers.set, replica, &asked))
        scene_pause();
    nodes_wait(&readers.set, primary, "INFO replication", "master_link_status:up");
    nodes_await_replica(&readers.set, primary);
}

/* ---- a slot that moves ---- */

/* A replica of Redis does not know that keys are leaving: it has none. Others say ASK. */
static void a_key_that_left_its_primary_may_be_missed(void **state)
{
    (void)state;
    evs_error err;
    evs_reply *reply;
    enum { FROM = 1, TO = 2, REPLICA = PRIMARIES + FROM };
    evs_bytes key = evs_text(readers_key_at(FROM));
    evs_client *client = readers_open("replica", NULL);
    reading_read(client, "get", key.data);
    nodes_open_slot(&readers.set, slot_of(key.data), FROM, TO);
    nodes_move_key(&readers.set, key.data, FROM, TO);
    assert_true(nodes_number(&readers.set, FROM, "WAIT 1 60000") >= 1);
    nodes_count_anew(&readers.set);
    evs_invocation one = {.script = "get", .keys = &key, .nkeys = 1};
    if (evs_call(&reply, client, &one, &err) != EVS_OK)
        fail_msg("%s", err.message);
    if (evs_reply_kind(reply) == EVS_REPLY_NIL)
        assert_true(nodes_ran(&readers.set, REPLICA, "evalsha_ro") >= 1);
    else
        assert_true(redirects_of(client) >= 1);
    evs_reply_free(reply);

    nodes_hand_over(&readers.set, slot_of(key.data), TO);
    assert_true(nodes_number(&readers.set, TO, "WAIT 1 60000") >= 1);
    evs_client_free(client);
    client = readers_open("primary", NULL);
    reading_read(client, "get", key.data);
    evs_client_free(client);
}

static void read_plainly(evs_client *client, const char *key)
{
    evs_error err;
    evs_reply *reply;
    evs_bytes words[] = {evs_text("GET"), evs_text(key)};
    evs_plain_command get = {.args = words, .nargs = 2};
    if (evs_command(&reply, client, &get, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_string_equal(evs_reply_bytes(reply).data, key);
    evs_reply_free(reply);
}

/* Whom the client takes for a replica became the primary, and its slot leaves it: it says ASK on
 * the connection that reads. What is asked for is followed, whether or not a script could say so
 * itself. */
static void a_reader_that_says_ask_is_followed(void **state)
{
    (void)state;
    enum { BEFORE = 0, NOW = PRIMARIES + BEFORE, TO = 1 };
    const char *key = readers_key_at(BEFORE);
    unsigned slot = slot_of(key);
    evs_client *client = readers_open("replica\n    keepalive: off", NULL);
    reading_read(client, "get", key);
    reading_read(client, "pcall_get", key);
    swap(BEFORE, NOW);
    nodes_settle(&readers.set);
    nodes_open_slot(&readers.set, slot, NOW, TO);
    nodes_move_key(&readers.set, key, NOW, TO);
    nodes_count_anew(&readers.set);
    reading_read(client, "get", key);
    reading_read(client, "pcall_get", key);
    read_plainly(client, key);
    assert_int_equal(redirects_of(client), 3);
    assert_int_equal(nodes_refused(&readers.set, NOW, "ASK"), 3);
    assert_int_equal(nodes_ran(&readers.set, TO, "asking"), 3);
    assert_int_equal(nodes_ran(&readers.set, TO, "evalsha_ro"), 2);
    assert_int_equal(nodes_ran(&readers.set, TO, "get"), 3);

    nodes_hand_over(&readers.set, slot, TO);
    assert_true(nodes_number(&readers.set, TO, "WAIT 1 60000") >= 1);
    reading_read(client, "get", key);
    reading_read(client, "pcall_get", key);
    evs_client_free(client);
}

/* ---- data that is being loaded ---- */

/* Reads its data again, key by key and slowly, until it is told to hurry; returns when it says
 * LOADING. Who waits for the end of it is yours. */
static redisContext *start_loading(size_t node)
{
    static const char *const orders[] = {
        "CONFIG SET rdbcompression no", "DEBUG POPULATE 2000 filler 2048",
        "CONFIG SET loading-process-events-interval-bytes 1024", "CONFIG SET key-load-delay 20000"};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        nodes_do(&readers.set, node, "%s", orders[i]);
    redisContext *reloads = redisConnectUnix(scratch_socket(readers.set.servers[node]));
    assert_true(reloads != NULL && reloads->err == 0);
    redisAppendCommand(reloads, "DEBUG RELOAD");
    for (int done = 0; !done;)
        assert_int_equal(redisBufferWrite(reloads, &done), REDIS_OK);
    for (int loading = 0; !loading;) {
        redisReply *reply = redisCommand(readers.set.links[node], "PING");
        loading = reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "LOADING", 7) == 0;
        freeReplyObject(reply);
    }
    nodes_count_anew(&readers.set);
    return reloads;
}

static void hurry(size_t node)
{
    nodes_do(&readers.set, node, "CONFIG SET key-load-delay 0");
}

static void finish_loading(redisContext *reloads)
{
    redisReply *reply = NULL;
    assert_int_equal(redisGetReply(reloads, (void **)&reply), REDIS_OK);
    assert_int_equal(reply->type, REDIS_REPLY_STATUS);
    freeReplyObject(reply);
    redisFree(reloads);
}

static void note_read(void *arg, const evs_result *result)
{
    if (result->status != EVS_OK)
        fail_msg("%s", result->error->message);
    ++*(int *)arg;
}

/* One client goes to the primary instead; one may not, and waits. */
static void a_replica_that_loads_its_data_is_left_alone(void **state)
{
    (void)state;
    enum { PRIMARY = 2, REPLICA = PRIMARIES + PRIMARY, READS = 10 };
    evs_error err;
    int done = 0;
    evs_bytes key = evs_text(readers_key_at(PRIMARY));
    evs_invocation one = {.script = "get", .keys = &key, .nkeys = 1, .timeout_ms = 120000};
    evs_client *free_one = readers_open("prefer_replica\n    retry_after: 10m", NULL);
    evs_client *bound = readers_open("replica\n    retry_after: 10ms", NULL);
    reading_read(free_one, "get", key.data);
    reading_read(bound, "get", key.data);

    redisContext *reloads = start_loading(REPLICA);
    for (int i = 0; i < READS; i++)
        reading_read(free_one, "get", key.data);
    assert_true(nodes_refused(&readers.set, REPLICA, "LOADING") >= 1);
    assert_true(nodes_ran(&readers.set, PRIMARY, "evalsha_ro") >= READS);
    assert_int_equal(nodes_ran(&readers.set, REPLICA, "evalsha_ro"), 0);

    nodes_count_anew(&readers.set);
    assert_int_equal(evs_submit(bound, &one, note_read, &done, &err), EVS_OK);
    while (nodes_refused(&readers.set, REPLICA, "LOADING") < 2) /* asked, and asked again */
        assert_int_equal(evs_client_process(bound, 10, &err), EVS_OK);
    assert_int_equal(done, 0);
    hurry(REPLICA);
    while (done == 0)
        assert_int_equal(evs_client_process(bound, 1000, &err), EVS_OK);
    assert_true(nodes_ran(&readers.set, REPLICA, "evalsha_ro") >= 1);
    assert_int_equal(nodes_ran(&readers.set, PRIMARY, "evalsha_ro"), 0);
    finish_loading(reloads);
    evs_client_free(free_one);
    evs_client_free(bound);
}

/* A connection that is made meanwhile. */
static void a_replica_that_loads_its_data_is_connected_to(void **state)
{
    (void)state;
    enum { PRIMARY = 2, REPLICA = PRIMARIES + PRIMARY };
    const char *key = readers_key_at(PRIMARY);
    redisContext *reloads = start_loading(REPLICA);
    evs_client *client = readers_open("prefer_replica", NULL);
    reading_read(client, "get", key);
    assert_true(nodes_ran(&readers.set, PRIMARY, "evalsha_ro") >= 1);
    hurry(REPLICA);
    finish_loading(reloads);
    reading_read(client, "get", key);
    evs_client_free(client);
}

/* ---- a replica that was promoted ---- */

static void use(evs_client *client)
{
    for (int i = 0; i < READERS_KEYS; i++) {
        evs_error err;
        evs_reply *reply;
        evs_bytes key = evs_text(reading_key(i));
        evs_invocation one = {.script = "set", .keys = &key, .nkeys = 1, .args = &key, .nargs = 1};
        reading_read(client, "get", key.data);
        reading_read(client, "plain_get", key.data);
        if (evs_call(&reply, client, &one, &err) != EVS_OK)
            fail_msg("%s", err.message);
        evs_reply_free(reply);
    }
}

static void load_on_primaries(void)
{
    static const char *const names[] = {"get", "plain_get", "set"};
    for (size_t i = 0; i < NODES; i++) {
        nodes_do(&readers.set, i, "SCRIPT FLUSH");
        redisReply *role = nodes_ask(&readers.set, i, "ROLE");
        int primary = strcmp(role->element[0]->str, "master") == 0;
        freeReplyObject(role);
        for (size_t k = 0; primary && k < sizeof names / sizeof names[0]; k++) {
            evs_bytes text = evs_script_source(evs_script_find(readers.registry, names[k]));
            redisReply *sha = redisCommand(readers.set.links[i], "SCRIPT LOAD %b", text.data,
                                           text.len);
            assert_int_equal(sha->type, REDIS_REPLY_STRING);
            freeReplyObject(sha);
        }
    }
}

/* Somebody has loaded the scripts on the primaries, which do not pass them on. What is counted:
 * errors NOSCRIPT of every node, and how often a replica ran what reads, and ran what writes once
 * it was promoted. A script goes in front of its first call on a connection, so that nothing is
 * ever missing. */
static void no_script_is_missing_on_a_replica_before_and_after(void **state)
{
    (void)state;
    enum { PRIMARY = 2, REPLICA = PRIMARIES + PRIMARY };
    static const char *const rules[] = {"prefer_replica", "prefer_replica\n    preload: all"};
    for (size_t i = 0; i < 2; i++) {
        size_t primary = i == 0 ? PRIMARY : REPLICA, replica = i == 0 ? REPLICA : PRIMARY;
        load_on_primaries();
        nodes_count_anew(&readers.set);
        evs_client *client = readers_open(rules[i], NULL);
        use(client);
        assert_true(nodes_ran(&readers.set, replica, "evalsha_ro") > 0);
        assert_int_equal(nodes_ran(&readers.set, replica, "evalsha"), 0);
        swap(primary, replica);
        use(client);
        assert_true(nodes_ran(&readers.set, replica, "evalsha") > 0);
        long loads = 0;
        for (size_t k = 0; k < NODES; k++) {
            assert_int_equal(nodes_refused(&readers.set, k, "NOSCRIPT"), 0);
            loads += nodes_ran(&readers.set, k, "script|load");
        }
        print_message("%s: 0 NOSCRIPT, %ld loads\n", i == 0 ? "lazy" : "all", loads);
        evs_client_free(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_left_its_primary_may_be_missed),
        cmocka_unit_test(a_reader_that_says_ask_is_followed),
        cmocka_unit_test(a_replica_that_loads_its_data_is_left_alone),
        cmocka_unit_test(a_replica_that_loads_its_data_is_connected_to),
        cmocka_unit_test(no_script_is_missing_on_a_replica_before_and_after),
    };
    static const char PCALL[] = "--- Reads, and may return an error.\n-- @key k a string\n"
                                "-- @retry read_only\nreturn redis.pcall('GET', KEYS[1])";
    readers_start(PRIMARIES, REPLICAS, &how);
    if (evs_script_load(readers.registry, "pcall_get", evs_text(PCALL), NULL, NULL) != EVS_OK)
        abort();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    readers_stop();
    return failed;
}
