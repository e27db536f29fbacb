/*
 * kinds.h - every sort of mapping a shard map has.
 */
#ifndef EVS_CONF_KINDS_H
#define EVS_CONF_KINDS_H

#include "conf/fields.h"

extern const evs__kind evs__kind_top, evs__kind_pool, evs__kind_shard, evs__kind_route,
    evs__kind_connection, evs__kind_auth, evs__kind_tls, evs__kind_cluster, evs__kind_retry,
    evs__kind_sentinel;

/* Rows of keys of a pool that are read when it is known what goes before them: a pool has only the
 * nodes. Of those about numbers, `offset` holds the feature of a distribution they belong to. */
extern const evs__field evs__field_distribution, evs__field_tag_style, evs__field_points,
    evs__field_ring_size, evs__field_table_size, evs__field_slots_total, evs__field_ring_names,
    evs__field_on_no_keys, evs__field_read_from;

#endif
