/*
 * How many values unpack gives, and how long a string string.rep makes.
 *
 * It speaks of what callers pass, of whole collections, and of tables that are filled in loops over
 * those. A part with an end, unpack(t, i, j), is believed to be a portion; so is a table whose
 * length is compared with a number.
 */
#include "scripts/audit/loops.h"
#include "scripts/audit/passes.h"
#include "scripts/syntax/visit.h"

#include <string.h>

/* So long a string is nothing to a server. */
#define LENGTH_FINE 1e7

typedef struct walk {
    evs__flow *flow;
    evs__pool *pool;
    const evs__chunk *chunk;
    const evs__meanings *meanings;
    evs__clamps clamps;
    evs__table said;  /* of a table in a variable: COMPARED, FILLED */
    evs__table loops; /* facts by statement */
    int open;         /* loops around that may be gone round often */
} walk;

static int is_number(const evs__value *value, double *out)
{
    evs__range range = evs__value_range(value);
    if ((value->types & ~(unsigned)EVS__TYPE_NUMBER) != 0 || !evs__range_is_single(&range))
        return 0;
    *out = range.low;
    return 1;
}

/* ---- what is said of tables ---- */

enum { COMPARED = 1, FILLED = 2 };

/* A variable that holds a table; a global one is told by its name. */
static evs_bytes key_of(const evs__expr *const *table, const evs__local **local)
{
    evs_bytes none = {NULL, 0};
    const evs__expr *expr = *table == NULL ? NULL : evs__bare(*table);
    if (expr == NULL || expr->kind != EVS__EXPR_NAME)
        return none;
    if (expr->as.name.local == NULL)
        return expr->as.name.text;
    *local = expr->as.name.local;
    return (evs_bytes){(const char *)local, sizeof *local};
}

static int is_said(const walk *w, const evs__expr *table, unsigned what)
{
    const evs__local *local;
    evs_bytes key = key_of(&table, &local);
    const unsigned *said = key.data == NULL ? NULL : evs__table_get(&w->said, key);
    return said != NULL && (*said & what) != 0;
}

static void say(walk *w, const evs__expr *table, unsigned what)
{
    const evs__local *local;
    evs_bytes key = key_of(&table, &local);
    if (key.data == NULL)
        return;
    unsigned *said = evs__table_get(&w->said, key);
    if (said != NULL) {
        *said |= what;
        return;
    }
    unsigned *made = evs__pool_alloc(w->pool, 1, sizeof *made);
    char *kept = evs__arena_text(&w->pool->arena, key.data, key.len);
    if (made == NULL || kept == NULL) {
        w->pool->failed = 1;
        return;
    }
    *made = what;
    key.data = kept;
    w->pool->failed |= !evs__table_set(&w->said, key, made);
}

/* #t < 1000, or a variable that is #t */
static void look_compared(walk *w, const evs__expr *length, const evs__expr *limit)
{
    length = evs__meaning(w->meanings, length);
    limit = evs__meaning(w->meanings, limit);
    if (length->kind == EVS__EXPR_UNARY && length->as.unary.op == EVS__OP_LEN &&
        limit->kind == EVS__EXPR_NUMBER && limit->as.number > 1)
        say(w, length->as.unary.operand, COMPARED);
}

static void look_expr(void *context, const evs__expr *expr)
{
    if (expr->kind != EVS__EXPR_BINARY || expr->as.binary.op < EVS__OP_NE ||
        expr->as.binary.op > EVS__OP_GE)
        return;
    look_compared(context, expr->as.binary.left, expr->as.binary.right);
    look_compared(context, expr->as.binary.right, expr->as.binary.left);
}

/* Is it gone round once per element of what was passed or stored, without a limit of its own? */
static int is_open(const evs__loopfact *loop)
{
    if (loop->bound != EVS__BOUND_PROVEN)
        return 1;
    const evs__value *through = loop->stat->kind == EVS__STAT_FOR ? loop->counted : loop->limit;
    for (size_t i = 0; through != NULL && i < through->natoms; i++)
        if (through->atoms[i]->kind == EVS__ATOM_DATA &&
            (through->atoms[i]->sources & (EVS__SOURCE_ARGUMENT | EVS__SOURCE_REPLY)))
            return 1;
    return loop->given;
}

static int is_open_loop(const walk *w, const evs__stat *stat)
{
    evs_bytes key = {(const char *)&stat, sizeof stat};
    const evs__loopfact *loop = evs__table_get(&w->loops, key);
    return loop != NULL && is_open(loop);
}

static void look_stat(void *context, const evs__stat *stat)
{
    walk *w = context;
    w->open += is_open_loop(w, stat);
    if (w->open == 0)
        return;
    if (stat->kind == EVS__STAT_CALL && stat->as.call->kind == EVS__EXPR_CALL &&
        stat->as.call->as.call.args.count > 0 &&
        evs__means_field(w->meanings, stat->as.call->as.call.callee, "table", "insert"))
        say(w, stat->as.call->as.call.args.items[0], FILLED);
    for (size_t i = 0; stat->kind == EVS__STAT_ASSIGN && i < stat->as.assign.targets.count; i++) {
        const evs__expr *target = stat->as.assign.targets.items[i];
        if (target->kind == EVS__EXPR_INDEX)
            say(w, target->as.index.object, FILLED);
    }
}

static void leave_stat(void *context, const evs__stat *stat)
{
    walk *w = context;
    w->open -= is_open_loop(w, stat);
}

static void read_text(walk *w)
{
    for (evs__loopfact *loop = w->flow->loops; loop != NULL; loop = loop->next) {
        evs_bytes key = {(const char *)&loop->stat, sizeof loop->stat};
        w->pool->failed |= !evs__table_set(&w->loops, key, loop);
    }
    evs__visitor visitor = {.context = w, .stat = look_stat, .left = leave_stat, .expr = look_expr};
    evs__visit_block(&visitor, &w->chunk->main->body);
}

/* ---- unpack ---- */

static const char *decoded(evs__pool *pool, const evs__atom *atom)
{
    const char *text = evs__arena_format(&pool->arena, "what is decoded from %s",
                                         evs__atom_text(pool, atom));
    pool->failed |= text == NULL;
    return text == NULL ? "" : text;
}

/* A whole collection that is a reply, or what was decoded from something that was passed. */
static const char *size_of(const walk *w, const evs__value *value, int *key)
{
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        if (atom->kind == EVS__ATOM_DATA &&
            (atom->sources & (EVS__SOURCE_ARGUMENT | EVS__SOURCE_REPLY)) &&
            (value->types & EVS__TYPE_TABLE))
            return decoded(w->pool, atom);
        for (const evs__commanduse *use = w->flow->commands; use != NULL; use = use->next)
            if (atom->kind == EVS__ATOM_REPLY && use->unbounded &&
                use->at.start == atom->enters.start && use->at.end == atom->enters.end) {
                *key = evs__key_of(use);
                return evs__atom_text(w->pool, atom);
            }
    }
    return NULL;
}

static void size_unpack(walk *w, evs__apiuse *use)
{
    double first = 1, last;
    const evs__seq *args = &use->args;
    if (args->count == 0 || args->none)
        return;
    if (args->count > 1)
        is_number(args->items[1].value, &first);
    if (args->count > 2 && is_number(args->items[2].value, &last) && args->least > 2)
        use->count = last - first + 1;
    if (args->count > 2 || args->rest != NULL || is_said(w, use->argument, COMPARED))
        return;
    use->size = size_of(w, args->items[0].value, &use->key);
    if (use->size == NULL && use->rest != NULL && is_said(w, use->argument, FILLED))
        use->size = "a table that is filled in a loop";
    if (use->size == NULL && use->of_argv)
        use->size = "ARGV";
    if (use->size == NULL && use->of_keys)
        use->size = "KEYS";
}

/* ---- string.rep ---- */

static const evs__expr *repetitions(const evs__expr *call)
{
    if (call->kind == EVS__EXPR_CALL && call->as.call.args.count > 1)
        return call->as.call.args.items[1];
    if (call->kind == EVS__EXPR_METHOD && call->as.method.args.count > 0)
        return call->as.method.args.items[0];
    return NULL;
}

static void size_rep(const walk *w, evs__apiuse *use)
{
    const evs__expr *expr = repetitions(use->call);
    if (use->args.count < 2 || expr == NULL)
        return;
    const evs__value *times = use->args.items[1].value;
    const evs__atom *text = evs__value_single(use->args.items[0].value);
    double count;
    if (is_number(times, &count)) {
        int known = text != NULL && text->kind == EVS__ATOM_CONSTANT;
        use->count = count * (known ? (double)text->text.len : 1);
        return;
    }
    if (evs__value_range(times).high < LENGTH_FINE)
        return;
    for (size_t i = 0; i < times->natoms; i++) {
        const evs__atom *atom = times->atoms[i];
        int passed = atom->kind == EVS__ATOM_ARGUMENT ||
                     (atom->kind == EVS__ATOM_DATA && (atom->sources & EVS__SOURCE_ARGUMENT));
        if (passed && !evs__is_clamped(&w->clamps, w->meanings, expr, use->at.start))
            use->size = evs__atom_text(w->pool, atom);
    }
}

void evs__find_sizes(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                     const evs__meanings *meanings)
{
    walk w = {.flow = flow, .pool = pool, .chunk = chunk, .meanings = meanings};
    pool->failed |= !evs__clamps_read(&w.clamps, &pool->arena, chunk, meanings);
    read_text(&w);
    for (evs__apiuse *use = flow->apis; use != NULL; use = use->next) {
        if (evs__is_api(use, "", "unpack"))
            size_unpack(&w, use);
        if (evs__is_api(use, "string", "rep"))
            size_rep(&w, use);
    }
    evs__clamps_free(&w.clamps);
    evs__table_free(&w.said);
    evs__table_free(&w.loops);
}
