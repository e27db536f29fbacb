/* order.c - sorting shards by index, or by name. */
#include "sharding/placement/order.h"

#include "core/mem.h"

#include <stdlib.h>

typedef struct entry {
    const evs__place *place;
    uint32_t number;
} entry;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->place->name, ((const entry *)b)->place->name);
}

static int by_length(const void *a, const void *b)
{
    size_t left = strlen(((const entry *)a)->place->name);
    size_t right = strlen(((const entry *)b)->place->name);
    return left != right ? (left > right ? 1 : -1) : by_name(a, b);
}

static int by_index(const void *a, const void *b)
{
    unsigned left = ((const entry *)a)->place->index, right = ((const entry *)b)->place->index;
    return (left > right) - (left < right);
}

uint32_t *evs__places_order(evs__arena *arena, const evs__layout *layout, evs__order_by by)
{
    uint32_t *order = evs__arena_alloc(arena, layout->count, sizeof *order);
    entry *entries = evs__alloc_array(layout->count, sizeof *entries);
    if (order == NULL || entries == NULL) {
        evs__free(entries);
        return NULL;
    }
    for (size_t i = 0; i < layout->count; i++)
        entries[i] = (entry){&layout->places[i], (uint32_t)i};
    qsort(entries, layout->count, sizeof *entries,
          layout->numbered ? by_index : (by == EVS__BY_NAME ? by_name : by_length));
    for (size_t i = 0; i < layout->count; i++)
        order[i] = entries[i].number;
    evs__free(entries);
    return order;
}
