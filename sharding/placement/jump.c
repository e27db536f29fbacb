/*
 * jump.c - jump consistent hash (Lamping and Veach, 2014), that of Guava. Shards are numbered and
 * come and go at the end only.
 *
 * The recipe is in double precision: from bucket b to floor((b + 1) * factor), each factor being
 * 2^31 / r with a random r of 1 .. 2^31, until that is no bucket. `walk` follows it step by step,
 * and as each step waits for the one before, with whole numbers, in half the time: factors in units
 * of 2^-BITS. Such a product is too small by less than one unit for each of (b + 1), and the recipe
 * rounds by less than one, so both agree unless the product is that close below a whole number;
 * then the recipe itself is followed. Among few shards nearly all keys are leaped (leap.h).
 *
 * Check value: the hash 2 is in bucket 3 of 4 and in 338 of 1,000.
 */
#include "core/hash64.h"
#include "sharding/placement/leap.h"
#include "sharding/placement/order.h"

/* The product of a bucket and a factor below MOST has less than 64 bits. */
enum { BITS = 38, MOST = 1 << 13 };

typedef struct jump {
    size_t count;
    const uint32_t *order;
    evs__leap_fn *leap; /* NULL: there is none */
} jump;

static void *build(evs__arena *arena, const evs__layout *layout)
{
    jump *j = evs__arena_alloc(arena, 1, sizeof *j);
    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    if (j == NULL || order == NULL)
        return NULL;
    evs__leap_fn *leap = evs__leap_wide(layout->count);
    *j = (jump){layout->count, order, leap != NULL ? leap : evs__leap_plain(layout->count)};
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

/* The loop runs about ln(count) times: each step leads to a larger one. */
static __attribute__((noinline)) size_t walk(uint64_t hash, size_t count)
{
    uint64_t bucket = 0, next = 0;
    while (next < count) {
        bucket = next;
        next = step(bucket, 2147483648.0 / (double)((int64_t)(evs__jump_draw(&hash) >> 33) + 1));
    }
    return bucket;
}

static inline size_t find(const void *built, uint64_t hash)
{
    const jump *j = built;
    size_t bucket = j->leap == NULL ? EVS__NO_BUCKET : j->leap(hash, j->count);
    if (__builtin_expect(bucket == EVS__NO_BUCKET, 0))
        bucket = walk(hash, j->count);
    return j->order[bucket];
}

static size_t find_tag(const void *built, evs_bytes tag)
{
    return find(built, evs__xxh64_plain(tag));
}

static const evs__hash_choice hashes[] = {{"xxh64", &evs__hash_xxh64}, {NULL, NULL}};

const evs__placement evs__placement_jump = {
    .name = "jump",
    .hashes = hashes,
    .takes = EVS__NEEDS_INDEX,
    .build = build,
    .find = find,
    .find_tag = find_tag,
};
