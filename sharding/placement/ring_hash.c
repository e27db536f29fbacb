/*
 * ring_hash.c - Envoy's ring: as many points as ring_size says, dealt by weight, each the hash of
 * "NAME_j". Of equal points the first shard's counts, in order of name; Envoy leaves that open.
 *
 * With the default size a ring of n equal shards has ceil(1024 / n) points each, so most points
 * change their owner's share when a shard comes: keys move that need not.
 */
#include "core/mem.h"
#include "sharding/placement/order.h"
#include "sharding/placement/ring.h"

#include <math.h>
#include <stdio.h>

static const double largest_ring = 8388608;

static double share(const evs__layout *layout, size_t i, double total)
{
    return layout->places[i].weight / total;
}

/* How many points one shard of all the weight would have. */
static double scale_of(const evs__layout *layout, double total)
{
    double least = 1;
    for (size_t i = 0; i < layout->count; i++)
        least = fmin(least, share(layout, i, total));
    return fmin(ceil(least * layout->size) / least, largest_ring);
}

static void deal(evs__points *points, const evs__layout *layout, const uint32_t *order,
                 double total)
{
    char text[300];
    double scale = scale_of(layout, total), target = 0;
    for (size_t i = 0; i < layout->count; i++) {
        target += scale * share(layout, order[i], total);
        for (unsigned j = 0; (double)points->count < target; j++) {
            int len = snprintf(text, sizeof text, "%s_%u", layout->places[order[i]].name, j);
            evs_bytes name = {text, (size_t)len};
            evs__points_add(points, layout->ring_hash->of(name), order[i]);
        }
    }
}

static void *build(evs__arena *arena, const evs__layout *layout)
{
    double total = 0;
    for (size_t i = 0; i < layout->count; i++)
        total += layout->places[i].weight;

    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    size_t room = (size_t)ceil(scale_of(layout, total)) + layout->count;
    evs__points points = evs__points_new(room);
    if (order == NULL || points.at == NULL) {
        evs__free(points.at);
        return NULL;
    }
    deal(&points, layout, order, total);
    return evs__ring_make(arena, &points);
}

static size_t find(const void *built, uint64_t hash)
{
    return evs__ring_find(built, hash);
}

static const evs__hash_choice hashes[] = {{"murmur64a", &evs__hash_murmur64a_envoy}, {NULL, NULL}};

static const evs__hash_choice point_hashes[] = {
    {"xxh64", &evs__hash_xxh64}, {"murmur64a", &evs__hash_murmur64a_envoy}, {NULL, NULL}};

const evs__placement evs__placement_ring_hash = {
    .name = "ring_hash",
    .hashes = hashes,
    .point_hashes = point_hashes,
    .takes = EVS__TAKES_WEIGHTS | EVS__TAKES_RING | EVS__TAKES_INDEX,
    .size = 1024,
    .build = build,
    .find = find,
};
