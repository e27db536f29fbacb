/*
 * keys.h - keys of a file, one a line.
 */
#ifndef EVS_TOOLS_KEYS_H
#define EVS_TOOLS_KEYS_H

#include <evalshard/base.h>

typedef void keys_take(void *arg, evs_bytes key);

/* Calls `take` for each line of `path` ("-" is stdin) without its newline, with progress. Returns
 * EXIT_FINE, or EXIT_UNREACHABLE when the file cannot be read, which is printed. */
int keys_read(const char *path, const char *what, keys_take *take, void *arg);

#endif
