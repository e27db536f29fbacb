/*
 * route_message.h - what routing says when it refuses. Slow on purpose: only failures come here.
 */
#ifndef EVS_SHARDING_ROUTE_MESSAGE_H
#define EVS_SHARDING_ROUTE_MESSAGE_H

#include "sharding/shardmap.h"

/* Where one key goes, with what decided it. */
typedef struct evs__placing {
    const evs__pool *pool;
    evs_bytes tag;
    size_t shard;
    unsigned slot; /* EVS__ANY_SLOT unless the pool is a cluster */
} evs__placing;

typedef struct evs__keys {
    const evs_bytes *at;
    size_t count;
} evs__keys;

/* 0 when no route takes the key (in route.c). */
int evs__route_place(evs__placing *out, const evs_shardmap *map, evs_bytes key);

evs_status evs__fail_no_route(evs_error *err, const evs_shardmap *map, evs_bytes key);

/* Key number `odd` (from 0) is not where the first one is. */
evs_status evs__fail_cross_shard(evs_error *err, const evs_shardmap *map, evs__keys keys,
                                 size_t odd);

/* Key number `odd` is in another slot than the first one, in the same cluster. */
evs_status evs__fail_cross_slot(evs_error *err, const evs_shardmap *map, evs__keys keys,
                                size_t odd);

/* All on one shard, by luck. */
evs_status evs__fail_mixed_tags(evs_error *err, const evs_shardmap *map, evs__keys keys);

#endif
