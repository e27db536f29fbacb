/*
 * route.c - key to pool to tag to hash to shard, and whether all keys of a call agree.
 *
 * A key with the same pool and the same tag as the first one needs no second hash: it is on the
 * same shard. That is what well-made calls look like, so they cost one hash however many keys.
 */
#include "sharding/route.h"

#include "core/error.h"
#include "core/hash64.h"
#include "sharding/hashtag.h"
#include "sharding/route_message.h"

#include <assert.h>

static inline int starts_with(evs_bytes key, evs_bytes prefix)
{
    return key.len >= prefix.len &&
           (prefix.len == 0 || memcmp(key.data, prefix.data, prefix.len) == 0);
}

/* The pool of a key; NULL when no route takes it. Routes are sorted, the longest prefix first. */
static inline const evs__pool *pool_of(const evs_shardmap *map, evs_bytes key)
{
    if (map->nroutes == 0)
        return &map->pools[0];
    for (size_t i = 0; i < map->nroutes; i++) {
        if (starts_with(key, map->routes[i].prefix))
            return &map->pools[map->routes[i].pool];
    }
    return NULL;
}

static inline evs_bytes tag_of(const evs__pool *pool, evs_bytes key)
{
    return evs__hash_tag(key, pool->tag_open, pool->tag_close);
}

static inline size_t place(const evs__pool *pool, evs_bytes tag)
{
    return pool->first_shard + pool->placement->find(pool->placed, evs__xxh64(tag, 0));
}

static inline int equal(evs_bytes a, evs_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int evs__route_place(evs__placing *out, const evs_shardmap *map, evs_bytes key)
{
    const evs__pool *pool = pool_of(map, key);
    if (pool == NULL)
        return 0;
    out->pool = pool;
    out->tag = tag_of(pool, key);
    out->shard = place(pool, out->tag);
    return 1;
}

evs_status evs__route_key(evs_route *out, const evs_shardmap *map, evs_bytes key, evs_error *err)
{
    evs__placing at;
    if (!evs__route_place(&at, map, key))
        return evs__fail_no_route(err, map, key);
    out->shard = at.shard;
    out->tag = at.tag;
    return EVS_OK;
}

evs_status evs__route_keys(evs__target *out, const evs_shardmap *map, const evs_bytes *keys,
                           size_t nkeys, evs_error *err)
{
    assert(nkeys > 0);
    evs__placing first;
    if (!evs__route_place(&first, map, keys[0]))
        return evs__fail_no_route(err, map, keys[0]);

    int mixed = 0;
    for (size_t i = 1; i < nkeys; i++) {
        const evs__pool *pool = pool_of(map, keys[i]);
        if (pool == NULL)
            return evs__fail_no_route(err, map, keys[i]);
        evs_bytes tag = tag_of(pool, keys[i]);
        if (pool == first.pool && equal(tag, first.tag))
            continue;
        if (pool != first.pool || place(pool, tag) != first.shard)
            return evs__fail_cross_shard(err, map, (evs__keys){keys, nkeys}, i);
        mixed = first.pool->same_tag != EVS__SAME_TAG_OFF;
    }
    if (mixed && first.pool->same_tag == EVS__SAME_TAG_ERROR)
        return evs__fail_mixed_tags(err, map, (evs__keys){keys, nkeys});
    *out = (evs__target){first.shard, (size_t)(first.pool - map->pools), mixed};
    return EVS_OK;
}

static const evs__pool *find_pool(const evs_shardmap *map, const char *name)
{
    for (size_t i = 0; i < map->npools; i++) {
        if (strcmp(map->pools[i].name, name) == 0)
            return &map->pools[i];
    }
    return NULL;
}

/* The shard the call names; inside `pool` when the call names that too. */
static evs_status named_shard(size_t *out, const evs_shardmap *map, const evs__pool *pool,
                              const char *name, evs_error *err)
{
    if (pool == NULL || strchr(name, '/') != NULL)
        return evs_shardmap_find(out, map, name, err);
    for (size_t i = pool->first_shard; i < pool->first_shard + pool->nshards; i++) {
        if (strcmp(map->shards[i].name, name) == 0) {
            *out = i;
            return EVS_OK;
        }
    }
    return evs__fail(err, EVS_E_INVALID, "there is no shard \"%s\" in pool \"%s\"", name,
                     pool->name);
}

static evs_status by_rule(size_t *out, const evs__pool *pool, evs_error *err)
{
    switch (pool->no_keys) {
    case EVS__NO_KEYS_SHARD:
        *out = pool->no_keys_shard;
        return EVS_OK;
    case EVS__NO_KEYS_ANY:
        *out = pool->first_shard +
               atomic_fetch_add_explicit(pool->turn, 1, memory_order_relaxed) % pool->nshards;
        return EVS_OK;
    case EVS__NO_KEYS_ERROR:
        break;
    }
    return evs__fail(err, EVS_E_NO_KEYS,
                     "the call has no keys and names no shard (pool \"%s\" has on_no_keys: error)",
                     pool->name);
}

evs_status evs__route_no_keys(evs__target *out, const evs_shardmap *map, const char *shard,
                              const char *pool, evs_error *err)
{
    const evs__pool *chosen = pool == NULL ? NULL : find_pool(map, pool);
    if (pool != NULL && chosen == NULL)
        return evs__fail(err, EVS_E_INVALID, "there is no pool \"%s\" in the map", pool);
    if (shard == NULL && chosen == NULL && map->npools > 1)
        return evs__fail(err, EVS_E_NO_KEYS,
                         "the call has no keys and names neither shard nor pool (there are %zu)",
                         map->npools);
    if (shard == NULL && chosen == NULL)
        chosen = &map->pools[0];

    size_t number = 0;
    evs_status status = shard != NULL ? named_shard(&number, map, chosen, shard, err)
                                      : by_rule(&number, chosen, err);
    if (status != EVS_OK)
        return status;
    if (chosen != NULL && map->shards[number].pool != (size_t)(chosen - map->pools))
        return evs__fail(err, EVS_E_INVALID, "shard \"%s\" is not in pool \"%s\"", shard, pool);
    *out = (evs__target){number, map->shards[number].pool, 0};
    return EVS_OK;
}
