/* Allocation: products, empty arrays, failures on demand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem.h"
#include <cmocka.h>

#include <string.h>

static void products_that_overflow_give_nothing(void **state)
{
    (void)state;
    assert_null(evs__alloc_array(SIZE_MAX, 2));
    assert_null(evs__zalloc_array(SIZE_MAX / 2, 3));
    char *block = evs__alloc_array(2, 2);
    assert_null(evs__realloc_array(block, SIZE_MAX, 8));
    evs__free(block);
    assert_null(evs__copy_text("", SIZE_MAX));
}

static void empty_arrays_are_valid(void **state)
{
    (void)state;
    void *a = evs__alloc_array(0, 8), *b = evs__zalloc_array(8, 0);
    void *c = evs__realloc_array(NULL, 0, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    c = evs__realloc_array(c, 0, 1);
    assert_non_null(c);
    evs__free(a);
    evs__free(b);
    evs__free(c);
    evs__free(NULL);
}

static void zalloc_clears_and_realloc_keeps(void **state)
{
    (void)state;
    char *block = evs__zalloc_array(10, 10);
    for (int i = 0; i < 100; i++)
        assert_int_equal(block[i], 0);
    memcpy(block, "kept", 5);
    block = evs__realloc_array(block, 1000, 10);
    assert_string_equal(block, "kept");
    evs__free(block);
}

static void text_is_copied_and_terminated(void **state)
{
    (void)state;
    char *text = evs__copy_text("hello world", 5);
    assert_string_equal(text, "hello");
    evs__free(text);
    text = evs__copy_text(NULL, 0);
    assert_string_equal(text, "");
    evs__free(text);
}

static void allocations_fail_from_the_chosen_one_on(void **state)
{
    (void)state;
    evs__mem_fail_at(2);
    void *first = evs__alloc_array(1, 1);
    assert_non_null(first);
    assert_null(evs__zalloc_array(1, 1));
    assert_null(evs__realloc_array(first, 2, 1));
    assert_null(evs__copy_text("x", 1));
    assert_int_equal(evs__mem_count(), 4);
    evs__mem_fail_at(0);
    assert_int_equal(evs__mem_count(), 0);
    evs__free(first);
    first = evs__alloc_array(1, 1);
    assert_non_null(first);
    evs__free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_that_overflow_give_nothing),
        cmocka_unit_test(empty_arrays_are_valid),
        cmocka_unit_test(zalloc_clears_and_realloc_keeps),
        cmocka_unit_test(text_is_copied_and_terminated),
        cmocka_unit_test(allocations_fail_from_the_chosen_one_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
