/*
 * clock.h - from when deadlines count.
 *
 * Whoever gives a call so much time may read the clock before that, and again when it is over, and
 * never finds less. So deadlines, in whole milliseconds, count from one that is not over yet; they
 * are reached when the clock, read then, is there.
 *
 * Reading the clock costs as much as a tenth of a call. The system's cheap clock moves at its ticks
 * only, 4 ms apart on most machines, and by whole ticks: what comes a little early does not move
 * it, and what it says may be two ticks old. So the clock is read once per turn and tick: the first
 * deadline of a turn is exact. Those behind it count from two ticks after what the cheap clock
 * says, and from a tick after that reading: a clock that stands still, because the machine is held
 * up, was seen to do so.
 */
#ifndef EVS_CORE_NET_CLOCK_H
#define EVS_CORE_NET_CLOCK_H

#include "core/net/loop.h"

typedef struct evs__clock {
    uint64_t tick; /* what the cheap clock said when the other was read; 0: read it anew */
    uint64_t soon; /* later than anything until it says something else */
    uint64_t tick_ms;
} evs__clock;

void evs__clock_init(evs__clock *clock);

/* The millisecond that comes next: the clock, read now. */
uint64_t evs__clock_next_ms(void);

/* The same, kept for the deadlines behind it; for evs__clock_soon_ms. */
uint64_t evs__clock_read(evs__clock *clock, uint64_t tick);

/* A millisecond to come, two ticks and a bit away at most: deadlines count from it. */
static inline uint64_t evs__clock_soon_ms(evs__clock *clock)
{
    uint64_t tick = evs__loop_about_ms();
    return tick == clock->tick ? clock->soon : evs__clock_read(clock, tick);
}

/* A turn begins or ends: who knows when the next deadline is set. */
static inline void evs__clock_forget(evs__clock *clock)
{
    clock->tick = 0;
}

#endif
