/*
 * An audit from source to report, and asking the report.
 */
#include "scripts/audit/report.h"

#include "core/error.h"
#include "core/mem.h"
#include "core/sha1.h"
#include "scripts/audit/line_hash.h"
#include "scripts/audit/rule.h"
#include "scripts/audit/suppress.h"

#include <string.h>

static int copy_source(evs_report *report, evs_bytes source, const char *path)
{
    report->path = evs__arena_text(&report->pool.arena, path, strlen(path));
    report->source.data = evs__arena_text(&report->pool.arena, source.data, source.len);
    report->source.len = source.len;
    return report->path != NULL && report->source.data != NULL;
}

static int make_sites(evs_report *report)
{
    const evs__facts *facts = &report->facts;
    evs_site *sites = evs__pool_alloc(&report->pool, facts->nuses, sizeof *sites);
    if (sites == NULL)
        return 0;
    for (size_t i = 0; i < facts->nuses; i++) {
        sites[i].at = facts->uses[i].at;
        sites[i].command = facts->uses[i].command;
        sites[i].argument = facts->uses[i].argument;
        sites[i].verdict = facts->uses[i].verdict;
        sites[i].path = evs__origins_find(&report->origins, &sites[i].at);
    }
    report->sites = sites;
    return 1;
}

/* A library of functions begins with `#!lua name=NAME`, which only FUNCTION LOAD understands. */
static int is_library(evs_bytes source)
{
    static const char begin[] = "#!lua name=";
    size_t len = sizeof begin - 1;
    return source.len > len && memcmp(source.data, begin, len) == 0 && source.data[len] > ' ';
}

/* The shebang of a library is read as a comment; it is as long. */
static int parse(evs_report *report, evs__chunk **chunk)
{
    evs_bytes source = report->source;
    if (is_library(source)) {
        char *text = evs__arena_text(&report->pool.arena, source.data, source.len);
        if (text == NULL)
            return 0;
        memcpy(text, "--", 2);
        source.data = text;
    }
    if (!evs__lua_parse(chunk, &report->pool.arena, source))
        return 0;
    (*chunk)->is_library = is_library(report->source);
    return 1;
}

/* Steps are shared between findings, so each gets its own. */
static int place_steps(evs_report *report, evs_finding *finding)
{
    if (finding->nsteps == 0)
        return 1;
    evs_trace_step *steps = evs__pool_alloc(&report->pool, finding->nsteps, sizeof *steps);
    if (steps == NULL)
        return 0;
    for (size_t i = 0; i < finding->nsteps; i++) {
        steps[i] = finding->steps[i];
        steps[i].path = evs__origins_find(&report->origins, &steps[i].at);
    }
    finding->steps = steps;
    return 1;
}

/* From positions in the script to positions in the files that it came from. */
static int place_findings(evs_report *report, const evs__findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        evs_finding *finding = &findings->items[i];
        if (!place_steps(report, finding))
            return 0;
        if (finding->path == NULL)
            finding->path = evs__origins_find(&report->origins, &finding->at);
        if (finding->reason == NULL)
            finding->reason = "";
    }
    report->findings = findings->items;
    report->nfindings = findings->count;
    return 1;
}

/* Rules, what is accepted of what they found, and what there is to say about that. */
static int judge(evs_report *report, evs__directives *directives)
{
    evs__findings findings = {.pool = &report->pool};
    evs__rules_run(&report->facts, &findings);
    evs__findings_sort(&findings);
    if (!evs__line_hashes(&report->origins, &findings))
        return 0;
    evs__suppress_in_source(directives, &findings);
    if (!evs__suppress_known(directives, &findings, &report->setting.options))
        return 0;
    evs__rules_run_late(&report->facts, &findings);
    evs__findings_sort(&findings);
    return evs__line_hashes(&report->origins, &findings) && place_findings(report, &findings);
}

static int look(evs_report *report)
{
    evs__chunk *chunk;
    evs__directives directives;
    const evs_source_map *map = report->setting.options.map;
    if (!parse(report, &chunk) ||
        !evs__origins_init(&report->origins, &report->pool, report->path, report->source, map) ||
        !evs__directives_read(&directives, &report->pool, chunk, &report->setting))
        return 0;
    report->pool.tag_open = report->setting.tag_open;
    chunk->holes = report->setting.options.holes;
    chunk->nholes = report->setting.options.nholes;
    report->chunk = chunk;
    report->is_library = chunk->is_library;
    if (!evs__facts_of(&report->facts, &report->pool, chunk, &report->setting) ||
        !make_sites(report))
        return 0;
    report->facts.directives = &directives;
    int done = judge(report, &directives);
    report->facts.directives = NULL;
    return done && !report->pool.failed;
}

/* The texts of the options are the caller's again once this is over. */
static evs_status audit(evs_report *report, evs_bytes source, const evs_audit_options *opts,
                        evs_error *err)
{
    const evs_audit_options defaults = EVS_AUDIT_OPTIONS_INIT;
    evs_status status = evs__setting_make(&report->setting, &report->pool.arena, source, opts, err);
    if (status != EVS_OK)
        return status;
    const char *path = report->setting.options.path;
    if (!copy_source(report, source, path != NULL ? path : "-") || !look(report))
        return evs__fail_nomem(err);
    report->setting.options = defaults;
    if (report->facts.nholes == 0 && !report->facts.is_fragment)
        evs__sha1_hex(report->sha1, report->source);
    return EVS_OK;
}

evs_status evs_audit(evs_report **out, evs_bytes source, const evs_audit_options *opts,
                     evs_error *err)
{
    evs_report *report = evs__zalloc_array(1, sizeof *report);
    if (report == NULL)
        return evs__fail_nomem(err);
    evs_status status = audit(report, source, opts, err);
    if (status != EVS_OK) {
        evs_report_free(report);
        return status;
    }
    *out = report;
    return EVS_OK;
}

void evs_report_free(evs_report *report)
{
    if (report == NULL)
        return;
    evs__arena_free(&report->pool.arena);
    evs__free(report);
}

void evs__report_name(evs__buf *out, const evs_report *report)
{
    evs_span at = {1, 1, 1, 1};
    const char *path = evs__origins_find(&report->origins, &at);
    evs__buf_text(out, report->path);
    if (at.line > 1 && strcmp(path, report->path) == 0)
        evs__buf_format(out, ":%d", at.line);
}

evs_verdict evs_report_verdict(const evs_report *report)
{
    return report->facts.verdict;
}

const char *evs_verdict_name(evs_verdict verdict)
{
    switch (verdict) {
    case EVS_VERDICT_NO_KEYS:
        return "no_keys";
    case EVS_VERDICT_UNREACHED:
        return "unreached";
    case EVS_VERDICT_DECLARED:
        return "declared";
    case EVS_VERDICT_DERIVED:
        return "derived";
    case EVS_VERDICT_UNPROVEN:
        return "unproven";
    case EVS_VERDICT_UNDECLARED:
        return "undeclared";
    case EVS_VERDICT_NONE:
        break;
    }
    return "none";
}

int evs_report_complete(const evs_report *report)
{
    return report->facts.ngaps == 0 && report->facts.syntax_message == NULL;
}

int evs_report_may_write(const evs_report *report)
{
    return report->facts.may_write;
}

int evs_report_may_return_errors(const evs_report *report)
{
    return report->facts.may_return_errors;
}

const char *evs_report_sha1(const evs_report *report)
{
    return report->sha1;
}

const char *evs_report_path(const evs_report *report)
{
    return report->path;
}

const evs_site *evs_report_sites(const evs_report *report, size_t *count)
{
    *count = report->facts.nuses;
    return report->sites;
}

const evs_finding *evs_report_findings(const evs_report *report, size_t *count)
{
    *count = report->nfindings;
    return report->findings;
}
