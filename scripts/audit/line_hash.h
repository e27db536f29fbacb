/*
 * line_hash.h - what a finding is recognised by after its file was edited.
 */
#ifndef EVS_SCRIPTS_AUDIT_LINE_HASH_H
#define EVS_SCRIPTS_AUDIT_LINE_HASH_H

#include "scripts/audit/report.h"
#include "scripts/audit/rule.h"

/* Sets the fingerprints of those that have none. Positions are still those in the script. 0 when
 * out of memory. */
int evs__line_hashes(const evs__origins *origins, evs__findings *findings);

#endif
