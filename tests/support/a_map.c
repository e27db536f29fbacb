#include "tests/support/a_map.h"

#include <stdio.h>
#include <stdlib.h>

static void *take(evs_shardmap *map, size_t count, size_t size)
{
    void *block = evs__arena_zalloc(&map->arena, count, size);
    if (block == NULL)
        abort();
    return block;
}

static size_t pool_number(const evs_shardmap *map, const char *name)
{
    for (size_t i = 0; i < map->npools; i++) {
        if (strcmp(map->pools[i].name, name) == 0)
            return i;
    }
    return map->npools;
}

static size_t pool_of(evs_shardmap *map, const char *name)
{
    size_t number = pool_number(map, name);
    if (number == map->npools)
        map->pools[map->npools++] = (evs__pool){
            .name = name,
            .first_shard = map->nshards,
            .tag_open = '{',
            .tag_close = '}',
            .placement = evs__placement_find("rendezvous"),
            .layout = {.hash = &evs__hash_xxh64},
            .same_tag = EVS__SAME_TAG_WARN,
        };
    return number;
}

static void add_shard(evs_shardmap *map, const a_shard *from)
{
    size_t pool = pool_of(map, from->pool);
    char *address = take(map, 32, 1);
    snprintf(address, 32, "host:%zu", map->nshards + 1);
    map->shards[map->nshards++] = (evs__shard){
        .name = from->name,
        .ring_name = from->ring_name == NULL ? from->name : from->ring_name,
        .note = "",
        .pool = pool,
        .weight = from->weight,
        .login = {.name = from->name,
                  .db = from->db,
                  .endpoint = {.text = address, .host = "host", .port = (int)map->nshards}},
    };
    map->pools[pool].nshards++;
}

evs_shardmap *a_map(const a_shard *shards, size_t nshards, const a_route *routes, size_t nroutes)
{
    evs_shardmap *map = evs__shardmap_new();
    if (map == NULL)
        abort();
    map->name = "test";
    map->shards = take(map, nshards, sizeof *map->shards);
    map->pools = take(map, nshards, sizeof *map->pools);
    map->routes = take(map, nroutes, sizeof *map->routes);
    for (size_t i = 0; i < nshards; i++)
        add_shard(map, &shards[i]);
    for (size_t i = 0; i < nroutes; i++)
        map->routes[map->nroutes++] = (evs__prefix_route){evs_text(routes[i].prefix),
                                                          pool_number(map, routes[i].pool)};
    return map;
}

evs_shardmap *a_sealed_map(const a_shard *shards, size_t nshards, const a_route *routes,
                           size_t nroutes)
{
    evs_shardmap *map = a_map(shards, nshards, routes, nroutes);
    if (evs__shardmap_seal(map, NULL) != EVS_OK)
        abort();
    return map;
}
