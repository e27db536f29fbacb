#include "scripts/engine/maps.h"

#include "core/mem.h"

static evs__map_slot *find_unused(const evs__maps *maps)
{
    evs__map_slot *slot = maps->all;
    while (slot != NULL && slot->map != NULL)
        slot = slot->next;
    return slot;
}

int evs__maps_reserve(evs__maps *maps)
{
    if (find_unused(maps) != NULL)
        return 1;
    evs__map_slot *slot = evs__zalloc_array(1, sizeof *slot);
    if (slot == NULL)
        return 0;
    atomic_init(&slot->readers, 0);
    slot->next = maps->all;
    maps->all = slot;
    return 1;
}

static void empty_old(evs__maps *maps, const evs__map_slot *current)
{
    for (evs__map_slot *slot = maps->all; slot != NULL; slot = slot->next) {
        if (slot == current || slot->map == NULL || atomic_load(&slot->readers) > 0)
            continue;
        evs_shardmap_free(slot->map);
        slot->map = NULL;
    }
}

void evs__maps_publish(evs__maps *maps, evs_shardmap *map, uint64_t serial)
{
    evs__map_slot *slot = find_unused(maps);
    slot->map = evs_shardmap_ref(map);
    slot->serial = serial;
    atomic_store(&maps->current, slot);
    empty_old(maps, slot);
}

void evs__maps_free(evs__maps *maps)
{
    while (maps->all != NULL) {
        evs__map_slot *slot = maps->all;
        maps->all = slot->next;
        evs_shardmap_free(slot->map);
        evs__free(slot);
    }
}
