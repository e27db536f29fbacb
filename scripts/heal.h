/*
 * heal.h - after NOSCRIPT: was it the server or the script that said so, and if it was the server,
 * load the script and send the calls again.
 *
 * One write carries SCRIPT EXISTS and SCRIPT LOAD. EXISTS settles the question on the same
 * connection: 0 means that nothing ran, and the calls go out again behind the LOAD; 1 means that
 * the script may have made the reply up after it ran, and a `once` script is not sent again. (1
 * also comes when another client loaded the script in between; that call is then reported as
 * MAYBE. 0 also comes when somebody flushed a script that had just lied; nothing tells that apart.)
 * However many calls meet NOSCRIPT meanwhile, there is one heal per script and connection.
 */
#ifndef EVS_SCRIPTS_HEAL_H
#define EVS_SCRIPTS_HEAL_H

#include "scripts/call.h"

/* `reply` is the NOSCRIPT that `call`, whose bytes are still on its connection, was answered with.
 * The call waits, or is finished when it cannot. */
void evs__heal_call(evs__call *call, const evs_reply *reply);

/* Frees the open heals of a lane whose connection is gone without a word; calls are left alone. */
void evs__heals_drop(evs__lane *lane);

#endif
