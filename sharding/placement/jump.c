/*
 * jump.c - jump consistent hash (Lamping and Veach, 2014), that of Guava. Shards are numbered and
 * come and go at the end only.
 *
 * The recipe is in double precision: from bucket b to floor((b + 1) * factor), each factor being
 * 2^31 / r with a random r of 1 .. 2^31, until that is no bucket. `walk` follows it step by step,
 * and as each step waits for the one before, with whole numbers, in half the time: factors in units
 * of 2^-BITS. Such a product is too small by less than one unit for each of (b + 1), and the recipe
 * rounds by less than one, so both agree unless the product is that close below a whole number;
 * then the recipe itself is followed.
 *
 * Where a walk ends no processor foretells, and being wrong costs it more than some steps. So among
 * up to FEW shards `leap` always makes as many steps, enough for nearly all keys, and looks then
 * which one was the last. It makes them twice at once: a factor in units of 2^-FINE, taken from
 * single precision, is too small by less than 0.8 for each whole in it, and 1 for its own rounding.
 * So a product is less than 0.8 * FEW + FEW < SLACK units too small as long as the result is a
 * bucket. One path takes products as they are, hence never gets ahead of the recipe; the other adds
 * SLACK and never falls behind. Each step grows what is between them, so where they agree in the
 * end the recipe agrees with both, and where they do not, one key in some hundred, it is walked.
 *
 * Check value: the hash 2 is in bucket 3 of 4 and in 338 of 1,000.
 */
#include "core/hash64.h"
#include "sharding/placement/order.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The product of a bucket and a factor below MOST has less than 64 bits. */
enum { BITS = 38, MOST = 1 << 13 };

/* Of `leap`. A factor beyond FEW has the value FEW. */
enum { FEW = 1 << 10, FINE = 21, SLACK = 1 << 11, STEPS = 12 };

typedef struct jump {
    uint64_t count;
    const uint32_t *order;
    size_t steps; /* of a leap: 4, 8 or 12; 0: too many shards */
} jump;

/* All but 1% of the keys need no more; 3% with FEW. */
static size_t steps_among(size_t count)
{
    if (count > FEW)
        return 0;
    return count <= 5 ? 4 : (count <= 40 ? 8 : STEPS);
}

static void *build(evs__arena *arena, const evs__layout *layout)
{
    jump *j = evs__arena_alloc(arena, 1, sizeof *j);
    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    if (j == NULL || order == NULL)
        return NULL;
    *j = (jump){layout->count, order, steps_among(layout->count)};
    return j;
}

static inline uint64_t draw(uint64_t *hash)
{
    return *hash = *hash * 2862933555777941757u + 1;
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

/* From bucket `next` on. The loop runs about ln(count) times: each step leads to a larger one. */
static __attribute__((noinline)) size_t walk(const jump *j, uint64_t hash, uint64_t next)
{
    uint64_t bucket = next;
    while (next < j->count) {
        bucket = next;
        next = step(bucket, 2147483648.0 / (double)((int64_t)(draw(&hash) >> 33) + 1));
    }
    return j->order[bucket];
}

#ifdef __SSE2__
static inline __m128i two_draws(uint64_t *hash)
{
    __m128i one = _mm_cvtsi64_si128((long long)draw(hash));
    return _mm_unpacklo_epi64(one, _mm_cvtsi64_si128((long long)draw(hash)));
}

/* In units of 2^-FINE; made a little smaller than single precision can make them larger. The r of
 * each are negative meanwhile, as 2^31 has no place among whole numbers of 32 bits. */
static inline __m128i four_factors(uint64_t *hash)
{
    const __m128 dividend = _mm_set1_ps(-0x1p52f * (1 - 0x1p-22f));
    __m128 ab = _mm_castsi128_ps(two_draws(hash)), cd = _mm_castsi128_ps(two_draws(hash));
    __m128i high = _mm_castps_si128(_mm_shuffle_ps(ab, cd, _MM_SHUFFLE(3, 1, 3, 1)));
    __m128i r = _mm_xor_si128(_mm_srli_epi32(high, 1), _mm_set1_epi32(-1));
    return _mm_cvttps_epi32(_mm_div_ps(dividend, _mm_cvtepi32_ps(r)));
}

/* Bucket + 1 on both paths, the slow one first. */
typedef struct paths {
    __m128i now;
    uint64_t at[STEPS + 3][2]; /* behind each step */
} paths;

static inline void advance(paths *p, size_t number, __m128i factor)
{
    const __m128i more = _mm_set_epi64x((1 << FINE) + SLACK, 1 << FINE);
    __m128i product = _mm_mul_epu32(p->now, factor);
    p->now = _mm_srli_epi64(_mm_add_epi64(product, more), FINE);
    _mm_storeu_si128((__m128i *)(void *)p->at[number], p->now);
}

static inline void four_steps(paths *p, size_t before, uint64_t *hash)
{
    __m128i factors = four_factors(hash);
    advance(p, before + 1, _mm_shuffle_epi32(factors, 0x00));
    advance(p, before + 2, _mm_shuffle_epi32(factors, 0x55));
    advance(p, before + 3, _mm_shuffle_epi32(factors, 0xaa));
    advance(p, before + 4, _mm_shuffle_epi32(factors, 0xff));
}

static inline uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The number of the last step to a bucket. Behind it are three numbers that are no bucket, and only
 * then perhaps what overflowed, so it is looked for in threes. */
static inline size_t last_step(const paths *p, size_t steps, uint64_t count)
{
    uint64_t most = p->at[3][0];
    size_t last = most <= count ? 3 : 0;
    if (steps > 4) {
        most = larger(most, p->at[6][0]);
        last += most <= count ? 3 : 0;
    }
    if (steps > 8) {
        most = larger(most, p->at[9][0]);
        last += most <= count ? 3 : 0;
        most = larger(most, p->at[12][0]);
        last += most <= count ? 3 : 0;
    }
    const uint64_t(*rest)[2] = &p->at[last];
    return last + (rest[1][0] <= count) + (rest[2][0] <= count);
}

/* Each time with another constant for `steps`. */
static inline __attribute__((always_inline)) size_t leap(const jump *j, uint64_t hash, size_t steps)
{
    paths p;
    uint64_t start = hash;
    p.now = _mm_set1_epi64x(1);
    p.at[0][0] = p.at[0][1] = 1;
    four_steps(&p, 0, &hash);
    if (steps > 4)
        four_steps(&p, 4, &hash);
    if (steps > 8)
        four_steps(&p, 8, &hash);
    p.at[steps + 1][0] = p.at[steps + 2][0] = UINT64_MAX;

    size_t last = last_step(&p, steps, j->count);
    if (__builtin_expect(p.at[last][0] != p.at[last][1], 0))
        return walk(j, start, 0);
    if (__builtin_expect(last == steps, 0))
        return walk(j, hash, p.at[last][0] - 1);
    return j->order[p.at[last][0] - 1];
}
#endif

static inline size_t find(const void *built, uint64_t hash)
{
    const jump *j = built;
#ifdef __SSE2__
    switch (j->steps) {
    case 4:
        return leap(j, hash, 4);
    case 8:
        return leap(j, hash, 8);
    case STEPS:
        return leap(j, hash, STEPS);
    default:
        break;
    }
#endif
    return walk(j, hash, 0);
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
