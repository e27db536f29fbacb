/*
 * Memory runs out while a cluster is followed: at every allocation of a call that is told MOVED or
 * ASK, or that nobody knows the slot of yet. What is said of the call is true by the nodes' own
 * count, and the client works when there is memory again.
 */
#include "tests/support/lacking.h"
#include "tests/support/nodes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <unistd.h>

enum { PRIMARIES = 3, SHORT_MS = 100, AT_MOST = 200 };

static struct {
    nodes nodes;
    lacking lacking;
    unsigned slot; /* of {t}, which moves */
    unsigned serial;
} world;

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
    lacking_works(client, "{t}:first");
    give_slot(from, to);
}

/* One key at a time is where the slot goes to. */
static void asked_begin(evs_client *client, size_t from, size_t to)
{
    lacking_works(client, "{t}:first");
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

static lacking_said lack_one(const void *arg, const lack *one)
{
    const trouble *what = arg;
    char key[32];
    size_t from = owner(), to = 1 - from;
    evs_client *client = lacking_open(&world.lacking, what->threaded);
    snprintf(key, sizeof key, "{t}:%u", world.serial++);
    what->begin(client, from, to);
    lacking_said said = lacking_call(client, key, one, SHORT_MS);
    lacking_judge(what->name, one, &said, times_run(what->stays ? from : to, key));
    lacking_works(client, "{t}:last");
    evs_client_free(client);
    keep_slot(from, to);
    return said;
}

static void redirects_survive_a_lack_of_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++)
        lacking_everywhere(troubles[i].name, lack_one, &troubles[i], AT_MOST);
}

static int set_up(void **state)
{
    (void)state;
    char yaml[512];
    nodes_start(&world.nodes, PRIMARIES, 0);
    world.slot = (unsigned)nodes_number(&world.nodes, 0, "CLUSTER KEYSLOT {t}");
    if (owner() > 1)
        give_slot(owner(), 0);
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
             "pools:\n  c:\n    cluster:\n      seeds: [\"127.0.0.1:%d\"]\n",
             scratch_port(world.nodes.servers[2]));
    return lacking_begin(&world.lacking, yaml);
}

static int tear_down(void **state)
{
    (void)state;
    lacking_end(&world.lacking);
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
