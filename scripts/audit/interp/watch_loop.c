/*
 * Loops: what they go through, and how they are left.
 */
#include "scripts/audit/interp/watch_note.h"

#include <string.h>

/* ---- loops ---- */

/* From the first word to the end of what decides how often it is gone round. */
static evs__span head_of(const evs__stat *stat)
{
    evs__span at = stat->at;
    switch (stat->kind) {
    case EVS__STAT_WHILE:
        at.end = stat->as.loop.condition->at.end;
        return at;
    case EVS__STAT_FOR:
        at.end = (stat->as.count.step == NULL ? stat->as.count.limit : stat->as.count.step)->at.end;
        return at;
    case EVS__STAT_FOR_IN:
        at.end = stat->as.each.values.items[stat->as.each.values.count - 1]->at.end;
        return at;
    default:
        at.end = at.start + strlen("repeat");
        return at;
    }
}

evs__watched_loop evs__watch_loop(evs__interp *in, const evs__stat *stat)
{
    evs__watch *w = in->watch;
    evs__watched_loop loop = {NULL, NULL, 0, 0};
    if (w == NULL || in->dead)
        return loop;
    evs__subject about = {stat, NULL, 'l'};
    int fresh;
    evs__loopfact *fact = evs__watch_note(w, &about, sizeof *fact, &fresh);
    if (fact == NULL)
        return loop;
    if (fresh) {
        fact->stat = stat;
        fact->at = head_of(stat);
        fact->outer = w->loop;
        fact->next = w->flow->loops;
        w->flow->loops = fact;
    }
    fact->written = evs__watch_joined(w, fact->written, evs__watch_before(in, w->written));
    loop.fact = fact;
    loop.outer = w->loop;
    loop.raised = w->raised;
    loop.returns = in->frame->returns;
    w->loop = fact;
    return loop;
}

/* Is it a table with other keys than 1, 2, ...? */
static int has_names(const evs__interp *in, const evs__value *table)
{
    for (size_t i = 0; i < table->ntables; i++) {
        const evs__object *object = evs__store_object(&in->store, table->tables[i]);
        if (object != NULL && (object->nfields > 0 || object->keys != NULL) &&
            !evs__is_library(in, table->tables[i]))
            return 1;
    }
    return 0;
}

static int is_given(const evs__interp *in, const evs__value *table)
{
    for (size_t i = 0; i < table->ntables; i++)
        if (table->tables[i] == in->keys || table->tables[i] == in->argv)
            return 1;
    return 0;
}

void evs__watch_bounds(evs__interp *in, const evs__watched_loop *loop, const evs__value *first,
                       const evs__value *limit)
{
    evs__loopfact *fact = loop->fact;
    if (fact == NULL)
        return;
    fact->first = evs__watch_joined(in->watch, fact->first, first);
    fact->limit = evs__watch_joined(in->watch, fact->limit, limit);
    const evs__stat *stat = fact->stat;
    if (stat->kind != EVS__STAT_FOR) {
        fact->unordered |= has_names(in, limit);
        fact->given |= is_given(in, limit);
        return;
    }
    const evs__expr *expr = stat->as.count.limit;
    if (expr->kind == EVS__EXPR_UNARY && expr->as.unary.op == EVS__OP_LEN &&
        evs__is_calm(expr->as.unary.operand))
        fact->counted = evs__watch_joined(in->watch, fact->counted,
                                          evs__eval(in, expr->as.unary.operand));
    if (fact->counted != NULL)
        fact->given |= is_given(in, fact->counted);
}

void evs__watch_loop_left(evs__interp *in, const evs__watched_loop *loop)
{
    evs__watch *w = in->watch;
    evs__loopfact *fact = loop->fact;
    if (fact == NULL)
        return;
    w->loop = loop->outer;
    if (in->over)
        fact->leaves |= EVS__LEAVES_NOT_FOLLOWED;
    if (!in->dead)
        fact->leaves |= EVS__LEAVES_END;
    if (in->frame->returns != loop->returns)
        fact->leaves |= EVS__LEAVES_RETURN;
    if (w->raised != loop->raised)
        fact->leaves |= EVS__LEAVES_ERROR;
}
