/*
 * cluster_conf.c - a pool that is a real cluster: where to ask for its nodes, and how to follow it.
 *
 * The pool gets one shard, which has its name and stands for all nodes: what connections have in
 * common (secrets, time limits) is kept there.
 */
#include "conf/address.h"
#include "conf/building.h"
#include "conf/kinds.h"

#include <strings.h>

enum {
    MOST_SEEDS = 64,
    SHORTEST_REFRESH_MS = 1000,
    LONGEST_REFRESH_MS = 60 * 60 * 1000,
    LONGEST_BACKOFF_MS = 10 * 1000
};

typedef struct cluster_conf {
    const evs__yaml *seeds;
    int asks;
    unsigned refresh_ms;
    uint64_t max_redirects;
    unsigned tryagain_backoff_ms;
    int allow_partial;
} cluster_conf;

static const evs__word ways[] = {
    {"auto", EVS__ASKS_AUTO}, {"shards", EVS__ASKS_SHARDS}, {"slots", EVS__ASKS_SLOTS}};

#define AT(member) offsetof(cluster_conf, member)

static const evs__field fields[] = {
    {.name = "seeds", .read = evs__read_node, .offset = AT(seeds)},
    {.name = "topology",
     .read = evs__read_word,
     .offset = AT(asks),
     .words = ways,
     .nwords = sizeof ways / sizeof ways[0]},
    {.name = "refresh",
     .read = evs__read_duration,
     .offset = AT(refresh_ms),
     .min = SHORTEST_REFRESH_MS,
     .max = LONGEST_REFRESH_MS},
    {.name = "max_redirects",
     .read = evs__read_integer,
     .offset = AT(max_redirects),
     .min = 0,
     .max = 16},
    {.name = "tryagain_backoff",
     .read = evs__read_duration,
     .offset = AT(tryagain_backoff_ms),
     .min = 1,
     .max = LONGEST_BACKOFF_MS},
    {.name = "allow_partial", .read = evs__read_true, .offset = AT(allow_partial)},
};

const evs__kind evs__kind_cluster = {
    .where = "in cluster",
    .fields = fields,
    .nfields = sizeof fields / sizeof fields[0],
};

/* ---- seeds ---- */

static int same_place(const evs__endpoint *a, const evs__endpoint *b)
{
    return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

static int is_new(evs__building *b, const evs__cluster_plan *plan, const evs__endpoint *seed,
                  const evs__yaml *at)
{
    for (size_t i = 0; i < plan->nseeds; i++) {
        if (!same_place(&plan->seeds[i], seed))
            continue;
        evs__complain(b->r.diags, "E254", at->at, "the seed %s is there twice%s",
                      evs__found(&b->r, at), evs__where(&b->r));
        return 0;
    }
    return 1;
}

static int read_seed(evs__building *b, const evs__yaml *value, evs__endpoint *out)
{
    if (!evs__read_address(&b->r, value, out))
        return 0;
    if (out->path == NULL)
        return 1;
    evs__complain(b->r.diags, "E250", value->at, "a cluster is not reached by a unix socket%s",
                  evs__where(&b->r));
    evs__hint(b->r.diags, "its nodes name each other by host and port; write host:port");
    return 0;
}

static void complain_count(evs__building *b, evs__range at, size_t count)
{
    evs__complain(b->r.diags, "E211", at, "a cluster has 1 to %d seeds, found %zu%s", MOST_SEEDS,
                  count, evs__where(&b->r));
    evs__hint(b->r.diags, "seeds: [host-1:6379, host-2:6379]; any nodes of the cluster will do");
}

static void read_seeds(evs__building *b, const evs__yaml *list, evs__cluster_plan *plan)
{
    if (list->kind == EVS__YAML_BAD)
        return;
    if (list->kind != EVS__YAML_LIST) {
        evs__complain(b->r.diags, "E215", list->at, "seeds must be a list of addresses, found %s%s",
                      evs__found(&b->r, list), evs__where(&b->r));
        evs__hint(b->r.diags, "seeds: [host-1:6379, host-2:6379]");
        return;
    }
    if (list->count == 0 || list->count > MOST_SEEDS) {
        complain_count(b, list->key->at, list->count);
        return;
    }
    evs__endpoint *seeds = evs__arena_alloc(b->r.arena, list->count, sizeof *seeds);
    if (seeds == NULL) {
        evs__diagnostics_nomem(b->r.diags);
        return;
    }
    plan->seeds = seeds;
    for (const evs__yaml *one = list->first; one != NULL; one = one->next)
        if (read_seed(b, one, &seeds[plan->nseeds]) && is_new(b, plan, &seeds[plan->nseeds], one))
            plan->nseeds++;
}

/* The address of the whole: all its seeds. */
static const char *join_seeds(evs__building *b, const evs__cluster_plan *plan)
{
    const char *text = plan->nseeds == 0 ? "" : plan->seeds[0].text;
    for (size_t i = 1; i < plan->nseeds && text != NULL; i++)
        text = evs__arena_format(b->r.arena, "%s,%s", text, plan->seeds[i].text);
    if (text == NULL)
        evs__diagnostics_nomem(b->r.diags);
    return text;
}

/* ---- what else the pool says ---- */

const char *const evs__keys_of_placement[] = {
    "distribution", "hash",      "hash_tag",   "tag_style",   "compat",     "points_per_shard",
    "ring_size",    "ring_hash", "table_size", "slots_total", "ring_names", NULL,
};

static void check_placement(evs__building *b, const evs__yaml *pool)
{
    for (const char *const *key = evs__keys_of_placement; *key != NULL; key++) {
        const evs__yaml *node = evs__yaml_get(pool, *key);
        if (node == NULL)
            continue;
        evs__complain(b->r.diags, "E212", node->key->at, "%s has no meaning with cluster%s", *key,
                      evs__where(&b->r));
        evs__hint(b->r.diags, "a cluster places keys by CRC-16 of their {tag} in 16384 slots");
    }
}

static void check_db(evs__building *b, const evs__yaml *cluster, const evs__yaml *pool,
                     const evs__connection_conf *connection)
{
    const evs__yaml *own = evs__yaml_get(pool, "db");
    if (connection->db == 0)
        return;
    evs__complain(b->r.diags, "E260", own == NULL ? cluster->key->at : own->at,
                  "a cluster has database 0 alone, found db %llu%s",
                  (unsigned long long)connection->db, evs__where(&b->r));
    evs__hint(b->r.diags, "%s",
              own == NULL ? "db is inherited from defaults; write \"db: 0\" here" : "leave db out");
}

/* ---- the pool ---- */

static void place(evs__building *b, const evs__cluster_plan *plan)
{
    evs__pool *pool = &b->map->pools[b->map->npools - 1];
    pool->cluster = plan;
    pool->tag_open = '{';
    pool->tag_close = '}';
    pool->tag_style = EVS__TAGS_REDIS;
    pool->placement = evs__placement_find("cluster");
    pool->layout.hash = pool->placement->hashes[0].hash;
    pool->layout.size = pool->placement->size;
    pool->nshards = 1;
}

/* What one seed says counts for all nodes, which the cluster names without a scheme. */
static void read_tls(evs__building *b, const evs__yaml *seeds,
                     const evs__connection_conf *connection, evs__login *login)
{
    if (seeds == NULL || seeds->kind != EVS__YAML_LIST)
        return;
    for (const evs__yaml *one = seeds->first; one != NULL; one = one->next) {
        evs__login own = {.name = login->name};
        if (one->kind != EVS__YAML_TEXT)
            continue;
        evs__tls_login(&b->r, &connection->tls, one, &own);
        if (one == seeds->first)
            login->tls = own.tls;
        if ((login->tls == NULL) == (own.tls == NULL))
            continue;
        evs__complain(b->r.diags, "E261", one->at, "of the seeds some are by TLS and some not%s",
                      evs__where(&b->r));
        evs__hint(b->r.diags, "write tls: true for the pool, and the seeds as host:port");
        return;
    }
}

static void add_shard(evs__building *b, const evs__cluster_plan *plan, const evs__yaml *seeds,
                      const evs__connection_conf *connection)
{
    evs__shard *shard = &b->map->shards[b->map->nshards];
    const evs__pool *pool = &b->map->pools[b->map->npools - 1];
    *shard = (evs__shard){
        .name = pool->name,
        .ring_name = "cluster",
        .note = "",
        .pool = b->map->npools - 1,
        .weight = 1,
        .index = EVS__NO_INDEX,
        .command_timeout_ms = connection->command_timeout_ms,
        .script_timeout_ms = connection->script_timeout_ms,
        .attempts = (unsigned)connection->retry.attempts,
    };
    if (shard->script_timeout_ms == 0)
        shard->script_timeout_ms = shard->command_timeout_ms;
    evs__connection_login(&b->r, connection, &shard->login);
    shard->login.name = shard->name;
    read_tls(b, seeds, connection, &shard->login);
    shard->login.endpoint = (evs__endpoint){.text = join_seeds(b, plan)};
    b->map->nshards++;
}

void evs__build_cluster(evs__building *b, const evs__yaml *cluster, const evs__yaml *pool,
                        const evs__connection_conf *connection)
{
    cluster_conf conf = {.asks = EVS__ASKS_AUTO,
                         .refresh_ms = 60 * 1000,
                         .max_redirects = 5,
                         .tryagain_backoff_ms = 20};
    check_placement(b, pool);
    check_db(b, cluster, pool, connection);
    if (!evs__read_mapping(&b->r, &evs__kind_cluster, cluster, &conf))
        return;
    evs__cluster_plan *plan = evs__arena_zalloc(b->r.arena, 1, sizeof *plan);
    if (plan == NULL || b->map->nshards >= b->shards_room) {
        if (plan == NULL)
            evs__diagnostics_nomem(b->r.diags);
        return;
    }
    plan->asks = (evs__cluster_asks)conf.asks;
    plan->refresh_ms = conf.refresh_ms;
    plan->max_redirects = (unsigned)conf.max_redirects;
    plan->tryagain_backoff_ms = conf.tryagain_backoff_ms;
    plan->allow_partial = conf.allow_partial;
    if (conf.seeds != NULL)
        read_seeds(b, conf.seeds, plan);
    else if (evs__yaml_get(cluster, "seeds") == NULL)
        complain_count(b, cluster->key->at, 0);
    place(b, plan);
    add_shard(b, plan, conf.seeds, connection);
}
