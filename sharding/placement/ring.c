/*
 * ring.c - sorting points. Points are first dealt to the arcs of the index, which leaves a few in
 * each; a crowded arc is sorted by qsort, with the order of adding to settle ties.
 */
#include "sharding/placement/ring.h"

#include "core/mem.h"

#include <assert.h>
#include <stdlib.h>

enum { CROWD = 16 };

/* A point in its arc. */
typedef struct dealt {
    uint64_t value;
    uint32_t owner, turn;
} dealt;

evs__points evs__points_new(size_t room)
{
    return (evs__points){evs__alloc_array(room, sizeof(evs__point)), 0, room};
}

void evs__points_add(evs__points *points, uint64_t value, uint32_t owner)
{
    assert(points->count < points->room);
    points->at[points->count++] = (evs__point){value, owner};
}

static int dealt_order(const void *a, const void *b)
{
    const dealt *left = a, *right = b;
    if (left->value != right->value)
        return left->value > right->value ? 1 : -1;
    return (left->turn > right->turn) - (left->turn < right->turn);
}

static void sort_arc(dealt *at, size_t count)
{
    if (count > CROWD) {
        qsort(at, count, sizeof *at, dealt_order);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        dealt one = at[i];
        size_t k = i;
        for (; k > 0 && at[k - 1].value > one.value; k--)
            at[k] = at[k - 1];
        at[k] = one;
    }
}

/* Where each arc begins: counts points per arc, then adds up. */
static void index_arcs(uint32_t *arcs, size_t narcs, const evs__points *points, unsigned shift)
{
    memset(arcs, 0, (narcs + 1) * sizeof *arcs);
    for (size_t i = 0; i < points->count; i++)
        arcs[(points->at[i].value >> shift) + 1]++;
    for (size_t i = 0; i < narcs; i++)
        arcs[i + 1] += arcs[i];
}

/* Deals the points to their arcs; each arc's beginning moves to its end meanwhile. */
static void deal(dealt *to, uint32_t *arcs, size_t narcs, const evs__points *points, unsigned shift)
{
    for (size_t i = 0; i < points->count; i++) {
        const evs__point *point = &points->at[i];
        to[arcs[point->value >> shift]++] = (dealt){point->value, point->owner, (uint32_t)i};
    }
    for (size_t i = narcs; i > 0; i--)
        arcs[i] = arcs[i - 1];
    arcs[0] = 0;
    for (size_t i = 0; i < narcs; i++)
        sort_arc(to + arcs[i], arcs[i + 1] - arcs[i]);
}

/* The points, and what is behind the last one (ring.h); `values` may be NULL. */
static void lay_out(int32_t *packed, uint64_t *values, const dealt *sorted, size_t n,
                    unsigned shift)
{
    for (size_t i = 0; i < n; i++)
        packed[i] = evs__ring_pack(sorted[i].value, shift, sorted[i].owner);
    for (size_t i = 0; i < EVS__RING_FEW; i++)
        packed[n + i] = evs__ring_pack(UINT64_MAX, shift, sorted[0].owner);
    if (values == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        values[i] = sorted[i].value;
    values[n] = UINT64_MAX;
}

/* Whether some value is more than its high half. */
static int has_low_bits(const evs__points *points)
{
    for (size_t i = 0; i < points->count; i++) {
        assert(points->at[i].owner <= 0xffff);
        if ((uint32_t)points->at[i].value != 0)
            return 1;
    }
    return 0;
}

evs__ring *evs__ring_make(evs__arena *arena, evs__points *points)
{
    size_t n = points->count, narcs = 2;
    unsigned shift = 63;
    assert(n > 0 && n < UINT32_MAX);
    for (; narcs < n / 3; narcs *= 2)
        shift--;

    int whole = shift > 32 + 16 || has_low_bits(points);
    evs__ring *ring = evs__arena_alloc(arena, 1, sizeof *ring);
    int32_t *packed = evs__arena_alloc(arena, n + EVS__RING_FEW, sizeof *packed);
    uint64_t *values = whole ? evs__arena_alloc(arena, n + 1, sizeof *values) : NULL;
    uint32_t *arcs = evs__arena_alloc(arena, narcs + 1, sizeof *arcs);
    dealt *sorted = evs__alloc_array(n, sizeof *sorted);
    int ok = ring != NULL && packed != NULL && (values != NULL || !whole) && arcs != NULL &&
             sorted != NULL;
    if (ok) {
        index_arcs(arcs, narcs, points, shift);
        deal(sorted, arcs, narcs, points, shift);
        lay_out(packed, values, sorted, n, shift);
        *ring = (evs__ring){packed, values, arcs, shift};
    }
    evs__free(sorted);
    evs__free(points->at);
    points->at = NULL;
    return ok ? ring : NULL;
}
