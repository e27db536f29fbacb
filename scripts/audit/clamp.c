/*
 * What a number is kept below, told by the text alone. It errs towards "clamped": whoever compared
 * a number thought of its size.
 */
#include "scripts/audit/loops.h"
#include "scripts/syntax/visit.h"

#include <string.h>

enum { NAMES_MAX = 32, DEPTH_MAX = 6 };

/* The variables that an expression is computed from. */
typedef struct parts {
    const evs__meanings *meanings;
    const evs__local *names[NAMES_MAX];
    size_t count;
    int has_min;
    int has_argv;
    int depth;
} parts;

static void collect(parts *p, const evs__expr *expr);

static void collect_all(parts *p, const evs__exprs *exprs)
{
    for (size_t i = 0; i < exprs->count; i++)
        collect(p, exprs->items[i]);
}

static void collect_name(parts *p, const evs__expr *expr)
{
    const evs__local *local = expr->as.name.local;
    if (local == NULL) {
        p->has_argv |= evs__is_global_name(expr, "ARGV");
        return;
    }
    for (size_t i = 0; i < p->count; i++)
        if (p->names[i] == local)
            return;
    if (p->count < NAMES_MAX)
        p->names[p->count++] = local;
    const evs__expr *means = evs__meaning(p->meanings, expr);
    if (means != expr && p->depth < DEPTH_MAX) {
        p->depth++;
        collect(p, means);
        p->depth--;
    }
}

static void collect(parts *p, const evs__expr *expr)
{
    expr = evs__bare(expr);
    if (expr == NULL || expr->height > 200)
        return;
    switch (expr->kind) {
    case EVS__EXPR_NAME:
        collect_name(p, expr);
        return;
    case EVS__EXPR_INDEX:
        collect(p, expr->as.index.object);
        collect(p, expr->as.index.key);
        return;
    case EVS__EXPR_CALL:
        p->has_min |= evs__means_field(p->meanings, expr->as.call.callee, "math", "min");
        collect_all(p, &expr->as.call.args);
        return;
    case EVS__EXPR_METHOD:
        collect(p, expr->as.method.object);
        return;
    case EVS__EXPR_BINARY:
        collect(p, expr->as.binary.left);
        collect(p, expr->as.binary.right);
        return;
    case EVS__EXPR_UNARY:
        if (expr->as.unary.op == EVS__OP_NEG)
            collect(p, expr->as.unary.operand);
        return;
    default:
        return;
    }
}

/* ---- comparisons ---- */

typedef struct comparing {
    evs__clamps *clamps;
    const evs__meanings *meanings;
    int failed;
} comparing;

/* Where a variable is first compared. */
typedef struct first {
    const evs__local *local;
    size_t at;
} first;

static int is_order(evs__binary_op op)
{
    return op == EVS__OP_LT || op == EVS__OP_LE || op == EVS__OP_GT || op == EVS__OP_GE;
}

/* A constant on the other side of 0 or 1 keeps nothing small: `if n > 0`. */
static int is_small(const evs__meanings *meanings, const evs__expr *expr)
{
    expr = evs__meaning(meanings, expr);
    return expr->kind == EVS__EXPR_NUMBER && expr->as.number <= 1;
}

static const first *first_of(const evs__clamps *clamps, const evs__local *local)
{
    evs_bytes key = {(const char *)&local, sizeof local};
    return evs__table_get(&clamps->first, key);
}

static void note(comparing *c, const evs__expr *side, const evs__expr *other, size_t at)
{
    side = evs__bare(side);
    if (side->kind != EVS__EXPR_NAME || side->as.name.local == NULL ||
        is_small(c->meanings, other) || first_of(c->clamps, side->as.name.local) != NULL)
        return;
    first *made = evs__arena_alloc(c->clamps->arena, 1, sizeof *made);
    if (made == NULL) {
        c->failed = 1;
        return;
    }
    made->local = side->as.name.local;
    made->at = at;
    evs_bytes key = {(const char *)&made->local, sizeof made->local};
    c->failed |= !evs__table_set(&c->clamps->first, key, made);
}

static void look(void *context, const evs__expr *expr)
{
    if (expr->kind != EVS__EXPR_BINARY || !is_order(expr->as.binary.op))
        return;
    note(context, expr->as.binary.left, expr->as.binary.right, expr->at.start);
    note(context, expr->as.binary.right, expr->as.binary.left, expr->at.start);
}

int evs__clamps_read(evs__clamps *clamps, evs__arena *arena, const evs__chunk *chunk,
                     const evs__meanings *meanings)
{
    memset(clamps, 0, sizeof *clamps);
    clamps->arena = arena;
    comparing c = {clamps, meanings, 0};
    evs__visitor visitor = {.context = &c, .expr = look};
    evs__visit_block(&visitor, &chunk->main->body);
    return !c.failed;
}

void evs__clamps_free(evs__clamps *clamps)
{
    evs__table_free(&clamps->first);
}

int evs__is_clamped(const evs__clamps *clamps, const evs__meanings *meanings, const evs__expr *expr,
                    size_t before)
{
    parts p = {.meanings = meanings};
    collect(&p, expr);
    for (size_t i = 0; i < p.count; i++) {
        const first *compared = first_of(clamps, p.names[i]);
        if (compared != NULL && compared->at < before)
            return 1;
    }
    return p.has_min;
}

int evs__reads_argv(const evs__meanings *meanings, const evs__expr *expr)
{
    parts p = {.meanings = meanings};
    collect(&p, expr);
    return p.has_argv && !p.has_min;
}
