/*
 * Calls.
 *
 * A closure's body is run once per place and context it is called from, so `del(KEYS[1])` and
 * `del('x')` are told apart. A function that is called while it runs (recursion) is not run again:
 * the call takes what is known of its results so far, and the function is run anew until that and
 * the ways it is called no longer grow.
 */
#include "scripts/audit/interp/interp.h"

#include "scripts/audit/builtins/builtin.h"
#include "scripts/audit/interp/watch.h"

enum { CALLS_MAX = 40, RECURSION_ROUNDS = 12, RECURSION_EXACT = 3 };

static const char *const too_deep = "calls are nested too deeply to follow";

/* ---- closures ---- */

static void bind(evs__interp *in, evs__frame *frame)
{
    const evs__function *function = frame->activation->function;
    evs__span nowhere = {0, 0, 0, 0};
    for (size_t i = 0; i < function->nparameters; i++)
        evs__declare(in, function->parameters[i], evs__seq_at(in->pool, &frame->arguments, i));
    frame->varargs = evs__seq_drop(&frame->arguments, function->nparameters);
    if (function->arg == NULL)
        return;
    const evs__object *all = evs__object_new(in->pool);
    const evs__value *rest = evs__seq_all(in->pool, &frame->varargs);
    const evs__value *number = evs__value_data(in->pool, EVS__SOURCE_NUMBER, EVS__TYPE_NUMBER,
                                               nowhere);
    all = evs__object_set(in->pool, all, number, rest, 1);
    all = evs__object_set(in->pool, all, evs__value_constant(in->pool, evs_text("n"), nowhere),
                          number, 0);
    evs__declare(in, function->arg, evs__new_table(in, function, all));
}

static void run_once(evs__interp *in, evs__frame *frame)
{
    bind(in, frame);
    evs__exec_block(in, &frame->activation->function->body);
    if (in->dead)
        return;
    evs__seq nothing = evs__seq_empty();
    frame->results = evs__seq_join(in->pool, &frame->results, &nothing);
    evs__changes here = evs__store_diff(&in->store, frame->mark);
    evs__changes_join(&in->store, &frame->exits, &here);
}

/* The states in which the function returns, as one number that grows when they do. */
typedef struct progress {
    evs__seq results;
    evs__changes exits;
    size_t promotions;
} progress;

static int exits_same(const evs__changes *a, const evs__changes *b)
{
    if (a->dead != b->dead || a->count != b->count)
        return 0;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].slot != b->items[i].slot ||
            a->items[i].after.value != b->items[i].after.value ||
            a->items[i].after.object != b->items[i].after.object)
            return 0;
    return 1;
}

static int went_on(const evs__interp *in, const evs__frame *frame, const progress *before)
{
    return frame->again || !evs__seq_same(&frame->results, &before->results) ||
           !exits_same(&frame->exits, &before->exits) || in->store.promotions != before->promotions;
}

/* Runs a recursive function until nothing new comes. */
static void settle(evs__interp *in, evs__frame *frame)
{
    int more = 1;
    for (int n = 0; more && n < RECURSION_ROUNDS && !in->over && !in->pool->failed; n++) {
        progress before = {frame->results, frame->exits, in->store.promotions};
        frame->again = 0;
        evs__store_undo(&in->store, frame->mark);
        in->dead = 0;
        evs__store_apply(&in->store, &frame->entries);
        run_once(in, frame);
        more = went_on(in, frame, &before);
    }
    if (more && !in->over)
        evs__stop(in, frame->activation->function->at, "a recursion does not settle");
}

evs__seq evs__run_closure(evs__interp *in, const evs__callable *callable, const evs__expr *call,
                          evs__seq args)
{
    evs__activation *activation = evs__activation_of(in, callable, call);
    if (activation == NULL || in->dead)
        return evs__seq_none();
    evs__frame frame = {.activation = activation, .below = in->frame, .loop = in->loop};
    frame.mark = evs__store_mark(&in->store);
    frame.exits.dead = 1;
    frame.results = evs__seq_none();
    frame.arguments = args;
    in->frame = &frame;
    in->loop = NULL;
    in->calls++;
    evs__record_reached(in->recorder, activation->function);
    run_once(in, &frame);
    if (frame.recursive)
        settle(in, &frame);
    in->calls--;
    in->loop = frame.loop;
    in->frame = frame.below;
    evs__store_undo(&in->store, frame.mark);
    in->dead = frame.exits.dead || in->over;
    if (!in->dead)
        evs__store_apply(&in->store, &frame.exits);
    return frame.results;
}

/* ---- recursion ---- */

static evs__frame *running(const evs__interp *in, const evs__callable *callable)
{
    for (evs__frame *f = in->frame; f != NULL; f = f->below)
        if (f->activation->function == callable->function &&
            f->activation->outer == callable->outer)
            return f;
    return NULL;
}

static evs__seq widened(evs__interp *in, const evs__seq *old, const evs__seq *more)
{
    evs__seq all = evs__seq_join(in->pool, old, more);
    for (size_t i = 0; i < all.count; i++) {
        const evs__value *before = i < old->count ? old->items[i].value : NULL;
        if (before != NULL)
            all.items[i].value = evs__value_widen(in->pool, before, all.items[i].value);
    }
    return all;
}

/* The function will be run again from here too: with these arguments, in this state. */
static void enter_again(evs__interp *in, evs__frame *frame, const evs__seq *args)
{
    evs__seq arguments = widened(in, &frame->arguments, args);
    frame->again |= !frame->recursive || !evs__seq_same(&arguments, &frame->arguments);
    frame->arguments = arguments;
    frame->recursive = 1;
    if (evs__changes_cover(&in->store, &frame->entries, frame->mark))
        return; /* most often */
    evs__changes here = evs__store_diff(&in->store, frame->mark);
    if (evs__changes_widen(&in->store, &frame->entries, &here))
        frame->again = 1;
}

static evs__seq run_again(evs__interp *in, evs__frame *frame, const evs__seq *args)
{
    enter_again(in, frame, args);
    if (frame->exits.dead) {
        in->dead = 1; /* nothing is known to come back yet */
        return evs__seq_none();
    }
    evs__store_grow(&in->store, &frame->exits, 0);
    return frame->results;
}

/* ---- all kinds of calls ---- */

static evs__seq lost(evs__interp *in, evs__span at, const char *reason)
{
    return evs__seq_any(evs__value_top(in->pool, reason, at), at);
}

static evs__seq invoke_one(evs__interp *in, const evs__site *site, const evs__callable *callable,
                           evs__seq args, int sure)
{
    if (callable->builtin != NULL) {
        evs__builtin_call call = {site, callable, args};
        evs__note_arguments(in, &args, EVS__ACCESS_WHOLE, site->at);
        evs__watch_call(in, site, callable, &args, sure);
        return callable->builtin->run(in, &call);
    }
    evs__frame *frame = running(in, callable);
    if (frame != NULL) {
        evs__watch_recursion(in, frame, site);
        return run_again(in, frame, &args);
    }
    if (in->calls >= CALLS_MAX) {
        evs__give_up(in, site->at, too_deep);
        return lost(in, site->at, too_deep);
    }
    return evs__run_closure(in, callable, site->call, args);
}

static evs__seq invoke_unknown(evs__interp *in, const evs__site *site, const evs__value *callee,
                               evs__seq args)
{
    const char *reason = "something is called that may be any function";
    for (size_t i = 0; i < callee->natoms; i++)
        if (callee->atoms[i]->kind == EVS__ATOM_TOP && callee->atoms[i]->text.data != NULL)
            reason = evs__arena_format(&in->pool->arena, "a function is called, but %.*s",
                                       (int)callee->atoms[i]->text.len,
                                       callee->atoms[i]->text.data);
    if (reason == NULL) {
        in->pool->failed = 1;
        return evs__seq_none();
    }
    evs__watch_unknown(in);
    evs__give_up(in, site->at, reason);
    evs__escape(in, site, &args);
    return lost(in, site->at, "it comes from a function that is not followed");
}

evs__seq evs__invoke(evs__interp *in, const evs__site *site, const evs__value *callee,
                     evs__seq args)
{
    if (in->dead || args.none)
        return evs__seq_none();
    /* If it may be any function, what it may be for sure does not matter any more. */
    if (callee->natoms > 0 || callee->ncalls == 0)
        return invoke_unknown(in, site, callee, args);
    if (callee->ncalls == 1)
        return invoke_one(in, site, callee->calls[0], args, 1);

    evs__seq results = evs__seq_none();
    evs__changes ends = {NULL, 0, 1};
    size_t mark = evs__store_mark(&in->store);
    for (size_t i = 0; i < callee->ncalls; i++) {
        evs__seq some = invoke_one(in, site, callee->calls[i], args, 0);
        results = evs__seq_join(in->pool, &results, &some);
        evs__changes end = evs__branch_end(in, mark);
        evs__changes_join(&in->store, &ends, &end);
    }
    in->dead = 1;
    evs__branch_meet(in, mark, &ends);
    return results;
}

typedef struct repeated {
    const evs__site *site;
    const evs__value *callee;
    evs__seq args;
} repeated;

static void call_round(evs__interp *in, void *context)
{
    const repeated *r = context;
    evs__loop_leave(in);
    evs__invoke(in, r->site, r->callee, r->args);
}

void evs__invoke_often(evs__interp *in, const evs__site *site, const evs__value *callee,
                       evs__seq args)
{
    repeated r = {site, callee, args};
    if (!in->dead)
        evs__iterate(in, call_round, &r);
}

void evs__escape(evs__interp *in, const evs__site *site, const evs__seq *args)
{
    const evs__value *all = evs__seq_all(in->pool, args);
    evs__note_use(in, all, EVS__ACCESS_WHOLE, site->at);
    const char *reason = "it is given by code that is not followed";
    for (size_t i = 0; i < all->ncalls; i++) {
        if (all->calls[i]->builtin != NULL || running(in, all->calls[i]) != NULL ||
            in->calls >= CALLS_MAX)
            continue;
        const evs__value *callee = evs__value_callable(in->pool, all->calls[i]);
        evs__invoke_often(in, site, callee, lost(in, site->at, reason));
    }
}

evs__seq evs__eval_call(evs__interp *in, const evs__expr *expr)
{
    evs__site site = {expr, expr->at};
    evs__record_reached(in->recorder, expr);
    if (expr->kind == EVS__EXPR_CALL) {
        const evs__value *callee = evs__eval(in, expr->as.call.callee);
        evs__seq args = evs__eval_all(in, &expr->as.call.args);
        return evs__invoke(in, &site, callee, args);
    }
    const evs__value *object = evs__eval(in, expr->as.method.object);
    const evs__value *name = evs__value_constant(in->pool, expr->as.method.name, expr->at);
    evs__check_variable(in, expr->as.method.name_at);
    const evs__value *callee = evs__read_index(in, object, name, expr->as.method.name_at);
    evs__seq args = evs__seq_of(in->pool, object, expr->as.method.object->at);
    for (size_t i = 0; i < expr->as.method.args.count; i++) {
        const evs__expr *arg = expr->as.method.args.items[i];
        evs__seq more = i + 1 == expr->as.method.args.count
                            ? evs__eval_open(in, arg)
                            : evs__seq_of(in->pool, evs__eval(in, arg), arg->at);
        evs__seq_append(in->pool, &args, &more, arg->at);
    }
    return evs__invoke(in, &site, callee, args);
}
