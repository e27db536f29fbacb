/*
 * step_summary.h - a table on the page of a GitHub Actions run.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_STEP_SUMMARY_H
#define EVS_TOOLS_SCRIPT_AUDIT_STEP_SUMMARY_H

#include <evalshard/audit.h>

/* Appends a table of the scripts that have findings to the file at `path`, which GitHub names in
 * GITHUB_STEP_SUMMARY. 0 when it cannot be written; it was said. */
int step_summary(const char *path, const evs_report *const *reports, size_t count);

#endif
