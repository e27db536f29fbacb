#include "tests/support/lua_edits.h"

#include "scripts/syntax/parser.h"
#include "tests/support/lua_tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES_MAX = 20000 };

/* Replaces the bytes from `at` to `to`. */
typedef struct change {
    size_t at, to, order;
    char text[128];
} change;

typedef struct editor {
    const char *source;
    lua_edit_kind kind;
    change *changes;
    size_t count;
} editor;

const char *lua_edit_name(lua_edit_kind kind)
{
    static const char *const names[] = {"renamed locals",  "wrapped in a function", "aliased calls",
                                        "split texts",     "swapped locals",        "dead code",
                                        "more parentheses"};
    return names[kind];
}

static void put(editor *e, size_t at, size_t to, const char *text)
{
    if (e->count == CHANGES_MAX || strlen(text) >= sizeof e->changes->text)
        return;
    change *c = &e->changes[e->count];
    c->at = at;
    c->to = to;
    c->order = e->count++;
    strcpy(c->text, text);
}

/* ---- locals ---- */

static void rename_at(editor *e, evs__span at, evs_bytes name)
{
    char text[128];
    if (name.len > 90)
        return;
    memcpy(text, "renamed_", 8);
    memcpy(text + 8, name.data, name.len);
    text[8 + name.len] = '\0';
    put(e, at.start, at.end, text);
}

static void on_local(editor *e, const evs__local *local)
{
    if (e->kind == LUA_RENAME_LOCALS && local->kind != EVS__LOCAL_SELF &&
        local->kind != EVS__LOCAL_ARG)
        rename_at(e, local->at, local->name);
}

static void on_locals(editor *e, evs__local *const *locals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        on_local(e, locals[i]);
}

/* ---- expressions ---- */

static void block(editor *e, const evs__block *block);
static void expr(editor *e, const evs__expr *expr);

static void exprs(editor *e, const evs__exprs *list)
{
    for (size_t i = 0; i < list->count; i++)
        expr(e, list->items[i]);
}

static void on_name(editor *e, const evs__expr *at)
{
    const evs__local *local = at->as.name.local;
    if (e->kind == LUA_RENAME_LOCALS && local != NULL && local->kind != EVS__LOCAL_SELF &&
        local->kind != EVS__LOCAL_ARG)
        rename_at(e, at->at, at->as.name.text);
}

/* A text without escapes in quotes, at least two bytes of it. */
static void on_text(editor *e, const evs__expr *at)
{
    const char *text = e->source + at->at.start;
    size_t len = at->at.end - at->at.start;
    char made[128];
    if (e->kind != LUA_SPLIT_TEXTS || len < 4 || len > 60 || (text[0] != '\'' && text[0] != '"') ||
        memchr(text, '\\', len) != NULL)
        return;
    size_t half = len / 2;
    snprintf(made, sizeof made, "(%.*s%c .. %c%.*s)", (int)half, text, text[0], text[0],
             (int)(len - half), text + half);
    put(e, at->at.start, at->at.end, made);
}

static void on_index(editor *e, const evs__expr *at)
{
    const evs__expr *object = at->as.index.object, *key = at->as.index.key;
    int plain = e->kind == LUA_ALIAS_CALLS && object->kind == EVS__EXPR_NAME &&
                object->as.name.local == NULL && at->as.index.dotted;
    size_t len = key->at.end - key->at.start;
    if (plain && object->as.name.text.len == 5 &&
        memcmp(object->as.name.text.data, "redis", 5) == 0) {
        if (len == 4 && memcmp(e->source + key->at.start, "call", 4) == 0)
            put(e, at->at.start, at->at.end, "aliased_call");
        if (len == 5 && memcmp(e->source + key->at.start, "pcall", 5) == 0)
            put(e, at->at.start, at->at.end, "aliased_pcall");
    }
    expr(e, object);
    if (!at->as.index.dotted)
        expr(e, key);
}

/* f'text' and f{...} take no parentheses. */
static void on_arguments(editor *e, const evs__exprs *args)
{
    if (args->count == 1 && e->kind == LUA_SPLIT_TEXTS &&
        args->items[0]->kind == EVS__EXPR_STRING) {
        const char *before = e->source + args->items[0]->at.start;
        while (before > e->source && strchr(" \t\n", before[-1]) != NULL)
            before--;
        if (before == e->source || before[-1] != '(')
            return;
    }
    exprs(e, args);
}

static void on_table(editor *e, const evs__table_expr *table)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->items[i].kind == EVS__ITEM_KEY)
            expr(e, table->items[i].key);
        expr(e, table->items[i].value);
    }
}

static void function(editor *e, const evs__function *function)
{
    on_locals(e, function->parameters, function->nparameters);
    block(e, &function->body);
}

/* `(` in front of a statement would call what stands before it. */
static void parenthesize(editor *e, const evs__expr *at)
{
    if (e->kind != LUA_PARENTHESES)
        return;
    put(e, at->at.start, at->at.start, "(");
    put(e, at->at.end, at->at.end, ")");
}

static void read_operands(editor *e, const evs__binary *binary)
{
    if (binary->left->kind == EVS__EXPR_NAME && binary->op != EVS__OP_AND)
        parenthesize(e, binary->right);
    expr(e, binary->left);
    expr(e, binary->right);
}

static void expr(editor *e, const evs__expr *at)
{
    switch (at->kind) {
    case EVS__EXPR_NAME:
        on_name(e, at);
        return;
    case EVS__EXPR_STRING:
        on_text(e, at);
        return;
    case EVS__EXPR_INDEX:
        on_index(e, at);
        return;
    case EVS__EXPR_CALL:
        expr(e, at->as.call.callee);
        on_arguments(e, &at->as.call.args);
        return;
    case EVS__EXPR_METHOD:
        if (at->as.method.object->kind != EVS__EXPR_STRING)
            expr(e, at->as.method.object);
        on_arguments(e, &at->as.method.args);
        return;
    case EVS__EXPR_BINARY:
        read_operands(e, &at->as.binary);
        return;
    case EVS__EXPR_UNARY:
        expr(e, at->as.unary.operand);
        return;
    case EVS__EXPR_PAREN:
        expr(e, at->as.paren);
        return;
    case EVS__EXPR_TABLE:
        on_table(e, &at->as.table);
        return;
    case EVS__EXPR_FUNCTION:
        function(e, at->as.function);
        return;
    default:
        return;
    }
}

/* ---- statements ---- */

/* Does evaluating it do nothing, and does it not read `name`? */
static int is_still(const evs__expr *at, evs_bytes name)
{
    const evs_bytes *read = &at->as.name.text;
    switch (at->kind) {
    case EVS__EXPR_NAME:
        return read->len != name.len || memcmp(read->data, name.data, name.len) != 0;
    case EVS__EXPR_INDEX:
        return is_still(at->as.index.object, name) && is_still(at->as.index.key, name);
    case EVS__EXPR_BINARY:
        return is_still(at->as.binary.left, name) && is_still(at->as.binary.right, name);
    case EVS__EXPR_PAREN:
        return is_still(at->as.paren, name);
    default:
        return at->kind == EVS__EXPR_STRING || at->kind == EVS__EXPR_NUMBER ||
               at->kind == EVS__EXPR_NIL || at->kind == EVS__EXPR_TRUE;
    }
}

/* local NAME = something that does not need the name that `other` declares */
static int is_independent(const evs__stat *stat, const evs__stat *other)
{
    return stat->kind == EVS__STAT_LOCAL && stat->as.local.nnames == 1 &&
           stat->as.local.values.count == 1 && other->kind == EVS__STAT_LOCAL &&
           is_still(stat->as.local.values.items[0], other->as.local.names[0]->name);
}

static int is_same_name(const evs__stat *a, const evs__stat *b)
{
    evs_bytes x = a->as.local.names[0]->name, y = b->as.local.names[0]->name;
    return x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
}

static void copy_text(char out[128], const editor *e, evs__span at)
{
    snprintf(out, 128, "%.*s", (int)(at.end - at.start), e->source + at.start);
}

/* Returns the statement that was exchanged with this one, or this one. */
static const evs__stat *swap(editor *e, const evs__stat *stat)
{
    const evs__stat *next = stat->next;
    char first[128], second[128];
    if (e->kind != LUA_SWAP_LOCALS || next == NULL || !is_independent(stat, next) ||
        !is_independent(next, stat) || is_same_name(stat, next))
        return stat;
    if (stat->at.end - stat->at.start > 100 || next->at.end - next->at.start > 100)
        return stat;
    copy_text(first, e, stat->at);
    copy_text(second, e, next->at);
    put(e, stat->at.start, stat->at.end, second);
    put(e, next->at.start, next->at.end, first);
    return next;
}

static void statement(editor *e, const evs__stat *stat);

static void block(editor *e, const evs__block *body)
{
    for (const evs__stat *stat = body->first; stat != NULL; stat = stat->next) {
        if (e->kind == LUA_DEAD_CODE)
            put(e, stat->at.start, stat->at.start,
                " if false then redis.call('SET', 'dead', 'x') return redis.pcall('X') end ");
        statement(e, stat);
        stat = swap(e, stat);
    }
}

static void branch(editor *e, const evs__branch_stat *branch)
{
    for (size_t i = 0; i < branch->narms; i++) {
        if (branch->arms[i].condition != NULL)
            expr(e, branch->arms[i].condition);
        block(e, &branch->arms[i].block);
    }
}

static void loop(editor *e, const evs__stat *stat)
{
    const evs__count_stat *count = &stat->as.count;
    const evs__each_stat *each = &stat->as.each;
    switch (stat->kind) {
    case EVS__STAT_FOR:
        on_local(e, count->name);
        expr(e, count->start);
        expr(e, count->limit);
        if (count->step != NULL)
            expr(e, count->step);
        block(e, &count->block);
        return;
    case EVS__STAT_FOR_IN:
        on_locals(e, each->names, each->nnames);
        exprs(e, &each->values);
        block(e, &each->block);
        return;
    default:
        expr(e, stat->as.loop.condition);
        block(e, &stat->as.loop.block);
        return;
    }
}

static void statement(editor *e, const evs__stat *stat)
{
    switch (stat->kind) {
    case EVS__STAT_LOCAL:
        on_locals(e, stat->as.local.names, stat->as.local.nnames);
        exprs(e, &stat->as.local.values);
        return;
    case EVS__STAT_LOCAL_FUNCTION:
        on_local(e, stat->as.local_function.name);
        expr(e, stat->as.local_function.function);
        return;
    case EVS__STAT_ASSIGN:
        exprs(e, &stat->as.assign.targets);
        exprs(e, &stat->as.assign.values);
        return;
    case EVS__STAT_CALL:
        expr(e, stat->as.call);
        return;
    case EVS__STAT_DO:
        block(e, &stat->as.block);
        return;
    case EVS__STAT_IF:
        branch(e, &stat->as.branch);
        return;
    case EVS__STAT_FUNCTION:
        expr(e, stat->as.function.target);
        function(e, stat->as.function.function->as.function);
        return;
    case EVS__STAT_RETURN:
        exprs(e, &stat->as.values);
        return;
    case EVS__STAT_BREAK:
        return;
    default:
        loop(e, stat);
        return;
    }
}

/* ---- all ---- */

/* Insertions come before what replaces something at the same place. */
static int by_place(const void *a, const void *b)
{
    const change *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* What stands before the first statement (a shebang, a header block) stays there. */
static void around(editor *e, const evs__chunk *chunk)
{
    size_t begin = chunk->main->body.first == NULL ? 0 : chunk->main->body.first->at.start;
    size_t end = strlen(e->source);
    if (e->kind == LUA_WRAP_IN_FUNCTION) {
        put(e, begin, begin, "return (function(...) ");
        put(e, end, end, "\nend)(...)");
    }
    if (e->kind == LUA_ALIAS_CALLS && e->count > 0)
        put(e, begin, begin, "local aliased_call, aliased_pcall = redis.call, redis.pcall; ");
}

static char *apply(const editor *e)
{
    size_t room = strlen(e->source) + 1;
    for (size_t i = 0; i < e->count; i++)
        room += sizeof e->changes->text;
    char *out = malloc(room);
    size_t from = 0, len = 0;
    for (size_t i = 0; out != NULL && i < e->count; i++) {
        const change *c = &e->changes[i];
        memcpy(out + len, e->source + from, c->at - from);
        len += c->at - from;
        memcpy(out + len, c->text, strlen(c->text));
        len += strlen(c->text);
        from = c->to;
    }
    if (out != NULL)
        strcpy(out + len, e->source + from);
    return out;
}

char *lua_edit(const char *source, lua_edit_kind kind)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__chunk *chunk;
    char *made = NULL;
    editor e = {source, kind, calloc(CHANGES_MAX, sizeof(change)), 0};
    if (e.changes != NULL && evs__lua_parse(&chunk, &arena, evs_text(source)) &&
        chunk->main != NULL) {
        block(&e, &chunk->main->body);
        around(&e, chunk);
        qsort(e.changes, e.count, sizeof *e.changes, by_place);
        if (e.count > 0)
            made = apply(&e);
    }
    free(e.changes);
    evs__arena_free(&arena);
    return made;
}
