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

/* Is the value of `expr` kept small: by math.min, or because something in it was compared before
 * `before`? (clamp.c) */
int evs__is_clamped(const evs__meanings *meanings, const evs__chunk *chunk, const evs__expr *expr,
                    size_t before);

/* Does its text read ARGV, other than how long it is? (clamp.c) */
int evs__reads_argv(const evs__meanings *meanings, const evs__expr *expr);

#endif
