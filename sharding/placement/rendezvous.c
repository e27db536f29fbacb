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
#include "sharding/placement/order.h"

#include <assert.h>

typedef struct rendezvous {
    size_t ndraws;
    uint64_t *draws;  /* in order of ring name, so that the first of equal scores wins */
    uint32_t *owners; /* the shard of each draw */
} rendezvous;

static void draw(rendezvous *r, const evs__layout *layout, const uint32_t *order)
{
    size_t n = 0;
    for (size_t i = 0; i < layout->count; i++) {
        const evs__place *place = &layout->places[order[i]];
        for (unsigned j = 0; j < place->weight; j++) {
            r->draws[n] = evs__xxh64(evs_text(place->name), j);
            r->owners[n++] = order[i];
        }
    }
    assert(n == r->ndraws);
}

static void *build(evs__arena *arena, const evs__layout *layout)
{
    size_t ndraws = 0;
    for (size_t i = 0; i < layout->count; i++)
        ndraws += layout->places[i].weight;

    rendezvous *r = evs__arena_alloc(arena, 1, sizeof *r);
    uint64_t *draws = evs__arena_alloc(arena, ndraws, sizeof *draws);
    uint32_t *owners = evs__arena_alloc(arena, ndraws, sizeof *owners);
    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    if (r == NULL || draws == NULL || owners == NULL || order == NULL)
        return NULL;
    *r = (rendezvous){ndraws, draws, owners};
    draw(r, layout, order);
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

static const evs__hash_choice hashes[] = {{"xxh64", &evs__hash_xxh64}, {NULL, NULL}};

const evs__placement evs__placement_rendezvous = {
    .name = "rendezvous",
    .hashes = hashes,
    .takes = EVS__TAKES_WEIGHTS | EVS__COSTS_WEIGHTS,
    .build = build,
    .find = find,
};
