#include "scripts/audit/reporter.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/audit/rule.h"

#include <string.h>

#define EVS_REPORTER(name) extern const evs__reporter evs__reporter_##name;
#include "scripts/audit/reporters/reporters.def"
#undef EVS_REPORTER

static const evs__reporter *const reporters[] = {
#define EVS_REPORTER(name) &evs__reporter_##name,
#include "scripts/audit/reporters/reporters.def"
#undef EVS_REPORTER
};

enum { REPORTERS = sizeof reporters / sizeof *reporters };

static const evs__reporter *find(const char *format)
{
    for (size_t i = 0; i < REPORTERS; i++)
        if (strcmp(reporters[i]->name, format) == 0)
            return reporters[i];
    return NULL;
}

evs_status evs_reports_render(char **out, const evs_report *const *reports, size_t count,
                              const evs_render_options *opts, evs_error *err)
{
    evs_render_options defaults = EVS_RENDER_OPTIONS_INIT;
    const evs_render_options *o = opts == NULL ? &defaults : opts;
    const char *format = o->format == NULL ? "text" : o->format;
    const evs__reporter *reporter = find(format);
    if (reporter == NULL)
        return evs__fail(err, EVS_E_INVALID, "no such format '%s'", format);

    evs__rendering rendering = {reports, count, o->colour, o->minimum};
    evs__buf buf = EVS__BUF_INIT;
    reporter->render(&buf, &rendering);
    char *text = evs__buf_take(&buf);
    if (text == NULL)
        return evs__fail_nomem(err);
    *out = text;
    return EVS_OK;
}

void evs_text_free(char *text)
{
    evs__free(text);
}

const char *evs__severity_name(evs_severity severity)
{
    static const char *const names[] = {"note", "warning", "error"};
    return names[severity];
}

size_t evs__report_count(const evs_report *report, evs_severity severity)
{
    size_t n = 0;
    for (size_t i = 0; i < report->nfindings; i++)
        n += report->findings[i].severity == severity;
    return n;
}

size_t evs__report_sites_of(const evs_report *report, evs_verdict verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < report->facts.nuses; i++)
        n += report->sites[i].verdict == verdict;
    return n;
}
