/*
 * exec.h - one MULTI ... EXEC on a lane: queued as one piece, its replies sorted out.
 *
 *   MULTI  [SCRIPT LOAD]  EVALSHA  SET  ...  EXEC
 *   +OK    +QUEUED        +QUEUED  ...       an array: what each of them came to
 *   \____________ parts _____________/       \__ the call: deadline, counters, completion
 *
 * The parts are requests of their own, so that replies find them without a look at what they are.
 * EXEC is an ordinary call of the client: the first lost byte, the deadline and closing work as for
 * any other, except that it is never sent again, and that its parts are taken back with it or not
 * at all: a MULTI that has left without its EXEC would swallow whatever comes behind.
 *
 * In a cluster that is so once it may have run. A node that refuses a part, or EXEC itself, because
 * of its slot runs nothing: then the whole goes to the node that has the slot, or rests. ASKING in
 * front of MULTI holds until EXEC.
 */
#ifndef EVS_SCRIPTS_ENGINE_EXEC_H
#define EVS_SCRIPTS_ENGINE_EXEC_H

#include "scripts/engine/call.h"

typedef struct evs__exec evs__exec;
typedef struct evs__part evs__part;
typedef struct evs__lane evs__lane;
struct evs_transaction;

/* Queues a planned transaction, which has its results when evs__transaction_done runs. Fails as
 * queueing a call does; then nothing was queued. */
evs_status evs__exec_start(struct evs_transaction *tx, evs__lane *lane, evs_error *err);

/* Puts the requests into the connection of the lane. Fails without having queued anything. */
evs_status evs__exec_queue(evs__exec *exec, evs_error *err);

/* EXEC was answered with the error `reply`. The error that kept the whole from running and says
 * where or when it may: that reply, or one to a part, which is the transaction's. Else NULL. */
const evs_reply *evs__exec_refusal(const evs__exec *exec, const evs_reply *reply);

/* The connection is lost. May elements have run, though EXEC was not sent? A server that refuses
 * MULTI runs each element that it got. */
int evs__exec_may_have_run(const evs__exec *exec);

/* Is about to be queued again, or to wait for that: what was refused does not count any more.
 * Returns what did, for the case that nothing comes of it. */
const evs__part *evs__exec_forgive(evs__exec *exec);
void evs__exec_blame(evs__exec *exec, const evs__part *culprit);

/* Takes all requests back when no byte of them has left; else their replies are unwanted. */
int evs__exec_withdraw(evs__exec *exec);

/* Frees what is under way on a lane whose connection is gone without a word. */
void evs__execs_drop(evs__lane *lane);

#endif
