/*
 * conns.h - all connections of a client, for what concerns them together: their end.
 * Who asked for one uses it; none is shared.
 */
#ifndef EVS_SHARDING_CONNS_H
#define EVS_SHARDING_CONNS_H

#include "core/net/conn.h"

typedef struct evs__conns evs__conns;

/* Borrows `loop`. */
evs_status evs__conns_new(evs__conns **out, evs__loop *loop, const evs__conn_limits *limits,
                          evs_error *err);

/* Frees every connection; requests still queued are done with LOST. */
void evs__conns_free(evs__conns *conns);

/* In a forked child: as evs__conn_abandon for each. */
void evs__conns_abandon(evs__conns *conns);

/* A new connection, borrowed. `login` is borrowed for its life. Fails with NOMEM. */
evs_status evs__conns_make(evs__conn **out, evs__conns *conns, const evs__login *login,
                           evs_error *err);

/* The same with limits of its own. */
evs_status evs__conns_make_with(evs__conn **out, evs__conns *conns, const evs__login *login,
                                const evs__conn_limits *limits, evs_error *err);

/* Frees one; requests still queued are done with LOST. */
void evs__conns_close(evs__conns *conns, evs__conn *conn);

#endif
