/*
 * Jump consistent hash against the plain loop that was published, in double precision: keys at
 * random among shards of any number, and keys whose draws are the ones to get wrong. Likewise each
 * leap that there is for the processor, whichever of them the placement takes.
 */
#include "sharding/placement.h"
#include "sharding/placement/leap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

enum { MOST = 5000 };

static const uint64_t multiplier = 2862933555777941757u;

/* xorshift64, for numbers that are the same every time. */
static uint64_t random_number(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static size_t published(uint64_t hash, int64_t count)
{
    int64_t bucket = -1, next = 0;
    while (next < count) {
        bucket = next;
        hash = hash * multiplier + 1;
        next = (int64_t)((double)(bucket + 1) * (2147483648.0 / (double)((hash >> 33) + 1)));
    }
    return (size_t)bucket;
}

enum { LEAPS = 2 };

typedef struct numbered {
    const evs__placement *jump;
    evs__arena arena;
    void *built;
    size_t count;
    evs__leap_fn *leaps[LEAPS]; /* NULL: there is none */
    size_t walked[LEAPS];       /* hashes that they left */
} numbered;

static numbered place(size_t count)
{
    numbered n = {.jump = evs__placement_find("jump"), .count = count};
    evs__place *places = calloc(count, sizeof *places);
    assert_non_null(places);
    for (size_t i = 0; i < count; i++)
        places[i] = (evs__place){"", 1, (unsigned)i, NULL, 0};
    evs__layout layout = {.places = places, .count = count, .numbered = 1};
    n.built = n.jump->build(&n.arena, &layout);
    assert_non_null(n.built);
    free(places);
    n.leaps[0] = evs__leap_plain(count);
    n.leaps[1] = evs__leap_wide(count);
    return n;
}

static void compare(numbered *n, uint64_t hash)
{
    size_t found = n->jump->find(n->built, hash), right = published(hash, (int64_t)n->count);
    if (found != right)
        fail_msg("%llu among %zu: %zu, not %zu", (unsigned long long)hash, n->count, found, right);
    for (size_t i = 0; i < LEAPS; i++) {
        found = n->leaps[i] == NULL ? EVS__NO_BUCKET : n->leaps[i](hash, n->count);
        n->walked[i] += found == EVS__NO_BUCKET;
        if (found != EVS__NO_BUCKET && found != right)
            fail_msg("%llu among %zu: leap %zu ends at %zu, not %zu", (unsigned long long)hash,
                     n->count, i, found, right);
    }
}

static void compare_many(size_t count, size_t keys, uint64_t *seed)
{
    numbered n = place(count);
    for (size_t k = 0; k < keys; k++)
        compare(&n, random_number(seed));
    evs__arena_free(&n.arena);
}

static void keys_at_random_among_any_number(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (size_t i = 0; i < 400; i++) {
        compare_many(random_number(&seed) % MOST + 1, 2500, &seed);
        compare_many(random_number(&seed) % 1024 + 1, 2500, &seed);
    }
}

static void keys_at_random_where_the_way_to_find_them_changes(void **state)
{
    (void)state;
    static const size_t counts[] = {1,    2,    3,    4,    5,    6,    7,    8,
                                    9,    39,   40,   41,   42,   100,  200,  201,
                                    1000, 1023, 1024, 1025, 4096, 8191, 8193, 100000};
    uint64_t seed = 362436069;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        compare_many(counts[i], 50000, &seed);
}

static void few_keys_at_random_are_not_leaped_with(void **state)
{
    (void)state;
    enum { KEYS = 20000, FEW = KEYS / 20 };
    static const size_t counts[] = {1, 2, 5, 8, 9, 40, 41, 200, 201, 1000, 1024};
    uint64_t seed = 123456789;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        numbered n = place(counts[i]);
        for (size_t k = 0; k < KEYS; k++)
            compare(&n, random_number(&seed));
        for (size_t l = 0; l < LEAPS; l++)
            assert_true(n.leaps[l] == NULL || n.walked[l] < FEW);
        evs__arena_free(&n.arena);
    }
}

/* The hash whose draw number `steps` is the given one: Newton's iteration doubles the bits of the
 * inverse, of which the multiplier itself has three. */
static uint64_t hash_before(uint64_t draw, unsigned steps)
{
    uint64_t inverse = multiplier;
    for (int i = 0; i < 5; i++)
        inverse *= 2 - multiplier * inverse;
    for (unsigned i = 0; i < steps; i++)
        draw = (draw - 1) * inverse;
    return draw;
}

/* Factors 2^31 / r: the largest and the smallest, powers of two, thirds and 49ths, around the
 * largest that is told from larger ones; with each, many draws before it. */
static void draws_that_are_easy_to_get_wrong(void **state)
{
    (void)state;
    static const uint64_t around[] = {1,        2,        1u << 10, 1u << 20,   1u << 21,
                                      1u << 22, 1u << 30, 1u << 31, 49u << 21,  49u << 25,
                                      3u << 28, 3u << 29, 7u << 24, 103u << 20, 1000u << 11};
    static const size_t counts[] = {3, 10, 49, 100, 1000, 1024, 4096};
    uint64_t seed = 521288629;
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        numbered n = place(counts[c]);
        for (size_t i = 0; i < sizeof around / sizeof around[0] * 3; i++) {
            uint64_t r = around[i / 3] + i % 3 - 1;
            for (unsigned k = 0; k < 15 * 40 && r - 1 <= INT32_MAX; k++) {
                uint64_t draw = (r - 1) << 33 | random_number(&seed) >> 31;
                compare(&n, hash_before(draw, k % 15 + 1));
            }
        }
        evs__arena_free(&n.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_at_random_among_any_number),
        cmocka_unit_test(keys_at_random_where_the_way_to_find_them_changes),
        cmocka_unit_test(few_keys_at_random_are_not_leaped_with),
        cmocka_unit_test(draws_that_are_easy_to_get_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
