/* Snapshots of a client's tallies. */
#include "core/error.h"
#include "core/mem.h"
#include "scripts/client.h"

struct evs_stats {
    evs__arena arena; /* the counts by status */
    evs_stats_row *rows;
    size_t count;
};

static size_t count_rows(const evs_client *client)
{
    size_t count = 0;
    for (size_t i = 0; i < client->nlanes; i++)
        count += client->lanes[i].tallies.count;
    return count;
}

static int copy_errors(evs_stats_row *row, evs__arena *arena, const evs__tally *tally)
{
    if (tally->nerrors == 0)
        return 1;
    evs_status_count *copy = evs__arena_alloc(arena, tally->nerrors, sizeof *copy);
    if (copy == NULL)
        return 0;
    memcpy(copy, tally->errors, tally->nerrors * sizeof *copy);
    for (size_t i = 0; i < tally->nerrors; i++)
        row->errors += copy[i].count;
    row->by_status = copy;
    row->nby_status = tally->nerrors;
    return 1;
}

static int copy_lane(evs_stats *stats, const evs_client *client, const evs__lane *lane)
{
    const evs__shard *shard = &client->map->shards[lane->shard];
    evs_stats_row *rows = stats->rows + stats->count;
    for (size_t i = 0; i < lane->tallies.nslots; i++) {
        const evs__tally *tally = lane->tallies.slots[i];
        if (tally == NULL)
            continue;
        evs_stats_row *row = &rows[tally->order];
        *row = (evs_stats_row){.script = tally->script == NULL ? "" : tally->script->name,
                               .shard = shard->name,
                               .pool = client->map->pools[shard->pool].name,
                               .calls = tally->calls,
                               .in_flight = tally->in_flight,
                               .bytes = tally->bytes,
                               .heals = tally->heals,
                               .resends = tally->resends,
                               .retries = tally->retries};
        if (!copy_errors(row, &stats->arena, tally))
            return 0;
    }
    stats->count += lane->tallies.count;
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
    for (size_t i = 0; fine && i < client->nlanes; i++)
        fine = copy_lane(stats, client, &client->lanes[i]);
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
