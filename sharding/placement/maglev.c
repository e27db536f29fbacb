/*
 * maglev.c - Envoy's Maglev table: shards take turns, in order of name, at the next free slot of
 * their own permutation of the table; a lighter shard misses turns.
 *
 * Check value: 127.0.0.1:90 to :95 in a table of 7 give 2 4 0 1 5 0 3.
 */
#include "core/hash64.h"
#include "core/mem.h"
#include "sharding/placement/modulo.h"
#include "sharding/placement/order.h"

static const uint32_t nobody = UINT32_MAX;

/* A shard while the table is filled: slot n of its permutation is (offset + skip * n) % size. */
typedef struct filler {
    uint64_t at, skip; /* where its next slot is */
    double weight;     /* its share of all */
    double target;
    uint32_t number;
} filler;

typedef struct filling {
    uint32_t *slots;
    uint64_t size, left;
    filler *fillers;
    size_t count;
    double heaviest;
} filling;

static void take_slot(filling *f, filler *one)
{
    while (f->slots[one->at] != nobody)
        one->at = (one->at + one->skip) % f->size;
    f->slots[one->at] = one->number;
    one->at = (one->at + one->skip) % f->size;
    f->left--;
}

/* Ends because the heaviest shard takes a slot in every round. */
static void fill(filling *f)
{
    for (uint64_t round = 1; f->left > 0; round++) {
        for (size_t i = 0; i < f->count && f->left > 0; i++) {
            filler *one = &f->fillers[i];
            if ((double)round * one->weight < one->target)
                continue;
            one->target += f->heaviest;
            take_slot(f, one);
        }
    }
}

static void prepare(filling *f, const evs__layout *layout, const uint32_t *order)
{
    double total = 0;
    for (size_t i = 0; i < layout->count; i++)
        total += layout->places[i].weight;
    for (size_t i = 0; i < layout->count; i++) {
        const evs__place *place = &layout->places[order[i]];
        evs_bytes name = evs_text(place->name);
        double weight = place->weight / total;
        f->fillers[i] = (filler){
            .at = evs__xxh64(name, 0) % f->size,
            .skip = evs__xxh64(name, 1) % (f->size - 1) + 1,
            .weight = weight,
            .number = order[i],
        };
        f->heaviest = weight > f->heaviest ? weight : f->heaviest;
    }
    for (uint64_t i = 0; i < f->size; i++)
        f->slots[i] = nobody;
}

static void *build(evs__arena *arena, const evs__layout *layout)
{
    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    evs__modulo *table = evs__arena_alloc(arena, 1, sizeof *table);
    filling f = {.size = layout->size, .left = layout->size, .count = layout->count};
    f.slots = evs__arena_alloc(arena, layout->size, sizeof *f.slots);
    f.fillers = evs__alloc_array(layout->count, sizeof *f.fillers);
    int ok = order != NULL && table != NULL && f.slots != NULL && f.fillers != NULL;
    if (ok) {
        prepare(&f, layout, order);
        fill(&f);
        *table = (evs__modulo){f.size, f.slots};
    }
    evs__free(f.fillers);
    return ok ? table : NULL;
}

static size_t find(const void *built, uint64_t hash)
{
    return evs__modulo_find(built, hash);
}

static const evs__hash_choice hashes[] = {{"murmur64a", &evs__hash_murmur64a_envoy}, {NULL, NULL}};

const evs__placement evs__placement_maglev = {
    .name = "maglev",
    .hashes = hashes,
    .takes = EVS__TAKES_WEIGHTS | EVS__TAKES_TABLE,
    .size = 65537,
    .build = build,
    .find = find,
};
