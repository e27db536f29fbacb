/*
 * source_map.h - from places in a script to places in the files it was made of.
 *
 * The one mechanism for "positions in another file": includes, concatenated files and scripts that
 * stand inside of strings of other languages all hand an evs_source_map to evs_audit. The audit
 * itself knows nothing of it: positions are translated once, when the report is complete.
 */
#ifndef EVS_SCRIPTS_AUDIT_SOURCE_MAP_H
#define EVS_SCRIPTS_AUDIT_SOURCE_MAP_H

#include "scripts/audit/value.h"

#include <evalshard/audit.h>

/* A text with an index of its lines. */
typedef struct evs__text {
    const char *path;
    evs_bytes text;
    const size_t *lines; /* where each begins; there is at least one */
    size_t nlines;
} evs__text;

/* Places of a script and the files they mean. */
typedef struct evs__origins {
    evs__text script;
    const evs_source_map *map; /* NULL: the script is a file itself */
    evs__text *files;          /* one per file of the map */
} evs__origins;

/* 0 when out of memory. */
int evs__origins_init(evs__origins *out, evs__pool *pool, const char *path, evs_bytes script,
                      const evs_source_map *map);

/* Makes of a stretch of the script the stretch of a file that it came from, and returns the path of
 * that file. A stretch over several files ends with the file that it begins in. */
const char *evs__origins_find(const evs__origins *origins, evs_span *at);

/* A line of the file, from 1, without its end; empty when there is none. */
evs_bytes evs__origins_line(const evs__origins *origins, const char *path, int line);

#endif
