/*
 * What a client makes of the rarer things that nodes of a real cluster say: three primaries, and a
 * replica of the first. Where a test waits for a refusal, the servers' counters tell of it.
 */
#include "tests/support/load.h"
#include "tests/support/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PRIMARIES = 3, REPLICA = PRIMARIES, CALLS = 3000, LONG_MS = 120000 };

static nodes set;
static evs_registry *registry;

static const char ADD[] = "--- Counts in all keys.\n-- @key k... counters\n"
                          "for i = 1, #KEYS do redis.call('INCR', KEYS[i]) end return #KEYS";
static const char AGAIN[] = "--- Takes a key away and makes it anew.\n-- @key k a counter\n"
                            "redis.call('SET', KEYS[1], 'x') redis.call('DEL', KEYS[1])\n"
                            "return redis.call('INCR', KEYS[1])";

static evs_client *open_with(const char *seeds, const char *more, const evs_client_options *options)
{
    char yaml[512];
    evs_error err;
    evs_shardmap *map;
    evs_client *client = NULL;
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s, script_timeout: "
             "60s}\npools:\n  c:\n    cluster:\n      seeds: [%s]\n      tryagain_backoff: 5ms\n%s",
             seeds, more);
    if (evs_shardmap_parse(&map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    if (evs_client_open(&client, map, registry, options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

static const char *seed_at(int port)
{
    static char seed[32];
    snprintf(seed, sizeof seed, "\"127.0.0.1:%d\"", port);
    return seed;
}

static evs_client *open_client(void)
{
    return open_with(seed_at(scratch_port(set.servers[0])), "", NULL);
}

static evs_client *open_hasty(const char *seeds)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.patience = EVS_PATIENCE_NONE;
    return open_with(seeds, "", &options);
}

static evs_client_stats stats_of(const evs_client *client)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    return stats;
}

static evs_status try_call(evs_client *client, const char *script, const char *key, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys = evs_text(key);
    evs_invocation one = {.script = script, .keys = &keys, .nkeys = 1};
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

static void call(evs_client *client, const char *script, const char *key)
{
    evs_error err;
    if (try_call(client, script, key, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

/* A key whose slot that node serves; a new one each time. */
static const char *key_at(char out[32], size_t node)
{
    static int n;
    do
        snprintf(out, 32, "{fact:%d}", n++);
    while (nodes_owner(&set, 1, load_slot(&set, out)) != node);
    return out;
}

static void took(void *arg, const evs_result *result)
{
    if (result->status != EVS_OK)
        fail_msg("%s", result->error->message);
    ++*(int *)arg;
}

static void submit(evs_client *client, const evs_bytes *keys, size_t nkeys, int *done)
{
    evs_error err;
    evs_invocation one = {.script = "add", .keys = keys, .nkeys = nkeys, .timeout_ms = LONG_MS};
    if (evs_submit(client, &one, took, done, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void finish(evs_client *client, const int *done)
{
    while (*done == 0)
        assert_int_equal(evs_client_process(client, 1000, NULL), EVS_OK);
}

/* ---- while a slot moves ---- */

/* The one sends them on to the other, which does not have them, either. */
static void keys_that_are_nowhere_wait_for_the_end_of_the_move(void **state)
{
    (void)state;
    int done = 0;
    char tag[32], a[48], b[48];
    evs_client *client = open_client();
    key_at(tag, 0);
    snprintf(a, sizeof a, "%s:a", tag);
    snprintf(b, sizeof b, "%s:b", tag);
    evs_bytes keys[] = {evs_text(a), evs_text(b)};
    nodes_open_slot(&set, load_slot(&set, tag), 0, 1);
    nodes_count_anew(&set);
    submit(client, keys, 2, &done);
    while (nodes_refused(&set, 1, "TRYAGAIN") < 2)
        assert_int_equal(evs_client_process(client, 10, NULL), EVS_OK);
    assert_int_equal(done, 0);
    assert_true(nodes_refused(&set, 0, "ASK") >= 2);
    nodes_hand_over(&set, load_slot(&set, tag), 1);
    finish(client, &done);
    assert_int_equal(nodes_number(&set, 1, "GET %s", a), 1);
    assert_int_equal(nodes_number(&set, 1, "GET %s", b), 1);
    evs_client_free(client);
}

static void a_key_may_go_and_come_back_where_it_arrives(void **state)
{
    (void)state;
    char key[32];
    evs_client *client = open_client();
    key_at(key, 0);
    nodes_open_slot(&set, load_slot(&set, key), 0, 1);
    call(client, "again", key);
    assert_int_equal(stats_of(client).redirects, 1);
    nodes_hand_over(&set, load_slot(&set, key), 1);
    assert_int_equal(nodes_number(&set, 1, "GET %s", key), 1);
    evs_client_free(client);
}

/* ---- a node that is busy ---- */

static redisContext *make_busy(size_t node)
{
    int sent = 0;
    nodes_do(&set, node, "CONFIG SET busy-reply-threshold 1");
    redisContext *hog = redisConnectUnix(scratch_socket(set.servers[node]));
    assert_true(hog != NULL && hog->err == 0);
    redisAppendCommand(hog, "EVAL %s 0", "while true do local x = 1 end");
    while (!sent)
        assert_int_equal(redisBufferWrite(hog, &sent), REDIS_OK);
    for (int busy = 0; busy == 0;) {
        redisReply *reply = redisCommand(set.links[node], "PING");
        busy = reply->type == REDIS_REPLY_ERROR;
        freeReplyObject(reply);
    }
    return hog;
}

/* It says so before it looks whether it is busy. */
static void a_busy_node_sends_on_what_is_not_its_own(void **state)
{
    (void)state;
    int done = 0;
    char gone[32], own[32];
    evs_client *client = open_client();
    evs_bytes key = evs_text(key_at(own, 0));
    key_at(gone, 0);
    call(client, "add", gone);
    call(client, "add", own);
    nodes_do(&set, 0, "DEL %s", gone);
    nodes_hand_over(&set, load_slot(&set, gone), 2);
    redisContext *hog = make_busy(0);
    call(client, "add", gone);
    assert_int_equal(stats_of(client).redirects, 1);
    submit(client, &key, 1, &done);
    while (stats_of(client).retries < 2) /* refused twice */
        assert_int_equal(evs_client_process(client, 1000, NULL), EVS_OK);
    assert_int_equal(done, 0);
    nodes_do(&set, 0, "SCRIPT KILL");
    finish(client, &done);
    assert_int_equal(nodes_number(&set, 0, "GET %s", own), 2);
    assert_int_equal(nodes_number(&set, 2, "GET %s", gone), 1);
    redisFree(hog);
    evs_client_free(client);
}

/* ---- what is told ---- */

static void each_protocol_tells_the_same(void **state)
{
    (void)state;
    static const char *const ways[] = {"      topology: slots\n", "      topology: shards\n"};
    for (unsigned i = 0; i < 4; i++) {
        char key[32];
        evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
        options.protocol = 2 + i / 2;
        evs_client *client = open_with(seed_at(scratch_port(set.servers[1])), ways[i % 2],
                                       &options);
        for (size_t node = 0; node < PRIMARIES; node++)
            call(client, "add", key_at(key, node));
        assert_int_equal(stats_of(client).redirects, 0);
        evs_client_free(client);
    }
}

/* Nodes that are told by names and have none: "?" in the table and in MOVED. */
static void nodes_may_have_no_name(void **state)
{
    (void)state;
    char key[32];
    for (size_t i = 0; i < set.count; i++)
        nodes_do(&set, i, "CONFIG SET cluster-preferred-endpoint-type hostname");
    evs_client *client = open_client();
    call(client, "add", key_at(key, 0));
    nodes_do(&set, 0, "DEL %s", key);
    nodes_hand_over(&set, load_slot(&set, key), 2);
    call(client, "add", key);
    assert_int_equal(stats_of(client).redirects, 1);
    assert_int_equal(nodes_number(&set, 2, "GET %s", key), 1);
    for (size_t i = 0; i < set.count; i++)
        nodes_do(&set, i, "CONFIG SET cluster-preferred-endpoint-type ip");
    evs_client_free(client);
}

/* A node that has just been started, and that nobody met. */
static void a_node_without_slots_is_passed_over(void **state)
{
    (void)state;
    evs_error err;
    char key[32], bus[16], seeds[96];
    scratch_server *fresh;
    snprintf(bus, sizeof bus, "%d", scene_free_port());
    const char *config[] = {"--cluster-enabled",     "yes",        "--cluster-port", bus,
                            "--cluster-config-file", "fresh.nodes"};
    scratch_options options = {SCRATCH_UNIX_AND_TCP, config, 6};
    assert_int_equal(scratch_start(&fresh, set.area, "fresh", &options), SCRATCH_OK);
    evs_client *client = open_hasty(seed_at(scratch_port(fresh)));
    assert_int_equal(try_call(client, "add", key_at(key, 0), &err), EVS_E_CLUSTER);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "it is in no cluster yet"));
    evs_client_free(client);

    snprintf(seeds, sizeof seeds, "%s, \"127.0.0.1:%d\"", seed_at(scratch_port(fresh)),
             scratch_port(set.servers[1]));
    client = open_hasty(seeds);
    call(client, "add", key);
    evs_client_free(client);
    scratch_stop(fresh);
}

/* ---- a planned failover ---- */

/* The old primary holds writes back until its replica has them all, then says MOVED on the
 * connections it has: no call hears of it. */
static void a_planned_failover_loses_nothing(void **state)
{
    (void)state;
    evs_client *client = open_client();
    load *self = calloc(1, sizeof *self);
    assert_non_null(self);
    *self = (load){.client = client, .script = "add", .most = LOAD_MOST, .timeout_ms = LONG_MS};
    load_tags(self, &set, "planned", 0, 2);
    load_start(self);
    load_until(self, CALLS / 3);
    nodes_settle(&set);
    nodes_agree(&set);
    time_t asked = 0;
    while (!nodes_take_over(&set, REPLICA, &asked)) { /* there are calls enough until then */
        scene_pause();
        load_some(self, self->done + 1);
    }
    self->most = self->sent + CALLS < LOAD_MOST ? self->sent + CALLS : LOAD_MOST;
    load_until(self, self->most);
    load_check(self, "a planned failover");
    assert_int_equal(self->failed, 0);
    assert_int_equal(load_sum(self, &set, REPLICA), 2 * self->good);
    free(self);
    evs_client_free(client);
}

/* ---- last: nodes die ---- */

/* Who sends on to it does not know yet. */
static void a_dead_node_is_not_gone_to_for_ever(void **state)
{
    (void)state;
    evs_error err;
    char key[32], other[32];
    for (size_t i = 0; i < set.count; i++)
        nodes_do(&set, i, "CONFIG SET cluster-require-full-coverage no");
    evs_client *client = open_hasty(seed_at(scratch_port(set.servers[1])));
    call(client, "add", key_at(key, 1));
    call(client, "add", key_at(other, 1));
    nodes_do(&set, 1, "DEL %s", key);
    nodes_hand_over(&set, load_slot(&set, key), 2);
    scratch_kill(set.servers[2]);
    redisFree(set.links[2]);
    set.links[2] = NULL;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(try_call(client, "add", key, &err), EVS_E_CONNECT);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    }
    assert_true(stats_of(client).redirects <= 3);
    call(client, "add", other);
    evs_client_free(client);
}

static void restart(size_t node)
{
    assert_int_equal(scratch_restart(set.servers[node]), SCRATCH_OK);
    set.links[node] = redisConnectUnix(scratch_socket(set.servers[node]));
    assert_true(set.links[node] != NULL && set.links[node]->err == 0);
}

/* One of three primaries is left: it serves nobody until there are two. */
static void a_minority_is_waited_for(void **state)
{
    (void)state;
    int done = 0;
    evs_error err;
    char own[32];
    evs_bytes key = evs_text(key_at(own, 1));
    const char *seed = seed_at(scratch_port(set.servers[1]));
    evs_client *hasty = open_hasty(seed), *patient = open_with(seed, "", NULL);
    call(hasty, "add", own);
    call(patient, "add", own);
    nodes_do(&set, 1, "CONFIG SET cluster-node-timeout 500");
    scratch_kill(set.servers[REPLICA]); /* it was promoted */
    redisFree(set.links[REPLICA]);
    set.links[REPLICA] = NULL;
    nodes_wait(&set, 1, "CLUSTER INFO", "cluster_state:fail");
    assert_int_equal(try_call(hasty, "add", own, &err), EVS_E_CLUSTER);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "CLUSTERDOWN The cluster is down"));
    nodes_count_anew(&set);
    submit(patient, &key, 1, &done);
    while (nodes_refused(&set, 1, "CLUSTERDOWN") < 2)
        assert_int_equal(evs_client_process(patient, 10, NULL), EVS_OK);
    assert_int_equal(done, 0);
    restart(REPLICA);
    finish(patient, &done);
    assert_int_equal(nodes_number(&set, 1, "GET %s", own), 3);
    evs_client_free(hasty);
    evs_client_free(patient);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_are_nowhere_wait_for_the_end_of_the_move),
        cmocka_unit_test(a_key_may_go_and_come_back_where_it_arrives),
        cmocka_unit_test(a_busy_node_sends_on_what_is_not_its_own),
        cmocka_unit_test(each_protocol_tells_the_same),
        cmocka_unit_test(nodes_may_have_no_name),
        cmocka_unit_test(a_node_without_slots_is_passed_over),
        cmocka_unit_test(a_planned_failover_loses_nothing),
        cmocka_unit_test(a_dead_node_is_not_gone_to_for_ever),
        cmocka_unit_test(a_minority_is_waited_for),
    };
    nodes_start(&set, PRIMARIES, 1);
    if (evs_registry_new(&registry, NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "add", evs_text(ADD), NULL, NULL) != EVS_OK ||
        evs_script_load(registry, "again", evs_text(AGAIN), NULL, NULL) != EVS_OK)
        abort();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs_registry_free(registry);
    nodes_stop(&set);
    return failed;
}
