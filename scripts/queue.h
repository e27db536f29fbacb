/*
 * queue.h - room for a new call's bytes: on its lane's connection, or aside while it has to wait
 * for its turn.
 *
 *     begin(&out, call) --> append the request to `out` --> end(call)
 */
#ifndef EVS_SCRIPTS_QUEUE_H
#define EVS_SCRIPTS_QUEUE_H

#include "scripts/call.h"

/* Lane and script of the call are set. Fails as evs__client_lane does, when the script is known not
 * to compile there, and with NOMEM. */
evs_status evs__queue_begin(evs__buf **out, evs__call *call, evs_error *err);

/* Fails with NOMEM. */
evs_status evs__queue_end(evs__call *call, evs_error *err);

/* After a failure of either: the call is nobody's any more, and gone. */
void evs__queue_drop(evs__call *call);

#endif
