/*
 * format.h - the lines of a YAML text and what becomes of them in its canonical form.
 *
 * Two parts: format_lines.c decides how far each line is indented, from the tree; format.c spaces
 * what is in a line. Neither touches what is inside of a text, so quotes, folded texts and blocks
 * stay as they were written.
 */
#ifndef EVS_CONF_FORMAT_H
#define EVS_CONF_FORMAT_H

#include "conf/yaml_tree.h"

typedef enum evs__line_kind {
    EVS__LINE_RAW, /* inside of a text, or a directive: only moved */
    EVS__LINE_BLANK,
    EVS__LINE_COMMENT, /* nothing else */
    EVS__LINE_BEGINS,  /* with a key, or the dash of an item */
    EVS__LINE_GOES_ON  /* inside of brackets */
} evs__line_kind;

/* Part of a line that belongs to a text, in bytes; the end may be the line's. */
typedef struct evs__piece {
    size_t start, end;
} evs__piece;

typedef struct evs__line {
    evs_bytes text; /* without its break */
    evs__line_kind kind;
    size_t old_indent, new_indent;
    int is_placed; /* new_indent is known */
    size_t owner;  /* of one that goes on: the line that moves it */
    size_t first_piece, npieces;
} evs__line;

typedef struct evs__lines {
    evs__line *lines; /* ours, in the arena */
    size_t nlines;
    evs__piece *pieces; /* sorted */
    size_t npieces;
} evs__lines;

/* Lays `text`, which has LF alone for breaks and the tree `root`, out in `arena`. 0 when out of
 * memory. */
int evs__lines_make(evs__lines *out, evs__arena *arena, evs_bytes text, const evs__yaml *root);

#endif
