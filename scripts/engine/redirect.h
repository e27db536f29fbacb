/*
 * redirect.h - MOVED and ASK: a call goes to another node of its cluster.
 *
 * MOVED corrects the slot at once and has the topology asked for. ASK is for this call alone: it
 * goes out directly behind an ASKING of its own. A script that may return such words itself is not
 * believed; the node is asked instead, on the same connection, how it stands to the slot (CLUSTER
 * NODES). When it does not serve it, the words were the server's, and nothing ran.
 */
#ifndef EVS_SCRIPTS_ENGINE_REDIRECT_H
#define EVS_SCRIPTS_ENGINE_REDIRECT_H

#include "scripts/engine/call.h"
#include "scripts/engine/decide.h"

/* `reply` is an error with one of the words. 0 when the call stays where it is, to be failed. */
int evs__redirect_call(evs__call *call, const evs__decision *decision, const evs_reply *reply);

/* Queues ASKING; the call has to follow at once. 0 when out of memory. */
int evs__redirect_ask(evs__call *call);

#endif
