#include "scripts/audit/loops.h"

#include "scripts/syntax/visit.h"

#include <string.h>

/* So many rounds are nothing to a server, when nothing is said of what is done in them. */
#define ROUNDS_FINE 1e6

typedef struct ranker {
    evs__flow *flow;
    evs__pool *pool;
    const evs__clamps *clamps;
    const evs__meanings *meanings;
} ranker;

/* ---- collections ---- */

/* The command whose whole collection `value` may be, or how many elements one has. */
static const evs__commanduse *collection_in(const ranker *r, const evs__value *value)
{
    for (size_t i = 0; value != NULL && i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        if (atom->kind != EVS__ATOM_REPLY)
            continue;
        for (const evs__commanduse *use = r->flow->commands; use != NULL; use = use->next)
            if (use->at.start == atom->enters.start && use->at.end == atom->enters.end &&
                (use->unbounded || evs__work_of(use->command->name) == EVS__WORK_SIZE))
                return use;
    }
    return NULL;
}

static void set_collection(evs__loopfact *loop, const evs__commanduse *use)
{
    loop->bound = EVS__BOUND_DATA;
    loop->what = use->command->name;
    loop->key = evs__key_of(use);
}

/* ---- numeric for ---- */

static const evs__atom *argument_in(const evs__value *value)
{
    for (size_t i = 0; value != NULL && i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        if (atom->kind == EVS__ATOM_ARGUMENT ||
            (atom->kind == EVS__ATOM_DATA && (atom->sources & EVS__SOURCE_ARGUMENT)))
            return atom;
    }
    return NULL;
}

static const evs__atom *number(const evs__value *value)
{
    const evs__atom *atom = value == NULL ? NULL : evs__value_single(value);
    return atom != NULL && atom->kind == EVS__ATOM_NUMBER ? atom : NULL;
}

/* A step of 0 goes nowhere, for ever, when the start is not below the limit. */
static int stands_still(const evs__loopfact *loop)
{
    const evs__expr *step = loop->stat->as.count.step;
    const evs__atom *first = number(loop->first), *limit = number(loop->limit);
    return step != NULL && step->kind == EVS__EXPR_NUMBER && step->as.number <= 0 &&
           step->as.number >= 0 && first != NULL && limit != NULL && first->number >= limit->number;
}

static int is_down(const evs__expr *step)
{
    return step != NULL && step->kind == EVS__EXPR_UNARY && step->as.unary.op == EVS__OP_NEG;
}

static void rank_numbers(const ranker *r, evs__loopfact *loop)
{
    const evs__count_stat *stat = &loop->stat->as.count;
    int down = is_down(stat->step);
    const evs__expr *end = down ? stat->start : stat->limit;
    const evs__value *value = down ? loop->first : loop->limit;
    const evs__expr *means = evs__meaning(r->meanings, stat->limit);
    if (stands_still(loop) || evs__is_field_of(means, "math", "huge")) {
        loop->bound = evs__rank_condition(loop, r->meanings);
        return;
    }
    double most = value == NULL ? 0 : evs__value_range(value).high;
    if (most < ROUNDS_FINE)
        return;
    /* What is no greater than a length can be is one, or somebody set a limit. */
    const evs__atom *argument = most <= EVS__LENGTH_MAX ? NULL : argument_in(value);
    if (argument != NULL && !evs__is_clamped(r->clamps, r->meanings, end, loop->at.start)) {
        loop->bound = EVS__BOUND_CALLER;
        loop->what = evs__atom_text(r->pool, argument);
        return;
    }
    const evs__commanduse *use = collection_in(r, loop->counted != NULL ? loop->counted : value);
    if (use != NULL && !evs__is_clamped(r->clamps, r->meanings, end, loop->at.start))
        set_collection(loop, use);
}

/* ---- the others ---- */

static void rank_each(const ranker *r, evs__loopfact *loop)
{
    const evs__commanduse *use = collection_in(r, loop->limit);
    if (use != NULL)
        set_collection(loop, use);
}

/* The key of all commands in the loop's text that take something away. */
static int drained_key(const ranker *r, const evs__loopfact *loop)
{
    int key = 0;
    for (const evs__commanduse *use = r->flow->commands; use != NULL; use = use->next) {
        evs__work work = evs__work_of(use->command->name);
        if (!evs__span_within(use->at, loop->stat->at) ||
            (work != EVS__WORK_POP && work != EVS__WORK_TAKE))
            continue;
        int mine = evs__key_of(use);
        if (mine == 0 || (key != 0 && key != mine))
            return 0;
        key = mine;
    }
    return key;
}

static void rank_condition(const ranker *r, evs__loopfact *loop)
{
    const evs__loop_stat *stat = &loop->stat->as.loop;
    if (loop->leaves == 0) {
        loop->bound = EVS__BOUND_NONE;
        return;
    }
    loop->bound = evs__rank_condition(loop, r->meanings);
    if (loop->bound == EVS__BOUND_DRAIN)
        loop->key = drained_key(r, loop);
    if (loop->bound != EVS__BOUND_CALLER)
        return;
    loop->what = "an argument";
    if (evs__is_clamped(r->clamps, r->meanings, stat->condition, loop->at.start))
        loop->bound = EVS__BOUND_PROVEN;
}

static void rank(const ranker *r, evs__loopfact *loop)
{
    loop->bound = EVS__BOUND_PROVEN;
    loop->what = "";
    switch (loop->stat->kind) {
    case EVS__STAT_FOR:
        rank_numbers(r, loop);
        return;
    case EVS__STAT_FOR_IN:
        rank_each(r, loop);
        return;
    default:
        rank_condition(r, loop);
        return;
    }
}

/* ---- strings that grow ---- */

/* s .. x, or s .. x .. y */
static int begins_with(const evs__expr *value, const evs__local *name)
{
    value = evs__bare(value);
    if (value->kind != EVS__EXPR_BINARY || value->as.binary.op != EVS__OP_CONCAT)
        return 0;
    return evs__is_local_name(value->as.binary.left, name);
}

static int is_long(const evs__loopfact *loop)
{
    if (loop->stat->kind == EVS__STAT_FOR)
        return number(loop->limit) == NULL;
    return loop->stat->kind != EVS__STAT_FOR_IN || (loop->limit->natoms > 0);
}

/* The outermost loop around `at` that the variable was declared before. */
static const evs__loopfact *loop_around(const evs__flow *flow, evs__span at,
                                        const evs__local *local)
{
    for (const evs__loopfact *loop = flow->loops; loop != NULL; loop = loop->next)
        if (evs__span_within(at, loop->stat->at) && local->at.start < loop->stat->at.start &&
            is_long(loop))
            return loop;
    return NULL;
}

static void look_growth(void *context, const evs__stat *stat)
{
    const ranker *r = context;
    if (stat->kind != EVS__STAT_ASSIGN || stat->as.assign.targets.count != 1 ||
        stat->as.assign.values.count != 1)
        return;
    const evs__expr *target = stat->as.assign.targets.items[0];
    if (target->kind != EVS__EXPR_NAME || target->as.name.local == NULL ||
        !begins_with(stat->as.assign.values.items[0], target->as.name.local) ||
        loop_around(r->flow, stat->at, target->as.name.local) == NULL)
        return;
    evs__growth *growth = evs__pool_alloc(r->pool, 1, sizeof *growth);
    if (growth == NULL)
        return;
    growth->at = stat->at;
    growth->name = target->as.name.text;
    growth->next = r->flow->growths;
    r->flow->growths = growth;
}

/* return f(x) */
static void look_tail(void *context, const evs__stat *stat)
{
    const ranker *r = context;
    if (stat->kind != EVS__STAT_RETURN || stat->as.values.count != 1)
        return;
    evs__span at = stat->as.values.items[0]->at;
    for (evs__cyclefact *cycle = r->flow->cycles; cycle != NULL; cycle = cycle->next)
        if (cycle->at.start == at.start && cycle->at.end == at.end)
            cycle->tail = 1;
}

static void look_stat(void *context, const evs__stat *stat)
{
    look_growth(context, stat);
    look_tail(context, stat);
}

void evs__rank_loops(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                     const evs__meanings *meanings)
{
    evs__clamps clamps;
    ranker r = {flow, pool, &clamps, meanings};
    pool->failed |= !evs__clamps_read(&clamps, &pool->arena, chunk, meanings);
    for (evs__loopfact *loop = flow->loops; loop != NULL; loop = loop->next)
        rank(&r, loop);
    evs__visitor visitor = {.context = &r, .stat = look_stat};
    evs__visit_block(&visitor, &chunk->main->body);
    evs__clamps_free(&clamps);
}
