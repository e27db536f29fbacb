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

const char *evs_format_name(size_t index)
{
    return index < REPORTERS ? reporters[index]->name : NULL;
}

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
    evs__rendering rendering = {reports, count, EVS_RENDER_OPTIONS_INIT};
    if (opts != NULL)
        rendering.options = *opts;
    const char *format = rendering.options.format == NULL ? "text" : rendering.options.format;
    const evs__reporter *reporter = find(format);
    if (reporter == NULL)
        return evs__fail(err, EVS_E_INVALID, "no such format '%s'", format);

    evs__buf buf = EVS__BUF_INIT;
    evs__buf_text(&buf, ""); /* a document may be empty */
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

int evs__finding_shown(const evs__rendering *rendering, const evs_finding *finding)
{
    return finding->suppressed == EVS_SUPPRESSED_NOT &&
           finding->severity >= rendering->options.minimum;
}

/* ---- failures ---- */

static int same_place(evs_span a, evs_span b)
{
    return a.line == b.line && a.column == b.column && a.end_line == b.end_line &&
           a.end_column == b.end_column;
}

/* The worst verdict, up to unproven, of a key argument that the finding is about. */
static evs_verdict verdict_at(const evs_report *report, const evs_finding *finding)
{
    evs_verdict worst = EVS_VERDICT_DECLARED;
    for (size_t i = 0; i < report->facts.nuses; i++) {
        const evs_site *site = &report->sites[i];
        if (same_place(site->at, finding->at) && site->verdict > worst)
            worst = site->verdict;
    }
    return worst;
}

/* The audit lost its way: it says so in general, or of a key argument. */
static int is_unproven(const evs_report *report, const evs_finding *finding)
{
    return strcmp(finding->code, "ES006") == 0 || strcmp(finding->code, "ES105") == 0 ||
           (finding->code[2] == '1' && verdict_at(report, finding) == EVS_VERDICT_UNPROVEN);
}

int evs__finding_fails(const evs_report *report, const evs_finding *finding, evs_fail_on limit)
{
    if (finding->suppressed != EVS_SUPPRESSED_NOT)
        return 0;
    switch (limit) {
    case EVS_FAIL_ON_NEVER:
        return 0;
    case EVS_FAIL_ON_NOTE:
        return 1;
    case EVS_FAIL_ON_WARNING:
        return finding->severity >= EVS_SEVERITY_WARNING;
    case EVS_FAIL_ON_DERIVED:
        if (strcmp(finding->code, "ES104") == 0 || is_unproven(report, finding))
            return 1;
        break;
    case EVS_FAIL_ON_UNPROVEN:
        if (is_unproven(report, finding))
            return 1;
        break;
    case EVS_FAIL_ON_ERROR:
        break;
    }
    return finding->severity >= EVS_SEVERITY_ERROR;
}

int evs_report_fails(const evs_report *report, evs_fail_on limit)
{
    for (size_t i = 0; i < report->nfindings; i++)
        if (evs__finding_fails(report, &report->findings[i], limit))
            return 1;
    return 0;
}

/* ---- counting ---- */

void evs__totals_of(evs__totals *out, const evs__rendering *rendering)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < rendering->count; i++) {
        const evs_report *report = rendering->reports[i];
        out->verdicts[evs_report_verdict(report)]++;
        for (size_t k = 0; k < report->nfindings; k++) {
            const evs_finding *finding = &report->findings[k];
            if (finding->suppressed != EVS_SUPPRESSED_NOT)
                out->suppressed++;
            else
                out->findings[finding->severity]++;
            out->hidden += finding->suppressed == EVS_SUPPRESSED_NOT &&
                           finding->severity < rendering->options.minimum;
        }
    }
}

size_t evs__report_sites_of(const evs_report *report, evs_verdict verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < report->facts.nuses; i++)
        n += report->sites[i].verdict == verdict;
    return n;
}

static size_t gather(evs__hit *hits, const evs__rendering *rendering, int severity)
{
    size_t n = 0;
    for (size_t i = 0; i < rendering->count; i++) {
        const evs_report *report = rendering->reports[i];
        for (size_t k = 0; k < report->nfindings; k++) {
            const evs_finding *finding = &report->findings[k];
            if ((int)finding->severity != severity || !evs__finding_shown(rendering, finding))
                continue;
            if (hits != NULL)
                hits[n] = (evs__hit){report, finding};
            n++;
        }
    }
    return n;
}

evs__hit *evs__hits(size_t *count, evs__buf *out, const evs__rendering *rendering)
{
    size_t n = 0;
    *count = 0;
    for (int severity = EVS_SEVERITY_ERROR; severity >= EVS_SEVERITY_NOTE; severity--)
        n += gather(NULL, rendering, severity);
    if (n == 0)
        return NULL;
    evs__hit *hits = evs__alloc_array(n, sizeof *hits);
    if (hits == NULL) {
        out->failed = 1;
        return NULL;
    }
    for (int severity = EVS_SEVERITY_ERROR; severity >= EVS_SEVERITY_NOTE; severity--)
        *count += gather(hits + *count, rendering, severity);
    return hits;
}
