/* Snapshots of a client's tallies. */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/client.h"

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

/* A retired lane whose shard has no other lane: the shard was removed, and has calls in flight. */
static int is_last(const evs__lane *lane)
{
    return !lane->inherited;
}

static size_t count_rows(const evs_client *client)
{
    size_t count = 0;
    const evs__lane *lane;
    for (size_t i = 0; i < client->nlanes; i++)
        for (size_t k = 0; (lane = lane_at(client->lanes[i], k)) != NULL; k++)
            count += lane->tallies->count;
    for (lane = client->retired; lane != NULL; lane = lane->next)
        count += is_last(lane) ? lane->tallies->count : 0;
    return count;
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

static int copy_lane(evs_stats *stats, const evs__lane *lane)
{
    const evs__tallies *tallies = lane->tallies;
    evs_stats_row *rows = stats->rows + stats->count;
    if (tallies->count == 0)
        return 1;
    const char *shard = copy_text(stats, lane->at->name);
    const char *pool = copy_text(stats, evs__lane_pool(lane));
    if (shard == NULL || pool == NULL)
        return 0;
    for (size_t i = 0; i < tallies->nslots; i++) {
        const evs__tally *tally = tallies->slots[i];
        if (tally == NULL)
            continue;
        evs_stats_row *row = &rows[tally->order];
        *row = (evs_stats_row){.script = tally->script == NULL ? "" : tally->script->name,
                               .shard = shard,
                               .pool = pool,
                               .calls = tally->calls,
                               .in_flight = tally->in_flight,
                               .bytes = tally->bytes};
        if (tally->trouble != NULL && !copy_trouble(row, &stats->arena, tally->trouble))
            return 0;
    }
    stats->count += tallies->count;
    return 1;
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
    stats->rows = evs__alloc_array(count_rows(client), sizeof *stats->rows);
    int fine = stats->rows != NULL;
    const evs__lane *lane;
    for (size_t i = 0; i < client->nlanes; i++)
        for (size_t k = 0; fine && (lane = lane_at(client->lanes[i], k)) != NULL; k++)
            fine = copy_lane(stats, lane);
    for (lane = client->retired; fine && lane != NULL; lane = lane->next)
        fine = !is_last(lane) || copy_lane(stats, lane);
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
