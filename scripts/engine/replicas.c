#include "scripts/engine/replicas.h"

#include "core/mem.h"
#include "scripts/engine/client.h"

/* ---- readers ---- */

void evs__replica_free(evs__replica *reader)
{
    if (reader != NULL)
        evs__lane_clear(&reader->lane);
    evs__free(reader);
}

static void describe(evs__replica *reader)
{
    reader->shard = reader->node->shard;
    reader->shard.login.readonly = 1;
}

void evs__replica_describe(evs__replica *reader, evs_shardmap *map)
{
    describe(reader);
    evs__lane_renew(&reader->lane, map);
}

/* Made when it is first wanted; NULL when out of memory. */
static evs__replica *reader_of(evs__node *node)
{
    if (node->reader != NULL)
        return node->reader;
    evs__replica *reader = evs__zalloc_lines(1, sizeof *reader);
    if (reader == NULL)
        return NULL;
    reader->node = node;
    describe(reader);
    if (!evs__lane_init(&reader->lane, node->lane.client, &reader->shard, &node->lane)) {
        evs__replica_free(reader);
        return NULL;
    }
    reader->lane.cluster = node->lane.cluster;
    reader->lane.home = node->lane.home;
    reader->lane.reads = 1;
    return node->reader = reader;
}

/* ---- who serves a slot ---- */

static evs__read_rule rule_of(const evs__lane *lane)
{
    return lane->home->map->pools[lane->home->at->pool].read_from;
}

/* A replica of the owner (NULL: of any) that is not left alone. */
static int serves(const evs__node *node, const evs__node *owner, uint64_t now)
{
    if (node->follows == NULL || (owner != NULL && node->follows != owner))
        return 0;
    return node->reader == NULL || node->reader->away_until <= now;
}

static evs__node *owner_of(const evs__cluster *cluster, unsigned slot)
{
    if (slot == EVS__ANY_SLOT || cluster->owner[slot] == EVS__NOBODY)
        return NULL;
    return cluster->nodes[cluster->owner[slot]];
}

static uint64_t now_of(const evs__cluster *cluster)
{
    return evs__loop_now_ms(cluster->client->loop);
}

static size_t count_serving(const evs__cluster *cluster, const evs__node *owner)
{
    size_t count = 0;
    uint64_t now = now_of(cluster);
    for (size_t i = 0; i < cluster->nnodes; i++)
        count += (size_t)serves(cluster->nodes[i], owner, now);
    return count;
}

/* The next one in turn; NULL when there is none, or no memory for it. */
static evs__replica *choose(evs__cluster *cluster, evs__node *owner)
{
    size_t count = count_serving(cluster, owner);
    if (count == 0)
        return NULL;
    size_t *turn = owner == NULL ? &cluster->turn : &owner->turn;
    size_t skip = (*turn)++ % count;
    uint64_t now = now_of(cluster);
    for (size_t i = 0; i < cluster->nnodes; i++)
        if (serves(cluster->nodes[i], owner, now) && skip-- == 0)
            return reader_of(cluster->nodes[i]);
    return NULL;
}

static int may_stay(const evs__call *call, const evs__node *owner)
{
    return call->lane->reads &&
           serves(evs__lane_replica(call->lane)->node, owner, now_of(call->lane->cluster));
}

static int is_served(const evs__cluster *cluster, unsigned slot)
{
    return cluster->known && (slot == EVS__ANY_SLOT || owner_of(cluster, slot) != NULL);
}

evs__lane *evs__replicas_lane(const evs__call *call)
{
    evs__cluster *cluster = call->lane->cluster;
    evs__read_rule rule = rule_of(call->lane);
    if (rule == EVS__READ_PRIMARY || !is_served(cluster, call->slot))
        return evs__cluster_lane(cluster, call->slot);
    evs__node *owner = owner_of(cluster, call->slot);
    if (may_stay(call, owner))
        return call->lane;
    evs__replica *reader = choose(cluster, owner);
    if (reader != NULL)
        return &reader->lane;
    return rule == EVS__READ_REPLICA ? cluster->home : evs__cluster_lane(cluster, call->slot);
}

/* ---- calls ---- */

int evs__replicas_may(const evs__lane *lane)
{
    return lane->cluster != NULL && rule_of(lane) != EVS__READ_PRIMARY;
}

void evs__replicas_take(evs__call *call)
{
    call->state.reads = 1;
    call->lane = evs__replicas_lane(call);
}

int evs__replicas_lack(const evs__call *call)
{
    const evs__cluster *cluster = call->lane->cluster;
    return call->state.reads && rule_of(call->lane) == EVS__READ_REPLICA &&
           is_served(cluster, call->slot) &&
           count_serving(cluster, owner_of(cluster, call->slot)) == 0;
}

int evs__replicas_leave(evs__lane *lane)
{
    if (!lane->reads)
        return 0;
    evs__lane_replica(lane)->away_until = now_of(lane->cluster) +
                                          lane->at->login.link.retry_after_ms;
    return 1;
}

int evs__replicas_refuse(evs__lane *lane, evs_status status)
{
    return (status == EVS_E_CONNECT || status == EVS_E_CLOSED || status == EVS_E_LOADING) &&
           evs__replicas_leave(lane);
}
