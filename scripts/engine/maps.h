/*
 * maps.h - the map of a client as threads read it that are not the client's own, while the map may
 * be replaced at any time.
 *
 *   reader:  which is current? --> count me --> still current? --> read --> count me out
 *                  ^                                 |
 *                  +--------- no: count me out ------+
 *   writer:  fill a slot nobody uses --> make it current --> empty the others without readers
 *
 * Nobody waits for anybody. Slots live as long as the client, so counting on one that is not
 * current any more does no harm. Both sides write before they read what the other one writes, in
 * one order for all (memory_order_seq_cst): either the reader sees that its slot is not current, or
 * the writer sees the reader. A reader that is held up keeps one old map from being freed, until
 * the next reload finds the slot without readers.
 */
#ifndef EVS_SCRIPTS_ENGINE_MAPS_H
#define EVS_SCRIPTS_ENGINE_MAPS_H

#include "sharding/shardmap.h"

typedef struct evs__map_slot {
    atomic_uint readers;
    evs_shardmap *map; /* ours; NULL: nobody uses the slot */
    uint64_t serial;
    struct evs__map_slot *next;
} evs__map_slot;

typedef struct evs__maps {
    _Atomic(evs__map_slot *) current;
    evs__map_slot *all; /* ours */
} evs__maps;

/* A map that stays while it is looked at. */
typedef struct evs__view {
    evs_shardmap *map;
    uint64_t serial;     /* how many maps there were before it */
    evs__map_slot *slot; /* NULL: on the client's own thread, where nothing changes meanwhile */
} evs__view;

/* Makes sure that the next publishing finds a slot. 0 when out of memory. */
int evs__maps_reserve(evs__maps *maps);

/* Takes a reference to the map. After evs__maps_reserve, on the client's thread. */
void evs__maps_publish(evs__maps *maps, evs_shardmap *map, uint64_t serial);

/* There are no readers any more. */
void evs__maps_free(evs__maps *maps);

/* Ends: maps are replaced more slowly than this runs. */
static inline evs__view evs__maps_look(evs__maps *maps)
{
    for (;;) {
        evs__map_slot *slot = atomic_load(&maps->current);
        atomic_fetch_add(&slot->readers, 1);
        if (slot == atomic_load(&maps->current))
            return (evs__view){slot->map, slot->serial, slot};
        atomic_fetch_sub(&slot->readers, 1);
    }
}

static inline void evs__view_end(const evs__view *view)
{
    if (view->slot != NULL)
        atomic_fetch_sub_explicit(&view->slot->readers, 1, memory_order_release);
}

#endif
