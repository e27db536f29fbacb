/*
 * How long a refused call rests before it is asked again: no longer than leaves time for the
 * answer.
 */
#include "scripts/engine/park.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_rest_that_fits_is_taken_whole(void **state)
{
    (void)state;
    assert_int_equal(evs__park_fit(10, 1000, 2000), 10);
    assert_int_equal(evs__park_fit(500, 1000, 2000), 500);
}

static void a_longer_one_leaves_as_much_time_for_the_answer(void **state)
{
    (void)state;
    assert_int_equal(evs__park_fit(501, 1000, 2000), 500);
    assert_int_equal(evs__park_fit(500, 1000, 1370), 185);
    assert_int_equal(evs__park_fit(500, 1000, 1250), 125);
}

static void what_would_be_left_of_it_is_not_worth_asking(void **state)
{
    (void)state;
    assert_int_equal(evs__park_fit(500, 1000, 1249), 0);
    assert_int_equal(evs__park_fit(10, 1000, 1001), 0);
    assert_int_equal(evs__park_fit(10, 1000, 1000), 0);
    assert_int_equal(evs__park_fit(10, 1001, 1000), 0);
}

/* Whatever the deadline: it ends after a few tries, each with time for its answer. */
static void rests_end_in_time(void **state)
{
    (void)state;
    for (uint64_t deadline = 1; deadline < 4000; deadline++) {
        uint64_t now = 0, wanted = 10, rest;
        while ((rest = evs__park_fit(wanted, now, deadline)) != 0) {
            now += rest;
            assert_true(deadline - now >= rest && rest * 4 + 3 >= wanted);
            wanted = wanted < 500 ? wanted * 2 : wanted;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rest_that_fits_is_taken_whole),
        cmocka_unit_test(a_longer_one_leaves_as_much_time_for_the_answer),
        cmocka_unit_test(what_would_be_left_of_it_is_not_worth_asking),
        cmocka_unit_test(rests_end_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
