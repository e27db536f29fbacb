/* What the commands print: replies, tables, JSON, bytes that are not text, numbers out of INFO. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/reply.h"
#include "tools/evalshard/info.h"
#include "tools/evalshard/reply_text.h"
#include "tools/evalshard/table.h"

#define TEXT(kind, literal)                    \
    {                                          \
        EVS_REPLY_##kind, sizeof(literal) - 1, \
        {                                      \
            .text = (literal)                  \
        }                                      \
    }
#define NUMBER(n)             \
    {                         \
        EVS_REPLY_INTEGER, 0, \
        {                     \
            .integer = (n)    \
        }                     \
    }
#define NIL               \
    {                     \
        EVS_REPLY_NIL, 0, \
        {                 \
            0             \
        }                 \
    }
#define ARRAY(elements)                                          \
    {                                                            \
        EVS_REPLY_ARRAY, sizeof(elements) / sizeof(elements)[0], \
        {                                                        \
            .items = (elements)                                  \
        }                                                        \
    }

static evs_reply inner[] = {TEXT(STRING, "a\nb"), NIL};
static evs_reply outer[] = {NUMBER(-7), ARRAY(inner), TEXT(ERROR, "ERR no")};
static evs_reply ten[] = {NUMBER(1), NUMBER(2), NUMBER(3), NUMBER(4), NUMBER(5),
                          NUMBER(6), NUMBER(7), NUMBER(8), NUMBER(9), ARRAY(inner)};

static evs_reply pairs[] = {TEXT(STRING, "k"), TEXT(DOUBLE, "0.5"), NUMBER(2), ARRAY(inner)};

static const struct {
    evs_reply reply;
    const char *shown, *raw, *as_json;
} replies[] = {
    {TEXT(DOUBLE, "-inf"), "(double) -inf\n", "-inf\n", "\"-inf\""},
    {TEXT(BIG_NUMBER, "12"), "(big number) 12\n", "12\n", "\"12\""},
    {TEXT(VERBATIM, "hi"), "\"hi\"\n", "hi\n", "\"hi\""},
    {{EVS_REPLY_BOOL, 0, {.integer = 1}}, "(true)\n", "1\n", "true"},
    {{EVS_REPLY_BOOL, 0, {.integer = 0}}, "(false)\n", "0\n", "false"},
    {{EVS_REPLY_MAP, 0, {0}}, "(empty map)\n", "\n", "[]"},
    {{EVS_REPLY_SET, 0, {0}}, "(empty set)\n", "\n", "[]"},
    {{EVS_REPLY_SET, 2, {.items = inner}},
     "1~ \"a\\nb\"\n2~ (nil)\n",
     "a\nb\n\n",
     "[\"a\\nb\",null]"},
    {{EVS_REPLY_MAP, 4, {.items = pairs}},
     "1# \"k\"\n   => (double) 0.5\n2# (integer) 2\n   => 1) \"a\\nb\"\n      2) (nil)\n",
     "k\n0.5\n2\na\nb\n\n",
     "[\"k\",\"0.5\",2,[\"a\\nb\",null]]"},
    {NUMBER(1), "(integer) 1\n", "1\n", "1"},
    {NIL, "(nil)\n", "\n", "null"},
    {TEXT(STATUS, "OK"), "OK\n", "OK\n", "\"OK\""},
    {TEXT(STRING, "say \"hi\"\\"), "\"say \\\"hi\\\"\\\\\"\n", "say \"hi\"\\\n",
     "\"say \\\"hi\\\"\\\\\""},
    {TEXT(STRING, "caf\xc3\xa9"), "\"caf\xc3\xa9\"\n", "caf\xc3\xa9\n", "\"caf\xc3\xa9\""},
    {TEXT(STRING, "\xff\x1b[2J"), "\"\\xff\\x1b[2J\"\n", "\xff\x1b[2J\n",
     "{\"base64\":\"/xtbMko=\"}"},
    {TEXT(STRING, "\x01\x7f\n"), "\"\\x01\\x7f\\n\"\n", "\x01\x7f\n\n", "\"\\u0001\\u007f\\n\""},
    {TEXT(ERROR, "ERR no"), "(error) ERR no\n", "ERR no\n", "{\"error\":\"ERR no\"}"},
    {{EVS_REPLY_ARRAY, 0, {0}}, "(empty array)\n", "\n", "[]"},
    {ARRAY(outer), "1) (integer) -7\n2) 1) \"a\\nb\"\n   2) (nil)\n3) (error) ERR no\n",
     "-7\na\nb\n\nERR no\n", "[-7,[\"a\\nb\",null],{\"error\":\"ERR no\"}]"},
    {ARRAY(ten),
     " 1) (integer) 1\n 2) (integer) 2\n 3) (integer) 3\n 4) (integer) 4\n 5) (integer) 5\n"
     " 6) (integer) 6\n 7) (integer) 7\n 8) (integer) 8\n 9) (integer) 9\n"
     "10) 1) \"a\\nb\"\n    2) (nil)\n",
     "1\n2\n3\n4\n5\n6\n7\n8\n9\na\nb\n\n", "[1,2,3,4,5,6,7,8,9,[\"a\\nb\",null]]"},
};

typedef struct memory {
    FILE *file;
    char *text;
    size_t len;
} memory;

static FILE *open_memory(memory *m)
{
    m->file = open_memstream(&m->text, &m->len);
    assert_non_null(m->file);
    return m->file;
}

static void assert_holds(memory *m, const char *expected)
{
    fclose(m->file);
    assert_string_equal(m->text, expected);
    free(m->text);
}

static void replies_look_as_in_redis_cli(void **state)
{
    memory m;
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        reply_print(open_memory(&m), &replies[i].reply);
        assert_holds(&m, replies[i].shown);
        reply_print_raw(open_memory(&m), &replies[i].reply);
        assert_holds(&m, replies[i].raw);
    }
}

static void replies_are_json_without_loss(void **state)
{
    memory m;
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        json j = {open_memory(&m), 0};
        reply_json(&j, &replies[i].reply);
        assert_holds(&m, replies[i].as_json);
    }
}

static void base64_pads_as_the_standard_says(void **state)
{
    static const struct {
        evs_bytes bytes;
        const char *expected;
    } rows[] = {
        {{"\xff", 1}, "{\"base64\":\"/w==\"}"},
        {{"\xff\x00", 2}, "{\"base64\":\"/wA=\"}"},
        {{"\xff\x00\xfe", 3}, "{\"base64\":\"/wD+\"}"},
        {{"foobar\xff", 7}, "{\"base64\":\"Zm9vYmFy/w==\"}"},
        {{"a\0b", 3}, "\"a\\u0000b\""},
    };
    memory m;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json j = {open_memory(&m), 0};
        json_bytes(&j, rows[i].bytes);
        assert_holds(&m, rows[i].expected);
    }
}

static void json_puts_commas_between_values(void **state)
{
    memory m;
    (void)state;
    json j = {open_memory(&m), 0};
    json_open(&j, '[');
    for (int i = 0; i < 2; i++) {
        json_line(&j);
        json_open(&j, '{');
        json_key(&j, "a");
        json_flag(&j, i);
        json_key(&j, "b");
        json_null(&j);
        json_key(&j, "c");
        json_text(&j, "\xff");
        json_close(&j, '}');
    }
    json_close(&j, ']');
    assert_holds(&m, "[\n{\"a\":false,\"b\":null,\"c\":\"\\ufffd\"},\n"
                     "{\"a\":true,\"b\":null,\"c\":\"\\ufffd\"}]");
}

static void utf8_is_checked_strictly(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"a", 1},
        {"\xc3\xa9", 2},
        {"\xe2\x82\xac", 3},
        {"\xf0\x9f\x98\x80", 4},
        {"\xc0\x80", 0},         /* a longer form of NUL */
        {"\xe0\x9f\xbf", 0},     /* a longer form of U+07FF */
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0}, /* beyond U+10FFFF */
        {"\xe2\x82", 0},         /* cut off */
        {"\xe2\x82x", 0},
        {"\x80", 0},
        {"\xff", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(utf8_length(evs_text(rows[i].text)), rows[i].length);
    assert_int_equal(utf8_length((evs_bytes){NULL, 0}), 0);
}

static void fill(table *t)
{
    table_text(t, "a", GOOD);
    table_number(t, 7, PLAIN);
    table_text(t, "x", PLAIN);
    table_bytes(t, (evs_bytes){"caf\xc3\xa9\x1b", 6}, PLAIN);
    table_number(t, 1000, PLAIN);
    table_text(t, "yy", PLAIN);
    table_finish(t);
}

static void a_table_in_a_pipe_is_rows_and_tabs(void **state)
{
    static const char *const headers[] = {"name", "n", "last"};
    memory m;
    (void)state;
    fill(table_new(open_memory(&m), headers, 3));
    assert_holds(&m, "a\t7\tx\ncaf\xc3\xa9\x1b\t1000\tyy\n");
}

static void an_aligned_table_has_a_header_and_columns(void **state)
{
    static const char *const headers[] = {"name", "n", "last"};
    memory m;
    (void)state;
    table *t = table_new(open_memory(&m), headers, 3);
    table_align(t, 2);
    fill(t);
    assert_holds(&m, "  name         n  last\n"
                     "  a            7  x\n"
                     "  caf\xc3\xa9\\x1b  1000  yy\n");
}

static void numbers_are_found_in_info(void **state)
{
    static const char text[] = "# Memory\r\nused:12\r\nnumber_of_cached_scripts:34\r\n"
                               "cmdstat_script|load:calls=3,usec=99,failed_calls=1\r\n"
                               "redis_version:7.0.15\r\nlast_line:5";
    (void)state;
    evs_bytes info = evs_text(text);
    assert_int_equal(info_number(info, "number_of_cached_scripts"), 34);
    assert_int_equal(info_number(info, "cached_scripts"), -1);
    assert_int_equal(info_number(info, "last_line"), 5);
    assert_int_equal(info_number(info, "absent"), -1);
    assert_int_equal(info_number((evs_bytes){NULL, 0}, "used"), -1);
    assert_int_equal(info_field(info, "cmdstat_script|load", "calls"), 3);
    assert_int_equal(info_field(info, "cmdstat_script|load", "failed_calls"), 1);
    assert_int_equal(info_field(info, "cmdstat_script|load", "rejected"), 0);
    assert_int_equal(info_field(info, "cmdstat_eval", "calls"), 0);
    assert_int_equal(info_text(info, "redis_version").len, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_look_as_in_redis_cli),
        cmocka_unit_test(replies_are_json_without_loss),
        cmocka_unit_test(base64_pads_as_the_standard_says),
        cmocka_unit_test(json_puts_commas_between_values),
        cmocka_unit_test(utf8_is_checked_strictly),
        cmocka_unit_test(a_table_in_a_pipe_is_rows_and_tabs),
        cmocka_unit_test(an_aligned_table_has_a_header_and_columns),
        cmocka_unit_test(numbers_are_found_in_info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
