/*
 * exec_inner.h - what exec.c (requests) and exec_reply.c (replies) share.
 */
#ifndef EVS_SCRIPTS_ENGINE_EXEC_INNER_H
#define EVS_SCRIPTS_ENGINE_EXEC_INNER_H

#include "scripts/engine/client.h"
#include "scripts/engine/exec.h"
#include "scripts/engine/transaction.h"

typedef enum evs__part_kind { EVS__PART_MULTI, EVS__PART_LOAD, EVS__PART_ELEMENT } evs__part_kind;

struct evs__part {
    evs__request request; /* first */
    evs__exec *exec;
    evs__part_kind kind;
    size_t element; /* that it is, or that the script is loaded for */
    size_t end;     /* of its bytes in the exec's */
};

struct evs__exec {
    evs__ring ring; /* in the lane's execs; first */
    evs__lane *lane;
    evs_transaction *tx; /* NULL when it has its results */
    evs__call *call;     /* EXEC; NULL when it is finished */
    evs__buf bytes;      /* of all requests, until they are queued; ours */
    evs__part *parts;    /* in the order of writing; ours */
    size_t nparts;
    size_t open;              /* parts in the connection */
    int begun;                /* MULTI was answered with OK */
    int bare;                 /* an element has left, and MULTI was lost without an answer */
    const evs__part *culprit; /* the first part that was refused */
    evs_reply *refusal;       /* what it was answered with, in a cluster; ours */
};

/* The reply to a part: +QUEUED, or a refusal. */
void evs__exec_part_replied(evs__part *part, const evs_reply *reply);

/* The results are there. Asks about those that an answer can settle, then the transaction is done.
 */
void evs__exec_settle(evs_transaction *tx, evs__lane *lane);

/* What EXEC came to: fills in the results of the transaction. */
void evs__exec_replied(evs__exec *exec, const evs_result *result);

#endif
