#include "scripts/audit/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVS_RULE(name) extern const evs__rule evs__rule_##name;
#include "scripts/audit/rules/rules.def"
#undef EVS_RULE

static const evs__rule *const rules[] = {
#define EVS_RULE(name) &evs__rule_##name,
#include "scripts/audit/rules/rules.def"
#undef EVS_RULE
};

enum { RULES = sizeof rules / sizeof *rules, MESSAGE_MAX = 512 };

const evs_rule_info *const *evs_rules(size_t *count)
{
    static const evs_rule_info *const infos[] = {
#define EVS_RULE(name) &evs__rule_##name.info,
#include "scripts/audit/rules/rules.def"
#undef EVS_RULE
    };
    *count = RULES;
    return infos;
}

static evs_finding *room(evs__findings *out)
{
    if (out->count < out->cap)
        return &out->items[out->count++];
    size_t cap = out->cap * 2 + 16;
    evs_finding *items = evs__pool_alloc(out->pool, cap, sizeof *items);
    if (items == NULL)
        return NULL;
    if (out->count > 0)
        memcpy(items, out->items, out->count * sizeof *items);
    out->items = items;
    out->cap = cap;
    return &out->items[out->count++];
}

/* Findings that a rule looks at again to change their weight keep what the user wanted. */
static void weigh(evs__findings *out, size_t from, const evs__setting *setting)
{
    int severity = evs__setting_override(setting, out->rule->info.code);
    if (severity < 0 && out->excuse != NULL && setting->expected.opted_out)
        severity = EVS_SEVERITY_NOTE;
    for (size_t i = from; severity >= 0 && i < out->count; i++)
        out->items[i].severity = (evs_severity)severity;
}

static evs_finding *add(evs__findings *out, evs_span at, const char *format, va_list args)
{
    char line[MESSAGE_MAX];
    int len = vsnprintf(line, sizeof line, format, args);
    char *message = out->excuse == NULL
                        ? evs__arena_text(&out->pool->arena, line, len < 0 ? 0 : strlen(line))
                        : evs__arena_format(&out->pool->arena, "%s (%s)", line, out->excuse);
    evs_finding *finding = message == NULL ? NULL : room(out);
    if (finding == NULL) {
        out->pool->failed = 1;
        return NULL;
    }
    memset(finding, 0, sizeof *finding);
    finding->code = out->rule->info.code;
    finding->name = out->rule->info.name;
    finding->severity = out->severity;
    finding->at = at;
    finding->message = message;
    finding->server = out->rule->info.server;
    finding->fix = out->rule->info.fix;
    return finding;
}

evs_finding *evs__finding_add(evs__findings *out, evs_span at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    evs_finding *finding = add(out, at, format, args);
    va_end(args);
    return finding;
}

evs_finding *evs__finding_add_use(evs__findings *out, const evs__keyuse *use,
                                  const evs__cause *cause, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    evs_finding *finding = add(out, use->at, format, args);
    va_end(args);
    if (finding == NULL)
        return NULL;
    finding->steps = cause->steps;
    finding->nsteps = cause->nsteps;
    return finding;
}

int evs__key_is_small(const evs__facts *facts, int key)
{
    return key > 0 && key <= 64 && (facts->setting->expected.small >> (key - 1) & 1);
}

void evs__finding_step(evs__findings *out, const evs__facts *facts, evs_finding *finding,
                       evs__span at, const char *text)
{
    if (finding == NULL)
        return;
    evs_trace_step *steps = evs__pool_alloc(out->pool, finding->nsteps + 1, sizeof *steps);
    if (steps == NULL)
        return;
    if (finding->nsteps > 0)
        memcpy(steps, finding->steps, finding->nsteps * sizeof *steps);
    steps[finding->nsteps].at = evs__span_public(facts->chunk, at);
    steps[finding->nsteps++].text = text;
    finding->steps = steps;
}

void evs__finding_steps(evs__findings *out, evs_finding *finding, evs_span first,
                        const char *first_text, evs_span second, const char *second_text)
{
    evs_trace_step *steps = evs__pool_alloc(out->pool, 2, sizeof *steps);
    if (steps == NULL)
        return;
    steps[0].at = first;
    steps[0].text = first_text;
    steps[1].at = second;
    steps[1].text = second_text;
    finding->steps = steps;
    finding->nsteps = 2;
}

void evs__report_origin(const evs__facts *facts, evs__findings *out, evs__origin origin)
{
    for (size_t i = 0; i < facts->nuses; i++) {
        const evs__keyuse *use = &facts->uses[i];
        for (size_t k = 0; k < use->ncauses; k++) {
            const evs__cause *cause = &use->causes[k];
            if (cause->origin == origin && !use->pattern)
                evs__finding_add_use(out, use, cause, "key of %s is %s%s, not taken from KEYS",
                                     use->command, cause->changed ? "built from " : "",
                                     cause->what);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const evs_finding *x = a, *y = b;
    if ((x->path == NULL) != (y->path == NULL))
        return x->path == NULL ? -1 : 1;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    if (x->at.column != y->at.column)
        return x->at.column < y->at.column ? -1 : 1;
    int order = strcmp(x->code, y->code);
    return order != 0 ? order : strcmp(x->message, y->message);
}

/* The same finding, on the same way. */
static int is_same(const evs_finding *a, const evs_finding *b)
{
    if (compare(a, b) != 0 || a->nsteps != b->nsteps)
        return 0;
    for (size_t i = 0; i < a->nsteps; i++)
        if (a->steps[i].at.line != b->steps[i].at.line ||
            a->steps[i].at.column != b->steps[i].at.column)
            return 0;
    return 1;
}

/* A call in several contexts says the same thing several times. */
static void drop_repeated(evs__findings *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++)
        if (kept == 0 || !is_same(&out->items[kept - 1], &out->items[i]))
            out->items[kept++] = out->items[i];
    out->count = kept;
}

static void run(const evs__facts *facts, evs__findings *out, int late)
{
    const evs__setting *setting = facts->setting;
    for (size_t i = 0; i < RULES; i++) {
        size_t before = out->count;
        if (rules[i]->late != late ||
            (facts->syntax_message == NULL && !evs__setting_runs(setting, &rules[i]->info)))
            continue;
        out->rule = rules[i];
        out->severity = evs__setting_severity(setting, &rules[i]->info);
        out->excuse = evs__setting_excuse(setting, &rules[i]->info);
        rules[i]->check(facts, out);
        weigh(out, before, setting);
    }
}

void evs__rules_run(const evs__facts *facts, evs__findings *out)
{
    run(facts, out, 0);
}

void evs__rules_run_late(const evs__facts *facts, evs__findings *out)
{
    run(facts, out, 1);
}

void evs__findings_sort(evs__findings *findings)
{
    if (findings->count > 1)
        qsort(findings->items, findings->count, sizeof *findings->items, compare);
    drop_repeated(findings);
}
