#include "core/wheel.h"

#include <stddef.h>

#define NONE UINT64_MAX /* of `latest` */

void evs__wheel_init(evs__wheel *wheel, uint64_t now)
{
    wheel->next = now;
    wheel->latest = NONE;
    wheel->slot = NULL;
    evs__ring_init(&wheel->due);
    for (unsigned i = 0; i < EVS__WHEEL_SLOTS / 64; i++)
        wheel->used[i] = 0;
    for (unsigned i = 0; i < EVS__WHEEL_SLOTS; i++)
        evs__ring_init(&wheel->slots[i]);
}

void evs__wheel_turn(evs__wheel *wheel, uint64_t to)
{
    uint64_t at = to > wheel->next ? to : wheel->next;
    unsigned slot = (unsigned)(at % EVS__WHEEL_SLOTS);
    wheel->used[slot / 64] |= (uint64_t)1 << slot % 64;
    wheel->latest = to;
    wheel->slot = &wheel->slots[slot];
}

/* The first slot from `from` on, going round once, that has something; EVS__WHEEL_SLOTS when none
 * has. Forgets marks of slots that were emptied. */
static unsigned find_used(evs__wheel *wheel, unsigned from)
{
    wheel->latest = NONE;
    for (unsigned i = 0; i <= EVS__WHEEL_SLOTS / 64; i++) { /* the first word is looked at twice */
        unsigned word = (from / 64 + i) % (EVS__WHEEL_SLOTS / 64);
        uint64_t bits = wheel->used[word];
        if (i == 0)
            bits &= ~(uint64_t)0 << from % 64;
        for (; bits != 0; bits &= bits - 1) {
            unsigned slot = word * 64 + (unsigned)__builtin_ctzll(bits);
            if (!evs__ring_empty(&wheel->slots[slot]))
                return slot;
            wheel->used[word] &= ~((uint64_t)1 << slot % 64);
        }
    }
    return EVS__WHEEL_SLOTS;
}

/* Takes over the next slot with something of the time up to `now`. 0 when there is none. A look
 * that comes late visits no slot twice: one turn has them all. */
static int take_slot(evs__wheel *wheel, uint64_t now)
{
    if (wheel->next > now)
        return 0;
    if (now - wheel->next >= EVS__WHEEL_SLOTS)
        wheel->next = now - EVS__WHEEL_SLOTS + 1;
    unsigned from = (unsigned)(wheel->next % EVS__WHEEL_SLOTS);
    unsigned slot = find_used(wheel, from);
    uint64_t ahead = (slot - from) % EVS__WHEEL_SLOTS;
    if (slot == EVS__WHEEL_SLOTS || ahead > now - wheel->next) {
        wheel->next = now + 1;
        return 0;
    }
    wheel->next += ahead + 1;
    wheel->used[slot / 64] &= ~((uint64_t)1 << slot % 64);
    evs__ring_move(&wheel->due, &wheel->slots[slot]);
    return 1;
}

/* What is not due goes back into the slot it came from, which was passed and comes again. */
evs__due *evs__wheel_pop(evs__wheel *wheel, uint64_t now)
{
    do {
        while (!evs__ring_empty(&wheel->due)) {
            evs__due *first = (evs__due *)wheel->due.next;
            evs__ring_remove(&first->ring);
            if (first->at <= now)
                return first;
            evs__wheel_add(wheel, first);
        }
    } while (take_slot(wheel, now));
    return 0;
}

uint64_t evs__wheel_next(evs__wheel *wheel)
{
    if (!evs__ring_empty(&wheel->due))
        return wheel->next;
    unsigned from = (unsigned)(wheel->next % EVS__WHEEL_SLOTS);
    unsigned slot = find_used(wheel, from);
    if (slot == EVS__WHEEL_SLOTS)
        return 0;
    return wheel->next + (slot - from) % EVS__WHEEL_SLOTS;
}
