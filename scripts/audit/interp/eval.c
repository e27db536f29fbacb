/*
 * Expressions.
 */
#include "scripts/audit/interp/interp.h"

#include <math.h>

static const char *hole_reason(evs__interp *in, const evs_hole *hole)
{
    const char *reason = evs__arena_format(&in->pool->arena, "interpolated `%s` is not known",
                                           hole->code);
    in->pool->failed |= reason == NULL;
    return reason == NULL ? "" : reason;
}

static const evs__value *eval_string(evs__interp *in, const evs__expr *expr)
{
    const evs_hole *hole = evs__chunk_hole(in->chunk, expr->at);
    return hole == NULL ? evs__value_constant(in->pool, expr->as.string, expr->at)
                        : evs__value_holed(in->pool, hole->code, expr->at);
}

static const evs__value *eval_name(evs__interp *in, const evs__expr *expr)
{
    const evs__name *name = &expr->as.name;
    const evs_hole *hole = evs__chunk_hole(in->chunk, expr->at);
    if (hole != NULL)
        return evs__value_top(in->pool, hole_reason(in, hole), expr->at);
    if (name->local != NULL) {
        const evs__value *value = evs__store_value(&in->store, evs__local_slot(in, name->local));
        return value != NULL ? value : evs__value_lost();
    }
    const evs__object *globals = evs__store_object(&in->store, in->globals);
    if (globals == NULL)
        return evs__value_lost();
    const evs__value *found = evs__object_field(globals, name->text);
    if (found == NULL && globals->other == NULL)
        return evs__value_top(in->pool, "a global is used that is not defined here", expr->at);
    return evs__object_get(in->pool, globals, evs__value_constant(in->pool, name->text, expr->at),
                           expr->at);
}

static const evs__value *eval_function(evs__interp *in, const evs__expr *expr)
{
    evs__callable callable = {.function = expr->as.function, .outer = in->frame->activation};
    return evs__value_callable(in->pool, &callable);
}

const evs__value *evs__reread(evs__interp *in, const evs__expr *expr, const evs__value *value)
{
    while (expr->kind == EVS__EXPR_PAREN)
        expr = expr->as.paren;
    if (expr->kind != EVS__EXPR_NAME || expr->as.name.local == NULL)
        return value;
    const evs__value *now = evs__store_value(&in->store, evs__local_slot(in, expr->as.name.local));
    return evs__value_join(in->pool, value, now);
}

/* ---- operators ---- */

const evs__value *evs__eval_condition(evs__interp *in, const evs__expr *expr)
{
    while (expr->kind == EVS__EXPR_PAREN)
        expr = expr->as.paren;
    in->condition = expr;
    const evs__value *value = evs__eval(in, expr);
    in->condition = NULL;
    return value;
}

static const evs__value *eval_logical(evs__interp *in, const evs__expr *expr)
{
    const evs__binary *binary = &expr->as.binary;
    int is_and = binary->op == EVS__OP_AND, is_condition = in->condition == expr;
    const evs__value *left = is_condition ? evs__eval_condition(in, binary->left)
                                          : evs__eval(in, binary->left);
    if (in->dead)
        return left;
    if (is_and || is_condition)
        evs__note_condition(in, binary->left, left, is_and ? binary->right : NULL);
    unsigned falsy = EVS__TYPE_FALSY;
    const evs__value *kept = evs__value_only(in->pool, left,
                                             is_and ? falsy : EVS__TYPE_ANY & ~falsy);

    size_t mark = evs__store_mark(&in->store);
    evs__assume(in, binary->left, left, !is_and);
    evs__changes stays = evs__branch_end(in, mark);
    evs__assume(in, binary->left, left, is_and);
    const evs__value *right = in->dead       ? evs__value_none()
                              : is_condition ? evs__eval_condition(in, binary->right)
                                             : evs__eval(in, binary->right);
    if (is_condition)
        evs__note_condition(in, binary->right, right, NULL);
    if (in->dead)
        right = evs__value_none();
    evs__branch_meet(in, mark, &stays);
    return evs__value_join(in->pool, right, stays.dead ? NULL : kept);
}

static int fold(double *out, evs__binary_op op, double a, double b)
{
    switch (op) {
    case EVS__OP_ADD:
        *out = a + b;
        return 1;
    case EVS__OP_SUB:
        *out = a - b;
        return 1;
    case EVS__OP_MUL:
        *out = a * b;
        return 1;
    case EVS__OP_DIV:
        *out = a / b;
        return fpclassify(b) != FP_ZERO; /* which infinity depends on the sign of the zero */
    default:
        return 0;
    }
}

static const evs__value *eval_arithmetic(evs__interp *in, const evs__expr *expr,
                                         const evs__value *a, const evs__value *b)
{
    const evs__atom *x = evs__value_single(a), *y = evs__value_single(b);
    double result;
    if (x != NULL && y != NULL && x->kind == EVS__ATOM_NUMBER && y->kind == EVS__ATOM_NUMBER &&
        fold(&result, expr->as.binary.op, x->number, y->number))
        return evs__value_number(in->pool, result, expr->at);
    evs__range left = evs__value_range(a), right = evs__value_range(b);
    return evs__value_ranged(in->pool, evs__value_mixed(in->pool, a, b, EVS__TYPE_NUMBER, expr->at),
                             evs__range_arithmetic(expr->as.binary.op, &left, &right));
}

/* 1 and 0 when the comparison certainly gives that, else -1. */
static int decide_equal(const evs__value *a, const evs__value *b)
{
    if ((a->types & b->types) == 0)
        return 0;
    unsigned both = a->types | b->types;
    if (both == EVS__TYPE_NIL || both == EVS__TYPE_TRUE || both == EVS__TYPE_FALSE)
        return 1;
    const evs__atom *x = evs__value_single(a), *y = evs__value_single(b);
    if (both == EVS__TYPE_NUMBER)
        return evs__range_compare(EVS__OP_EQ, &a->range, &b->range);
    if (x == NULL || y == NULL)
        return -1;
    return evs__atom_same(x, y);
}

static int decide_order(evs__binary_op op, const evs__value *a, const evs__value *b)
{
    if ((a->types | b->types) != EVS__TYPE_NUMBER)
        return -1;
    return evs__range_compare(op, &a->range, &b->range);
}

static const evs__value *truth(evs__interp *in, int decided)
{
    if (decided < 0)
        return evs__value_boolean();
    return evs__value_types(in->pool, decided ? EVS__TYPE_TRUE : EVS__TYPE_FALSE);
}

static const evs__value *eval_binary(evs__interp *in, const evs__expr *expr)
{
    const evs__binary *binary = &expr->as.binary;
    if (binary->op == EVS__OP_AND || binary->op == EVS__OP_OR)
        return eval_logical(in, expr);
    const evs__value *a = evs__eval(in, binary->left);
    const evs__value *b = evs__eval(in, binary->right);
    if (binary->op != EVS__OP_CONCAT)
        a = evs__reread(in, binary->left, a);
    evs__note_binary(in, expr, a, b);
    int equal;
    switch (binary->op) {
    case EVS__OP_CONCAT:
        return evs__value_concat(in->pool, a, b, expr->at);
    case EVS__OP_EQ:
        return truth(in, decide_equal(a, b));
    case EVS__OP_NE:
        equal = decide_equal(a, b);
        return truth(in, equal < 0 ? equal : !equal);
    case EVS__OP_LT:
    case EVS__OP_LE:
    case EVS__OP_GT:
    case EVS__OP_GE:
        return truth(in, decide_order(binary->op, a, b));
    default:
        return eval_arithmetic(in, expr, a, b);
    }
}

static const evs__value *eval_length(evs__interp *in, const evs__value *value, evs__span at)
{
    const evs__atom *single = evs__value_single(value);
    if (single != NULL && single->kind == EVS__ATOM_CONSTANT)
        return evs__value_number(in->pool, (double)single->text.len, at);
    return evs__value_within(in->pool, evs__range_whole(0, EVS__LENGTH_MAX), at);
}

static const evs__value *eval_unary(evs__interp *in, const evs__expr *expr)
{
    const evs__value *value = evs__eval(in, expr->as.unary.operand);
    const evs__atom *single = evs__value_single(value);
    switch (expr->as.unary.op) {
    case EVS__OP_NOT:
        evs__note_condition(in, expr->as.unary.operand, value, NULL);
        return truth(in, evs__value_is_truthy(value) ? 0 : evs__value_is_falsy(value) ? 1 : -1);
    case EVS__OP_LEN:
        evs__note_use(in, value, EVS__ACCESS_WHOLE, expr->at);
        in->recorder->measures |= (value->types & EVS__TYPE_TABLE) != 0;
        return eval_length(in, value, expr->at);
    case EVS__OP_NEG:
        break;
    }
    if (single != NULL && single->kind == EVS__ATOM_NUMBER)
        return evs__value_number(in->pool, -single->number, expr->at);
    evs__range range = evs__value_range(value);
    return evs__value_ranged(in->pool,
                             evs__value_computed(in->pool, value, EVS__TYPE_NUMBER, expr->at),
                             evs__range_negate(&range));
}

static const evs__value *eval_number(evs__interp *in, const evs__expr *expr)
{
    evs__arg number = {evs__value_number(in->pool, expr->as.number, expr->at), expr->at};
    if (fabs(expr->as.number) >= EVS__WHOLE_MAX)
        evs__note_sight(in, EVS__SIGHT_NUMBER, expr, 0, number);
    return number.value;
}

/* ---- all of them ---- */

static const evs__value *eval(evs__interp *in, const evs__expr *expr)
{
    const evs__value *object, *key;
    evs__seq values;
    switch (expr->kind) {
    case EVS__EXPR_NIL:
        return evs__value_nil();
    case EVS__EXPR_TRUE:
        return truth(in, 1);
    case EVS__EXPR_FALSE:
        return truth(in, 0);
    case EVS__EXPR_NUMBER:
        return eval_number(in, expr);
    case EVS__EXPR_STRING:
        return eval_string(in, expr);
    case EVS__EXPR_FUNCTION:
        return eval_function(in, expr);
    case EVS__EXPR_NAME:
        return eval_name(in, expr);
    case EVS__EXPR_INDEX:
        object = evs__eval(in, expr->as.index.object);
        key = evs__eval(in, expr->as.index.key);
        object = evs__reread(in, expr->as.index.object, object);
        evs__note_index(in, expr, object, key);
        return evs__read_index(in, object, key, expr->at);
    case EVS__EXPR_VARARG:
    case EVS__EXPR_CALL:
    case EVS__EXPR_METHOD:
        values = evs__eval_open(in, expr);
        return evs__seq_at(in->pool, &values, 0);
    case EVS__EXPR_BINARY:
        return eval_binary(in, expr);
    case EVS__EXPR_UNARY:
        return eval_unary(in, expr);
    case EVS__EXPR_TABLE:
        return evs__eval_table(in, expr);
    case EVS__EXPR_PAREN:
        return evs__eval(in, expr->as.paren);
    }
    return evs__value_lost();
}

const evs__value *evs__eval(evs__interp *in, const evs__expr *expr)
{
    if (!evs__descend(in, expr->at))
        return evs__value_lost();
    const evs__value *value = eval(in, expr);
    evs__ascend(in);
    return value;
}

evs__seq evs__eval_open(evs__interp *in, const evs__expr *expr)
{
    switch (expr->kind) {
    case EVS__EXPR_VARARG:
        return in->frame->varargs;
    case EVS__EXPR_CALL:
    case EVS__EXPR_METHOD:
        if (!evs__descend(in, expr->at))
            return evs__seq_any(evs__value_lost(), expr->at);
        evs__seq seq = evs__eval_call(in, expr);
        evs__ascend(in);
        return seq;
    default:
        return evs__seq_of(in->pool, evs__eval(in, expr), expr->at);
    }
}

static int is_open(const evs__expr *expr)
{
    return expr->kind == EVS__EXPR_CALL || expr->kind == EVS__EXPR_METHOD ||
           expr->kind == EVS__EXPR_VARARG;
}

evs__seq evs__eval_all(evs__interp *in, const evs__exprs *exprs)
{
    evs__seq all;
    int has_room = evs__seq_begin(in->pool, &all, exprs->count) != NULL;
    for (size_t i = 0; i < exprs->count; i++) {
        const evs__expr *expr = exprs->items[i];
        if (i + 1 == exprs->count && is_open(expr)) {
            evs__seq tail = evs__eval_open(in, expr);
            evs__seq_append(in->pool, &all, &tail, expr->at);
            return all;
        }
        const evs__value *value = evs__eval(in, expr);
        if (has_room)
            evs__seq_fill(&all, value, expr->at);
        else
            evs__seq_push(in->pool, &all, value, expr->at);
    }
    return all;
}
