/*
 * table.h - a hash table from bytes to a pointer. Keys and values are borrowed.
 */
#ifndef EVS_CORE_TABLE_H
#define EVS_CORE_TABLE_H

#include <evalshard/base.h>

typedef struct evs__table_slot evs__table_slot;

typedef struct evs__table {
    evs__table_slot *slots; /* ours; a power of two of them, or NULL */
    size_t nslots;
    size_t count;
} evs__table;

#define EVS__TABLE_INIT \
    {                   \
        NULL, 0, 0      \
    }

/* The value of `key`; NULL when there is none. */
void *evs__table_get(const evs__table *table, evs_bytes key);

/* Sets the value (not NULL) of `key`, replacing an older one. 0 when out of memory. */
int evs__table_set(evs__table *table, evs_bytes key, void *value);

void evs__table_free(evs__table *table);

#endif
