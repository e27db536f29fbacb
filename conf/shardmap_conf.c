/*
 * shardmap_conf.c - the top level of a map, and the order in which its parts are read: version,
 * defaults, groups of sentinels, pools with their shards, routes.
 */
#include "conf/building.h"
#include "conf/kinds.h"
#include "conf/yaml_problem.h"

typedef struct top_conf {
    const evs__yaml *version;
    uint64_t generation;
    const char *name;
    const evs__yaml *defaults;
    const evs__yaml *shards;
    const evs__yaml *pools;
    const evs__yaml *routes;
    const evs__yaml *sentinels;
} top_conf;

#define AT(member) offsetof(top_conf, member)

static const evs__field fields[] = {
    {.name = "evalshard", .read = evs__read_node, .offset = AT(version)},
    {.name = "generation",
     .read = evs__read_integer,
     .offset = AT(generation),
     .min = 0,
     .max = UINT64_MAX},
    {.name = "name", .read = evs__read_name, .offset = AT(name)},
    {.name = "defaults", .read = evs__read_node, .offset = AT(defaults)},
    {.name = "shards", .read = evs__read_node, .offset = AT(shards)},
    {.name = "pools", .read = evs__read_node, .offset = AT(pools)},
    {.name = "routes", .read = evs__read_node, .offset = AT(routes)},
    {.name = "sentinels", .read = evs__read_node, .offset = AT(sentinels)},
};

const evs__kind evs__kind_top = {
    .where = "at the top level",
    .fields = fields,
    .nfields = sizeof fields / sizeof fields[0],
};

/* Where something is missing: at the first key of the map. */
static evs__range beginning(const evs__yaml *root)
{
    return (evs__range){root->at.line, root->at.column, root->at.line, root->at.column + 1};
}

/* Another version may mean anything by the other keys, so nothing else is looked at then. */
static int check_version(evs__reading *r, const evs__yaml *root)
{
    const evs__yaml *version = evs__yaml_get(root, "evalshard");
    if (version == NULL) {
        evs__complain(r->diags, "E101", beginning(root), "the version of the map is missing");
        evs__hint(r->diags, "begin with \"evalshard: 1\"");
        return 1;
    }
    if (version->kind == EVS__YAML_BAD)
        return 0;
    if (version->kind == EVS__YAML_TEXT && !version->quoted && strcmp(version->text.data, "1") == 0)
        return 1;
    evs__complain(r->diags, "E101", version->at, "version %s of the map is not known",
                  evs__found(r, version));
    evs__hint(r->diags, "this version of evalshard reads \"evalshard: 1\"");
    return 0;
}

static void read_defaults(evs__building *b, const evs__yaml *defaults)
{
    evs__reading outer = b->r;
    if (defaults == NULL || evs__yaml_empty(defaults))
        return;
    b->r.noun = "defaults";
    evs__read_mapping(&b->r, &evs__kind_connection, defaults, &b->defaults);
    b->r = outer;
}

static size_t children(const evs__yaml *map)
{
    return map != NULL && map->kind == EVS__YAML_MAP ? map->count : 0;
}

/* Room for every pool and shard there can be, so that nothing moves later. */
static int make_room(evs__building *b, const top_conf *top)
{
    size_t pools = children(top->pools), shards = children(top->shards);
    if (top->pools != NULL && top->pools->kind == EVS__YAML_MAP) {
        for (const evs__yaml *pool = top->pools->first; pool != NULL; pool = pool->next)
            shards += children(evs__yaml_get(pool, "shards")) +
                      children(evs__yaml_get(pool, "cluster"));
    }
    if (shards > EVS__MOST_SHARDS)
        shards = EVS__MOST_SHARDS;
    b->shards_room = shards;
    b->map->shards = evs__arena_alloc(&b->map->arena, shards, sizeof *b->map->shards);
    b->map->pools = evs__arena_alloc(&b->map->arena, pools + 1, sizeof *b->map->pools);
    b->fingerprints = evs__arena_alloc(b->r.scratch, pools + 1, sizeof *b->fingerprints);
    if (b->map->shards != NULL && b->map->pools != NULL && b->fingerprints != NULL)
        return 1;
    evs__diagnostics_nomem(b->r.diags);
    return 0;
}

static void check_total(evs__building *b, const evs__yaml *pools)
{
    size_t total = 0;
    for (const evs__yaml *pool = pools->first; pool != NULL; pool = pool->next)
        total += children(evs__yaml_get(pool, "shards"));
    if (total <= EVS__MOST_SHARDS)
        return;
    evs__complain(b->r.diags, "E211", pools->key->at,
                  "a map has up to %d shards, found %zu in all pools", EVS__MOST_SHARDS, total);
}

static void read_pools(evs__building *b, const evs__yaml *pools)
{
    if (pools->kind != EVS__YAML_MAP) {
        evs__complain_no_mapping(&b->r, pools);
        return;
    }
    if (pools->count == 0) {
        evs__complain(b->r.diags, "E121", pools->at, "there are no pools");
        evs__hint(b->r.diags, "add a pool with shards, or use a top-level \"shards:\"");
        return;
    }
    check_total(b, pools);
    for (const evs__yaml *pool = pools->first; pool != NULL; pool = pool->next)
        evs__build_pool(b, pool);
}

static void read_shards_or_pools(evs__building *b, const top_conf *top, const evs__yaml *root)
{
    evs__reading *r = &b->r;
    if (top->shards != NULL && top->pools != NULL) {
        evs__complain(r->diags, "E120", top->pools->key->at,
                      "shards and pools cannot stand together (shards at %d:%d)",
                      top->shards->key->at.line, top->shards->key->at.column);
        evs__hint(r->diags, "move the shards into a pool: pools: {default: {shards: ...}}");
    }
    if (top->pools != NULL)
        read_pools(b, top->pools);
    else if (top->shards != NULL)
        evs__build_short_pool(b, top->shards);
    else if (evs__yaml_get(root, "pools") == NULL && evs__yaml_get(root, "shards") == NULL) {
        evs__complain(r->diags, "E121", beginning(root), "there are neither shards nor pools");
        evs__hint(r->diags, "add \"shards:\" with a line \"name: host:port\" for each shard");
    }
}

static void read_routes(evs__building *b, const top_conf *top, const evs__yaml *root)
{
    if (top->routes != NULL) {
        evs__build_routes(b, top->routes);
        return;
    }
    if (b->map->npools <= 1 || evs__yaml_get(root, "routes") != NULL)
        return;
    evs__complain(b->r.diags, "E122", top->pools->key->at,
                  "%zu pools and no routes, so no key has a place", b->map->npools);
    evs__hint(b->r.diags, "add \"routes:\" with a line \"- {prefix: ..., pool: ...}\" or "
                          "\"- {default: true, pool: ...}\" for each pool");
}

static int check_root(evs__reading *r, const evs__yaml *root)
{
    evs_bytes word;
    size_t at;
    if (root->kind == EVS__YAML_MAP)
        return 1;
    if (root->kind == EVS__YAML_BAD)
        return 0;
    if (root->kind == EVS__YAML_TEXT && !root->quoted &&
        evs__yaml_missing_space(root->text, &word, &at)) {
        evs__complain(r->diags, "E103", root->at,
                      "expected \"key: value\"; a space is missing after the colon of \"%.*s\"",
                      word.len < 60 ? (int)word.len : 60, word.data);
        return 0;
    }
    evs__complain(r->diags, "E215", root->at, "a shard map is a mapping, found %s",
                  root->kind == EVS__YAML_LIST ? "a list" : "text");
    evs__hint(r->diags, "begin with \"evalshard: 1\"");
    return 0;
}

static void keep_generation(evs_shardmap *map, const evs__yaml *root, uint64_t generation)
{
    const evs__yaml *node = evs__yaml_get(root, "generation");
    evs__range at = node == NULL ? beginning(root) : node->key->at;
    map->generation = generation;
    map->generation_line = at.line;
    map->generation_column = at.column;
}

void evs__build_map(evs__building *b, const evs__yaml *root)
{
    static const evs__kind *const kinds[] = {
        &evs__kind_top,        &evs__kind_pool,    &evs__kind_shard, &evs__kind_route,
        &evs__kind_connection, &evs__kind_auth,    &evs__kind_tls,   &evs__kind_cluster,
        &evs__kind_retry,      &evs__kind_sentinel};
    top_conf top = {.generation = 0};
    b->r.kinds = kinds;
    b->r.nkinds = sizeof kinds / sizeof kinds[0];
    if (!check_root(&b->r, root) || !check_version(&b->r, root))
        return;
    evs__read_mapping(&b->r, &evs__kind_top, root, &top);
    b->defaults = evs__connection_default();
    read_defaults(b, top.defaults);
    if (!make_room(b, &top))
        return;
    keep_generation(b->map, root, top.generation);
    if (top.name != NULL)
        b->map->name = top.name;
    if (top.sentinels != NULL)
        evs__build_sentinels(b, top.sentinels);
    read_shards_or_pools(b, &top, root);
    evs__check_sentinels(b);
    read_routes(b, &top, root);
}
