/*
 * shardmap.c - the life of a map, what follows from its content, and looking things up in it.
 */
#include "sharding/shardmap.h"

#include "core/error.h"
#include "core/mem.h"
#include "core/similar.h"
#include "sharding/fingerprint.h"
#include "sharding/route.h"

#include <assert.h>
#include <stdlib.h>

evs_shardmap *evs__shardmap_new(void)
{
    evs_shardmap *map = evs__zalloc_array(1, sizeof *map);
    if (map != NULL)
        atomic_init(&map->refs, 1);
    return map;
}

evs_shardmap *evs_shardmap_ref(evs_shardmap *map)
{
    if (map != NULL)
        atomic_fetch_add_explicit(&map->refs, 1, memory_order_relaxed);
    return map;
}

void evs_shardmap_free(evs_shardmap *map)
{
    if (map == NULL || atomic_fetch_sub_explicit(&map->refs, 1, memory_order_acq_rel) != 1)
        return;
    evs__arena_free(&map->arena);
    evs__free(map);
}

/* Longest prefix first, so that the first match is the right one. */
static int route_order(const void *a, const void *b)
{
    const evs_bytes *left = &((const evs__prefix_route *)a)->prefix;
    const evs_bytes *right = &((const evs__prefix_route *)b)->prefix;
    if (left->len != right->len)
        return left->len > right->len ? -1 : 1;
    return left->len == 0 ? 0 : memcmp(left->data, right->data, left->len);
}

static int name_order(const void *a, const void *b)
{
    const evs__named_shard *left = a, *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (left->shard > right->shard) - (left->shard < right->shard);
}

static int index_names(evs_shardmap *map)
{
    map->by_name = evs__arena_alloc(&map->arena, map->nshards, sizeof *map->by_name);
    if (map->by_name == NULL)
        return 0;
    for (size_t i = 0; i < map->nshards; i++)
        map->by_name[i] = (evs__named_shard){map->shards[i].name, i};
    qsort(map->by_name, map->nshards, sizeof *map->by_name, name_order);
    return 1;
}

evs__place *evs__shards_places(const evs__shard *shards, size_t count)
{
    evs__place *places = evs__alloc_array(count, sizeof *places);
    for (size_t i = 0; places != NULL && i < count; i++)
        places[i] = (evs__place){shards[i].ring_name, shards[i].weight, shards[i].index,
                                 shards[i].slots, shards[i].nslots};
    return places;
}

static int place_pool(evs_shardmap *map, evs__pool *pool)
{
    evs__place *places = evs__shards_places(&map->shards[pool->first_shard], pool->nshards);
    if (places == NULL)
        return 0;
    memset(pool->opens, pool->tag_open, sizeof pool->opens);
    memset(pool->closes, pool->tag_close, sizeof pool->closes);
    pool->brackets = pool->tag_style == EVS__TAGS_REDIS && pool->tag_open != '\0';
    evs__layout layout = pool->layout;
    layout.places = places;
    layout.count = pool->nshards;
    pool->placed = pool->placement->build(&map->arena, &layout);
    evs__free(places);

    pool->turn = evs__arena_alloc(&map->arena, 1, sizeof *pool->turn);
    if (pool->turn != NULL)
        atomic_init(pool->turn, 0);
    return pool->placed != NULL && pool->turn != NULL;
}

evs_status evs__shardmap_seal(evs_shardmap *map, evs_error *err)
{
    assert(map->npools > 0 && map->nshards > 0);
    if (map->nroutes > 0)
        qsort(map->routes, map->nroutes, sizeof *map->routes, route_order);
    for (size_t i = 0; i < map->npools; i++) {
        if (!place_pool(map, &map->pools[i]))
            return evs__fail_nomem(err);
    }
    if (!index_names(map) || !evs__fingerprint(map))
        return evs__fail_nomem(err);
    return EVS_OK;
}

const char *evs_shardmap_name(const evs_shardmap *map)
{
    return map->name;
}

uint64_t evs_shardmap_generation(const evs_shardmap *map)
{
    return map->generation;
}

uint64_t evs_shardmap_fingerprint(const evs_shardmap *map)
{
    return map->fingerprint;
}

size_t evs_shardmap_count(const evs_shardmap *map)
{
    return map->nshards;
}

size_t evs_shardmap_pool_count(const evs_shardmap *map)
{
    return map->npools;
}

evs_status evs_shardmap_pool(evs_pool_info *out, const evs_shardmap *map, size_t pool,
                             evs_error *err)
{
    if (pool >= map->npools)
        return evs__fail(err, EVS_E_INVALID, "there is no pool number %zu: the map has %zu", pool,
                         map->npools);
    const evs__pool *p = &map->pools[pool];
    *out = (evs_pool_info){p->name,        p->placement->name, p->layout.hash->name,
                           p->fingerprint, p->first_shard,     p->nshards};
    return EVS_OK;
}

const char *evs__state_name(evs__shard_state state)
{
    static const char *const names[] = {
        [EVS__STATE_ACTIVE] = "active",
        [EVS__STATE_DRAINING] = "draining",
        [EVS__STATE_READONLY] = "readonly",
    };
    return names[state];
}

const char *evs__read_rule_name(evs__read_rule rule)
{
    static const char *const names[] = {
        [EVS__READ_PRIMARY] = "primary",
        [EVS__READ_PREFER_REPLICA] = "prefer_replica",
        [EVS__READ_REPLICA] = "replica",
    };
    return names[rule];
}

evs_status evs_shardmap_shard(evs_shard_info *out, const evs_shardmap *map, size_t shard,
                              evs_error *err)
{
    if (shard >= map->nshards)
        return evs__fail(err, EVS_E_INVALID, "there is no shard number %zu: the map has %zu", shard,
                         map->nshards);
    const evs__shard *s = &map->shards[shard];
    *out = (evs_shard_info){
        .name = s->name,
        .pool = map->pools[s->pool].name,
        .address = s->login.endpoint.text,
        .note = s->note,
        .weight = s->weight,
        .db = s->login.db,
        .state = evs__state_name(s->state),
        .read_from = evs__read_rule_name(map->pools[s->pool].read_from),
    };
    return EVS_OK;
}

/* The first place of by_name whose name is not smaller than `name`. */
static size_t lower_bound(const evs_shardmap *map, const char *name)
{
    size_t low = 0, high = map->nshards;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(map->by_name[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int called(const evs_shardmap *map, size_t place, const char *name)
{
    return place < map->nshards && strcmp(map->by_name[place].name, name) == 0;
}

/* The shard most like `name`; NULL when none is, or memory is short. */
static const char *similar(const evs_shardmap *map, const char *name)
{
    const char **words = evs__alloc_array(map->nshards, sizeof *words);
    if (words == NULL)
        return NULL;
    for (size_t i = 0; i < map->nshards; i++)
        words[i] = map->by_name[i].name;
    const char *best = evs__most_similar(evs_text(name), words, map->nshards);
    evs__free(words);
    return best;
}

static evs_status unknown(const evs_shardmap *map, const char *name, evs_error *err)
{
    const char *near = strchr(name, '/') != NULL ? NULL : similar(map, name);
    if (near == NULL)
        return evs__fail(err, EVS_E_INVALID, "there is no shard \"%s\" in the map", name);
    return evs__fail(err, EVS_E_INVALID,
                     "there is no shard \"%s\" in the map; the nearest is \"%s\"", name, near);
}

static int in_pool(const evs_shardmap *map, size_t shard, evs_bytes pool)
{
    const char *name = map->pools[map->shards[shard].pool].name;
    return strlen(name) == pool.len && memcmp(name, pool.data, pool.len) == 0;
}

int evs__shardmap_lookup(size_t *out, const evs_shardmap *map, evs_bytes pool, const char *shard)
{
    for (size_t place = lower_bound(map, shard); called(map, place, shard); place++) {
        *out = map->by_name[place].shard;
        if (in_pool(map, *out, pool))
            return 1;
    }
    return 0;
}

evs_status evs_shardmap_find(size_t *out, const evs_shardmap *map, const char *name, evs_error *err)
{
    if (name == NULL)
        return evs__fail(err, EVS_E_INVALID, "the name of a shard is NULL");
    const char *slash = strchr(name, '/');
    const char *shard = slash == NULL ? name : slash + 1;
    size_t place = lower_bound(map, shard);

    if (slash == NULL && called(map, place + 1, shard) && called(map, place, shard))
        return evs__fail(err, EVS_E_INVALID,
                         "several pools have a shard \"%s\"; write \"%s/%s\" or the like", shard,
                         map->pools[map->shards[map->by_name[place].shard].pool].name, shard);
    if (slash == NULL && called(map, place, shard)) {
        *out = map->by_name[place].shard;
        return EVS_OK;
    }
    size_t number;
    if (slash == NULL ||
        !evs__shardmap_lookup(&number, map, (evs_bytes){name, (size_t)(slash - name)}, shard))
        return unknown(map, name, err);
    *out = number;
    return EVS_OK;
}

evs_status evs_shardmap_route(evs_route *out, const evs_shardmap *map, evs_bytes key,
                              evs_error *err)
{
    return evs__route_key(out, map, key, err);
}
