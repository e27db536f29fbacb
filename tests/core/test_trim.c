/* Blanks around a text go, those inside stay. */
#include "core/trim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void blanks_around_a_text_go(void **state)
{
    (void)state;
    static const struct {
        const char *text, *trimmed;
    } rows[] = {
        {"", ""},    {"   ", ""},  {"a", "a"},     {"  a b ", "a b"},
        {" a", "a"}, {"a  ", "a"}, {"\ta", "\ta"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        evs_bytes got = evs__trim(evs_text(rows[i].text));
        assert_int_equal(got.len, evs_text(rows[i].trimmed).len);
        assert_memory_equal(got.data, rows[i].trimmed, got.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_around_a_text_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
