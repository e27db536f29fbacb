/*
 * jedis.c - the ring of ShardedJedis and JedisSharding: 160 points per unit of weight, compared as
 * signed numbers of 64 bits; of equal points the one that was put last counts.
 *
 * A point is the hash of NAME*n, in Jedis up to 2.9 of NAME*WEIGHTn, and in a numbered layout of
 * SHARD-index-NODE-n, which is what Jedis does with shards that have no names.
 */
#include "core/mem.h"
#include "sharding/placement/order.h"
#include "sharding/placement/ring.h"

#include <stdio.h>

/* Signed order as unsigned order. */
static inline uint64_t unsign(uint64_t hash)
{
    return hash ^ (uint64_t)1 << 63;
}

static uint64_t point(const evs__layout *layout, const evs__place *place, unsigned n)
{
    char text[300];
    int len;
    if (layout->numbered)
        len = snprintf(text, sizeof text, "SHARD-%u-NODE-%u", place->index, n);
    else if (layout->point_names == EVS__POINT_NAMES_WEIGHED)
        len = snprintf(text, sizeof text, "%s*%u%u", place->name, place->weight, n);
    else
        len = snprintf(text, sizeof text, "%s*%u", place->name, n);
    return unsign(layout->hash->of((evs_bytes){text, (size_t)len}));
}

/* From the last to the first, so that of equal points the last one put comes first. */
static void *build(evs__arena *arena, const evs__layout *layout)
{
    size_t room = 0;
    for (size_t i = 0; i < layout->count; i++)
        room += (size_t)layout->places[i].weight * layout->points;

    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    evs__points points = evs__points_new(room);
    if (order == NULL || points.at == NULL) {
        evs__free(points.at);
        return NULL;
    }
    for (size_t i = layout->count; i > 0; i--) {
        const evs__place *place = &layout->places[order[i - 1]];
        for (unsigned n = place->weight * layout->points; n > 0; n--)
            evs__points_add(&points, point(layout, place, n - 1), order[i - 1]);
    }
    return evs__ring_make(arena, &points);
}

static size_t find(const void *built, uint64_t hash)
{
    return evs__ring_find(built, unsign(hash));
}

static const evs__hash_choice hashes[] = {
    {"murmur64a", &evs__hash_murmur64a_jedis}, {"md5", &evs__hash_md5_jedis}, {NULL, NULL}};

const evs__placement evs__placement_jedis = {
    .name = "jedis",
    .hashes = hashes,
    .takes = EVS__TAKES_WEIGHTS | EVS__TAKES_POINTS | EVS__TAKES_INDEX | EVS__TAKES_OLD_NAMES,
    .points = 160,
    .build = build,
    .find = find,
};
