/*
 * ketama_plain.c - libmemcached's ring without weights (KETAMA, "consistent"): 100 points a shard,
 * each the hash of keys itself, of "NAME-j". Of equal points the first shard's counts.
 */
#include "core/mem.h"
#include "sharding/placement/order.h"
#include "sharding/placement/ring.h"
#include "sharding/placement/twemproxy.h"

#include <stdio.h>

static void *build(evs__arena *arena, const evs__layout *layout)
{
    char text[300];
    uint32_t *order = evs__places_order(arena, layout, EVS__BY_LENGTH);
    evs__points points = evs__points_new(layout->count * layout->points);
    if (order == NULL || points.at == NULL) {
        evs__free(points.at);
        return NULL;
    }
    for (size_t i = 0; i < layout->count; i++) {
        for (unsigned j = 0; j < layout->points; j++) {
            int len = snprintf(text, sizeof text, "%s-%u", layout->places[order[i]].name, j);
            uint64_t hash = layout->hash->of((evs_bytes){text, (size_t)len});
            evs__points_add(&points, hash << 32, order[i]);
        }
    }
    return evs__ring_make(arena, &points);
}

static size_t find(const void *built, uint64_t hash)
{
    return evs__ring_find(built, hash << 32);
}

const evs__placement evs__placement_ketama_plain = {
    .name = "ketama_plain",
    .hashes = evs__twemproxy_hashes,
    .takes = EVS__TAKES_POINTS | EVS__TAKES_INDEX,
    .points = 100,
    .build = build,
    .find = find,
};
