/*
 * submit.h - a call in two steps: planning may happen on any thread; submitting belongs to the
 * thread that drives the client. A call that was planned by a map that has been replaced meanwhile
 * is planned again when it is submitted.
 */
#ifndef EVS_SCRIPTS_ENGINE_SUBMIT_H
#define EVS_SCRIPTS_ENGINE_SUBMIT_H

#include "scripts/engine/client.h"
#include "sharding/route.h"

typedef struct evs__job {
    evs_client *client;
    const evs_invocation *invocation;
    const evs_script *script; /* planned, as the target is */
    evs__target target;
    uint64_t map_serial; /* of the map that decided */
    unsigned timeout_ms;
    int spreads; /* to every shard of the target's pool */
    evs_done_fn done;
    void *arg;
} evs__job;

/* Finds, checks and routes: everything that can be refused without asking a server. On the thread
 * that drives the client. */
evs_status evs__job_plan(evs__job *job, evs_error *err);

/* The same for a call without keys that goes to `target` whatever its invocation says;
 * the target is of the map there is. */
evs_status evs__job_aim(evs__job *job, const evs__target *target, evs_error *err);

/* The same by a map that stays meanwhile, on any thread. */
evs_status evs__job_plan_by(evs__job *job, const evs_shardmap *map, uint64_t serial,
                            evs_error *err);

/* The same by the map there is, on another thread. */
evs_status evs__job_plan_elsewhere(evs__job *job, evs_error *err);

/* Queues a planned call. */
evs_status evs__job_submit(const evs__job *job, evs_error *err);

/* The same for a call to one shard of the map there is; also while a client that takes no more
 * calls finishes those it has. */
evs_status evs__job_send(const evs__job *job, evs_error *err);

/* evs_submit for a part of something larger, on the thread that drives the client: `done` runs
 * there whatever the options say of completions, and it is not counted as pending. */
evs_status evs__submit_part(evs_client *client, const evs_invocation *invocation, evs_done_fn done,
                            void *arg, evs_error *err);

#endif
