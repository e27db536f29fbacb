/*
 * submit.h - a call in two steps: planning touches nothing that changes and may happen on any
 * thread; submitting belongs to the thread that drives the client.
 */
#ifndef EVS_SCRIPTS_SUBMIT_H
#define EVS_SCRIPTS_SUBMIT_H

#include "scripts/client.h"
#include "sharding/route.h"

typedef struct evs__job {
    evs_client *client;
    const evs_invocation *invocation;
    const evs_script *script; /* planned, as the target is */
    evs__target target;
    evs_done_fn done;
    void *arg;
} evs__job;

/* Finds, checks and routes: everything that can be refused without asking a server. */
evs_status evs__job_plan(evs__job *job, evs_error *err);

/* The same for a call without keys that goes to `target` whatever its invocation says. */
evs_status evs__job_aim(evs__job *job, const evs__target *target, evs_error *err);

/* Of a planned call, in milliseconds. */
unsigned evs__job_timeout(const evs__job *job);

/* Queues a planned call. */
evs_status evs__job_submit(const evs__job *job, evs_error *err);

#endif
