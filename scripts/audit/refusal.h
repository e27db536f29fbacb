/*
 * refusal.h - why a server refuses a script that does not compile, told apart for those who have to
 * mend it.
 */
#ifndef EVS_SCRIPTS_AUDIT_REFUSAL_H
#define EVS_SCRIPTS_AUDIT_REFUSAL_H

#include "scripts/syntax/parser.h"

typedef enum evs__refusal {
    EVS__REFUSAL_NONE = 0,
    EVS__REFUSAL_SYNTAX,
    EVS__REFUSAL_NEWER,   /* a newer Lua would take it */
    EVS__REFUSAL_LIMIT,   /* Lua 5.1, but too much of something */
    EVS__REFUSAL_SHEBANG, /* the first line, or one that is not the first */
    EVS__REFUSAL_LEADING  /* bytes before the script that no editor shows */
} evs__refusal;

/* `*what` becomes a sentence about it for NEWER and LEADING and a misplaced shebang, else NULL. */
evs__refusal evs__refusal_of(const evs__chunk *chunk, const char **what);

#endif
