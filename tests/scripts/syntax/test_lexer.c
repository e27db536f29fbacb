/* Bytes become the tokens of Lua 5.1, with their places, oddities included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "scripts/syntax/lexer.h"

typedef struct row {
    const char *says;
    const char *source;
    const char *tokens; /* each with a blank behind it; a message in the end when it failed */
} row;

static void write_token(evs__buf *out, const evs__token *token)
{
    char room[16];
    if (token->kind == EVS__TK_NUMBER)
        evs__buf_format(out, "%.17g ", token->number);
    else if (token->kind == EVS__TK_STRING)
        evs__buf_format(out, "<%s> ", token->text.data);
    else if (token->kind == EVS__TK_NAME)
        evs__buf_format(out, "%.*s ", (int)token->text.len, token->text.data);
    else
        evs__buf_format(out, "%s ", evs__token_text(token->kind, room));
}

static void lex_all(evs__buf *out, evs_bytes source)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__lexer lexer;
    evs__token token;
    evs__lexer_init(&lexer, &arena, source, 0);
    for (evs__lexer_next(&lexer, &token); token.kind != EVS__TK_EOF;
         evs__lexer_next(&lexer, &token))
        write_token(out, &token);
    if (lexer.failed)
        evs__buf_format(out, "%d:%d-%zu %s", lexer.error.line, lexer.error.at.column,
                        lexer.error.at.end, lexer.error.message);
    evs__lexer_free(&lexer);
    evs__arena_free(&arena);
}

static void check_rows(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        evs__buf out = EVS__BUF_INIT;
        evs__buf_text(&out, "");
        lex_all(&out, evs_text(rows[i].source));
        if (strcmp(out.data == NULL ? "" : out.data, rows[i].tokens) != 0)
            fail_msg("%s: got \"%s\"", rows[i].says, out.data);
        evs__buf_free(&out);
    }
}

#define CHECK(rows) check_rows(rows, sizeof rows / sizeof *rows)

static void words_and_operators_are_told_apart(void **state)
{
    (void)state;
    static const row rows[] = {
        {"nothing", "", ""},
        {"words", "and end ends _end End function", "and end ends _end End function "},
        {"each operator", "+-*/%^#(){}[];:,=< > ~ == ~= <= >=",
         "+ - * / % ^ # ( ) { } [ ] ; : , = < > ~ == ~= <= >= "},
        {"dots", ". .. ... .... a.b", ". .. ... ... . a . b "},
        {"a minus, not a comment", "a - -b", "a - - b "},
        {"bytes that begin nothing", "$ \x01 \x7f", "$ char(1) char(127) "},
        {"letters are ASCII", "\xc3\xa9", "\xc3 \xa9 "},
        {"blanks", "a\t\v\f b", "a b "},
    };
    CHECK(rows);
}

static void numbers_are_those_of_strtod(void **state)
{
    (void)state;
    static const row rows[] = {
        {"integers", "0 08 9007199254740993", "0 8 9007199254740992 "},
        {"fractions", "1.5 .5 5. 1.e1", "1.5 0.5 5 10 "},
        {"exponents", "1e2 1E+2 1e-2", "100 100 0.01 "},
        {"hexadecimal", "0xff 0X1F 0x1p4", "255 31 16 "},
        {"overflow is infinite", "1e400", "inf "},
        {"a sign is no part", "-1", "- 1 "},
        {"letters behind", "3x", "1:1-2 malformed number near '3x'"},
        {"two points", "1..2", "1:1-4 malformed number near '1..2'"},
        {"no exponent", "1e+", "1:1-3 malformed number near '1e+'"},
        {"no hexadecimal digit", "0x", "1:1-2 malformed number near '0x'"},
        {"no underscores", " 1_000", "1:2-6 malformed number near '1_000'"},
    };
    CHECK(rows);
}

static void strings_are_decoded(void **state)
{
    (void)state;
    static const row rows[] = {
        {"both quotes", "'a\"' \"b'\"", "<a\"> <b'> "},
        {"letters", "'\\a\\b\\f\\n\\r\\t\\v'", "<\a\b\f\n\r\t\v> "},
        {"other letters stand for themselves", "'\\q\\x41\\z\\u{41}\\\\\\''", "<qx41zu{41}\\'> "},
        {"decimal, up to three digits", "'\\65\\0661\\9'", "<AB1\t> "},
        {"decimal up to 255", "'\\256'", "1:1-5 escape sequence too large near '''"},
        {"a line end after a backslash", "'a\\\nb\\\r\nc\\\rd'", "<a\nb\nc\nd> "},
        {"a line end", "x 'a\n'", "x 1:3-4 unfinished string near ''a'"},
        {"the end", "x 'a\\\n", "x 2:3-6 unfinished string near '<eof>'"},
        {"the end after a backslash", "'\\", "1:1-2 unfinished string near '<eof>'"},
    };
    CHECK(rows);
}

static void long_brackets_know_their_level(void **state)
{
    (void)state;
    static const row rows[] = {
        {"level 0", "[[a]b]]", "<a]b> "},
        {"level 2", "[==[a]]]=]b]==]", "<a]]]=]b> "},
        {"the first line end is dropped", "[[\r\n\na]]", "<\na> "},
        {"line ends become line feeds", "[[a\rb\r\nc\n\rd]]", "<a\nb\nc\nd> "},
        {"no escapes", "[[\\n]]", "<\\n> "},
        {"nested", "[[a [[b]] c", "<a [[b> c "},
        {"half of a bracket", "x = [==", "x = 1:5-7 invalid long string delimiter near '[=='"},
        {"no end", "[[\n\n", "3:1-4 unfinished long string near '<eof>'"},
        {"subscripts are none", "a[b[1]]", "a [ b [ 1 ] ] "},
    };
    CHECK(rows);
}

static void comments_are_skipped(void **state)
{
    (void)state;
    static const row rows[] = {
        {"short", "a -- b\nc", "a c "},
        {"long", "a --[[b\n]] c --[==[ ]] ]==] d", "a c d "},
        {"nearly long", "--[=b\nc --[ d\ne", "c e "},
        {"at the end", "a --", "a "},
        {"no end", "a --[[ b", "a 1:3-8 unfinished long comment near '<eof>'"},
    };
    CHECK(rows);
}

/* Lua looks bytes up with strchr, which finds the NUL behind every set. */
static void a_nul_counts_where_lua_lets_it(void **state)
{
    (void)state;
    static const struct {
        evs_bytes source;
        const char *tokens;
    } rows[] = {
        {{".\0", 2}, ".. "},
        {{".\0\0", 3}, "... "},
        {{"1\0+5x y", 7}, "1 y "},
        {{"1\0", 2}, "1 "},
        {{"a\0b", 3}, "a char(0) b "},
        {{"'a\0\\256'", 8}, "1:1-7 escape sequence too large near ''a'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evs__buf out = EVS__BUF_INIT;
        lex_all(&out, rows[i].source);
        assert_string_equal(out.data, rows[i].tokens);
        evs__buf_free(&out);
    }
}

static void tokens_know_their_place(void **state)
{
    (void)state;
    static const char source[] = "ab\r\n  'c\\\nd'\n\r [[\n]]\n-- x\n9";
    static const evs__span spans[] = {
        {0, 2, 1, 1}, {6, 12, 2, 3}, {15, 20, 4, 2}, {26, 27, 7, 1}, {27, 27, 7, 2}};
    evs__arena arena = EVS__ARENA_INIT;
    evs__lexer lexer;
    evs__token token;
    evs__lexer_init(&lexer, &arena, evs_text(source), 0);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        evs__lexer_next(&lexer, &token);
        assert_int_equal(token.at.start, spans[i].start);
        assert_int_equal(token.at.end, spans[i].end);
        assert_int_equal(token.at.line, spans[i].line);
        assert_int_equal(token.at.column, spans[i].column);
    }
    evs__lexer_free(&lexer);
    evs__arena_free(&arena);
}

static void after_an_error_there_is_only_the_end(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__lexer lexer;
    evs__token token;
    evs__lexer_init(&lexer, &arena, evs_text("'a\nb c"), 0);
    for (int i = 0; i < 3; i++) {
        evs__lexer_next(&lexer, &token);
        assert_int_equal(token.kind, EVS__TK_EOF);
    }
    assert_int_equal(lexer.error.problem, EVS__PARSE_SYNTAX);
    evs__lexer_free(&lexer);
    evs__arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_operators_are_told_apart),
        cmocka_unit_test(numbers_are_those_of_strtod),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(long_brackets_know_their_level),
        cmocka_unit_test(comments_are_skipped),
        cmocka_unit_test(a_nul_counts_where_lua_lets_it),
        cmocka_unit_test(tokens_know_their_place),
        cmocka_unit_test(after_an_error_there_is_only_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
