#include "core/net/clock.h"

#include <uv.h>

void evs__clock_init(evs__clock *clock)
{
    *clock = (evs__clock){0, 0, evs__loop_tick_ms()};
}

uint64_t evs__clock_next_ms(void)
{
    return uv_hrtime() / 1000000 + 1;
}

uint64_t evs__clock_read(evs__clock *clock, uint64_t tick)
{
    uint64_t next = evs__clock_next_ms();
    clock->tick = tick;
    uint64_t usual = tick + 2 * clock->tick_ms, held_up = next + clock->tick_ms;
    clock->soon = usual > held_up ? usual : held_up;
    return next;
}
