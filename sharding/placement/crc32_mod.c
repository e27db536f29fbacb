/*
 * crc32_mod.c - CRC-32 modulo the number of shards: Redis in Action, chapter 10 (hash crc32x), and
 * mcrouter's Crc32 (hash crc32m). Almost every key moves when a shard comes or goes.
 *
 * Check value: chapter 10 sends "a" among 16 shards to number crc32("xa") % 16.
 */
#include "sharding/placement/modulo.h"
#include "sharding/placement/order.h"

static void *build(evs__arena *arena, const evs__layout *layout)
{
    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    evs__modulo *table = evs__arena_alloc(arena, 1, sizeof *table);
    if (order == NULL || table == NULL)
        return NULL;
    *table = (evs__modulo){layout->count, order};
    return table;
}

static size_t find(const void *built, uint64_t hash)
{
    return evs__modulo_find(built, hash);
}

static const evs__hash_choice hashes[] = {{"crc32a", &evs__hash_crc32a},
                                          {"crc32x", &evs__hash_crc32x},
                                          {"crc32m", &evs__hash_crc32m},
                                          {NULL, NULL}};

const evs__placement evs__placement_crc32_mod = {
    .name = "crc32_mod",
    .hashes = hashes,
    .takes = EVS__NEEDS_INDEX,
    .build = build,
    .find = find,
};
