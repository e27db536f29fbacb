/*
 * order.h - the order in which a placement takes the shards. Never that of the file.
 */
#ifndef EVS_SHARDING_PLACEMENT_ORDER_H
#define EVS_SHARDING_PLACEMENT_ORDER_H

#include "sharding/placement.h"

typedef enum evs__order_by {
    EVS__BY_NAME,  /* bytes */
    EVS__BY_LENGTH /* shorter names first, then bytes: that of twemproxy */
} evs__order_by;

/* The numbers of all places in order: by index in a numbered layout, else as said. In `arena`; NULL
 * when out of memory. */
uint32_t *evs__places_order(evs__arena *arena, const evs__layout *layout, evs__order_by by);

#endif
