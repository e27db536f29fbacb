/*
 * The calls of a client: what tells one from all others, and that memory is used again.
 */
#include "scripts/engine/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* As somebody's who waits for it. */
static evs__call *begin(evs__calls *calls)
{
    evs__call *call = evs__call_new(calls);
    assert_non_null(call);
    call->state.held = EVS__HELD_BY_CONN;
    call->with.aside = NULL;
    return call;
}

static void a_ticket_finds_its_call_alone(void **state)
{
    (void)state;
    evs__calls calls = {0};
    evs__call *one = begin(&calls), *other = begin(&calls);
    evs_ticket first = evs__call_ticket(one), second = evs__call_ticket(other);
    assert_true(first != second);
    assert_ptr_equal(evs__calls_find(&calls, first), one);
    assert_ptr_equal(evs__calls_find(&calls, second), other);
    assert_null(evs__calls_find(&calls, 0));
    assert_null(evs__calls_find(&calls, second + EVS__CALL_BLOCK));
    evs__calls_give_back(&calls, one);
    assert_null(evs__calls_find(&calls, first));
    one = begin(&calls);
    assert_null(evs__calls_find(&calls, first));
    assert_ptr_equal(evs__calls_find(&calls, evs__call_ticket(one)), one);
    evs__calls_give_back(&calls, one);
    evs__calls_give_back(&calls, other);
    evs__calls_free(&calls);
}

/* The serials of 2^32 calls are through. */
static void no_ticket_is_0(void **state)
{
    (void)state;
    evs__calls calls = {.serial = UINT32_MAX - 2};
    for (int i = 0; i < 6; i++) {
        evs__call *call = begin(&calls);
        assert_true(evs__call_ticket(call) != 0);
        assert_ptr_equal(evs__calls_find(&calls, evs__call_ticket(call)), call);
        evs__calls_give_back(&calls, call);
    }
    evs__calls_free(&calls);
}

static void a_finished_call_makes_room_for_another(void **state)
{
    (void)state;
    evs__calls calls = {0};
    evs__call *those[EVS__CALL_BLOCK + 1];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < EVS__CALL_BLOCK + 1; i++)
            those[i] = begin(&calls);
        assert_int_equal(calls.nblocks, 2);
        for (size_t i = 0; i < EVS__CALL_BLOCK + 1; i++)
            evs__calls_give_back(&calls, those[i]);
        assert_int_equal(calls.used, 0);
    }
    evs__calls_trim(&calls);
    assert_int_equal(calls.nblocks, 0);
    evs__calls_free(&calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_finds_its_call_alone),
        cmocka_unit_test(no_ticket_is_0),
        cmocka_unit_test(a_finished_call_makes_room_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
