/*
 * nodes.h - a real cluster of scratch servers, put together by hand, for tests.
 */
#ifndef EVS_TESTS_SUPPORT_NODES_H
#define EVS_TESTS_SUPPORT_NODES_H

#include "tools/scratch/scratch.h"
#include <evalshard/evalshard.h>
#include <hiredis/hiredis.h>

enum { NODES_MOST = 6 };

typedef struct nodes {
    scratch *area;
    scratch_server *servers[NODES_MOST];
    redisContext *links[NODES_MOST]; /* for commands of the test itself */
    char ids[NODES_MOST][41];
    size_t count;
} nodes;

/* Starts `primaries` nodes that share the slots evenly, and `replicas` more, of which number i
 * follows primary i. Ends the test program when anything fails. */
void nodes_start(nodes *set, size_t primaries, size_t replicas);
void nodes_stop(nodes *set);

/* Runs a command on a node; the reply is yours to free, and no error. */
redisReply *nodes_ask(nodes *set, size_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void nodes_do(nodes *set, size_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
long long nodes_number(nodes *set, size_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Waits until the text is in a node's reply to the command, at most a minute. */
void nodes_wait(nodes *set, size_t node, const char *command, const char *text);

/* The primary that serves a slot by the word of node 0's neighbour `asked`. */
size_t nodes_owner(nodes *set, size_t asked, unsigned slot);

#endif
