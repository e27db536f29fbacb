/*
 * report.h - what is inside an evs_report. Reporters (reporters/) read it.
 */
#ifndef EVS_SCRIPTS_AUDIT_REPORT_H
#define EVS_SCRIPTS_AUDIT_REPORT_H

#include "scripts/audit/facts.h"

struct evs_report {
    evs__pool pool;   /* everything below lives here */
    const char *path; /* "-" when it has none */
    evs_bytes source; /* our copy */
    char sha1[41];
    int is_library; /* of functions, for FUNCTION LOAD */
    const evs__chunk *chunk;
    evs__facts facts;
    const evs_site *sites; /* one per facts.uses */
    const evs_finding *findings;
    size_t nfindings;
};

/* A line of the source, from 1, without its end; empty when there is none. */
evs_bytes evs__report_line(const evs_report *report, int line);

#endif
