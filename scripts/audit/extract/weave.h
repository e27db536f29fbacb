/*
 * weave.h - the text of a script being put together, and where each byte of it comes from.
 */
#ifndef EVS_SCRIPTS_AUDIT_EXTRACT_WEAVE_H
#define EVS_SCRIPTS_AUDIT_EXTRACT_WEAVE_H

#include "core/buf.h"
#include "scripts/audit/extract/scanner.h"

#include <evalshard/extract.h>

/* What stands for code of the host in a script: a name, as long as the call of a function, which is
 * what becomes of it where no expression can stand. */
#define EVS__HOLE_NAME "host_code_%zu__"
#define EVS__HOLE_CALL "()"

typedef struct evs__weave {
    evs_bytes host;
    evs__arena *arena;
    evs__buf text;          /* ours */
    evs_source_part *parts; /* the arena's */
    size_t nparts, parts_cap;
    evs_hole *holes; /* the arena's, as what they say */
    size_t nholes, holes_cap;
    int nomem;
    /* Weaves what a constant of the program stands for; 0 when no such constant is known. */
    int (*constant)(void *context, struct evs__weave *weave, evs_bytes name);
    void *context; /* of `constant` */
    int depth;     /* constants inside of constants */
} evs__weave;

void evs__weave_init(evs__weave *weave, evs__arena *arena, evs_bytes host);
void evs__weave_free(evs__weave *weave);

/* `len` bytes of the host from `at` on, as they stand. */
void evs__weave_plain(evs__weave *weave, size_t at, size_t len);

/* `text`, which the `len` bytes from `at` on stand for. */
void evs__weave_meant(evs__weave *weave, size_t at, size_t len, evs_bytes text);

/* What the code at host[start..end) gives: a constant, or something that is not known. */
void evs__weave_hole(evs__weave *weave, size_t start, size_t end);

/* ---- literals ---- */

/* What a backslash means. `simple` are pairs: the letter, and the byte it stands for. */
typedef struct evs__escapes {
    const char *simple;
    int octal;    /* \1 to \377 */
    unsigned hex; /* most digits of \x41; 0: it is not known */
    int unicode;  /* \u1234 */
    int wide;     /* \U00012345 */
    int braces;   /* \u{12345} */
    int joins;    /* a line end behind it vanishes */
    int keeps;    /* one that is not known is two bytes, else its letter alone */
} evs__escapes;

typedef struct evs__spelling {
    const evs__escapes *escapes; /* NULL: a backslash is a backslash */
    char doubled;                /* twice is once, as { in f-strings; 0: nothing is */
    char doubled_too;
    size_t indent; /* blanks that every line begins with, and that are left out */
    int trims;     /* blanks at ends of lines are left out */
    /* As in evs__fence. A { that it ends with is closed by a }; else the code is that long. */
    size_t (*opens)(const evs__scanner *scanner, size_t at);
    size_t (*names)(const evs__scanner *scanner, size_t at); /* a variable: all of it */
} evs__spelling;

/* What stands between `body` and `body_end` of the host. */
void evs__weave_spelled(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal,
                        const evs__spelling *spelling);

/* The fewest blanks at the beginning of a line that has anything else; of the last line always when
 * `last` is set. */
size_t evs__weave_indent(evs_bytes host, size_t body, size_t body_end, int last);

#endif
