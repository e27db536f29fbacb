#include "tools/script_audit/output.h"

#include "tools/script_audit/step_summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int complain(const char *path, const char *why)
{
    fprintf(stderr, "script-audit: %s: %s\n", path, why);
    return 0;
}

static int put(const char *text, FILE *file)
{
    size_t len = strlen(text);
    int written = fwrite(text, 1, len, file) == len;
    return fflush(file) == 0 && written;
}

static int put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return complain(path, strerror(errno));
    int done = put(text, file);
    if (fclose(file) != 0 || !done)
        return complain(path, strerror(errno));
    return 1;
}

static int put_dump(const options *o, const evs_report *report, FILE *file)
{
    char *text;
    evs_error err;
    if (evs_report_dump(&text, report, o->dump, &err) != EVS_OK)
        return complain("the dump", err.message);
    fprintf(file, "== %s\n", evs_report_path(report));
    int done = put(text, file);
    evs_text_free(text);
    return done;
}

int output_dump(const options *o, const evs_report *const *reports, size_t count)
{
    FILE *file = o->output != NULL ? fopen(o->output, "wb") : stdout;
    const char *name = o->output != NULL ? o->output : "standard output";
    if (file == NULL)
        return complain(name, strerror(errno));
    int done = 1;
    for (size_t i = 0; i < count && done; i++)
        done = put_dump(o, reports[i], file);
    if (file != stdout && fclose(file) != 0)
        done = 0;
    return done || complain(name, strerror(errno));
}

int output_write(const options *o, const evs_report *const *reports, size_t count,
                 const failures *failed)
{
    evs_render_options how = EVS_RENDER_OPTIONS_INIT;
    evs_error err;
    char *text;
    how.format = o->format;
    how.colour = o->colour;
    how.minimum = o->show;
    how.quiet = o->quiet;
    how.fail_on = o->fail_on;
    how.unread = failed->items;
    how.nunread = failed->count;
    if (evs_reports_render(&text, reports, count, &how, &err) != EVS_OK)
        return complain("the report", err.message);
    const char *page = strcmp(o->format, "github") == 0 ? getenv("GITHUB_STEP_SUMMARY") : NULL;
    if (page != NULL && page[0] != '\0')
        step_summary(page, reports, count);
    int done = o->output != NULL ? put_file(o->output, text) : put(text, stdout);
    if (!done && o->output == NULL)
        complain("standard output", strerror(errno));
    evs_text_free(text);
    return done;
}
