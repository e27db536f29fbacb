#include "scripts/syntax/visit.h"

#include <string.h>

enum { HEIGHT_MAX = 1000 };

static void visit_exprs(const evs__visitor *v, const evs__exprs *exprs)
{
    for (size_t i = 0; i < exprs->count; i++)
        evs__visit_expr(v, exprs->items[i]);
}

static void visit_function(const evs__visitor *v, const evs__function *function)
{
    if (v->enter != NULL)
        v->enter(v->context, function);
    evs__visit_block(v, &function->body);
    if (v->leave != NULL)
        v->leave(v->context, function);
}

static void visit_inside(const evs__visitor *v, const evs__expr *expr)
{
    switch (expr->kind) {
    case EVS__EXPR_FUNCTION:
        visit_function(v, expr->as.function);
        return;
    case EVS__EXPR_INDEX:
        evs__visit_expr(v, expr->as.index.object);
        evs__visit_expr(v, expr->as.index.key);
        return;
    case EVS__EXPR_CALL:
        evs__visit_expr(v, expr->as.call.callee);
        visit_exprs(v, &expr->as.call.args);
        return;
    case EVS__EXPR_METHOD:
        evs__visit_expr(v, expr->as.method.object);
        visit_exprs(v, &expr->as.method.args);
        return;
    case EVS__EXPR_BINARY:
        evs__visit_expr(v, expr->as.binary.left);
        evs__visit_expr(v, expr->as.binary.right);
        return;
    case EVS__EXPR_UNARY:
        evs__visit_expr(v, expr->as.unary.operand);
        return;
    case EVS__EXPR_PAREN:
        evs__visit_expr(v, expr->as.paren);
        return;
    case EVS__EXPR_TABLE:
        for (size_t i = 0; i < expr->as.table.count; i++) {
            evs__visit_expr(v, expr->as.table.items[i].key);
            evs__visit_expr(v, expr->as.table.items[i].value);
        }
        return;
    default:
        return;
    }
}

void evs__visit_expr(const evs__visitor *visitor, const evs__expr *expr)
{
    if (expr == NULL)
        return;
    if (visitor->expr != NULL)
        visitor->expr(visitor->context, expr);
    if (expr->height <= HEIGHT_MAX)
        visit_inside(visitor, expr);
}

static void visit_arms(const evs__visitor *v, const evs__branch_stat *branch)
{
    for (size_t i = 0; i < branch->narms; i++) {
        evs__visit_expr(v, branch->arms[i].condition);
        evs__visit_block(v, &branch->arms[i].block);
    }
}

static void visit_count(const evs__visitor *v, const evs__count_stat *count)
{
    evs__visit_expr(v, count->start);
    evs__visit_expr(v, count->limit);
    evs__visit_expr(v, count->step);
    evs__visit_block(v, &count->block);
}

static void visit_parts(const evs__visitor *v, const evs__stat *stat)
{
    switch (stat->kind) {
    case EVS__STAT_LOCAL:
        visit_exprs(v, &stat->as.local.values);
        return;
    case EVS__STAT_LOCAL_FUNCTION:
        evs__visit_expr(v, stat->as.local_function.function);
        return;
    case EVS__STAT_ASSIGN:
        visit_exprs(v, &stat->as.assign.targets);
        visit_exprs(v, &stat->as.assign.values);
        return;
    case EVS__STAT_CALL:
        evs__visit_expr(v, stat->as.call);
        return;
    case EVS__STAT_DO:
        evs__visit_block(v, &stat->as.block);
        return;
    case EVS__STAT_WHILE:
        evs__visit_expr(v, stat->as.loop.condition);
        evs__visit_block(v, &stat->as.loop.block);
        return;
    case EVS__STAT_REPEAT:
        evs__visit_block(v, &stat->as.loop.block);
        evs__visit_expr(v, stat->as.loop.condition);
        return;
    case EVS__STAT_IF:
        visit_arms(v, &stat->as.branch);
        return;
    case EVS__STAT_FOR:
        visit_count(v, &stat->as.count);
        return;
    case EVS__STAT_FOR_IN:
        visit_exprs(v, &stat->as.each.values);
        evs__visit_block(v, &stat->as.each.block);
        return;
    case EVS__STAT_FUNCTION:
        evs__visit_expr(v, stat->as.function.target);
        evs__visit_expr(v, stat->as.function.function);
        return;
    case EVS__STAT_RETURN:
        visit_exprs(v, &stat->as.values);
        return;
    case EVS__STAT_BREAK:
        return;
    }
}

void evs__visit_block(const evs__visitor *visitor, const evs__block *block)
{
    for (const evs__stat *stat = block->first; stat != NULL; stat = stat->next) {
        if (visitor->want != NULL && !visitor->want(visitor->context, stat))
            continue;
        if (visitor->stat != NULL)
            visitor->stat(visitor->context, stat);
        visit_parts(visitor, stat);
        if (visitor->left != NULL)
            visitor->left(visitor->context, stat);
    }
}

/* ---- asking ---- */

const evs__expr *evs__bare(const evs__expr *expr)
{
    while (expr != NULL && expr->kind == EVS__EXPR_PAREN)
        expr = expr->as.paren;
    return expr;
}

int evs__is_local_name(const evs__expr *expr, const evs__local *local)
{
    expr = evs__bare(expr);
    return expr != NULL && expr->kind == EVS__EXPR_NAME && expr->as.name.local != NULL &&
           expr->as.name.local == local;
}

static int is_text(evs_bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

int evs__is_global_name(const evs__expr *expr, const char *name)
{
    expr = evs__bare(expr);
    return expr != NULL && expr->kind == EVS__EXPR_NAME && expr->as.name.local == NULL &&
           is_text(expr->as.name.text, name);
}

int evs__is_field_of(const evs__expr *expr, const char *object, const char *name)
{
    expr = evs__bare(expr);
    if (expr == NULL || expr->kind != EVS__EXPR_INDEX ||
        !evs__is_global_name(expr->as.index.object, object))
        return 0;
    const evs__expr *key = evs__bare(expr->as.index.key);
    return key->kind == EVS__EXPR_STRING && is_text(key->as.string, name);
}

int evs__span_within(evs__span inner, evs__span outer)
{
    return inner.start >= outer.start && inner.end <= outer.end;
}
