/*
 * calls_server.h - a server that answers bench.calls at next to no cost: EVALSHA, SCRIPT LOAD,
 * CLUSTER SLOTS, and +OK to everything else. Requests are trusted to be well-formed.
 */
#ifndef EVS_TESTS_BENCH_CALLS_SERVER_H
#define EVS_TESTS_BENCH_CALLS_SERVER_H

#include <stddef.h>

/* Serves sockets "0", "1", ... in `folder`, one per shard, or instead so many nodes of a cluster on
 * ports of 127.0.0.1. The reply of a script is 1, or an array of so many strings. Writes a port (0
 * without nodes), an int, to standard output when it is ready. Ends when standard input does, and
 * removes the folder, however its owner ended. */
int calls_serve(const char *folder, size_t shards, size_t elements, size_t nodes);

#endif
