#include "scripts/engine/queue.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/aim.h"
#include "scripts/engine/client.h"
#include "scripts/engine/park.h"
#include "scripts/engine/reader.h"

/* Makes sure that the server will know the script when the request arrives. */
static evs_status introduce(evs__call *call, evs_error *err)
{
    evs__lane *lane = call->lane;
    const evs_script *script = call->script;
    evs__mark mark = evs__lane_mark(lane, script);
    call->state.unsure = mark != EVS__MARK_KNOWN;
    if (mark == EVS__MARK_BROKEN) {
        evs__subject subject = {script->name, {NULL, 0}, lane->at->name};
        return evs__explain_refusal(err, &subject, evs__refusal_find(lane->refusals, script));
    }
    if (mark == EVS__MARK_UNKNOWN && !evs__lane_load(lane, script))
        return evs__fail_nomem(err);
    return EVS_OK;
}

/* A connection that could not be had before was the call's first try. */
static evs_status reach(evs__call *call, evs_error *err)
{
    evs__lane *lane = call->lane;
    evs_status status = evs__client_lane(lane, evs__call_awaits(call), err);
    if (status == EVS_OK && evs__conn_state_of(lane->conn) == EVS__CONN_IDLE)
        call->state.tried = 1;
    return status;
}

/* Ends: a replica that was left is not chosen again for a while. */
static evs_status admit(evs__call *call, evs_error *err)
{
    while (!evs__aim_is_lost(call)) {
        evs_status status = reach(call, err);
        if (!evs__reader_refuse(call->lane, status))
            return status;
        evs__aim_choose(call);
    }
    return evs__aim_admit(call, err);
}

static evs_status begin_waiting(evs__buf **out, evs__call *call, evs_error *err)
{
    evs__aside *aside = evs__zalloc_array(1, sizeof *aside);
    if (aside == NULL)
        return evs__fail_nomem(err);
    call->with.aside = aside;
    *out = &aside->bytes;
    return EVS_OK;
}

evs_status evs__queue_begin(evs__buf **out, evs__call *call, evs_error *err)
{
    evs_status status = admit(call, err);
    evs__lane *lane = call->lane;
    int strict = lane->client->options.order == EVS_ORDER_STRICT;
    int stays = evs__aim_is_lost(call) || evs__aim_may_help(call, status) ||
                (strict && status == EVS_OK && lane->home != lane &&
                 evs__park_must_wait(lane->home));
    if (stays && !evs__aim_is_lost(call)) {
        evs_error why = {0};
        if (status != EVS_OK && err != NULL)
            why = *err;
        status = evs__aim_keep(call, status == EVS_OK ? NULL : &why, err);
    }
    if (status != EVS_OK)
        return status;
    if (strict) {
        if (evs__park_must_wait(lane->home))
            return begin_waiting(out, call, err);
        lane->home->turn = call;
    }
    if (stays)
        return begin_waiting(out, call, err);
    if (call->script != NULL)
        status = introduce(call, err);
    if (status == EVS_OK)
        *out = evs__conn_begin(lane->conn, &call->request);
    return status;
}

evs_status evs__queue_end(evs__call *call, evs_error *err)
{
    if (call->with.aside != NULL) {
        if (!evs__buf_ok(&call->with.aside->bytes))
            return evs__fail_nomem(err);
        int strict = call->lane->client->options.order == EVS_ORDER_STRICT;
        if (strict && call->lane->home->turn != call)
            evs__park_wait(call);
        else
            evs__aim_wait(call, NULL);
        return EVS_OK;
    }
    return evs__queue_sent(call, err);
}

void evs__queue_drop(evs__call *call)
{
    if (call->lane->home->turn == call)
        call->lane->home->turn = NULL;
    evs__call_drop(call);
}
