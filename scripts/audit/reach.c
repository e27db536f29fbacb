/*
 * A walk over the whole tree, without values: it looks for calls that the interpreter never came
 * to. What a name means is told by its declaration alone.
 */
#include "scripts/audit/reach.h"

#include "scripts/audit/interp/interp.h"

#include <string.h>

enum { HEIGHT_MAX = 1000, ALIAS_MAX = 8 };

typedef struct walk {
    const evs__recorder *followed;
    evs__interp in;      /* only what evs__run_command needs */
    int in_never;        /* inside a function that is never called */
    evs__table initials; /* of a declaration that is never assigned: its first value */
} walk;

static void walk_block(walk *w, const evs__block *block);
static void walk_expr(walk *w, const evs__expr *expr);

/* ---- names ---- */

static void declare(walk *w, const evs__local *local, evs__expr *value)
{
    const evs__local **key = evs__pool_alloc(w->in.pool, 1, sizeof *key);
    if (key == NULL || local->assignments > 0)
        return;
    *key = local;
    evs_bytes bytes = {(const char *)key, sizeof *key};
    if (!evs__table_set(&w->initials, bytes, value))
        w->in.pool->failed = 1;
}

/* What a variable was set to once and for all; other expressions are themselves. */
static const evs__expr *meaning(const walk *w, const evs__expr *expr)
{
    for (int i = 0; i < ALIAS_MAX; i++) {
        while (expr->kind == EVS__EXPR_PAREN)
            expr = expr->as.paren;
        if (expr->kind != EVS__EXPR_NAME || expr->as.name.local == NULL)
            return expr;
        const evs__local *local = expr->as.name.local;
        evs_bytes key = {(const char *)&local, sizeof local};
        const evs__expr *value = evs__table_get(&w->initials, key);
        if (value == NULL)
            return expr;
        expr = value;
    }
    return expr;
}

static int is_text(evs_bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

static int is_global(const evs__expr *expr, const char *name)
{
    return expr->kind == EVS__EXPR_NAME && expr->as.name.local == NULL &&
           is_text(expr->as.name.text, name);
}

static int is_redis_call(const walk *w, const evs__expr *expr)
{
    expr = meaning(w, expr);
    if (expr->kind != EVS__EXPR_INDEX)
        return 0;
    const evs__expr *object = meaning(w, expr->as.index.object);
    const evs__expr *key = meaning(w, expr->as.index.key);
    if (key->kind != EVS__EXPR_STRING ||
        (!is_text(key->as.string, "call") && !is_text(key->as.string, "pcall")))
        return 0;
    return is_global(object, "redis") || is_global(object, "server");
}

/* ---- calls ---- */

static const evs__value *value_of(walk *w, const evs__expr *expr)
{
    const evs__expr *means = meaning(w, expr);
    if (evs__chunk_hole(w->in.chunk, means->at) != NULL)
        return evs__value_top(w->in.pool, "the code is never executed", expr->at);
    if (means->kind == EVS__EXPR_STRING)
        return evs__value_constant(w->in.pool, means->as.string, expr->at);
    if (means->kind == EVS__EXPR_NUMBER)
        return evs__value_number(w->in.pool, means->as.number, expr->at);
    return evs__value_top(w->in.pool, "the code is never executed", expr->at);
}

static evs__seq arguments(walk *w, const evs__exprs *args, size_t from)
{
    evs__seq seq = evs__seq_empty();
    for (size_t i = from; i < args->count; i++) {
        const evs__expr *arg = args->items[i];
        int open = arg->kind == EVS__EXPR_CALL || arg->kind == EVS__EXPR_METHOD ||
                   arg->kind == EVS__EXPR_VARARG;
        evs__seq one = open && i + 1 == args->count
                           ? evs__seq_any(value_of(w, arg), arg->at)
                           : evs__seq_of(w->in.pool, value_of(w, arg), arg->at);
        evs__seq_append(w->in.pool, &seq, &one, arg->at);
    }
    return seq;
}

static void check_call(walk *w, const evs__expr *expr)
{
    const evs__call_expr *call = &expr->as.call;
    const evs__exprs *args = &call->args;
    if (evs__recorder_reached(w->followed, expr))
        return;
    size_t from = 0;
    const evs__expr *callee = call->callee;
    if (is_global(meaning(w, callee), "pcall") && args->count > 0) {
        callee = args->items[0];
        from = 1;
    }
    if (!is_redis_call(w, callee))
        return;
    evs__site site = {expr, expr->at};
    evs__seq seq = arguments(w, args, from);
    evs__run_command(&w->in, &site, &seq);
}

/* ---- the walk ---- */

static void walk_exprs(walk *w, const evs__exprs *exprs)
{
    for (size_t i = 0; i < exprs->count; i++)
        walk_expr(w, exprs->items[i]);
}

/* Of functions inside one that is never called, the outermost counts. */
static void walk_function(walk *w, const evs__function *function)
{
    size_t calls = w->in.recorder->ncalled;
    int never = !w->in_never && !evs__recorder_reached(w->followed, function);
    w->in_never += never;
    walk_block(w, &function->body);
    w->in_never -= never;
    if (never && w->in.recorder->ncalled > calls)
        evs__record_never(w->in.recorder, function);
}

static void walk_expr(walk *w, const evs__expr *expr)
{
    if (expr == NULL || expr->height > HEIGHT_MAX)
        return;
    switch (expr->kind) {
    case EVS__EXPR_FUNCTION:
        walk_function(w, expr->as.function);
        return;
    case EVS__EXPR_INDEX:
        walk_expr(w, expr->as.index.object);
        walk_expr(w, expr->as.index.key);
        return;
    case EVS__EXPR_CALL:
        walk_expr(w, expr->as.call.callee);
        walk_exprs(w, &expr->as.call.args);
        check_call(w, expr);
        return;
    case EVS__EXPR_METHOD:
        walk_expr(w, expr->as.method.object);
        walk_exprs(w, &expr->as.method.args);
        return;
    case EVS__EXPR_BINARY:
        walk_expr(w, expr->as.binary.left);
        walk_expr(w, expr->as.binary.right);
        return;
    case EVS__EXPR_UNARY:
        walk_expr(w, expr->as.unary.operand);
        return;
    case EVS__EXPR_PAREN:
        walk_expr(w, expr->as.paren);
        return;
    case EVS__EXPR_TABLE:
        for (size_t i = 0; i < expr->as.table.count; i++) {
            walk_expr(w, expr->as.table.items[i].key);
            walk_expr(w, expr->as.table.items[i].value);
        }
        return;
    default:
        return;
    }
}

static void walk_local(walk *w, const evs__local_stat *local)
{
    walk_exprs(w, &local->values);
    for (size_t i = 0; i < local->nnames && i < local->values.count; i++)
        declare(w, local->names[i], local->values.items[i]);
}

static void walk_branch(walk *w, const evs__branch_stat *branch)
{
    for (size_t i = 0; i < branch->narms; i++) {
        walk_expr(w, branch->arms[i].condition);
        walk_block(w, &branch->arms[i].block);
    }
}

static void walk_stat(walk *w, const evs__stat *stat)
{
    switch (stat->kind) {
    case EVS__STAT_LOCAL:
        walk_local(w, &stat->as.local);
        return;
    case EVS__STAT_LOCAL_FUNCTION:
        walk_expr(w, stat->as.local_function.function);
        return;
    case EVS__STAT_ASSIGN:
        walk_exprs(w, &stat->as.assign.targets);
        walk_exprs(w, &stat->as.assign.values);
        return;
    case EVS__STAT_CALL:
        walk_expr(w, stat->as.call);
        return;
    case EVS__STAT_DO:
        walk_block(w, &stat->as.block);
        return;
    case EVS__STAT_WHILE:
    case EVS__STAT_REPEAT:
        walk_expr(w, stat->as.loop.condition);
        walk_block(w, &stat->as.loop.block);
        return;
    case EVS__STAT_IF:
        walk_branch(w, &stat->as.branch);
        return;
    case EVS__STAT_FOR:
        walk_expr(w, stat->as.count.start);
        walk_expr(w, stat->as.count.limit);
        walk_expr(w, stat->as.count.step);
        walk_block(w, &stat->as.count.block);
        return;
    case EVS__STAT_FOR_IN:
        walk_exprs(w, &stat->as.each.values);
        walk_block(w, &stat->as.each.block);
        return;
    case EVS__STAT_FUNCTION:
        walk_expr(w, stat->as.function.function);
        return;
    case EVS__STAT_RETURN:
        walk_exprs(w, &stat->as.values);
        return;
    case EVS__STAT_BREAK:
        return;
    }
}

static void walk_block(walk *w, const evs__block *block)
{
    for (const evs__stat *stat = block->first; stat != NULL; stat = stat->next)
        walk_stat(w, stat);
}

void evs__find_unreached(evs__recorder *out, const evs__recorder *followed, const evs__chunk *chunk,
                         const evs__extra *extra)
{
    walk w = {.followed = followed};
    w.in.pool = out->pool;
    w.in.recorder = out;
    w.in.chunk = chunk;
    w.in.extra = extra;
    evs__store_init(&w.in.store, out->pool);
    w.in.lost = evs__store_slots(&w.in.store, 2);
    w.in.deleted = w.in.lost + 1;
    if (!out->pool->failed)
        walk_block(&w, &chunk->main->body);
    evs__table_free(&w.initials);
    evs__store_free(&w.in.store);
}
