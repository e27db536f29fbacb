/*
 * file.h - a whole small file in memory.
 */
#ifndef EVS_CONF_FILE_H
#define EVS_CONF_FILE_H

#include "core/buf.h"

typedef enum evs__file_got {
    EVS__FILE_READ,
    EVS__FILE_FAILED, /* errno says why */
    EVS__FILE_TOO_BIG,
    EVS__FILE_NOMEM
} evs__file_got;

/* Appends the file to `out`. Everybody may read it: *open_to_all is 1 (may be NULL). */
evs__file_got evs__file_read(evs__buf *out, const char *path, size_t limit, int *open_to_all);

#endif
