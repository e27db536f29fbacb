#include "core/net/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Through some ticks, at whatever moment of one. */
static void what_it_says_is_still_to_come(void **state)
{
    (void)state;
    evs__clock clock;
    evs__clock_init(&clock);
    uint64_t start = evs__loop_now_ms(NULL), now = start;
    while (now < start + 5 * clock.tick_ms) {
        evs__clock_forget(&clock);
        now = evs__loop_now_ms(NULL);
        assert_true(evs__clock_soon_ms(&clock) > now);
        assert_true(evs__clock_next_ms() > now);
    }
}

/* 1 when no tick came in between. */
static int ask_twice(evs__clock *clock, uint64_t *first, uint64_t *second)
{
    uint64_t tick = evs__loop_about_ms();
    evs__clock_forget(clock);
    *first = evs__clock_soon_ms(clock);
    *second = evs__clock_soon_ms(clock);
    return evs__loop_about_ms() == tick;
}

static void the_first_is_exact_and_others_have_ticks_added(void **state)
{
    (void)state;
    uint64_t first = 0, second = 0;
    evs__clock clock;
    evs__clock_init(&clock);
    while (!ask_twice(&clock, &first, &second))
        ;
    assert_true(second >= first + clock.tick_ms);
    assert_true(second >= clock.tick + 2 * clock.tick_ms);
    assert_true(second <= first + 2 * clock.tick_ms);
}

static void a_clock_that_stands_still_is_not_believed(void **state)
{
    (void)state;
    evs__clock clock;
    evs__clock_init(&clock);
    uint64_t now = evs__loop_now_ms(NULL);
    uint64_t first = evs__clock_read(&clock, now - 1000);
    assert_true(first > now);
    assert_int_equal(clock.soon, first + clock.tick_ms);
}

static void it_is_read_anew_at_a_tick(void **state)
{
    (void)state;
    evs__clock clock;
    evs__clock_init(&clock);
    evs__clock_soon_ms(&clock);
    uint64_t tick = clock.tick;
    clock.soon = 0; /* what nothing but an old reading says */
    while (evs__loop_about_ms() == tick)
        ;
    assert_true(evs__clock_soon_ms(&clock) > 0);
    assert_true(clock.tick != tick);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_says_is_still_to_come),
        cmocka_unit_test(the_first_is_exact_and_others_have_ticks_added),
        cmocka_unit_test(a_clock_that_stands_still_is_not_believed),
        cmocka_unit_test(it_is_read_anew_at_a_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
