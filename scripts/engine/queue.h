/*
 * queue.h - room for a new call's bytes: on its lane's connection, or aside while it has to wait
 * for its turn.
 *
 *     begin(&out, call) --> append the request to `out` --> end(call)
 */
#ifndef EVS_SCRIPTS_ENGINE_QUEUE_H
#define EVS_SCRIPTS_ENGINE_QUEUE_H

#include "core/error.h"
#include "scripts/engine/call.h"
#include "scripts/engine/lane.h"

/* Lane and script of the call are set. Fails as evs__client_lane does, when the script is known not
 * to compile there, and with NOMEM. */
evs_status evs__queue_begin(evs__buf **out, evs__call *call, evs_error *err);

/* Fails with NOMEM. */
evs_status evs__queue_end(evs__call *call, evs_error *err);

/* The same for a call whose bytes are on its connection. */
static inline evs_status evs__queue_sent(evs__call *call, evs_error *err)
{
    if (!evs__conn_end(call->lane->conn, &call->request))
        return evs__fail_nomem(err);
    call->state.held = EVS__HELD_BY_CONN;
    return EVS_OK;
}

/* After a failure of either: the call is nobody's any more, and gone. */
void evs__queue_drop(evs__call *call);

#endif
