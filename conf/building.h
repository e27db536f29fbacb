/*
 * building.h - what the parts of a map share while it is read.
 */
#ifndef EVS_CONF_BUILDING_H
#define EVS_CONF_BUILDING_H

#include "conf/connection.h"
#include "core/table.h"
#include "sharding/shardmap.h"

struct evs__compat;
struct evs__sentinel_group;

enum { EVS__MOST_SHARDS = 4096, EVS__MOST_DRAWS = 4096, EVS__MOST_WEIGHT = 1000 };

/* What the shards of the pool being read may say of their place. */
typedef struct evs__place_rules {
    const evs__placement *placement;
    const struct evs__compat *compat;
    int ring_names_are_addresses;
} evs__place_rules;

typedef struct evs__building {
    evs__reading r;
    evs_shardmap *map;  /* ours until it is delivered */
    size_t shards_room; /* how many map->shards has room for */
    evs__connection_conf defaults;
    evs__table pools;                      /* evs__pool by name */
    struct evs__sentinel_group *sentinels; /* the newest first; in scratch */
    evs__place_rules rules;
    const evs__yaml **fingerprints; /* what each pool expects, by number; NULL: nothing */
} evs__building;

/* Reads the whole map. What is wrong goes to the diagnostics. */
void evs__build_map(evs__building *b, const evs__yaml *root);

/* Reads one entry of `pools` into the next free evs__pool, and its shards. */
void evs__build_pool(evs__building *b, const evs__yaml *value);

/* The pool that stands for a top-level `shards`. */
void evs__build_short_pool(evs__building *b, const evs__yaml *shards);

/* Reads the shards of the newest pool; each starts from `inherited`. */
void evs__build_shards(evs__building *b, const evs__yaml *shards,
                       const evs__connection_conf *inherited);

/* Reads the mapping `cluster` of the newest pool, and what `pool`, its own mapping, may not say
 * then.
 */
void evs__build_cluster(evs__building *b, const evs__yaml *cluster, const evs__yaml *pool,
                        const evs__connection_conf *connection);

/* Reads the mapping `sentinels`. */
void evs__build_sentinels(evs__building *b, const evs__yaml *sentinels);

/* Complains of groups that no shard uses. */
void evs__check_sentinels(evs__building *b);

/* Gives the shard, whose login is filled in but for its address, the group `group` and the name
 * that it has there; both may be NULL, for missing. 0 after complaining. `shard` is the node of the
 * shard. */
int evs__shard_by_sentinel(evs__building *b, const evs__yaml *shard, const evs__yaml *group,
                           const evs__yaml *master_name, evs__shard *out);

/* Complains of pools that are not placed as they expect. The map is sealed. */
void evs__check_fingerprints(evs__building *b);

/* Reads the list of routes. */
void evs__build_routes(evs__building *b, const evs__yaml *routes);

#endif
