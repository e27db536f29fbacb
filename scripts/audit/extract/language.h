/*
 * language.h - a language that scripts are written into as string literals.
 *
 * One file and one row in languages.def per language. A language says how its text is cut into
 * tokens (comments and literals are its own, the rest is alike), what its literals mean, and how it
 * puts literals together. The rest of the folder knows no language by name.
 */
#ifndef EVS_SCRIPTS_AUDIT_EXTRACT_LANGUAGE_H
#define EVS_SCRIPTS_AUDIT_EXTRACT_LANGUAGE_H

#include "scripts/audit/extract/scanner.h"
#include "scripts/audit/extract/weave.h"

/* When two literals side by side are one. */
typedef enum evs__adjacent {
    EVS__ADJACENT_NEVER,
    EVS__ADJACENT_IN_LINE,  /* on one line, or inside of brackets */
    EVS__ADJACENT_ANYWHERE, /* also around a name, which is a macro */
} evs__adjacent;

/* How a list of literals becomes one text. */
typedef enum evs__joining {
    EVS__JOIN_NONE,
    EVS__JOIN_LIST,      /* [a, b].join(x) */
    EVS__JOIN_SEPARATOR, /* x.join([a, b]) */
    EVS__JOIN_FUNCTION,  /* f(x, [a, b]) or f(x, a, b) */
    EVS__JOIN_BEHIND     /* f(T{a, b}, x) */
} evs__joining;

struct evs__language {
    const char *name;
    const char *extensions; /* ".c .h" */
    /* Reads what stands at scanner->at, which is before the end, and goes behind it. */
    void (*next)(evs__scanner *scanner);
    /* Adds what the literal stands for. `scanner` is a spare one, to find ends of code in it. */
    void (*decode)(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal);
    char concat; /* the operator that puts texts together; 0: there is none */
    evs__adjacent adjacent;
    evs__joining joining;
    const char *join; /* the function of FUNCTION and BEHIND, " a b " */
};

/* The language of files that are called so; NULL when there is none. */
const evs__language *evs__language_of(const char *path);

#endif
