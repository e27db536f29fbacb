#include "tests/support/nodes.h"

#include "tests/support/scene.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 60000,
    MEET_MS = 5000,
    CALM_MS = 60000,
    HASTY_MS = 1000,
    ELECTION_MS = 4000,
    ARGS = 32
};

static redisReply *run(nodes *set, size_t node, const char *format, va_list args)
{
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    redisReply *reply = redisCommand(set->links[node], text);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
        scene_die(text, reply == NULL ? set->links[node]->errstr : reply->str);
    return reply;
}

redisReply *nodes_ask(nodes *set, size_t node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = run(set, node, format, args);
    va_end(args);
    return reply;
}

void nodes_do(nodes *set, size_t node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    freeReplyObject(run(set, node, format, args));
    va_end(args);
}

long long nodes_number(nodes *set, size_t node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = run(set, node, format, args);
    va_end(args);
    long long number = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10)
                                                         : reply->integer;
    freeReplyObject(reply);
    return number;
}

static int says(nodes *set, size_t node, const char *command, const char *text)
{
    redisReply *reply = nodes_ask(set, node, "%s", command);
    int found = reply->str != NULL && strstr(reply->str, text) != NULL;
    freeReplyObject(reply);
    return found;
}

void nodes_wait(nodes *set, size_t node, const char *command, const char *text)
{
    for (int i = 0; i < PATIENCE_MS / SCENE_MOMENT_MS; i++) {
        if (says(set, node, command, text))
            return;
        scene_pause();
    }
    scene_die(command, text);
}

/* Before another look at something that is awaited; `looks` counts them. */
static void pause_or_die(int *looks, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void pause_or_die(int *looks, const char *format, ...)
{
    char what[160];
    va_list args;
    if (++*looks > PATIENCE_MS / SCENE_MOMENT_MS) {
        va_start(args, format);
        vsnprintf(what, sizeof what, format, args);
        va_end(args);
        scene_die("waited in vain until", what);
    }
    scene_pause();
}

void nodes_await_leave(nodes *set, size_t node)
{
    for (int i = 0; says(set, node, "CLIENT LIST", " name=evalshard "); i++) {
        if (i >= PATIENCE_MS / SCENE_MOMENT_MS)
            scene_die("client", "does not leave; one of a test that failed?");
        scene_pause();
    }
}

size_t nodes_owner(nodes *set, size_t asked, unsigned slot)
{
    size_t owner = set->count;
    redisReply *reply = nodes_ask(set, asked, "CLUSTER SLOTS");
    for (size_t i = 0; i < reply->elements; i++) {
        redisReply **range = reply->element[i]->element;
        if (range[0]->integer > (long long)slot || range[1]->integer < (long long)slot)
            continue;
        for (owner = 0; owner < set->count; owner++)
            if (strcmp(set->ids[owner], range[2]->element[2]->str) == 0)
                break;
    }
    freeReplyObject(reply);
    if (owner == set->count)
        scene_die("slot", "nobody has it");
    return owner;
}

/* The arguments of every node, then those of the test. */
static void start_server(nodes *set, size_t i)
{
    char name[16], file[32], data[32], bus[16];
    /* by itself it would be 10,000 above a port that may be too high for that */
    set->buses[i] = scene_free_port();
    snprintf(bus, sizeof bus, "%d", set->buses[i]);
    snprintf(name, sizeof name, "n%zu", i);
    snprintf(data, sizeof data, "n%zu.rdb", i); /* what a replica gets is no other server's */
    snprintf(file, sizeof file, "n%zu.nodes", i);
    const char *config[ARGS] = {"--cluster-enabled",
                                "yes",
                                "--cluster-config-file",
                                file,
                                "--cluster-port",
                                bus,
                                "--cluster-node-timeout",
                                "60000",
                                "--cluster-replica-validity-factor",
                                "0",
                                "--cluster-replica-no-failover",
                                "yes",
                                "--repl-diskless-sync-delay",
                                "0",
                                "--dbfilename",
                                data};
    size_t count = 16;
    for (size_t k = 0; set->how != NULL && k < set->how->nconfig && count < ARGS; k++)
        config[count++] = set->how->config[k];
    scratch_listen listen = set->how == NULL ? SCRATCH_UNIX_AND_TCP : set->how->listen;
    scratch_options options = {listen, config, count};
    if (scratch_start(&set->servers[i], set->area, name, &options) != SCRATCH_OK)
        scene_die("scratch server", scratch_error(set->area));
    set->links[i] = redisConnectUnix(scratch_socket(set->servers[i]));
    if (set->links[i] == NULL || set->links[i]->err != 0)
        scene_die("connection", name);
}

static void start_node(nodes *set, size_t i)
{
    start_server(set, i);
    redisReply *id = nodes_ask(set, i, "CLUSTER MYID");
    snprintf(set->ids[i], sizeof set->ids[i], "%s", id->str);
    freeReplyObject(id);
    nodes_do(set, i, "CLUSTER SET-CONFIG-EPOCH %zu", i + 1);
    nodes_do(set, i, "CONFIG SET cluster-node-timeout %d", HASTY_MS); /* they talk more often */
}

static void wait_for_all(nodes *set, const char *text)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->links[i] != NULL)
            nodes_wait(set, i, "CLUSTER INFO", text);
    }
}

static void allow_silence(nodes *set, int ms)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->links[i] != NULL && scratch_pid(set->servers[i]) != 0)
            nodes_do(set, i, "CONFIG SET cluster-node-timeout %d", ms);
}

/* Of one that is in the middle of a handshake, the name is not known yet. */
static int knows(nodes *set, size_t one, size_t other)
{
    return set->links[one] == NULL || set->links[other] == NULL ||
           says(set, one, "CLUSTER NODES", set->ids[other]);
}

static int are_acquainted(nodes *set, size_t left)
{
    char count[40];
    snprintf(count, sizeof count, "cluster_known_nodes:%zu\r", left);
    for (size_t i = 0; i < set->count; i++) {
        if (set->links[i] != NULL && !says(set, i, "CLUSTER INFO", count))
            return 0;
        for (size_t k = 0; k < set->count; k++)
            if (!knows(set, i, k))
                return 0;
    }
    return 1;
}

static void make_meet(nodes *set, size_t one, size_t other)
{
    if (!knows(set, one, other))
        nodes_do(set, one, "CLUSTER MEET 127.0.0.1 %d %d", scratch_port(set->servers[other]),
                 set->buses[other]);
}

/* A handshake that takes longer than a node may be silent is forgotten by one or both, so that is
 * repeated, with more patience and from both sides. */
static void introduce(nodes *set)
{
    size_t left = 0;
    for (size_t i = 0; i < set->count; i++)
        left += set->links[i] != NULL;
    for (int waited = 0; !are_acquainted(set, left); waited += SCENE_MOMENT_MS) {
        if (waited > PATIENCE_MS)
            scene_die("nodes", "do not get to know each other");
        if (waited == MEET_MS)
            allow_silence(set, MEET_MS);
        for (size_t i = 0; waited % MEET_MS == 0 && i < set->count; i++)
            for (size_t k = waited == 0 ? i + 1 : 0; k < set->count; k++)
                make_meet(set, i, k);
        scene_pause();
    }
}

void nodes_watch_each_other(nodes *set)
{
    allow_silence(set, HASTY_MS);
    for (size_t i = 0; i < set->count; i++)
        if (set->links[i] != NULL && scratch_pid(set->servers[i]) != 0)
            nodes_do(set, i, "CONFIG SET cluster-replica-no-failover no");
}

void nodes_start_with(nodes *set, size_t primaries, size_t replicas, const scratch_options *how)
{
    memset(set, 0, sizeof *set);
    if (scratch_new(&set->area) != SCRATCH_OK)
        scene_die("scratch area", "cannot be made");
    set->how = how;
    set->count = primaries + replicas;
    for (size_t i = 0; i < set->count; i++)
        start_node(set, i);
    for (size_t i = 0; i < primaries; i++)
        nodes_do(set, i, "CLUSTER ADDSLOTSRANGE %zu %zu", i * NODES_SLOTS / primaries,
                 (i + 1) * NODES_SLOTS / primaries - 1);
    introduce(set);
    for (size_t i = 0; i < replicas; i++) {
        nodes_wait(set, primaries + i, "CLUSTER NODES", set->ids[i]);
        nodes_do(set, primaries + i, "CLUSTER REPLICATE %s", set->ids[i]);
    }
    wait_for_all(set, "cluster_state:ok");
    for (size_t i = 0; i < replicas; i++)
        nodes_wait(set, primaries + i, "INFO replication", "master_link_status:up");
    allow_silence(set, CALM_MS);
}

void nodes_start(nodes *set, size_t primaries, size_t replicas)
{
    nodes_start_with(set, primaries, replicas, NULL);
}

size_t nodes_add(nodes *set)
{
    size_t node = set->count;
    if (node == NODES_MOST)
        scene_die("node", "there are too many");
    set->count++;
    start_node(set, node);
    introduce(set);
    wait_for_all(set, "cluster_state:ok");
    allow_silence(set, CALM_MS);
    return node;
}

void nodes_remove(nodes *set, size_t node)
{
    for (size_t i = 0; i < set->count; i++) {
        if (i != node && set->links[i] != NULL)
            nodes_do(set, i, "CLUSTER FORGET %s", set->ids[node]);
    }
    redisFree(set->links[node]);
    set->links[node] = NULL;
    scratch_stop(set->servers[node]);
}

static int is_primary(nodes *set, size_t node)
{
    redisReply *role = nodes_ask(set, node, "ROLE");
    int primary = strcmp(role->element[0]->str, "master") == 0;
    freeReplyObject(role);
    return primary;
}

/* A node that gave its last slot away becomes a replica by itself, perhaps just now. */
static void tell_owner(nodes *set, size_t node, unsigned slot, size_t to)
{
    redisReply *reply = redisCommand(set->links[node], "CLUSTER SETSLOT %u NODE %s", slot,
                                     set->ids[to]);
    if (reply == NULL || (reply->type == REDIS_REPLY_ERROR && is_primary(set, node)))
        scene_die("CLUSTER SETSLOT", reply == NULL ? "no reply" : reply->str);
    freeReplyObject(reply);
}

void nodes_hand_over(nodes *set, unsigned slot, size_t to)
{
    for (size_t i = 0; i < set->count; i++) {
        size_t node = (to + i) % set->count;
        if (set->links[node] == NULL)
            continue;
        if (is_primary(set, node))
            tell_owner(set, node, slot, to);
    }
}

static long long epoch_of(nodes *set, size_t node, const char *field)
{
    redisReply *reply = nodes_ask(set, node, "CLUSTER INFO");
    const char *at = strstr(reply->str, field);
    long long number = at == NULL ? -1 : strtoll(at + strlen(field), NULL, 10);
    freeReplyObject(reply);
    return number;
}

/* The node and all behind it. */
static int is_settled(nodes *set, size_t node)
{
    long long mine = epoch_of(set, node, "cluster_my_epoch:");
    long long newest = epoch_of(set, node, "cluster_current_epoch:");
    int primary = is_primary(set, node);
    for (size_t i = node + 1; i < set->count; i++) {
        if (set->links[i] == NULL)
            continue;
        if (epoch_of(set, i, "cluster_current_epoch:") != newest ||
            (primary && is_primary(set, i) && epoch_of(set, i, "cluster_my_epoch:") == mine))
            return 0;
    }
    return 1;
}

void nodes_settle(nodes *set)
{
    for (size_t i = 0; i < set->count; i++) {
        int looks = 0;
        while (set->links[i] != NULL && !is_settled(set, i))
            pause_or_die(&looks,
                         "node %zu and those behind it know of the newest epoch, and no "
                         "two primaries share one",
                         i);
    }
}

void nodes_open_slot(nodes *set, unsigned slot, size_t from, size_t to)
{
    nodes_do(set, to, "CLUSTER SETSLOT %u IMPORTING %s", slot, set->ids[from]);
    nodes_do(set, from, "CLUSTER SETSLOT %u MIGRATING %s", slot, set->ids[to]);
}

void nodes_move_key(nodes *set, const char *key, size_t from, size_t to)
{
    nodes_do(set, from, "MIGRATE 127.0.0.1 %d %s 0 60000", scratch_port(set->servers[to]), key);
}

/* By the word of one node: the port of each slot's primary, 0 when there is none. */
static void read_owners(nodes *set, size_t asked, int owners[NODES_SLOTS])
{
    redisReply *reply = nodes_ask(set, asked, "CLUSTER SLOTS");
    memset(owners, 0, NODES_SLOTS * sizeof owners[0]);
    for (size_t i = 0; i < reply->elements; i++) {
        redisReply **range = reply->element[i]->element;
        for (long long slot = range[0]->integer; slot <= range[1]->integer; slot++)
            owners[slot] = (int)range[2]->element[1]->integer;
    }
    freeReplyObject(reply);
}

void nodes_agree(nodes *set)
{
    static int first[NODES_SLOTS], other[NODES_SLOTS];
    for (size_t i = 1; i < set->count; i++) {
        int looks = 0;
        if (set->links[0] == NULL || set->links[i] == NULL)
            continue;
        for (;;) {
            read_owners(set, 0, first);
            read_owners(set, i, other);
            if (memcmp(first, other, sizeof first) == 0)
                break;
            pause_or_die(&looks, "nodes 0 and %zu tell the same primary of each slot", i);
        }
    }
}

int nodes_take_over(nodes *set, size_t replica, time_t *asked)
{
    struct timespec now;
    if (is_primary(set, replica)) {
        allow_silence(set, CALM_MS);
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (*asked == 0 || now.tv_sec - *asked >= 10) {
        allow_silence(set, ELECTION_MS); /* a vote is held again after so many of them */
        nodes_do(set, replica, "CLUSTER FAILOVER");
        *asked = now.tv_sec;
    }
    return 0;
}

/* ---- what servers say of themselves ---- */

/* The number behind the words in that section of INFO; 0 when they are not there. */
static long number_in(nodes *set, size_t node, const char *section, const char *words)
{
    redisReply *reply = nodes_ask(set, node, "INFO %s", section);
    const char *at = strstr(reply->str, words);
    long number = at == NULL ? 0 : strtol(at + strlen(words), NULL, 10);
    freeReplyObject(reply);
    return number;
}

long nodes_ran(nodes *set, size_t node, const char *command)
{
    char words[64];
    snprintf(words, sizeof words, "cmdstat_%s:calls=", command);
    return number_in(set, node, "commandstats", words);
}

long nodes_refused(nodes *set, size_t node, const char *code)
{
    char words[64];
    snprintf(words, sizeof words, "errorstat_%s:count=", code);
    return number_in(set, node, "errorstats", words);
}

void nodes_count_anew(nodes *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->links[i] != NULL && scratch_pid(set->servers[i]) != 0)
            nodes_do(set, i, "CONFIG RESETSTAT");
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

static int is_listed(nodes *set, size_t replica, size_t by)
{
    redisReply *slots = nodes_ask(set, by, "CLUSTER SLOTS");
    int listed = lists(slots, set->ids[replica]);
    freeReplyObject(slots);
    return listed;
}

void nodes_await_replica(nodes *set, size_t replica)
{
    for (size_t i = 0; i < set->count; i++) {
        int looks = 0;
        while (set->links[i] != NULL && scratch_pid(set->servers[i]) != 0 &&
               !is_listed(set, replica, i))
            pause_or_die(&looks, "node %zu lists replica %zu", i, replica);
    }
}

const char *nodes_key(nodes *set, size_t node, char out[32])
{
    for (int i = 0;; i++) {
        snprintf(out, 32, "key:%d", i);
        unsigned slot = (unsigned)nodes_number(set, 1, "CLUSTER KEYSLOT %s", out);
        if (nodes_owner(set, 1, slot) == node)
            return out;
    }
}

evs_client *nodes_client(nodes *set, evs_registry *registry, const char *pool_keys)
{
    char yaml[512];
    evs_error err;
    evs_shardmap *map;
    evs_client *client = NULL;
    snprintf(yaml, sizeof yaml,
             "evalshard: 1\npools:\n  c:\n    cluster: {seeds: [\"127.0.0.1:%d\"]}\n%s",
             scratch_port(set->servers[1]), pool_keys);
    if (evs_shardmap_parse(&map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK ||
        evs_client_open(&client, map, registry, NULL, &err) != EVS_OK)
        scene_die("client", err.message);
    evs_shardmap_free(map);
    return client;
}

void nodes_stop(nodes *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->links[i] != NULL)
            redisFree(set->links[i]);
    scratch_free(set->area);
    memset(set, 0, sizeof *set);
}
