/*
 * Numbers and names of fields never change their meaning within a schema; new fields may come.
 * Positions are in the script's file; where they are in another one, a member `path` says so.
 */
#include "scripts/audit/script_json.h"

#include "scripts/audit/usage.h"

#include <stdio.h>
#include <string.h>

/* ---- places ---- */

static void elsewhere(evs__json *json, const evs_report *report, const char *path)
{
    if (strcmp(path, report->path) != 0)
        evs__json_text(json, "path", path);
}

static void span(evs__json *json, evs_span at)
{
    evs__json_number(json, "line", at.line);
    evs__json_number(json, "col", at.column);
    evs__json_number(json, "endLine", at.end_line);
    evs__json_number(json, "endCol", at.end_column);
}

/* ---- what programs put in ---- */

static void holes(evs__json *json, const evs_report *report)
{
    static const char *const places[] = {[EVS__HOLE_IN_STRING] = "string",
                                         [EVS__HOLE_VALUE] = "value",
                                         [EVS__HOLE_CODE] = "code",
                                         [EVS__HOLE_IN_COMMENT] = "comment"};
    evs__json_list(json, "holes");
    for (size_t i = 0; i < report->facts.nholes; i++) {
        const evs__holefact *hole = &report->facts.holes[i];
        evs_span at = hole->at;
        const char *path = evs__origins_find(&report->origins, &at);
        evs__json_object(json, NULL);
        span(json, at);
        elsewhere(json, report, path);
        evs__json_text(json, "code", hole->code);
        evs__json_text(json, "place", places[hole->place]);
        evs__json_close(json, '}');
    }
    evs__json_close(json, ']');
}

/* ---- sites ---- */

static const char *atom_kind(const evs__atom *atom)
{
    static const char *const names[] = {
        [EVS__ATOM_CONSTANT] = "CONST",  [EVS__ATOM_NUMBER] = "NUM",    [EVS__ATOM_KEY] = "KEY",
        [EVS__ATOM_DERIVED] = "DERIVED", [EVS__ATOM_ARGUMENT] = "ARGV", [EVS__ATOM_REPLY] = "REPLY",
        [EVS__ATOM_DATA] = "DATA",       [EVS__ATOM_TOP] = "TOP"};
    return names[atom->kind];
}

static void atom_place(evs__json *json, const evs_report *report, evs__span enters)
{
    evs_span at = {enters.line, enters.column, enters.line, enters.column};
    const char *path = evs__origins_find(&report->origins, &at);
    evs__json_number(json, "line", at.line);
    evs__json_number(json, "col", at.column);
    elsewhere(json, report, path);
}

static void atom(evs__json *json, const evs_report *report, const evs__atom *a)
{
    evs__json_object(json, NULL);
    evs__json_text(json, "kind", atom_kind(a));
    if (a->index > 0)
        evs__json_number(json, "index", a->index);
    if (a->kind == EVS__ATOM_CONSTANT || a->kind == EVS__ATOM_TOP) {
        evs__json_name(json, a->kind == EVS__ATOM_TOP ? "reason" : "text");
        evs__json_string(json, a->text);
    }
    if (a->enters.end > 0)
        atom_place(json, report, a->enters);
    evs__json_close(json, '}');
}

static void site(evs__json *json, const evs_report *report, size_t i)
{
    const evs_site *s = &report->sites[i];
    const evs__keyuse *use = &report->facts.uses[i];
    evs__json_object(json, NULL);
    evs__json_number(json, "line", s->at.line);
    evs__json_number(json, "col", s->at.column);
    elsewhere(json, report, s->path);
    evs__json_text(json, "command", s->command);
    evs__json_number(json, "arg", s->argument);
    evs__json_text(json, "verdict", evs_verdict_name(s->verdict));
    evs__json_list(json, "atoms");
    for (size_t k = 0; k < use->natoms; k++)
        atom(json, report, use->atoms[k]);
    evs__json_close(json, ']');
    evs__json_close(json, '}');
}

/* ---- findings ---- */

static void step(evs__json *json, const evs_report *report, const evs_trace_step *s)
{
    evs__json_object(json, NULL);
    span(json, s->at);
    elsewhere(json, report, s->path);
    evs__json_text(json, "text", s->text);
    evs__json_close(json, '}');
}

static void suppressed(evs__json *json, const evs_finding *f)
{
    if (f->suppressed == EVS_SUPPRESSED_NOT) {
        evs__json_text(json, "suppressed", NULL);
        return;
    }
    evs__json_object(json, "suppressed");
    evs__json_text(json, "kind",
                   f->suppressed == EVS_SUPPRESSED_IN_SOURCE ? "inSource" : "baseline");
    evs__json_text(json, "reason", f->reason);
    evs__json_close(json, '}');
}

static void finding(evs__json *json, const evs_report *report, const evs_finding *f)
{
    evs__json_object(json, NULL);
    evs__json_text(json, "code", f->code);
    evs__json_text(json, "name", f->name);
    evs__json_text(json, "severity", evs__severity_name(f->severity));
    span(json, f->at);
    elsewhere(json, report, f->path);
    evs__json_text(json, "message", f->message);
    evs__json_list(json, "trace");
    for (size_t i = 0; i < f->nsteps; i++)
        step(json, report, &f->steps[i]);
    evs__json_close(json, ']');
    evs__json_text(json, "fingerprint", f->fingerprint);
    suppressed(json, f);
    evs__json_close(json, '}');
}

/* ---- what the script needs ---- */

static void numbers(evs__json *json, const char *name, const evs__indices *set, int in)
{
    evs__json_list(json, name);
    for (size_t i = 1; i <= set->most; i++)
        if (evs__indices_has(set, i) == in)
            evs__json_number(json, NULL, (long long)i);
    evs__json_close(json, ']');
}

static void declared(evs__json *json, const evs__usage *usage)
{
    if (usage->declared >= 0)
        evs__json_number(json, "declared", usage->declared);
    else
        evs__json_text(json, "declared", NULL);
}

static void needs(evs__json *json, const evs_report *report)
{
    static const char *const killable[] = {"always", "no-after-write", "unknown"};
    evs__usage usage;
    if (!evs__usage_of(&usage, report))
        json->out->failed = 1;
    evs__json_object(json, "keys");
    declared(json, &usage);
    numbers(json, "used", &usage.keys, 1);
    numbers(json, "unused", &usage.unused_keys, 1);
    evs__json_truth(json, "dynamic", usage.keys.dynamic);
    evs__json_close(json, '}');
    evs__json_object(json, "argv");
    numbers(json, "used", &usage.args, 1);
    evs__json_truth(json, "dynamic", usage.args.dynamic);
    evs__json_close(json, '}');
    if (usage.writes == EVS__WRITES_UNKNOWN)
        evs__json_text(json, "writes", NULL);
    else
        evs__json_truth(json, "writes", usage.writes == EVS__WRITES);
    evs__json_text(json, "killable", killable[usage.writes]);
}

void evs__script_json(evs__json *json, const evs_report *report)
{
    evs_verdict verdict = evs_report_verdict(report);
    evs__json_object(json, NULL);
    evs__json_text(json, "path", report->path);
    if (report->origins.map != NULL) {
        evs_span at = {1, 1, 1, 1};
        const char *path = evs__origins_find(&report->origins, &at);
        if (strcmp(path, report->path) == 0) {
            evs__json_number(json, "line", at.line);
            evs__json_number(json, "col", at.column);
        }
    }
    evs__json_text(json, "kind", report->is_library ? "function" : "eval");
    evs__json_text(json, "sha1", report->sha1[0] == '\0' ? NULL : report->sha1);
    evs__json_text(json, "verdict", verdict == EVS_VERDICT_NONE ? NULL : evs_verdict_name(verdict));
    if (report->facts.is_fragment)
        evs__json_truth(json, "fragment", 1);
    if (report->facts.nholes > 0)
        holes(json, report);
    needs(json, report);
    evs__json_truth(json, "complete", evs_report_complete(report));
    evs__json_list(json, "sites");
    for (size_t i = 0; i < report->facts.nuses; i++)
        site(json, report, i);
    evs__json_close(json, ']');
    evs__json_list(json, "findings");
    for (size_t i = 0; i < report->nfindings; i++)
        finding(json, report, &report->findings[i]);
    evs__json_close(json, ']');
    evs__json_close(json, '}');
}

/* ---- around them ---- */

void evs__tool_json(evs__json *json)
{
    evs__json_object(json, "tool");
    evs__json_text(json, "name", "evalshard script-audit");
    evs__json_text(json, "version", evs_version());
    evs__json_text(json, "table", "redis 7.0.15 + overlay");
    evs__json_close(json, '}');
}

static void version(evs__json *json, const char *name, int number)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d", number >> 8, number & 0xff);
    evs__json_text(json, name, number >= EVS__VERSION_NEWEST ? NULL : text);
}

static void server(evs__json *json, const evs__target *target)
{
    evs__json_text(json, "server", target->is_valkey ? "valkey" : "redis");
    version(json, "min", target->min);
    version(json, "max", target->max);
}

/* The first server of the target stands in the target itself, all of them in its list. */
void evs__target_json(evs__json *json, const evs__rendering *rendering)
{
    if (rendering->count == 0) {
        evs__json_text(json, "target", NULL);
        return;
    }
    const evs__setting *setting = &rendering->reports[0]->setting;
    evs__json_object(json, "target");
    server(json, &setting->targets.items[0]);
    evs__json_list(json, "servers");
    for (size_t i = 0; i < setting->targets.count; i++) {
        evs__json_object(json, NULL);
        server(json, &setting->targets.items[i]);
        evs__json_close(json, '}');
    }
    evs__json_close(json, ']');
    evs__json_truth(json, "cluster", strcmp(setting->profile->name, "standalone") != 0);
    evs__json_text(json, "profile", setting->profile->name);
    evs__json_close(json, '}');
}

void evs__unread_json(evs__json *json, const evs__rendering *rendering)
{
    evs__json_list(json, "unread");
    for (size_t i = 0; i < rendering->options.nunread; i++) {
        evs__json_object(json, NULL);
        evs__json_text(json, "path", rendering->options.unread[i].path);
        evs__json_text(json, "why", rendering->options.unread[i].why);
        evs__json_close(json, '}');
    }
    evs__json_close(json, ']');
}

void evs__summary_json(evs__json *json, const evs__rendering *rendering)
{
    static const evs_verdict verdicts[] = {EVS_VERDICT_DECLARED, EVS_VERDICT_DERIVED,
                                           EVS_VERDICT_UNDECLARED, EVS_VERDICT_UNPROVEN,
                                           EVS_VERDICT_NO_KEYS};
    evs__totals totals;
    evs__totals_of(&totals, rendering);
    evs__json_object(json, "summary");
    evs__json_number(json, "scripts", (long long)rendering->count);
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        evs__json_number(json, evs_verdict_name(verdicts[i]),
                         (long long)totals.verdicts[verdicts[i]]);
    evs__json_number(json, "invalid", (long long)totals.verdicts[EVS_VERDICT_NONE]);
    evs__json_number(json, "unread", (long long)rendering->options.nunread);
    evs__json_object(json, "findings");
    for (int severity = EVS_SEVERITY_ERROR; severity >= EVS_SEVERITY_NOTE; severity--)
        evs__json_number(json, evs__severity_name((evs_severity)severity),
                         (long long)totals.findings[severity]);
    evs__json_close(json, '}');
    evs__json_number(json, "suppressed", (long long)totals.suppressed);
    evs__json_close(json, '}');
}
