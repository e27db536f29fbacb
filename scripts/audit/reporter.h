/*
 * reporter.h - reports as a document. A reporter is one file in reporters/ and one row in
 * reporters.def.
 */
#ifndef EVS_SCRIPTS_AUDIT_REPORTER_H
#define EVS_SCRIPTS_AUDIT_REPORTER_H

#include "core/buf.h"
#include "scripts/audit/report.h"

typedef struct evs__rendering {
    const evs_report *const *reports;
    size_t count;
    evs_render_options options;
} evs__rendering;

typedef struct evs__reporter {
    const char *name; /* as in --format */
    void (*render)(evs__buf *out, const evs__rendering *rendering);
} evs__reporter;

/* How much there is of everything. */
typedef struct evs__totals {
    size_t verdicts[EVS_VERDICT_NONE + 1]; /* scripts */
    size_t findings[EVS_SEVERITY_ERROR + 1];
    size_t suppressed; /* not in `findings` */
    size_t hidden;     /* those below the minimum; they are in `findings` */
} evs__totals;

void evs__totals_of(evs__totals *out, const evs__rendering *rendering);

/* "error", "warning", "note". */
const char *evs__severity_name(evs_severity severity);

/* Is the finding for people to see? */
int evs__finding_shown(const evs__rendering *rendering, const evs_finding *finding);

/* Is it a failure? */
int evs__finding_fails(const evs_report *report, const evs_finding *finding, evs_fail_on limit);

/* How many sites with a verdict. */
size_t evs__report_sites_of(const evs_report *report, evs_verdict verdict);

/* A finding that people see, with its report. */
typedef struct evs__hit {
    const evs_report *report;
    const evs_finding *finding;
} evs__hit;

/* All findings that are shown, worst first and then in order; evs__free it. NULL when there are
 * none, or when out of memory, which fails `out`. */
evs__hit *evs__hits(size_t *count, evs__buf *out, const evs__rendering *rendering);

#endif
