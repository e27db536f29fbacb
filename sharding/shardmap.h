/*
 * shardmap.h - what is inside a map. conf builds one, routing reads it, nobody changes it.
 *
 * Everything a map points to lives in its arena. Placement is per pool, routes choose the pool.
 */
#ifndef EVS_SHARDING_SHARDMAP_H
#define EVS_SHARDING_SHARDMAP_H

#include "core/arena.h"
#include "core/endpoint.h"
#include "sharding/placement.h"
#include "sharding/topology.h"
#include <evalshard/shardmap.h>
#include <stdatomic.h>

typedef enum evs__audit_rule {
    EVS__POOL_AUDIT_OFF,
    EVS__POOL_AUDIT_WARN,
    EVS__POOL_AUDIT_DENY
} evs__audit_rule;
typedef enum evs__tag_rule {
    EVS__SAME_TAG_OFF,
    EVS__SAME_TAG_WARN,
    EVS__SAME_TAG_ERROR
} evs__tag_rule;
typedef enum evs__no_keys_rule {
    EVS__NO_KEYS_ERROR,
    EVS__NO_KEYS_ANY,
    EVS__NO_KEYS_ALL,
    EVS__NO_KEYS_SHARD
} evs__no_keys_rule;

/* What may go to a shard (scripts/engine/state.h). It places nothing. */
typedef enum evs__shard_state {
    EVS__STATE_ACTIVE, /* anything */
    EVS__STATE_DRAINING,
    EVS__STATE_READONLY
} evs__shard_state;

/* Whose rule says which part of a key is hashed (hashtag.h). */
typedef enum evs__tag_style { EVS__TAGS_REDIS, EVS__TAGS_CODIS, EVS__TAGS_JEDIS } evs__tag_style;

enum { EVS__NO_INDEX = 0xffff };

/* Which of the two commands tells the topology of a cluster. */
typedef enum evs__cluster_asks {
    EVS__ASKS_AUTO, /* CLUSTER SHARDS, and CLUSTER SLOTS where that does not tell */
    EVS__ASKS_SHARDS,
    EVS__ASKS_SLOTS
} evs__cluster_asks;

/* What a map says of a real Redis or Valkey Cluster. Its nodes are found by asking. */
typedef struct evs__cluster_plan {
    const evs__endpoint *seeds;
    size_t nseeds;
    evs__cluster_asks asks;
    unsigned refresh_ms;
    unsigned max_redirects;
    unsigned tryagain_backoff_ms;
    int allow_partial; /* slots that nobody serves do not keep the others from being used */
} evs__cluster_plan;

/* What a map says of a group of sentinels, which know where the primaries of shards are. */
typedef struct evs__sentinel_plan {
    const char *name;        /* of the group */
    const evs__login *hosts; /* how to reach each */
    size_t nhosts;
    unsigned refresh_ms;
    unsigned quorum_reads; /* how many have to name the same primary */
} evs__sentinel_plan;

typedef struct evs__shard {
    const char *name;
    const char *ring_name; /* what placement hashes; the name unless the map says otherwise */
    const char *note;      /* "" when there is none */
    size_t pool;           /* number of its pool */
    unsigned weight;
    unsigned index; /* EVS__NO_INDEX unless the pool's shards are numbered */
    const evs__slot_range *slots;
    size_t nslots;
    evs__login login; /* of a shard that sentinels watch, with an address that is a text alone */
    const evs__sentinel_plan *sentinel; /* NULL: the address is in the login */
    const char *master_name;            /* by which those sentinels know the shard */
    unsigned command_timeout_ms;
    unsigned script_timeout_ms;
    evs__shard_state state;
    int preload;       /* its connections get every script at once */
    unsigned attempts; /* how often a call is sent again: retry.attempts */
} evs__shard;

/* Who answers what only reads. */
typedef enum evs__read_rule {
    EVS__READ_PRIMARY,
    EVS__READ_PREFER_REPLICA, /* the primary where there is no replica */
    EVS__READ_REPLICA
} evs__read_rule;

typedef struct evs__pool {
    const char *name;
    size_t first_shard; /* its shards are first_shard .. first_shard + nshards - 1 */
    size_t nshards;
    char tag_open, tag_close;   /* both NUL: no tags, the whole key is hashed */
    evs__tag_style tag_style;   /* other than REDIS, only "{}" encloses tags */
    int brackets;               /* the rule of Redis, and there are tags; set by sealing, as are */
    char opens[16], closes[16]; /* the two characters, many times */
    const evs__placement *placement;
    evs__layout layout;               /* without places, which are made of the shards */
    uint32_t fingerprint;             /* of this pool alone */
    void *placed;                     /* what placement->build made; in the arena */
    const evs__cluster_plan *cluster; /* NULL: the shards are those of the map. Else the pool has
                                       * one shard, which stands for the whole cluster */
    evs__audit_rule audit;
    evs__tag_rule same_tag;
    evs__no_keys_rule no_keys;
    size_t no_keys_shard; /* number of the shard, for EVS__NO_KEYS_SHARD */
    atomic_uint *turn;    /* counts calls, for EVS__NO_KEYS_ANY; in the arena */
    int fails_fast;       /* calls do not wait for a shard that is down */
    evs__read_rule read_from;
} evs__pool;

typedef struct evs__prefix_route {
    evs_bytes prefix; /* empty for the default route */
    size_t pool;
} evs__prefix_route;

typedef struct evs__named_shard {
    const char *name;
    size_t shard;
} evs__named_shard;

struct evs_shardmap {
    atomic_uint refs;
    evs__arena arena;
    const char *name;
    const char *file; /* it was read from, for messages; NULL: none */
    uint64_t generation;
    int generation_line, generation_column; /* in the file; where it would stand */
    uint64_t fingerprint;
    evs__shard *shards;
    size_t nshards;
    evs__pool *pools;
    size_t npools;
    evs__prefix_route *routes; /* longest prefix first; none: everything goes to pool 0 */
    size_t nroutes;
    evs__named_shard *by_name; /* all shards, sorted by name */
};

/* "active" and so on; "primary" and so on. */
const char *evs__state_name(evs__shard_state state);
const char *evs__read_rule_name(evs__read_rule rule);

/* An empty map with one holder, to be filled in and sealed; NULL when out of memory. */
evs_shardmap *evs__shardmap_new(void);

/* The shards as placement sees them, to be freed; NULL when out of memory. */
evs__place *evs__shards_places(const evs__shard *shards, size_t count);

/* The number of the shard of that pool and name. 0 when there is none. */
int evs__shardmap_lookup(size_t *out, const evs_shardmap *map, evs_bytes pool, const char *shard);

/* Derives what follows from shards, pools and routes: the order of routes, placements, the look-up
 * by name, the fingerprint. Fails with NOMEM. */
evs_status evs__shardmap_seal(evs_shardmap *map, evs_error *err);

#endif
