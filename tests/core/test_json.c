/* What is written, packed and indented. */
#include "core/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void write_some(evs__json *json)
{
    evs__json_object(json, NULL);
    evs__json_text(json, "name", "a \"b\"\n\\ \xff \xc3\xa9");
    evs__json_list(json, "list");
    evs__json_number(json, NULL, -7);
    evs__json_truth(json, NULL, 1);
    evs__json_text(json, NULL, NULL);
    evs__json_close(json, ']');
    evs__json_line(json);
    evs__json_number(json, "last", 2);
    evs__json_close(json, '}');
}

static void expect(int indent, const char *text)
{
    evs__buf out = EVS__BUF_INIT;
    evs__json json = {.out = &out, .first = 1, .indent = indent};
    write_some(&json);
    assert_true(evs__buf_ok(&out));
    evs__buf_char(&out, '\0');
    assert_string_equal(out.data, text);
    evs__buf_free(&out);
}

#define NAME "a \\\"b\\\"\\n\\\\ \xef\xbf\xbd \xc3\xa9"

static void packed_but_for_lines_that_are_wanted(void **state)
{
    (void)state;
    expect(0, "{\"name\":\"" NAME "\",\"list\":[-7,true,null],\n\"last\":2}");
}

static void indented_a_line_each(void **state)
{
    (void)state;
    expect(2, "{\n  \"name\": \"" NAME "\",\n  \"list\": [\n    -7,\n    true,\n    null\n  ],\n"
              "\n  \"last\": 2\n}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_but_for_lines_that_are_wanted),
        cmocka_unit_test(indented_a_line_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
