/* Deadlines: everything is popped once, none early, none late, whatever else happens meanwhile. */
#include "core/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct item {
    evs__due due; /* first */
    int in;
} item;

static evs__wheel wheel;

static void add(item *one, uint64_t at)
{
    one->due.at = at;
    one->in = 1;
    evs__wheel_add(&wheel, &one->due);
}

static void nothing_is_due_before_its_time(void **state)
{
    (void)state;
    item one = {0};
    evs__wheel_init(&wheel, 1000);
    assert_int_equal(evs__wheel_next(&wheel), 0);
    add(&one, 1500);
    assert_int_equal(evs__wheel_next(&wheel), 1500);
    assert_null(evs__wheel_pop(&wheel, 1499));
    assert_ptr_equal(evs__wheel_pop(&wheel, 1500), &one);
    assert_null(evs__wheel_pop(&wheel, 1500));
    assert_int_equal(evs__wheel_next(&wheel), 0);
}

static void what_lies_turns_ahead_waits_for_its_turn(void **state)
{
    (void)state;
    item far = {0}, near = {0};
    evs__wheel_init(&wheel, 0);
    add(&far, 7 + 10 * EVS__WHEEL_SLOTS);
    add(&near, 7);
    assert_ptr_equal(evs__wheel_pop(&wheel, 100), &near);
    for (uint64_t now = 100; now < 7 + 10 * EVS__WHEEL_SLOTS; now += 50)
        assert_null(evs__wheel_pop(&wheel, now));
    assert_ptr_equal(evs__wheel_pop(&wheel, 7 + 10 * EVS__WHEEL_SLOTS), &far);
}

static void the_past_is_due_at_once(void **state)
{
    (void)state;
    item one = {0};
    evs__wheel_init(&wheel, 5000);
    assert_null(evs__wheel_pop(&wheel, 5000));
    add(&one, 17);
    assert_ptr_equal(evs__wheel_pop(&wheel, 5001), &one);
}

static void the_oldest_of_a_moment_comes_first(void **state)
{
    (void)state;
    item items[3] = {0};
    evs__wheel_init(&wheel, 0);
    for (int i = 0; i < 3; i++)
        add(&items[i], 9);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(evs__wheel_pop(&wheel, 9), &items[i]);
}

static unsigned pick(uint64_t *random, unsigned below)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return (unsigned)((*random >> 11) % below);
}

/* Against a plain array, with adding and removing between two pops and time in steps of all sizes.
 */
static void it_agrees_with_a_plain_search(void **state)
{
    (void)state;
    enum { COUNT = 200, STEPS = 20000 };
    static item items[COUNT];
    uint64_t random = 88172645463325252u, now = 0;
    evs__wheel_init(&wheel, now);
    for (int step = 0; step < STEPS; step++) {
        now += pick(&random, 100) == 0 ? pick(&random, 5000) : pick(&random, 4);
        for (item *one; (one = (item *)evs__wheel_pop(&wheel, now)) != NULL;) {
            assert_true(one->in && one->due.at <= now);
            one->in = 0;
            item *other = &items[pick(&random, COUNT)];
            if (other->in)
                evs__wheel_remove(&other->due);
            other->in = 0;
        }
        uint64_t first = UINT64_MAX;
        for (int i = 0; i < COUNT; i++) {
            assert_true(!items[i].in || items[i].due.at > now);
            if (items[i].in && items[i].due.at < first)
                first = items[i].due.at;
        }
        assert_true(evs__wheel_next(&wheel) <= first);
        uint64_t at = now + 1 + pick(&random, pick(&random, 2) ? 10 : 3000);
        for (unsigned more = pick(&random, 3) + 1; more > 0; more--) {
            item *one = &items[pick(&random, COUNT)];
            if (!one->in)
                add(one, at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_before_its_time),
        cmocka_unit_test(what_lies_turns_ahead_waits_for_its_turn),
        cmocka_unit_test(the_past_is_due_at_once),
        cmocka_unit_test(the_oldest_of_a_moment_comes_first),
        cmocka_unit_test(it_agrees_with_a_plain_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
