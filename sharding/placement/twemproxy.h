/*
 * twemproxy.h - the twelve hashes that twemproxy knows; libmemcached has the same but for two.
 */
#ifndef EVS_SHARDING_PLACEMENT_TWEMPROXY_H
#define EVS_SHARDING_PLACEMENT_TWEMPROXY_H

#include "sharding/placement.h"

extern const evs__hash_choice evs__twemproxy_hashes[];

#endif
