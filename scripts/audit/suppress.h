/*
 * suppress.h - findings that somebody accepted.
 */
#ifndef EVS_SCRIPTS_AUDIT_SUPPRESS_H
#define EVS_SCRIPTS_AUDIT_SUPPRESS_H

#include "scripts/audit/directive.h"
#include "scripts/audit/rule.h"

/* Marks the findings that comments ignore, and the comments as used. */
void evs__suppress_in_source(evs__directives *directives, evs__findings *findings);

/* Marks the findings that were there before, by their fingerprints and then by their number;
 * those that are not there any more become stale. 0 when out of memory. */
int evs__suppress_known(evs__directives *directives, evs__findings *findings,
                        const evs_audit_options *o);

#endif
