/*
 * jump.c - jump consistent hash (Lamping and Veach, 2014), that of Guava. Shards are numbered and
 * come and go at the end only.
 *
 * Check value: the hash 2 is in bucket 3 of 4 and in 338 of 1,000.
 */
#include "sharding/placement/order.h"

typedef struct jump {
    int64_t count;
    const uint32_t *order;
} jump;

static void *build(evs__arena *arena, const evs__layout *layout)
{
    jump *j = evs__arena_alloc(arena, 1, sizeof *j);
    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    if (j == NULL || order == NULL)
        return NULL;
    *j = (jump){(int64_t)layout->count, order};
    return j;
}

/* The loop runs about ln(count) times: each step is a larger bucket. */
static size_t find(const void *built, uint64_t hash)
{
    const jump *j = built;
    int64_t bucket = -1, next = 0;
    while (next < j->count) {
        bucket = next;
        hash = hash * 2862933555777941757u + 1;
        next = (int64_t)((double)(bucket + 1) * (2147483648.0 / (double)((hash >> 33) + 1)));
    }
    return j->order[bucket];
}

static const evs__hash_choice hashes[] = {{"xxh64", &evs__hash_xxh64}, {NULL, NULL}};

const evs__placement evs__placement_jump = {
    .name = "jump",
    .hashes = hashes,
    .takes = EVS__NEEDS_INDEX,
    .build = build,
    .find = find,
};
