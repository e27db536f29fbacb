/*
 * kinds.h - every sort of mapping a shard map has.
 */
#ifndef EVS_CONF_KINDS_H
#define EVS_CONF_KINDS_H

#include "conf/fields.h"

extern const evs__kind evs__kind_top, evs__kind_pool, evs__kind_shard, evs__kind_route,
    evs__kind_connection, evs__kind_auth, evs__kind_tls, evs__kind_cluster, evs__kind_retry;

#endif
