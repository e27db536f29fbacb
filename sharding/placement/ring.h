/*
 * ring.h - points on a circle; a hash belongs to the first point at or behind it.
 *
 * The circle is cut into as many arcs as there are points, to the next power of two, and an index
 * says where each begins. As points are spread evenly, even the fullest arc has only a few, so a
 * look-up compares that many, always as many: no branch of it depends on the key, and no step but
 * the first waits for another. Same answers as a binary search over all points, which is what other
 * software does, and which remains for rings with a crowded arc.
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
    const uint64_t *values; /* ascending, then EVS__RING_STEPS times the largest number */
    const uint32_t *owners; /* behind the last, the first one's again */
    const uint32_t *arcs;   /* where each arc's points begin; one more at the end */
    size_t steps;           /* the points of the fullest arc */
    unsigned shift;         /* value >> shift is the arc */
} evs__ring;

/* Arcs with more points are searched by halves. */
enum { EVS__RING_STEPS = 16 };

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

/* The first point of a crowded arc at or behind `value`. The loop halves what is left of it. */
static inline size_t evs__ring_halve(const evs__ring *ring, size_t arc, uint64_t value)
{
    size_t low = ring->arcs[arc], high = ring->arcs[arc + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The owner of `value`. Points behind the arc are larger than it, so they do not count. */
static inline size_t evs__ring_find(const evs__ring *ring, uint64_t value)
{
    size_t arc = (size_t)(value >> ring->shift);
    if (ring->steps > EVS__RING_STEPS)
        return ring->owners[evs__ring_halve(ring, arc, value)];

    const uint64_t *points = ring->values + ring->arcs[arc];
    size_t before = 0;
    for (const uint64_t *end = points + ring->steps; points < end; points += 4)
        before += (size_t)(points[0] < value) + (points[1] < value) + (points[2] < value) +
                  (points[3] < value);
    return ring->owners[ring->arcs[arc] + before];
}

#endif
