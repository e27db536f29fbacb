/*
 * shipped.h - the scripts of scripts/lib, embedded when the library is built.
 */
#ifndef EVS_SCRIPTS_SHIPPED_H
#define EVS_SCRIPTS_SHIPPED_H

#include <stddef.h>

typedef struct evs__shipped_script {
    const char *name;
    const char *source; /* not NUL-terminated text in general; `len` bytes */
    size_t len;
} evs__shipped_script;

extern const evs__shipped_script evs__shipped_scripts[];
extern const size_t evs__shipped_count;

#endif
