/*
 * ring.h - points on a circle; a hash belongs to the first point at or behind it.
 *
 * The circle is cut into as many arcs as there are points, to the next power of two, and an index
 * says where each begins: a look-up reads the index and, as points are spread evenly, about one
 * point. Same answers as a binary search over all points, which is what other software does.
 */
#ifndef EVS_SHARDING_PLACEMENT_RING_H
#define EVS_SHARDING_PLACEMENT_RING_H

#include "core/arena.h"

#include <stdint.h>

/* A point being collected. */
typedef struct evs__point {
    uint64_t value;
    uint32_t owner;
} evs__point;

typedef struct evs__ring {
    const uint64_t *values; /* ascending */
    const uint32_t *owners;
    const uint32_t *arcs; /* where each arc's points begin; one more at the end */
    size_t npoints;
    unsigned shift; /* value >> shift is the arc */
} evs__ring;

/* Collects points; memory for `room` of them is taken at the start. */
typedef struct evs__points {
    evs__point *at; /* ours until made into a ring; NULL when out of memory */
    size_t count, room;
} evs__points;

evs__points evs__points_new(size_t room);
void evs__points_add(evs__points *points, uint64_t value, uint32_t owner);

/* Sorts the points, of equal values the one that was added first, and frees them. The ring lives
 * in `arena`; NULL when out of memory. */
evs__ring *evs__ring_make(evs__arena *arena, evs__points *points);

/* The owner of `value`. The loop halves what is left of one arc. */
static inline size_t evs__ring_find(const evs__ring *ring, uint64_t value)
{
    size_t arc = (size_t)(value >> ring->shift);
    size_t low = ring->arcs[arc], high = ring->arcs[arc + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return ring->owners[low == ring->npoints ? 0 : low];
}

#endif
