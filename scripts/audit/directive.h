/*
 * directive.h - what comments tell the audit.
 *
 *     comment  -> "evalshard:" (ignore | word {word})
 *     ignore   -> ("ignore" | "ignore-file") ["[" rule {"," rule} "]"] [reason]
 *     word     -> "keys=" N | "argv=" N | "hashtag" | "readonly" | "small=" ("KEYS" ["[" N "]"])
 *
 * An ignore behind code is for its line; alone on its line it is for the statement that comes next,
 * with all that is in it, or for the next line when no statement begins there. One for the file
 * stands in front of all code. A rule is named by its code or its name.
 */
#ifndef EVS_SCRIPTS_AUDIT_DIRECTIVE_H
#define EVS_SCRIPTS_AUDIT_DIRECTIVE_H

#include "scripts/audit/facts.h"

/* A rule that an ignore names. */
typedef struct evs__ignored {
    const evs_rule_info *rule;
    evs_span at;
    int used; /* there was something to ignore */
} evs__ignored;

typedef struct evs__ignore {
    evs_span at;               /* the comment */
    int first_line, last_line; /* what it is for */
    evs__ignored *rules;
    size_t nrules;      /* 0: all of them */
    int used;           /* of one for all rules: there was something to ignore */
    const char *reason; /* "" when there is none */
} evs__ignore;

/* Something that somebody said wrongly, or twice and differently. */
typedef struct evs__remark {
    evs_span at;
    const char *message;
} evs__remark;

typedef struct evs__remarks {
    evs__remark *items;
    size_t count, cap;
} evs__remarks;

struct evs__directives {
    evs__ignore *ignores;
    size_t nignores, ignores_cap;
    evs__remarks faults;    /* directives that are not understood */
    evs__remarks conflicts; /* between directives, the header block and the name of the file */
    evs__remarks blocks;    /* a header block that is not understood: at most one */
    evs__remarks stale;     /* what a baseline knows and is gone; places in `stale_path` */
    const char *stale_path;
};

/* Reads all comments of the script; what they expect of callers goes to the setting, where it
 * replaces what others said. 0 when out of memory. */
int evs__directives_read(evs__directives *out, evs__pool *pool, const evs__chunk *chunk,
                         evs__setting *setting);

int evs__remark_add(evs__remarks *out, evs__pool *pool, evs_span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
