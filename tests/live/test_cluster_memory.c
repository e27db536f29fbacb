/*
 * Memory runs out while a cluster is followed: at every allocation of a call that is told MOVED or
 * ASK, or that nobody knows the slot of yet. What is said of the call is true by the nodes' own
 * count, and the client works when there is memory again.
 */
#include "core/mem.h"
#include "tests/support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <unistd.h>

enum { PRIMARIES = 3, SHORT_MS = 100, LONG_MS = 60000 };

static struct {
    nodes nodes;
    evs_registry *registry;
    evs_shardmap *map;
    unsigned slot; /* of {t}, which moves */
    unsigned serial;
} world;

typedef void fail_fn(size_t n);
static fail_fn *const lacks[] = {evs__mem_fail_once_at, evs__mem_fail_at};

static evs_client *open_client(int threaded)
{
    evs_error err;
    evs_client *client;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = threaded;
    if (evs_client_open(&client, world.map, world.registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

static evs_status call(evs_client *client, const char *text, unsigned timeout_ms, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(text);
    evs_invocation one = {.script = "count", .keys = &key, .nkeys = 1, .timeout_ms = timeout_ms};
    err->outcome = EVS_EXECUTED;
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

/* A connection that memory lacked for is tried again after a pause. */
static void works(evs_client *client, const char *key)
{
    evs_error err;
    evs_status status = EVS_E_NOMEM;
    for (int i = 0; status != EVS_OK && i < 1000; i++) {
        status = call(client, key, LONG_MS, &err);
        if (status != EVS_OK && status != EVS_E_NOMEM)
            fail_msg("%s", err.message);
        usleep(status == EVS_OK ? 0 : 1000);
    }
    assert_int_equal(status, EVS_OK);
}

/* ---- where the slot is ---- */

static long long epoch_of(size_t node)
{
    static const char name[] = "cluster_current_epoch:";
    redisReply *reply = nodes_ask(&world.nodes, node, "CLUSTER INFO");
    long long epoch = strtoll(strstr(reply->str, name) + sizeof name - 1, NULL, 10);
    freeReplyObject(reply);
    return epoch;
}

/* Everybody has to have heard of the last move; else the next would not count for more. */
static void give_slot(size_t from, size_t to)
{
    nodes_do(&world.nodes, from, "FLUSHALL");
    while (epoch_of(0) != epoch_of(1) || epoch_of(1) != epoch_of(2))
        usleep(1000);
    nodes_do(&world.nodes, to, "CLUSTER SETSLOT %u IMPORTING %s", world.slot,
             world.nodes.ids[from]);
    for (size_t i = 0; i < PRIMARIES; i++)
        nodes_do(&world.nodes, (to + i) % PRIMARIES, "CLUSTER SETSLOT %u NODE %s", world.slot,
                 world.nodes.ids[to]);
}

static void keep_slot(size_t from, size_t to)
{
    nodes_do(&world.nodes, from, "CLUSTER SETSLOT %u STABLE", world.slot);
    nodes_do(&world.nodes, to, "CLUSTER SETSLOT %u STABLE", world.slot);
}

static long long times_run(size_t node, const char *key)
{
    nodes_do(&world.nodes, node, "ASKING"); /* while the slot moves */
    return nodes_number(&world.nodes, node, "GET %s", key);
}

/* ---- one call ---- */

/* The table is known, and then it is wrong. */
static void moved_begin(evs_client *client, size_t from, size_t to)
{
    works(client, "{t}:first");
    give_slot(from, to);
}

/* One key at a time is where the slot goes to. */
static void asked_begin(evs_client *client, size_t from, size_t to)
{
    works(client, "{t}:first");
    nodes_do(&world.nodes, to, "CLUSTER SETSLOT %u IMPORTING %s", world.slot,
             world.nodes.ids[from]);
    nodes_do(&world.nodes, from, "CLUSTER SETSLOT %u MIGRATING %s", world.slot,
             world.nodes.ids[to]);
}

static void nothing(evs_client *client, size_t from, size_t to)
{
    (void)client;
    (void)from;
    (void)to;
}

typedef struct trouble {
    const char *name;
    void (*begin)(evs_client *client, size_t from, size_t to);
    int threaded;
    int stays; /* it runs where the slot was */
} trouble;

static const trouble troubles[] = {
    {"MOVED", moved_begin, 0, 0},         {"ASK", asked_begin, 0, 0},
    {"no table yet", nothing, 0, 1},      {"MOVED, threaded", moved_begin, 1, 0},
    {"ASK, threaded", asked_begin, 1, 0},
};

static size_t owner(void)
{
    return nodes_owner(&world.nodes, 0, world.slot);
}

/* 0 when the n-th allocation was not even asked for. */
static int lack_at(const trouble *what, fail_fn *lack, size_t n, size_t said[3])
{
    char key[32];
    evs_error err;
    size_t from = owner(), to = 1 - from;
    evs_client *client = open_client(what->threaded);
    snprintf(key, sizeof key, "{t}:%u", world.serial++);
    what->begin(client, from, to);
    lack(n);
    evs_status status = call(client, key, SHORT_MS, &err);
    size_t count = evs__mem_count();
    evs__mem_fail_at(0);
    long long ran = times_run(what->stays ? from : to, key);
    if (ran > 1 || (status == EVS_OK && ran != 1) || (err.outcome == EVS_NOT_EXECUTED && ran > 0))
        fail_msg("%s, allocation %zu: %s, %s, ran %lld times", what->name, n,
                 evs_status_name(status), evs_outcome_text(err.outcome), ran);
    said[err.outcome]++;
    works(client, "{t}:last");
    evs_client_free(client);
    keep_slot(from, to);
    return count >= n;
}

static void redirects_survive_a_lack_of_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        size_t said[3] = {0}, tried = 0;
        for (size_t l = 0; l < sizeof lacks / sizeof lacks[0]; l++)
            for (size_t n = 1; n < 200 && lack_at(&troubles[i], lacks[l], n, said); n++)
                tried++;
        print_message("%s: %zu allocations failed; NOT %zu, EXECUTED %zu, MAYBE %zu\n",
                      troubles[i].name, tried, said[EVS_NOT_EXECUTED], said[EVS_EXECUTED],
                      said[EVS_MAYBE_EXECUTED]);
        assert_true(tried > 0);
    }
}

static int set_up(void **state)
{
    (void)state;
    char yaml[512];
    evs_error err;
    nodes_start(&world.nodes, PRIMARIES, 0);
    world.slot = (unsigned)nodes_number(&world.nodes, 0, "CLUSTER KEYSLOT {t}");
    if (owner() > 1)
        give_slot(owner(), 0);
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
                       "pools:\n  c:\n    cluster:\n      seeds: [\"127.0.0.1:%d\"]\n",
                       scratch_port(world.nodes.servers[2]));
    if (evs_shardmap_parse(&world.map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) !=
            EVS_OK ||
        evs_registry_new(&world.registry, NULL, &err) != EVS_OK ||
        evs_script_load(world.registry, "count",
                        evs_text("redis.call('INCR', KEYS[1]) return 'done'"), NULL,
                        &err) != EVS_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    evs_registry_free(world.registry);
    evs_shardmap_free(world.map);
    nodes_stop(&world.nodes);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redirects_survive_a_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
