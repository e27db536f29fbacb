/* Arenas: alignment, growth, limits of size, reset, and failing allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/mem.h"

static int aligned(const void *p)
{
    return (uintptr_t)p % EVS__ARENA_ALIGN == 0;
}

static void blocks_are_aligned_whatever_lies_before(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    for (size_t n = 0; n < 200; n++) {
        char *text = evs__arena_bytes(&arena, n % 23);
        assert_non_null(text);
        memset(text, 'x', n % 23);
        void *one = n % 2 ? evs__arena_alloc(&arena, 1, n) : evs__arena_one(&arena, 24);
        assert_non_null(one);
        assert_true(aligned(one));
        memset(one, 'y', n % 2 ? n : 24);
    }
    evs__arena_free(&arena);
}

/* Every block keeps what was written to it, across many sizes. */
static void blocks_do_not_overlap(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    evs__arena arena = EVS__ARENA_INIT;
    unsigned char *blocks[COUNT];
    size_t sizes[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = i * i % 3000;
        blocks[i] = i % 3 == 0 ? (unsigned char *)evs__arena_bytes(&arena, sizes[i])
                               : evs__arena_alloc(&arena, sizes[i], 1);
        assert_non_null(blocks[i]);
        memset(blocks[i], (int)(i & 255), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(blocks[i][k], i & 255);
    }
    evs__arena_free(&arena);
}

static void zalloc_clears(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    memset(evs__arena_alloc(&arena, 300, 1), 'x', 300);
    evs__arena_reset(&arena);
    const char *block = evs__arena_zalloc(&arena, 30, 10);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(block[i], 0);
    evs__arena_free(&arena);
}

static void products_that_overflow_are_refused(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    assert_null(evs__arena_alloc(&arena, SIZE_MAX, 2));
    assert_null(evs__arena_alloc(&arena, SIZE_MAX / 2 + 1, 1));
    assert_null(evs__arena_alloc(&arena, SIZE_MAX, 1));
    assert_null(evs__arena_bytes(&arena, SIZE_MAX));
    assert_null(evs__arena_text(&arena, "", SIZE_MAX));
    assert_null(evs__arena_zalloc(&arena, SIZE_MAX / 4, 8));
    assert_non_null(evs__arena_alloc(&arena, 0, SIZE_MAX));
    assert_non_null(evs__arena_alloc(&arena, SIZE_MAX, 0));
    evs__arena_free(&arena);
}

static void text_is_copied_and_terminated(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    char within[32] = "0123456789abcdefghij";
    assert_string_equal(evs__arena_text(&arena, "hello world", 5), "hello");
    assert_string_equal(evs__arena_text(&arena, NULL, 0), "");
    for (size_t len = 0; len <= 20; len++) {
        char *copy = evs__arena_text_within(&arena, within, len, sizeof within);
        assert_memory_equal(copy, within, len);
        assert_int_equal(copy[len], '\0');
        copy = evs__arena_text_within(&arena, within, len, len);
        assert_memory_equal(copy, within, len);
        assert_int_equal(copy[len], '\0');
    }
    assert_string_equal(evs__arena_format(&arena, "%s-%d", "a", 7), "a-7");
    assert_string_equal(evs__arena_format(&arena, "%s", ""), "");
    evs__arena_free(&arena);
}

static void reset_reuses_the_first_block(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__arena_reset(&arena);
    assert_null(arena.blocks);
    const void *first = evs__arena_alloc(&arena, 10, 1);
    for (int i = 0; i < 50; i++)
        assert_non_null(evs__arena_alloc(&arena, 1000, 1));
    assert_true(arena.used >= 50000);
    evs__arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    evs__mem_fail_at(1); /* no allocation is needed */
    assert_ptr_equal(evs__arena_alloc(&arena, 10, 1), first);
    evs__mem_fail_at(0);
    evs__arena_free(&arena);
    evs__arena_free(&arena);
}

static void reset_does_not_keep_a_large_block(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    assert_non_null(evs__arena_alloc(&arena, 1, 1 << 20));
    evs__arena_reset(&arena);
    assert_null(arena.blocks);
    assert_non_null(evs__arena_alloc(&arena, 1, 10));
    evs__arena_free(&arena);
}

#ifdef EVS__ARENA_POISONED
#include <sanitizer/asan_interface.h>

static void nothing_but_what_was_given_may_be_touched(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    char *block = evs__arena_alloc(&arena, 1, 13), *text = evs__arena_bytes(&arena, 5);
    assert_null(__asan_region_is_poisoned(block, 13));
    assert_null(__asan_region_is_poisoned(text, 5));
    assert_true(__asan_address_is_poisoned(block + 13));
    assert_true(__asan_address_is_poisoned(text + 5));
    evs__arena_reset(&arena);
    assert_true(__asan_address_is_poisoned(block));
    assert_true(__asan_address_is_poisoned(text));
    evs__arena_free(&arena);
}
#endif

static void a_failed_allocation_leaves_the_arena_usable(void **state)
{
    (void)state;
    for (size_t n = 1; n < 8; n++) {
        evs__arena arena = EVS__ARENA_INIT;
        size_t got = 0;
        evs__mem_fail_at(n);
        for (int i = 0; i < 100; i++)
            got += evs__arena_alloc(&arena, 1000, 1) != NULL;
        evs__mem_fail_at(0);
        assert_true(got < 100);
        char *late = evs__arena_text(&arena, "late", 4);
        assert_string_equal(late, "late");
        evs__arena_free(&arena);
    }
}

static void recycling_keeps_the_memory_as_one_block(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__arena_recycle(&arena);
    assert_non_null(evs__arena_alloc(&arena, 100, 1));
    for (int round = 0; round < 3; round++) {
        evs__mem_fail_at(0);
        for (int i = 0; i < 1000; i++)
            memset(evs__arena_alloc(&arena, 100, 1), 'x', 100);
        assert_true(round == 0 || evs__mem_count() == 0);
        evs__arena_recycle(&arena);
        assert_int_equal(arena.used, 0);
    }
    evs__arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_whatever_lies_before),
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(zalloc_clears),
        cmocka_unit_test(products_that_overflow_are_refused),
        cmocka_unit_test(text_is_copied_and_terminated),
        cmocka_unit_test(reset_reuses_the_first_block),
        cmocka_unit_test(reset_does_not_keep_a_large_block),
#ifdef EVS__ARENA_POISONED
        cmocka_unit_test(nothing_but_what_was_given_may_be_touched),
#endif
        cmocka_unit_test(a_failed_allocation_leaves_the_arena_usable),
        cmocka_unit_test(recycling_keeps_the_memory_as_one_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
