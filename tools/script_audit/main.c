/*
 * script-audit: which keys scripts touch, and what is wrong with that.
 */
#include "tools/script_audit/explain.h"
#include "tools/script_audit/input.h"
#include "tools/script_audit/options.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXIT_FINE = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_UNREADABLE = 3 };

typedef struct audits {
    evs_report **reports; /* ours */
    size_t count;
    int failed;
} audits;

static void audit_one(audits *all, const char *path, const options *o)
{
    evs_audit_options how = o->audit;
    evs_error err;
    size_t len;
    char *text = input_read(path, &len);
    if (text == NULL) {
        all->failed = 1;
        return;
    }
    how.path = path;
    evs_bytes source = {text, len};
    if (evs_audit(&all->reports[all->count], source, &how, &err) == EVS_OK) {
        all->count++;
    } else {
        fprintf(stderr, "script-audit: %s: %s\n", path, err.message);
        all->failed = 1;
    }
    free(text);
}

static int has_findings(const audits *all, int fail_on)
{
    for (size_t i = 0; i < all->count; i++) {
        size_t count;
        const evs_finding *findings = evs_report_findings(all->reports[i], &count);
        for (size_t k = 0; k < count; k++)
            if ((int)findings[k].severity >= fail_on)
                return 1;
    }
    return 0;
}

static void show(audits *all, const options *o)
{
    evs_render_options render = EVS_RENDER_OPTIONS_INIT;
    evs_error err;
    char *text;
    render.format = o->format;
    render.colour = o->colour;
    if (evs_reports_render(&text, (const evs_report *const *)all->reports, all->count, &render,
                           &err) != EVS_OK) {
        fprintf(stderr, "script-audit: %s\n", err.message);
        all->failed = 1;
        return;
    }
    fputs(text, stdout);
    evs_text_free(text);
}

static int audit(const options *o)
{
    input_list inputs = {NULL, 0, 0, 0};
    for (int i = 0; i < o->npaths; i++)
        input_add(&inputs, o->paths[i]);
    audits all = {calloc(inputs.count + 1, sizeof *all.reports), 0, inputs.failed};
    for (size_t i = 0; all.reports != NULL && i < inputs.count; i++)
        audit_one(&all, inputs.paths[i], o);
    if (all.reports != NULL)
        show(&all, o);
    else
        all.failed = 1;

    int code = has_findings(&all, o->fail_on) ? EXIT_FINDINGS : EXIT_FINE;
    for (size_t i = 0; i < all.count; i++)
        evs_report_free(all.reports[i]);
    free(all.reports);
    input_free(&inputs);
    return all.failed ? EXIT_UNREADABLE : code;
}

static int run(const options *o)
{
    switch (o->task) {
    case TASK_HELP:
        options_help();
        return EXIT_FINE;
    case TASK_VERSION:
        printf("script-audit %s\n", evs_version());
        return EXIT_FINE;
    case TASK_EXPLAIN:
        return explain(o->rule) ? EXIT_FINE : EXIT_USAGE;
    case TASK_AUDIT:
        break;
    }
    return audit(o);
}

int main(int argc, char **argv)
{
    options o;
    if (!options_read(&o, argc, argv))
        return EXIT_USAGE;
    int code = run(&o);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("script-audit: standard output");
        return EXIT_UNREADABLE;
    }
    return code;
}
