/* Calls that nobody waits for any more: their time is over, or they are canceled. */
#include "scripts/engine/call.h"

#include "core/error.h"
#include "scripts/engine/aim.h"
#include "scripts/engine/client.h"
#include "scripts/engine/exec.h"
#include "scripts/engine/heal.h"
#include "scripts/engine/park.h"
#include "scripts/engine/primary.h"

/* Off its connection, with what has to go along with it. 0 when it is too late. */
static int withdraw(evs__call *call)
{
    if (call->state.is_exec)
        return evs__exec_withdraw(call->arg);
    if (call->state.asking && !evs__conn_withdraw(call->lane->conn, &call->with.aside->side))
        return 0; /* else ASKING would be for whoever comes next */
    return evs__conn_withdraw(call->lane->conn, &call->request);
}

/* Takes the call away from whoever has it, as far as that is possible. */
static evs_outcome let_go(evs__call *call)
{
    switch ((evs__held)call->state.held) {
    case EVS__HELD_BY_CONN:
        if (!withdraw(call)) {
            call->request.unwanted = 1;
            return EVS_MAYBE_EXECUTED;
        }
        call->state.held = EVS__HELD_BY_NOBODY;
        return EVS_NOT_EXECUTED;
    case EVS__WAITING:
    case EVS__RESTING:
    case EVS__LOOKING:
        evs__park_leave(call);
        return EVS_NOT_EXECUTED;
    case EVS__HELD_BY_HEAL:
        return evs__heal_outcome(call);
    default:
        return EVS_MAYBE_EXECUTED;
    }
}

/* It waits for a connection that did not come about before, or for a server that is silent. */
static int is_unreached(const evs__call *call)
{
    const evs__conn *conn = call->lane->conn;
    return call->state.held == EVS__HELD_BY_CONN &&
           (evs__conn_is_failing(conn) || evs__conn_holds_back(conn, &call->request));
}

/* The same, where sentinels know the server. */
static int seeks_primary(const evs__call *call)
{
    return call->lane->primary != NULL && call->state.held == EVS__HELD_BY_CONN &&
           evs__conn_state_of(call->lane->conn) != EVS__CONN_READY;
}

/* Who still holds the call drops it when it comes to it. */
void evs__call_release(evs__call *call, evs_status status)
{
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    if (status == EVS_E_TIMEOUT && call->state.held == EVS__LOOKING)
        evs__aim_explain(call, &err);
    else if (status == EVS_E_TIMEOUT && seeks_primary(call)) {
        evs__primary_explain(call->lane->primary, &err);
        evs__explain_below(&err, &subject);
    } else if (status == EVS_E_TIMEOUT && is_unreached(call)) {
        evs__conn_why(call->lane->conn, &err);
        evs__explain_below(&err, &subject);
    } else if (status == EVS_E_TIMEOUT)
        evs__explain(&err, &subject, status, "no reply before the deadline");
    else
        evs__explain(&err, &subject, status, "canceled by the caller");

    evs__call_fail(call, let_go(call), &err);
}

/* A server has it that is one of several, and does not answer. */
static int waits_for_node(const evs__call *call)
{
    return call->state.held == EVS__HELD_BY_CONN &&
           (call->lane->cluster != NULL || call->lane->reads) && !evs__lane_is_home(call->lane);
}

void evs__call_expire(evs__due *due)
{
    evs__call *call = (evs__call *)((char *)due - offsetof(evs__call, due));
    evs__ring_init(&due->ring); /* leaving it again is harmless */
    if (call->state.held == EVS__RESTING) {
        evs__park_wake(call);
        return;
    }
    if (call->state.held == EVS__HELD_BY_CONN)
        evs__conn_unanswered(call->lane->conn, &call->request);
    if (waits_for_node(call))
        evs__aim_doubt(call->lane);
    evs__call_release(call, EVS_E_TIMEOUT);
}
