/*
 * one_node.h - a real cluster, of which a map calls one node a plain shard: nothing is followed,
 * and everything that the node says is reported, with what outcome and how often it ran.
 *
 *     one_node_start(3);
 *     one_node_key(0, here);                          // of a slot that node 0 serves
 *     one_node_expect(COUNT, here, (one_node_result){EVS_OK, EVS_EXECUTED, 1, ""});
 *     one_node_stop();
 *
 * Calls go to node 0. All ends the test, or its program, when something else comes of it.
 */
#ifndef EVS_TESTS_SUPPORT_ONE_NODE_H
#define EVS_TESTS_SUPPORT_ONE_NODE_H

#include "tests/support/nodes.h"
#include "tests/support/shards.h"

enum { ONE_NODE_KEYS_MOST = 2 };

typedef struct one_node_world {
    nodes nodes;
    shards set;        /* node 0 alone; its scripts and map */
    evs_client *hasty; /* told at once */
} one_node_world;

extern one_node_world one_node;

typedef struct one_node_result {
    evs_status status;
    evs_outcome outcome;
    long long ran;     /* by how much it counted; for one_node_expect */
    const char *words; /* in the message, unless it is EVS_OK */
} one_node_result;

void one_node_start(size_t primaries);
void one_node_stop(void);

/* Calls a script, with up to two keys. */
void one_node_call(const char *source, const char *const *keys, size_t nkeys, one_node_result what);

/* The same with one key, where the script counts. */
void one_node_expect(const char *source, const char *key, one_node_result what);

unsigned one_node_slot(const char *key);

/* "{n}" of a slot that `node` serves; a new one each time. */
void one_node_key(size_t node, char out[32]);

#endif
