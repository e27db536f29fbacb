/*
 * Inputs, their settings, their text, an audit of each, the report, the exit code.
 */
#include "tools/script_audit/run.h"

#include "tools/script_audit/assemble.h"
#include "tools/script_audit/baseline.h"
#include "tools/script_audit/hosts.h"
#include "tools/script_audit/jobs.h"
#include "tools/script_audit/map.h"
#include "tools/script_audit/output.h"
#include "tools/script_audit/path.h"
#include "tools/script_audit/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct run {
    options o; /* with what the settings say about reports */
    input_list inputs;
    config_set configs;
    failures failed;
    jobs jobs;
    baseline *known;
    char *baseline_path;  /* ours; NULL: there is none */
    evs_report **reports; /* ours */
    size_t count, cap;
    assembled *texts; /* one per job, to which reports point */
    hosts hosts;      /* programs, to which their scripts' reports point */
    evs__arena arena; /* texts of ours in `o` */
    int bad_settings;
    int unreadable; /* a map; it was said */
} run;

/* ---- what the settings say of the whole run ---- */

/* Those of the first input, as reports and exit code are of all inputs. */
static void apply_settings(run *r)
{
    const config *c = r->jobs.count == 0 ? NULL : r->jobs.items[0].settings;
    if (c == NULL)
        return;
    if (!r->o.fail_on_given && c->fail_on != CONFIG_UNSET)
        r->o.fail_on = (evs_fail_on)c->fail_on;
    if (!r->o.show_given && c->show != CONFIG_UNSET)
        r->o.show = (evs_severity)c->show;
    else if (!r->o.show_given && r->o.fail_on == EVS_FAIL_ON_NOTE)
        r->o.show = EVS_SEVERITY_NOTE;
    if (r->o.baseline == NULL && c->baseline != NULL)
        r->baseline_path = path_join(c->folder, c->baseline);
}

/* Before there are settings: what the command line says comes first. */
static void read_map(run *r)
{
    map_got got = MAP_READ;
    if (r->o.map != NULL)
        got = map_hash_tag(&r->o.hash_tag, &r->arena, r->o.map, r->o.pool);
    r->bad_settings |= got == MAP_BAD;
    r->unreadable |= got == MAP_UNREADABLE;
    r->configs.choice = (config_choice){r->o.pool, r->o.map != NULL || r->o.hash_tag != NULL};
}

static void check_pool(run *r)
{
    if (r->o.pool == NULL || r->o.map != NULL || r->configs.maps > 0)
        return;
    fputs("script-audit: --pool needs a map: --map FILE, or map in the settings\n", stderr);
    r->bad_settings = 1;
}

static void read_baseline(run *r)
{
    if (r->baseline_path == NULL && r->o.baseline != NULL)
        r->baseline_path = strdup(r->o.baseline);
    if (r->baseline_path == NULL && r->o.write_baseline)
        r->baseline_path = strdup(BASELINE_NAME);
    if (r->baseline_path == NULL || r->o.write_baseline)
        return;
    r->known = baseline_read(r->baseline_path);
    r->bad_settings |= r->known == NULL;
}

/* ---- auditing ---- */

static int has_room(run *r)
{
    if (r->count < r->cap)
        return 1;
    size_t cap = r->cap * 2 + 64;
    evs_report **reports = realloc(r->reports, cap * sizeof *reports);
    if (reports == NULL)
        return 0;
    r->reports = reports;
    r->cap = cap;
    return 1;
}

static void audit_text(run *r, evs_bytes source, const evs_audit_options *how)
{
    evs_error err = {.message = "out of memory"};
    if (!has_room(r) || evs_audit(&r->reports[r->count], source, how, &err) != EVS_OK) {
        failures_add(&r->failed, how->path, err.message);
        return;
    }
    if (r->known != NULL)
        baseline_take(r->known, r->reports[r->count]);
    r->count++;
}

static void audit_script(run *r, const job *j, assembled *text, const evs_audit_options *base)
{
    evs_audit_options how = *base;
    int read = j->concat != NULL ? assemble_list(text, j->concat, j->settings, &r->failed)
                                 : assemble_file(text, j->path, j->name, j->settings, &r->failed);
    if (!read)
        return;
    evs_bytes source = {text->text.data, text->text.len};
    if (text->composed)
        how.map = &text->map;
    audit_text(r, source, &how);
}

/* All scripts of a program. The program is kept: the reports show its lines. */
static void audit_host(run *r, const job *j, const evs_audit_options *base)
{
    size_t count;
    evs_error err;
    evs_bytes source;
    source.data = input_read(j->path, j->name, &source.len, &r->failed);
    if (source.data == NULL)
        return;
    const evs_extraction *found = hosts_add(&r->hosts, source, j->name, &err);
    if (found == NULL) {
        failures_add(&r->failed, j->name, err.message);
        return;
    }
    const evs_embedded_script *scripts = evs_extraction_scripts(found, &count);
    for (size_t i = 0; i < count; i++) {
        evs_audit_options how = *base;
        if (i + 1 < count)
            how.known_path = NULL; /* what is stale shows at the last one */
        how.map = &scripts[i].map;
        how.holes = scripts[i].holes;
        how.nholes = scripts[i].nholes;
        how.wholeness = scripts[i].wholeness;
        audit_text(r, scripts[i].source, &how);
    }
}

static void audit_one(run *r, size_t i)
{
    const job *j = &r->jobs.items[i];
    settings s;
    int is_host = r->o.extract && j->concat == NULL && evs_extract_language(j->name) != NULL;
    int made = settings_make(&s, &r->o, j->settings, j->relative, j->name);
    if (r->known != NULL) {
        s.audit.known = baseline_of(r->known, j->name, &s.audit.nknown);
        s.audit.known_path = r->known->path;
    }
    if (!made)
        failures_add(&r->failed, j->name, "out of memory");
    else if (is_host)
        audit_host(r, j, &s.audit);
    else
        audit_script(r, j, &r->texts[i], &s.audit);
    settings_free(&s);
}

static void audit_all(run *r)
{
    r->texts = calloc(r->jobs.count + 1, sizeof *r->texts);
    if (r->texts == NULL) {
        failures_add(&r->failed, "-", "out of memory");
        return;
    }
    for (size_t i = 0; i < r->jobs.count; i++)
        audit_one(r, i);
}

/* ---- the exit code ---- */

static int has_fault(const evs_report *report)
{
    size_t count;
    const evs_finding *findings = evs_report_findings(report, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(findings[i].code, "ES900") == 0)
            return 1;
    return 0;
}

/* An entry of the baseline whose file is gone is ES901 as any other that fits nothing. It belongs
 * to no report, so an empty script stands in for it, with the settings of the first input. */
static int gone_fails(const run *r, const baseline_entry *entry)
{
    settings s;
    evs_report *report = NULL;
    evs_bytes nothing = {"", 0};
    const config *c = r->jobs.count == 0 ? NULL : r->jobs.items[0].settings;
    int fails = 0;
    if (settings_make(&s, &r->o, c, entry->path, entry->path)) {
        s.audit.known = &entry->known;
        s.audit.nknown = 1;
        s.audit.known_path = r->known->path;
        if (evs_audit(&report, nothing, &s.audit, NULL) == EVS_OK)
            fails = evs_report_fails(report, r->o.fail_on);
    }
    evs_report_free(report);
    settings_free(&s);
    return fails;
}

static int any_gone_fails(const run *r)
{
    for (size_t i = 0; r->known != NULL && i < r->known->count; i++)
        if (r->known->entries[i].gone && gone_fails(r, &r->known->entries[i]))
            return 1;
    return 0;
}

static int exit_code(const run *r)
{
    int code = EXIT_FINE;
    if (r->failed.count > 0 || r->failed.lost || r->unreadable || r->configs.unreadable)
        return EXIT_UNREADABLE;
    if (r->bad_settings || r->configs.failed)
        return EXIT_USAGE;
    for (size_t i = 0; i < r->count; i++) {
        if (has_fault(r->reports[i]))
            return EXIT_USAGE;
        if (!r->o.exit_zero && evs_report_fails(r->reports[i], r->o.fail_on))
            code = EXIT_FINDINGS;
    }
    if (!r->o.exit_zero && any_gone_fails(r))
        code = EXIT_FINDINGS;
    return code;
}

/* The baseline, or the report. */
static int finish(run *r)
{
    const evs_report *const *reports = (const evs_report *const *)r->reports;
    if (r->known != NULL)
        baseline_find_gone(r->known);
    int code = exit_code(r);
    if (r->o.dump != NULL) {
        int written = output_dump(&r->o, reports, r->count);
        return !written ? EXIT_UNREADABLE : code == EXIT_FINDINGS ? EXIT_FINE : code;
    }
    if (r->o.write_baseline) {
        int written = baseline_write(r->baseline_path, reports, r->count);
        return !written ? EXIT_UNREADABLE : code == EXIT_FINDINGS ? EXIT_FINE : code;
    }
    return output_write(&r->o, reports, r->count, &r->failed) ? code : EXIT_UNREADABLE;
}

static void clean(run *r)
{
    for (size_t i = 0; i < r->count; i++)
        evs_report_free(r->reports[i]);
    for (size_t i = 0; r->texts != NULL && i < r->jobs.count; i++)
        assembled_free(&r->texts[i]);
    hosts_free(&r->hosts);
    free(r->reports);
    free(r->texts);
    free(r->baseline_path);
    baseline_free(r->known);
    jobs_free(&r->jobs);
    config_set_free(&r->configs);
    input_free(&r->inputs);
    failures_free(&r->failed);
    evs__arena_free(&r->arena);
}

int run_audit(const options *o)
{
    run r = {.o = *o, .inputs = {.failed = &r.failed, .hosts = o->extract}};
    r.configs.given = o->config;
    r.configs.none = o->no_config;
    read_map(&r);
    for (int i = 0; i < o->npaths; i++)
        input_add(&r.inputs, o->paths[i]);
    input_sort(&r.inputs);
    if (!jobs_make(&r.jobs, &r.inputs, &r.configs, o->stdin_name))
        failures_add(&r.failed, "-", "out of memory");
    check_pool(&r);
    apply_settings(&r);
    read_baseline(&r);
    if (r.o.map == NULL || r.o.hash_tag != NULL)
        audit_all(&r);
    int code = finish(&r);
    clean(&r);
    return code;
}
