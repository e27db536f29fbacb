/*
 * slabs.h - memory for what threads hand over to another thread: any thread takes, any gives back.
 *
 *   take:  the next units of the current slab; no room there: of a spare slab, or a new one
 *   give:  the slab's last unit comes back --> the slab is spare, or freed
 *
 * What is taken one after the other lies side by side, and the general allocator is asked once per
 * slab. Nobody waits for anybody. A slab begins with a cache line, so that its address and how many
 * of its units are taken are one word: who takes changes that word, and looks at no slab that might
 * be gone already.
 */
#ifndef EVS_SCRIPTS_ENGINE_SLABS_H
#define EVS_SCRIPTS_ENGINE_SLABS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EVS__SLAB_UNIT = 128, /* bytes */
    EVS__SLAB_UNITS = 63, /* of a slab; one more is its own */
    EVS__SLAB_MOST = 8,   /* that one thing may take; larger ones are allocated alone */
    EVS__SLABS_SPARE = 32 /* that are kept; 8 KiB each */
};

typedef struct evs__slab evs__slab;

/* All 0 at first. */
typedef struct evs__slabs {
    _Atomic(uintptr_t) current; /* the slab, ours, and in the lowest bits how much of it is taken */
    _Atomic(evs__slab *) spare[EVS__SLABS_SPARE]; /* ours; NULL: a free place */
} evs__slabs;

/* Room for `size` bytes, aligned for anything; NULL when out of memory. */
void *evs__slabs_take(evs__slabs *slabs, size_t size);

/* Of the same slabs. */
void evs__slabs_give(evs__slabs *slabs, void *room);

/* Frees what nobody has taken; slabs with something that was never given back are left. No other
 * thread takes or gives any more. */
void evs__slabs_free(evs__slabs *slabs);

#endif
