/*
 * source.h - lines and characters of a UTF-8 text, counted as libyaml counts them.
 */
#ifndef EVS_CONF_SOURCE_H
#define EVS_CONF_SOURCE_H

#include <evalshard/base.h>

/* How many bytes the character at `at` has; 1 for a byte that begins none. 0 at the end. */
size_t evs__char_len(evs_bytes text, size_t at);

/* How many bytes the line break at `at` has (LF, CR, CR LF, and YAML's NEL, LS, PS); 0 for none. */
size_t evs__break_len(evs_bytes text, size_t at);

/* Where the text begins: behind a byte order mark. */
size_t evs__source_start(evs_bytes text);

/* Line number `line` (from 1) without its break; empty behind the end of the text. */
evs_bytes evs__source_line(evs_bytes text, int line);

/* Line and column (from 1) of byte `offset`. A byte order mark has no column. */
void evs__source_place(evs_bytes text, size_t offset, int *line, int *column);

#endif
