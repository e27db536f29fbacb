/*
 * options.h - the arguments of script-audit.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_OPTIONS_H
#define EVS_TOOLS_SCRIPT_AUDIT_OPTIONS_H

#include <evalshard/audit.h>

typedef enum options_task {
    TASK_AUDIT,
    TASK_EXPLAIN, /* `rule`, or all when it is NULL */
    TASK_HELP,
    TASK_VERSION
} options_task;

typedef struct options {
    options_task task;
    const char *rule;   /* of --explain */
    const char *format; /* "text" or "json" */
    int fail_on;        /* an evs_severity; above all of them for never */
    int colour;
    evs_audit_options audit; /* what is audited for; understood */
    const char **paths;      /* of argv */
    int npaths;
} options;

/* Reads argv, which it reorders. 1 when it is right; else it has said what is wrong. */
int options_read(options *out, int argc, char **argv);

void options_help(void);

#endif
