/*
 * call.h - one call or plain command from submission to completion.
 *
 *   start --> queued on the connection --> reply --> decide --> finish
 *                 ^         |                          |
 *                 |         +-- connection lost -------+--> finish, or sent again once when it
 *                 |                                    |    did not run or may run twice
 *                 +------------- heal.c <-- NOSCRIPT --+    sent again at most once
 *
 * The caller is released at the deadline, wherever the call is; what still holds it (the
 * connection, a heal) drops it later without a word.
 */
#ifndef EVS_SCRIPTS_CALL_H
#define EVS_SCRIPTS_CALL_H

#include "core/net/conn.h"
#include "scripts/explain.h"
#include <evalshard/client.h>

typedef struct evs__call evs__call;
typedef struct evs__lane evs__lane;

/* Who has a pointer to the call besides the client. */
typedef enum evs__held { EVS__HELD_BY_NOBODY, EVS__HELD_BY_CONN, EVS__HELD_BY_HEAL } evs__held;

struct evs__call {
    evs__request request; /* first: the connection's handle is the call */
    evs__call *next;      /* in the client's list of live calls, or in the list of spare ones */
    evs__call *prev;
    evs__call *next_waiting; /* in a heal */
    evs__lane *lane;
    const evs_script *script; /* NULL for a plain command */
    evs_done_fn done;
    void *arg;
    uint64_t deadline;      /* milliseconds of the loop's clock */
    evs__buf kept;          /* the request's bytes while it is in no connection */
    evs_reply *claim;       /* the NOSCRIPT reply that a heal is about to settle; ours */
    unsigned char retry;    /* evs_retry */
    unsigned char held;     /* evs__held */
    unsigned char finished; /* the caller has its result */
    unsigned char healed;
    unsigned char resent;
    unsigned char maybe;   /* an earlier try may have run */
    unsigned char may_lie; /* a plain command that runs a script: errors may be that script's */
};

/* A new call on `lane`, not queued, in the client's list. NULL when out of memory. */
evs__call *evs__call_new(evs__lane *lane, const evs_script *script, evs_done_fn done, void *arg);

/* Takes a call that was never queued out of the list again; `done` does not run. */
void evs__call_drop(evs__call *call);

/* Queues the kept bytes of a call that was taken off its connection. When that fails the call is
 * finished with the reason. */
void evs__call_send_again(evs__call *call);

/* Runs the completion with EVS_OK or EVS_E_SCRIPT and `reply`. */
void evs__call_finish(evs__call *call, evs_status status, evs_outcome outcome,
                      const evs_reply *reply);

/* Runs the completion with a failure. `err` has status and message; the outcome is set here. */
void evs__call_fail(evs__call *call, evs_outcome outcome, evs_error *err);

/* The deadline passed. */
void evs__call_expire(evs__call *call);

/* The evs__request.done of every call. */
void evs__call_answered(evs__request *request, const evs__answer *answer);

/* What the call is about; the key is borrowed from its bytes. */
evs__subject evs__call_subject(const evs__call *call);

#endif
