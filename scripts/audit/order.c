/*
 * A list that is filled in the order of pairs and then returned or made into a string, unless it is
 * sorted; and commands whose order shows in what they leave behind. Sets and hashes do not mind.
 */
#include "scripts/audit/passes.h"

#include "scripts/syntax/visit.h"

#include <string.h>

typedef struct walk {
    evs__flow *flow;
    evs__pool *pool;
    const evs__chunk *chunk;
    const evs__meanings *meanings;
    const evs__stat *loop;
    const evs__local *list;
    const char *sink;
    int sorted;
} walk;

/* ---- what becomes of a list ---- */

static void look_use(void *context, const evs__expr *expr)
{
    walk *w = context;
    if (expr->kind != EVS__EXPR_CALL || expr->as.call.args.count == 0 ||
        !evs__is_local_name(expr->as.call.args.items[0], w->list))
        return;
    w->sorted |= evs__means_field(w->meanings, expr->as.call.callee, "table", "sort");
    if (evs__means_field(w->meanings, expr->as.call.callee, "table", "concat"))
        w->sink = "a string";
    if (evs__means_field(w->meanings, expr->as.call.callee, "cjson", "encode"))
        w->sink = "a string";
}

static void look_return(void *context, const evs__stat *stat)
{
    walk *w = context;
    if (stat->kind == EVS__STAT_RETURN)
        for (size_t i = 0; i < stat->as.values.count; i++)
            if (evs__is_local_name(stat->as.values.items[i], w->list))
                w->sink = "a returned list";
}

static void note(walk *w, const char *sink)
{
    for (const evs__disorder *d = w->flow->disorders; d != NULL; d = d->next)
        if (d->at.start == w->loop->at.start)
            return;
    evs__disorder *disorder = evs__pool_alloc(w->pool, 1, sizeof *disorder);
    if (disorder == NULL)
        return;
    disorder->at = w->loop->at;
    disorder->at.end = w->loop->as.each.values.items[w->loop->as.each.values.count - 1]->at.end;
    disorder->sink = sink;
    disorder->next = w->flow->disorders;
    w->flow->disorders = disorder;
}

static void follow_list(walk *w, const evs__local *list)
{
    if (list == NULL || list->at.start > w->loop->at.start)
        return;
    w->list = list;
    w->sink = NULL;
    w->sorted = 0;
    evs__visitor visitor = {.context = w, .expr = look_use, .stat = look_return};
    evs__visit_block(&visitor, &w->chunk->main->body);
    if (w->sink != NULL && !w->sorted)
        note(w, w->sink);
}

/* ---- what is done in the loop ---- */

static const evs__local *local_of(const evs__expr *expr)
{
    expr = evs__bare(expr);
    return expr->kind == EVS__EXPR_NAME ? expr->as.name.local : NULL;
}

/* t[#t + 1] = x, t[n] = x with a counter n, s = s .. x */
static void look_body(void *context, const evs__stat *stat)
{
    walk *w = context;
    if (stat->kind == EVS__STAT_CALL && stat->as.call->kind == EVS__EXPR_CALL &&
        evs__means_field(w->meanings, stat->as.call->as.call.callee, "table", "insert") &&
        stat->as.call->as.call.args.count > 0)
        follow_list(w, local_of(stat->as.call->as.call.args.items[0]));
    if (stat->kind != EVS__STAT_ASSIGN || stat->as.assign.targets.count != 1)
        return;
    const evs__expr *target = stat->as.assign.targets.items[0];
    if (target->kind == EVS__EXPR_INDEX && target->as.index.key->kind == EVS__EXPR_BINARY &&
        target->as.index.key->as.binary.op == EVS__OP_ADD)
        follow_list(w, local_of(target->as.index.object));
}

static int shows_order(const char *command)
{
    static const char *const names[] = {"LPUSH", "RPUSH",   "LPUSHX", "RPUSHX",
                                        "XADD",  "PUBLISH", "APPEND", NULL};
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], command) == 0)
            return 1;
    return 0;
}

static void look_loop(walk *w, const evs__loopfact *loop)
{
    if (loop->stat->kind != EVS__STAT_FOR_IN || !loop->unordered)
        return;
    const evs__expr *first = evs__bare(loop->stat->as.each.values.items[0]);
    if (first->kind != EVS__EXPR_CALL ||
        !evs__is_global_name(evs__meaning(w->meanings, first->as.call.callee), "pairs"))
        return;
    w->loop = loop->stat;
    evs__visitor visitor = {.context = w, .stat = look_body};
    evs__visit_block(&visitor, &loop->stat->as.each.block);
    for (const evs__commanduse *use = w->flow->commands; use != NULL; use = use->next)
        if (evs__span_within(use->at, loop->stat->as.each.block.at) &&
            shows_order(use->command->name))
            note(w, use->command->name);
}

void evs__find_order(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                     const evs__meanings *meanings)
{
    walk w = {.flow = flow, .pool = pool, .chunk = chunk, .meanings = meanings};
    for (const evs__loopfact *loop = flow->loops; loop != NULL; loop = loop->next)
        look_loop(&w, loop);
}
