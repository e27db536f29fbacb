/*
 * usage.h - what of KEYS and ARGV a script takes, and whether it writes: what a gate or a proxy
 * wants to know of a script besides its verdict.
 */
#ifndef EVS_SCRIPTS_AUDIT_USAGE_H
#define EVS_SCRIPTS_AUDIT_USAGE_H

#include "scripts/audit/report.h"

enum { EVS__INDICES_MAX = 1024 };

/* Numbers of elements; those above the bound make it dynamic. */
typedef struct evs__indices {
    unsigned char has[EVS__INDICES_MAX / 8 + 1];
    size_t most; /* the largest in it */
    int dynamic; /* elements are also taken by an index that is not a constant */
} evs__indices;

int evs__indices_has(const evs__indices *set, size_t index);

typedef enum evs__writes { EVS__WRITES_NEVER, EVS__WRITES, EVS__WRITES_UNKNOWN } evs__writes;

typedef struct evs__usage {
    evs__indices keys;        /* that the text names, or that reach a command */
    evs__indices unused_keys; /* declared ones that nothing takes; empty when keys are dynamic */
    evs__indices args;
    long declared; /* keys that callers pass, at least; -1 when nobody said */
    evs__writes writes;
} evs__usage;

/* 0 when out of memory. */
int evs__usage_of(evs__usage *out, const evs_report *report);

#endif
