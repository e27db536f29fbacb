/*
 * pool_conf.c - one pool: how keys are placed in it, and what its calls may do.
 */
#include "conf/building.h"
#include "conf/kinds.h"
#include "conf/placement_conf.h"
#include "conf/quoted.h"
#include "core/mem.h"
#include "core/similar.h"

typedef struct pool_conf {
    const evs__yaml *shards;
    const evs__yaml *cluster;
    evs__placement_conf placement;
    const evs__yaml *on_no_keys;
    const evs__yaml *read_from;
    int audit; /* EVS__POOL_AUDIT_..., or UNSAID */
    int same_tag;
    int preload;
    int on_down; /* EVS__DOWN_..., or UNSAID */
    uint64_t down_after;
    unsigned retry_after_ms;
    evs__connection_conf connection;
} pool_conf;

enum { UNSAID = -2 };
enum { DOWN_FAILS, DOWN_WAITS };
enum { DOWN_AFTER = 3, MOST_DOWN_AFTER = 1000 };
enum { RETRY_AFTER_MS = 1000, SHORTEST_RETRY_MS = 10, LONGEST_RETRY_MS = 10 * 60 * 1000 };

static const evs__word audits[] = {
    {"off", EVS__POOL_AUDIT_OFF}, {"warn", EVS__POOL_AUDIT_WARN}, {"deny", EVS__POOL_AUDIT_DENY}};

static const evs__word tag_rules[] = {
    {"off", EVS__SAME_TAG_OFF}, {"warn", EVS__SAME_TAG_WARN}, {"error", EVS__SAME_TAG_ERROR}};

static const evs__word preloads[] = {{"lazy", 0}, {"all", 1}};

static const evs__word downs[] = {{"fail_fast", DOWN_FAILS}, {"wait", DOWN_WAITS}};

#define AT(member)   offsetof(pool_conf, member)
#define WORDS(table) .words = table, .nwords = sizeof table / sizeof table[0]

/* Whoever looks for a word that sends calls to another shard is told why there is none. */
static void read_on_down(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    if (!evs__want_text(r, value))
        return;
    for (size_t i = 0; i < field->nwords; i++) {
        if (strcmp(value->text.data, field->words[i].text) != 0)
            continue;
        *(int *)at = field->words[i].value;
        return;
    }
    evs__complain(r->diags, "E204", value->at, "unknown %s %s%s", field->name, evs__found(r, value),
                  evs__where(r));
    evs__hint(r->diags, "allowed: fail_fast, wait; a call never goes to another shard instead, "
                        "where nobody would look for its keys");
}

static void read_down_after(evs__reading *r, const evs__field *field, const evs__yaml *value,
                            void *at)
{
    evs__read_number(r, field, value, at, "E240");
}

/* There is one answer, which may be said. */
static const evs__word crossings[] = {{"error", 0}};

static void read_on_cross_shard(evs__reading *r, const evs__field *field, const evs__yaml *value,
                                void *at)
{
    int word;
    (void)at;
    evs__read_word(r, field, value, &word);
}

static const evs__word no_keys_rules[] = {
    {"error", EVS__NO_KEYS_ERROR}, {"any", EVS__NO_KEYS_ANY}, {"all", EVS__NO_KEYS_ALL}};
const evs__field evs__field_on_no_keys = {.name = "on_no_keys", WORDS(no_keys_rules)};

static const evs__word readers[] = {{"primary", EVS__READ_PRIMARY},
                                    {"prefer_replica", EVS__READ_PREFER_REPLICA},
                                    {"replica", EVS__READ_REPLICA}};
const evs__field evs__field_read_from = {.name = "read_from", WORDS(readers)};

static const evs__field fields[] = {
    {.name = "shards", .read = evs__read_node, .offset = AT(shards)},
    {.name = "distribution", .read = evs__read_node, .offset = AT(placement.distribution)},
    {.name = "hash", .read = evs__read_node, .offset = AT(placement.hash)},
    {.name = "hash_tag", .read = evs__read_node, .offset = AT(placement.hash_tag)},
    {.name = "tag_style", .read = evs__read_node, .offset = AT(placement.tag_style)},
    {.name = "compat", .read = evs__read_node, .offset = AT(placement.compat)},
    {.name = "points_per_shard", .read = evs__read_node, .offset = AT(placement.points)},
    {.name = "ring_size", .read = evs__read_node, .offset = AT(placement.ring_size)},
    {.name = "ring_hash", .read = evs__read_node, .offset = AT(placement.ring_hash)},
    {.name = "table_size", .read = evs__read_node, .offset = AT(placement.table_size)},
    {.name = "slots_total", .read = evs__read_node, .offset = AT(placement.slots_total)},
    {.name = "ring_names", .read = evs__read_node, .offset = AT(placement.ring_names)},
    {.name = "expect_fingerprint", .read = evs__read_node, .offset = AT(placement.fingerprint)},
    {.name = "on_no_keys", .read = evs__read_node, .offset = AT(on_no_keys)},
    {.name = "audit", .read = evs__read_word, .offset = AT(audit), WORDS(audits)},
    {.name = "require_same_tag", .read = evs__read_word, .offset = AT(same_tag), WORDS(tag_rules)},
    {.name = "cluster", .read = evs__read_node, .offset = AT(cluster)},
    {.name = "read_from", .read = evs__read_node, .offset = AT(read_from)},
    {.name = "on_cross_shard", .read = read_on_cross_shard, WORDS(crossings)},
    {.name = "on_shard_down", .read = read_on_down, .offset = AT(on_down), WORDS(downs)},
    {.name = "down_after",
     .read = read_down_after,
     .offset = AT(down_after),
     .min = 1,
     .max = MOST_DOWN_AFTER},
    {.name = "retry_after",
     .read = evs__read_duration,
     .offset = AT(retry_after_ms),
     .min = SHORTEST_RETRY_MS,
     .max = LONGEST_RETRY_MS},
    {.name = "preload", .read = evs__read_word, .offset = AT(preload), WORDS(preloads)},
};

const evs__kind evs__kind_pool = {
    .where = "in a pool",
    .fields = fields,
    .nfields = sizeof fields / sizeof fields[0],
    .also = &evs__kind_connection,
    .also_offset = AT(connection),
};

static void complain_shard(evs__building *b, const evs__yaml *value, const char *name)
{
    const evs__pool *pool = &b->map->pools[b->map->npools - 1];
    const char **names = evs__alloc_array(b->map->nshards + 1, sizeof *names);
    if (names == NULL) {
        evs__diagnostics_nomem(b->r.diags);
        return;
    }
    for (size_t i = 0; i < pool->nshards; i++)
        names[i] = b->map->shards[pool->first_shard + i].name;
    const char *near = evs__most_similar(evs_text(name), names, pool->nshards);
    evs__complain(b->r.diags, "E230", value->at,
                  "on_no_keys names shard %s, which does not exist%s",
                  evs__quoted(b->r.scratch, evs_text(name)), evs__where(&b->r));
    if (near != NULL)
        evs__hint(b->r.diags, "did you mean \"shard:%s\"?", near);
    else
        evs__hint(b->r.diags, "shards: %s", evs__join_sorted(&b->r, names, pool->nshards));
    evs__free(names);
}

static void find_shard(evs__building *b, const evs__yaml *value, const char *name,
                       const evs__yaml *shards)
{
    evs__pool *pool = &b->map->pools[b->map->npools - 1];
    if (pool->cluster != NULL) {
        evs__complain(b->r.diags, "E230", value->at,
                      "on_no_keys names shard %s, and a cluster has none in the map%s",
                      evs__quoted(b->r.scratch, evs_text(name)), evs__where(&b->r));
        evs__hint(b->r.diags, "on_no_keys: any");
        return;
    }
    pool->no_keys = EVS__NO_KEYS_SHARD;
    for (size_t i = pool->first_shard; i < b->map->nshards; i++) {
        if (strcmp(b->map->shards[i].name, name) == 0) {
            pool->no_keys_shard = i;
            return;
        }
    }
    if (evs__yaml_get(shards, name) == NULL)
        complain_shard(b, value, name);
}

/* error, any, all or shard:NAME; read when the shards are known. */
static void read_on_no_keys(evs__building *b, const evs__yaml *value, const evs__yaml *shards)
{
    static const char prefix[] = "shard:";
    int rule = EVS__NO_KEYS_ERROR;
    if (!evs__want_text(&b->r, value))
        return;
    if (strncmp(value->text.data, prefix, sizeof prefix - 1) != 0) {
        evs__read_word(&b->r, &evs__field_on_no_keys, value, &rule);
        b->map->pools[b->map->npools - 1].no_keys = (evs__no_keys_rule)rule;
        return;
    }
    find_shard(b, value, value->text.data + sizeof prefix - 1, shards);
}

static evs__pool *next_pool(evs__building *b, const char *name)
{
    evs__pool *pool = &b->map->pools[b->map->npools++];
    *pool = (evs__pool){
        .name = name,
        .first_shard = b->map->nshards,
        .audit = EVS__POOL_AUDIT_WARN,
        .same_tag = EVS__SAME_TAG_WARN,
    };
    if (!evs__table_set(&b->pools, evs_text(name), pool))
        evs__diagnostics_nomem(b->r.diags);
    return pool;
}

static pool_conf new_conf(const evs__connection_conf *connection)
{
    return (pool_conf){.audit = UNSAID,
                       .same_tag = EVS__SAME_TAG_WARN,
                       .on_down = UNSAID,
                       .down_after = DOWN_AFTER,
                       .retry_after_ms = RETRY_AFTER_MS,
                       .connection = *connection};
}

/* What each shard needs to know of it. A cluster has its calls wait for whichever node serves them
 * next, not for a node, and does so unless the map says otherwise; so does a shard that sentinels
 * watch, which are those who say that it is down. */
static void apply_to_shards(evs__building *b, evs__pool *pool, const pool_conf *conf)
{
    int own = conf->cluster != NULL ? DOWN_WAITS : DOWN_FAILS;
    int waits = (conf->on_down == UNSAID ? own : conf->on_down) == DOWN_WAITS;
    pool->fails_fast = !waits;
    for (size_t i = pool->first_shard; i < b->map->nshards; i++) {
        evs__link *link = &b->map->shards[i].login.link;
        link->down_after = link->silent_after = (unsigned)conf->down_after;
        link->retry_after_ms = conf->retry_after_ms;
        link->waits = waits && conf->cluster == NULL;
        b->map->shards[i].preload = conf->preload;
        if (b->map->shards[i].sentinel == NULL || conf->on_down == DOWN_FAILS)
            continue;
        link->down_after = 0;
        link->waits = 1;
    }
}

static void apply(evs__pool *pool, const pool_conf *conf)
{
    int own = conf->cluster != NULL ? EVS__POOL_AUDIT_DENY : EVS__POOL_AUDIT_WARN;
    pool->audit = (evs__audit_rule)(conf->audit == UNSAID ? own : conf->audit);
    pool->same_tag = (evs__tag_rule)conf->same_tag;
}

/* The pool's own keys. */
static int read_pool(evs__reading *r, const evs__yaml *value, pool_conf *conf)
{
    if (!evs__read_mapping(r, &evs__kind_pool, value, conf))
        return 0;
    if (conf->shards != NULL && conf->cluster != NULL) {
        evs__complain(r->diags, "E210", conf->cluster->key->at,
                      "shards and cluster cannot stand together%s (shards at %d:%d)", evs__where(r),
                      conf->shards->key->at.line, conf->shards->key->at.column);
        evs__hint(r->diags, "a cluster tells its shards itself: leave the shards out");
        return 0;
    }
    if (conf->shards != NULL || conf->cluster != NULL)
        return 1;
    if (evs__yaml_get(value, "cluster") == NULL && evs__yaml_get(value, "shards") == NULL) {
        evs__complain(r->diags, "E210", value->key->at, "there are no shards%s", evs__where(r));
        evs__hint(r->diags, "add \"shards:\" with a line \"name: host:port\" for each shard");
    }
    return 0;
}

/* The shards, whose keys depend on how they are placed. */
static void build_placed(evs__building *b, const pool_conf *conf, evs__pool *pool)
{
    b->rules = (evs__place_rules){NULL, NULL, 0};
    int resolved = evs__placement_resolve(&b->r, &conf->placement, pool, &b->rules);
    evs__build_shards(b, conf->shards, &conf->connection);
    if (resolved && conf->shards->kind == EVS__YAML_MAP)
        evs__placement_check(b, &conf->placement, pool, conf->shards);
    if (b->fingerprints != NULL)
        b->fingerprints[b->map->npools - 1] = conf->placement.fingerprint;
}

static void build_cluster(evs__building *b, const pool_conf *conf, const evs__yaml *pool)
{
    evs__build_cluster(b, conf->cluster, pool, &conf->connection);
    if (b->fingerprints != NULL)
        b->fingerprints[b->map->npools - 1] = conf->placement.fingerprint;
}

/* The first shard that no sentinels watch; NULL: there is none. */
static const evs__shard *find_plain(const evs__building *b, const evs__pool *pool)
{
    for (size_t i = pool->first_shard; i < b->map->nshards; i++)
        if (b->map->shards[i].sentinel == NULL)
            return &b->map->shards[i];
    return NULL;
}

/* Clusters and sentinels know replicas. An address in a map has none that it knows of. */
static void read_read_from(evs__building *b, evs__pool *pool, const pool_conf *conf)
{
    const evs__yaml *value = conf->read_from;
    const evs__shard *plain = conf->cluster != NULL ? NULL : find_plain(b, pool);
    int word = 0;
    if (value == NULL || !evs__want_text(&b->r, value))
        return;
    if (plain == NULL || strstr(value->text.data, "replica") == NULL) {
        evs__read_word(&b->r, &evs__field_read_from, value, &word);
        pool->read_from = (evs__read_rule)word;
        return;
    }
    evs__complain(b->r.diags, "E231", value->at,
                  "read_from: %s has a meaning with cluster and sentinels only%s", value->text.data,
                  evs__where(&b->r));
    evs__hint(b->r.diags, "no replicas of shard \"%s\" are known", plain->name);
}

void evs__build_pool(evs__building *b, const evs__yaml *value)
{
    evs__reading outer = b->r;
    pool_conf conf = new_conf(&b->defaults);
    const char *name = evs__keep(&b->r, value->key->text);
    evs__check_name(&b->r, value->key);
    if (name == NULL)
        return;
    evs__pool *pool = next_pool(b, name);
    b->r.noun = "pool";
    b->r.name = evs__name_of(value->key);
    if (read_pool(&b->r, value, &conf)) {
        apply(pool, &conf);
        if (conf.cluster != NULL)
            build_cluster(b, &conf, value);
        else
            build_placed(b, &conf, pool);
        apply_to_shards(b, pool, &conf);
        read_read_from(b, pool, &conf);
        if (conf.on_no_keys != NULL)
            read_on_no_keys(b, conf.on_no_keys, conf.shards);
    }
    b->r = outer;
}

void evs__build_short_pool(evs__building *b, const evs__yaml *shards)
{
    pool_conf conf = new_conf(&b->defaults);
    evs__pool *pool = next_pool(b, "default");
    conf.shards = shards;
    build_placed(b, &conf, pool);
    apply_to_shards(b, pool, &conf);
}
