/*
 * A real cluster: three primaries and a replica. What is lost, moved or half moved is found again
 * within a call's deadline; every call is reported once, and none runs twice.
 */
#include "sharding/route.h"
#include "tests/support/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PRIMARIES = 3, REPLICAS = 1, CALLS = 3000, CROWD = 500 };

static nodes set;

typedef struct world {
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
} world;

static const char ADD[] = "--- Counts in all keys.\n-- @key k... counters\n"
                          "local sum = 0\n"
                          "for i = 1, #KEYS do sum = sum + redis.call('INCR', KEYS[i]) end\n"
                          "return sum";

static const char GET[] = "--- Reads.\n-- @key k a string\nreturn redis.call('GET', KEYS[1])";

static void open_world(world *w, const char *seeds, const char *more)
{
    char yaml[1024];
    evs_error err;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
                       "pools:\n  catalog:\n    cluster:\n      seeds: [%s]\n%s",
                       seeds, more);
    if (evs_shardmap_parse(&w->map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) !=
        EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(evs_registry_new(&w->registry, NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(w->registry, "add", evs_text(ADD), NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(w->registry, "get", evs_text(GET), NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(w->registry, "count", evs_text(LOAD_COUNT), NULL, &err),
                     EVS_OK);
    assert_int_equal(evs_client_open(&w->client, w->map, w->registry, NULL, &err), EVS_OK);
}

/* With node 1 as the only seed. */
static void open_plain(world *w)
{
    char seed[32];
    snprintf(seed, sizeof seed, "127.0.0.1:%d", scratch_port(set.servers[1]));
    open_world(w, seed, "");
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

static evs_status call(world *w, const char *script, const char *key, int64_t *out, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes keys[] = {evs_text(key)};
    evs_invocation one = {.script = script, .keys = keys, .nkeys = 1};
    evs_status status = evs_call(&reply, w->client, &one, err);
    if (status != EVS_OK && status != EVS_E_SCRIPT)
        print_message("%s\n", err->message);
    *out = evs_reply_integer(reply);
    evs_reply_free(reply);
    return status;
}

static unsigned slot_of(const char *key)
{
    redisReply *reply = nodes_ask(&set, 1, "CLUSTER KEYSLOT %s", key);
    unsigned slot = (unsigned)reply->integer;
    freeReplyObject(reply);
    return slot;
}

static void keys_are_placed_as_the_server_places_them(void **state)
{
    static const char *const keys[] = {"a",     "{a}b",   "x{a}{b}", "{}a",       "a{}{b}",
                                       "{{x}}", "user:1", "foo{",    "123456789", "}{"};
    world w;
    (void)state;
    open_plain(&w);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        evs__target target;
        evs_bytes key = evs_text(keys[i]);
        assert_int_equal(evs__route_keys(&target, w.map, &key, 1, NULL), EVS_OK);
        assert_int_equal(target.slot, slot_of(keys[i]));
    }
    close_world(&w);
}

static void the_first_call_finds_its_node(void **state)
{
    world w;
    int64_t got;
    evs_error err;
    char seeds[128], key[32];
    (void)state;
    snprintf(seeds, sizeof seeds, "\"127.0.0.1:1\", \"[::1]:1\", \"127.0.0.1:%d\"",
             scratch_port(set.servers[2]));
    open_world(&w, seeds, "");
    for (int i = 0; i < 60; i++) {
        snprintf(key, sizeof key, "first:%d", i);
        assert_int_equal(call(&w, "add", key, &got, &err), EVS_OK);
        assert_int_equal(got, 1);
    }
    assert_int_equal(stats_of(&w).redirects, 0);
    assert_int_equal(stats_of(&w).loads, PRIMARIES);
    assert_int_equal(stats_of(&w).refreshes, 1);
    close_world(&w);
}

/* ---- moved ---- */

/* A key of a slot that nobody uses otherwise, served by `node`. */
static const char *key_at(char out[32], const char *stem, size_t node)
{
    for (int n = 0; n < 10000; n++) {
        snprintf(out, 32, "{%s%d}", stem, n);
        if (nodes_owner(&set, 1, slot_of(out)) == node)
            return out;
    }
    fail_msg("no key is at node %zu", node);
    return out;
}

static void a_moved_slot_is_followed_once(void **state)
{
    world w;
    int64_t got;
    evs_error err;
    char key[32];
    (void)state;
    open_plain(&w);
    key_at(key, "moved", 0);
    assert_int_equal(call(&w, "get", key, &got, &err), EVS_OK);
    nodes_hand_over(&set, slot_of(key), 2);
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(call(&w, "add", key, &got, &err), EVS_OK);
        assert_int_equal(got, i);
    }
    assert_int_equal(stats_of(&w).redirects, 1);
    assert_int_equal(nodes_number(&set, 2, "GET %s", key), 5);
    close_world(&w);
}

static void count_good(void *arg, const evs_result *result)
{
    *(int *)arg += result->status == EVS_OK;
}

/* How often the primaries were asked who serves which slot. */
static long questions(void)
{
    long asked = 0;
    for (size_t i = 0; i < PRIMARIES; i++)
        asked += nodes_ran(&set, i, "cluster|shards");
    return asked;
}

/* All of them are sent before the first one is answered. */
static void a_crowd_that_is_redirected_asks_together(void **state)
{
    world w;
    int64_t got;
    evs_error err;
    char key[32];
    int good = 0;
    (void)state;
    open_plain(&w);
    key_at(key, "crowd", 0);
    assert_int_equal(call(&w, "add", key, &got, &err), EVS_OK);
    nodes_do(&set, 0, "DEL %s", key);
    nodes_hand_over(&set, slot_of(key), 2);
    nodes_count_anew(&set);
    evs_bytes keys[] = {evs_text(key)};
    evs_invocation one = {.script = "add", .keys = keys, .nkeys = 1};
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(evs_submit(w.client, &one, count_good, &good, &err), EVS_OK);
    while (evs_client_pending(w.client) > 0)
        assert_int_equal(evs_client_process(w.client, 1000, &err), EVS_OK);
    long asked = questions();
    for (int i = 0; asked == 0 && i < 1000; i++) { /* the next round may have to rest first */
        assert_int_equal(evs_client_process(w.client, 20, &err), EVS_OK);
        asked = questions();
    }
    print_message("%d calls redirected, %ld questions\n", (int)stats_of(&w).redirects, asked);
    assert_int_equal(good, CROWD);
    assert_int_equal(nodes_number(&set, 2, "GET %s", key), CROWD);
    assert_true(stats_of(&w).redirects >= CROWD / 2);
    assert_in_range(asked, 1, CROWD / 20);
    close_world(&w);
}

static void a_redirect_is_not_followed_where_that_is_forbidden(void **state)
{
    world w;
    int64_t got;
    evs_error err;
    char key[32], seed[32];
    (void)state;
    snprintf(seed, sizeof seed, "127.0.0.1:%d", scratch_port(set.servers[1]));
    open_world(&w, seed, "      max_redirects: 0\n");
    key_at(key, "forbidden", 0);
    assert_int_equal(call(&w, "add", key, &got, &err), EVS_OK);
    nodes_do(&set, 0, "DEL %s", key);
    nodes_hand_over(&set, slot_of(key), 2);
    assert_int_equal(call(&w, "add", key, &got, &err), EVS_E_MOVED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, key));
    assert_int_equal(call(&w, "add", key, &got, &err), EVS_OK);
    close_world(&w);
}

/* The server's words are believed after the node was asked; the script's own are not. */
static void a_script_that_lies_is_not_run_again(void **state)
{
    world w;
    int64_t got;
    evs_error err;
    char key[32], lie[300];
    (void)state;
    open_plain(&w);
    key_at(key, "lie", 0);
    for (int ask = 0; ask < 2; ask++) {
        snprintf(lie, sizeof lie,
                 "redis.call('INCR', KEYS[1])\n"
                 "return redis.error_reply('%s %u 127.0.0.1:%d')",
                 ask ? "ASK" : "MOVED", slot_of(key), scratch_port(set.servers[2]));
        const char *name = ask ? "lie_ask" : "lie_moved";
        assert_int_equal(evs_script_load(w.registry, name, evs_text(lie), NULL, &err), EVS_OK);
        assert_int_equal(call(&w, name, key, &got, &err), EVS_E_MOVED);
        assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
        assert_int_equal(nodes_number(&set, 0, "GET %s", key), ask + 1);
    }
    nodes_do(&set, 0, "DEL %s", key);
    nodes_hand_over(&set, slot_of(key), 2);
    assert_int_equal(call(&w, "lie_moved", key, &got, &err), EVS_E_MOVED);
    assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(nodes_number(&set, 2, "GET %s", key), 1); /* it was sent there, and lied */
    assert_int_equal(stats_of(&w).redirects, 1);
    close_world(&w);
}

/* ---- load ---- */

/* The keys move one by one while scripts of two keys use them. The target has none of our scripts:
 * what comes by ASK meets NOSCRIPT there. */
static void nothing_is_lost_while_a_slot_moves(void **state)
{
    world w;
    char key[64];
    (void)state;
    open_plain(&w);
    load self = {.client = w.client, .script = "add", .most = CALLS};
    load_tags(&self, &set, "load", 0, 1);
    unsigned slot = slot_of(self.tags[0]);
    load_start(&self);
    load_until(&self, CALLS / 10);
    nodes_open_slot(&set, slot, 0, 2);
    for (int i = 0; i < LOAD_KEYS; i++) {
        snprintf(key, sizeof key, "%s:%d", self.tags[0], i);
        nodes_move_key(&set, key, 0, 2);
        load_some(&self, CALLS / 10 * (i + 2));
    }
    nodes_hand_over(&set, slot, 2);
    load_until(&self, CALLS);
    load_check(&self, "moving a slot");
    assert_int_equal(self.failed, 0);
    assert_int_equal(load_sum(&self, &set, 1), 2 * CALLS);
    assert_true(stats_of(&w).redirects > 0);
    assert_true(stats_of(&w).retries > 0);
    close_world(&w);
}

/* One key that is not there yet: ASK, and at the target ASKING, NOSCRIPT, ASKING again. */
static void a_script_is_loaded_behind_ask(void **state)
{
    world w;
    int64_t got;
    evs_error err;
    char key[32];
    (void)state;
    open_plain(&w);
    key_at(key, "ask", 0);
    unsigned slot = slot_of(key);
    nodes_do(&set, 2, "SCRIPT FLUSH");
    nodes_open_slot(&set, slot, 0, 2);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(call(&w, "add", key, &got, &err), EVS_OK);
        assert_int_equal(got, i);
        nodes_do(&set, 2, "SCRIPT FLUSH");
    }
    assert_int_equal(stats_of(&w).redirects, 3);
    assert_true(stats_of(&w).heals > 0);
    nodes_hand_over(&set, slot, 2);
    assert_int_equal(call(&w, "add", key, &got, &err), EVS_OK);
    assert_int_equal(got, 4);
    close_world(&w);
}

/* ---- refused, everywhere, nowhere ---- */

static void keys_of_two_slots_are_refused_by_name(void **state)
{
    world w;
    evs_error err;
    evs_reply *reply;
    (void)state;
    open_plain(&w);
    evs_bytes keys[] = {evs_text("{a}x"), evs_text("{b}y")};
    evs_invocation one = {.script = "add", .keys = keys, .nkeys = 2};
    assert_int_equal(evs_call(&reply, w.client, &one, &err), EVS_E_CROSS_SLOT);
    print_message("%s\n", err.message);
    assert_non_null(strstr(err.message, "\"{a}x\" (tag \"a\") in slot 15495"));
    assert_non_null(strstr(err.message, "\"{b}y\" (tag \"b\") in slot 3300"));
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    close_world(&w);
}

static void count_result(void *arg, size_t index, const evs_result *result)
{
    assert_int_equal(index, 0);
    assert_int_equal(result->status, EVS_OK);
    (*(int *)arg)++;
}

static void every_primary_gets_a_broadcast(void **state)
{
    world w;
    evs_error err;
    evs_reply *reply;
    int results = 0;
    char key[32];
    (void)state;
    open_plain(&w);
    assert_int_equal(evs_script_load(w.registry, "one", evs_text("return 1"), NULL, &err), EVS_OK);
    evs_invocation all = {.script = "one"};
    assert_int_equal(evs_broadcast(w.client, &all, count_result, &results, &err), EVS_OK);
    assert_int_equal(results, PRIMARIES);
    assert_int_equal(stats_of(&w).loads, PRIMARIES);

    evs_invocation any = {.script = "one", .shard = "catalog"};
    assert_int_equal(evs_call(&reply, w.client, &any, &err), EVS_OK);
    evs_reply_free(reply);
    any.shard = NULL;
    assert_int_equal(evs_call(&reply, w.client, &any, &err), EVS_E_NO_KEYS);
    for (size_t i = 0; i < PRIMARIES; i++) {
        evs_bytes set_it[] = {evs_text("SET"), evs_text(key_at(key, "plain", i)), evs_text("7")};
        evs_plain_command cmd = {.args = set_it, .nargs = 3};
        assert_int_equal(evs_command(&reply, w.client, &cmd, &err), EVS_OK);
        evs_reply_free(reply);
        assert_int_equal(nodes_number(&set, i, "GET %s", key), 7);
    }
    close_world(&w);
}

/* By the first deadline that finds both tried. */
static void dead_seeds_are_named(void **state)
{
    world w;
    evs_error err = {0};
    evs_reply *reply;
    evs_status status = EVS_OK;
    (void)state;
    open_world(&w, "\"127.0.0.1:1\", \"[::1]:2\"", "");
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1, .timeout_ms = 1000};
    for (int i = 0; i < 60 && strstr(err.message, "[::1]:2") == NULL; i++) {
        status = evs_call(&reply, w.client, &one, &err);
        assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    }
    print_message("%s\n", err.message);
    assert_int_equal(status, EVS_E_CONNECT);
    assert_non_null(strstr(err.message, "127.0.0.1:1"));
    assert_non_null(strstr(err.message, "[::1]:2"));
    assert_int_equal(evs_client_pending(w.client), 0);
    close_world(&w);
}

static void nodes_may_not_know_their_address(void **state)
{
    world w;
    int64_t got;
    evs_error err;
    char key[32];
    (void)state;
    for (size_t i = 0; i < PRIMARIES; i++)
        nodes_do(&set, i, "CONFIG SET cluster-preferred-endpoint-type unknown-endpoint");
    open_plain(&w);
    key_at(key, "unknown", 0);
    assert_int_equal(call(&w, "add", key, &got, &err), EVS_OK);
    nodes_do(&set, 0, "DEL %s", key);
    nodes_hand_over(&set, slot_of(key), 2);
    assert_int_equal(call(&w, "add", key, &got, &err), EVS_OK);
    assert_int_equal(stats_of(&w).redirects, 1);
    for (size_t i = 0; i < PRIMARIES; i++)
        nodes_do(&set, i, "CONFIG SET cluster-preferred-endpoint-type ip");
    close_world(&w);
}

/* ---- a primary dies; last, since it stays dead ---- */

static void a_promoted_replica_is_found(void **state)
{
    world w;
    (void)state;
    open_plain(&w);
    load self = {.client = w.client, .script = "count", .most = CALLS, .numbered = 1};
    load_tags(&self, &set, "dies", 0, 1);
    load_start(&self);
    load_until(&self, CALLS / 3);
    scratch_kill(set.servers[0]);
    nodes_do(&set, PRIMARIES, "CLUSTER FAILOVER TAKEOVER");
    print_message("%ld ms to the next successes\n", load_more(&self, LOAD_OPEN + 1));
    load_until(&self, CALLS);
    load_check(&self, "a primary killed");
    load_check_ran(&self, &set, PRIMARIES);
    assert_int_equal(self.failed, self.maybe);
    assert_true(self.maybe <= LOAD_OPEN);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_placed_as_the_server_places_them),
        cmocka_unit_test(the_first_call_finds_its_node),
        cmocka_unit_test(a_moved_slot_is_followed_once),
        cmocka_unit_test(a_crowd_that_is_redirected_asks_together),
        cmocka_unit_test(a_redirect_is_not_followed_where_that_is_forbidden),
        cmocka_unit_test(a_script_that_lies_is_not_run_again),
        cmocka_unit_test(nothing_is_lost_while_a_slot_moves),
        cmocka_unit_test(a_script_is_loaded_behind_ask),
        cmocka_unit_test(keys_of_two_slots_are_refused_by_name),
        cmocka_unit_test(every_primary_gets_a_broadcast),
        cmocka_unit_test(dead_seeds_are_named),
        cmocka_unit_test(nodes_may_not_know_their_address),
        cmocka_unit_test(a_promoted_replica_is_found),
    };
    nodes_start(&set, PRIMARIES, REPLICAS);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    nodes_stop(&set);
    return failed;
}
