/*
 * ring.h - points on a circle; a hash belongs to the first point at or behind it.
 *
 * The circle is cut into arcs of up to three points on average, and an index says where each
 * begins. Of a point the arc says the highest bits already, so a look-up reads the next sixteen and
 * the owner, four bytes in all: the tables of a thousand shards stay in the caches, and the points
 * of an arc are in one or two lines. They are compared all at once, so no branch depends on the key
 * unless an arc is crowded, which few are: that one is searched by halves. Same answers as a binary
 * search over all points, which is what other software does.
 */
#ifndef EVS_SHARDING_PLACEMENT_RING_H
#define EVS_SHARDING_PLACEMENT_RING_H

#include "core/arena.h"

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A point being collected. */
typedef struct evs__point {
    uint64_t value;
    uint32_t owner;
} evs__point;

/* A packed point has its owner in the low 16 bits and above them the 16 bits of its value that
 * follow those of its arc, less 2^15: they are compared as signed numbers. */
typedef struct evs__ring {
    const int32_t *packed;  /* ascending in each arc; then EVS__RING_FEW of the first owner */
    const uint64_t *values; /* the same, whole; NULL when all have 32 bits, which are packed */
    const uint32_t *arcs;   /* where each arc's points begin; one more at the end */
    unsigned shift;         /* value >> shift is the arc */
} evs__ring;

/* Arcs with more points are crowded. */
enum { EVS__RING_FEW = 16 };

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

static inline int32_t evs__ring_pack(uint64_t value, unsigned shift, uint32_t owner)
{
    uint32_t bits = (uint32_t)(value >> (shift - 16)) & 0xffff;
    return (int32_t)((bits ^ 0x8000) << 16 | owner);
}

/* How many of `count` points are below `least`. The loop halves what is left of them. */
static inline size_t evs__ring_halve(const int32_t *points, size_t count, int32_t least)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (points[middle] < least)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#ifdef __SSE2__
/* Which of eight points are below, as words of ones. */
static inline __m128i evs__ring_eight(const int32_t *points, __m128i least)
{
    __m128i four = _mm_loadu_si128((const void *)points);
    __m128i more = _mm_loadu_si128((const void *)(points + 4));
    return _mm_packs_epi32(_mm_cmpgt_epi32(least, four), _mm_cmpgt_epi32(least, more));
}
#endif

/* The same; reads EVS__RING_FEW points in any case. */
static inline size_t evs__ring_before(const int32_t *points, size_t count, int32_t least)
{
#ifdef __SSE2__
    if (count <= EVS__RING_FEW) {
        __m128i all = _mm_set1_epi32(least);
        __m128i first = evs__ring_eight(points, all), more = evs__ring_eight(points + 8, all);
        unsigned below = (unsigned)_mm_movemask_epi8(_mm_packs_epi16(first, more));
        return (size_t)__builtin_ctz(~below | 1u << count);
    }
#endif
    return evs__ring_halve(points, count, least);
}

/* The owner of `value`. The loop sees points that are alike in what is packed only, hence hardly
 * ever one. */
static inline size_t evs__ring_find(const evs__ring *ring, uint64_t value)
{
    size_t arc = (size_t)(value >> ring->shift), at = ring->arcs[arc];
    int32_t least = evs__ring_pack(value, ring->shift, 0);
    at += evs__ring_before(ring->packed + at, ring->arcs[arc + 1] - at, least);
    if (ring->values != NULL && (ring->packed[at] ^ least) >> 16 == 0) {
        while (ring->values[at] < value)
            at++;
    }
    return ring->packed[at] & 0xffff;
}

#endif
