/*
 * jobs.h - what is to be audited: the inputs with their settings, without those that are excluded,
 * and with one script for files that belong together.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_JOBS_H
#define EVS_TOOLS_SCRIPT_AUDIT_JOBS_H

#include "tools/script_audit/config.h"
#include "tools/script_audit/input.h"

typedef struct job {
    const char *path; /* the file; "-" is standard input */
    const char *name; /* in reports */
    const config *settings;
    char *relative;              /* ours: the path as globs of the settings see it */
    const config_concat *concat; /* instead of a file */
} job;

typedef struct jobs {
    job *items; /* in the order of names */
    size_t count, cap;
} jobs;

/* `stdin_name` may be NULL. 0 when out of memory. Inputs without usable settings are left out. */
int jobs_make(jobs *out, const input_list *inputs, config_set *set, const char *stdin_name);
void jobs_free(jobs *all);

#endif
