/*
 * From notes to facts: visits of one key argument in several contexts become one use with the ways
 * its value comes about, and the worst of them is its verdict.
 */
#include "scripts/audit/facts.h"

#include "scripts/audit/callfact.h"
#include "scripts/audit/interp/interp.h"
#include "scripts/audit/reach.h"

#include <stdlib.h>
#include <string.h>

typedef struct making {
    evs__pool *pool;
    const evs__chunk *chunk;
    const evs__recorder *recorder;
} making;

/* ---- ways ---- */

static evs__origin origin_of(const evs__atom *atom)
{
    switch (atom->kind) {
    case EVS__ATOM_KEY:
        return EVS__FROM_KEYS;
    case EVS__ATOM_DERIVED:
        return EVS__FROM_DERIVED;
    case EVS__ATOM_ARGUMENT:
        return EVS__FROM_ARGV;
    case EVS__ATOM_REPLY:
        return EVS__FROM_REPLY;
    case EVS__ATOM_TOP:
        return EVS__FROM_UNKNOWN;
    case EVS__ATOM_CONSTANT:
    case EVS__ATOM_NUMBER:
        return EVS__FROM_CONSTANTS;
    case EVS__ATOM_DATA:
        break;
    }
    if (atom->sources & EVS__SOURCE_REPLY)
        return EVS__FROM_REPLY;
    return atom->sources & EVS__SOURCE_ARGUMENT ? EVS__FROM_ARGV : EVS__FROM_CONSTANTS;
}

static evs_verdict verdict_of(evs__origin origin)
{
    switch (origin) {
    case EVS__FROM_KEYS:
        return EVS_VERDICT_DECLARED;
    case EVS__FROM_DERIVED:
        return EVS_VERDICT_DERIVED;
    case EVS__FROM_UNKNOWN:
        return EVS_VERDICT_UNPROVEN;
    default:
        return EVS_VERDICT_UNDECLARED;
    }
}

/* ---- steps ---- */

enum { CALLS_SHOWN = 4, STEPS_MAX = CALLS_SHOWN + 3 };

typedef struct steps {
    evs_trace_step at[STEPS_MAX];
    size_t count;
} steps;

static void step(const making *m, steps *s, evs__span at, const char *text)
{
    if (at.end == 0 || s->count == STEPS_MAX)
        return;
    s->at[s->count].at = evs__span_public(m->chunk, at);
    s->at[s->count++].text = text;
}

/* The calls that lead to a context, the outermost first; only the last few of many. */
static void step_calls(const making *m, steps *s, const evs__activation *context)
{
    const evs__activation *chain[CALLS_SHOWN];
    size_t n = 0;
    for (const evs__activation *a = context; a != NULL && a->call != NULL && n < CALLS_SHOWN;
         a = a->caller)
        chain[n++] = a;
    while (n > 0) {
        const evs__activation *a = chain[--n];
        step(m, s, a->call->at,
             a->caller == NULL ? "is registered here" : "on the way of this call");
    }
}

static int is_same_span(evs__span a, evs__span b)
{
    return a.start == b.start && a.end == b.end;
}

static void set_steps(const making *m, evs__cause *cause, const evs__visit *visit,
                      const evs__atom *atom)
{
    steps s = {.count = 0};
    int lost = cause->origin == EVS__FROM_UNKNOWN;
    if (atom != NULL && !is_same_span(atom->enters, visit->at))
        step(m, &s, atom->enters, lost ? "is lost here" : "enters here");
    if (atom != NULL && !is_same_span(atom->made, visit->at) &&
        !is_same_span(atom->made, atom->enters))
        step(m, &s, atom->made, "becomes the key");
    step_calls(m, &s, visit->place.context);
    const char *last = visit->unlocated
                           ? evs__arena_format(&m->pool->arena, "the arguments of %s",
                                               visit->place.command)
                           : evs__arena_format(&m->pool->arena, "key argument %zu of %s",
                                               visit->place.argument, visit->place.command);
    step(m, &s, visit->at, last);
    evs_trace_step *kept = evs__pool_alloc(m->pool, s.count, sizeof *kept);
    m->pool->failed |= last == NULL;
    if (kept == NULL || last == NULL)
        return;
    memcpy(kept, s.at, s.count * sizeof *kept);
    cause->steps = kept;
    cause->nsteps = s.count;
}

/* ---- causes ---- */

/* A use being put together. */
typedef struct joining {
    const making *m;
    evs__keyuse *use;
    evs__cause *causes;
    size_t cap;
} joining;

static void add_cause(joining *j, const evs__visit *visit, evs__cause cause, const evs__atom *atom)
{
    evs__keyuse *use = j->use;
    evs_verdict verdict = verdict_of(cause.origin);
    if (verdict > use->verdict)
        use->verdict = verdict;
    for (size_t i = 0; i < use->ncauses; i++)
        if (j->causes[i].origin == cause.origin && strcmp(j->causes[i].what, cause.what) == 0)
            return;
    if (use->ncauses == j->cap)
        return;
    cause.shape = atom == NULL ? EVS__SHAPE_OPAQUE : atom->shape;
    cause.changed = atom != NULL && atom->made.end != 0;
    set_steps(j->m, &cause, visit, atom);
    j->causes[use->ncauses++] = cause;
}

static void add_atom_cause(joining *j, const evs__visit *visit, const evs__atom *atom)
{
    evs__cause cause = {.origin = origin_of(atom), .what = evs__atom_text(j->m->pool, atom)};
    cause.key = cause.what;
    cause.unlocated = visit->unlocated;
    add_cause(j, visit, cause, atom);
}

static void add_unknown(joining *j, const evs__visit *visit, const char *reason,
                        const evs__atom *atom)
{
    evs__cause cause = {.origin = EVS__FROM_UNKNOWN, .what = reason};
    cause.unlocated = visit->unlocated || visit->unsure;
    add_cause(j, visit, cause, atom);
}

static int is_good(const evs__atom *atom)
{
    return atom->kind == EVS__ATOM_KEY || atom->kind == EVS__ATOM_DERIVED;
}

/* KEYS on one path, something else on another one. */
static void add_either(joining *j, const evs__visit *visit, const evs__atom *good,
                       const evs__atom *bad)
{
    evs__cause cause = {.origin = EVS__FROM_EITHER, .what = evs__atom_text(j->m->pool, bad)};
    cause.key = evs__atom_text(j->m->pool, good);
    add_cause(j, visit, cause, bad);
}

static const evs__atom *first(const evs__value *value, int good, int top)
{
    for (size_t i = 0; i < value->natoms; i++) {
        const evs__atom *atom = value->atoms[i];
        if ((atom->kind == EVS__ATOM_TOP) == top && (top || is_good(atom) == good))
            return atom;
    }
    return NULL;
}

/* Whether the bad atom ever gets here is not known. */
static void add_doubt(joining *j, const evs__visit *visit, const char *doubt, const evs__atom *bad)
{
    evs__pool *pool = j->m->pool;
    const char *reason = evs__arena_format(&pool->arena, "%s %s", doubt, evs__atom_text(pool, bad));
    pool->failed |= reason == NULL;
    add_unknown(j, visit, reason == NULL ? "" : reason, bad);
}

/* At least one atom comes from elsewhere than KEYS. */
static void add_bad(joining *j, const evs__visit *visit, const evs__atom *bad)
{
    const evs__value *value = visit->value;
    const evs__atom *good = first(value, 1, 0), *top = first(value, 0, 1);
    if (visit->unsure) {
        add_unknown(j, visit, "which arguments are keys is not known", NULL);
        return;
    }
    if (value->guarded && (good != NULL || top != NULL)) {
        add_doubt(j, visit, "a test that is not understood may exclude", bad);
        return;
    }
    if (good != NULL && bad->kind == EVS__ATOM_DATA && (value->types & EVS__TYPE_TABLE)) {
        add_doubt(j, visit, "it is not told apart from what is decoded from", bad);
        return;
    }
    if (good != NULL) {
        add_either(j, visit, good, bad);
        return;
    }
    for (size_t i = 0; i < value->natoms; i++)
        if (value->atoms[i]->kind != EVS__ATOM_TOP)
            add_atom_cause(j, visit, value->atoms[i]);
}

static void add_causes(joining *j, const evs__visit *visit)
{
    const evs__value *value = visit->value;
    const evs__atom *bad = first(value, 0, 0), *top = first(value, 0, 1);
    if (value->natoms == 0) {
        add_unknown(j, visit, "it is never a string", NULL);
        return;
    }
    if (bad != NULL) {
        add_bad(j, visit, bad);
        return;
    }
    if (top != NULL) {
        add_unknown(j, visit, evs__atom_text(j->m->pool, top), top);
        return;
    }
    for (size_t i = 0; i < value->natoms; i++)
        if (value->atoms[i]->kind == EVS__ATOM_DERIVED || !evs__value_has(value, EVS__ATOM_DERIVED))
            add_atom_cause(j, visit, value->atoms[i]);
}

/* ---- uses ---- */

static int compare_visits(const void *a, const void *b)
{
    const evs__visit *x = *(const evs__visit *const *)a, *y = *(const evs__visit *const *)b;
    if (x->at.start != y->at.start)
        return x->at.start < y->at.start ? -1 : 1;
    if (x->place.call->at.start != y->place.call->at.start)
        return x->place.call->at.start < y->place.call->at.start ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    if (x->place.argument != y->place.argument)
        return x->place.argument < y->place.argument ? -1 : 1;
    return strcmp(x->place.command, y->place.command);
}

/* Code in a string stands at one place, however many calls are in it. */
static void number_calls(const making *m)
{
    evs__table first = {0};
    for (size_t i = 0; i < m->recorder->nvisits; i++) {
        evs__visit *visit = m->recorder->visits[i];
        evs_bytes key = {(const char *)&visit->place.call, sizeof visit->place.call};
        evs__visit *known = evs__table_get(&first, key);
        visit->order = known != NULL ? known->order : i;
        if (known == NULL && !evs__table_set(&first, key, visit))
            m->pool->failed = 1;
    }
    evs__table_free(&first);
}

static int is_same_use(const evs__visit *a, const evs__visit *b)
{
    return a->place.call == b->place.call && a->place.argument == b->place.argument &&
           a->place.command == b->place.command;
}

static void collect_atoms(const making *m, evs__keyuse *use, evs__visit *const *visits, size_t n)
{
    const evs__value *all = evs__value_none();
    for (size_t i = 0; i < n; i++)
        all = evs__value_join(m->pool, all, visits[i]->value);
    use->value = all;
    use->call = visits[0]->place.call;
    use->atoms = all->atoms;
    use->natoms = all->natoms;
}

/* Is it written KEYS[...], and not as anything else that comes from there? */
static int is_literal(const evs__chunk *chunk, evs__span at)
{
    static const char begin[] = "KEYS[";
    if (at.end > chunk->source.len || at.end < at.start + sizeof begin)
        return 0;
    const char *text = chunk->source.data + at.start, *last = chunk->source.data + at.end - 1;
    return memcmp(text, begin, sizeof begin - 1) == 0 &&
           memchr(text, ']', at.end - at.start) == last;
}

/* One use of the `n` visits that are the same place. */
static void make_use(const making *m, evs__keyuse *use, evs__visit *const *visits, size_t n)
{
    joining j = {m, use, NULL, n * EVS__ATOMS_MAX};
    memset(use, 0, sizeof *use);
    use->at = evs__span_public(m->chunk, visits[0]->at);
    use->command = visits[0]->place.command;
    use->argument = (int)visits[0]->place.argument;
    use->pattern = visits[0]->pattern;
    use->literal = is_literal(m->chunk, visits[0]->at);
    j.causes = evs__pool_alloc(m->pool, j.cap, sizeof *j.causes);
    if (j.causes == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        add_causes(&j, visits[i]);
    use->causes = j.causes;
    collect_atoms(m, use, visits, n);
    if (m->recorder->over && use->verdict < EVS_VERDICT_UNPROVEN)
        add_unknown(&j, visits[0], "the script is too big to follow", NULL);
}

/* Code that was not followed may call functions of the script in any state: only what stands in the
 * main function is as it was seen. */
static void doubt_functions(const making *m)
{
    const char *reason = "its function may be called by code that is not followed";
    for (size_t i = 0; m->recorder->ngaps > 0 && i < m->recorder->nvisits; i++) {
        evs__visit *visit = m->recorder->visits[i];
        if (visit->place.context == NULL || visit->place.context->call == NULL)
            continue;
        const evs__value *doubt = evs__value_top(m->pool, reason, visit->at);
        visit->value = evs__value_join(m->pool, visit->value, doubt);
    }
}

static void make_uses(const making *m, evs__facts *out)
{
    const evs__recorder *recorder = m->recorder;
    evs__keyuse *uses = evs__pool_alloc(m->pool, recorder->nvisits, sizeof *uses);
    if (uses == NULL || recorder->nvisits == 0)
        return;
    number_calls(m);
    qsort(recorder->visits, recorder->nvisits, sizeof *recorder->visits, compare_visits);
    for (size_t i = 0, n; i < recorder->nvisits; i += n) {
        for (n = 1; i + n < recorder->nvisits; n++)
            if (!is_same_use(recorder->visits[i], recorder->visits[i + n]))
                break;
        make_use(m, &uses[out->nuses++], recorder->visits + i, n);
    }
    out->uses = uses;
}

/* What was never reached, unless something was not followed that may have led there. */
static void add_unreached(const making *m, evs__facts *out, const evs__recorder *unreached)
{
    evs__keyuse *uses = evs__pool_alloc(m->pool, out->nuses + unreached->nvisits, sizeof *uses);
    if (uses == NULL || unreached->nvisits == 0)
        return;
    if (out->nuses > 0)
        memcpy(uses, out->uses, out->nuses * sizeof *uses);
    for (size_t i = 0; i < unreached->nvisits; i++) {
        evs__visit *visit = unreached->visits[i];
        evs__keyuse *use = &uses[out->nuses++];
        make_use(m, use, &visit, 1);
        use->ncauses = 0;
        use->natoms = 0;
        use->verdict = EVS_VERDICT_UNREACHED;
        if (m->recorder->ngaps == 0)
            continue;
        joining j = {m, use, (evs__cause *)use->causes, 1};
        add_unknown(&j, visit, "it may be reached by code that is not followed", NULL);
    }
    out->uses = uses;
}

static int compare_uses(const void *a, const void *b)
{
    const evs__keyuse *x = a, *y = b;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    if (x->at.column != y->at.column)
        return x->at.column < y->at.column ? -1 : 1;
    if (x->argument != y->argument)
        return x->argument < y->argument ? -1 : 1;
    return strcmp(x->command, y->command);
}

/* ---- all ---- */

static evs_verdict worst(const evs__facts *facts)
{
    evs_verdict verdict = EVS_VERDICT_NO_KEYS;
    for (size_t i = 0; i < facts->nuses; i++)
        if (facts->uses[i].verdict > verdict && facts->uses[i].verdict != EVS_VERDICT_UNREACHED)
            verdict = facts->uses[i].verdict;
    if (facts->ngaps > 0 && verdict < EVS_VERDICT_UNPROVEN)
        verdict = EVS_VERDICT_UNPROVEN;
    return verdict;
}

/* A command that manages the server counts as one that writes, and so does one nobody knows. */
static int may_write(const evs__recorder *recorder)
{
    const unsigned changing = EVS__COMMAND_WRITE | EVS__COMMAND_MAYBE_WRITE |
                              EVS__COMMAND_MAY_REPLICATE | EVS__COMMAND_ADMIN;
    for (size_t i = 0; i < recorder->ncalled; i++) {
        const evs__called *called = recorder->called[i];
        if (called->kind != EVS__CALL_KNOWN || (called->command->flags & changing) != 0)
            return 1;
    }
    return recorder->ngaps > 0;
}

/* The server adds where in the script an error was raised, unless it is kept from that: by an error
 * with a metatable, or in code that has no line. Returned errors carry nothing. Maps of RESP3 may
 * hold a field `err` like any other. */
static int may_return_errors(const evs__recorder *recorder)
{
    const evs__speech *s = &recorder->speech;
    return recorder->ngaps > 0 || s->returns_error || s->raises_nowhere ||
           (s->returns_reply && s->speaks_resp3) || (s->raises_table && s->has_metatables);
}

static void follow(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                   const evs__extra *extra)
{
    evs__recorder recorder, unreached;
    making m = {pool, chunk, &recorder};
    evs__recorder_init(&recorder, pool);
    evs__recorder_init(&unreached, pool);
    recorder.flow = evs__flow_new(pool, chunk);
    evs__interp_run(pool, &recorder, chunk, extra);
    evs__find_unreached(&unreached, &recorder, chunk, extra);
    if (!pool->failed) {
        doubt_functions(&m);
        make_uses(&m, out);
        add_unreached(&m, out, &unreached);
        evs__call_facts(out, pool, chunk, &recorder);
        evs__access_facts(out, pool, chunk, &recorder, &unreached);
        evs__sight_facts(out, chunk, &recorder);
        out->gaps = recorder.gaps;
        out->ngaps = recorder.ngaps;
        out->may_write = may_write(&recorder);
        out->may_return_errors = may_return_errors(&recorder);
        evs__flow_finish(pool, recorder.flow, chunk);
        if (recorder.flow != NULL)
            out->flow = recorder.flow;
    }
    evs__recorder_free(&recorder);
    evs__recorder_free(&unreached);
    if (out->nuses > 0)
        qsort((evs__keyuse *)out->uses, out->nuses, sizeof *out->uses, compare_uses);
    out->verdict = worst(out);
}

int evs__facts_of(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                  const evs__setting *setting)
{
    memset(out, 0, sizeof *out);
    static const evs__flow nothing;
    out->setting = setting;
    out->flow = &nothing;
    out->chunk = chunk;
    evs__facts_holes(out, pool, chunk);
    if (chunk->main == NULL) {
        out->is_fragment = chunk->nholes > 0 || setting->options.wholeness == EVS_TEXT_PART;
        out->syntax_message = chunk->error.message;
        out->refusal = out->is_fragment ? EVS__REFUSAL_SYNTAX
                                        : evs__refusal_of(chunk, &out->refusal_text);
        out->syntax_at = evs__span_public(chunk, chunk->error.at);
        out->verdict = EVS_VERDICT_NONE;
        out->may_write = out->may_return_errors = 1;
        return !pool->failed;
    }
    follow(out, pool, chunk, &setting->extra);
    return !pool->failed;
}
