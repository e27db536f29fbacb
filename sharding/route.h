/*
 * route.h - all keys of a call to one shard, or an error that names every key.
 */
#ifndef EVS_SHARDING_ROUTE_H
#define EVS_SHARDING_ROUTE_H

#include "sharding/shardmap.h"

typedef struct evs__target {
    size_t shard;
    size_t pool;
    unsigned slot;  /* of a cluster's pool; EVS__ANY_SLOT: any node, and in other pools */
    int mixed_tags; /* keys with different tags met here by luck (and the pool allows that) */
} evs__target;

/* Where one key goes. Fails with NO_ROUTE, naming the key. */
evs_status evs__route_key(evs_route *out, const evs_shardmap *map, evs_bytes key, evs_error *err);

/* Where `nkeys` > 0 keys go together. Fails with NO_ROUTE, with CROSS_SHARD or, in a cluster,
 * CROSS_SLOT (the message lists each key with its tag and shard or slot; a long list is cut in the
 * middle and says so), or with TAG when the pool requires one tag. */
evs_status evs__route_keys(evs__target *out, const evs_shardmap *map, const evs_bytes *keys,
                           size_t nkeys, evs_error *err);

/* Where a call without keys goes: `shard` by name if given, else what `pool` (by name, or the only
 * one) says in on_no_keys. Fails with NO_KEYS, or with INVALID for a name that is not in the map.
 */
evs_status evs__route_no_keys(evs__target *out, const evs_shardmap *map, const char *shard,
                              const char *pool, evs_error *err);

/* The pool of that name (NULL: the only one), if the map says that a call without keys goes to all
 * of its shards; evs__route_no_keys fails then. NULL when it does not. */
const evs__pool *evs__route_spreads(const evs_shardmap *map, const char *pool);

/* Appends a key for a message: printable bytes as they are, others as \xNN, long ones cut. */
void evs__key_text(char *out, size_t cap, evs_bytes key);

#endif
