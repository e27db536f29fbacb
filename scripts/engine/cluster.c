#include "scripts/engine/cluster.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/discover.h"
#include "scripts/engine/park.h"
#include "scripts/engine/replicas.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- nodes ---- */

static void free_node(evs__node *node)
{
    if (node == NULL)
        return;
    evs__replica_free(node->reader);
    evs__lane_clear(&node->lane);
    evs__free(node->host);
    evs__free(node->name);
    evs__free(node);
}

static char *name_of(const char *host, int port)
{
    int v6 = strchr(host, ':') != NULL;
    size_t room = strlen(host) + sizeof "[]:65535";
    char *name = evs__alloc_array(room, 1);
    if (name != NULL)
        snprintf(name, room, v6 ? "[%s]:%d" : "%s:%d", host, port);
    return name;
}

/* What the pool says of connections, with another address. */
static void describe(evs__node *node, int port)
{
    node->shard.name = node->name;
    node->shard.login.name = node->name;
    node->shard.login.endpoint = (evs__endpoint){
        .text = node->name, .host = node->host, .port = port};
}

void evs__node_describe(evs__node *node, evs_shardmap *map, size_t shard)
{
    int port = node->shard.login.endpoint.port;
    node->shard = map->shards[shard];
    describe(node, port);
    evs__lane_renew(&node->lane, map);
    if (node->reader != NULL)
        evs__replica_describe(node->reader, map);
}

static evs__node *add_node(evs__cluster *cluster, evs_bytes host, int port,
                           const evs__lane *heir_of)
{
    evs__node **nodes = evs__realloc_array(cluster->nodes, cluster->nnodes + 1,
                                           sizeof(evs__node *));
    if (nodes == NULL || cluster->nnodes + 1 >= EVS__NOBODY)
        return NULL;
    cluster->nodes = nodes;
    evs__node *node = evs__zalloc_lines(1, sizeof *node);
    if (node == NULL)
        return NULL;
    node->shard = *cluster->home->at; /* with what the map says of calls */
    int made = evs__lane_init(&node->lane, cluster->client, &node->shard, heir_of);
    node->lane.cluster = cluster;
    node->lane.home = cluster->home;
    node->host = evs__copy_text(host.data, host.len);
    node->name = node->host == NULL ? NULL : name_of(node->host, port);
    if (node->name == NULL || !made) {
        free_node(node);
        return NULL;
    }
    describe(node, port);
    nodes[cluster->nnodes++] = node;
    return node;
}

evs__node *evs__cluster_node(evs__cluster *cluster, evs_bytes host, int port)
{
    for (size_t i = 0; i < cluster->nnodes; i++) {
        evs__node *node = cluster->nodes[i];
        if (node->shard.login.endpoint.port == port && strlen(node->host) == host.len &&
            strncasecmp(node->host, host.data, host.len) == 0)
            return node;
    }
    /* counters of a node that only a retired cluster gets are those of the whole */
    return add_node(cluster, host, port, cluster->home->retired ? cluster->home : NULL);
}

evs__node *evs__lane_node(evs__lane *lane)
{
    if (lane->reads)
        return evs__lane_replica(lane)->node;
    return (evs__node *)((char *)lane - offsetof(evs__node, lane));
}

size_t evs__cluster_number(const evs__cluster *cluster, const evs__node *node)
{
    size_t number = 0;
    while (cluster->nodes[number] != node)
        number++;
    return number;
}

/* ---- life ---- */

static int add_seeds(evs__cluster *cluster)
{
    for (size_t i = 0; i < cluster->plan->nseeds; i++) {
        const evs__endpoint *seed = &cluster->plan->seeds[i];
        evs__node *node = evs__cluster_node(cluster, evs_text(seed->host), seed->port);
        if (node == NULL)
            return 0;
        node->seed = 1;
    }
    return 1;
}

static int inherit_nodes(evs__cluster *cluster, const evs__cluster *before)
{
    for (size_t i = 0; before != NULL && i < before->nnodes; i++) {
        const evs__node *node = before->nodes[i];
        int port = node->shard.login.endpoint.port;
        if (add_node(cluster, evs_text(node->host), port, &node->lane) == NULL)
            return 0;
    }
    return 1;
}

static void on_timer(void *owner)
{
    evs__discover_tick(owner);
}

evs__cluster *evs__cluster_new(evs__lane *home, const evs__pool *pool, const evs__cluster *before)
{
    evs__cluster *cluster = evs__zalloc_array(1, sizeof *cluster);
    if (cluster == NULL)
        return NULL;
    cluster->client = home->client;
    cluster->home = home;
    cluster->plan = pool->cluster;
    memset(cluster->owner, 0xff, sizeof cluster->owner);
    evs__ring_init(&cluster->waiting);
    evs__ring_init(&cluster->probes);
    cluster->timer = evs__timer_new(home->client->loop, on_timer, cluster);
    cluster->trouble = evs__zalloc_array(1, sizeof *cluster->trouble);
    if (cluster->timer != NULL && cluster->trouble != NULL && inherit_nodes(cluster, before) &&
        add_seeds(cluster))
        return cluster;
    evs__cluster_stop(cluster);
    evs__cluster_free(cluster);
    return NULL;
}

void evs__cluster_stop(evs__cluster *cluster)
{
    cluster->stopped = 1;
    evs__timer_free(cluster->timer);
    cluster->timer = NULL;
}

void evs__cluster_free(evs__cluster *cluster)
{
    evs__discover_drop(cluster);
    for (size_t i = 0; i < cluster->nnodes; i++)
        free_node(cluster->nodes[i]);
    evs__free(cluster->nodes);
    evs__buf_free(&cluster->reasons);
    evs__free(cluster->trouble);
    evs__free(cluster);
}

/* ---- where calls go ---- */

static evs__lane *any_lane(evs__cluster *cluster)
{
    for (size_t i = 0; i < cluster->nnodes; i++) {
        evs__node *node = cluster->nodes[cluster->turn++ % cluster->nnodes];
        if (node->listed && node->primary)
            return &node->lane;
    }
    return cluster->home;
}

evs__lane *evs__cluster_lane(evs__cluster *cluster, unsigned slot)
{
    if (!cluster->known)
        return cluster->home;
    if (slot == EVS__ANY_SLOT)
        return any_lane(cluster);
    uint16_t owner = cluster->owner[slot];
    return owner == EVS__NOBODY ? cluster->home : &cluster->nodes[owner]->lane;
}

/* ---- waiting ---- */

static int fails_fast(const evs__lane *home)
{
    return home->map->pools[home->at->pool].fails_fast;
}

int evs__cluster_is_down(const evs__cluster *cluster)
{
    if (!fails_fast(cluster->home))
        return 0;
    for (size_t i = 0; i < cluster->nnodes; i++) {
        const evs__node *node = cluster->nodes[i];
        if ((node->listed || node->seed) &&
            (node->lane.conn == NULL || !evs__conn_is_down(node->lane.conn)))
            return 0;
    }
    return 1;
}

int evs__cluster_gives_up(const evs__lane *lane)
{
    return fails_fast(lane->home) && lane->conn != NULL && evs__conn_is_down(lane->conn);
}

static evs_status fail_lacking(const evs__call *call, evs_error *err)
{
    if (call->slot == EVS__ANY_SLOT)
        return evs__fail(err, EVS_E_CONNECT, "no replica of the cluster can be reached");
    return evs__fail(err, EVS_E_CONNECT, "no replica that serves slot %u can be reached",
                     (unsigned)call->slot);
}

evs_status evs__cluster_admit(const evs__call *call, evs_error *err)
{
    evs__cluster *cluster = call->lane->cluster;
    const evs_client_options *options = &cluster->client->options;
    if (cluster->known && cluster->plan->allow_partial && call->slot != EVS__ANY_SLOT &&
        cluster->owner[call->slot] == EVS__NOBODY)
        return evs__fail(err, EVS_E_CLUSTER, "no node of the cluster serves slot %u",
                         (unsigned)call->slot);
    if (!cluster->known && evs__cluster_is_down(cluster)) {
        evs__discover(cluster, NULL); /* somebody wants it */
        return evs__fail(err, cluster->trouble->status, "%s", cluster->trouble->message);
    }
    if (evs__replicas_lack(call) &&
        (fails_fast(cluster->home) || (call->state.patience & EVS__MAY_REST) == 0)) {
        evs__discover(cluster, NULL);
        return fail_lacking(call, err);
    }
    if (cluster->home->parked >= options->max_in_flight ||
        cluster->home->parked_bytes > options->max_queued_bytes)
        return evs__fail(err, EVS_E_QUEUE_FULL, "%zu calls wait for a node already",
                         cluster->home->parked);
    return EVS_OK;
}

evs_status evs__cluster_keep(evs__call *call, const evs_error *why, evs_error *err)
{
    evs__lane *home = call->lane->home;
    if (why != NULL)
        *call->lane->cluster->trouble = *why;
    call->lane = home;
    return evs__cluster_admit(call, err);
}

void evs__cluster_wait(evs__call *call, const evs_error *why)
{
    evs__cluster *cluster = call->lane->cluster;
    call->state.asking = 0;
    call->lane = cluster->home;
    evs__park_look(call, &cluster->waiting);
    if (why != NULL)
        *cluster->trouble = *why;
    evs__discover(cluster, NULL);
}

void evs__cluster_doubt(evs__lane *silent)
{
    evs__cluster *cluster = silent->cluster;
    size_t next = evs__cluster_number(cluster, evs__lane_node(silent)) + 1;
    evs__discover(cluster, cluster->nodes[next % cluster->nnodes]);
}

void evs__cluster_explain(const evs__call *call, evs_error *err)
{
    const evs__cluster *cluster = call->lane->cluster;
    evs__subject subject = evs__call_subject(call);
    int well = cluster->trouble->status == EVS_OK;
    if (well ? evs__replicas_want(call) : evs__replicas_lack(call)) {
        fail_lacking(call, err);
        evs__explain_below(err, &subject);
    } else if (well)
        evs__explain(err, &subject, EVS_E_TIMEOUT, "no node told the cluster's slots in time");
    else
        evs__explain(err, &subject, cluster->trouble->status, "%s", cluster->trouble->message);
}
