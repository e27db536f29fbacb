/*
 * jump.c - jump consistent hash (Lamping and Veach, 2014), that of Guava. Shards are numbered and
 * come and go at the end only.
 *
 * The recipe is in double precision: from bucket b to floor((b + 1) * factor), each factor being
 * 2^31 / r with a random r of 1 .. 2^31. As each step waits for the one before, it is made with
 * whole numbers, in half the time: factors in units of 2^-BITS. Such a product is too small by less
 * than one unit for each of (b + 1), and the recipe rounds by less than one, so both agree unless
 * the product is that close below a whole number; then the recipe itself is followed.
 *
 * Check value: the hash 2 is in bucket 3 of 4 and in 338 of 1,000.
 */
#include "sharding/placement/order.h"

/* The product of a bucket and a factor below MOST has less than 64 bits. */
enum { BITS = 38, MOST = 1 << 13 };

typedef struct jump {
    uint64_t count;
    const uint32_t *order;
} jump;

static void *build(evs__arena *arena, const evs__layout *layout)
{
    jump *j = evs__arena_alloc(arena, 1, sizeof *j);
    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    if (j == NULL || order == NULL)
        return NULL;
    *j = (jump){layout->count, order};
    return j;
}

static uint64_t step(uint64_t bucket, double factor)
{
    if (bucket < MOST && factor < MOST) {
        uint64_t product = (bucket + 1) * (uint64_t)(int64_t)(factor * (double)(1ll << BITS));
        if ((product & ((1ull << BITS) - 1)) < (1ull << BITS) - MOST)
            return product >> BITS;
    }
    return (uint64_t)(int64_t)((double)(bucket + 1) * factor);
}

/* The loop runs about ln(count) times: each step leads to a larger bucket. */
static size_t find(const void *built, uint64_t hash)
{
    const jump *j = built;
    uint64_t bucket = 0, next = 0;
    while (next < j->count) {
        bucket = next;
        hash = hash * 2862933555777941757u + 1;
        next = step(bucket, 2147483648.0 / (double)((int64_t)(hash >> 33) + 1));
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
