/* Sets of small numbers: what is in them, and what lies beyond. */
#include "core/bits.h"
#include "core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void numbers_come_and_go(void **state)
{
    (void)state;
    static const size_t ids[] = {0, 63, 64, 127};
    uint64_t *bits = NULL;
    assert_true(evs__bits_grow(&bits, 0, 2));
    for (size_t i = 0; i < 4; i++) {
        assert_false(evs__bits_have(bits, 2, ids[i]));
        evs__bits_set(bits, ids[i]);
        assert_true(evs__bits_have(bits, 2, ids[i]));
    }
    evs__bits_clear(bits, 2, 63);
    assert_false(evs__bits_have(bits, 2, 63));
    assert_true(evs__bits_have(bits, 2, 64));
    evs__free(bits);
}

static void what_lies_beyond_is_not_in_it(void **state)
{
    (void)state;
    assert_false(evs__bits_have(NULL, 0, 0));
    evs__bits_clear(NULL, 0, 5);
    uint64_t one[1] = {UINT64_MAX};
    assert_false(evs__bits_have(one, 1, 64));
    evs__bits_clear(one, 1, 64);
    assert_true(one[0] == UINT64_MAX);
}

static void longer_ones_keep_what_they_have(void **state)
{
    (void)state;
    uint64_t *bits = NULL;
    assert_true(evs__bits_grow(&bits, 0, 1));
    evs__bits_set(bits, 7);
    evs__mem_fail_at(1);
    assert_false(evs__bits_grow(&bits, 1, 8));
    evs__mem_fail_at(0);
    assert_true(evs__bits_have(bits, 1, 7));
    assert_true(evs__bits_grow(&bits, 1, 8));
    for (size_t id = 0; id < 8 * 64; id++)
        assert_int_equal(evs__bits_have(bits, 8, id), id == 7);
    evs__free(bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_and_go),
        cmocka_unit_test(what_lies_beyond_is_not_in_it),
        cmocka_unit_test(longer_ones_keep_what_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
