/* Snapshots of a client's tallies. */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"

struct evs_stats {
    evs__arena arena; /* names of shards, the counts by status */
    evs_stats_row *rows;
    size_t count;
};

/* Lane number `index` of a shard of the map: its own, then those of the nodes if it is a cluster;
 * NULL past the end. */
static const evs__lane *lane_at(const evs__lane *shard, size_t index)
{
    if (index == 0)
        return shard;
    const evs__cluster *cluster = shard->cluster;
    return cluster == NULL || index > cluster->nnodes ? NULL : &cluster->nodes[index - 1]->lane;
}

/* The next lane whose counters are shown, in the order of the snapshot. A retired one shows its own
 * when its shard has no other lane: the shard was removed, and has calls in flight. */
typedef struct walk {
    size_t shard, index;
    const evs__lane *retired; /* behind the last shard: where the walk is */
} walk;

static const evs__lane *next_lane(const evs_client *client, walk *at)
{
    for (; at->shard < client->nlanes; at->shard++, at->index = 0) {
        const evs__lane *lane = lane_at(client->lanes[at->shard], at->index++);
        if (lane != NULL)
            return lane;
    }
    if (at->shard++ == client->nlanes)
        at->retired = client->retired;
    for (; at->retired != NULL; at->retired = at->retired->next, at->index = 0) {
        const evs__lane *lane = at->retired->inherited ? NULL : lane_at(at->retired, at->index++);
        if (lane != NULL)
            return lane;
    }
    return NULL;
}

static size_t count_rows(const evs_client *client)
{
    walk at = {0};
    size_t count = 0;
    evs__tally_sum sum;
    for (const evs__lane *lane; (lane = next_lane(client, &at)) != NULL;)
        for (size_t place = 0; place < evs__tally_places(lane->tallies); place++)
            count += (size_t)evs__tally_at(&sum, lane->tallies, place);
    return count;
}

/* Calls in flight are not counted one by one, but when somebody asks. 0 when out of memory. */
static int fly(const evs_client *client)
{
    uint32_t places = (uint32_t)evs_registry_count(client->registry) + 1;
    const evs__call *call;
    for (size_t at = 0; (call = evs__calls_next(&client->calls, &at)) != NULL;)
        if (!evs__tally_fly(call->lane->tallies, call->script, places))
            return 0;
    return 1;
}

static void land(const evs_client *client)
{
    const evs__call *call;
    for (size_t at = 0; (call = evs__calls_next(&client->calls, &at)) != NULL;)
        evs__tally_land(call->lane->tallies);
}

static int copy_trouble(evs_stats_row *row, evs__arena *arena, const evs__trouble *trouble)
{
    row->heals = trouble->mishaps[EVS__MISHAP_HEAL];
    row->resends = trouble->mishaps[EVS__MISHAP_RESEND];
    row->retries = trouble->mishaps[EVS__MISHAP_RETRY];
    row->redirects = trouble->mishaps[EVS__MISHAP_REDIRECT];
    if (trouble->nerrors == 0)
        return 1;
    evs_status_count *copy = evs__arena_alloc(arena, trouble->nerrors, sizeof *copy);
    if (copy == NULL)
        return 0;
    memcpy(copy, trouble->errors, trouble->nerrors * sizeof *copy);
    for (size_t i = 0; i < trouble->nerrors; i++)
        row->errors += copy[i].count;
    row->by_status = copy;
    row->nby_status = trouble->nerrors;
    return 1;
}

static const char *copy_text(evs_stats *stats, const char *text)
{
    return evs__arena_text(&stats->arena, text, strlen(text));
}

static const char *script_at(const evs_client *client, size_t place)
{
    return place == 0 ? "" : evs_registry_at(client->registry, place - 1)->name;
}

static int copy_lane(evs_stats *stats, const evs__lane *lane)
{
    const char *shard = copy_text(stats, lane->at->name);
    const char *pool = copy_text(stats, evs__lane_pool(lane));
    if (shard == NULL || pool == NULL)
        return 0;
    for (size_t place = 0; place < evs__tally_places(lane->tallies); place++) {
        evs__tally_sum sum;
        if (!evs__tally_at(&sum, lane->tallies, place))
            continue;
        evs_stats_row *row = &stats->rows[stats->count++];
        *row = (evs_stats_row){.script = script_at(lane->client, place),
                               .shard = shard,
                               .pool = pool,
                               .calls = sum.calls,
                               .in_flight = sum.flying,
                               .bytes = sum.bytes};
        if (sum.trouble != NULL && !copy_trouble(row, &stats->arena, sum.trouble))
            return 0;
    }
    return 1;
}

static int fill(evs_stats *stats, const evs_client *client)
{
    walk at = {0};
    stats->rows = evs__alloc_array(count_rows(client), sizeof *stats->rows);
    int fine = stats->rows != NULL;
    for (const evs__lane *lane; fine && (lane = next_lane(client, &at)) != NULL;)
        fine = copy_lane(stats, lane);
    return fine;
}

typedef struct taking {
    const evs_client *client;
    evs_stats **out;
} taking;

static evs_status take(void *job, evs_error *err)
{
    const evs_client *client = ((taking *)job)->client;
    evs_stats *stats = evs__zalloc_array(1, sizeof *stats);
    if (stats == NULL)
        return evs__fail_nomem(err);
    int fine = fly(client) && fill(stats, client);
    land(client);
    if (!fine) {
        evs_stats_free(stats);
        return evs__fail_nomem(err);
    }
    *((taking *)job)->out = stats;
    return EVS_OK;
}

evs_status evs_stats_snapshot(evs_stats **out, const evs_client *client, evs_error *err)
{
    taking self = {client, out};
    if (evs__fork_mark_is_child(client->fork_mark))
        return evs__client_refuse(client, err); /* a thread may have been changing things */
    return evs__client_look(client, take, &self, err);
}

void evs_stats_free(evs_stats *stats)
{
    if (stats == NULL)
        return;
    evs__arena_free(&stats->arena);
    evs__free(stats->rows);
    evs__free(stats);
}

size_t evs_stats_count(const evs_stats *stats)
{
    return stats->count;
}

const evs_stats_row *evs_stats_at(const evs_stats *stats, size_t index)
{
    return index < stats->count ? &stats->rows[index] : NULL;
}
