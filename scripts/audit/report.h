/*
 * report.h - what is inside an evs_report. Reporters (reporters/) read it.
 */
#ifndef EVS_SCRIPTS_AUDIT_REPORT_H
#define EVS_SCRIPTS_AUDIT_REPORT_H

#include "scripts/audit/facts.h"
#include "scripts/audit/source_map.h"

struct evs_report {
    evs__pool pool;   /* everything below lives here */
    const char *path; /* "-" when it has none */
    evs_bytes source; /* our copy */
    char sha1[41];
    int is_library; /* of functions, for FUNCTION LOAD */
    evs__setting setting;
    const evs__chunk *chunk;
    evs__origins origins;
    evs__facts facts;      /* positions in the script; those below are in its files */
    const evs_site *sites; /* one per facts.uses */
    const evs_finding *findings;
    size_t nfindings;
};

/* What the script is called: its path, and the line when it begins further down, as in programs. */
void evs__report_name(evs__buf *out, const evs_report *report);

#endif
