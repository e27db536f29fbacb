/*
 * visit.h - going through a tree without following what it does.
 *
 * Every statement and expression is shown in the order of the text, a node before what is in it;
 * bodies of functions too. Where an expression is too high to be walked by recursion (a sum of
 * thousands of terms), what is in it is left out.
 */
#ifndef EVS_SCRIPTS_SYNTAX_VISIT_H
#define EVS_SCRIPTS_SYNTAX_VISIT_H

#include "scripts/syntax/ast.h"

/* Each of these may be NULL. */
typedef struct evs__visitor {
    void *context;
    /* 0: this statement is left out, with all that is in it. */
    int (*want)(void *context, const evs__stat *stat);
    void (*stat)(void *context, const evs__stat *stat);
    void (*left)(void *context, const evs__stat *stat); /* behind all that is in it */
    void (*expr)(void *context, const evs__expr *expr);
    void (*enter)(void *context, const evs__function *function);
    void (*leave)(void *context, const evs__function *function);
} evs__visitor;

void evs__visit_block(const evs__visitor *visitor, const evs__block *block);
void evs__visit_expr(const evs__visitor *visitor, const evs__expr *expr);

/* Without parentheses around it. */
const evs__expr *evs__bare(const evs__expr *expr);

/* Is it the name of this local variable? */
int evs__is_local_name(const evs__expr *expr, const evs__local *local);

/* Is it a global of this name? */
int evs__is_global_name(const evs__expr *expr, const char *name);

/* Is it object.name (also written object["name"]) of the global `object`? */
int evs__is_field_of(const evs__expr *expr, const char *object, const char *name);

int evs__span_within(evs__span inner, evs__span outer);

#endif
