/*
 * Open addressing with linear probing, at most three quarters full, nothing is ever removed. The
 * hash is kept beside the key: a probe compares bytes only when all 64 bits agree, and growing
 * hashes nothing again.
 */
#include "core/table.h"

#include "core/hash64.h"
#include "core/mem.h"

struct evs__table_slot {
    uint64_t hash;
    evs_bytes key;
    void *value; /* NULL: the slot is free */
};

enum { FIRST_SLOTS = 16 };

static int same(const evs__table_slot *slot, uint64_t hash, evs_bytes key)
{
    return slot->hash == hash && slot->key.len == key.len &&
           (key.len == 0 || memcmp(slot->key.data, key.data, key.len) == 0);
}

/* The slot that holds `key`, or the free one where it belongs. Ends because a quarter is free. */
static evs__table_slot *seek(const evs__table *table, uint64_t hash, evs_bytes key)
{
    size_t i = (size_t)hash & (table->nslots - 1);
    while (table->slots[i].value != NULL && !same(&table->slots[i], hash, key))
        i = (i + 1) & (table->nslots - 1);
    return &table->slots[i];
}

static int grow(evs__table *table)
{
    evs__table bigger = {NULL, table->nslots == 0 ? FIRST_SLOTS : table->nslots * 2, table->count};
    if (bigger.nslots < table->nslots)
        return 0;
    bigger.slots = evs__zalloc_array(bigger.nslots, sizeof *bigger.slots);
    if (bigger.slots == NULL)
        return 0;
    for (size_t i = 0; i < table->nslots; i++) {
        const evs__table_slot *slot = &table->slots[i];
        if (slot->value != NULL)
            *seek(&bigger, slot->hash, slot->key) = *slot;
    }
    evs__free(table->slots);
    *table = bigger;
    return 1;
}

void *evs__table_get(const evs__table *table, evs_bytes key)
{
    if (table->count == 0)
        return NULL;
    return seek(table, evs__hash(key), key)->value;
}

int evs__table_set(evs__table *table, evs_bytes key, void *value)
{
    uint64_t hash = evs__hash(key);
    if (table->count > 0) {
        evs__table_slot *slot = seek(table, hash, key);
        if (slot->value != NULL) {
            slot->value = value;
            return 1;
        }
    }
    if (table->count >= table->nslots / 4 * 3 && !grow(table))
        return 0;
    *seek(table, hash, key) = (evs__table_slot){hash, key, value};
    table->count++;
    return 1;
}

void evs__table_free(evs__table *table)
{
    evs__free(table->slots);
    *table = (evs__table)EVS__TABLE_INIT;
}
