/*
 * rendezvous.c - the shard with the highest score wins; each shard scores as often as its weight.
 *
 * A shard of weight w makes w draws. Draw j has the value XXH64(ring name, seed j), and a key whose
 * tag hashes to h gives it the score mix64(h ^ draw). The shard of the highest score gets the key;
 * when two draws score alike the bytewise smaller name wins. A shard's share is exactly its weight
 * over the sum of all. A new or a heavier shard only pulls keys to itself, a removed one only gives
 * its own away. With weight 1 everywhere this is the placement of go-redis v9 Ring.
 *
 * Check value: among users-a, users-b and users-c, each of weight 1, the key "a" goes to users-b.
 */
#include "core/hash64.h"
#include "core/mem.h"
#include "sharding/placement.h"

#include <assert.h>
#include <stdlib.h>

typedef struct rendezvous {
    size_t ndraws;
    uint64_t *draws;  /* in order of ring name, so that the first of equal scores wins */
    uint32_t *owners; /* the shard of each draw */
} rendezvous;

typedef struct contender {
    const evs__place *place;
    uint32_t index;
} contender;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const contender *)a)->place->name, ((const contender *)b)->place->name);
}

static void draw(rendezvous *r, const contender *from, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        evs_bytes name = evs_text(from[i].place->name);
        for (unsigned j = 0; j < from[i].place->weight; j++) {
            r->draws[n] = evs__xxh64(name, j);
            r->owners[n++] = from[i].index;
        }
    }
    assert(n == r->ndraws);
}

static void *build(evs__arena *arena, const evs__place *places, size_t count)
{
    assert(count > 0 && count <= UINT32_MAX);
    size_t ndraws = 0;
    for (size_t i = 0; i < count; i++)
        ndraws += places[i].weight;

    rendezvous *r = evs__arena_alloc(arena, 1, sizeof *r);
    uint64_t *draws = evs__arena_alloc(arena, ndraws, sizeof *draws);
    uint32_t *owners = evs__arena_alloc(arena, ndraws, sizeof *owners);
    contender *sorted = evs__alloc_array(count, sizeof *sorted);
    if (r == NULL || draws == NULL || owners == NULL || sorted == NULL) {
        evs__free(sorted);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = (contender){&places[i], (uint32_t)i};
    qsort(sorted, count, sizeof *sorted, by_name);
    *r = (rendezvous){ndraws, draws, owners};
    draw(r, sorted, count);
    evs__free(sorted);
    return r;
}

static inline uint64_t mix64(uint64_t x)
{
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    return x * 2685821657736338717u;
}

/* One step per draw, without branches: scores are random, so a branch would often be mispredicted.
 */
static size_t find(const void *built, uint64_t hash)
{
    const rendezvous *r = built;
    uint64_t best = mix64(hash ^ r->draws[0]);
    size_t winner = 0;

    for (size_t i = 1; i < r->ndraws; i++) {
        uint64_t score = mix64(hash ^ r->draws[i]);
        winner = score > best ? i : winner;
        best = score > best ? score : best;
    }
    return r->owners[winner];
}

const evs__placement evs__placement_rendezvous = {
    .name = "rendezvous",
    .hash = "xxh64",
    .build = build,
    .find = find,
};
