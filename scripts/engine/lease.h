/*
 * lease.h - connections that are one transaction's alone for a while, because WATCH belongs to a
 * connection.
 *
 * A lease is a lane of its own: the same shard, login and rules, another connection, and its own
 * marks of what is known there. A shard keeps as many as were ever in use at once, up to a bound;
 * they live as long as the lane, and are given out again when they watch nothing.
 */
#ifndef EVS_SCRIPTS_ENGINE_LEASE_H
#define EVS_SCRIPTS_ENGINE_LEASE_H

#include "scripts/engine/lane.h"

struct evs__lease {
    evs__lane lane; /* first */
    evs__lease *next;
    int taken;
    int asked;      /* WATCH was sent: the server may watch something */
    int watches;    /* keys, since `epoch` */
    uint64_t epoch; /* of the connection that watches */
    evs__request unwatch;
    int unwatching; /* the request is under way */
    int owes;       /* another one has to follow */
};

/* One to the shard of `lane`. Fails with NOMEM, and with QUEUE_FULL when all are taken. */
evs_status evs__lease_take(evs__lease **out, evs__lane *lane, evs_error *err);

/* WATCH was answered on the connection there is now. 0 when it is not the one that answered an
 * earlier WATCH: then those keys are not watched any more. */
int evs__lease_watches(evs__lease *lease);

/* Fails with CLOSED when the connection that watches is gone. */
evs_status evs__lease_check(const evs__lease *lease, evs_error *err);

/* Gives it back: what may still be watched is not any more, before anybody else uses it. */
void evs__lease_return(evs__lease *lease);

/* Frees those of a lane, whose connections were freed before. */
void evs__leases_free(evs__lane *lane);

#endif
