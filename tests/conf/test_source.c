/* Lines and characters, counted as libyaml counts them. */
#include "conf/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void characters_have_their_length(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"a", 1},
        {"\xc3\xa9", 2},
        {"\xe2\x82\xac", 3},
        {"\xf0\x9f\x98\x80", 4},
        {"\xe9", 1},             /* cut */
        {"\xe2\x82", 1},         /* cut */
        {"\x80", 1},             /* begins nothing */
        {"\xff\xff\xff\xff", 1}, /* begins nothing */
        {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(evs__char_len(evs_text(cases[i].text), 0), cases[i].len);
}

static void lines_end_at_every_break_of_yaml(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf"
                               "one\ntwo\r\nthree\rfour\xc2\x85"
                               "five\xe2\x80\xa8six";
    static const char *const lines[] = {"one", "two", "three", "four", "five", "six", "", ""};
    for (int i = 0; i < 8; i++) {
        evs_bytes line = evs__source_line(evs_text(text), i + 1);
        assert_int_equal(line.len, strlen(lines[i]));
        assert_memory_equal(line.data, lines[i], line.len);
    }
    assert_int_equal(evs__source_line((evs_bytes){NULL, 0}, 1).len, 0);
}

static void offsets_have_a_line_and_a_column(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        int line, column;
    } cases[] = {{0, 1, 1}, {3, 1, 1}, {4, 1, 2}, {6, 1, 3}, {7, 2, 1}, {8, 2, 2}, {99, 2, 2}};
    evs_bytes text = evs_text("\xef\xbb\xbf"
                              "a\xc3\xa9\nb");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int line, column;
        evs__source_place(text, cases[i].offset, &line, &column);
        assert_int_equal(line, cases[i].line);
        assert_int_equal(column, cases[i].column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_have_their_length),
        cmocka_unit_test(lines_end_at_every_break_of_yaml),
        cmocka_unit_test(offsets_have_a_line_and_a_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
