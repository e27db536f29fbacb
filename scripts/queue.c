#include "scripts/queue.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/client.h"
#include "scripts/park.h"

/* Makes sure that the server will know the script when the request arrives. */
static evs_status introduce(evs__call *call, evs_error *err)
{
    evs__lane *lane = call->lane;
    const evs_script *script = call->script;
    evs__mark mark = evs__lane_mark(lane, script);
    call->state.unsure = mark != EVS__MARK_KNOWN;
    if (mark == EVS__MARK_BROKEN) {
        evs__subject subject = {
            script->name, {NULL, 0}, lane->client->map->shards[lane->shard].name};
        return evs__explain_refusal(err, &subject, evs__lane_refusal(lane, script));
    }
    if (mark == EVS__MARK_UNKNOWN && !evs__lane_load(lane, script))
        return evs__fail_nomem(err);
    return EVS_OK;
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
    evs__lane *lane = call->lane;
    evs_status status = evs__client_lane(lane, err);
    if (status != EVS_OK)
        return status;
    if (lane->client->options.order == EVS_ORDER_STRICT) {
        if (evs__park_must_wait(lane))
            return begin_waiting(out, call, err);
        lane->turn = call;
    }
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
        evs__park_wait(call);
        return EVS_OK;
    }
    return evs__queue_sent(call, err);
}

void evs__queue_drop(evs__call *call)
{
    if (call->lane->turn == call)
        call->lane->turn = NULL;
    evs__call_drop(call);
}
