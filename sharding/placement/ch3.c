/*
 * ch3.c - mcrouter's default ("furc hash"): a walk through a binary tree, steered by the bits of
 * the key's hash. Shards are numbered and come and go at the end only.
 *
 * Bits beyond the first 64 come from hashing the last 64 again, least significant byte first.
 */
#include "sharding/hash/murmur64a.h"
#include "sharding/placement/order.h"

enum { TRIES = 32, STRIDE = 23, DEEPEST = 13 };

typedef struct tree {
    uint32_t count;
    unsigned depth; /* bits of count - 1 */
    const uint32_t *order;
} tree;

static void *build(evs__arena *arena, const evs__layout *layout)
{
    tree *t = evs__arena_alloc(arena, 1, sizeof *t);
    uint32_t *order = evs__places_order(arena, layout, EVS__BY_NAME);
    if (t == NULL || order == NULL)
        return NULL;
    *t = (tree){(uint32_t)layout->count, 0, order};
    for (uint32_t rest = t->count - 1; rest > 0; rest /= 2)
        t->depth++;
    return t;
}

/* The stream of bits of one key. */
typedef struct bits {
    uint64_t words[(DEEPEST + TRIES * DEEPEST * STRIDE) / 64 + 1];
    size_t count;
} bits;

static uint64_t next_word(uint64_t word)
{
    char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(word >> 8 * i & 0xff);
    return evs__murmur64a((evs_bytes){bytes, 8}, 4193360111u);
}

static uint32_t bit(bits *b, size_t at)
{
    for (; b->count <= at / 64; b->count++)
        b->words[b->count] = next_word(b->words[b->count - 1]);
    return (uint32_t)(b->words[at / 64] >> at % 64 & 1);
}

static uint32_t walk(const tree *t, bits *b)
{
    size_t depth = t->depth, at = depth;
    for (int i = 0; i < TRIES && depth > 0; i++) {
        while (bit(b, at) == 0) {
            if (--depth == 0)
                return 0;
            at = depth;
        }
        uint32_t number = 1;
        at += STRIDE;
        for (size_t k = 1; k < depth; k++, at += STRIDE)
            number = number * 2 + bit(b, at);
        if (number < t->count)
            return number;
    }
    return 0;
}

static size_t find(const void *built, uint64_t hash)
{
    const tree *t = built;
    bits b;
    b.words[0] = hash;
    b.count = 1;
    return t->order[walk(t, &b)];
}

static const evs__hash_choice hashes[] = {{"murmur64a", &evs__hash_murmur64a_mcrouter},
                                          {NULL, NULL}};

const evs__placement evs__placement_ch3 = {
    .name = "ch3",
    .hashes = hashes,
    .takes = EVS__NEEDS_INDEX,
    .build = build,
    .find = find,
};
