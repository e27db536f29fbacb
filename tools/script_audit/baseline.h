/*
 * baseline.h - findings that were there before: a JSON file with one entry per line, sorted, so
 * that it can be read in a review and merged.
 *
 *     {"schema":1,"findings":[
 *     {"path":"src/add.lua","code":"ES102","count":1,"hash":["39fa2ee980eb94b0:1"]}
 *     ]}
 *
 * Paths are from the folder of the file.
 */
#ifndef EVS_TOOLS_SCRIPT_AUDIT_BASELINE_H
#define EVS_TOOLS_SCRIPT_AUDIT_BASELINE_H

#include "core/arena.h"

#include <evalshard/audit.h>

#define BASELINE_NAME "evalshard-baseline.json"

typedef struct baseline_entry {
    const char *path;
    evs_known known;
    int used; /* a script of this path was audited */
    int gone; /* its file is not there any more */
} baseline_entry;

typedef struct baseline {
    evs__arena arena;
    const char *path;        /* as it is shown */
    const char *folder;      /* absolute */
    baseline_entry *entries; /* by path */
    size_t count;
    evs_known *known; /* of all entries, in the same order */
} baseline;

/* Reads a baseline; NULL when it is not usable, which it says. baseline_free it. */
baseline *baseline_read(const char *path);

/* What it knows of the script called `name`: `*count` of them. */
const evs_known *baseline_of(baseline *b, const char *name, size_t *count);

/* Takes off what a report used up, so that another script of the same file does not use it too. */
void baseline_take(baseline *b, const evs_report *report);

/* Finds entries of files that are not there any more, and says so. */
void baseline_find_gone(baseline *b);
void baseline_free(baseline *b);

/* Writes all findings that are not suppressed in their source. 0 when it cannot, which it says. */
int baseline_write(const char *path, const evs_report *const *reports, size_t count);

#endif
