/*
 * heal.h - after NOSCRIPT: was it the server or the script that said so, and if it was the server,
 * load the script and send the calls again.
 *
 * One write carries SCRIPT EXISTS and SCRIPT LOAD. EXISTS settles the question on the same
 * connection: 0 means that nothing ran, and the calls go out again behind the LOAD; 1 means that
 * another client loaded the script in between, or that the script made the reply up after it ran.
 * Of a script that returns no errors of its own it is the former, and the calls go out again; of
 * any other a `once` call is reported as MAYBE. (0 also comes when somebody flushed a script that
 * had just lied; nothing tells that apart.)
 * However many calls meet NOSCRIPT meanwhile, there is one heal per script and connection.
 */
#ifndef EVS_SCRIPTS_ENGINE_HEAL_H
#define EVS_SCRIPTS_ENGINE_HEAL_H

#include "scripts/engine/call.h"

/* `reply` is the NOSCRIPT that `call`, whose bytes are still on its connection, was answered with.
 * The call waits, or is finished when it cannot. */
void evs__heal_call(evs__call *call, const evs_reply *reply);

/* What became of a call that is let go while its NOSCRIPT is not settled. */
evs_outcome evs__heal_outcome(const evs__call *call);

/* Frees the open heals of a lane whose connection is gone without a word; calls are left alone. */
void evs__heals_drop(evs__lane *lane);

#endif
