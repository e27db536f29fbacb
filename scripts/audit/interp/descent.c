/*
 * A look at the text alone. It believes that a number that gets smaller is tested against a limit,
 * and that a table is no part of itself: values that were decoded never are.
 */
#include "scripts/audit/interp/descent.h"

#include "scripts/syntax/visit.h"

#include <string.h>

typedef struct looking {
    const evs__function *function;
    const evs__local *counter; /* counted up: is it compared? */
    const evs__local *part;    /* a variable of a loop over a parameter? */
    const evs__local *name;
    int found;
} looking;

static const evs__local *parameter(const evs__function *function, const evs__expr *expr)
{
    expr = evs__bare(expr);
    for (size_t i = 0; i < function->nparameters; i++)
        if (evs__is_local_name(expr, function->parameters[i]))
            return function->parameters[i];
    return NULL;
}

static int mentions_parameter(const evs__function *function, const evs__expr *expr)
{
    expr = evs__bare(expr);
    while (expr->kind == EVS__EXPR_INDEX)
        expr = evs__bare(expr->as.index.object);
    return parameter(function, expr) != NULL;
}

static int is_order(evs__binary_op op)
{
    return op == EVS__OP_LT || op == EVS__OP_LE || op == EVS__OP_GT || op == EVS__OP_GE ||
           op == EVS__OP_EQ;
}

static void look_compared(void *context, const evs__expr *expr)
{
    looking *l = context;
    if (expr->kind == EVS__EXPR_BINARY && is_order(expr->as.binary.op) &&
        (evs__is_local_name(expr->as.binary.left, l->counter) ||
         evs__is_local_name(expr->as.binary.right, l->counter)))
        l->found = 1;
}

static int is_compared(const evs__function *function, const evs__local *counter)
{
    looking l = {.function = function, .counter = counter};
    evs__visitor visitor = {.context = &l, .expr = look_compared};
    evs__visit_block(&visitor, &function->body);
    return l.found;
}

/* Is what a loop goes through, or a variable is set to, a part of a parameter? */
static int is_part_of_parameter(const evs__function *function, const evs__expr *expr)
{
    expr = evs__bare(expr);
    if (expr->kind == EVS__EXPR_CALL && expr->as.call.args.count > 0 &&
        (evs__is_global_name(expr->as.call.callee, "pairs") ||
         evs__is_global_name(expr->as.call.callee, "ipairs")))
        return mentions_parameter(function, expr->as.call.args.items[0]);
    return expr->kind == EVS__EXPR_INDEX && mentions_parameter(function, expr);
}

static int is_among(evs__local *const *names, size_t count, const evs__local *name)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] == name)
            return 1;
    return 0;
}

static void look_part(void *context, const evs__stat *stat)
{
    looking *l = context;
    if (stat->kind == EVS__STAT_FOR_IN &&
        is_among(stat->as.each.names, stat->as.each.nnames, l->part))
        l->found |= is_part_of_parameter(l->function, stat->as.each.values.items[0]);
    if (stat->kind == EVS__STAT_LOCAL && stat->as.local.values.count > 0 &&
        is_among(stat->as.local.names, stat->as.local.nnames, l->part))
        l->found |= is_part_of_parameter(l->function, stat->as.local.values.items[0]);
}

static int is_part(const evs__function *function, const evs__expr *expr)
{
    expr = evs__bare(expr);
    if (expr->kind == EVS__EXPR_INDEX)
        return mentions_parameter(function, expr);
    if (expr->kind != EVS__EXPR_NAME || expr->as.name.local == NULL)
        return 0;
    looking l = {.function = function, .part = expr->as.name.local};
    evs__visitor visitor = {.context = &l, .stat = look_part};
    evs__visit_block(&visitor, &function->body);
    return l.found;
}

static int is_smaller(const evs__function *function, const evs__expr *expr)
{
    expr = evs__bare(expr);
    if (expr->kind != EVS__EXPR_BINARY)
        return 0;
    const evs__local *name = parameter(function, expr->as.binary.left);
    const evs__expr *step = evs__bare(expr->as.binary.right);
    if (name == NULL || step->kind != EVS__EXPR_NUMBER || step->as.number <= 0)
        return 0;
    switch (expr->as.binary.op) {
    case EVS__OP_SUB:
    case EVS__OP_DIV:
    case EVS__OP_ADD:
        return is_compared(function, name);
    default:
        return 0;
    }
}

int evs__descends(const evs__function *function, const evs__expr *call)
{
    const evs__exprs *args;
    if (call->kind == EVS__EXPR_CALL)
        args = &call->as.call.args;
    else if (call->kind == EVS__EXPR_METHOD)
        args = &call->as.method.args;
    else
        return 0;
    for (size_t i = 0; i < args->count; i++)
        if (is_smaller(function, args->items[i]) || is_part(function, args->items[i]))
            return 1;
    return 0;
}
