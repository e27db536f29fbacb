/*
 * spread_inner.h - what the files of a call that runs on every shard share.
 */
#ifndef EVS_SCRIPTS_ENGINE_SPREAD_INNER_H
#define EVS_SCRIPTS_ENGINE_SPREAD_INNER_H

#include "core/arena.h"
#include "scripts/engine/client.h"

typedef struct evs__spread evs__spread;

/* What is under way on one shard. */
typedef struct evs__spread_part {
    evs__spread *whole;
    evs__target target;
    evs_ticket ticket;      /* of the call; 0: there was none yet */
    const evs_reply *reply; /* in the arena */
} evs__spread_part;

struct evs__spread {
    evs__ring ring; /* first: among those of the client */
    evs_client *client;
    evs__arena arena; /* the invocation, the parts and the replies */
    evs_invocation call;
    const evs_script *script;
    evs__target target;  /* the first shard of the pool */
    uint64_t map_serial; /* of the map that they are of */
    uint64_t begun;      /* when; deadlines count from there */
    uint32_t serial;
    evs__spread_part first; /* the question to a cluster */
    evs__spread_part *parts;
    size_t count, next, open;      /* there are; the first that was not sent; not answered */
    size_t told, executed, unsure; /* parts with a result, and what they did */
    evs_error why;                 /* the first failure; EVS_OK: none */
    const evs_reply *error;        /* its reply, in the arena */
    int nomem;                     /* a reply was lost */
    int busy;                      /* sending or canceling: the end waits */
    evs_done_fn done;
    void *arg;
};

/* ---- what came of it (spread_result.c) ---- */

/* A part has its result. */
void evs__spread_tell(evs__spread_part *one, const evs_result *result);

/* It could not be sent, because of `err`. */
void evs__spread_refuse(evs__spread_part *one, evs_error *err);

/* Says of the first failure, or of memory that lacks for the replies, what it means for the whole;
 * returns its status. `err` may be NULL. */
evs_status evs__spread_explain(const evs__spread *self, evs_error *err);

/* The array of all replies, which are fine; NULL when out of memory. */
evs_reply *evs__spread_gather(evs__spread *self);

#endif
