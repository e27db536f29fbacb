/*
 * conns.h - one connection per shard, made when it is first asked for.
 */
#ifndef EVS_SHARDING_CONNS_H
#define EVS_SHARDING_CONNS_H

#include "core/net/conn.h"
#include "sharding/shardmap.h"

typedef struct evs__conns evs__conns;

/* Takes a reference to `map`, borrows `loop`. */
evs_status evs__conns_new(evs__conns **out, evs_shardmap *map, evs__loop *loop,
                          const evs__conn_limits *limits, evs_error *err);

/* Frees every connection; requests still queued are done with LOST. */
void evs__conns_free(evs__conns *conns);

/* In a forked child: as evs__conn_abandon for each. */
void evs__conns_abandon(evs__conns *conns);

/* The connection of shard number `shard`, borrowed. Fails with NOMEM. */
evs_status evs__conns_get(evs__conn **out, evs__conns *conns, size_t shard, evs_error *err);

/* One more connection, to a shard or to a server that is not in the map, borrowed: it is freed with
 * the rest. Fails with NOMEM. */
evs_status evs__conns_private(evs__conn **out, evs__conns *conns, const evs__login *login,
                              evs_error *err);

/* Sums over all connections there ever were. */
evs__conn_stats evs__conns_stats(const evs__conns *conns);

#endif
