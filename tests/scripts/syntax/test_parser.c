/* The tree of each production, its spans, and the words and places of errors. Every verdict and
 * message here was given by redis-server 7.0.15. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "scripts/syntax/parser.h"

/* The dump of a script that parses, without the main function around it, or "LINE:COLUMN message"
 * with the server's line and the column pointed at. */
static char *outcome(evs_bytes source)
{
    static const char prefix[] = "(function () ... ";
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    evs__buf out = EVS__BUF_INIT;
    assert_int_equal(evs__lua_parse(&chunk, &arena, source), 1);
    if (chunk->error.message != NULL) {
        assert_null(chunk->main);
        evs__buf_format(&out, "%d:%d %s", chunk->error.line, chunk->error.at.column,
                        chunk->error.message);
    } else if (chunk->main->body.first != NULL) {
        evs__ast_dump(&out, chunk->main);
        evs__buf_consume(&out, sizeof prefix - 1);
        out.data[--out.len] = '\0';
    } else {
        evs__buf_text(&out, "empty");
    }
    evs__arena_free(&arena);
    return evs__buf_take(&out);
}

typedef struct row {
    const char *source;
    const char *outcome;
} row;

static void check_rows(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *got = outcome(evs_text(rows[i].source));
        if (strcmp(got, rows[i].outcome) != 0)
            fail_msg("%s\n  expected %s\n  got      %s", rows[i].source, rows[i].outcome, got);
        evs__free(got);
    }
}

#define CHECK(rows) check_rows(rows, sizeof rows / sizeof *rows)

static void expressions_bind_as_in_the_manual(void **state)
{
    (void)state;
    static const row rows[] = {
        {"return 1 + 2 * 3", "(return (+ 1 (* 2 3)))"},
        {"return 1 - 2 - 3", "(return (- (- 1 2) 3))"},
        {"return 2 ^ 3 ^ 4", "(return (^ 2 (^ 3 4)))"},
        {"return -2 ^ 2", "(return (- (^ 2 2)))"},
        {"return 2 ^ -2", "(return (^ 2 (- 2)))"},
        {"return 'a' .. 'b' .. 'c'", "(return (.. \"a\" (.. \"b\" \"c\")))"},
        {"return a or b and c", "(return (or a (and b c)))"},
        {"return not a == b", "(return (== (not a) b))"},
        {"return #t % 2 < 1 and ~1 or 2", "1:23 unexpected symbol near '~'"},
        {"return 1 < 2 == true ~= nil", "(return (~= (== (< 1 2) true) nil))"},
        {"return a >= b, c <= d, e > f", "(return (>= a b) (<= c d) (> e f))"},
        {"return a / b % c", "(return (% (/ a b) c))"},
        {"return - - 1, not not a, # # t", "(return (- (- 1)) (not (not a)) (# (# t)))"},
        {"return (a .. b) .. c", "(return (.. (paren (.. a b)) c))"},
        {"return (f()), ...", "(return (paren (call f)) ...)"},
    };
    CHECK(rows);
}

static void suffixes_go_from_left_to_right(void **state)
{
    (void)state;
    static const row rows[] = {
        {"return a.b['c'][1]", "(return ([] ([] (. a \"b\") \"c\") 1))"},
        {"f(1, 2)", "(do-call (call f 1 2))"},
        {"f()()", "(do-call (call (call f)))"},
        {"f'x' {1} [[y]]", "(do-call (call (call (call f \"x\") (table 1)) \"y\"))"},
        {"a.b:c(1):d()", "(do-call (method (method (. a \"b\") \"c\" 1) \"d\"))"},
        {"('x'):rep(3)", "(do-call (method (paren \"x\") \"rep\" 3))"},
        {"return 'x':rep(3)", "1:11 '<eof>' expected near ':'"},
        {"f\n(g)", "2:1 ambiguous syntax (function call x new statement) near '('"},
        {"f\n'x'", "(do-call (call f \"x\"))"},
        {"x = {f\n(g)}", "(= (x) (table (call f g)))"},
    };
    CHECK(rows);
}

static void constructors_keep_the_three_kinds_of_fields(void **state)
{
    (void)state;
    static const row rows[] = {
        {"return {}", "(return (table))"},
        {"return {1, 'a'; b,}", "(return (table 1 \"a\" b))"},
        {"return {a = 1, ['b'] = 2, [c] = d}",
         "(return (table (. \"a\" 1) ([] \"b\" 2) ([] c d)))"},
        {"return {a == 1, a}", "(return (table (== a 1) a))"},
        {"return {...}", "(return (table ...))"},
        {"return {,}", "1:9 unexpected symbol near ','"},
        {"return {1 2}", "1:11 '}' expected near '2'"},
        {"return {\n1 2}", "2:3 '}' expected (to close '{' at line 1) near '2'"},
        {"return {[1]}", "1:12 '=' expected near '}'"},
    };
    CHECK(rows);
}

static void statements_have_their_shapes(void **state)
{
    (void)state;
    static const row rows[] = {
        {"", "empty"},
        {"local a", "(local (a:0))"},
        {"local a, b = 1", "(local (a:0 b:1) 1)"},
        {"local x = x", "(local (x:0) x)"},
        {"a, b.c, d[1] = 1, f()", "(= (a (. b \"c\") ([] d 1)) 1 (call f))"},
        {"do local a end a = 1", "(do (local (a:0))) (= (a) 1)"},
        {"while a do break end", "(while a (break))"},
        {"repeat local a until a", "(repeat (local (a:0)) a:0)"},
        {"if a then b() elseif c then else d() end",
         "(if (a (do-call (call b))) (c) (else (do-call (call d))))"},
        {"for i = 1, 2 do f(i) end", "(for i:0 1 2 1 (do-call (call f i:0)))"},
        {"for i = 3, 1, -1 do end", "(for i:0 3 1 (- 1))"},
        {"for k, v in pairs(t) do end", "(for-in (k:0 v:1) ( (call pairs t)))"},
        {"function f() end", "(function f (function ()))"},
        {"function a.b.c() end", "(function (. (. a \"b\") \"c\") (function ()))"},
        {"function a.b:c(x) return self, x end",
         "(method-function (. (. a \"b\") \"c\") (function (self:0 x:1) (return self:0 x:1)))"},
        {"local function f(n) return f(n) end",
         "(local-function f:0 (function (n:0) (return (call f:0^ n:0))))"},
        {"local f = function(...) return arg, ... end",
         "(local (f:0) (function () ... (return arg:0 ...)))"},
        {"return arg", "(return arg)"},
        {"return", "(return)"},
        {"f();g();", "(do-call (call f)) (do-call (call g))"},
    };
    CHECK(rows);
}

static void errors_are_told_in_the_words_of_lua(void **state)
{
    (void)state;
    static const row rows[] = {
        {"if a then", "1:10 'end' expected near '<eof>'"},
        {"if a then\n", "2:1 'end' expected (to close 'if' at line 1) near '<eof>'"},
        {"if a\nthen x() else", "2:14 'end' expected (to close 'if' at line 1) near '<eof>'"},
        {"end", "1:1 '<eof>' expected near 'end'"},
        {"x", "1:2 '=' expected near '<eof>'"},
        {"x = ", "1:5 unexpected symbol near '<eof>'"},
        {"x = }", "1:5 unexpected symbol near '}'"},
        {"f(", "1:3 unexpected symbol near '<eof>'"},
        {"f(1", "1:4 ')' expected near '<eof>'"},
        {"f() = 1", "1:5 unexpected symbol near '='"},
        {"(a) = 1", "1:5 syntax error near '='"},
        {"a, f() = 1", "1:8 syntax error near '='"},
        {"a.b", "1:4 '=' expected near '<eof>'"},
        {"a:b = 1", "1:5 function arguments expected near '='"},
        {"local 1", "1:7 '<name>' expected near '1'"},
        {"for a.b = 1, 2 do end", "1:6 '=' or 'in' expected near '.'"},
        {"for a = 1 do end", "1:11 ',' expected near 'do'"},
        {"for a, b = 1, 2 do end", "1:10 'in' expected near '='"},
        {"function() end", "1:9 '<name>' expected near '('"},
        {"x = function(1) end", "1:14 <name> or '...' expected near '1'"},
        {"x = function(..., a) end", "1:17 ')' expected near ','"},
        {"function f() return ... end",
         "1:21 cannot use '...' outside a vararg function near '...'"},
        {"break", "1:6 no loop to break near '<eof>'"},
        {"while a do break f() end", "1:18 'end' expected near 'f'"},
        {"return 1 x()", "1:10 '<eof>' expected near 'x'"},
        {"x = 1;; y = 2", "1:7 unexpected symbol near ';'"},
        {"local v = 7 // 2", "1:14 unexpected symbol near '/'"},
        {"goto done", "1:6 '=' expected near 'done'"},
        {"local x <const> = 1", "1:9 unexpected symbol near '<'"},
        {"x = 'a", "1:5 unfinished string near '<eof>'"},
        {"x = 'a' 'b\\n' y", "1:9 unexpected symbol near ''b\n''"},
        {"\xef\xbb\xbfreturn 1", "1:1 unexpected symbol near '\xef'"},
        {"\x1bLua", "1:1 unexpected symbol near 'char(27)'"},
        {"#", "1:1 unexpected symbol near '#'"},
    };
    CHECK(rows);
}

static void a_nul_is_named_by_nothing(void **state)
{
    (void)state;
    char *got = outcome((evs_bytes){"x = \0", 5});
    assert_string_equal(got, "1:5 unexpected symbol");
    evs__free(got);
    got = outcome((evs_bytes){"x = 1 'a\0b'", 11});
    assert_string_equal(got, "1:7 unexpected symbol near ''a'");
    evs__free(got);
}

static void shebangs_are_read_as_the_server_does(void **state)
{
    (void)state;
    static const row rows[] = {
        {"#!lua\nreturn 1", "(return 1)"},
        {"#!lua flags=\nreturn", "(return)"},
        {"#!lua flags=no-writes,allow-oom flags=allow-stale\nreturn", "(return)"},
        {"#!lua \"flags=no-\\x77rites\" 'flags='\nreturn", "(return)"},
        {"#!lua\r\nx", "2:2 '=' expected near '<eof>'"},
        {"#!lua", "1:1 Invalid script shebang"},
        {"#!python\n", "1:1 Unexpected engine in script shebang: #!python"},
        {"#!LUA\n", "1:1 Unexpected engine in script shebang: #!LUA"},
        {"#! lua\n", "1:1 Unexpected engine in script shebang: #!"},
        {"#!lua name=x\n", "1:7 Unknown lua shebang option: name=x"},
        {"#!lua flags=bogus\n", "1:7 Unexpected flag in script shebang: bogus"},
        {"#!lua flags=no-writes, allow-oom\n", "1:7 Unexpected flag in script shebang: "},
        {"#!lua 'flags=\n", "1:7 Invalid engine in script shebang"},
        {"#!lua ''x\n", "1:7 Invalid engine in script shebang"},
        {"\n#!lua\n", "2:1 unexpected symbol near '#'"},
    };
    CHECK(rows);
}

static void a_script_keeps_its_shebang_and_comments(void **state)
{
    (void)state;
    static const char source[] = "#!lua\n--- one\nlocal a --[=[two\n]=] = 1 --three\n  --";
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    assert_int_equal(evs__lua_parse(&chunk, &arena, evs_text(source)), 1);
    assert_int_equal(chunk->shebang.len, 5);
    assert_int_equal(chunk->ncomments, 4);
    static const struct {
        const char *text;
        int line, column, is_long, own_line;
    } wanted[] = {
        {"- one", 2, 1, 0, 1}, {"two\n", 3, 9, 1, 0}, {"three", 4, 9, 0, 0}, {"", 5, 3, 0, 1}};
    for (size_t i = 0; i < chunk->ncomments; i++) {
        const evs__comment *comment = &chunk->comments[i];
        assert_int_equal(comment->text.len, strlen(wanted[i].text));
        assert_memory_equal(comment->text.data, wanted[i].text, comment->text.len);
        assert_int_equal(comment->at.line, wanted[i].line);
        assert_int_equal(comment->at.column, wanted[i].column);
        assert_int_equal(comment->is_long, wanted[i].is_long);
        assert_int_equal(comment->own_line, wanted[i].own_line);
    }
    evs__arena_free(&arena);
}

static void an_error_keeps_the_tokens_around_it(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    assert_int_equal(evs__lua_parse(&chunk, &arena, evs_text("-- c\nx = 7 // 2")), 1);
    assert_int_equal(chunk->error.problem, EVS__PARSE_SYNTAX);
    assert_int_equal(chunk->error.token.kind, '/');
    assert_int_equal(chunk->error.before.kind, '/');
    assert_int_equal(chunk->error.at.start, 12);
    assert_int_equal(chunk->ncomments, 1);
    assert_int_equal(evs__lua_parse(&chunk, &arena, evs_text("x = 'a\n'")), 1);
    assert_int_equal(chunk->error.token.kind, EVS__TK_EOF);
    assert_int_equal(chunk->error.before.kind, '=');
    assert_int_equal(chunk->error.at.start, 4);
    evs__arena_free(&arena);
}

static void nested_long_brackets_are_noted(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    assert_int_equal(evs__lua_parse(&chunk, &arena, evs_text("--[[\n [[ [[ ]]")), 1);
    assert_null(chunk->error.message);
    assert_int_equal(chunk->nested.start, 6);
    assert_int_equal(chunk->nested.end, 8);
    assert_int_equal(chunk->nested.line, 2);
    assert_int_equal(chunk->nested.column, 2);
    assert_int_equal(evs__lua_parse(&chunk, &arena, evs_text("x = [=[ [[ [=[ ]=]")), 1);
    assert_int_equal(chunk->nested.end, 0);
    evs__arena_free(&arena);
}

/* ---- spans: each node of this script, as text ---- */

static void assert_text(evs_bytes source, evs__span at, const char *text)
{
    char *got = evs__copy_text(source.data + at.start, at.end - at.start);
    assert_string_equal(got, text);
    evs__free(got);
}

static void nodes_span_what_was_written(void **state)
{
    (void)state;
    evs_bytes source = evs_text("local t = {a = -x, [1] = (f .. 'b')} ;\n"
                                "t.m:n(1)[2] = 3 -- c\n"
                                "return function() end\n");
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    assert_int_equal(evs__lua_parse(&chunk, &arena, source), 1);
    const evs__stat *local = chunk->main->body.first;
    const evs__stat *assign = local->next;
    const evs__stat *ret = assign->next;
    assert_text(source, local->at, "local t = {a = -x, [1] = (f .. 'b')}");
    assert_text(source, local->as.local.names[0]->at, "t");
    const evs__expr *table = local->as.local.values.items[0];
    assert_text(source, table->at, "{a = -x, [1] = (f .. 'b')}");
    assert_text(source, table->as.table.items[0].key->at, "a");
    assert_text(source, table->as.table.items[0].value->at, "-x");
    assert_text(source, table->as.table.items[1].value->at, "(f .. 'b')");
    assert_text(source, table->as.table.items[1].value->as.paren->at, "f .. 'b'");
    assert_text(source, table->as.table.items[1].value->as.paren->as.binary.op_at, "..");
    assert_text(source, assign->at, "t.m:n(1)[2] = 3");
    const evs__expr *target = assign->as.assign.targets.items[0];
    assert_text(source, target->at, "t.m:n(1)[2]");
    assert_text(source, target->as.index.object->at, "t.m:n(1)");
    assert_text(source, target->as.index.object->as.method.name_at, "n");
    assert_text(source, target->as.index.object->as.method.object->at, "t.m");
    assert_int_equal(target->as.index.dotted, 0);
    assert_text(source, ret->as.values.items[0]->at, "function() end");
    assert_text(source, ret->as.values.items[0]->as.function->at, "function() end");
    assert_int_equal(ret->at.line, 3);
    assert_int_equal(chunk->main->body.at.end, ret->at.end);
    evs__arena_free(&arena);
}

static void public_spans_end_behind_the_last_byte(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    assert_int_equal(evs__lua_parse(&chunk, &arena, evs_text("x = 1\r\nf(\n 'a')")), 1);
    evs_span span = evs__span_public(chunk, chunk->main->body.first->next->at);
    assert_int_equal(span.line, 2);
    assert_int_equal(span.column, 1);
    assert_int_equal(span.end_line, 3);
    assert_int_equal(span.end_column, 6);
    evs__arena_free(&arena);
}

static void heights_say_how_deep_a_tree_is(void **state)
{
    (void)state;
    evs__buf text = EVS__BUF_INIT;
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    evs__buf_text(&text, "return 1");
    for (int i = 0; i < 100000; i++)
        evs__buf_text(&text, "+1");
    assert_int_equal(evs__lua_parse(&chunk, &arena, (evs_bytes){text.data, text.len}), 1);
    assert_int_equal(chunk->main->body.first->as.values.items[0]->height, 100001);
    evs__buf_clear(&text);
    evs__ast_dump(&text, chunk->main);
    assert_true(evs__buf_ok(&text));
    assert_int_equal(text.len, 100000 * strlen("(+  1)") + strlen("(function () ... (return 1))"));
    evs__buf_free(&text);
    evs__arena_free(&arena);
}

/* ---- memory ---- */

static void every_allocation_can_fail(void **state)
{
    (void)state;
    evs_bytes source = evs_text(
        "#!lua flags=no-writes\n-- c\nlocal a, b, c, d, e = 1, 'x', {y = 2, ...}\n"
        "function t.f:g(p, ...) a = a + p; return self[b]:h(c), [[z]] end\n"
        "for i = 1, 2 do if a then break elseif b then local x = a .. b .. c end end\n"
        "for k, v in pairs(c) do repeat d = function() return k end until not d end\n"
        "while a < b do a, b = b, a end return a and b or c, 0x10 // 2");
    for (size_t n = 1;; n++) {
        evs__arena arena = EVS__ARENA_INIT;
        evs__chunk *chunk = NULL;
        evs__mem_fail_at(n);
        int done = evs__lua_parse(&chunk, &arena, source);
        evs__mem_fail_at(0);
        assert_int_equal(done, chunk != NULL);
        if (done)
            assert_string_equal(chunk->error.message, "unexpected symbol near '/'");
        evs__arena_free(&arena);
        if (done)
            return;
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_bind_as_in_the_manual),
        cmocka_unit_test(suffixes_go_from_left_to_right),
        cmocka_unit_test(constructors_keep_the_three_kinds_of_fields),
        cmocka_unit_test(statements_have_their_shapes),
        cmocka_unit_test(errors_are_told_in_the_words_of_lua),
        cmocka_unit_test(a_nul_is_named_by_nothing),
        cmocka_unit_test(shebangs_are_read_as_the_server_does),
        cmocka_unit_test(a_script_keeps_its_shebang_and_comments),
        cmocka_unit_test(an_error_keeps_the_tokens_around_it),
        cmocka_unit_test(nested_long_brackets_are_noted),
        cmocka_unit_test(nodes_span_what_was_written),
        cmocka_unit_test(public_spans_end_behind_the_last_byte),
        cmocka_unit_test(heights_say_how_deep_a_tree_is),
        cmocka_unit_test(every_allocation_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
