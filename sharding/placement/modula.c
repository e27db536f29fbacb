/*
 * modula.c - the hash modulo the sum of weights, as twemproxy (shards in order of length, then
 * bytes) and libmemcached (shards in order of index) do it. Almost every key moves when a shard
 * comes or goes.
 */
#include "sharding/placement/modulo.h"

#include "sharding/placement/order.h"
#include "sharding/placement/twemproxy.h"

static void *build(evs__arena *arena, const evs__layout *layout)
{
    size_t size = 0;
    for (size_t i = 0; i < layout->count; i++)
        size += layout->places[i].weight;

    uint32_t *order = evs__places_order(arena, layout, EVS__BY_LENGTH);
    uint32_t *owners = evs__arena_alloc(arena, size, sizeof *owners);
    evs__modulo *table = evs__arena_alloc(arena, 1, sizeof *table);
    if (order == NULL || owners == NULL || table == NULL)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < layout->count; i++) {
        for (unsigned j = 0; j < layout->places[order[i]].weight; j++)
            owners[n++] = order[i];
    }
    *table = (evs__modulo){size, owners};
    return table;
}

static size_t find(const void *built, uint64_t hash)
{
    return evs__modulo_find(built, hash);
}

const evs__placement evs__placement_modula = {
    .name = "modula",
    .hashes = evs__twemproxy_hashes,
    .takes = EVS__TAKES_WEIGHTS | EVS__TAKES_INDEX,
    .build = build,
    .find = find,
};
