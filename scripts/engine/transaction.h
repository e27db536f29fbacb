/*
 * transaction.h - what is inside a transaction.
 *
 *   transaction.c        elements in, results out
 *   transaction_plan.c   all elements to one shard, or why not
 *   transaction_watch.c  WATCH, and reading on the connection that watches
 *   exec.c, exec_reply.c MULTI ... EXEC on a lane
 *   lease.c              the connections that watch
 */
#ifndef EVS_SCRIPTS_ENGINE_TRANSACTION_H
#define EVS_SCRIPTS_ENGINE_TRANSACTION_H

#include "core/arena.h"
#include "core/command.h"
#include "scripts/engine/client.h"
#include "scripts/engine/lease.h"
#include "sharding/route.h"

#include <evalshard/transaction.h>

typedef struct evs__element {
    evs_invocation call;      /* of a script; its texts are in the arena */
    evs_plain_command cmd;    /* else; `args` is NULL for a script */
    const evs_script *script; /* planned; NULL for a plain command */
    const evs__command *known;
    evs_result result;
    int has_result;
} evs__element;

typedef enum evs__stage { EVS__STAGE_FILLING, EVS__STAGE_RUNNING, EVS__STAGE_FINISHED } evs__stage;

struct evs_transaction {
    evs_client *client;
    unsigned timeout_ms;
    char *shard;            /* where it goes without keys; ours; NULL: the map decides */
    evs__arena arena;       /* elements' texts and results */
    evs__element *elements; /* ours */
    size_t count, cap;
    size_t failures;
    evs__stage stage;
    evs__target target; /* planned */
    evs_shardmap *map;  /* by which it was planned; ours; NULL before */
    uint64_t map_serial;
    evs_result whole;
    evs_error error; /* of the whole */
    evs__gate gate;  /* of who waits */
    evs_transaction_done_fn done;
    void *arg;
    evs__lease *lease; /* where it watches; NULL: it does not */
    int watch_failed;
};

/* On two shards, or in two slots of a cluster? */
int evs__transaction_apart(const evs__target *a, const evs__target *b);

/* Is it in a cluster? */
static inline int evs__transaction_in_cluster(const evs_transaction *tx)
{
    return tx->map->pools[tx->target.pool].cluster != NULL;
}

/* Takes the map of this moment, unless something is watched: the map stays the same then. */
void evs__transaction_take_map(evs_transaction *tx);

/* Was the map replaced since the transaction was planned? On the thread of the client. */
static inline int evs__transaction_is_stale(const evs_transaction *tx)
{
    return tx->map_serial != tx->client->map_serial;
}

/* Fails with ABORTED: what is watched was found by a map that has been replaced. */
evs_status evs__transaction_fail_stale(const evs_transaction *tx, evs_error *err);

/* Finds scripts, checks arities, routes everything to one shard. */
evs_status evs__transaction_plan(evs_transaction *tx, evs_error *err);

/* Of a planned one, in milliseconds. */
unsigned evs__transaction_timeout(const evs_transaction *tx);

/* What an element is about, for messages. */
evs__subject evs__transaction_subject(const evs_transaction *tx, size_t index);

/* Stops watching; on the thread of the client. */
void evs__transaction_unwatch(evs_transaction *tx);

/* It has its results: releases whoever waits. */
void evs__transaction_done(evs_transaction *tx);

/* ---- keeping results; what there is no memory for becomes EVS_E_NOMEM ---- */

void evs__transaction_keep(evs_transaction *tx, size_t index, const evs_result *result);

/* The same status for every element that has no result. */
void evs__transaction_keep_rest(evs_transaction *tx, evs_outcome outcome, const evs_error *error);

#endif
