/*
 * config.h - .script-audit.yaml: what the scripts below a folder are audited for.
 *
 * Each input has the settings of the nearest such file at or above its folder. Globs and paths in
 * a file begin at the folder it is in.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_CONFIG_H
#define EVS_TOOLS_SCRIPT_AUDIT_CONFIG_H

#include "core/arena.h"

#include <evalshard/audit.h>

#define CONFIG_NAME ".script-audit.yaml"

enum { CONFIG_UNSET = -1 };

/* Settings for the files that a glob matches. Texts are NULL when they are not there. */
typedef struct config_files {
    const char *glob;
    const char *select, *extend_select, *ignore, *severities;
    const char *commands, *globals;
    const char *contract;
} config_files;

/* A script that is made of several files, in this order. */
typedef struct config_concat {
    const char *name; /* in reports */
    const char **files;
    size_t nfiles;
} config_concat;

typedef struct config {
    evs__arena arena;   /* all below lives here */
    const char *path;   /* as it is shown */
    const char *folder; /* absolute */
    const char *target, *profile, *hash_tag;
    const char *map, *pool; /* whose hash_tag it is, or NULL */
    config_files all;
    int fail_on; /* evs_fail_on, or CONFIG_UNSET */
    int show;    /* evs_severity, or CONFIG_UNSET */
    int allow_derived;
    int keys_from_name;
    long unpack_limit; /* 0: not said */
    int includes;      /* 0: include comments mean nothing */
    const char *baseline;
    const char **exclude;
    size_t nexclude;
    const char **include_paths;
    size_t ninclude_paths;
    config_files *files; /* in order; contracts at the end */
    size_t nfiles;
    config_concat *concat;
    size_t nconcat;
} config;

/* What the command line says of hash tags, for settings that name a map. */
typedef struct config_choice {
    const char *pool; /* instead of theirs, or NULL */
    int tag_given;    /* their maps are not asked */
} config_choice;

/* The settings in the file at `path`; NULL when they are not usable, which it says on standard
 * error, all complaints at once; `*unreadable` is set when that is because a file that they name
 * cannot be read. config_free it. */
config *config_read(const char *path, const config_choice *choice, int *unreadable);
void config_free(config *c);

/* All settings of a run, each file read once. */
typedef struct config_set {
    const char *given; /* --config: for all inputs */
    int none;          /* --no-config */
    config_choice choice;
    int maps;                     /* how many settings name a map */
    int unreadable;               /* some file that they name cannot be read; it was said */
    struct config_entry *entries; /* ours */
    size_t count, cap;
    int failed; /* some file is not usable; it was said */
} config_set;

/* 1 and the settings for the input at `path` in `*out`, NULL when there are none; 0 when they are
 * not usable. */
int config_for(config_set *set, const char *path, const config **out);
void config_set_free(config_set *set);

#endif
