/*
 * nodes.h - a real cluster of scratch servers, put together by hand, for tests.
 */
#ifndef EVS_TESTS_SUPPORT_NODES_H
#define EVS_TESTS_SUPPORT_NODES_H

#include "tools/scratch/scratch.h"
#include <evalshard/evalshard.h>
#include <hiredis/hiredis.h>
#include <time.h>

enum { NODES_MOST = 8, NODES_SLOTS = 16384 };

typedef struct nodes {
    scratch *area;
    scratch_server *servers[NODES_MOST];
    redisContext *links[NODES_MOST]; /* for commands of the test itself */
    char ids[NODES_MOST][41];
    int buses[NODES_MOST]; /* the ports on which they talk to each other */
    size_t count;
    const scratch_options *how; /* of nodes_start_with, else NULL */
} nodes;

/* Starts `primaries` nodes that share the slots evenly, and `replicas` more, of which number i
 * follows primary i. None of them holds another one for dead, whatever happens, and no replica is
 * elected. Ends the test program when anything fails. */
void nodes_start(nodes *set, size_t primaries, size_t replicas);
void nodes_stop(nodes *set);

/* The same with servers that listen otherwise and get further arguments. `how` outlives the set. */
void nodes_start_with(nodes *set, size_t primaries, size_t replicas, const scratch_options *how);

/* From now on a node that is silent for a second is held for dead, and its replica elected. On a
 * slow machine that may happen to any of them. */
void nodes_watch_each_other(nodes *set);

/* One more node, which all others come to know and which serves nothing; its number. */
size_t nodes_add(nodes *set);

/* Takes out a node that serves nothing: the others forget it, and its server ends. No other node's
 * number changes; nothing may be asked of this one any more. */
void nodes_remove(nodes *set, size_t node);

/* Runs a command on a node; the reply is yours to free, and no error. */
redisReply *nodes_ask(nodes *set, size_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void nodes_do(nodes *set, size_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
long long nodes_number(nodes *set, size_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Waits until no client of ours is connected to the node: all that they sent has run. */
void nodes_await_leave(nodes *set, size_t node);

/* Waits until the text is in a node's reply to the command, at most a minute. */
void nodes_wait(nodes *set, size_t node, const char *command, const char *text);

/* Gives a slot to a node, by the word of the nodes that are left and that node first. The slot's
 * keys stay where they are. */
void nodes_hand_over(nodes *set, unsigned slot, size_t to);

/* Waits, at most a minute, until every node knows of the newest epoch, and no two primaries share
 * one. A slot that moves on sooner may be claimed by two nodes of one epoch, and then nobody serves
 * it. */
void nodes_settle(nodes *set);

/* Opens a slot for keys to move from one node to another, and moves one. */
void nodes_open_slot(nodes *set, unsigned slot, size_t from, size_t to);
void nodes_move_key(nodes *set, const char *key, size_t from, size_t to);

/* How often a node ran the command, by INFO commandstats, since it started or nodes_count_anew. */
long nodes_ran(nodes *set, size_t node, const char *command);
/* How often it answered with an error of that code, by INFO errorstats. */
long nodes_refused(nodes *set, size_t node, const char *code);
/* All nodes that run count from 0 again. */
void nodes_count_anew(nodes *set);

/* Waits, at most a minute, until every node that runs lists that one as a replica, which has data.
 */
void nodes_await_replica(nodes *set, size_t replica);

/* Waits, at most a minute, until all nodes tell the same primary of each slot. Before that, a
 * replica is not voted for: it would claim slots that its primary gave away. */
void nodes_agree(nodes *set);

/* Asks a replica to take over from its primary, and again every ten seconds, since an election may
 * run out of time. 1 when it did. To be called again and again; `*asked` is 0 at first. */
int nodes_take_over(nodes *set, size_t replica, time_t *asked);

/* The primary that serves a slot by the word of node 0's neighbour `asked`. */
size_t nodes_owner(nodes *set, size_t asked, unsigned slot);

/* A key of a slot that the node serves, by the word of node 1; always the same one. */
const char *nodes_key(nodes *set, size_t node, char out[32]);

/* A client with one seed, node 1. `pool_keys` are more lines for the map's pool, each ending in a
 * newline. Ends the test program when it cannot be opened. */
evs_client *nodes_client(nodes *set, evs_registry *registry, const char *pool_keys);

#endif
