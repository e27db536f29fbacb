/*
 * slots_conf.h - which slots a shard owns, and whether each has exactly one owner.
 */
#ifndef EVS_CONF_SLOTS_CONF_H
#define EVS_CONF_SLOTS_CONF_H

#include "conf/building.h"

/* Reads `value`, a list of "a-b" or "a", for a pool of `total` slots. Complains of what is wrong.
 */
void evs__read_slots(evs__reading *r, const evs__yaml *value, unsigned total, evs__shard *shard);

/* Complains of slots that nobody or more than one shard owns. */
void evs__check_slots(evs__building *b, const evs__pool *pool, const evs__yaml *shards);

#endif
