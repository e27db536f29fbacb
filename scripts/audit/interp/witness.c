/*
 * Noting what becomes of values (sight.h), for rules about types and replies.
 */
#include "scripts/audit/interp/interp.h"

#include <string.h>

enum { RETURN_DEPTH = 6, RETURN_MAX = 200 /* values in one returned table that are looked at */ };

static const evs__expr *bare(const evs__expr *expr)
{
    while (expr->kind == EVS__EXPR_PAREN)
        expr = expr->as.paren;
    return expr;
}

static void add(evs__interp *in, evs__sight *sight, const void *node)
{
    if (in->dead || in->over)
        return;
    sight->in_function = in->frame != NULL && in->frame->activation->call != NULL;
    sight->doubtful = evs__store_value(&in->store, in->lost) != NULL;
    evs__sights_add(&in->recorder->sights, sight, node);
}

/* `next(x)` asks whether there is anything in x. */
static const evs__expr *asked_of_next(const evs__expr *expr)
{
    if (expr->kind != EVS__EXPR_CALL || expr->as.call.args.count == 0)
        return NULL;
    const evs__expr *callee = expr->as.call.callee;
    int is_next = callee->kind == EVS__EXPR_NAME && callee->as.name.local == NULL &&
                  callee->as.name.text.len == 4 &&
                  memcmp(callee->as.name.text.data, "next", 4) == 0;
    return is_next ? bare(expr->as.call.args.items[0]) : NULL;
}

/* The variable that an expression reads, or whose length it takes. */
static const evs__local *variable_of(const evs__expr *expr, int *length)
{
    expr = bare(expr);
    const evs__expr *asked = asked_of_next(expr);
    *length = asked != NULL;
    if (asked != NULL)
        return asked->kind == EVS__EXPR_NAME ? asked->as.name.local : NULL;
    *length = expr->kind == EVS__EXPR_UNARY && expr->as.unary.op == EVS__OP_LEN;
    if (*length)
        expr = bare(expr->as.unary.operand);
    return expr->kind == EVS__EXPR_NAME ? expr->as.name.local : NULL;
}

static evs__sight_kind kind_of(evs__binary_op op)
{
    switch (op) {
    case EVS__OP_CONCAT:
        return EVS__SIGHT_CONCAT;
    case EVS__OP_EQ:
    case EVS__OP_NE:
    case EVS__OP_LT:
    case EVS__OP_LE:
    case EVS__OP_GT:
    case EVS__OP_GE:
        return EVS__SIGHT_COMPARE;
    default:
        return EVS__SIGHT_ARITHMETIC;
    }
}

void evs__note_binary(evs__interp *in, const evs__expr *expr, const evs__value *a,
                      const evs__value *b)
{
    const evs__binary *binary = &expr->as.binary;
    evs__sight sight = {.kind = kind_of(binary->op), .op = binary->op, .span = expr->at};
    sight.a = a;
    sight.b = b;
    sight.variables[0] = variable_of(binary->left, &sight.lengths[0]);
    sight.variables[1] = variable_of(binary->right, &sight.lengths[1]);
    add(in, &sight, expr);
}

/* ---- conditions ---- */

static int mentions(const evs__expr *expr, const evs__local *local);

static int any_mentions(const evs__exprs *exprs, const evs__local *local)
{
    for (size_t i = 0; i < exprs->count; i++)
        if (mentions(exprs->items[i], local))
            return 1;
    return 0;
}

/* Is the variable read in there? The tree is as deep as the parser lets it be. */
static int mentions(const evs__expr *expr, const evs__local *local)
{
    switch (expr->kind) {
    case EVS__EXPR_NAME:
        return expr->as.name.local == local;
    case EVS__EXPR_INDEX:
        return mentions(expr->as.index.object, local) || mentions(expr->as.index.key, local);
    case EVS__EXPR_CALL:
        return mentions(expr->as.call.callee, local) || any_mentions(&expr->as.call.args, local);
    case EVS__EXPR_METHOD:
        return mentions(expr->as.method.object, local) ||
               any_mentions(&expr->as.method.args, local);
    case EVS__EXPR_BINARY:
        return mentions(expr->as.binary.left, local) || mentions(expr->as.binary.right, local);
    case EVS__EXPR_UNARY:
        return mentions(expr->as.unary.operand, local);
    case EVS__EXPR_PAREN:
        return mentions(expr->as.paren, local);
    default:
        return 0;
    }
}

void evs__note_condition(evs__interp *in, const evs__expr *expr, const evs__value *value,
                         const evs__expr *next)
{
    expr = bare(expr);
    evs__sight sight = {.kind = EVS__SIGHT_CONDITION, .span = expr->at, .a = value};
    sight.variables[0] = variable_of(expr, &sight.lengths[0]);
    sight.is_guard = next != NULL && evs__value_is_truthy(value) && sight.variables[0] != NULL &&
                     mentions(next, sight.variables[0]);
    add(in, &sight, expr);
}

/* The variable that stands at `at` among the arguments of a call. */
static const evs__local *argument_variable(const evs__expr *call, evs__span at)
{
    int length;
    if (call == NULL || call->kind != EVS__EXPR_CALL)
        return NULL;
    for (size_t i = 0; i < call->as.call.args.count; i++)
        if (call->as.call.args.items[i]->at.start == at.start)
            return variable_of(call->as.call.args.items[i], &length);
    return NULL;
}

void evs__note_sight(evs__interp *in, evs__sight_kind kind, const evs__expr *node, size_t index,
                     evs__arg arg)
{
    evs__sight sight = {.kind = kind, .span = arg.at, .a = arg.value, .index = index};
    sight.variables[0] = argument_variable(node, arg.at);
    if (arg.value != NULL && node != NULL)
        add(in, &sight, node);
}

void evs__note_index(evs__interp *in, const evs__expr *expr, const evs__value *object,
                     const evs__value *key)
{
    evs__sight sight = {.kind = EVS__SIGHT_INDEX, .span = expr->at, .a = object, .b = key};
    sight.variables[0] = variable_of(expr->as.index.object, &sight.lengths[0]);
    if (object->natoms > 0)
        add(in, &sight, expr);
}

/* ---- what is returned ---- */

/* A returned table, and those it is in. */
typedef struct within {
    size_t slot;
    int depth;
    const struct within *outer;
} within;

/* One walk over all that is returned; every sight of it has a number. */
typedef struct walk {
    evs__interp *in;
    const void *node;
    evs__span at;
    size_t next;
} walk;

static void note_returned(walk *w, const evs__value *value, const within *outer);

static void note(walk *w, evs__sight_kind kind, const evs__value *value, evs_bytes text, int depth)
{
    evs__sight sight = {.kind = kind, .span = w->at, .a = value, .text = text, .depth = depth};
    sight.index = w->next++;
    add(w->in, &sight, w->node);
}

static const evs__value *item(const evs__object *object, size_t i)
{
    return i < object->nitems ? object->items[i] : object->rest;
}

/* Is there surely something behind the item? Of a list that grows, the items come in order. */
static int is_more_behind(const evs__object *object, size_t i)
{
    for (size_t k = i + 1; k < object->nitems; k++)
        if ((object->items[k]->types & EVS__TYPE_NIL) == 0)
            return 1;
    return 0;
}

/* Does the server make something else of it than a list? */
static int is_special(const evs__object *object)
{
    static const char *const names[] = {"ok",  "err",        "double",         "map",
                                        "set", "big_number", "verbatim_string"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (evs__object_field(object, evs_text(names[i])) != NULL)
            return 1;
    return 0;
}

static void note_contents(walk *w, const evs__object *object, const within *here)
{
    size_t count = object->nitems + (object->rest != NULL);
    for (size_t i = 0; i < count; i++) {
        const evs__value *value = item(object, i);
        evs_bytes none = {NULL, 0};
        if (i < object->nitems && (value->types & EVS__TYPE_NIL) && is_more_behind(object, i))
            note(w, EVS__SIGHT_HOLE, value, none, (int)i + 1);
        note_returned(w, value, here);
    }
    for (size_t i = 0; i < object->nfields && !is_special(object); i++)
        note(w, EVS__SIGHT_FIELD, object->fields[i].value, object->fields[i].name, here->depth);
    if (object->keys != NULL && object->keys->types == EVS__TYPE_STRING && count == 0)
        note(w, EVS__SIGHT_FIELD, object->other, evs_text(""), here->depth);
}

static void note_table(walk *w, size_t slot, const within *outer)
{
    within here = {slot, outer == NULL ? 1 : outer->depth + 1, outer};
    for (const within *o = outer; o != NULL; o = o->outer)
        if (o->slot == slot)
            return;
    const evs__object *object = evs__store_object(&w->in->store, slot);
    if (object != NULL && object->meta == NULL && here.depth <= RETURN_DEPTH &&
        slot >= w->in->library_end)
        note_contents(w, object, &here);
}

static void note_returned(walk *w, const evs__value *value, const within *outer)
{
    evs_bytes none = {NULL, 0};
    if (w->next >= RETURN_MAX)
        return;
    note(w, EVS__SIGHT_RETURNED, value, none, outer == NULL ? 0 : outer->depth);
    for (size_t i = 0; i < value->ntables; i++)
        note_table(w, value->tables[i], outer);
}

void evs__note_return(evs__interp *in, const void *node, evs__arg arg)
{
    walk w = {in, node, arg.at, 0};
    if (arg.value != NULL)
        note_returned(&w, arg.value, NULL);
}
