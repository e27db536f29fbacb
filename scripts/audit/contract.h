/*
 * contract.h - what a script says of itself: the header block.
 *
 *     --- Takes a lock, unless somebody holds it.
 *     -- @key  lock     string, gone when it expires
 *     -- @arg  ttl      milliseconds
 *     -- @returns integer 1, or nil when somebody else holds it
 *     -- @retry once
 *
 * The block is read from text alone: it needs neither a parse of the script nor a network. The
 * grammar is the comment of contract.c.
 */
#ifndef EVS_SCRIPTS_AUDIT_CONTRACT_H
#define EVS_SCRIPTS_AUDIT_CONTRACT_H

#include "core/arena.h"

#include <evalshard/audit.h>
#include <evalshard/script.h>

/* One declared key or argument. */
typedef struct evs__param {
    const char *name;
    const char *text; /* "" when there is none */
    evs_span at;      /* the name */
} evs__param;

typedef struct evs__params {
    evs__param *items;
    size_t count;
    size_t cap;
    int tail; /* 1: the last one stands for any number of values, also for none */
} evs__params;

/* All text is in the arena, or static. Without a block all texts are "" and all numbers 0. */
typedef struct evs__contract {
    int present;         /* there is a block */
    int counts;          /* it has a @key or an @arg, so both numbers are declared */
    const char *summary; /* the sentence it opens with */
    evs__params keys;    /* in order */
    evs__params args;    /* in order */
    const char *type;    /* of @returns: its first word */
    const char *returns; /* of @returns: all of it, the type too */
    evs_retry retry;     /* ONCE when not said */
    evs_span retry_at;   /* the class; line 0 when not said */
    int version;         /* 0 when not said */
} evs__contract;

/* Reads the header block of `source`. A script without one is fine: `present` is 0.
 * Fails with EVS_E_INVALID for a faulty block (`err` has line and column, the message does not) and
 * with EVS_E_NOMEM; `*out` is then not to be used. */
evs_status evs__contract_read(evs__contract *out, evs__arena *arena, evs_bytes source,
                              evs_error *err);

/* The fewest and the most values `params` stand for; SIZE_MAX is no limit. */
size_t evs__params_min(const evs__params *params);
size_t evs__params_max(const evs__params *params);

#endif
