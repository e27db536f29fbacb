/* Statuses keep their pinned numbers and have a name and a text each. */
#include <evalshard/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
#define CHECK(name, number, text)                                   \
    assert_int_equal(EVS_##name, number);                           \
    assert_string_equal(evs_status_name(EVS_##name), "EVS_" #name); \
    assert_string_equal(evs_status_text(EVS_##name), text);
    EVS_STATUS_MAP(CHECK)
#undef CHECK
}

static void unknown_numbers_are_said_to_be_unknown(void **state)
{
    (void)state;
    assert_string_equal(evs_status_name((evs_status)9999), "EVS_UNKNOWN");
    assert_string_equal(evs_status_text((evs_status)9999), "unknown status");
}

static void families_of_statuses_stay_pinned(void **state)
{
    (void)state;
    assert_int_equal(EVS_E_INVALID, 10);
    assert_int_equal(EVS_E_CONFIG, 20);
    assert_int_equal(EVS_E_NO_ROUTE, 30);
    assert_int_equal(EVS_E_NO_SCRIPT, 40);
    assert_int_equal(EVS_E_CONNECT, 50);
    assert_int_equal(EVS_E_TIMEOUT, 70);
}

static void outcomes_have_texts(void **state)
{
    (void)state;
    assert_string_equal(evs_outcome_text(EVS_NOT_EXECUTED), "not executed");
    assert_string_equal(evs_outcome_text(EVS_EXECUTED), "executed");
    assert_string_equal(evs_outcome_text(EVS_MAYBE_EXECUTED), "maybe executed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(unknown_numbers_are_said_to_be_unknown),
        cmocka_unit_test(families_of_statuses_stay_pinned),
        cmocka_unit_test(outcomes_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
