/*
 * wheel.h - many deadlines, few of which are ever reached.
 *
 * A hashed wheel: a deadline belongs to the slot of its millisecond modulo the number of slots, so
 * adding and removing cost a few instructions however many there are. Looking for what is due
 * visits the slots of the time that has passed; what lies whole turns ahead stays in its slot.
 *
 * Knows no clock: the owner says what time it is.
 */
#ifndef EVS_CORE_WHEEL_H
#define EVS_CORE_WHEEL_H

#include "core/ring.h"

#include <stdint.h>

enum { EVS__WHEEL_SLOTS = 512 };

/* First member of whatever has a deadline. */
typedef struct evs__due {
    evs__ring ring;
    uint64_t at; /* in milliseconds */
} evs__due;

typedef struct evs__wheel {
    uint64_t next;                        /* everything before was looked at */
    uint64_t latest;                      /* the deadline added last since then */
    evs__ring *slot;                      /* and its slot */
    evs__ring due;                        /* taken from a slot and not popped yet */
    uint64_t used[EVS__WHEEL_SLOTS / 64]; /* a bit per slot that may have something */
    evs__ring slots[EVS__WHEEL_SLOTS];
} evs__wheel;

void evs__wheel_init(evs__wheel *wheel, uint64_t now);

void evs__wheel_turn(evs__wheel *wheel, uint64_t to); /* for evs__wheel_add */

/* `due->at` is set; one that is past already is due at the next look. */
static inline void evs__wheel_add(evs__wheel *wheel, evs__due *due)
{
    if (due->at != wheel->latest)
        evs__wheel_turn(wheel, due->at);
    evs__ring_append(wheel->slot, &due->ring);
}

static inline void evs__wheel_remove(evs__due *due)
{
    evs__ring_remove(&due->ring);
}

/* Takes one that is due at `now` off the wheel; NULL when there is none. Others may be added and
 * removed between two calls. */
evs__due *evs__wheel_pop(evs__wheel *wheel, uint64_t now);

/* When to look next: nothing is due before. 0 when the wheel is empty. */
uint64_t evs__wheel_next(evs__wheel *wheel);

#endif
