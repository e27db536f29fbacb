/*
 * leap_plain.c - a leap with whole numbers.
 *
 * It makes all steps twice at once: a factor in units of 2^-FINE, taken from single precision, is
 * too small by less than 0.8 for each whole in it, and 1 for its own rounding. So a product is less
 * than 0.8 * MOST + MOST < SLACK units too small as long as the result is a bucket. One path takes
 * products as they are, hence never gets ahead of the recipe; the other adds SLACK and never falls
 * behind. Each step grows what is between them, so where they agree in the end the recipe agrees
 * with both, and where they do not, the hash is walked.
 */
#include "sharding/placement/leap.h"

#ifdef __SSE2__

#include <emmintrin.h>

/* A factor beyond EVS__LEAP_MOST has that value. */
enum { FINE = 21, SLACK = 2 * EVS__LEAP_MOST, MOST_STEPS = 12 };

static inline __m128i two_draws(uint64_t *hash)
{
    __m128i one = _mm_cvtsi64_si128((long long)evs__jump_draw(hash));
    return _mm_unpacklo_epi64(one, _mm_cvtsi64_si128((long long)evs__jump_draw(hash)));
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
    uint64_t at[MOST_STEPS + 3][2]; /* behind each step */
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
static inline size_t last_step(const paths *p, size_t steps, size_t count)
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

static inline __attribute__((always_inline)) size_t leap(uint64_t hash, size_t count, size_t steps)
{
    paths p;
    p.now = _mm_set1_epi64x(1);
    p.at[0][0] = p.at[0][1] = 1;
    four_steps(&p, 0, &hash);
    if (steps > 4)
        four_steps(&p, 4, &hash);
    if (steps > 8)
        four_steps(&p, 8, &hash);
    p.at[steps + 1][0] = p.at[steps + 2][0] = UINT64_MAX;

    size_t last = last_step(&p, steps, count);
    if (__builtin_expect(p.at[last][0] != p.at[last][1] || last == steps, 0))
        return EVS__NO_BUCKET;
    return p.at[last][0] - 1;
}

static size_t leap_4(uint64_t hash, size_t count)
{
    return leap(hash, count, 4);
}

static size_t leap_8(uint64_t hash, size_t count)
{
    return leap(hash, count, 8);
}

static size_t leap_12(uint64_t hash, size_t count)
{
    return leap(hash, count, MOST_STEPS);
}

/* All but 1% of the hashes need no more steps, and 3% with the most buckets. */
evs__leap_fn *evs__leap_plain(size_t count)
{
    if (count > EVS__LEAP_MOST)
        return NULL;
    return count <= 5 ? leap_4 : (count <= 40 ? leap_8 : leap_12);
}

#else

evs__leap_fn *evs__leap_plain(size_t count)
{
    (void)count;
    return NULL;
}

#endif
