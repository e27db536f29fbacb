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
    int colour;
    evs_severity minimum;
} evs__rendering;

typedef struct evs__reporter {
    const char *name; /* as in --format */
    void (*render)(evs__buf *out, const evs__rendering *rendering);
} evs__reporter;

/* "error", "warning", "note". */
const char *evs__severity_name(evs_severity severity);

/* How many findings of a severity the report has. */
size_t evs__report_count(const evs_report *report, evs_severity severity);

/* How many sites with a verdict. */
size_t evs__report_sites_of(const evs_report *report, evs_verdict verdict);

#endif
