#include "scripts/engine/lease.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/render.h"

static const char *shard_name(const evs__lane *lane)
{
    return lane->at->name;
}

static evs_status make(evs__lease **out, evs__lane *lane, evs_error *err)
{
    evs_client *client = lane->client;
    evs__lease *lease = evs__zalloc_array(1, sizeof *lease);
    if (lease == NULL)
        return evs__fail_nomem(err);
    lease->lane.map = evs_shardmap_ref(lane->home->map); /* that of a node is its home's */
    evs_status status = EVS_OK;
    if (!evs__lane_init(&lease->lane, client, lane->at, lane))
        status = evs__fail_nomem(err);
    lease->lane.primary = lane->primary;
    if (status == EVS_OK)
        status = evs__lane_connect(&lease->lane, err);
    if (status != EVS_OK) {
        evs__lane_clear(&lease->lane);
        evs__free(lease);
        return status;
    }
    lease->next = lane->leases;
    lane->leases = lease;
    *out = lease;
    return EVS_OK;
}

int evs__lease_watches(evs__lease *lease)
{
    uint64_t epoch = evs__conn_epoch(lease->lane.conn);
    if (lease->watches && lease->epoch != epoch)
        return 0;
    lease->watches = 1;
    lease->epoch = epoch;
    return 1;
}

evs_status evs__lease_check(const evs__lease *lease, evs_error *err)
{
    const evs__conn *conn = lease->lane.conn;
    if (lease->watches && evs__conn_epoch(conn) == lease->epoch &&
        evs__conn_state_of(conn) == EVS__CONN_READY)
        return EVS_OK;
    evs__subject subject = {.shard = shard_name(&lease->lane)};
    return evs__explain(err, &subject, EVS_E_CLOSED, "the connection that watched was lost");
}

static void send_unwatch(evs__lease *lease);

static void unwatched(evs__request *request, const evs__answer *answer)
{
    evs__lease *lease = (evs__lease *)((char *)request - offsetof(evs__lease, unwatch));
    lease->unwatching = 0;
    if (answer->got == EVS__GOT_LOST)
        lease->owes = 0;
    if (lease->owes && !lease->asked)
        send_unwatch(lease);
}

/* When it cannot be sent now, it follows later; until then a key that nobody means is watched,
 * which can abort a transaction without need, and do no worse. */
static void send_unwatch(evs__lease *lease)
{
    evs__conn *conn = lease->lane.conn;
    evs_bytes word = evs_text("UNWATCH");
    lease->owes = 1;
    if (lease->unwatching)
        return;
    lease->unwatch.done = unwatched;
    lease->unwatch.unwanted = 1;
    lease->unwatch.servant = 0;
    evs__render_command(evs__conn_begin(conn, &lease->unwatch), &word, 1);
    lease->unwatching = evs__conn_end(conn, &lease->unwatch);
    lease->owes = !lease->unwatching;
}

/* One that nobody has; rather one that waits for no late replies. */
static evs__lease *find_spare(const evs__lane *lane, size_t *count)
{
    evs__lease *spare = NULL;
    *count = 0;
    for (evs__lease *lease = lane->leases; lease != NULL; lease = lease->next) {
        ++*count;
        if (!lease->taken && (spare == NULL || evs__conn_queued(lease->lane.conn) == 0))
            spare = lease;
    }
    return spare;
}

evs_status evs__lease_take(evs__lease **out, evs__lane *lane, evs_error *err)
{
    size_t count, most = lane->client->options.max_watching;
    evs__lease *lease = find_spare(lane, &count);
    if (lease == NULL && count >= most) {
        evs__subject subject = {.shard = shard_name(lane)};
        return evs__explain(err, &subject, EVS_E_QUEUE_FULL, "%zu transactions watch keys already",
                            count);
    }
    evs_status status = lease == NULL ? make(&lease, lane, err) : EVS_OK;
    if (status != EVS_OK)
        return status;
    lease->taken = 1;
    if (lease->owes && evs__conn_state_of(lease->lane.conn) == EVS__CONN_READY)
        send_unwatch(lease);
    *out = lease;
    return EVS_OK;
}

void evs__lease_return(evs__lease *lease)
{
    evs_client *client = lease->lane.client;
    int open = !client->ending && !evs__fork_mark_is_child(client->fork_mark);
    int asked = lease->asked;
    lease->taken = lease->asked = lease->watches = 0;
    if (open && asked && evs__conn_state_of(lease->lane.conn) == EVS__CONN_READY)
        send_unwatch(lease);
    if (open && lease->lane.retired)
        evs__client_retire_soon(client);
}

void evs__leases_free(evs__lane *lane)
{
    while (lane->leases != NULL) {
        evs__lease *lease = lane->leases;
        lane->leases = lease->next;
        evs__lane_clear(&lease->lane);
        evs__free(lease);
    }
}
