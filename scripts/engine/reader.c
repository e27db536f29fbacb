#include "scripts/engine/reader.h"

#include "scripts/engine/client.h"

int evs__reader_init(evs__reader *reader, const evs__lane *heir_of)
{
    if (!evs__lane_init(&reader->lane, heir_of->client, &reader->shard, heir_of))
        return 0;
    reader->lane.cluster = heir_of->cluster;
    reader->lane.home = heir_of->home;
    reader->lane.reads = 1;
    return 1;
}

evs__read_rule evs__reader_rule(const evs__lane *lane)
{
    return lane->home->map->pools[lane->home->at->pool].read_from;
}

static uint64_t now_of(const evs__lane *lane)
{
    return evs__loop_now_ms(lane->client->loop);
}

int evs__reader_is_away(const evs__reader *reader)
{
    return reader->away_until > now_of(&reader->lane);
}

int evs__reader_leave(evs__lane *lane)
{
    if (!lane->reads)
        return 0;
    evs__lane_reader(lane)->away_until = now_of(lane) + lane->at->login.link.retry_after_ms;
    return 1;
}

int evs__reader_refuse(evs__lane *lane, evs_status status)
{
    return (status == EVS_E_CONNECT || status == EVS_E_CLOSED || status == EVS_E_LOADING ||
            status == EVS_E_BUSY) &&
           evs__reader_leave(lane);
}

static size_t count(const evs__candidates *all)
{
    size_t serving = 0;
    for (size_t i = 0; i < all->count; i++)
        serving += (size_t)(all->serves(all->set, i) != 0);
    return serving;
}

int evs__candidates_serve(const evs__candidates *all)
{
    return count(all) > 0;
}

size_t evs__candidates_next(const evs__candidates *all, size_t *turn)
{
    size_t serving = count(all);
    if (serving == 0)
        return all->count;
    size_t skip = (*turn)++ % serving, i = 0;
    while (!all->serves(all->set, i) || skip-- > 0)
        i++;
    return i;
}
