#include "scripts/engine/aim.h"

#include "core/error.h"
#include "scripts/engine/client.h"
#include "scripts/engine/discover.h"
#include "scripts/engine/followers.h"
#include "scripts/engine/replicas.h"

int evs__aim_may_read(const evs__lane *lane)
{
    return (lane->cluster != NULL || evs__followers_of(lane) != NULL) &&
           evs__reader_rule(lane) != EVS__READ_PRIMARY;
}

void evs__aim_read(evs__call *call)
{
    call->state.reads = 1;
    evs__aim_choose(call);
}

void evs__aim_choose(evs__call *call)
{
    evs__cluster *cluster = call->lane->cluster;
    if (cluster != NULL)
        call->lane = call->state.reads ? evs__replicas_lane(call)
                                       : evs__cluster_lane(cluster, call->slot);
    else if (call->state.reads)
        evs__followers_choose(call);
}

static evs_status admit(const evs__call *call, evs_error *err)
{
    return call->lane->cluster != NULL ? evs__cluster_admit(call, err)
                                       : evs__followers_admit(call, err);
}

evs_status evs__aim_admit(const evs__call *call, evs_error *err)
{
    return evs__client_refused(call->lane->home, admit(call, err));
}

evs_status evs__aim_keep(evs__call *call, const evs_error *why, evs_error *err)
{
    if (call->lane->cluster != NULL)
        return evs__client_refused(call->lane->home, evs__cluster_keep(call, why, err));
    call->lane = call->lane->home;
    call->state.looks = 1;
    return evs__aim_admit(call, err);
}

void evs__aim_wait(evs__call *call, const evs_error *why)
{
    if (call->lane->cluster != NULL)
        evs__cluster_wait(call, why);
    else
        evs__followers_wait(call);
}

int evs__aim_call(evs__call *call)
{
    if (call->state.asking || (call->lane->cluster == NULL && !call->state.reads))
        return 1;
    evs__aim_choose(call);
    if (!evs__aim_is_lost(call))
        return 1;
    evs_error err;
    evs_status status = admit(call, &err);
    if (status == EVS_OK || status == EVS_E_QUEUE_FULL) { /* it was taken before */
        evs__aim_wait(call, NULL);
        return 0;
    }
    evs__subject subject = evs__call_subject(call);
    evs__explain_below(&err, &subject);
    evs__call_fail(call, EVS_NOT_EXECUTED, &err);
    return 0;
}

static int is_curable(const evs__lane *lane, evs_status status)
{
    return status == EVS_E_CLOSED || status == EVS_E_CONNECT ||
           (lane->reads && (status == EVS_E_LOADING || status == EVS_E_BUSY));
}

int evs__aim_may_help(const evs__call *call, evs_status status)
{
    const evs__lane *lane = call->lane;
    const evs_client *client = lane->client;
    return (lane->cluster != NULL || lane->reads) && (call->state.patience & EVS__MAY_REST) != 0 &&
           !client->closing && !client->ending && is_curable(lane, status) &&
           (lane->reads || !evs__cluster_gives_up(lane));
}

void evs__aim_look(const evs__lane *lane)
{
    if (lane->cluster != NULL)
        evs__discover(lane->cluster, NULL);
    else if (lane->reads)
        evs__followers_look(lane);
}

void evs__aim_doubt(evs__lane *silent)
{
    evs__reader_leave(silent);
    if (silent->cluster != NULL && !evs__lane_is_home(silent))
        evs__cluster_doubt(silent);
    else
        evs__aim_look(silent);
}

void evs__aim_explain(const evs__call *call, evs_error *err)
{
    if (call->lane->cluster != NULL)
        evs__cluster_explain(call, err);
    else
        evs__followers_explain(call, err);
}
