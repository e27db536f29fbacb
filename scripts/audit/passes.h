/*
 * passes.h - what is found in the text once the script was followed. Each adds its facts to `flow`.
 */
#ifndef EVS_SCRIPTS_AUDIT_PASSES_H
#define EVS_SCRIPTS_AUDIT_PASSES_H

#include "scripts/audit/flow.h"
#include "scripts/syntax/meaning.h"

/* names.c: globals, and what is taken from the sandbox. */
void evs__find_names(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                     const evs__meanings *meanings);

/* order.c: where the order shows in which pairs goes through a table. */
void evs__find_order(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                     const evs__meanings *meanings);

/* sizes.c: how much unpack and string.rep make. */
void evs__find_sizes(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                     const evs__meanings *meanings);

/* late.c: failing after something was written. */
void evs__find_late_failures(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk,
                             const evs__meanings *meanings);

/* errors.c: constant texts of errors for the client. */
void evs__find_error_texts(evs__flow *flow, evs__pool *pool);

/* library.c: what a library of functions does wrong. */
void evs__find_faults(evs__flow *flow, evs__pool *pool);

/* placeholders.c: strings that a template engine was to fill in. */
void evs__find_placeholders(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk);

#endif
