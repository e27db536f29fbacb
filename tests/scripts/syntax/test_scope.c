/* Names mean what Lua's scopes say, and declarations know who uses, captures and assigns them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "scripts/syntax/parser.h"

static evs__chunk *parse(evs__arena *arena, const char *source)
{
    evs__chunk *chunk = NULL;
    assert_int_equal(evs__lua_parse(&chunk, arena, evs_text(source)), 1);
    if (chunk->error.message != NULL)
        fail_msg("%s", chunk->error.message);
    return chunk;
}

typedef struct row {
    const char *source;
    const char *dump;
} row;

static void names_are_bound_to_the_nearest_declaration(void **state)
{
    (void)state;
    static const row rows[] = {
        {"local a local a return a", "(local (a:0)) (local (a:1)) (return a:1)"},
        {"local a do local a = a end return a",
         "(local (a:0)) (do (local (a:1) a:0)) (return a:0)"},
        {"local function f() end local f = f",
         "(local-function f:0 (function ())) (local (f:1) f:0)"},
        {"local f = function() return f end", "(local (f:0) (function () (return f)))"},
        {"for i = i, 2 do return i end return i", "(for i:0 i 2 1 (return i:0)) (return i)"},
        {"for i in i do return i end", "(for-in (i:0) ( i) (return i:0))"},
        {"repeat local a until a; return a", "(repeat (local (a:0)) a:0) (return a)"},
        {"while a do local a end", "(while a (local (a:0)))"},
        {"local a = function() local b return function() return a, b end end",
         "(local (a:0) (function () (local (b:0)) (return (function () (return a b:0^)))))"},
        {"local a return function() return function() return a end end",
         "(local (a:0)) (return (function () (return (function () (return a:0^)))))"},
        {"local a, b = function(c) local d end, 1 return b",
         "(local (a:0 b:1) (function (c:0) (local (d:1))) 1) (return b:1)"},
        {"local t function t:m(self) return self end",
         "(local (t:0)) (method-function (. t:0 \"m\") "
         "(function (self:0 self:1) (return self:1)))"},
        {"function f(a, a) return a end", "(function f (function (a:0 a:1) (return a:1)))"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evs__arena arena = EVS__ARENA_INIT;
        evs__buf out = EVS__BUF_INIT;
        evs__buf wanted = EVS__BUF_INIT;
        evs__buf_format(&wanted, "(function () ... %s)", rows[i].dump);
        evs__ast_dump(&out, parse(&arena, rows[i].source)->main);
        assert_string_equal(out.data, wanted.data);
        evs__buf_free(&out);
        evs__buf_free(&wanted);
        evs__arena_free(&arena);
    }
}

typedef struct facts_row {
    const char *says;
    const char *source; /* begins with `local a` */
    unsigned uses;
    unsigned assignments;
    int captured;
    int by_closure;
    int in_loop;
} facts_row;

static void declarations_know_their_uses(void **state)
{
    (void)state;
    static const facts_row rows[] = {
        {"unused", "local a = 1", 0, 0, 0, 0, 0},
        {"read", "local a = 1 return a, a", 2, 0, 0, 0, 0},
        {"assigned", "local a a = 1 a, b = 2, 3", 2, 2, 0, 0, 0},
        {"captured", "local a f(function() return a end)", 1, 0, 1, 0, 0},
        {"captured twice removed", "local a f(function() return function() g(a) end end)", 1, 0, 1,
         0, 0},
        {"assigned by a closure", "local a function f() a = 1 end", 1, 1, 1, 1, 1},
        {"assigned in a loop", "local a while f() do a = 1 end", 1, 1, 0, 0, 1},
        {"assigned in a repeat", "local a repeat a = a until f()", 2, 1, 0, 0, 1},
        {"assigned in a block", "local a do a = 1 end if f() then a = 2 end", 2, 2, 0, 0, 0},
        {"assigned by a function statement", "local a function a() end", 1, 1, 0, 0, 0},
        {"a field is no assignment", "local a a.b = 1 function a.c() end function a:d() end", 3, 0,
         0, 0, 0},
        {"shadowed", "local a do local a = 2 a = a end", 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        evs__arena arena = EVS__ARENA_INIT;
        const evs__chunk *chunk = parse(&arena, rows[i].source);
        const evs__local *a = chunk->main->body.first->as.local.names[0];
        if (a->uses != rows[i].uses || a->assignments != rows[i].assignments ||
            a->captured != rows[i].captured || a->assigned_by_closure != rows[i].by_closure ||
            a->assigned_in_loop != rows[i].in_loop)
            fail_msg("%s: %u uses, %u assignments, captured %d, by closure %d, in loop %d",
                     rows[i].says, a->uses, a->assignments, a->captured, a->assigned_by_closure,
                     a->assigned_in_loop);
        evs__arena_free(&arena);
    }
}

static void a_loop_variable_is_fresh_in_each_round(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    const evs__chunk *chunk = parse(&arena, "for i = 1, 2 do local b b = 1 i = 3 end");
    const evs__count_stat *loop = &chunk->main->body.first->as.count;
    const evs__local *b = loop->block.first->as.local.names[0];
    assert_int_equal(loop->name->kind, EVS__LOCAL_FOR);
    assert_int_equal(loop->name->loops, 1);
    assert_int_equal(loop->name->assignments, 1);
    assert_int_equal(loop->name->assigned_in_loop, 0);
    assert_int_equal(b->loops, 1);
    assert_int_equal(b->assigned_in_loop, 0);
    evs__arena_free(&arena);
}

static void captures_and_assignments_have_an_order(void **state)
{
    (void)state;
    static const char source[] =
        "local a; a = 1; f(function() g(function() return a end) end); a = 2";
    evs__arena arena = EVS__ARENA_INIT;
    const evs__local *a = parse(&arena, source)->main->body.first->as.local.names[0];
    assert_int_equal(a->first_capture, strchr(source, '(') + 1 - source);
    assert_int_equal(a->last_assignment, sizeof source - 1 - strlen("a = 2"));
    evs__arena_free(&arena);
}

static void functions_list_what_they_capture(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    const evs__chunk *chunk = parse(
        &arena, "local a, b, c return function(p) return function() return b, a, b, p end end");
    const evs__local_stat *locals = &chunk->main->body.first->as.local;
    const evs__function *outer = chunk->main->body.first->next->as.values.items[0]->as.function;
    const evs__function *inner = outer->body.first->as.values.items[0]->as.function;
    assert_int_equal(chunk->nfunctions, 3);
    assert_int_equal(chunk->main->nlocals, 3);
    assert_int_equal(outer->number, 1);
    assert_int_equal(outer->depth, 1);
    assert_ptr_equal(outer->parent, chunk->main);
    assert_int_equal(outer->nupvalues, 2);
    assert_ptr_equal(outer->upvalues[0], locals->names[1]);
    assert_ptr_equal(outer->upvalues[1], locals->names[0]);
    assert_int_equal(inner->nupvalues, 3);
    assert_ptr_equal(inner->upvalues[2], outer->parameters[0]);
    assert_ptr_equal(inner->upvalues[2]->owner, outer);
    assert_int_equal(inner->number, 2);
    assert_int_equal(locals->names[2]->captured, 0);
    evs__arena_free(&arena);
}

static void vararg_functions_have_arg_besides(void **state)
{
    (void)state;
    evs__arena arena = EVS__ARENA_INIT;
    const evs__chunk *chunk = parse(&arena, "return function(a, ...) end, function(a) end");
    const evs__exprs *values = &chunk->main->body.first->as.values;
    const evs__function *vararg = values->items[0]->as.function;
    const evs__function *plain = values->items[1]->as.function;
    assert_int_equal(vararg->nparameters, 1);
    assert_int_equal(vararg->vararg, 1);
    assert_int_equal(vararg->arg->kind, EVS__LOCAL_ARG);
    assert_int_equal(vararg->nlocals, 2);
    assert_int_equal(plain->vararg, 0);
    assert_null(plain->arg);
    assert_int_equal(chunk->main->vararg, 1);
    assert_null(chunk->main->arg);
    evs__arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_bound_to_the_nearest_declaration),
        cmocka_unit_test(declarations_know_their_uses),
        cmocka_unit_test(a_loop_variable_is_fresh_in_each_round),
        cmocka_unit_test(captures_and_assignments_have_an_order),
        cmocka_unit_test(functions_list_what_they_capture),
        cmocka_unit_test(vararg_functions_have_arg_besides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
