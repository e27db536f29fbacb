/*
 * a_map.h - maps for tests, made by hand: sharding does not know YAML.
 */
#ifndef EVS_TESTS_SUPPORT_A_MAP_H
#define EVS_TESTS_SUPPORT_A_MAP_H

#include "sharding/shardmap.h"

typedef struct a_shard {
    const char *pool;
    const char *name;
    unsigned weight;
    int db;
    const char *ring_name; /* NULL: the name */
} a_shard;

typedef struct a_route {
    const char *prefix; /* "" for the default route */
    const char *pool;
} a_route;

/* Shards of one pool stand together; pools are made in order of appearance. The map is not sealed:
 * tests may change it before they call evs__shardmap_seal. Ends the test when memory is short. */
evs_shardmap *a_map(const a_shard *shards, size_t nshards, const a_route *routes, size_t nroutes);

/* The same, sealed. */
evs_shardmap *a_sealed_map(const a_shard *shards, size_t nshards, const a_route *routes,
                           size_t nroutes);

#endif
