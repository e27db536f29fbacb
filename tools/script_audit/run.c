#include "tools/script_audit/run.h"

#include "tools/script_audit/hosts.h"
#include "tools/script_audit/input.h"
#include "tools/script_audit/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct run {
    const options *o;
    input_list inputs;
    failures failed;
    evs_report **reports; /* ours */
    size_t count, cap;
    hosts hosts; /* programs, to which their scripts' reports point */
} run;

/* What the file at `path` is called in reports. */
static const char *name_of(const options *o, const char *path)
{
    return strcmp(path, "-") == 0 && o->stdin_name != NULL ? o->stdin_name : path;
}

static evs_audit_options settings(const options *o, const char *name)
{
    evs_audit_options how = EVS_AUDIT_OPTIONS_INIT;
    how.path = name;
    how.target = o->target;
    how.profile = o->profile;
    how.select = o->select;
    how.extend_select = o->extend_select;
    how.ignore = o->ignore;
    how.severities = o->severities;
    return how;
}

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
    if (has_room(r) && evs_audit(&r->reports[r->count], source, how, &err) == EVS_OK)
        r->count++;
    else
        failures_add(&r->failed, how->path, err.message);
}

/* All scripts of a program. The program is kept: the reports show its lines. */
static void audit_host(run *r, const char *name, evs_bytes source)
{
    size_t count;
    evs_error err;
    const evs_extraction *found = hosts_add(&r->hosts, source, name, &err);
    if (found == NULL) {
        failures_add(&r->failed, name, err.message);
        return;
    }
    const evs_embedded_script *scripts = evs_extraction_scripts(found, &count);
    for (size_t i = 0; i < count; i++) {
        evs_audit_options how = settings(r->o, name);
        how.map = &scripts[i].map;
        how.holes = scripts[i].holes;
        how.nholes = scripts[i].nholes;
        how.wholeness = scripts[i].wholeness;
        audit_text(r, scripts[i].source, &how);
    }
}

static void audit_one(run *r, const char *path)
{
    const char *name = name_of(r->o, path);
    int is_host = r->o->extract && evs_extract_language(name) != NULL;
    evs_bytes source;
    char *text = input_read(path, name, &source.len, &r->failed);
    source.data = text;
    if (text == NULL)
        return;
    if (is_host) {
        audit_host(r, name, source);
        return;
    }
    evs_audit_options how = settings(r->o, name);
    input_warn(name, source);
    audit_text(r, source, &how);
    free(text);
}

static int has_findings(const run *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (evs_report_fails(r->reports[i], r->o->fail_on))
            return 1;
    return 0;
}

static int exit_code(const run *r)
{
    if (r->failed.count > 0 || r->failed.lost)
        return EXIT_UNREADABLE;
    return !r->o->exit_zero && has_findings(r) ? EXIT_FINDINGS : EXIT_FINE;
}

static void finish(run *r)
{
    for (size_t i = 0; i < r->count; i++)
        evs_report_free(r->reports[i]);
    free(r->reports);
    hosts_free(&r->hosts);
    input_free(&r->inputs);
    failures_free(&r->failed);
}

int run_audit(const options *o)
{
    run r = {.o = o, .inputs = {.failed = &r.failed, .hosts = o->extract}};
    for (int i = 0; i < o->npaths; i++)
        input_add(&r.inputs, o->paths[i]);
    input_sort(&r.inputs);
    for (size_t i = 0; i < r.inputs.count; i++)
        audit_one(&r, r.inputs.paths[i]);
    int code = exit_code(&r);
    if (!output_write(o, (const evs_report *const *)r.reports, r.count, &r.failed))
        code = EXIT_UNREADABLE;
    finish(&r);
    return code;
}
