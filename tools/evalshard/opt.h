/*
 * opt.h - the words of a command line.
 *
 * Options are rows of a table. Long forms take their value as `--map FILE` or `--map=FILE`, short
 * ones as `-m FILE` or `-mFILE`. An option of kind WORDS takes all words up to the next option and
 * may be given several times. `--` ends options: what follows is taken as it is, by the WORDS
 * option that is open, else as plain words. "-" and "-5" are words and no options.
 */
#ifndef EVS_TOOLS_OPT_H
#define EVS_TOOLS_OPT_H

#include <stddef.h>

typedef enum opt_kind { OPT_FLAG, OPT_TEXT, OPT_WORDS } opt_kind;

typedef struct opt_spec {
    char letter;      /* '\0' without a short form */
    const char *name; /* without dashes */
    opt_kind kind;
    const char *argument; /* its name in the help; NULL for a flag */
    const char *help;
} opt_spec;

/* Words are borrowed from argv. */
typedef struct opt_list {
    const char **words;
    size_t count;
} opt_list;

enum { OPT_MAX = 16 };

typedef struct opts {
    const opt_spec *specs;
    size_t nspecs;
    opt_list values[OPT_MAX]; /* by row; a flag given counts 1, a text has 1 word */
    opt_list plain;           /* the words that belong to no option */
    int help;                 /* -h or --help was given */
    char problem[256];        /* why opt_parse failed, one line */
} opts;

/* Parses `argv` by the `nspecs` rows of `specs` (at most OPT_MAX). Returns 0, or -1 with the
 * problem written down. Free it in both cases. */
int opt_parse(opts *out, const opt_spec *specs, size_t nspecs, const char *const *argv);
void opt_free(opts *given);

int opt_given(const opts *given, size_t row);

/* The value of a TEXT option, the last one given; NULL when it was not. */
const char *opt_text(const opts *given, size_t row);

/* Reads a duration such as 500ms, 2s or 1m into milliseconds. Returns 0, or -1: no unit, not a
 * whole number above 0, more than a day. */
int opt_duration(unsigned *out, const char *text);

/* The word of `words` most like `word`; NULL when none is near enough to suggest. */
const char *opt_similar(const char *word, const char *const *words, size_t count);

#endif
