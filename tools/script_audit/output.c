#include "tools/script_audit/output.h"

#include <errno.h>
#include <stdio.h>
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
    int done = o->output != NULL ? put_file(o->output, text) : put(text, stdout);
    if (!done && o->output == NULL)
        complain("standard output", strerror(errno));
    evs_text_free(text);
    return done;
}
