/*
 * Look-ups in a ring against the plainest search there is: the first point at or behind a value,
 * of equal ones the first that was added.
 */
#include "core/mem.h"
#include "sharding/placement/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

enum { MOST = 5000, MANY = 150000 };

/* xorshift64, for numbers that are the same every time. */
static uint64_t draw(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static size_t plain_search(const evs__point *points, size_t n, uint64_t value)
{
    size_t best = n, least = 0;
    for (size_t i = 0; i < n; i++) {
        if (points[i].value >= value && (best == n || points[i].value < points[best].value))
            best = i;
        if (points[i].value < points[least].value)
            least = i;
    }
    return points[best == n ? least : best].owner;
}

/* What is asked of a ring of narrow points is narrow; `times` at random, and as often around a
 * point. */
static void compare(const evs__point *points, size_t n, size_t times, uint64_t step)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__points collected = evs__points_new(n);
    assert_non_null(collected.at);
    for (size_t i = 0; i < n; i++)
        evs__points_add(&collected, points[i].value, points[i].owner);
    const evs__ring *ring = evs__ring_make(&arena, &collected);
    assert_non_null(ring);

    uint64_t seed = 362436069;
    for (size_t i = 0; i < times; i++) {
        uint64_t value = draw(&seed) & -step, near = points[i * 31 % n].value;
        assert_int_equal(evs__ring_find(ring, value), plain_search(points, n, value));
        for (uint64_t at = near - step; at != near + 2 * step; at += step)
            assert_int_equal(evs__ring_find(ring, at), plain_search(points, n, at));
    }
    assert_int_equal(evs__ring_find(ring, 0), plain_search(points, n, 0));
    assert_int_equal(evs__ring_find(ring, -step), plain_search(points, n, -step));
    evs__arena_free(&arena);
}

/* Points of a kind: `mask` cuts bits off, which makes equal ones or crowds them; all that is asked
 * for are multiples of `step`. */
static void compare_kind(uint64_t mask, uint64_t add, uint64_t step)
{
    static const size_t sizes[] = {1, 2, 3, 17, 160, 1024, MOST};
    evs__point *points = calloc(MOST, sizeof *points);
    assert_non_null(points);
    uint64_t seed = 88172645463325252u;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t i = 0; i < sizes[s]; i++)
            points[i] = (evs__point){(draw(&seed) & mask) + add, (uint32_t)i};
        compare(points, sizes[s], 300, step);
    }
    free(points);
}

static void points_spread_over_the_circle(void **state)
{
    (void)state;
    compare_kind(UINT64_MAX, 0, 1);
    compare_kind(0xffffffff00000000u, 0, 1ull << 32);
}

/* Those of many narrow points do without whole values. */
static void rings_of_many_points(void **state)
{
    (void)state;
    evs__point *points = calloc(MANY, sizeof *points);
    assert_non_null(points);
    uint64_t seed = 521288629;
    for (unsigned wide = 0; wide < 2; wide++) {
        for (size_t i = 0; i < MANY; i++)
            points[i] = (evs__point){draw(&seed) & (wide ? UINT64_MAX : 0xffffffff00000000u),
                                     (uint32_t)(i % 1000)};
        compare(points, MANY, 50, wide ? 1 : 1ull << 32);
    }
    free(points);
}

static void equal_points_belong_to_the_first(void **state)
{
    (void)state;
    compare_kind(0xff00000000000000u, 0, 1ull << 32);
    compare_kind(0xff00000000000000u, 1, 1);
    compare_kind(0, 7, 1);
}

static void crowded_arcs(void **state)
{
    (void)state;
    compare_kind(0xffff, 0, 1);
    compare_kind(0xffff, 0xffffffffffff0000u, 1);
    compare_kind(0xff, 1ull << 63, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_spread_over_the_circle),
        cmocka_unit_test(rings_of_many_points),
        cmocka_unit_test(equal_points_belong_to_the_first),
        cmocka_unit_test(crowded_arcs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
