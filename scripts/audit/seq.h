/*
 * seq.h - a list of Lua values whose length may not be known: arguments, results, `...`.
 *
 * The first `least` of `items` are surely there; behind them the list may end anywhere; behind all
 * items any number of `rest` may follow. An item is always at its own position. Of a rest that
 * comes in twos it is known what is at its first, third, ... place and what at the places between.
 */
#ifndef EVS_SCRIPTS_AUDIT_SEQ_H
#define EVS_SCRIPTS_AUDIT_SEQ_H

#include "scripts/audit/value.h"

enum { EVS__SEQ_MAX = 260 }; /* more than a call can have; longer lists go to the rest */

typedef struct evs__arg {
    const evs__value *value;
    evs__span at;
} evs__arg;

typedef struct evs__seq {
    evs__arg *items;
    size_t count;
    size_t least;
    const evs__value *rest;    /* NULL: nothing behind the items; covers `pair` */
    const evs__value *pair[2]; /* NULL: nothing known */
    evs__span rest_at;
    int none; /* no list at all: what would give it is never reached */
} evs__seq;

/* The empty list; the list that is never reached; one value; anything. */
evs__seq evs__seq_empty(void);
evs__seq evs__seq_none(void);
evs__seq evs__seq_of(evs__pool *pool, const evs__value *value, evs__span at);
evs__seq evs__seq_any(const evs__value *rest, evs__span at);

/* An empty list with room for `count` values, for evs__seq_fill; NULL when there is none, because
 * they are too many or memory ran out. */
evs__arg *evs__seq_begin(evs__pool *pool, evs__seq *seq, size_t count);
void evs__seq_fill(evs__seq *seq, const evs__value *value, evs__span at);

/* Adds to the end of a list with a known length, which has no rest. */
void evs__seq_push(evs__pool *pool, evs__seq *seq, const evs__value *value, evs__span at);
void evs__seq_append(evs__pool *pool, evs__seq *seq, const evs__seq *tail, evs__span at);

/* The value at `i`, from 0; with nil when it may be missing. */
const evs__value *evs__seq_at(evs__pool *pool, const evs__seq *seq, size_t i);

/* Without the first `n`. */
evs__seq evs__seq_drop(const evs__seq *seq, size_t n);

/* Everything that may be in it. Never NULL. */
const evs__value *evs__seq_all(evs__pool *pool, const evs__seq *seq);

evs__seq evs__seq_join(evs__pool *pool, const evs__seq *a, const evs__seq *b);

/* Is the length known? */
int evs__seq_exact(const evs__seq *seq);

/* Do both say the same? */
int evs__seq_same(const evs__seq *a, const evs__seq *b);

#endif
