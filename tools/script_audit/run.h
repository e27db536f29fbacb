/*
 * run.h - audits all inputs, reports, and knows the exit code.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_RUN_H
#define EVS_TOOLS_SCRIPT_AUDIT_RUN_H

#include "tools/script_audit/options.h"

/* From harmless to worst, so that the worst of all is the largest. */
enum { EXIT_FINE = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_UNREADABLE = 3 };

int run_audit(const options *o);

#endif
