/*
 * leap_wide.c - a leap in double precision, a single operation from step to step.
 *
 * Numbers from 2^52 on have no fractions. So u, the bucket + 1, is kept as 2^52 + u, and a step is
 *
 *     u = (2^52 + u) * factor + (2^52 - 2^52 * factor), rounded once, and up
 *
 * where what is in the second parentheses is exact, because a factor of 1 or more, less 1, is. So
 * the next u is u * factor rounded up, where the recipe rounds down and adds 1. That is the same
 * unless the product is a whole number. It stands for u * 2^31 / r. When that is not whole, it is
 * 1 / r >= 2^-31 at least away from what is, and double precision is off by less than 2^-40 as long
 * as the result is a bucket. When it is whole, r is 2^k times an odd divisor of u, so the result is
 * 2^(31 - k) times a whole number; and as that is 2^10 at most where it matters, k is 21 at least.
 * A hash with such an r, one in 130,000 at most, is left to the walk.
 */
#include "sharding/placement/leap.h"

#if defined __x86_64__ && defined __GNUC__

#include <cpuid.h>
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma")))

enum { MOST_STEPS = 14, DOUBTFUL = (1 << 21) - 1 };

/* The bits of 2^52: those of 2^52 + u are this and u. */
static const uint64_t origin = 0x4330000000000000;

/* A draw is multiplied by M and 1 is added. Four draws at once are those of the next four, and so
 * the first four are those of the hash. */
#define M 2862933555777941757u
static const uint64_t powers[4] = {M, M *M, M *M *M, M *M *M *M};
static const uint64_t sums[4] = {1, 1 + M, 1 + M + M *M, 1 + M + M *M + M *M *M};

typedef struct steps {
    double factors[MOST_STEPS + 2], others[MOST_STEPS + 2];
    uint64_t at[MOST_STEPS + 1]; /* behind each step */
} steps;

/* Four factors of four draws, and what is added to the product. Not 0 when one is doubtful. */
WIDE static inline unsigned prepare(steps *s, size_t first, __m256i draws)
{
    const __m256d one = _mm256_set1_pd(0x1p52), dividend = _mm256_set1_pd(0x1p31);
    __m256i r = _mm256_add_epi64(_mm256_srli_epi64(draws, 33), _mm256_set1_epi64x(1));
    __m256d factors = _mm256_div_pd(dividend, _mm256_cvtepi64_pd(r));
    _mm256_storeu_pd(s->factors + first, factors);
    _mm256_storeu_pd(s->others + first, _mm256_fnmadd_pd(one, factors, one));
    return _mm256_testn_epi64_mask(r, _mm256_set1_epi64x(DOUBTFUL));
}

WIDE static inline unsigned prepare_all(steps *s, uint64_t hash, size_t count)
{
    unsigned doubtful = 0;
    const __m256i add = _mm256_loadu_si256((const __m256i *)(const void *)sums);
    __m256i from = _mm256_set1_epi64x((long long)hash);
    __m256i by = _mm256_loadu_si256((const __m256i *)(const void *)powers);
#pragma GCC unroll 16
    for (size_t i = 0; i < count; i += 4) {
        __m256i draws = _mm256_add_epi64(_mm256_mullo_epi64(from, by), add);
        doubtful |= prepare(s, i, draws);
        from = _mm256_permute4x64_epi64(draws, 0xff);
    }
    return doubtful;
}

WIDE static inline void make(steps *s, size_t count)
{
    __m128d now = _mm_set_sd(0x1p52 + 1);
    s->at[0] = origin + 1;
#pragma GCC unroll 16
    for (size_t i = 0; i < count; i++) {
        now = _mm_fmadd_round_sd(now, _mm_load_sd(s->factors + i), _mm_load_sd(s->others + i),
                                 _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
        s->at[i + 1] = (uint64_t)_mm_cvtsi128_si64(_mm_castpd_si128(now));
    }
}

/* The number of the last step to a bucket. Steps only grow, so it is looked for in threes; there
 * are two more than threes. */
static inline __attribute__((always_inline)) size_t last_step(const steps *s, size_t count,
                                                              uint64_t most)
{
    size_t last = 0;
#pragma GCC unroll 16
    for (size_t i = 3; i <= count; i += 3)
        last += s->at[i] <= most ? 3 : 0;
    const uint64_t *rest = s->at + last;
    return last + (rest[1] <= most) + (rest[2] <= most);
}

/* Each time with another constant for `count`. */
WIDE static inline __attribute__((always_inline)) size_t leap(uint64_t hash, size_t buckets,
                                                              size_t count)
{
    steps s;
    unsigned doubtful = prepare_all(&s, hash, count);
    make(&s, count);
    size_t last = last_step(&s, count, origin + buckets);
    if (__builtin_expect(doubtful != 0 || last == count, 0))
        return EVS__NO_BUCKET;
    return s.at[last] - origin - 1;
}

WIDE static size_t leap_5(uint64_t hash, size_t count)
{
    return leap(hash, count, 5);
}

WIDE static size_t leap_8(uint64_t hash, size_t count)
{
    return leap(hash, count, 8);
}

WIDE static size_t leap_11(uint64_t hash, size_t count)
{
    return leap(hash, count, 11);
}

WIDE static size_t leap_14(uint64_t hash, size_t count)
{
    return leap(hash, count, MOST_STEPS);
}

/* The system keeps registers of all widths when it changes threads. */
__attribute__((target("xsave"))) static int keeps_registers(void)
{
    const long long all = 0xe6;
    return (_xgetbv(0) & all) == all;
}

/* As __builtin_cpu_supports, which brings globals with it. */
static int is_there(void)
{
    const unsigned all = bit_AVX2 | bit_AVX512F | bit_AVX512DQ | bit_AVX512VL;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_OSXSAVE) == 0 || (c & bit_FMA) == 0 ||
        !keeps_registers())
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & all) == all;
}

/* All but 1% of the hashes need no more steps. */
evs__leap_fn *evs__leap_wide(size_t count)
{
    if (count > EVS__LEAP_MOST || !is_there())
        return NULL;
    if (count <= 40)
        return count <= 8 ? leap_5 : leap_8;
    return count <= 200 ? leap_11 : leap_14;
}

#else

evs__leap_fn *evs__leap_wide(size_t count)
{
    (void)count;
    return NULL;
}

#endif
