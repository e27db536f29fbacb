/*
 * reads.h - which places of KEYS or ARGV a script reads.
 */
#ifndef EVS_SCRIPTS_AUDIT_READS_H
#define EVS_SCRIPTS_AUDIT_READS_H

#include "scripts/audit/facts.h"

/* Places above this one are not told apart: a read of one sets `all`. */
enum { EVS__READS_PLACES = 64 };

typedef struct evs__reads {
    unsigned char read[EVS__READS_PLACES + 1]; /* by place, from 1 */
    int highest;                               /* place that is read; 0 for none */
    int all;                                   /* it is used in a way that may read any of them */
} evs__reads;

/* What is read of `given`, which is EVS__GIVEN_KEYS or EVS__GIVEN_ARGV. */
evs__reads evs__reads_of(const evs__facts *facts, evs__given given);

/* Where `given[index]` is read first; the start of the script when it is not read. */
evs_span evs__reads_span(const evs__facts *facts, evs__given given, int index);

#endif
