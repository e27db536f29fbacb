#include "tools/script_audit/run.h"

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
    size_t count;
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

static void audit_one(run *r, const char *path)
{
    const char *name = name_of(r->o, path);
    evs_error err;
    size_t len;
    char *text = input_read(path, name, &len, &r->failed);
    if (text == NULL)
        return;
    evs_audit_options how = settings(r->o, name);
    evs_bytes source = {text, len};
    if (evs_audit(&r->reports[r->count], source, &how, &err) == EVS_OK)
        r->count++;
    else
        failures_add(&r->failed, name, err.message);
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
    input_free(&r->inputs);
    failures_free(&r->failed);
}

int run_audit(const options *o)
{
    run r = {.o = o, .inputs.failed = &r.failed};
    for (int i = 0; i < o->npaths; i++)
        input_add(&r.inputs, o->paths[i]);
    input_sort(&r.inputs);
    r.reports = calloc(r.inputs.count + 1, sizeof *r.reports);
    if (r.reports == NULL)
        failures_add(&r.failed, "-", "out of memory");
    for (size_t i = 0; r.reports != NULL && i < r.inputs.count; i++)
        audit_one(&r, r.inputs.paths[i]);
    int code = exit_code(&r);
    if (!output_write(o, (const evs_report *const *)r.reports, r.count, &r.failed))
        code = EXIT_UNREADABLE;
    finish(&r);
    return code;
}
