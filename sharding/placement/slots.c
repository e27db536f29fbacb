/*
 * slots.c - the map says which shard owns which slot; a key's slot is its hash modulo their number.
 * With crc16 and 16,384 slots that is the slot of Redis Cluster, with crc32a and 1,024 of Codis.
 */
#include "sharding/placement.h"
#include "sharding/placement/modulo.h"

#include <assert.h>

static void *build(evs__arena *arena, const evs__layout *layout)
{
    uint32_t *owners = evs__arena_alloc(arena, layout->size, sizeof *owners);
    evs__modulo *table = evs__arena_alloc(arena, 1, sizeof *table);
    if (owners == NULL || table == NULL)
        return NULL;
    for (size_t i = 0; i < layout->count; i++) {
        for (size_t k = 0; k < layout->places[i].nslots; k++) {
            evs__slot_range range = layout->places[i].slots[k];
            assert(range.last < layout->size);
            for (unsigned slot = range.first; slot <= range.last; slot++)
                owners[slot] = (uint32_t)i;
        }
    }
    *table = (evs__modulo){layout->size, owners};
    return table;
}

static size_t find(const void *built, uint64_t hash)
{
    return evs__modulo_find(built, hash);
}

static const evs__hash_choice hashes[] = {
    {"crc32a", &evs__hash_crc32a}, {"crc16", &evs__hash_crc16_slot}, {NULL, NULL}};

const evs__placement evs__placement_slots = {
    .name = "slots",
    .hashes = hashes,
    .takes = EVS__TAKES_SLOTS,
    .size = 1024,
    .build = build,
    .find = find,
};
