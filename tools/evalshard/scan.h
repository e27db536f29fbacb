/*
 * scan.h - the keys that servers hold, one after the other.
 */
#ifndef EVS_TOOLS_SCAN_H
#define EVS_TOOLS_SCAN_H

#include <evalshard/evalshard.h>

typedef struct scan_result {
    uint64_t keys;
    size_t skipped;  /* shards that stand for a cluster */
    int interrupted; /* by Ctrl-C */
    int unreachable; /* a server did not answer, or refused; printed */
} scan_result;

typedef void scan_take(void *arg, size_t shard, evs_bytes key);

/* Calls `take` for each key that SCAN finds on each server of `map`, at most `limit` on each (0: no
 * limit), with progress. A server that several shards share is asked once, as the first of them.
 * Ctrl-C ends it early. What SCAN says twice is taken twice. */
void scan_servers(scan_result *out, evs_shardmap *map, uint64_t limit, scan_take *take, void *arg);

#endif
