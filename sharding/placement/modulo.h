/*
 * modulo.h - a table of shards, looked up by the remainder of a hash.
 */
#ifndef EVS_SHARDING_PLACEMENT_MODULO_H
#define EVS_SHARDING_PLACEMENT_MODULO_H

#include <stddef.h>
#include <stdint.h>

typedef struct evs__modulo {
    uint64_t size;
    const uint32_t *owners;
} evs__modulo;

static inline size_t evs__modulo_find(const evs__modulo *table, uint64_t hash)
{
    return table->owners[hash % table->size];
}

#endif
