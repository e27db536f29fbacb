/*
 * What a condition says about variables.
 *
 * Understood: truth of a variable or a field, comparison with a constant, with nil and with a key,
 * the order of numbers, and these joined by `not`, `and`, `or`. Whatever else a condition mentions
 * is marked as guarded: the test may exclude some of its values, so they are no proof that a wrong
 * key is used.
 */
#include "scripts/audit/interp/interp.h"

enum { CALM_HEIGHT = 100 };

/* Something that can be narrowed: a variable, or a constant field of one table. */
typedef struct spot {
    const evs__value *value; /* NULL: it cannot */
    size_t slot;
    const evs__value *key; /* NULL for a variable */
    int many;
} spot;

static int is_text(evs_bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

static const evs__expr *bare(const evs__expr *expr)
{
    while (expr->kind == EVS__EXPR_PAREN)
        expr = expr->as.paren;
    return expr;
}

/* Can it be evaluated again without anything happening? */
static int is_quiet(const evs__expr *expr)
{
    expr = bare(expr);
    switch (expr->kind) {
    case EVS__EXPR_NIL:
    case EVS__EXPR_TRUE:
    case EVS__EXPR_FALSE:
    case EVS__EXPR_NUMBER:
    case EVS__EXPR_STRING:
    case EVS__EXPR_NAME:
        return 1;
    case EVS__EXPR_INDEX:
        return expr->height < 16 && is_quiet(expr->as.index.object) && is_quiet(expr->as.index.key);
    default:
        return 0;
    }
}

static spot variable_spot(const evs__interp *in, const evs__local *local)
{
    spot s = {NULL, 0, NULL, 0};
    s.slot = evs__local_slot(in, local);
    s.value = evs__store_value(&in->store, s.slot);
    s.many = evs__store_is_many(&in->store, s.slot);
    return s;
}

static spot field_spot(evs__interp *in, const evs__expr *expr)
{
    spot s = {NULL, 0, NULL, 0};
    const evs__value *object = evs__eval(in, expr->as.index.object);
    const evs__value *key = evs__eval(in, expr->as.index.key);
    if (object->ntables != 1 || object->natoms != 0 || evs__value_single(key) == NULL)
        return s;
    s.slot = object->tables[0];
    const evs__object *contents = evs__store_object(&in->store, s.slot);
    if (contents == NULL || contents->meta != NULL ||
        (s.slot < in->library_end && s.slot != in->keys && s.slot != in->argv))
        return s;
    s.key = key;
    s.value = evs__object_get(in->pool, contents, key, expr->at);
    s.many = evs__store_is_many(&in->store, s.slot);
    return s;
}

static spot spot_of(evs__interp *in, const evs__expr *expr)
{
    spot none = {NULL, 0, NULL, 0};
    expr = bare(expr);
    if (expr->kind == EVS__EXPR_NAME && expr->as.name.local != NULL)
        return variable_spot(in, expr->as.name.local);
    if (expr->kind == EVS__EXPR_INDEX && is_quiet(expr))
        return field_spot(in, expr);
    return none;
}

static void put(evs__interp *in, const spot *s, const evs__value *value)
{
    if (s->key == NULL) {
        evs__store_set(&in->store, s->slot, value);
        return;
    }
    const evs__object *contents = evs__store_object(&in->store, s->slot);
    evs__store_set_object(&in->store, s->slot,
                          evs__object_set(in->pool, contents, s->key, value, 0));
}

/* One concrete variable is what was tested; of many, the others may differ. */
static void narrow(evs__interp *in, const spot *s, const evs__value *value)
{
    if (value == s->value || s->many)
        return;
    if (evs__value_is_none(value)) {
        in->dead = 1;
        return;
    }
    put(in, s, value);
}

/* ---- guarding ---- */

static int is_mixed(const evs__value *value)
{
    int keys = evs__value_has(value, EVS__ATOM_KEY) || evs__value_has(value, EVS__ATOM_DERIVED) ||
               evs__value_has(value, EVS__ATOM_TOP);
    return keys && value->natoms > 1 && !value->guarded;
}

static void guard(evs__interp *in, const evs__expr *expr);

static void guard_all(evs__interp *in, const evs__exprs *exprs)
{
    for (size_t i = 0; i < exprs->count; i++)
        guard(in, exprs->items[i]);
}

static void guard(evs__interp *in, const evs__expr *expr)
{
    if (in->dead || !evs__descend(in, expr->at))
        return;
    spot s = spot_of(in, expr);
    if (s.value != NULL && is_mixed(s.value))
        put(in, &s, evs__value_guarded(in->pool, s.value));
    switch (expr->kind) {
    case EVS__EXPR_INDEX:
        guard(in, expr->as.index.object);
        guard(in, expr->as.index.key);
        break;
    case EVS__EXPR_CALL:
        guard(in, expr->as.call.callee);
        guard_all(in, &expr->as.call.args);
        break;
    case EVS__EXPR_METHOD:
        guard(in, expr->as.method.object);
        guard_all(in, &expr->as.method.args);
        break;
    case EVS__EXPR_BINARY:
        guard(in, expr->as.binary.left);
        guard(in, expr->as.binary.right);
        break;
    case EVS__EXPR_UNARY:
        guard(in, expr->as.unary.operand);
        break;
    case EVS__EXPR_PAREN:
        guard(in, expr->as.paren);
        break;
    default:
        break;
    }
    evs__ascend(in);
}

/* ---- numbers ---- */

/* Is it a number, and nothing that may be another type without an error? */
static int is_number(const evs__value *value)
{
    return value->types == EVS__TYPE_NUMBER;
}

/* `value op other` was evaluated and gave `truth`; `other` is a number. */
static const evs__value *ordered(evs__interp *in, const evs__value *value, evs__binary_op op,
                                 const evs__value *other, int truth)
{
    if ((value->types & EVS__TYPE_NUMBER) == 0)
        return value; /* an error, which somebody else reports */
    value = evs__value_only(in->pool, value, EVS__TYPE_NUMBER);
    evs__range range = truth ? evs__range_when(op, &value->range, &other->range)
                             : evs__range_unless(op, &value->range, &other->range);
    if (evs__range_is_none(&range))
        return evs__value_none();
    return evs__value_ranged(in->pool, value, range);
}

/* ---- equality ---- */

static int is_nothing_but_key(const evs__value *value)
{
    for (size_t i = 0; i < value->natoms; i++)
        if (value->atoms[i]->kind != EVS__ATOM_KEY)
            return 0;
    return value->natoms > 0 && value->ncalls == 0 && value->ntables == 0 && !value->guarded;
}

static int is_one_plain(const evs__value *value)
{
    return value->types == EVS__TYPE_NIL || value->types == EVS__TYPE_TRUE ||
           value->types == EVS__TYPE_FALSE;
}

/* What `value` can be when it equals `other`. A value equal to a key is that key. */
static const evs__value *equal_to(evs__interp *in, const evs__value *value, const evs__value *other)
{
    const evs__value *both = evs__value_only(in->pool, value, other->types);
    if (is_nothing_but_key(other))
        return evs__value_only(in->pool, other, value->types);
    const evs__atom *single = evs__value_single(other);
    if (is_number(other) && is_number(both))
        both = ordered(in, both, EVS__OP_EQ, other, 1);
    if (single == NULL)
        return both;
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        int constant = atom->kind == EVS__ATOM_CONSTANT || atom->kind == EVS__ATOM_NUMBER;
        if (constant && !evs__atom_same(atom, single))
            both = evs__value_without(in->pool, both, atom);
    }
    return both;
}

static const evs__value *unequal_to(evs__interp *in, const evs__value *value,
                                    const evs__value *other)
{
    if (is_one_plain(other))
        return evs__value_only(in->pool, value, EVS__TYPE_ANY & ~(unsigned)other->types);
    const evs__atom *single = evs__value_single(other);
    return single == NULL ? value : evs__value_without(in->pool, value, single);
}

static int is_understood(const evs__value *other, int equal)
{
    return is_one_plain(other) || evs__value_single(other) != NULL ||
           (equal && is_nothing_but_key(other));
}

/* ---- types ---- */

static int is_type_call(const evs__expr *expr)
{
    return expr->kind == EVS__EXPR_CALL && expr->as.call.args.count == 1 &&
           expr->as.call.callee->kind == EVS__EXPR_NAME &&
           expr->as.call.callee->as.name.local == NULL &&
           is_text(expr->as.call.callee->as.name.text, "type");
}

/* The types that type() calls so; 0 when there are none. */
static unsigned types_named(evs_bytes name)
{
    static const struct {
        const char *name;
        unsigned types;
    } names[] = {{"nil", EVS__TYPE_NIL},       {"boolean", EVS__TYPE_BOOLEAN},
                 {"number", EVS__TYPE_NUMBER}, {"string", EVS__TYPE_STRING},
                 {"table", EVS__TYPE_TABLE},   {"function", EVS__TYPE_FUNCTION},
                 {"userdata", EVS__TYPE_OTHER}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_text(name, names[i].name))
            return names[i].types;
    return 0;
}

/* `type(x) == "table"`. 0 when it is something else. */
static int compare_type(evs__interp *in, const evs__expr *side, const evs__value *other, int equal)
{
    const evs__atom *single = evs__value_single(other);
    side = bare(side);
    if (single == NULL || single->kind != EVS__ATOM_CONSTANT || !is_type_call(side))
        return 0;
    unsigned types = types_named(single->text);
    spot s = spot_of(in, side->as.call.args.items[0]);
    if (types == 0 || s.value == NULL)
        return 0;
    if (!equal) /* a thread is no userdata, and the same to us */
        types = EVS__TYPE_ANY & ~(types & ~(unsigned)EVS__TYPE_OTHER);
    narrow(in, &s, evs__value_only(in->pool, s.value, types));
    return 1;
}

/* Is it x.err or x.ok, where x is a reply in a variable? Then the form that has this field. */
static unsigned form_of_field(evs__interp *in, const evs__expr *expr, spot *out)
{
    expr = bare(expr);
    if (expr->kind != EVS__EXPR_INDEX || expr->as.index.key->kind != EVS__EXPR_STRING ||
        evs__store_value(&in->store, in->inside) != NULL)
        return 0;
    *out = spot_of(in, expr->as.index.object);
    if (out->value == NULL || !evs__value_has(out->value, EVS__ATOM_REPLY))
        return 0;
    if (is_text(expr->as.index.key->as.string, "err"))
        return EVS__FORM_ERROR;
    return is_text(expr->as.index.key->as.string, "ok") ? EVS__FORM_STATUS : 0;
}

/* `x.err` is there, or is not. 0 when it is something else. */
static int refine_field(evs__interp *in, const evs__expr *expr, int truth)
{
    spot s;
    unsigned form = form_of_field(in, expr, &s);
    if (form == 0)
        return 0;
    const evs__value *value = truth ? evs__value_only(in->pool, s.value, EVS__TYPE_TABLE) : s.value;
    unsigned forms = truth ? form : EVS__FORM_ANY & ~form;
    narrow(in, &s, evs__value_in_forms(in->pool, value, forms));
    return 1;
}

static void compare_side(evs__interp *in, const evs__expr *side, const evs__expr *against,
                         int equal)
{
    if (in->dead)
        return;
    spot s = spot_of(in, side);
    if (is_quiet(against) && is_type_call(bare(side)) &&
        compare_type(in, side, evs__eval(in, against), equal))
        return;
    if (against->kind == EVS__EXPR_NIL && refine_field(in, side, !equal))
        return;
    if (s.value == NULL || !is_quiet(against)) {
        guard(in, side);
        return;
    }
    const evs__value *other = evs__eval(in, against);
    if (!is_understood(other, equal))
        guard(in, side);
    s = spot_of(in, side);
    if (in->dead || s.value == NULL)
        return;
    narrow(in, &s, equal ? equal_to(in, s.value, other) : unequal_to(in, s.value, other));
}

/* ---- order ---- */

static void order_side(evs__interp *in, const evs__expr *side, evs__binary_op op,
                       const evs__expr *against, int truth)
{
    if (in->dead || !is_quiet(side) || !is_quiet(against))
        return;
    spot s = spot_of(in, side);
    if (s.value == NULL)
        return;
    const evs__value *other = evs__eval(in, against);
    s = spot_of(in, side);
    if (!in->dead && s.value != NULL && is_number(other))
        narrow(in, &s, ordered(in, s.value, op, other, truth));
}

static evs__binary_op mirrored(evs__binary_op op)
{
    switch (op) {
    case EVS__OP_LT:
        return EVS__OP_GT;
    case EVS__OP_LE:
        return EVS__OP_GE;
    case EVS__OP_GT:
        return EVS__OP_LT;
    default:
        return EVS__OP_LE;
    }
}

static void refine_order(evs__interp *in, const evs__expr *expr, int truth)
{
    const evs__binary *binary = &expr->as.binary;
    guard(in, expr);
    order_side(in, binary->left, binary->op, binary->right, truth);
    order_side(in, binary->right, mirrored(binary->op), binary->left, truth);
}

/* ---- conditions ---- */

/* What was tested before a call may have been changed by it. */
int evs__is_calm(const evs__expr *expr)
{
    expr = bare(expr);
    switch (expr->kind) {
    case EVS__EXPR_CALL: /* type is not replaced, or all is given up */
        return is_type_call(expr) && evs__is_calm(expr->as.call.args.items[0]);
    case EVS__EXPR_METHOD:
    case EVS__EXPR_TABLE:
        return 0;
    case EVS__EXPR_INDEX:
        return evs__is_calm(expr->as.index.object) && evs__is_calm(expr->as.index.key);
    case EVS__EXPR_BINARY:
        return expr->height < CALM_HEIGHT && evs__is_calm(expr->as.binary.left) &&
               evs__is_calm(expr->as.binary.right);
    case EVS__EXPR_UNARY:
        return evs__is_calm(expr->as.unary.operand);
    default:
        return 1;
    }
}

static void refine(evs__interp *in, const evs__expr *expr, int truth);

/* `a or b` is true, or `a and b` is false: a says so, or else b does. */
static void refine_either(evs__interp *in, const evs__binary *binary, int truth)
{
    size_t mark = evs__store_mark(&in->store);
    refine(in, binary->left, truth);
    evs__changes by_left = evs__branch_end(in, mark);
    refine(in, binary->left, !truth);
    refine(in, binary->right, truth);
    evs__branch_meet(in, mark, &by_left);
}

static void refine_logical(evs__interp *in, const evs__expr *expr, int truth)
{
    const evs__binary *binary = &expr->as.binary;
    int both = (binary->op == EVS__OP_AND) == truth; /* both sides are known */
    if (!both || !evs__is_calm(binary->right))
        guard(in, expr);
    if (!evs__is_calm(binary->right))
        return;
    if (!both) {
        refine_either(in, binary, truth);
        return;
    }
    refine(in, binary->left, truth);
    refine(in, binary->right, truth);
}

static void refine_binary(evs__interp *in, const evs__expr *expr, int truth)
{
    const evs__binary *binary = &expr->as.binary;
    int equal = truth;
    switch (binary->op) {
    case EVS__OP_AND:
    case EVS__OP_OR:
        refine_logical(in, expr, truth);
        return;
    case EVS__OP_NE:
        equal = !truth;
        /* fall through */
    case EVS__OP_EQ:
        compare_side(in, binary->left, binary->right, equal);
        compare_side(in, binary->right, binary->left, equal);
        return;
    case EVS__OP_LT:
    case EVS__OP_LE:
    case EVS__OP_GT:
    case EVS__OP_GE:
        refine_order(in, expr, truth);
        return;
    default:
        guard(in, expr);
        return;
    }
}

static void refine_truth(evs__interp *in, const evs__expr *expr, int truth)
{
    spot s = spot_of(in, expr);
    if (s.value == NULL) {
        if (!refine_field(in, expr, truth))
            guard(in, expr);
        return;
    }
    unsigned types = truth ? EVS__TYPE_ANY & ~(unsigned)EVS__TYPE_FALSY : EVS__TYPE_FALSY;
    narrow(in, &s, evs__value_only(in->pool, s.value, types));
}

static void refine(evs__interp *in, const evs__expr *expr, int truth)
{
    if (in->dead || !evs__descend(in, expr->at))
        return;
    expr = bare(expr);
    if (expr->kind == EVS__EXPR_UNARY && expr->as.unary.op == EVS__OP_NOT)
        refine(in, expr->as.unary.operand, !truth);
    else if (expr->kind == EVS__EXPR_BINARY)
        refine_binary(in, expr, truth);
    else
        refine_truth(in, expr, truth);
    evs__ascend(in);
}

void evs__assume(evs__interp *in, const evs__expr *expr, const evs__value *value, int truth)
{
    if (in->dead)
        return;
    if (truth ? evs__value_is_falsy(value) : evs__value_is_truthy(value)) {
        in->dead = 1;
        return;
    }
    refine(in, expr, truth);
}
