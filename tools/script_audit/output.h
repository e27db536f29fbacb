/*
 * output.h - the report, to where it belongs.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_OUTPUT_H
#define EVS_TOOLS_SCRIPT_AUDIT_OUTPUT_H

#include "tools/script_audit/failures.h"
#include "tools/script_audit/options.h"

/* 0 when it could not be written; it was said. */
int output_write(const options *o, const evs_report *const *reports, size_t count,
                 const failures *failed);

/* What was made of each script, in place of the report. */
int output_dump(const options *o, const evs_report *const *reports, size_t count);

#endif
