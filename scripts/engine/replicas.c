#include "scripts/engine/replicas.h"

#include "core/mem.h"
#include "scripts/engine/client.h"

/* ---- readers ---- */

void evs__replica_free(evs__replica *replica)
{
    if (replica != NULL)
        evs__lane_clear(&replica->reader.lane);
    evs__free(replica);
}

static void describe(evs__replica *replica)
{
    replica->reader.shard = replica->node->shard;
    replica->reader.shard.login.readonly = 1;
}

void evs__replica_describe(evs__replica *replica, evs_shardmap *map)
{
    describe(replica);
    evs__lane_renew(&replica->reader.lane, map);
}

/* Made when it is first wanted; NULL when out of memory. */
static evs__replica *reader_of(evs__node *node)
{
    if (node->reader != NULL)
        return node->reader;
    evs__replica *replica = evs__zalloc_lines(1, sizeof *replica);
    if (replica == NULL)
        return NULL;
    replica->node = node;
    describe(replica);
    if (!evs__reader_init(&replica->reader, &node->lane)) {
        evs__replica_free(replica);
        return NULL;
    }
    return node->reader = replica;
}

/* ---- who serves a slot ---- */

/* Replicas of one owner; NULL: of any. */
typedef struct followers {
    const evs__cluster *cluster;
    const evs__node *owner;
} followers;

static int is_one(const evs__node *node, const evs__node *owner)
{
    if (node->follows == NULL || (owner != NULL && node->follows != owner))
        return 0;
    return node->reader == NULL || !evs__reader_is_away(&node->reader->reader);
}

static int serves(const void *set, size_t i)
{
    const followers *self = set;
    return is_one(self->cluster->nodes[i], self->owner);
}

static evs__candidates candidates(const followers *set)
{
    return (evs__candidates){set, set->cluster->nnodes, serves};
}

static evs__node *owner_of(const evs__cluster *cluster, unsigned slot)
{
    if (slot == EVS__ANY_SLOT || cluster->owner[slot] == EVS__NOBODY)
        return NULL;
    return cluster->nodes[cluster->owner[slot]];
}

/* The next one in turn; NULL when there is none, or no memory for it. */
static evs__replica *choose(evs__cluster *cluster, evs__node *owner)
{
    followers set = {cluster, owner};
    evs__candidates all = candidates(&set);
    size_t next = evs__candidates_next(&all, owner == NULL ? &cluster->turn : &owner->turn);
    return next == all.count ? NULL : reader_of(cluster->nodes[next]);
}

static int may_stay(const evs__call *call, const evs__node *owner)
{
    return call->lane->reads && is_one(evs__lane_replica(call->lane)->node, owner);
}

static int is_served(const evs__cluster *cluster, unsigned slot)
{
    return cluster->known && (slot == EVS__ANY_SLOT || owner_of(cluster, slot) != NULL);
}

evs__lane *evs__replicas_lane(const evs__call *call)
{
    evs__cluster *cluster = call->lane->cluster;
    evs__read_rule rule = evs__reader_rule(call->lane);
    if (rule == EVS__READ_PRIMARY || !is_served(cluster, call->slot))
        return evs__cluster_lane(cluster, call->slot);
    evs__node *owner = owner_of(cluster, call->slot);
    if (may_stay(call, owner))
        return call->lane;
    evs__replica *replica = choose(cluster, owner);
    if (replica != NULL)
        return &replica->reader.lane;
    return rule == EVS__READ_REPLICA ? cluster->home : evs__cluster_lane(cluster, call->slot);
}

int evs__replicas_want(const evs__call *call)
{
    return call->state.reads && evs__reader_rule(call->lane) == EVS__READ_REPLICA &&
           is_served(call->lane->cluster, call->slot);
}

int evs__replicas_lack(const evs__call *call)
{
    const evs__cluster *cluster = call->lane->cluster;
    if (!evs__replicas_want(call))
        return 0;
    followers set = {cluster, owner_of(cluster, call->slot)};
    evs__candidates all = candidates(&set);
    return !evs__candidates_serve(&all);
}
