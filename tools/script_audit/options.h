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

/* Texts are of argv, or NULL when they were not given; lists are ours. */
typedef struct options {
    options_task task;
    const char *rule;   /* of --explain */
    const char *format; /* never NULL */
    const char *output;
    const char *dump; /* instead of a report */
    const char *hash_tag;
    const char *map, *pool; /* whose hash_tag it is */
    long unpack_limit;      /* 0: not given */
    evs_fail_on fail_on;
    evs_severity show; /* the least severity that people see */
    int show_given;
    int fail_on_given;
    int exit_zero;
    int allow_derived;
    int keys_from_name;
    const char *config;
    int no_config;
    const char *baseline;
    int write_baseline;
    int colour;
    int quiet;
    const char *stdin_name;
    int extract; /* from programs */

    const char *target, *profile;
    char *select, *extend_select, *ignore, *severities, *commands, *globals;

    const char **paths; /* of argv */
    int npaths;
} options;

/* Reads argv, which it reorders. 1 when it is right; else it has said what is wrong. Either way
 * `out` is to be freed. */
int options_read(options *out, int argc, char **argv);
void options_free(options *o);

/* Writes the help to standard output. */
void options_help(void);

#endif
