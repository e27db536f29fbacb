/*
 * batch_inner.h - a batch as the files that make it up see it.
 *
 *   batch.c        adding, sending, results
 *   batch_chain.c  with EVS_BATCH_STOP: which call comes behind which, and what is sent when
 */
#ifndef EVS_SCRIPTS_ENGINE_BATCH_INNER_H
#define EVS_SCRIPTS_ENGINE_BATCH_INNER_H

#include "core/arena.h"
#include "core/reply.h"
#include "scripts/engine/client.h"

#include <evalshard/batch.h>

typedef struct evs__batch_item evs__batch_item;

/* A call that comes directly behind another in a chain. */
typedef struct evs__batch_link {
    evs__batch_item *to;
    struct evs__batch_link *next;
} evs__batch_link;

struct evs__batch_item {
    evs_batch *batch;
    evs_invocation call; /* its texts are in the arena */
    evs_result result;
    evs_reply plain;            /* a reply that needs no memory of its own */
    evs__batch_link *behind;    /* in the arena */
    size_t waits;               /* for so many calls that are directly before it */
    evs__batch_item *next;      /* in the line of those that are looked at */
    const evs__batch_item *why; /* the call whose failure kept it from being sent */
    int has_result;
};

typedef enum evs__batch_stage {
    EVS__BATCH_FILLING,
    EVS__BATCH_RUNNING,
    EVS__BATCH_FINISHED
} evs__batch_stage;

struct evs_batch {
    evs_client *client;
    evs_batch_error on_error;
    evs__arena arena;       /* calls and results */
    evs__batch_item *items; /* ours */
    size_t count, cap;
    size_t next; /* the first item that was not submitted */
    size_t open; /* items that were, and have no result */
    size_t results, failures;
    evs__batch_stage stage;
    int pumping;
    evs__batch_item *line, **last_in_line; /* of chains: to be submitted, or with a result */
    evs__gate gate;                        /* of who waits */
    evs_batch_done_fn done;
    void *arg;
};

/* batch.c */

/* 1 when the call is under way, 0 when it has a result, -1 when there is no room for it now. */
int evs__batch_send(evs__batch_item *one);

/* The result of a call that was not sent. */
void evs__batch_refuse(evs__batch_item *one, const evs_error *err);

/* batch_chain.c */

/* Sends what is first on its shard. Fails with NOMEM; then nothing was sent. */
evs_status evs__batch_start_chains(evs_batch *batch, evs_error *err);

/* A call has its result: those behind it are sent, or are not. 0 when a caller of this one is doing
 * that already. */
int evs__batch_follow(evs__batch_item *one);

#endif
