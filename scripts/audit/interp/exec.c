/*
 * Statements.
 */
#include "scripts/audit/interp/interp.h"

#include "scripts/audit/interp/watch.h"

static void exec(evs__interp *in, const evs__stat *stat);

void evs__exec_block(evs__interp *in, const evs__block *block)
{
    for (const evs__stat *stat = block->first; stat != NULL && !in->dead; stat = stat->next) {
        if (!evs__descend(in, stat->at))
            return;
        exec(in, stat);
        evs__ascend(in);
    }
}

static void exec_local(evs__interp *in, const evs__local_stat *local)
{
    evs__seq values = evs__eval_all(in, &local->values);
    for (size_t i = 0; i < local->nnames; i++)
        evs__declare(in, local->names[i], evs__seq_at(in->pool, &values, i));
}

/* ---- assignment ---- */

/* The left side of an assignment, evaluated before the right one. */
typedef struct target {
    const evs__expr *expr;
    const evs__value *object;
    const evs__value *key;
    const evs__object *before; /* of t[#t + 1]: the contents when #t was taken; else NULL */
} target;

static const evs__local *local_of(const evs__expr *expr)
{
    return expr->kind == EVS__EXPR_NAME ? expr->as.name.local : NULL;
}

/* Is `key` the expression #t + 1, where `object` is t? */
static int is_next_place(const evs__expr *object, const evs__expr *key)
{
    if (key->kind != EVS__EXPR_BINARY || key->as.binary.op != EVS__OP_ADD)
        return 0;
    const evs__expr *len = key->as.binary.left, *one = key->as.binary.right;
    if (len->kind != EVS__EXPR_UNARY || len->as.unary.op != EVS__OP_LEN ||
        one->kind != EVS__EXPR_NUMBER || one->as.number < 1 || one->as.number > 1)
        return 0;
    const evs__expr *measured = len->as.unary.operand;
    if (measured->kind != EVS__EXPR_NAME || object->kind != EVS__EXPR_NAME)
        return 0;
    if (local_of(object) != NULL)
        return local_of(object) == local_of(measured);
    evs_bytes a = object->as.name.text, b = measured->as.name.text;
    return local_of(measured) == NULL && a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static const evs__object *only_contents(const evs__interp *in, const evs__value *object)
{
    if (object->ntables != 1 || object->natoms != 0)
        return NULL;
    return evs__store_object(&in->store, object->tables[0]);
}

static target aim(evs__interp *in, const evs__expr *expr)
{
    target t = {expr, NULL, NULL, NULL};
    if (expr->kind != EVS__EXPR_INDEX)
        return t;
    t.object = evs__eval(in, expr->as.index.object);
    t.key = evs__eval(in, expr->as.index.key);
    if (is_next_place(expr->as.index.object, expr->as.index.key))
        t.before = only_contents(in, t.object);
    return t;
}

/* After the right side ran, which may have assigned the locals that the target names. */
static void aim_again(evs__interp *in, target *t)
{
    if (t->expr->kind != EVS__EXPR_INDEX)
        return;
    t->object = evs__reread(in, t->expr->as.index.object, t->object);
    t->key = evs__reread(in, t->expr->as.index.key, t->key);
}

static void assign_local(evs__interp *in, const evs__local *local, const evs__value *value,
                         evs__span at)
{
    size_t slot = evs__local_slot(in, local);
    evs__watch_assign(in, local, at);
    if (evs__store_is_many(&in->store, slot))
        value = evs__value_join(in->pool, evs__store_value(&in->store, slot), value);
    evs__store_set(&in->store, slot, value);
}

static void assign(evs__interp *in, const target *t, const evs__value *value)
{
    const evs__expr *expr = t->expr;
    if (expr->kind == EVS__EXPR_INDEX) {
        if (t->before != NULL && t->before == only_contents(in, t->object))
            evs__append(in, t->object, value, expr->at);
        else
            evs__write_index(in, t->object, t->key, value, expr->at);
        return;
    }
    evs__check_variable(in, expr->at);
    if (local_of(expr) != NULL) {
        assign_local(in, local_of(expr), value, expr->at);
        return;
    }
    evs__write_index(in, evs__value_table(in->pool, in->globals),
                     evs__value_constant(in->pool, expr->as.name.text, expr->at), value, expr->at);
}

static void exec_assign(evs__interp *in, const evs__assign_stat *stat)
{
    size_t count = stat->targets.count;
    target *targets = evs__pool_alloc(in->pool, count, sizeof *targets);
    if (targets == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        targets[i] = aim(in, stat->targets.items[i]);
    evs__seq values = evs__eval_all(in, &stat->values);
    for (size_t i = 0; i < count && !in->dead; i++)
        aim_again(in, &targets[i]);
    /* Lua assigns the last one first. */
    for (size_t i = count; i > 0 && !in->dead; i--)
        assign(in, &targets[i - 1], evs__seq_at(in->pool, &values, i - 1));
}

static void exec_function(evs__interp *in, const evs__function_stat *stat)
{
    target t = aim(in, stat->target);
    assign(in, &t, evs__eval(in, stat->function));
}

/* ---- control ---- */

/* The parts of `a and b` were noted one by one, and so was the x of `not x`. */
static void note_test(evs__interp *in, const evs__expr *expr, const evs__value *value)
{
    while (expr->kind == EVS__EXPR_PAREN)
        expr = expr->as.paren;
    int is_logical = expr->kind == EVS__EXPR_BINARY &&
                     (expr->as.binary.op == EVS__OP_AND || expr->as.binary.op == EVS__OP_OR);
    if (!is_logical)
        evs__note_condition(in, expr, value, NULL);
}

static void exec_arms(evs__interp *in, const evs__branch_stat *stat, size_t i)
{
    if (i == stat->narms || in->dead)
        return;
    const evs__arm *arm = &stat->arms[i];
    if (arm->condition == NULL) {
        evs__exec_block(in, &arm->block);
        return;
    }
    const evs__value *value = evs__eval_condition(in, arm->condition);
    if (in->dead)
        return;
    note_test(in, arm->condition, value);
    size_t mark = evs__store_mark(&in->store);
    evs__assume(in, arm->condition, value, 1);
    evs__exec_block(in, &arm->block);
    evs__changes taken = evs__branch_end(in, mark);
    evs__assume(in, arm->condition, value, 0);
    exec_arms(in, stat, i + 1);
    evs__branch_meet(in, mark, &taken);
}

/* Leaves the loop where `condition` is `truth`; goes on where it is not. */
static void test(evs__interp *in, const evs__expr *condition, int truth)
{
    if (in->dead)
        return;
    const evs__value *value = evs__eval_condition(in, condition);
    if (in->dead)
        return;
    note_test(in, condition, value);
    size_t mark = evs__store_mark(&in->store);
    evs__assume(in, condition, value, truth);
    evs__loop_leave(in);
    in->dead = 1;
    evs__branch_end(in, mark);
    evs__assume(in, condition, value, !truth);
}

static void while_round(evs__interp *in, void *context)
{
    const evs__loop_stat *stat = context;
    test(in, stat->condition, 0);
    evs__exec_block(in, &stat->block);
}

static void repeat_round(evs__interp *in, void *context)
{
    const evs__loop_stat *stat = context;
    evs__exec_block(in, &stat->block);
    test(in, stat->condition, 1);
}

static void exec_loop(evs__interp *in, const evs__stat *stat, evs__round *round)
{
    evs__watched_loop watched = evs__watch_loop(in, stat);
    evs__iterate(in, round, (void *)&stat->as.loop);
    evs__watch_loop_left(in, &watched);
}

typedef struct counting {
    const evs__count_stat *stat;
    int surely; /* the body runs at least once */
    evs__range range;
} counting;

/* Where the variable of a loop is: between its start and its limit. */
static evs__range count_range(const evs__value *start, const evs__value *limit,
                              const evs__value *step)
{
    evs__range from = evs__value_range(start), to = evs__value_range(limit);
    evs__range by = step == NULL ? evs__range_of(1) : evs__value_range(step), range = from;
    if (by.low > 0) {
        range.high = to.high;
    } else if (by.high < 0) {
        range.low = to.low;
        range.high = from.high;
    } else {
        range = evs__range_any();
    }
    range.fraction = by.fraction > from.fraction ? by.fraction : from.fraction;
    range.nan = 0; /* a NaN ends the loop before it begins */
    return range;
}

static void count_round(evs__interp *in, void *context)
{
    const counting *c = context;
    if (!c->surely)
        evs__loop_leave(in);
    evs__span at = c->stat->start->at;
    evs__declare(in, c->stat->name, evs__value_within(in->pool, c->range, at));
    evs__exec_block(in, &c->stat->block);
    if (c->surely)
        evs__loop_leave(in);
}

static void exec_count(evs__interp *in, const evs__stat *loop)
{
    const evs__count_stat *stat = &loop->as.count;
    const evs__value *from = evs__eval(in, stat->start), *to = evs__eval(in, stat->limit);
    const evs__value *by = stat->step == NULL ? NULL : evs__eval(in, stat->step);
    const evs__atom *start = evs__value_single(from), *limit = evs__value_single(to);
    counting c = {stat, 0, count_range(from, to, by)};
    if (in->dead)
        return;
    int numbers = start != NULL && limit != NULL && start->kind == EVS__ATOM_NUMBER &&
                  limit->kind == EVS__ATOM_NUMBER && stat->step == NULL;
    if (numbers && start->number > limit->number)
        return;
    c.surely = numbers && start->number <= limit->number;
    evs__watched_loop watched = evs__watch_loop(in, loop);
    evs__watch_bounds(in, &watched, from, to);
    evs__iterate(in, count_round, &c);
    evs__watch_loop_left(in, &watched);
}

typedef struct walking {
    const evs__stat *stat;
    const evs__value *iterator, *subject;
    size_t control; /* slot of the hidden variable that holds the last first value */
} walking;

/* Where pairs and ipairs give a key, they give a value. */
static const evs__value *second(evs__interp *in, const evs__value *iterator,
                                const evs__value *value)
{
    int known = iterator->ncalls == 1 && iterator->natoms == 0 &&
                evs__builtin_gives_pairs(iterator->calls[0]->builtin);
    if (!known || value->types == EVS__TYPE_NIL)
        return value;
    return evs__value_only(in->pool, value, EVS__TYPE_ANY & ~EVS__TYPE_NIL);
}

static void each_round(evs__interp *in, void *context)
{
    const walking *w = context;
    const evs__each_stat *stat = &w->stat->as.each;
    evs__span at = stat->values.items[0]->at;
    evs__site site = {stat->values.items[0], at};
    evs__seq args = evs__seq_empty();
    evs__seq_push(in->pool, &args, w->subject, at);
    evs__seq_push(in->pool, &args, evs__store_value(&in->store, w->control), at);
    evs__seq values = evs__invoke(in, &site, w->iterator, args);
    const evs__value *first = evs__seq_at(in->pool, &values, 0);
    evs__loop_leave(in);
    first = evs__value_only(in->pool, first, EVS__TYPE_ANY & ~EVS__TYPE_NIL);
    if (evs__value_is_none(first))
        in->dead = 1;
    if (in->dead)
        return;
    evs__store_set(&in->store, w->control, first);
    evs__declare(in, stat->names[0], first);
    for (size_t i = 1; i < stat->nnames; i++) {
        const evs__value *value = evs__seq_at(in->pool, &values, i);
        evs__declare(in, stat->names[i], i == 1 ? second(in, w->iterator, value) : value);
    }
    evs__exec_block(in, &stat->block);
}

static void exec_each(evs__interp *in, const evs__stat *stat)
{
    evs__seq values = evs__eval_all(in, &stat->as.each.values);
    if (in->dead)
        return;
    walking w = {stat, evs__seq_at(in->pool, &values, 0), evs__seq_at(in->pool, &values, 1),
                 evs__node_slot_of(in, stat)};
    evs__store_set(&in->store, w.control, evs__seq_at(in->pool, &values, 2));
    evs__watched_loop watched = evs__watch_loop(in, stat);
    evs__watch_bounds(in, &watched, w.iterator, w.subject);
    evs__iterate(in, each_round, &w);
    evs__watch_loop_left(in, &watched);
}

static void exec_return(evs__interp *in, const evs__exprs *values)
{
    evs__frame *frame = in->frame;
    evs__seq results = evs__eval_all(in, values);
    if (in->dead)
        return;
    evs__watch_return(in, values, &results);
    if (frame->activation->caller == NULL && values->count > 0) {
        evs__touch(in, evs__seq_all(in->pool, &results), values->items[0]->at);
        evs__arg first = {evs__seq_at(in->pool, &results, 0), values->items[0]->at};
        evs__note_reply(in, first.value, first.at);
        evs__note_return(in, values, first);
    }
    frame->results = evs__seq_join(in->pool, &frame->results, &results);
    evs__changes here = evs__store_diff(&in->store, frame->mark);
    evs__changes_join(&in->store, &frame->exits, &here);
    in->dead = 1;
}

static void exec(evs__interp *in, const evs__stat *stat)
{
    switch (stat->kind) {
    case EVS__STAT_LOCAL:
        exec_local(in, &stat->as.local);
        return;
    case EVS__STAT_LOCAL_FUNCTION:
        evs__declare(in, stat->as.local_function.name,
                     evs__eval(in, stat->as.local_function.function));
        return;
    case EVS__STAT_ASSIGN:
        exec_assign(in, &stat->as.assign);
        return;
    case EVS__STAT_CALL:
        evs__eval_call(in, stat->as.call);
        return;
    case EVS__STAT_DO:
        evs__exec_block(in, &stat->as.block);
        return;
    case EVS__STAT_WHILE:
        exec_loop(in, stat, while_round);
        return;
    case EVS__STAT_REPEAT:
        exec_loop(in, stat, repeat_round);
        return;
    case EVS__STAT_IF:
        exec_arms(in, &stat->as.branch, 0);
        return;
    case EVS__STAT_FOR:
        exec_count(in, stat);
        return;
    case EVS__STAT_FOR_IN:
        exec_each(in, stat);
        return;
    case EVS__STAT_FUNCTION:
        exec_function(in, &stat->as.function);
        return;
    case EVS__STAT_RETURN:
        exec_return(in, &stat->as.values);
        return;
    case EVS__STAT_BREAK:
        evs__loop_leave(in);
        in->dead = 1;
        return;
    }
}
