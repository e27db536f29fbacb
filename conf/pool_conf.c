/*
 * pool_conf.c - one pool: how keys are placed in it, and what its calls may do.
 */
#include "conf/ascii.h"
#include "conf/building.h"
#include "conf/kinds.h"
#include "conf/quoted.h"
#include "core/mem.h"
#include "core/similar.h"

typedef struct pool_conf {
    const evs__yaml *shards;
    int distribution; /* place in `distributions` */
    const evs__yaml *hash;
    char tag[2]; /* both NUL: no tags */
    const evs__yaml *on_no_keys;
    int audit;
    int same_tag;
    evs__connection_conf connection;
} pool_conf;

enum { UNSUPPORTED = -1 };

static const evs__word distributions[] = {
    {"rendezvous", 0},      {"ketama", UNSUPPORTED},    {"modula", UNSUPPORTED},
    {"jump", UNSUPPORTED},  {"maglev", UNSUPPORTED},    {"ring_hash", UNSUPPORTED},
    {"jedis", UNSUPPORTED}, {"crc32_mod", UNSUPPORTED}, {"slots", UNSUPPORTED},
};

static const char *const hashes[] = {
    "xxh64",   "murmur64a", "one_at_a_time", "md5",      "crc16", "crc32",  "crc32a",
    "fnv1_64", "fnv1a_64",  "fnv1_32",       "fnv1a_32", "hsieh", "murmur", "jenkins"};

static const evs__word audits[] = {
    {"off", EVS__POOL_AUDIT_OFF}, {"warn", EVS__POOL_AUDIT_WARN}, {"deny", EVS__POOL_AUDIT_DENY}};

static const evs__word tag_rules[] = {
    {"off", EVS__SAME_TAG_OFF}, {"warn", EVS__SAME_TAG_WARN}, {"error", EVS__SAME_TAG_ERROR}};

static int tag_char(char c)
{
    return c > ' ' && c < 0x7f;
}

static void read_hash_tag(evs__reading *r, const evs__field *field, const evs__yaml *value,
                          void *at)
{
    (void)field;
    char *tag = at;
    if (!evs__want_filled(r, value))
        return;
    if (value->kind == EVS__YAML_TEXT && strcmp(value->text.data, "off") == 0) {
        tag[0] = tag[1] = '\0';
        return;
    }
    if (value->kind == EVS__YAML_TEXT && value->text.len == 2 && tag_char(value->text.data[0]) &&
        tag_char(value->text.data[1])) {
        memcpy(tag, value->text.data, 2);
        return;
    }
    evs__complain(r->diags, "E206", value->at,
                  "hash_tag must be text of exactly 2 characters, found %s", evs__found(r, value));
    if (value->kind == EVS__YAML_MAP && value->count == 0)
        evs__hint(r->diags, "write \"{}\" in quotes; bare {} means an empty YAML mapping");
    else if (value->kind == EVS__YAML_LIST && value->count == 0)
        evs__hint(r->diags, "write \"[]\" in quotes; bare [] means an empty YAML list");
    else
        evs__hint(r->diags, "an opening and a closing character in ASCII, such as \"{}\", or off");
}

#define AT(member)   offsetof(pool_conf, member)
#define WORDS(table) .words = table, .nwords = sizeof table / sizeof table[0]

static const evs__field fields[] = {
    {.name = "shards", .read = evs__read_node, .offset = AT(shards)},
    {.name = "distribution",
     .read = evs__read_word,
     .offset = AT(distribution),
     WORDS(distributions)},
    {.name = "hash", .read = evs__read_node, .offset = AT(hash)},
    {.name = "hash_tag", .read = read_hash_tag, .offset = AT(tag)},
    {.name = "on_no_keys", .read = evs__read_node, .offset = AT(on_no_keys)},
    {.name = "audit", .read = evs__read_word, .offset = AT(audit), WORDS(audits)},
    {.name = "require_same_tag", .read = evs__read_word, .offset = AT(same_tag), WORDS(tag_rules)},
    {.name = "cluster"},
    {.name = "tag_style"},
    {.name = "compat"},
    {.name = "points_per_shard"},
    {.name = "ring_size"},
    {.name = "table_size"},
    {.name = "ring_names"},
    {.name = "slots_total"},
    {.name = "on_cross_shard"},
    {.name = "on_shard_down"},
    {.name = "down_after"},
    {.name = "retry_after"},
    {.name = "preload"},
    {.name = "read_from"},
    {.name = "expect_fingerprint"},
};

const evs__kind evs__kind_pool = {
    .where = "in a pool",
    .fields = fields,
    .nfields = sizeof fields / sizeof fields[0],
    .also = &evs__kind_connection,
    .also_offset = AT(connection),
};

static void check_hash(evs__reading *r, const evs__yaml *hash, const evs__placement *placement)
{
    if (!evs__want_text(r, hash) || strcmp(hash->text.data, placement->hash) == 0)
        return;
    size_t count = sizeof hashes / sizeof hashes[0];
    for (size_t i = 0; i < count; i++) {
        if (strcmp(hash->text.data, hashes[i]) != 0)
            continue;
        evs__complain(r->diags, "E205", hash->at, "hash \"%s\" does not go with distribution %s%s",
                      hashes[i], placement->name, evs__where(r));
        evs__hint(r->diags,
                  "%s works with %s only; other distributions are not supported by this "
                  "version of evalshard",
                  placement->name, placement->hash);
        return;
    }
    evs__complain(r->diags, "E204", hash->at, "unknown hash %s%s", evs__found(r, hash),
                  evs__where(r));
    if (evs__edit_distance(hash->text, evs_text(placement->hash), 2) <= 2)
        evs__hint(r->diags, "did you mean \"%s\"?", placement->hash);
    else
        evs__hint(r->diags, "allowed with %s: %s", placement->name, placement->hash);
}

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

/* error, any or shard:NAME; read when the shards are known. */
static void read_on_no_keys(evs__building *b, const evs__yaml *value, const evs__yaml *shards)
{
    static const char prefix[] = "shard:";
    static const evs__word words[] = {
        {"error", EVS__NO_KEYS_ERROR}, {"any", EVS__NO_KEYS_ANY}, {"all", UNSUPPORTED}};
    static const evs__field field = {.name = "on_no_keys", WORDS(words)};
    int rule = EVS__NO_KEYS_ERROR;
    if (!evs__want_text(&b->r, value))
        return;
    if (strncmp(value->text.data, prefix, sizeof prefix - 1) != 0) {
        evs__read_word(&b->r, &field, value, &rule);
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
        .tag_open = '{',
        .tag_close = '}',
        .placement = evs__placement_find("rendezvous"),
        .audit = EVS__POOL_AUDIT_WARN,
        .same_tag = EVS__SAME_TAG_WARN,
    };
    if (!evs__table_set(&b->pools, evs_text(name), pool))
        evs__diagnostics_nomem(b->r.diags);
    return pool;
}

static void apply(evs__pool *pool, const pool_conf *conf)
{
    pool->tag_open = conf->tag[0];
    pool->tag_close = conf->tag[1];
    pool->audit = (evs__audit_rule)conf->audit;
    pool->same_tag = (evs__tag_rule)conf->same_tag;
}

/* The pool's own keys. */
static int read_pool(evs__reading *r, const evs__yaml *value, pool_conf *conf)
{
    if (evs__yaml_get(value, "distribution") != NULL)
        conf->distribution = UNSUPPORTED; /* until the reader likes it */
    if (!evs__read_mapping(r, &evs__kind_pool, value, conf))
        return 0;
    if (conf->hash != NULL && conf->distribution != UNSUPPORTED)
        check_hash(r, conf->hash, evs__placement_find(distributions[conf->distribution].text));
    if (conf->shards != NULL)
        return 1;
    if (evs__yaml_get(value, "cluster") == NULL && evs__yaml_get(value, "shards") == NULL) {
        evs__complain(r->diags, "E210", value->key->at, "there are no shards%s", evs__where(r));
        evs__hint(r->diags, "add \"shards:\" with a line \"name: host:port\" for each shard");
    }
    return 0;
}

void evs__build_pool(evs__building *b, const evs__yaml *value)
{
    evs__reading outer = b->r;
    pool_conf conf = {
        .tag = {'{', '}'},
        .audit = EVS__POOL_AUDIT_WARN,
        .same_tag = EVS__SAME_TAG_WARN,
        .connection = b->defaults,
    };
    const char *name = evs__keep(&b->r, value->key->text);
    evs__check_name(&b->r, value->key);
    if (name == NULL)
        return;
    evs__pool *pool = next_pool(b, name);
    b->r.noun = "pool";
    b->r.name = evs__name_of(value->key);
    if (read_pool(&b->r, value, &conf)) {
        apply(pool, &conf);
        evs__build_shards(b, conf.shards, &conf.connection);
        if (conf.on_no_keys != NULL)
            read_on_no_keys(b, conf.on_no_keys, conf.shards);
    }
    b->r = outer;
}

void evs__build_short_pool(evs__building *b, const evs__yaml *shards)
{
    next_pool(b, "default");
    evs__build_shards(b, shards, &b->defaults);
}
