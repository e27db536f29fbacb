/*
 * Failing after something was written.
 *
 * Left out is what shows that its author knew: a write in the same branch as the failure (it
 * records, or takes back), a branch that is taken because of what that very write answered, and the
 * passing on of an error that a command gave.
 */
#include "scripts/audit/passes.h"
#include "scripts/syntax/visit.h"

#include <string.h>

enum { FOUND_MAX = 500 }; /* nobody reads more */

typedef struct walk {
    evs__flow *flow;
    evs__pool *pool;
    const evs__chunk *chunk;
    const evs__meanings *meanings;
    size_t found;
    /* of the question asked last */
    evs__span at, write_at;
    const evs__block *branch; /* the innermost branch around it, and its condition */
    const evs__expr *condition;
    int tests_write;
} walk;

/* ---- the branch around ---- */

static void look_branch(void *context, const evs__stat *stat)
{
    walk *w = context;
    for (size_t i = 0; stat->kind == EVS__STAT_IF && i < stat->as.branch.narms; i++) {
        const evs__arm *arm = &stat->as.branch.arms[i];
        if (!evs__span_within(w->at, arm->block.at))
            continue;
        w->branch = &arm->block;
        w->condition = arm->condition != NULL || i == 0 ? arm->condition
                                                        : stat->as.branch.arms[i - 1].condition;
    }
}

static int is_around(void *context, const evs__stat *stat)
{
    const walk *w = context;
    return evs__span_within(w->at, stat->at);
}

static void look_test(void *context, const evs__expr *expr)
{
    walk *w = context;
    const evs__expr *means = evs__meaning(w->meanings, expr);
    if (means != expr && means->at.start < w->condition->at.start &&
        evs__span_within(w->write_at, means->at))
        w->tests_write = 1;
    if (expr->kind == EVS__EXPR_CALL && evs__span_within(w->write_at, expr->at))
        w->tests_write = 1;
    if (expr->kind == EVS__EXPR_NAME && expr->as.name.local != NULL && means == expr)
        w->tests_write |= expr->as.name.local->last_assignment < w->at.start &&
                          expr->as.name.local->last_assignment + 512 > w->write_at.start &&
                          expr->as.name.local->assignments > 0;
}

static int is_deliberate(walk *w, evs__span at, evs__span write_at)
{
    evs__visitor branches = {.context = w, .want = is_around, .stat = look_branch};
    evs__visitor tests = {.context = w, .expr = look_test};
    w->at = at;
    w->write_at = write_at;
    w->branch = NULL;
    w->condition = NULL;
    w->tests_write = 0;
    evs__visit_block(&branches, &w->chunk->main->body);
    if (w->branch != NULL && evs__span_within(write_at, w->branch->at))
        return 1;
    if (w->condition != NULL)
        evs__visit_expr(&tests, w->condition);
    return w->tests_write;
}

/* ---- failures ---- */

static int is_passed_on(const evs__value *message)
{
    for (size_t i = 0; message != NULL && i < message->natoms; i++)
        if (message->atoms[i]->kind == EVS__ATOM_REPLY || message->atoms[i]->kind == EVS__ATOM_TOP)
            return 1;
    return 0;
}

static void fail(walk *w, evs__span at, const evs__value *written, const char *how)
{
    for (size_t i = 0; written != NULL && i < written->natoms && w->found < FOUND_MAX; i++) {
        const evs__atom *atom = written->atoms[i];
        if (atom->kind != EVS__ATOM_REPLY || is_deliberate(w, at, atom->enters))
            continue;
        evs__late_failure *late = evs__pool_alloc(w->pool, 1, sizeof *late);
        char *command = evs__arena_text(&w->pool->arena, atom->text.data, atom->text.len);
        w->pool->failed |= command == NULL;
        if (late == NULL || command == NULL)
            return;
        late->at = at;
        late->write_at = atom->enters;
        late->command = command;
        late->how = how;
        late->next = w->flow->late;
        w->flow->late = late;
        w->found++;
        return;
    }
}

static int may_fail(const evs__value *condition)
{
    return (condition->types & EVS__TYPE_FALSY) != 0;
}

static void look_api(walk *w, const evs__apiuse *use)
{
    const evs__value *first = use->args.count > 0 ? use->args.items[0].value : NULL;
    if (!use->sure || first == NULL || use->args.none)
        return;
    if (evs__is_api(use, "", "error") && !is_passed_on(first))
        fail(w, use->at, use->written, "error()");
    if (evs__is_api(use, "redis", "error_reply") && !is_passed_on(first))
        fail(w, use->at, use->written, "an error reply");
    if (evs__is_api(use, "", "assert") && may_fail(first) && !is_passed_on(first))
        fail(w, use->at, use->written, "an assert");
}

void evs__find_late_failures(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                             const evs__meanings *meanings)
{
    walk w = {.flow = flow, .pool = pool, .chunk = chunk, .meanings = meanings};
    for (const evs__apiuse *use = flow->apis; use != NULL; use = use->next)
        look_api(&w, use);
    for (const evs__given_back *back = flow->returned; back != NULL; back = back->next)
        if (back->err != NULL && (back->err->types & EVS__TYPE_STRING) && !is_passed_on(back->err))
            fail(&w, back->at, back->written, "an error reply");
}
