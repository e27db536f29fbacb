/*
 * online.c - whom to ask, and what is held against each other behind that.
 *
 * There are two rounds: the servers of the map, then those that they tell of: the other nodes of
 * clusters, and replicas that sentinels name, where those are read from. Sentinels are asked one by
 * one, besides being asked by the client for the primaries.
 */
#include "tools/evalshard/online.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/crew.h"
#include "tools/evalshard/term.h"

/* ---- whom to ask ---- */

/* A command that names its shard has no patience; for sentinels and their primary it waits as calls
 * do, since the first moment may be a bad one. */
static int open_client(evs_client **out, evs_shardmap *map, const evs_registry *registry)
{
    evs_error err;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = 1;
    if (evs_client_open(out, map, registry, &options, &err) == EVS_OK)
        return 1;
    complain("%s", err.message);
    return 0;
}

static probe *add(online *o, evs_client *client, const evs_shard_info *info, const char *name)
{
    if (o->nservers == o->room) {
        o->room = o->room * 2 + 16;
        o->servers = need(reallocarray(o->servers, o->room, sizeof *o->servers));
    }
    probe *p = &o->servers[o->nservers++];
    *p = (probe){
        .client = client,
        .registry = o->s->registry,
        .shard = session_shard_name(info),
        .name = need(strdup(name)),
        .address = need(strdup(info->address)),
        .db = info->db,
    };
    return p;
}

/* Another client, for a map of servers that are no shards; NULL when that failed. */
static evs_client *add_client(online *o, evs_shardmap *map)
{
    evs_client *client = NULL;
    if (!open_client(&client, map, o->empty))
        return NULL;
    o->clients = need(reallocarray(o->clients, o->nclients + 1, sizeof(evs_client *)));
    return o->clients[o->nclients++] = client;
}

/* Servers that are reached as shard number `shard` is; they come last. */
static int add_elsewhere(online *o, size_t shard, const char *name, const char *addresses)
{
    evs_shardmap *map;
    evs_shard_info info;
    evs_error err;
    if (evs_shardmap_elsewhere(&map, o->s->map, shard, addresses, &err) != EVS_OK) {
        complain("%s", err.message);
        return 0;
    }
    evs_client *client = add_client(o, map);
    for (size_t i = 0; client != NULL && evs_shardmap_shard(&info, map, i, NULL) == EVS_OK; i++)
        add(o, client, &info, name);
    evs_shardmap_free(map);
    return client != NULL;
}

/* Nodes of the cluster that shard number `shard` stands for. */
static int add_nodes(online *o, size_t shard, const evs_shard_info *info, const char *addresses)
{
    size_t before = o->nservers;
    int added = add_elsewhere(o, shard, info->pool, addresses);
    for (size_t i = before; i < o->nservers; i++) {
        o->servers[i].is_node = 1;
        o->servers[i].reads = probe_reads_replicas(info->read_from);
    }
    return added;
}

/* ---- sentinels ---- */

/* "sentinels/GROUP" out of "sentinel:GROUP/NAME", and that name; 0 when the address is none. */
static int read_watched(char **group, const char **master, const char *address)
{
    static const char scheme[] = "sentinel:";
    if (strncmp(address, scheme, sizeof scheme - 1) != 0)
        return 0;
    const char *name = address + sizeof scheme - 1, *slash = strchr(name, '/');
    int len = asprintf(group, "sentinels/%.*s", (int)(slash - name), name);
    need(len == -1 ? NULL : *group);
    *master = slash + 1;
    return 1;
}

/* The first sentinel of a group that was added already; `nservers` when there is none. */
static size_t find_group(const online *o, const char *group)
{
    size_t i = 0;
    while (i < o->nservers &&
           !(o->servers[i].is_sentinel && strcmp(o->servers[i].name, group) == 0))
        i++;
    return i;
}

static int add_group(online *o, size_t shard, const char *group)
{
    evs_shardmap *map;
    evs_shard_info info;
    evs_error err;
    if (evs_shardmap_sentinels(&map, o->s->map, shard, &err) != EVS_OK) {
        complain("%s", err.message);
        return 0;
    }
    evs_client *client = add_client(o, map);
    for (size_t i = 0; client != NULL && evs_shardmap_shard(&info, map, i, NULL) == EVS_OK; i++)
        add(o, client, &info, group)->is_sentinel = 1;
    evs_shardmap_free(map);
    return client != NULL;
}

/* Every sentinel once, with all that it is asked for. */
static int add_sentinels(online *o)
{
    evs_shard_info info;
    for (size_t i = 0; evs_shardmap_shard(&info, o->s->map, i, NULL) == EVS_OK; i++) {
        char *group, *name = session_shard_name(&info);
        const char *master;
        int added = 1;
        if (read_watched(&group, &master, info.address)) {
            if (find_group(o, group) == o->nservers)
                added = add_group(o, i, group);
            for (size_t k = find_group(o, group); k < o->nservers; k++)
                if (strcmp(o->servers[k].name, group) == 0)
                    probe_add_watch(&o->servers[k], master, name, info.read_from);
            free(group);
        }
        free(name);
        if (!added)
            return 0;
    }
    return 1;
}

/* How many sentinels of a group there are, which stand together; 1 for another server. */
static size_t count_group(const online *o, size_t first)
{
    size_t count = 1;
    while (first + count < o->nservers && o->servers[first].is_sentinel &&
           o->servers[first + count].is_sentinel &&
           strcmp(o->servers[first].name, o->servers[first + count].name) == 0)
        count++;
    return count;
}

static void compare_sentinels(online *o)
{
    for (size_t i = 0; i < o->nservers;) {
        size_t count = count_group(o, i);
        if (o->servers[i].is_sentinel)
            probe_compare_sentinels(&o->servers[i], count);
        i += count;
    }
}

/* ---- shards ---- */

static int add_shards(online *o)
{
    evs_shard_info info;
    for (size_t i = 0; evs_shardmap_shard(&info, o->s->map, i, NULL) == EVS_OK; i++) {
        char *name = session_shard_name(&info);
        int added = 1;
        if (session_is_cluster(o->s->map, &info))
            added = add_nodes(o, i, &info, info.address);
        else
            add(o, o->client, &info, name);
        free(name);
        if (!added)
            return 0;
    }
    return 1;
}

/* The server that was added for the shard of that name. */
static probe *find_primary(const online *o, const char *name)
{
    size_t i = 0;
    while (strcmp(o->servers[i].name, name) != 0)
        i++;
    return &o->servers[i];
}

/* ---- the other nodes of clusters ---- */

static int has_node(const online *o, const probe_node *node)
{
    for (size_t i = 0; i < o->nservers; i++) {
        const probe *p = &o->servers[i];
        if (p->is_node && (strcmp(p->id, node->id) == 0 || strcmp(p->address, node->address) == 0))
            return 1;
    }
    return 0;
}

/* Did a server before number `i` tell of this node? */
static int is_told(const online *o, size_t i, const probe_node *node)
{
    for (size_t n = 0; n < i; n++) {
        const probe *p = &o->servers[n];
        for (size_t k = 0; k < p->nnodes; k++) {
            if (strcmp(p->nodes[k].id, node->id) == 0)
                return 1;
        }
    }
    return 0;
}

/* The nodes that the servers of pool `name` tell of and nobody asked yet, as one text; "" when
 * there are none. Yours to free. */
static char *others(const online *o, const char *name)
{
    char *all = NULL;
    size_t len = 0, count = 0;
    FILE *list = need(open_memstream(&all, &len));
    for (size_t i = 0; i < o->nservers; i++) {
        const probe *p = &o->servers[i];
        for (size_t k = 0; strcmp(p->name, name) == 0 && k < p->nnodes; k++) {
            if (!has_node(o, &p->nodes[k]) && !is_told(o, i, &p->nodes[k]))
                fprintf(list, "%s%s", count++ > 0 ? "," : "", p->nodes[k].address);
        }
    }
    fclose(list);
    return need(all);
}

/* ---- replicas behind sentinels ---- */

/* By `replica` nothing is read where there is none. */
static void complain_lacking(probe *primary, const char *read_from)
{
    int bound = strcmp(read_from, "replica") == 0;
    probe_complain(primary, bound ? PROBE_ERROR : PROBE_WARNING, bound ? "E536" : "W536",
                   bound ? "calls that only read wait for one in vain, or fail"
                         : "the primary is read from meanwhile",
                   "its sentinels name no replica that can be read from (read_from: %s)",
                   read_from);
}

/* Number of the primary that a shard is, among those that a sentinel is asked for. */
static size_t find_watch(const probe *sentinel, const char *shard)
{
    size_t i = 0;
    while (i < sentinel->nwatches && strcmp(sentinel->watches[i].shard, shard) != 0)
        i++;
    return i;
}

/* Those that a client reads from, by what the sentinels said, which were asked before. */
static int add_replicas_of(online *o, size_t shard, const char *name, size_t group)
{
    evs_shard_info info;
    size_t before = o->nservers, watch = find_watch(&o->servers[group], name);
    char *list = probe_list_replicas(&o->servers[group], count_group(o, group), watch);
    evs_shardmap_shard(&info, o->s->map, shard, NULL);
    if (list != NULL && list[0] == '\0')
        complain_lacking(find_primary(o, name), info.read_from);
    int added = list == NULL || list[0] == '\0' || add_elsewhere(o, shard, name, list);
    for (size_t i = before; i < o->nservers; i++)
        o->servers[i].is_replica = o->servers[i].reads = 1;
    free(list);
    return added;
}

static int add_replicas(online *o, size_t shard, const evs_shard_info *info)
{
    char *group, *name;
    const char *master;
    if (!probe_reads_replicas(info->read_from) || !read_watched(&group, &master, info->address))
        return 1;
    name = session_shard_name(info);
    int added = add_replicas_of(o, shard, name, find_group(o, group));
    free(group);
    free(name);
    return added;
}

/* Replicas came after all shards. */
static void compare_replicas(online *o)
{
    for (size_t i = 0; i < o->nservers; i++)
        if (o->servers[i].is_replica)
            probe_compare_replica(&o->servers[i], find_primary(o, o->servers[i].name));
}

/* ---- all that the first ones told of ---- */

static int ask_others(online *o)
{
    evs_shard_info info;
    size_t before = o->nservers;
    for (size_t i = 0; evs_shardmap_shard(&info, o->s->map, i, NULL) == EVS_OK; i++) {
        char *list = others(o, session_is_cluster(o->s->map, &info) ? info.pool : "");
        int added = list[0] == '\0' || add_nodes(o, i, &info, list);
        free(list);
        if (!added || !add_replicas(o, i, &info))
            return 0;
    }
    if (o->nservers > before)
        crew_ask(o->servers + before, o->nservers - before);
    return 1;
}

/* ---- the whole ---- */

static void count(online *o)
{
    for (size_t i = 0; i < o->nservers; i++) {
        const probe *p = &o->servers[i];
        o->unreachable |= !p->is_reachable;
        for (size_t k = 0; k < p->nfindings; k++) {
            o->errors += p->findings[k].severity == PROBE_ERROR;
            o->warnings += p->findings[k].severity == PROBE_WARNING;
        }
    }
}

/* Servers of one pool should not differ in what they can do. */
static void compare_versions(online *o)
{
    for (size_t i = 0; i < o->nservers; i++) {
        probe *p = &o->servers[i];
        size_t pool = strcspn(p->name, "/");
        for (size_t k = 0; k < i; k++) {
            const probe *q = &o->servers[k];
            if (p->is_sentinel || p->server[0] == '\0' || q->server[0] == '\0' ||
                strcspn(q->name, "/") != pool || memcmp(p->name, q->name, pool) != 0)
                continue;
            if (strcmp(p->server, q->server) != 0)
                probe_complain(
                    p, PROBE_WARNING, "W520", "scripts may run on one and fail on another",
                    "it is %s, but %s at %s is %s", p->server, q->name, q->address, q->server);
            break;
        }
    }
}

int online_ask(online *out, const session *s)
{
    *out = (online){.s = s};
    if (evs_registry_new(&out->empty, NULL, NULL) != EVS_OK)
        need(NULL);
    if (!open_client(&out->client, s->map, out->empty) || !add_shards(out) || !add_sentinels(out))
        return EXIT_UNREACHABLE;
    crew_ask(out->servers, out->nservers);
    if (!ask_others(out))
        return EXIT_UNREACHABLE;
    compare_replicas(out);
    compare_versions(out);
    compare_sentinels(out);
    count(out);
    return EXIT_FINE;
}

void online_free(online *o)
{
    for (size_t i = 0; i < o->nservers; i++)
        probe_free(&o->servers[i]);
    for (size_t i = 0; i < o->nclients; i++)
        evs_client_free(o->clients[i]);
    evs_client_free(o->client);
    evs_registry_free(o->empty);
    free(o->servers);
    free(o->clients);
}
