/*
 * route.c - key to pool to tag to hash to shard, and whether all keys of a call agree.
 *
 * A key with the same pool and the same tag as the first one needs no second hash: it is on the
 * same shard. That is what well-made calls look like, so they cost one hash however many keys.
 */
#include "sharding/route.h"

#include "core/error.h"
#include "sharding/place.h"
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

evs_bytes evs__tag_by_style(const evs__pool *pool, evs_bytes key)
{
    if (pool->tag_style == EVS__TAGS_REDIS)
        return evs__hash_tag(key, pool->tag_open, pool->tag_close);
    return pool->tag_style == EVS__TAGS_CODIS ? evs__hash_tag_codis(key) : evs__hash_tag_jedis(key);
}

static inline int equal(evs_bytes a, evs_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static __attribute__((noinline)) evs_status route_by_prefix(evs_route *out, const evs_shardmap *map,
                                                            evs_bytes key, evs_error *err)
{
    const evs__pool *pool = pool_of(map, key);
    if (pool == NULL)
        return evs__fail_no_route(err, map, key);
    out->tag = evs__tag_of(pool, key);
    out->shard = evs__place_tag(pool, out->tag);
    return EVS_OK;
}

/* One pool is the usual case, and cannot fail. */
evs_status evs__route_key(evs_route *out, const evs_shardmap *map, evs_bytes key, evs_error *err)
{
    const evs__pool *pool = &map->pools[0];
    if (map->nroutes > 0)
        return route_by_prefix(out, map, key, err);
    out->tag = evs__tag_of(pool, key);
    out->shard = evs__place_tag(pool, out->tag);
    return EVS_OK;
}

static inline int find_place(evs__placing *out, const evs_shardmap *map, evs_bytes key)
{
    const evs__pool *pool = pool_of(map, key);
    if (pool == NULL)
        return 0;
    out->pool = pool;
    out->tag = evs__tag_of(pool, key);
    out->shard = evs__place_tag(pool, out->tag);
    out->slot = evs__slot_of(pool, out->tag);
    return 1;
}

int evs__route_place(evs__placing *out, const evs_shardmap *map, evs_bytes key)
{
    return find_place(out, map, key);
}

static evs_status route_more(int *mixed_out, const evs_shardmap *map, evs__keys all,
                             const evs__placing *first, evs_error *err)
{
    int mixed = 0;
    for (size_t i = 1; i < all.count; i++) {
        evs_bytes key = all.at[i];
        const evs__pool *pool = pool_of(map, key);
        if (pool == NULL)
            return evs__fail_no_route(err, map, key);
        evs_bytes tag = evs__tag_of(pool, key);
        if (pool == first->pool && equal(tag, first->tag))
            continue;
        if (pool != first->pool || evs__place_tag(pool, tag) != first->shard)
            return evs__fail_cross_shard(err, map, all, i);
        if (pool->cluster != NULL) {
            if (evs__slot_of(pool, tag) != first->slot)
                return evs__fail_cross_slot(err, map, all, i);
            continue; /* a tag never leaves its slot: what met once stays together */
        }
        mixed = pool->same_tag != EVS__SAME_TAG_OFF;
    }
    if (mixed && first->pool->same_tag == EVS__SAME_TAG_ERROR)
        return evs__fail_mixed_tags(err, map, all);
    *mixed_out = mixed;
    return EVS_OK;
}

static __attribute__((noinline)) evs_status route_keys(evs__target *out, const evs_shardmap *map,
                                                       const evs_bytes *keys, size_t nkeys,
                                                       evs_error *err)
{
    evs__placing first;
    if (!find_place(&first, map, keys[0]))
        return evs__fail_no_route(err, map, keys[0]);
    int mixed = 0;
    evs_status status = EVS_OK;
    if (nkeys > 1)
        status = route_more(&mixed, map, (evs__keys){keys, nkeys}, &first, err);
    if (status == EVS_OK)
        *out = (evs__target){first.shard, (size_t)(first.pool - map->pools), first.slot, mixed};
    return status;
}

/* One key and one pool are the usual case, and cannot fail. */
evs_status evs__route_keys(evs__target *out, const evs_shardmap *map, const evs_bytes *keys,
                           size_t nkeys, evs_error *err)
{
    assert(nkeys > 0);
    const evs__pool *pool = &map->pools[0];
    if (nkeys > 1 || map->nroutes > 0)
        return route_keys(out, map, keys, nkeys, err);
    evs_bytes tag = evs__tag_of(pool, keys[0]);
    *out = (evs__target){evs__place_tag(pool, tag), 0, evs__slot_of(pool, tag), 0};
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

const evs__pool *evs__route_spreads(const evs_shardmap *map, const char *pool)
{
    const evs__pool *chosen = map->npools == 1 ? &map->pools[0] : NULL;
    if (pool != NULL)
        chosen = find_pool(map, pool);
    return chosen != NULL && chosen->no_keys == EVS__NO_KEYS_ALL ? chosen : NULL;
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
    case EVS__NO_KEYS_ALL:
        return evs__fail(
            err, EVS_E_NO_KEYS,
            "the call has no keys, and pool \"%s\" has on_no_keys: all; what runs on one "
            "shard, as a transaction does, has to name it",
            pool->name);
    case EVS__NO_KEYS_ERROR:
        break;
    }
    return evs__fail(err, EVS_E_NO_KEYS,
                     "the call has no keys and names no shard (pool \"%s\" has on_no_keys: error)",
                     pool->name);
}

/* The shard the call names; inside `pool` when the call names that too. */
static evs_status by_name(size_t *out, const evs_shardmap *map, const evs__pool *pool,
                          const char *name, evs_error *err)
{
    if (pool == NULL)
        return evs_shardmap_find(out, map, name, err);
    const char *slash = strchr(name, '/');
    const char *base = slash == NULL ? name : slash + 1;
    size_t len = slash == NULL ? 0 : (size_t)(slash - name);
    int other = slash != NULL && (strlen(pool->name) != len || memcmp(pool->name, name, len) != 0);
    for (size_t i = pool->first_shard; !other && i < pool->first_shard + pool->nshards; i++) {
        if (strcmp(map->shards[i].name, base) == 0) {
            *out = i;
            return EVS_OK;
        }
    }
    return evs__fail(err, EVS_E_INVALID, "there is no shard \"%s\" in pool \"%s\"", name,
                     pool->name);
}

/* What the pool says: the one that is named, or the only one. */
static evs_status by_pool(size_t *out, const evs_shardmap *map, const evs__pool *pool,
                          evs_error *err)
{
    if (pool != NULL)
        return by_rule(out, pool, err);
    if (map->npools == 1)
        return by_rule(out, &map->pools[0], err);
    return evs__fail(err, EVS_E_NO_KEYS,
                     "the call has no keys and names neither shard nor pool (there are %zu)",
                     map->npools);
}

evs_status evs__route_no_keys(evs__target *out, const evs_shardmap *map, const char *shard,
                              const char *pool, evs_error *err)
{
    const evs__pool *chosen = pool == NULL ? NULL : find_pool(map, pool);
    size_t number;
    if (pool != NULL && chosen == NULL)
        return evs__fail(err, EVS_E_INVALID, "there is no pool \"%s\" in the map", pool);
    evs_status status = shard == NULL ? by_pool(&number, map, chosen, err)
                                      : by_name(&number, map, chosen, shard, err);
    if (status != EVS_OK)
        return status;
    *out = (evs__target){number, map->shards[number].pool, EVS__ANY_SLOT, 0};
    return EVS_OK;
}
