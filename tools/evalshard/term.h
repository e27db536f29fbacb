/*
 * term.h - writing for people and for pipes: problems, colour, bytes that are not text, progress.
 */
#ifndef EVS_TOOLS_TERM_H
#define EVS_TOOLS_TERM_H

#include <evalshard/base.h>
#include <stdio.h>

typedef enum style { PLAIN, GOOD, BAD, CAUTION, FAINT, STRONG } style;

/* "evalshard: " and the message, on standard error. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `block`, or the end of the program when it is NULL: out of memory. */
void *need(void *block);

int is_terminal(FILE *out);

/* Columns of the terminal `out`; 80 when it does not say. */
size_t terminal_width(FILE *out);

/* The escape sequence that begins `which`, "" when `out` takes no colour: not a terminal, a dumb
 * one, or NO_COLOR is set. `which` PLAIN ends what was begun. */
const char *colour(FILE *out, style which);

/* A copy of `text` that a terminal shows as it is: control characters and bytes that are not UTF-8
 * become \n, \t or \xNN, and `quote`, when it is not '\0', a backslash and itself. NUL-terminated,
 * yours to free. */
char *shown(evs_bytes text, char quote);

/* How many columns `text` takes, one a character. */
size_t columns_of(const char *text);

/* The length of the UTF-8 character at the start of `text`; 0 when there is none. */
size_t utf8_length(evs_bytes text);

/* Progress on standard error, for what may take longer than a second. Nothing is shown before, nor
 * when standard error is no terminal. */
typedef struct progress {
    int64_t started_ms;
    int64_t shown_ms; /* 0: nothing shown yet */
    const char *what;
} progress;

void progress_start(progress *p, const char *what);
void progress_show(progress *p, size_t done, size_t total);
void progress_end(progress *p); /* wipes the line */

#endif
