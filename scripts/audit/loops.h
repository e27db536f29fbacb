/*
 * loops.h - how often a loop is gone round.
 */
#ifndef EVS_SCRIPTS_AUDIT_LOOPS_H
#define EVS_SCRIPTS_AUDIT_LOOPS_H

#include "scripts/audit/flow.h"
#include "scripts/syntax/meaning.h"

/* Says of each loop that was entered what bounds it, and finds strings that grow in loops. */
void evs__rank_loops(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                     const evs__meanings *meanings);

/* The bound of a loop with a condition (ranking.c). */
evs__bound evs__rank_condition(const evs__loopfact *loop, const evs__meanings *meanings);

/* Where variables are compared with something that may be their limit (clamp.c). */
typedef struct evs__clamps {
    evs__table first; /* of a variable: where that is first done */
    evs__arena *arena;
} evs__clamps;

/* 0 when out of memory. */
int evs__clamps_read(evs__clamps *clamps, evs__arena *arena, const evs__chunk *chunk,
                     const evs__meanings *meanings);
void evs__clamps_free(evs__clamps *clamps);

/* Is the value of `expr` kept small: by math.min, or because something in it was compared before
 * the offset `before`? */
int evs__is_clamped(const evs__clamps *clamps, const evs__meanings *meanings, const evs__expr *expr,
                    size_t before);

/* Does its text read ARGV, other than how long it is? (clamp.c) */
int evs__reads_argv(const evs__meanings *meanings, const evs__expr *expr);

#endif
