/*
 * rendezvous.c - the shard with the highest score wins; each shard scores as often as its weight.
 *
 * A shard of weight w makes w draws. Draw j has the value XXH64(ring name, seed j), and a key whose
 * tag hashes to h gives it the score mix64(h ^ draw). The shard of the highest score gets the key;
 * when two draws score alike the bytewise smaller name wins. A shard's share is exactly its weight
 * over the sum of all. A new or a heavier shard only pulls keys to itself, a removed one only gives
 * its own away. With weight 1 everywhere this is the placement of go-redis v9 Ring.
 *
 * mix64 shifts and adds without carry, which does to h ^ draw what it does to each of the two, and
 * then multiplies. So draws are kept as they are before the multiplication, and a look-up mixes h
 * once, which leaves three operations per draw.
 *
 * Check value: among users-a, users-b and users-c, each of weight 1, the key "a" goes to users-b.
 */
#include "core/hash64.h"
#include "sharding/placement/order.h"

#include <assert.h>

typedef struct rendezvous {
    size_t ndraws;
    uint64_t *draws;  /* mixed; in order of ring name, so that the first of equal scores wins */
    uint32_t *owners; /* the shard of each draw */
} rendezvous;

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    return x;
}

static inline uint64_t score(uint64_t mixed, uint64_t draw)
{
    return (mixed ^ draw) * 2685821657736338717u;
}

static void draw(rendezvous *r, const evs__layout *layout, const uint32_t *order)
{
    size_t n = 0;
    for (size_t i = 0; i < layout->count; i++) {
        const evs__place *place = &layout->places[order[i]];
        for (unsigned j = 0; j < place->weight; j++) {
            r->draws[n] = mix(evs__xxh64(evs_text(place->name), j));
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

/* The first of the best draws. One step per draw, without branches: scores are random, so a branch
 * would often be mispredicted. */
static inline size_t best_of_few(const rendezvous *r, uint64_t mixed)
{
    uint64_t best = score(mixed, r->draws[0]);
    size_t winner = 0;
    for (size_t i = 1; i < r->ndraws; i++) {
        uint64_t other = score(mixed, r->draws[i]);
        winner = other > best ? i : winner;
        best = other > best ? other : best;
    }
    return winner;
}

/* The same in two halves at a time, neither of which waits for the other. */
static __attribute__((noinline)) size_t best_of_many(const rendezvous *r, uint64_t mixed)
{
    size_t half = r->ndraws / 2, low = 0, high = half, winner;
    uint64_t best_low = score(mixed, r->draws[0]), best_high = score(mixed, r->draws[half]), rest;
    for (size_t i = 1; i < half; i++) {
        uint64_t left = score(mixed, r->draws[i]), right = score(mixed, r->draws[half + i]);
        low = left > best_low ? i : low;
        best_low = left > best_low ? left : best_low;
        high = right > best_high ? half + i : high;
        best_high = right > best_high ? right : best_high;
    }
    winner = best_high > best_low ? high : low;
    if (2 * half == r->ndraws)
        return winner;
    rest = score(mixed, r->draws[2 * half]);
    return rest > (best_high > best_low ? best_high : best_low) ? 2 * half : winner;
}

static inline size_t find(const void *built, uint64_t hash)
{
    enum { MANY = 6 };
    const rendezvous *r = built;
    uint64_t mixed = mix(hash);
    size_t winner = r->ndraws < MANY ? best_of_few(r, mixed) : best_of_many(r, mixed);
    return r->owners[winner];
}

static __attribute__((noinline)) size_t find_long_tag(const void *built, evs_bytes tag)
{
    return find(built, evs__xxh64(tag, 0));
}

static size_t find_tag(const void *built, evs_bytes tag)
{
    if (tag.len >= EVS__XXH64_STRIPE)
        return find_long_tag(built, tag);
    return find(built, evs__xxh64_short(tag));
}

static const evs__hash_choice hashes[] = {{"xxh64", &evs__hash_xxh64}, {NULL, NULL}};

const evs__placement evs__placement_rendezvous = {
    .name = "rendezvous",
    .hashes = hashes,
    .takes = EVS__TAKES_WEIGHTS | EVS__COSTS_WEIGHTS,
    .build = build,
    .find = find,
    .find_tag = find_tag,
};
