/*
 * Functions that compute, and the plain globals.
 */
#include "scripts/audit/builtins/builtin.h"

#include <math.h>
#include <stdlib.h>

evs__seq evs__builtin_computed(evs__interp *in, const evs__builtin_call *call)
{
    return evs__builtin_give(in, call, evs__builtin_mix(in, call, call->callable->builtin->types));
}

evs__seq evs__builtin_several(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *value = evs__builtin_mix(in, call,
                                               call->callable->builtin->types | EVS__TYPE_NIL);
    evs__seq seq = evs__builtin_give(in, call, value);
    seq.least = 0;
    seq.rest = value;
    seq.rest_at = call->site->at;
    return seq;
}

/* Gives nothing that a script could use to find a key. */
evs__seq evs__builtin_inert(evs__interp *in, const evs__builtin_call *call)
{
    unsigned types = call->callable->builtin->types;
    if (types == EVS__TYPE_NIL) {
        evs__seq nothing = evs__builtin_give(in, call, evs__value_nil());
        nothing.least = 0;
        return nothing;
    }
    return evs__builtin_give(in, call,
                             evs__value_data(in->pool, EVS__SOURCE_NUMBER, types, call->site->at));
}

evs__seq evs__builtin_truth(evs__interp *in, const evs__builtin_call *call)
{
    return evs__builtin_give(in, call, evs__value_boolean());
}

/* No function: only its place in the list matters. */
evs__seq evs__builtin_value(evs__interp *in, const evs__builtin_call *call)
{
    return evs__builtin_lost(in, call, "something is called that is no function");
}

evs__seq evs__builtin_error(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *raised = evs__builtin_arg(in, call, 0);
    evs__touch(in, raised, call->site->at);
    in->recorder->speech.raises_table |= (raised->types & EVS__TYPE_TABLE) != 0;
    in->dead = 1;
    return evs__seq_none();
}

/* The condition, when it stands there as the first argument and nothing behind it is called. */
static const evs__expr *condition_of(const evs__builtin_call *call)
{
    const evs__expr *expr = call->site->call;
    if (expr->kind != EVS__EXPR_CALL || expr->as.call.args.count == 0 || call->args.count == 0)
        return NULL;
    const evs__exprs *args = &expr->as.call.args;
    if (args->items[0]->at.start != call->args.items[0].at.start)
        return NULL;
    for (size_t i = 1; i < args->count; i++)
        if (!evs__is_calm(args->items[i]))
            return NULL;
    return args->items[0];
}

evs__seq evs__builtin_assert(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *value = evs__builtin_arg(in, call, 0);
    const evs__expr *condition = condition_of(call);
    if (condition != NULL)
        evs__assume(in, condition, value, 1);
    else if (evs__value_is_falsy(value))
        in->dead = 1;
    return in->dead ? evs__seq_none() : call->args;
}

evs__seq evs__builtin_type(evs__interp *in, const evs__builtin_call *call)
{
    static const struct {
        unsigned types;
        const char *name;
    } names[] = {{EVS__TYPE_NIL, "nil"},       {EVS__TYPE_BOOLEAN, "boolean"},
                 {EVS__TYPE_NUMBER, "number"}, {EVS__TYPE_STRING, "string"},
                 {EVS__TYPE_TABLE, "table"},   {EVS__TYPE_FUNCTION, "function"},
                 {EVS__TYPE_OTHER, "userdata"}};
    const evs__value *value = evs__builtin_arg(in, call, 0);
    const evs__value *all = evs__value_none();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (value->types & names[i].types)
            all = evs__value_join(
                in->pool, all,
                evs__value_constant(in->pool, evs_text(names[i].name), call->site->at));
    if (value->types & EVS__TYPE_OTHER)
        all = evs__value_join(in->pool, all,
                              evs__value_constant(in->pool, evs_text("thread"), call->site->at));
    return evs__builtin_give(in, call, all);
}

evs__seq evs__builtin_tonumber(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *value = evs__builtin_arg(in, call, 0);
    const evs__atom *single = evs__value_single(value);
    evs__builtin_note(in, call, EVS__SIGHT_READ, 0);
    if (single != NULL && single->kind == EVS__ATOM_NUMBER && call->args.count == 1)
        return evs__builtin_give(in, call, value);
    evs__range range = evs__value_range(value);
    /* In another base than ten the same digits are another number. */
    if (!evs__seq_exact(&call->args) || call->args.count != 1)
        range = evs__range_any();
    value = evs__value_computed(in->pool, value, EVS__TYPE_NUMBER | EVS__TYPE_NIL, call->site->at);
    return evs__builtin_give(in, call, evs__value_ranged(in->pool, value, range));
}

static const evs__value *number_string(evs__interp *in, const evs__atom *atom, evs__span at)
{
    char text[32];
    if (!evs__number_text(text, atom->number))
        return evs__value_data(in->pool, EVS__SOURCE_NUMBER, EVS__TYPE_STRING, at);
    char *copy = evs__arena_text(&in->pool->arena, text, strlen(text));
    if (copy == NULL) {
        in->pool->failed = 1;
        return evs__value_lost();
    }
    return evs__value_constant(in->pool, evs_text(copy), at);
}

/* Strings stay what they are. A caller passes the keys that a script names one by one, so KEYS[1]
 * is no "nil" here; any other value that may be nil is. */
const evs__value *evs__to_string(evs__interp *in, const evs__value *value, evs__span at)
{
    const evs__atom *single = evs__value_single(value);
    if (single != NULL && single->kind == EVS__ATOM_NUMBER)
        return number_string(in, single, at);
    unsigned others = value->types & ~(unsigned)EVS__TYPE_STRING;
    const evs__value *all = evs__value_only(in->pool, value, EVS__TYPE_STRING);
    if (others == 0 || (others == EVS__TYPE_NIL && value->missing))
        return all;
    const evs__value *rest = evs__value_only(in->pool, value, others);
    all = evs__value_join(in->pool, all, evs__value_computed(in->pool, rest, EVS__TYPE_STRING, at));
    if (others & EVS__TYPE_NIL)
        all = evs__value_join(in->pool, all, evs__value_constant(in->pool, evs_text("nil"), at));
    return all;
}

evs__seq evs__builtin_tostring(evs__interp *in, const evs__builtin_call *call)
{
    evs__builtin_note(in, call, EVS__SIGHT_SHOWN, 0);
    return evs__builtin_give(in, call,
                             evs__to_string(in, evs__builtin_arg(in, call, 0), call->site->at));
}

evs__seq evs__builtin_select(evs__interp *in, const evs__builtin_call *call)
{
    const evs__value *which = evs__builtin_arg(in, call, 0);
    const evs__atom *n = evs__value_single(which);
    evs__span at = call->site->at;
    evs__seq rest = evs__seq_drop(&call->args, 1);
    const evs__value *count = evs__value_within(in->pool, evs__range_whole(0, EVS__LENGTH_MAX), at);
    if (n != NULL && n->kind == EVS__ATOM_CONSTANT && n->text.len > 0 && n->text.data[0] == '#')
        return evs__builtin_give(in, call, count);
    if (n != NULL && n->kind == EVS__ATOM_NUMBER && n->number >= 1 && n->number < 1000 &&
        !(floor(n->number) < n->number))
        return evs__seq_drop(&rest, (size_t)n->number - 1);
    const evs__value *all = evs__seq_all(in->pool, &rest);
    if (which->types & EVS__TYPE_STRING) /* it may be "#" */
        all = evs__value_join(in->pool, all, count);
    return evs__seq_any(all, at);
}
