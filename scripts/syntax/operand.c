#include "scripts/syntax/operand.h"

#include <math.h>

/* The last constant that fits into an instruction's operand. */
enum { LAST_NAMEABLE = 255, CONSTANT_KEY = -1 };

static const evs__jumps no_jumps = EVS__NO_JUMPS;

evs__operand evs__operand_of(evs__operand_kind kind)
{
    return (evs__operand){.kind = kind, .jump = no_jumps, .yes = no_jumps, .no = no_jumps};
}

evs__operand evs__operand_in(evs__operand_kind kind, int at)
{
    evs__operand v = evs__operand_of(kind);
    v.at = at;
    return v;
}

int evs__operand_is_many(const evs__operand *v)
{
    return v->kind == EVS__OPERAND_CALL || v->kind == EVS__OPERAND_VARARG;
}

static int has_jumps(const evs__operand *v)
{
    return v->yes.head >= 0 || v->no.head >= 0;
}

static int is_numeral(const evs__operand *v)
{
    return v->kind == EVS__OPERAND_NUMBER && !has_jumps(v);
}

static void make_loose(evs__code *code, evs__operand *v, evs__operand_maker maker)
{
    evs__code_emit(code);
    v->kind = EVS__OPERAND_LOOSE;
    v->maker = maker;
}

static void release_register(evs__code *code, int at)
{
    if (at != CONSTANT_KEY && at >= code->nactive)
        code->free--;
}

static void release(evs__code *code, const evs__operand *v)
{
    if (v->kind == EVS__OPERAND_FIXED)
        release_register(code, v->at);
}

void evs__operand_load(evs__code *code, evs__operand *v)
{
    switch (v->kind) {
    case EVS__OPERAND_LOCAL:
    case EVS__OPERAND_CALL:
        v->kind = EVS__OPERAND_FIXED;
        return;
    case EVS__OPERAND_INDEXED:
        release_register(code, v->key);
        release_register(code, v->at);
        make_loose(code, v, EVS__MADE_ANYHOW);
        return;
    case EVS__OPERAND_UPVALUE:
    case EVS__OPERAND_GLOBAL:
        make_loose(code, v, EVS__MADE_ANYHOW);
        return;
    case EVS__OPERAND_VARARG: /* its instruction is there already */
        v->kind = EVS__OPERAND_LOOSE;
        v->maker = EVS__MADE_ANYHOW;
        return;
    default:
        return;
    }
}

/* Puts the value into register `at`, but leaves pending jumps pending. */
static void place(evs__code *code, evs__operand *v, int at)
{
    evs__operand_load(code, v);
    switch (v->kind) {
    case EVS__OPERAND_VOID:
    case EVS__OPERAND_JUMP:
        return;
    case EVS__OPERAND_NIL:
        evs__code_nil(code, at, 1);
        break;
    case EVS__OPERAND_NUMBER:
        evs__code_number(code, v->number);
        evs__code_emit(code);
        break;
    case EVS__OPERAND_FIXED:
        if (v->at != at)
            evs__code_emit(code);
        break;
    case EVS__OPERAND_LOOSE:
        break;
    default:
        evs__code_emit(code);
        break;
    }
    v->kind = EVS__OPERAND_FIXED;
    v->at = at;
}

static void place_anywhere(evs__code *code, evs__operand *v)
{
    if (v->kind == EVS__OPERAND_FIXED)
        return;
    evs__code_reserve(code, 1);
    place(code, v, code->free - 1);
}

/* Puts the value into register `at`; all pending jumps meet behind it. */
static void settle(evs__code *code, evs__operand *v, int at)
{
    place(code, v, at);
    int is_jump = v->kind == EVS__OPERAND_JUMP;
    if (is_jump)
        evs__code_join(code, &v->yes, v->jump);
    if (has_jumps(v)) {
        if (v->yes.needs_value || v->no.needs_value) {
            evs__jumps over = no_jumps;
            if (!is_jump)
                over = evs__code_jump(code);
            evs__code_label(code);
            evs__code_emit(code); /* load false, skip the next */
            evs__code_label(code);
            evs__code_emit(code); /* load true */
            evs__code_land(code, over);
        }
        int end = evs__code_label(code);
        evs__code_send(code, v->no, end);
        evs__code_send(code, v->yes, end);
    }
    *v = evs__operand_in(EVS__OPERAND_FIXED, at);
}

void evs__operand_next(evs__code *code, evs__operand *v)
{
    evs__operand_load(code, v);
    release(code, v);
    evs__code_reserve(code, 1);
    settle(code, v, code->free - 1);
}

void evs__operand_any(evs__code *code, evs__operand *v)
{
    evs__operand_load(code, v);
    if (v->kind != EVS__OPERAND_FIXED) {
        evs__operand_next(code, v);
        return;
    }
    if (!has_jumps(v))
        return;
    if (v->at >= code->nactive)
        settle(code, v, v->at);
    else
        evs__operand_next(code, v);
}

void evs__operand_value(evs__code *code, evs__operand *v)
{
    if (has_jumps(v))
        evs__operand_any(code, v);
    else
        evs__operand_load(code, v);
}

/* As a constant of the function; 0 when `v` is none. */
static int as_constant(evs__operand *v, evs__constant *out)
{
    *out = (evs__constant){EVS__CONSTANT_NIL, v->number, {NULL, 0}};
    switch (v->kind) {
    case EVS__OPERAND_NIL:
        return 1;
    case EVS__OPERAND_TRUE:
        out->kind = EVS__CONSTANT_TRUE;
        return 1;
    case EVS__OPERAND_FALSE:
        out->kind = EVS__CONSTANT_FALSE;
        return 1;
    case EVS__OPERAND_NUMBER:
        out->kind = EVS__CONSTANT_NUMBER;
        return 1;
    default:
        return 0;
    }
}

void evs__operand_nameable(evs__code *code, evs__operand *v)
{
    evs__constant constant;
    evs__operand_value(code, v);
    if (as_constant(v, &constant) && code->constants.count <= LAST_NAMEABLE) {
        v->constant = evs__code_constant(code, &constant);
        v->kind = EVS__OPERAND_STRING;
        return;
    }
    if (v->kind != EVS__OPERAND_STRING || v->constant > LAST_NAMEABLE)
        evs__operand_any(code, v);
}

/* A call's first value has its register already. */
void evs__operand_spread(evs__code *code, const evs__operand *v)
{
    if (v->kind == EVS__OPERAND_VARARG)
        evs__code_reserve(code, 1);
}

void evs__operand_index(evs__code *code, evs__operand *table, evs__operand *key)
{
    evs__operand_nameable(code, key);
    table->key = key->kind == EVS__OPERAND_FIXED ? key->at : CONSTANT_KEY;
    table->kind = EVS__OPERAND_INDEXED;
}

void evs__operand_self(evs__code *code, evs__operand *object, evs__operand *key)
{
    evs__operand_any(code, object);
    release(code, object);
    int function = code->free;
    evs__code_reserve(code, 2);
    evs__operand_nameable(code, key);
    evs__code_emit(code);
    release(code, key);
    *object = evs__operand_in(EVS__OPERAND_FIXED, function);
}

void evs__operand_store(evs__code *code, const evs__operand *variable, evs__operand *value)
{
    if (variable->kind == EVS__OPERAND_LOCAL) {
        release(code, value);
        settle(code, value, variable->at);
        return;
    }
    if (variable->kind == EVS__OPERAND_INDEXED)
        evs__operand_nameable(code, value);
    else
        evs__operand_any(code, value);
    evs__code_emit(code);
    release(code, value);
}

/* A test of `v` and the jump behind it. */
static evs__jumps test(evs__code *code, evs__operand *v)
{
    int inverted = v->kind == EVS__OPERAND_LOOSE && v->maker == EVS__MADE_BY_NOT;
    if (inverted) {
        evs__code_unemit(code);
    } else {
        place_anywhere(code, v);
        release(code, v);
    }
    evs__code_emit(code);
    evs__jumps jump = evs__code_jump(code);
    jump.needs_value = inverted;
    return jump;
}

/* Goes on when `v` is true; otherwise jumps, by v->no. */
static void go_if_true(evs__code *code, evs__operand *v)
{
    evs__jumps jump = no_jumps;
    evs__operand_load(code, v);
    if (v->kind == EVS__OPERAND_JUMP)
        jump = v->jump;
    else if (v->kind != EVS__OPERAND_STRING && v->kind != EVS__OPERAND_NUMBER &&
             v->kind != EVS__OPERAND_TRUE)
        jump = test(code, v);
    evs__code_join(code, &v->no, jump);
    evs__code_land(code, v->yes);
    v->yes = no_jumps;
}

static void go_if_false(evs__code *code, evs__operand *v)
{
    evs__jumps jump = no_jumps;
    evs__operand_load(code, v);
    if (v->kind == EVS__OPERAND_JUMP)
        jump = v->jump;
    else if (v->kind != EVS__OPERAND_NIL && v->kind != EVS__OPERAND_FALSE)
        jump = test(code, v);
    evs__code_join(code, &v->yes, jump);
    evs__code_land(code, v->no);
    v->no = no_jumps;
}

evs__jumps evs__operand_condition(evs__code *code, evs__operand *v)
{
    if (v->kind == EVS__OPERAND_NIL)
        v->kind = EVS__OPERAND_FALSE;
    go_if_true(code, v);
    return v->no;
}

static void negate(evs__code *code, evs__operand *v)
{
    evs__operand_load(code, v);
    switch (v->kind) {
    case EVS__OPERAND_NIL:
    case EVS__OPERAND_FALSE:
        v->kind = EVS__OPERAND_TRUE;
        break;
    case EVS__OPERAND_STRING:
    case EVS__OPERAND_NUMBER:
    case EVS__OPERAND_TRUE:
        v->kind = EVS__OPERAND_FALSE;
        break;
    case EVS__OPERAND_LOOSE:
    case EVS__OPERAND_FIXED:
        place_anywhere(code, v);
        release(code, v);
        make_loose(code, v, EVS__MADE_BY_NOT);
        break;
    default:
        break;
    }
    evs__jumps yes = v->yes;
    v->yes = v->no;
    v->no = yes;
    v->yes.needs_value = v->yes.head >= 0;
    v->no.needs_value = v->no.head >= 0;
}

/* Lua computes with literals right away, but for a division by zero and a result that is no
 * number. */
static int fold(evs__binary_op op, evs__operand *left, const evs__operand *right)
{
    double a = left->number, b = right->number, result;
    if (!is_numeral(left) || !is_numeral(right))
        return 0;
    if ((op == EVS__OP_DIV || op == EVS__OP_MOD) && b == 0)
        return 0;
    switch (op) {
    case EVS__OP_ADD:
        result = a + b;
        break;
    case EVS__OP_SUB:
        result = a - b;
        break;
    case EVS__OP_MUL:
        result = a * b;
        break;
    case EVS__OP_DIV:
        result = a / b;
        break;
    case EVS__OP_MOD:
        result = a - floor(a / b) * b;
        break;
    case EVS__OP_POW:
        result = pow(a, b);
        break;
    default:
        return 0;
    }
    if (isnan(result))
        return 0;
    left->number = result;
    return 1;
}

static void arithmetic(evs__code *code, evs__binary_op op, evs__operand *left, evs__operand *right)
{
    if (fold(op, left, right))
        return;
    evs__operand_nameable(code, right);
    evs__operand_nameable(code, left);
    release(code, right);
    release(code, left);
    make_loose(code, left, op == EVS__OP_CONCAT ? EVS__MADE_BY_CONCAT : EVS__MADE_ANYHOW);
}

static void compare(evs__code *code, evs__operand *left, evs__operand *right)
{
    evs__operand_nameable(code, left);
    evs__operand_nameable(code, right);
    release(code, right);
    release(code, left);
    evs__code_emit(code);
    *left = evs__operand_of(EVS__OPERAND_JUMP);
    left->jump = evs__code_jump(code);
}

static void concatenate(evs__code *code, evs__operand *left, evs__operand *right)
{
    evs__operand_value(code, right);
    if (right->kind == EVS__OPERAND_LOOSE && right->maker == EVS__MADE_BY_CONCAT) {
        release(code, left);
        left->kind = EVS__OPERAND_LOOSE;
        left->maker = EVS__MADE_BY_CONCAT;
        return;
    }
    evs__operand_next(code, right);
    arithmetic(code, EVS__OP_CONCAT, left, right);
}

void evs__operand_unary(evs__code *code, evs__unary_op op, evs__operand *v)
{
    if (op == EVS__OP_NOT) {
        negate(code, v);
        return;
    }
    if (op == EVS__OP_NEG && is_numeral(v)) {
        v->number = -v->number;
        return;
    }
    evs__operand_any(code, v);
    release(code, v);
    make_loose(code, v, EVS__MADE_ANYHOW);
}

void evs__operand_left(evs__code *code, evs__binary_op op, evs__operand *v)
{
    if (op == EVS__OP_AND)
        go_if_true(code, v);
    else if (op == EVS__OP_OR)
        go_if_false(code, v);
    else if (op == EVS__OP_CONCAT)
        evs__operand_next(code, v);
    else if (op > EVS__OP_POW || !is_numeral(v))
        evs__operand_nameable(code, v);
}

void evs__operand_binary(evs__code *code, evs__binary_op op, evs__operand *left,
                         evs__operand *right)
{
    if (op == EVS__OP_AND || op == EVS__OP_OR) {
        evs__operand_load(code, right);
        if (op == EVS__OP_AND)
            evs__code_join(code, &right->no, left->no);
        else
            evs__code_join(code, &right->yes, left->yes);
        *left = *right;
    } else if (op == EVS__OP_CONCAT) {
        concatenate(code, left, right);
    } else if (op <= EVS__OP_POW) {
        arithmetic(code, op, left, right);
    } else {
        compare(code, left, right);
    }
}
