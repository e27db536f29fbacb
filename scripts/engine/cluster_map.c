/*
 * cluster_map.c - another map for a cluster that is in use.
 *
 * Its nodes stay, with connections and marks, when connections would be made the same way and the
 * seeds lead to the same cluster: one of them is a node that is known. A cluster that has told
 * nothing yet takes any seeds, which helps those who wait.
 */
#include "core/error.h"
#include "scripts/engine/client.h"
#include "scripts/engine/discover.h"
#include "scripts/engine/lease.h"
#include "scripts/engine/replicas.h"

static const evs__cluster_plan *plan_of(const evs_shardmap *map, size_t shard)
{
    return map->pools[map->shards[shard].pool].cluster;
}

static int same_plan(const evs__cluster_plan *a, const evs__cluster_plan *b)
{
    int same = a->nseeds == b->nseeds && a->asks == b->asks && a->refresh_ms == b->refresh_ms &&
               a->allow_partial == b->allow_partial;
    for (size_t i = 0; same && i < a->nseeds; i++)
        same = evs__endpoint_same(&a->seeds[i], &b->seeds[i]);
    return same;
}

/* The endpoint of home is what the map says of seeds. */
static int same_login(const evs__login *was, const evs__login *is)
{
    evs__login there = *was;
    there.endpoint = is->endpoint;
    return evs__login_same(&there, is);
}

static int knows(const evs__cluster *cluster, const evs__endpoint *seed)
{
    for (size_t i = 0; i < cluster->nnodes; i++) {
        const evs__node *node = cluster->nodes[i];
        if ((node->listed || node->seed) && evs__endpoint_same(&node->shard.login.endpoint, seed))
            return 1;
    }
    return 0;
}

int evs__cluster_stays(const evs__cluster *cluster, const evs_shardmap *map, size_t shard)
{
    const evs__cluster_plan *plan = plan_of(map, shard);
    if (!same_login(&cluster->home->at->login, &map->shards[shard].login))
        return 0;
    int known = !cluster->known;
    for (size_t i = 0; !known && i < plan->nseeds; i++)
        known = knows(cluster, &plan->seeds[i]);
    return known;
}

int evs__cluster_expect(evs__cluster *cluster, const evs_shardmap *map, size_t shard)
{
    const evs__cluster_plan *plan = plan_of(map, shard);
    for (size_t i = 0; i < plan->nseeds; i++)
        if (evs__cluster_node(cluster, evs_text(plan->seeds[i].host), plan->seeds[i].port) == NULL)
            return 0;
    return 1;
}

/* They are nodes already. */
static void mark_seeds(evs__cluster *cluster)
{
    const evs__cluster_plan *plan = cluster->plan;
    for (size_t i = 0; i < cluster->nnodes; i++)
        cluster->nodes[i]->seed = 0;
    for (size_t i = 0; i < plan->nseeds; i++)
        evs__cluster_node(cluster, evs_text(plan->seeds[i].host), plan->seeds[i].port)->seed = 1;
}

void evs__cluster_set_map(evs__cluster *cluster, evs_shardmap *map, size_t shard)
{
    const evs__cluster_plan *plan = plan_of(map, shard);
    int asks = cluster->round_end != 0 && !same_plan(cluster->plan, plan);
    cluster->plan = plan;
    mark_seeds(cluster);
    for (size_t i = 0; i < cluster->nnodes; i++)
        evs__node_describe(cluster->nodes[i], map, shard);
    evs__lane_set_map(cluster->home, map, shard);
    if (asks)
        evs__discover(cluster, NULL);
}

/* ---- one that is not in the map any more ---- */

/* Two lanes per node, or its own twice; NULL past the end. */
static evs__lane *lane_at(const evs__cluster *cluster, size_t index)
{
    if (index / 2 >= cluster->nnodes)
        return NULL;
    evs__node *node = cluster->nodes[index / 2];
    return index % 2 == 1 && node->reader != NULL ? &node->reader->reader.lane : &node->lane;
}

void evs__cluster_forget_calls(evs__cluster *cluster)
{
    evs__lane *lane;
    for (size_t i = 0; (lane = lane_at(cluster, i)) != NULL; i++)
        evs__lane_forget_calls(lane);
}

int evs__cluster_is_in_use(const evs__cluster *cluster)
{
    int used = 0;
    const evs__lane *lane;
    for (size_t i = 0; (lane = lane_at(cluster, i)) != NULL; i++)
        used |= evs__lane_is_in_use(lane);
    return used;
}

void evs__cluster_close(evs__cluster *cluster)
{
    evs__cluster_stop(cluster);
    for (size_t i = 0; i < cluster->nnodes; i++) {
        evs__node *node = cluster->nodes[i];
        evs__lane_close(&node->lane);
        if (node->reader != NULL)
            evs__lane_close(&node->reader->reader.lane);
    }
}
