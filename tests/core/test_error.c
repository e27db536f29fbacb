/* Filling errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include <cmocka.h>

static void failing_fills_and_returns(void **state)
{
    (void)state;
    evs_error err;
    memset(&err, 'x', sizeof err);
    assert_int_equal(evs__fail(&err, EVS_E_CONFIG, "line %d of %s", 3, "map"), EVS_E_CONFIG);
    assert_int_equal(err.status, EVS_E_CONFIG);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_string_equal(err.message, "line 3 of map");
    assert_string_equal(err.script, "");
    assert_string_equal(err.shard, "");
    assert_int_equal(err.line, 0);
    assert_int_equal(err.column, 0);
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    const evs_error from = {.status = EVS_E_BUSY};
    assert_int_equal(evs__fail(NULL, EVS_E_TLS, "%d", 1), EVS_E_TLS);
    assert_int_equal(evs__fail_nomem(NULL), EVS_E_NOMEM);
    assert_int_equal(evs__fail_with(NULL, &from), EVS_E_BUSY);
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    evs_error err;
    evs__fail(&err, EVS_E_INVALID, "%*d", 5000, 1);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static void a_message_stays_one_line(void **state)
{
    (void)state;
    evs_error err;
    evs__fail(&err, EVS_E_SCRIPT, "said %s", "ERR a\r\nb\n");
    assert_string_equal(err.message, "said ERR a  b ");
}

static void a_message_may_quote_the_one_it_replaces(void **state)
{
    (void)state;
    evs_error err;
    evs__fail(&err, EVS_E_CONNECT, "refused");
    evs__fail(&err, EVS_E_CONNECT, "shard a: %s", err.message);
    assert_string_equal(err.message, "shard a: refused");
}

static void an_error_is_handed_on_whole(void **state)
{
    (void)state;
    evs_error from, err;
    evs__fail(&from, EVS_E_YAML, "bad");
    from.line = 7;
    assert_int_equal(evs__fail_with(&err, &from), EVS_E_YAML);
    assert_int_equal(err.line, 7);
    assert_string_equal(err.message, "bad");
    assert_int_equal(evs__fail_with(&err, &err), EVS_E_YAML);
    assert_int_equal(evs__fail_nomem(&err), EVS_E_NOMEM);
    assert_string_equal(err.message, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_fills_and_returns),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(a_message_stays_one_line),
        cmocka_unit_test(a_message_may_quote_the_one_it_replaces),
        cmocka_unit_test(an_error_is_handed_on_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
