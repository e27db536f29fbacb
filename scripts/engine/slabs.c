#include "scripts/engine/slabs.h"

#include "core/mem.h"

/* The first of its units. */
struct evs__slab {
    atomic_uint left; /* units that are not given back */
};

/* Before whatever was taken. */
typedef struct head {
    _Alignas(max_align_t) evs__slab *slab; /* NULL: allocated alone */
    unsigned units;
} head;

enum { TAKEN = EVS__LINE - 1 /* the bits of a word that are no address */ };

_Static_assert((int)EVS__SLAB_UNITS <= (int)TAKEN,
               "what is taken of a slab fits beside its address");

static evs__slab *slab_of(uintptr_t word)
{
    return (evs__slab *)(word & ~(uintptr_t)TAKEN);
}

static unsigned room_in(uintptr_t word)
{
    return slab_of(word) == NULL ? 0 : EVS__SLAB_UNITS - (unsigned)(word & TAKEN);
}

/* ---- slabs ---- */

static evs__slab *take_spare(evs__slabs *slabs)
{
    for (size_t i = 0; i < EVS__SLABS_SPARE; i++) {
        evs__slab *slab = NULL;
        if (atomic_load_explicit(&slabs->spare[i], memory_order_relaxed) != NULL)
            slab = atomic_exchange_explicit(&slabs->spare[i], NULL, memory_order_acquire);
        if (slab != NULL)
            return slab;
    }
    return NULL;
}

static void keep_or_free(evs__slabs *slabs, evs__slab *slab)
{
    for (size_t i = 0; i < EVS__SLABS_SPARE; i++) {
        evs__slab *none = NULL;
        if (atomic_compare_exchange_strong_explicit(&slabs->spare[i], &none, slab,
                                                    memory_order_release, memory_order_relaxed))
            return;
    }
    evs__free(slab);
}

static evs__slab *begin(evs__slabs *slabs)
{
    evs__slab *slab = take_spare(slabs);
    if (slab == NULL)
        slab = evs__alloc_lines(1 + EVS__SLAB_UNITS, EVS__SLAB_UNIT);
    if (slab != NULL)
        atomic_init(&slab->left, EVS__SLAB_UNITS);
    return slab;
}

/* Who gives the last ones back sees all that the others did to theirs. */
static void give_units(evs__slabs *slabs, evs__slab *slab, unsigned units)
{
    if (atomic_fetch_sub_explicit(&slab->left, units, memory_order_acq_rel) == units)
        keep_or_free(slabs, slab);
}

/* ---- taking and giving ---- */

static void *hand_out(evs__slab *slab, unsigned taken, unsigned units)
{
    head *at = (head *)((char *)slab + (size_t)(1 + taken) * EVS__SLAB_UNIT);
    *at = (head){slab, units};
    return at + 1;
}

static void *alloc_alone(size_t size)
{
    head *at = size > SIZE_MAX - sizeof *at ? NULL : evs__alloc_array(1, sizeof *at + size);
    if (at == NULL)
        return NULL;
    at->slab = NULL;
    return at + 1;
}

/* The word has no room for the units, and was the current one. Another thread may be faster: 1. */
static int go_on(void **out, evs__slabs *slabs, uintptr_t word, unsigned units)
{
    evs__slab *next = begin(slabs);
    *out = NULL;
    if (next == NULL)
        return 0;
    if (!atomic_compare_exchange_strong_explicit(&slabs->current, &word, (uintptr_t)next + units,
                                                 memory_order_acq_rel, memory_order_relaxed)) {
        keep_or_free(slabs, next);
        return 1;
    }
    unsigned rest = room_in(word);
    if (rest > 0)
        give_units(slabs, slab_of(word), rest);
    *out = hand_out(next, 0, units);
    return 0;
}

/* Ends: whoever has to try again was overtaken by a thread that took something. */
void *evs__slabs_take(evs__slabs *slabs, size_t size)
{
    if (size > (size_t)EVS__SLAB_MOST * EVS__SLAB_UNIT - sizeof(head))
        return alloc_alone(size);
    unsigned units = (unsigned)((sizeof(head) + size + EVS__SLAB_UNIT - 1) / EVS__SLAB_UNIT);
    uintptr_t word = atomic_load_explicit(&slabs->current, memory_order_relaxed);
    for (;;) {
        void *room;
        if (room_in(word) < units) {
            if (!go_on(&room, slabs, word, units))
                return room;
            word = atomic_load_explicit(&slabs->current, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&slabs->current, &word, word + units,
                                                         memory_order_acquire,
                                                         memory_order_relaxed)) {
            return hand_out(slab_of(word), (unsigned)(word & TAKEN), units);
        }
    }
}

void evs__slabs_give(evs__slabs *slabs, void *room)
{
    head *at = (head *)room - 1;
    if (at->slab == NULL)
        evs__free(at);
    else
        give_units(slabs, at->slab, at->units);
}

void evs__slabs_free(evs__slabs *slabs)
{
    uintptr_t word = atomic_load_explicit(&slabs->current, memory_order_acquire);
    unsigned rest = room_in(word);
    if (rest > 0)
        give_units(slabs, slab_of(word), rest);
    for (evs__slab *slab; (slab = take_spare(slabs)) != NULL;)
        evs__free(slab);
}
