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
    const evs__expr *table; /* whose length may be compared */
    int compared;
    const evs__loopfact *filled; /* a loop without a constant bound that fills it */
} walk;

static const char *describe(evs__pool *pool, const evs__atom *atom)
{
    evs__buf buf = EVS__BUF_INIT;
    evs__atom_describe(&buf, atom);
    char *text = evs__buf_ok(&buf) ? evs__arena_text(&pool->arena, buf.data, buf.len) : NULL;
    evs__buf_free(&buf);
    pool->failed |= text == NULL;
    return text == NULL ? "" : text;
}

static int is_number(const evs__value *value, double *out)
{
    evs__range range = evs__value_range(value);
    if ((value->types & ~(unsigned)EVS__TYPE_NUMBER) != 0 || !evs__range_is_single(&range))
        return 0;
    *out = range.low;
    return 1;
}

/* ---- portions ---- */

static int is_same_name(const evs__expr *a, const evs__expr *b)
{
    a = evs__bare(a);
    b = evs__bare(b);
    if (a->kind != EVS__EXPR_NAME || b->kind != EVS__EXPR_NAME)
        return 0;
    if (a->as.name.local != NULL || b->as.name.local != NULL)
        return a->as.name.local == b->as.name.local;
    return a->as.name.text.len == b->as.name.text.len &&
           memcmp(a->as.name.text.data, b->as.name.text.data, a->as.name.text.len) == 0;
}

static int is_length_of(const walk *w, const evs__expr *expr)
{
    expr = evs__meaning(w->meanings, expr);
    return expr->kind == EVS__EXPR_UNARY && expr->as.unary.op == EVS__OP_LEN &&
           is_same_name(expr->as.unary.operand, w->table);
}

static int is_limit(const walk *w, const evs__expr *expr)
{
    expr = evs__meaning(w->meanings, expr);
    return expr->kind == EVS__EXPR_NUMBER && expr->as.number > 1;
}

static void look_compared(void *context, const evs__expr *expr)
{
    walk *w = context;
    if (expr->kind != EVS__EXPR_BINARY || expr->as.binary.op < EVS__OP_NE ||
        expr->as.binary.op > EVS__OP_GE)
        return;
    const evs__expr *left = expr->as.binary.left, *right = expr->as.binary.right;
    w->compared |= is_length_of(w, left) && is_limit(w, right);
    w->compared |= is_length_of(w, right) && is_limit(w, left);
}

static int is_portion(walk *w, const evs__expr *table)
{
    if (table == NULL || evs__bare(table)->kind != EVS__EXPR_NAME)
        return 0;
    w->table = table;
    w->compared = 0;
    evs__visitor visitor = {.context = w, .expr = look_compared};
    evs__visit_block(&visitor, &w->chunk->main->body);
    return w->compared;
}

/* ---- tables that are filled ---- */

static int is_fill(const walk *w, const evs__stat *stat)
{
    if (stat->kind == EVS__STAT_CALL && stat->as.call->kind == EVS__EXPR_CALL)
        return evs__means_field(w->meanings, stat->as.call->as.call.callee, "table", "insert") &&
               stat->as.call->as.call.args.count > 0 &&
               is_same_name(stat->as.call->as.call.args.items[0], w->table);
    for (size_t i = 0; stat->kind == EVS__STAT_ASSIGN && i < stat->as.assign.targets.count; i++) {
        const evs__expr *target = stat->as.assign.targets.items[i];
        if (target->kind == EVS__EXPR_INDEX && is_same_name(target->as.index.object, w->table))
            return 1;
    }
    return 0;
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

static void look_fill(void *context, const evs__stat *stat)
{
    walk *w = context;
    if (!is_fill(w, stat))
        return;
    for (const evs__loopfact *loop = w->flow->loops; loop != NULL; loop = loop->next)
        if (evs__span_within(stat->at, loop->stat->at) && is_open(loop))
            w->filled = loop;
}

static int is_filled(walk *w, const evs__expr *table)
{
    if (table == NULL || evs__bare(table)->kind != EVS__EXPR_NAME ||
        evs__bare(table)->as.name.local == NULL)
        return 0;
    w->table = table;
    w->filled = NULL;
    evs__visitor visitor = {.context = w, .stat = look_fill};
    evs__visit_block(&visitor, &w->chunk->main->body);
    return w->filled != NULL;
}

/* ---- unpack ---- */

static const char *decoded(evs__pool *pool, const evs__atom *atom)
{
    const char *text = evs__arena_format(&pool->arena, "what is decoded from %s",
                                         describe(pool, atom));
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
                return describe(w->pool, atom);
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
    if (args->count > 2 || args->rest != NULL || is_portion(w, use->argument))
        return;
    use->size = size_of(w, args->items[0].value, &use->key);
    if (use->size == NULL && use->rest != NULL && is_filled(w, use->argument))
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
        if (passed && !evs__is_clamped(w->meanings, w->chunk, expr, use->at.start))
            use->size = describe(w->pool, atom);
    }
}

void evs__find_sizes(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                     const evs__meanings *meanings)
{
    walk w = {.flow = flow, .pool = pool, .chunk = chunk, .meanings = meanings};
    for (evs__apiuse *use = flow->apis; use != NULL; use = use->next) {
        if (evs__is_api(use, "", "unpack"))
            size_unpack(&w, use);
        if (evs__is_api(use, "string", "rep"))
            size_rep(&w, use);
    }
}
