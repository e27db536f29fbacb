/*
 * ketama.c - the weighted ring of twemproxy and of libmemcached's KETAMA_WEIGHTED, bit by bit.
 *
 * Shard i has its share of n * points points, rounded as both programs do in single precision:
 * equal weights give 160 points each, but 156 with 25, 47, 50 and other numbers of shards. Four
 * points come from the MD5 of "NAME-j", little-endian. Of equal points the first shard's counts, in
 * order of index or else of twemproxy (shorter names first).
 *
 * Check values: weights 1, 2, 3, 5 give 56, 116, 172, 288 points; MD5("127.0.0.1:21001-0") gives
 * the points e8b65ed5 31434ef0 17005373 93f870b8.
 */
#include "core/mem.h"
#include "sharding/hash/md5.h"
#include "sharding/placement/order.h"
#include "sharding/placement/ring.h"
#include "sharding/placement/twemproxy.h"

#include <math.h>
#include <stdio.h>

/* The order of these operations, and their precision, is part of the recipe. */
unsigned evs__ketama_points(unsigned per_shard, unsigned weight, unsigned total, size_t count)
{
    float share = (float)weight / (float)total;
    float x = share * (float)per_shard;
    x = x / 4;
    x = x * (float)count;
    x = (float)((double)x + 0.0000000001);
    return (unsigned)floorf(x) * 4;
}

static void add_shard(evs__points *points, const evs__place *place, uint32_t number, unsigned count)
{
    char text[300];
    for (unsigned j = 0; j < count / 4; j++) {
        uint32_t words[4];
        int len = snprintf(text, sizeof text, "%s-%u", place->name, j);
        evs__md5(words, (evs_bytes){text, (size_t)len});
        for (int k = 0; k < 4; k++)
            evs__points_add(points, (uint64_t)words[k] << 32, number);
    }
}

static void *build(evs__arena *arena, const evs__layout *layout)
{
    unsigned total = 0;
    for (size_t i = 0; i < layout->count; i++)
        total += layout->places[i].weight;

    uint32_t *order = evs__places_order(arena, layout, EVS__BY_LENGTH);
    evs__points points = evs__points_new(layout->count * layout->points + 4 * layout->count);
    if (order == NULL || points.at == NULL) {
        evs__free(points.at);
        return NULL;
    }
    for (size_t i = 0; i < layout->count; i++) {
        const evs__place *place = &layout->places[order[i]];
        add_shard(&points, place, order[i],
                  evs__ketama_points(layout->points, place->weight, total, layout->count));
    }
    return evs__ring_make(arena, &points);
}

static size_t find(const void *built, uint64_t hash)
{
    return evs__ring_find(built, hash << 32);
}

const evs__placement evs__placement_ketama = {
    .name = "ketama",
    .hashes = evs__twemproxy_hashes,
    .takes = EVS__TAKES_WEIGHTS | EVS__TAKES_POINTS | EVS__TAKES_INDEX,
    .points = 160,
    .build = build,
    .find = find,
};
