/*
 * Why a loop with a condition ends.
 *
 * A loop is left where its condition or an `if` with a break says so: its tests. It ends when one
 * of them speaks of something that every round brings nearer: a counter against a limit that
 * stays, a table that shrinks, a number that is halved, a position in a string, a collection that
 * elements are taken from or that is read portion by portion. Only variables of the text are looked
 * at; which commands were run in the loop the interpreter has noted.
 */
#include "scripts/audit/loops.h"
#include "scripts/syntax/visit.h"

#include <string.h>

enum { TESTS_MAX = 32 };

typedef struct ranking {
    const evs__meanings *meanings;
    const evs__block *body;
    const evs__local *counter; /* of a numeric for */
    const evs__expr *tests[TESTS_MAX];
    size_t ntests;
    /* of the question asked last */
    const evs__local *name;
    int grows, changes, found;
} ranking;

/* ---- tests ---- */

static void add_test(ranking *r, const evs__expr *expr)
{
    if (expr != NULL && r->ntests < TESTS_MAX)
        r->tests[r->ntests++] = expr;
}

static int is_field_call(const evs__expr *call, const char *name)
{
    return evs__is_global_name(call->as.call.callee, name);
}

static int ends_loop(const evs__stat *stat)
{
    if (stat->kind == EVS__STAT_BREAK || stat->kind == EVS__STAT_RETURN)
        return 1;
    return stat->kind == EVS__STAT_CALL && stat->as.call->kind == EVS__EXPR_CALL &&
           is_field_call(stat->as.call, "error");
}

static int has_end(const evs__block *block)
{
    for (const evs__stat *stat = block->first; stat != NULL; stat = stat->next)
        if (ends_loop(stat))
            return 1;
    return 0;
}

/* A break of a loop inside leaves only that one; a return there is rare enough to be left out. */
static void find_tests(ranking *r, const evs__block *block)
{
    for (const evs__stat *stat = block->first; stat != NULL; stat = stat->next) {
        if (stat->kind == EVS__STAT_DO)
            find_tests(r, &stat->as.block);
        if (stat->kind == EVS__STAT_CALL && stat->as.call->kind == EVS__EXPR_CALL &&
            is_field_call(stat->as.call, "assert") && stat->as.call->as.call.args.count > 0)
            add_test(r, stat->as.call->as.call.args.items[0]);
        if (stat->kind != EVS__STAT_IF)
            continue;
        int ends = 0;
        for (size_t i = 0; i < stat->as.branch.narms; i++) {
            ends |= has_end(&stat->as.branch.arms[i].block);
            find_tests(r, &stat->as.branch.arms[i].block);
        }
        for (size_t i = 0; ends && i < stat->as.branch.narms; i++)
            add_test(r, stat->as.branch.arms[i].condition);
    }
}

/* ---- what the body does to a variable ---- */

static int is_constant(const ranking *r, const evs__expr *expr, int *sign)
{
    expr = evs__meaning(r->meanings, expr);
    if (expr->kind != EVS__EXPR_NUMBER || (expr->as.number <= 0 && expr->as.number >= 0))
        return 0;
    *sign = expr->as.number > 0 ? 1 : -1;
    return 1;
}

/* +1, -1: `value` is `name` and a constant more, or less; 0: anything else. */
static int step_of(const ranking *r, const evs__local *name, const evs__expr *value)
{
    int sign = 0;
    value = evs__bare(value);
    if (value->kind != EVS__EXPR_BINARY)
        return 0;
    const evs__binary *b = &value->as.binary;
    if (b->op == EVS__OP_ADD && evs__is_local_name(b->left, name) &&
        is_constant(r, b->right, &sign))
        return sign;
    if (b->op == EVS__OP_ADD && evs__is_local_name(b->right, name) &&
        is_constant(r, b->left, &sign))
        return sign;
    if (b->op == EVS__OP_SUB && evs__is_local_name(b->left, name) &&
        is_constant(r, b->right, &sign))
        return -sign;
    return 0;
}

typedef struct steps {
    const ranking *r;
    const evs__local *name;
    int up, down, other;
} steps;

static void look_steps(void *context, const evs__stat *stat)
{
    steps *s = context;
    if (stat->kind == EVS__STAT_FUNCTION && evs__is_local_name(stat->as.function.target, s->name))
        s->other++;
    if (stat->kind != EVS__STAT_ASSIGN)
        return;
    const evs__assign_stat *assign = &stat->as.assign;
    for (size_t i = 0; i < assign->targets.count; i++) {
        if (!evs__is_local_name(assign->targets.items[i], s->name))
            continue;
        int step = i < assign->values.count ? step_of(s->r, s->name, assign->values.items[i]) : 0;
        s->up += step > 0;
        s->down += step < 0;
        s->other += step == 0;
    }
}

static steps steps_in(const ranking *r, const evs__local *name, const evs__block *block)
{
    steps s = {r, name, 0, 0, 0};
    evs__visitor visitor = {.context = &s, .stat = look_steps};
    evs__visit_block(&visitor, block);
    return s;
}

/* Is it stepped in every round: at the top of the body, or in all arms of an if there? */
static int always_steps(const ranking *r, const evs__local *name, const evs__block *block)
{
    for (const evs__stat *stat = block->first; stat != NULL; stat = stat->next) {
        if (stat->kind == EVS__STAT_ASSIGN) {
            evs__block one = {NULL, stat->at};
            evs__stat alone = *stat;
            alone.next = NULL;
            one.first = &alone;
            steps s = steps_in(r, name, &one);
            if (s.up + s.down > 0)
                return 1;
        }
        if (stat->kind == EVS__STAT_DO && always_steps(r, name, &stat->as.block))
            return 1;
        if (stat->kind != EVS__STAT_IF)
            continue;
        const evs__branch_stat *branch = &stat->as.branch;
        size_t n = 0;
        for (size_t i = 0; i < branch->narms; i++)
            n += always_steps(r, name, &branch->arms[i].block) || has_end(&branch->arms[i].block);
        if (n == branch->narms && branch->arms[n - 1].condition == NULL)
            return 1;
    }
    return 0;
}

/* ---- limits ---- */

static int is_append_to(const evs__local *name, const evs__stat *stat)
{
    if (stat->kind == EVS__STAT_ASSIGN)
        for (size_t i = 0; i < stat->as.assign.targets.count; i++) {
            const evs__expr *target = stat->as.assign.targets.items[i];
            const evs__expr *value = i < stat->as.assign.values.count
                                         ? stat->as.assign.values.items[i]
                                         : NULL;
            if (target->kind == EVS__EXPR_INDEX &&
                evs__is_local_name(target->as.index.object, name) &&
                (value == NULL || value->kind != EVS__EXPR_NIL))
                return 1;
        }
    return stat->kind == EVS__STAT_CALL && stat->as.call->kind == EVS__EXPR_CALL &&
           evs__is_field_of(stat->as.call->as.call.callee, "table", "insert") &&
           stat->as.call->as.call.args.count > 0 &&
           evs__is_local_name(stat->as.call->as.call.args.items[0], name);
}

static void look_growth(void *context, const evs__stat *stat)
{
    ranking *r = context;
    r->grows |= is_append_to(r->name, stat);
}

static int grows_in(const ranking *r, const evs__local *name)
{
    ranking asked = *r;
    asked.name = name;
    asked.grows = 0;
    evs__visitor visitor = {.context = &asked, .stat = look_growth};
    evs__visit_block(&visitor, r->body);
    return asked.grows;
}

static int is_declared_in(const ranking *r, const evs__local *local)
{
    return evs__span_within(local->at, r->body->at);
}

static int is_changed_in(const ranking *r, const evs__local *local)
{
    steps s = steps_in(r, local, r->body);
    return s.up + s.down + s.other > 0 || is_declared_in(r, local);
}

static void look_limit(void *context, const evs__expr *expr)
{
    ranking *r = context;
    if (expr->kind == EVS__EXPR_METHOD)
        r->changes = 1;
    if (expr->kind == EVS__EXPR_CALL) {
        const evs__expr *callee = evs__meaning(r->meanings, expr->as.call.callee);
        r->changes |= callee->kind != EVS__EXPR_NAME && !evs__is_field_of(callee, "math", "min") &&
                      !evs__is_field_of(callee, "math", "max") &&
                      !evs__is_field_of(callee, "math", "floor") &&
                      !evs__is_field_of(callee, "math", "ceil") &&
                      !evs__is_field_of(callee, "string", "len");
    }
    if (expr->kind == EVS__EXPR_NAME && expr->as.name.local != NULL)
        r->changes |= is_changed_in(r, expr->as.name.local) || grows_in(r, expr->as.name.local);
}

/* Is it the same in every round? */
static int stays(const ranking *r, const evs__expr *expr)
{
    ranking asked = *r;
    asked.changes = 0;
    evs__visitor visitor = {.context = &asked, .expr = look_limit};
    evs__visit_expr(&visitor, expr);
    return !asked.changes;
}

/* ---- reasons ---- */

static int is_comparison(evs__binary_op op)
{
    return op >= EVS__OP_NE && op <= EVS__OP_GE;
}

/* A counter, or what is computed from one: i, i * 2, #s - i. */
static const evs__local *counter_in(const ranking *r, const evs__expr *expr)
{
    expr = evs__bare(expr);
    if (expr->kind == EVS__EXPR_BINARY && expr->as.binary.op <= EVS__OP_DIV) {
        const evs__local *left = counter_in(r, expr->as.binary.left);
        return left != NULL ? left : counter_in(r, expr->as.binary.right);
    }
    if (expr->kind != EVS__EXPR_NAME || expr->as.name.local == NULL)
        return NULL;
    if (expr->as.name.local == r->counter)
        return r->counter;
    steps s = steps_in(r, expr->as.name.local, r->body);
    int one_way = (s.up > 0) != (s.down > 0) && s.other == 0;
    return one_way && always_steps(r, expr->as.name.local, r->body) ? expr->as.name.local : NULL;
}

static int is_halved(const evs__expr *value)
{
    value = evs__bare(value);
    if (value->kind == EVS__EXPR_CALL && value->as.call.args.count == 1 &&
        (evs__is_field_of(value->as.call.callee, "math", "floor") ||
         evs__is_field_of(value->as.call.callee, "bit", "rshift")))
        return 1;
    return value->kind == EVS__EXPR_BINARY && value->as.binary.op == EVS__OP_DIV;
}

static void look_halved(void *context, const evs__stat *stat)
{
    ranking *r = context;
    const evs__exprs *values = NULL;
    if (stat->kind == EVS__STAT_LOCAL)
        values = &stat->as.local.values;
    if (stat->kind == EVS__STAT_ASSIGN)
        values = &stat->as.assign.values;
    for (size_t i = 0; values != NULL && i < values->count; i++)
        r->found |= is_halved(values->items[i]);
}

/* A binary search, or the digits of a number: something in the body is divided. */
static int is_dividing(const ranking *r)
{
    ranking asked = *r;
    asked.found = 0;
    evs__visitor visitor = {.context = &asked, .stat = look_halved};
    evs__visit_block(&visitor, r->body);
    return asked.found;
}

static int ranks_comparison(const ranking *r, const evs__expr *expr)
{
    const evs__expr *left = expr->as.binary.left, *right = expr->as.binary.right;
    if (counter_in(r, left) != NULL && stays(r, right))
        return 1;
    if (counter_in(r, right) != NULL && stays(r, left))
        return 1;
    int names = evs__bare(left)->kind == EVS__EXPR_NAME;
    return names && expr->as.binary.op != EVS__OP_EQ && is_dividing(r);
}

static int removes_from(const evs__expr *expr, const evs__local *name)
{
    return expr->kind == EVS__EXPR_CALL &&
           evs__is_field_of(expr->as.call.callee, "table", "remove") &&
           expr->as.call.args.count > 0 && evs__is_local_name(expr->as.call.args.items[0], name);
}

static void look_remove(void *context, const evs__expr *expr)
{
    ranking *r = context;
    r->found |= removes_from(expr, r->name);
}

/* #t, next(t) or t[1], of a table that the body removes from and adds nothing to. */
static int ranks_table(const ranking *r, const evs__expr *expr)
{
    const evs__expr *table = NULL;
    if (expr->kind == EVS__EXPR_UNARY && expr->as.unary.op == EVS__OP_LEN)
        table = evs__bare(expr->as.unary.operand);
    if (expr->kind == EVS__EXPR_CALL && expr->as.call.args.count == 1 &&
        (is_field_call(expr, "next") || evs__is_field_of(expr->as.call.callee, "table", "remove")))
        table = evs__bare(expr->as.call.args.items[0]);
    if (table == NULL || table->kind != EVS__EXPR_NAME || table->as.name.local == NULL)
        return 0;
    ranking asked = *r;
    asked.name = table->as.name.local;
    asked.found = expr->kind == EVS__EXPR_CALL && !is_field_call(expr, "next");
    evs__visitor visitor = {.context = &asked, .expr = look_remove};
    evs__visit_block(&visitor, r->body);
    return asked.found && !grows_in(r, table->as.name.local);
}

/* A call of find, match or gmatch: string.find(s, p, i), s:find(p, i). */
static int is_search(const evs__meanings *meanings, const evs__expr *value)
{
    value = evs__bare(value);
    if (value->kind == EVS__EXPR_METHOD) {
        evs_bytes name = value->as.method.name;
        return value->as.method.args.count >= 2 &&
               ((name.len == 4 && memcmp(name.data, "find", 4) == 0) ||
                (name.len == 5 && memcmp(name.data, "match", 5) == 0));
    }
    return value->kind == EVS__EXPR_CALL && value->as.call.args.count >= 3 &&
           (evs__means_field(meanings, value->as.call.callee, "string", "find") ||
            evs__means_field(meanings, value->as.call.callee, "string", "match"));
}

static void look_search(void *context, const evs__stat *stat)
{
    ranking *r = context;
    const evs__exprs *values = NULL;
    if (stat->kind == EVS__STAT_LOCAL)
        values = &stat->as.local.values;
    if (stat->kind == EVS__STAT_ASSIGN)
        values = &stat->as.assign.values;
    for (size_t i = 0; values != NULL && i < values->count; i++)
        r->found |= is_search(r->meanings, values->items[i]);
}

/* Is some statement of the body what `look` looks for? */
static int has_stat(const ranking *r, void (*look)(void *context, const evs__stat *stat))
{
    ranking asked = *r;
    asked.found = 0;
    evs__visitor visitor = {.context = &asked, .stat = look};
    evs__visit_block(&visitor, r->body);
    return asked.found;
}

/* Is some part of a test what `look` looks for? */
static int has_expr(ranking *r, void (*look)(void *context, const evs__expr *expr))
{
    evs__visitor visitor = {.context = r, .expr = look};
    r->found = 0;
    for (size_t i = 0; i < r->ntests; i++)
        evs__visit_expr(&visitor, r->tests[i]);
    return r->found;
}

static void look_reason(void *context, const evs__expr *expr)
{
    ranking *r = context;
    if (expr->kind == EVS__EXPR_BINARY && is_comparison(expr->as.binary.op))
        r->found |= ranks_comparison(r, expr);
    r->found |= ranks_table(r, expr);
    if (expr->kind == EVS__EXPR_NAME && expr->as.name.local != NULL &&
        is_changed_in(r, expr->as.name.local))
        r->changes = 1;
    if (expr->kind == EVS__EXPR_CALL || expr->kind == EVS__EXPR_METHOD)
        r->changes = 1;
}

/* Does a test end it? `asked->changes`: some test speaks of what a round changes. */
static int has_reason(ranking *r)
{
    r->changes = 0;
    return has_expr(r, look_reason);
}

/* A collection is read portion by portion: some variable moves on, x = x + #portion. */
static void look_advance(void *context, const evs__stat *stat)
{
    ranking *r = context;
    for (size_t i = 0; stat->kind == EVS__STAT_ASSIGN && i < stat->as.assign.targets.count; i++) {
        const evs__expr *target = evs__bare(stat->as.assign.targets.items[i]);
        const evs__expr *value = i < stat->as.assign.values.count
                                     ? evs__bare(stat->as.assign.values.items[i])
                                     : NULL;
        r->found |= value != NULL && value->kind == EVS__EXPR_BINARY &&
                    value->as.binary.op == EVS__OP_ADD && target->kind == EVS__EXPR_NAME &&
                    target->as.name.local != NULL && !is_declared_in(r, target->as.name.local) &&
                    evs__is_local_name(value->as.binary.left, target->as.name.local);
    }
}

static void look_argv(void *context, const evs__expr *expr)
{
    ranking *r = context;
    if (expr->kind != EVS__EXPR_BINARY || !is_comparison(expr->as.binary.op))
        return;
    if (counter_in(r, expr->as.binary.left) != NULL)
        r->found |= evs__reads_argv(r->meanings, expr->as.binary.right);
    if (counter_in(r, expr->as.binary.right) != NULL)
        r->found |= evs__reads_argv(r->meanings, expr->as.binary.left);
}

evs__bound evs__rank_condition(const evs__loopfact *loop, const evs__meanings *meanings)
{
    const evs__loop_stat *stat = &loop->stat->as.loop;
    ranking r = {.meanings = meanings, .body = &stat->block};
    if (loop->stat->kind != EVS__STAT_FOR) {
        add_test(&r, stat->condition);
    } else {
        r.body = &loop->stat->as.count.block;
        r.counter = loop->stat->as.count.name;
    }
    find_tests(&r, r.body);
    if (has_end(r.body))
        return EVS__BOUND_PROVEN;
    if (r.ntests == 0 && (loop->leaves & (EVS__LEAVES_RETURN | EVS__LEAVES_ERROR)) == 0)
        return EVS__BOUND_NONE;
    if (has_reason(&r))
        return has_expr(&r, look_argv) ? EVS__BOUND_CALLER : EVS__BOUND_PROVEN;
    has_reason(&r);
    int changes = r.changes;
    if (loop->does & EVS__DOES_SCAN)
        return EVS__BOUND_CURSOR;
    if (changes && (loop->does & EVS__DOES_TAKE))
        return EVS__BOUND_DRAIN;
    if (changes && (loop->does & EVS__DOES_CLOCK))
        return EVS__BOUND_CLOCK;
    if (changes && has_stat(&r, look_search))
        return EVS__BOUND_PROVEN;
    if (changes && (loop->does & EVS__DOES_COMMAND) && has_stat(&r, look_advance))
        return EVS__BOUND_DRAIN;
    return EVS__BOUND_UNPROVEN;
}
