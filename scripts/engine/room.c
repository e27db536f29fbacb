/* Has a lane room for one more call? */
#include "scripts/engine/client.h"

#include "core/error.h"

/* SCRIPT LOADs that no call asked for are not counted: there may be many at once. */
static size_t count_calls(const evs__lane *lane)
{
    return lane->parked + evs__conn_queued(lane->conn) - lane->npreloads;
}

static evs_status full(evs__lane *lane, evs_error *err)
{
    const evs_client_options *options = &lane->client->options;
    evs__subject subject = {.shard = lane->at->name};
    size_t count = count_calls(lane);
    if (count >= options->max_in_flight)
        return evs__explain(err, &subject, EVS_E_QUEUE_FULL, "%zu calls are in flight already",
                            count);
    return evs__explain(err, &subject, EVS_E_QUEUE_FULL, "%zu bytes are queued, the limit is %zu",
                        lane->parked_bytes, options->max_queued_bytes);
}

static int is_over(const evs__lane *lane)
{
    const evs_client_options *options = &lane->client->options;
    return count_calls(lane) >= options->max_in_flight ||
           lane->parked_bytes > options->max_queued_bytes;
}

evs_status evs__client_refused(evs__lane *lane, evs_status status)
{
    if (status == EVS_E_QUEUE_FULL && lane->client->options.on_full == EVS_FULL_SIGNAL)
        lane->wants_room = lane->watched = 1;
    return status;
}

static evs_status check_room(evs__lane *lane, evs_status status, evs_error *err)
{
    if (status == EVS_OK && is_over(lane))
        status = full(lane, err);
    return evs__client_refused(lane, status);
}

evs_status evs__client_lane(evs__lane *lane, uint64_t until, evs_error *err)
{
    evs_status status = evs__lane_prepare(lane, until, err);
    status = check_room(lane, status, err);
    if (status == EVS_OK)
        evs__lane_preload(lane);
    return status;
}

evs_status evs__client_room(evs__lane *lane, evs_error *err)
{
    evs_status status = EVS_OK;
    if (lane->conn == NULL)
        return EVS_OK;
    if (evs__conn_state_of(lane->conn) == EVS__CONN_READY)
        status = evs__lane_prepare(lane, UINT64_MAX, err);
    status = check_room(lane, status, err);
    return status == EVS_E_QUEUE_FULL ? status : EVS_OK;
}
