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

/* A packed point has its owner in the low 16 bits and the high 48 bits of its value above: all that
 * a look-up reads of a ring, once of a point's neighbours too. */
typedef struct evs__ring {
    const uint64_t
        *packed; /* ascending; then EVS__RING_STEPS of the first owner, at the very end */
    const uint64_t *values; /* the same, whole values; NULL when all have only their high 32 bits */
    const uint32_t *arcs;   /* where each arc's points begin; one more at the end */
    size_t steps;           /* the points of the fullest arc */
    unsigned shift;         /* value >> shift is the arc */
} evs__ring;

/* Arcs with more points are searched by halves; a multiple of four. */
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

/* The first point of a crowded arc that is not below `least`. The loop halves what is left of it.
 */
static inline size_t evs__ring_halve(const evs__ring *ring, size_t arc, uint64_t least)
{
    size_t low = ring->arcs[arc], high = ring->arcs[arc + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->packed[middle] < least)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The same of any arc. Points behind it are larger, so they do not count. */
static inline size_t evs__ring_count(const evs__ring *ring, size_t arc, uint64_t least)
{
    const uint64_t *point = ring->packed + ring->arcs[arc];
    size_t before = 0;
    for (const uint64_t *end = point + ring->steps; point < end; point += 4)
        before += (size_t)(point[0] < least) + (point[1] < least) + (point[2] < least) +
                  (point[3] < least);
    return ring->arcs[arc] + before;
}

/* The owner of `value`, which has no more than its high 32 bits when no point has more. The loop
 * sees points that are alike in 48 bits only, hence hardly ever one. */
static inline size_t evs__ring_find(const evs__ring *ring, uint64_t value)
{
    size_t arc = (size_t)(value >> ring->shift);
    uint64_t least = value & ~(uint64_t)0xffff;
    size_t at = ring->steps <= EVS__RING_STEPS ? evs__ring_count(ring, arc, least)
                                               : evs__ring_halve(ring, arc, least);
    if (ring->values != NULL && (ring->packed[at] ^ value) >> 16 == 0) {
        while (ring->values[at] < value)
            at++;
    }
    return ring->packed[at] & 0xffff;
}

#endif
