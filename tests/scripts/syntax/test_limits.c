/*
 * What Lua's compiler refuses for its size. Each row is a text repeated: the largest that
 * redis-server 7.0.15 accepts, and what it says to one more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/buf.h"
#include "scripts/syntax/parser.h"

typedef struct limit_row {
    const char *says;
    const char *before;
    const char *repeated; /* %d is the number of the repetition, from 0 */
    const char *between;
    const char *after;
    const char *closing; /* repeated as often behind `after`; NULL when there is nothing to close */
    int most;
    int line;
    const char *message;
} limit_row;

static const limit_row rows[] = {
    {"blocks", "", "do ", "", "", "end ", 199, 1, "chunk has too many syntax levels"},
    {"parentheses", "x=", "(", "", "1", ")", 198, 1, "chunk has too many syntax levels"},
    {"unary operators", "x=", "not ", "", "1", NULL, 198, 1, "chunk has too many syntax levels"},
    {"operators that group to the right", "x=", "a^", "", "1", NULL, 198, 1,
     "chunk has too many syntax levels"},
    {"functions", "", "function f() ", "", "", "end ", 199, 1, "chunk has too many syntax levels"},
    {"targets", "", "a", ",", "=1", NULL, 200, 1,
     "main function has more than 199 variables in assignment"},
    {"locals", "", "local v%d\n", "", "", NULL, 200, 202,
     "main function has more than 200 local variables"},
    {"locals of one statement", "local ", "a%d", ",", "", NULL, 200, 1,
     "main function has more than 200 local variables"},
    {"parameters", "\nfunction f(", "a%d", ",", ") end", NULL, 200, 2,
     "function at line 2 has more than 200 local variables"},
    {"locals of a loop, with three of its own", "for ", "a%d", ",", " in b do end", NULL, 197, 1,
     "main function has more than 200 local variables"},
    {"all locals of a function", "", "do local a end ", "", "", NULL, 32767, 0,
     "too many local variables"},
    {"registers of arguments", "x=f(", "1", ",", ")", NULL, 248, 1,
     "function or expression too complex near '<eof>'"},
    {"registers of values", "return ", "a", ",", "", NULL, 249, 1,
     "function or expression too complex near '<eof>'"},
    {"constants", "x={", "%d", ",", "}", NULL, 262142, 0, "constant table overflow"},
    {"a long loop", "while true do ", "x()\n", "", "end", NULL, 65535, 65537,
     "control structure too long near 'end'"},
};

static void repeat(evs__buf *out, const limit_row *row, int times)
{
    evs__buf_text(out, row->before);
    for (int i = 0; i < times; i++) {
        const char *number = strstr(row->repeated, "%d");
        if (i > 0)
            evs__buf_text(out, row->between);
        if (number == NULL) {
            evs__buf_text(out, row->repeated);
            continue;
        }
        evs__buf_append(out, row->repeated, (size_t)(number - row->repeated));
        evs__buf_format(out, "%d", i);
        evs__buf_text(out, number + 2);
    }
    evs__buf_text(out, row->after);
    for (int i = 0; i < times && row->closing != NULL; i++)
        evs__buf_text(out, row->closing);
}

static void check_row(const limit_row *row)
{
    for (int more = 0; more <= 1; more++) {
        evs__arena arena = EVS__ARENA_INIT;
        evs__chunk *chunk;
        evs__buf text = EVS__BUF_INIT;
        repeat(&text, row, row->most + more);
        assert_int_equal(evs__lua_parse(&chunk, &arena, (evs_bytes){text.data, text.len}), 1);
        const evs__parse_error *error = &chunk->error;
        if (!more && error->message != NULL)
            fail_msg("%s: %d is too many: %s", row->says, row->most, error->message);
        if (more && error->message == NULL)
            fail_msg("%s: %d is not too many", row->says, row->most + 1);
        if (more) {
            assert_string_equal(error->message, row->message);
            assert_int_equal(error->line, row->line);
            assert_int_equal(error->problem, EVS__PARSE_LIMIT);
        }
        evs__buf_free(&text);
        evs__arena_free(&arena);
    }
}

static void each_limit_is_where_the_server_has_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_row(&rows[i]);
}

/* `count` locals outside, all used by the function that `open` begins. */
static const char *upvalues(evs__arena *arena, int count, const char *open, const char *close)
{
    evs__buf text = EVS__BUF_INIT;
    evs__chunk *chunk;
    for (int i = 0; i < count; i++)
        evs__buf_format(&text, "local v%d\n", i);
    evs__buf_text(&text, open);
    for (int i = 0; i < count; i++)
        evs__buf_format(&text, "x = v%d ", i);
    evs__buf_text(&text, close);
    char *source = evs__arena_text(arena, text.data, text.len);
    assert_int_equal(evs__lua_parse(&chunk, arena, evs_text(source)), 1);
    evs__buf_free(&text);
    return chunk->error.message;
}

static void a_function_has_at_most_60_upvalues(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    assert_null(upvalues(&arena, 60, "function f() ", "end"));
    assert_string_equal(upvalues(&arena, 61, "function f() ", "end"),
                        "function at line 62 has more than 60 upvalues");
    assert_string_equal(upvalues(&arena, 61, "function f()\nfunction g() ", "end end"),
                        "function at line 62 has more than 60 upvalues");
    evs__arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_is_where_the_server_has_it),
        cmocka_unit_test(a_function_has_at_most_60_upvalues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
