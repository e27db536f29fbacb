/*
 * bits.h - a set of small numbers: a bit for each, in words. What lies beyond the words is not in
 * it.
 */
#ifndef EVS_CORE_BITS_H
#define EVS_CORE_BITS_H

#include <stddef.h>
#include <stdint.h>

static inline int evs__bits_have(const uint64_t *bits, size_t nwords, size_t id)
{
    return id / 64 < nwords && (bits[id / 64] >> id % 64 & 1) != 0;
}

/* There has to be a word for it. */
static inline void evs__bits_set(uint64_t *bits, size_t id)
{
    bits[id / 64] |= (uint64_t)1 << id % 64;
}

static inline void evs__bits_clear(uint64_t *bits, size_t nwords, size_t id)
{
    if (id / 64 < nwords)
        bits[id / 64] &= ~((uint64_t)1 << id % 64);
}

/* From `from` words, which may be none (NULL), to `to`; the new ones are clear. 0 when out of
 * memory: nothing has changed. */
int evs__bits_grow(uint64_t **bits, size_t from, size_t to);

#endif
