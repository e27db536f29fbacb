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

typedef struct comparing {
    const parts *p;
    size_t before;
    int found;
} comparing;

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

static int is_one_of(const parts *p, const evs__expr *expr)
{
    for (size_t i = 0; i < p->count; i++)
        if (evs__is_local_name(expr, p->names[i]))
            return 1;
    return 0;
}

static void look(void *context, const evs__expr *expr)
{
    comparing *c = context;
    if (expr->kind != EVS__EXPR_BINARY || !is_order(expr->as.binary.op) ||
        expr->at.start >= c->before)
        return;
    const evs__expr *left = expr->as.binary.left, *right = expr->as.binary.right;
    if (is_one_of(c->p, left) && !is_small(c->p->meanings, right))
        c->found = 1;
    if (is_one_of(c->p, right) && !is_small(c->p->meanings, left))
        c->found = 1;
}

int evs__is_clamped(const evs__meanings *meanings, const evs__chunk *chunk, const evs__expr *expr,
                    size_t before)
{
    parts p = {.meanings = meanings};
    collect(&p, expr);
    if (p.has_min)
        return 1;
    comparing c = {&p, before, 0};
    evs__visitor visitor = {.context = &c, .expr = look};
    evs__visit_block(&visitor, &chunk->main->body);
    return c.found;
}

int evs__reads_argv(const evs__meanings *meanings, const evs__expr *expr)
{
    parts p = {.meanings = meanings};
    collect(&p, expr);
    return p.has_argv && !p.has_min;
}
