/*
 * meaning.h - what a local variable means that is set once and for all.
 *
 * `local call = redis.call` makes `call` another word for `redis.call`. Only text is looked at:
 * variables that are assigned later, parameters and loop variables mean themselves.
 */
#ifndef EVS_SCRIPTS_SYNTAX_MEANING_H
#define EVS_SCRIPTS_SYNTAX_MEANING_H

#include "core/table.h"
#include "scripts/syntax/ast.h"

typedef struct evs__meanings {
    evs__table initials; /* of a declaration that is never assigned: its only value */
    evs__arena *arena;
} evs__meanings;

/* Reads all declarations of `main`; 0 when out of memory. */
int evs__meanings_read(evs__meanings *meanings, evs__arena *arena, const evs__function *main);
void evs__meanings_free(evs__meanings *meanings);

/* What `expr` stands for; itself when it is no such variable. Never a parenthesis. */
const evs__expr *evs__meaning(const evs__meanings *meanings, const evs__expr *expr);

/* Does it stand for object.name of the global table `object`? */
int evs__means_field(const evs__meanings *meanings, const evs__expr *expr, const char *object,
                     const char *name);

#endif
