/*
 * route_conf.c - which prefix goes to which pool.
 */
#include "conf/building.h"
#include "conf/kinds.h"
#include "conf/quoted.h"
#include "core/mem.h"
#include "core/similar.h"

enum { LONGEST_PREFIX = 512 };

typedef struct route_conf {
    const evs__yaml *prefix;
    int is_default;
    const evs__yaml *pool;
} route_conf;

/* The routes so far; the values are nodes, for their places. */
typedef struct seen {
    evs__table prefixes;
    const evs__yaml *fallback; /* the default route */
} seen;

#define AT(member) offsetof(route_conf, member)

static const evs__field fields[] = {
    {.name = "prefix", .read = evs__read_node, .offset = AT(prefix)},
    {.name = "default", .read = evs__read_true, .offset = AT(is_default)},
    {.name = "pool", .read = evs__read_node, .offset = AT(pool)},
};

const evs__kind evs__kind_route = {
    .where = "in a route",
    .fields = fields,
    .nfields = sizeof fields / sizeof fields[0],
};

static void complain_pool(evs__building *b, const evs__yaml *name, const char *what)
{
    evs__reading *r = &b->r;
    const char **names = evs__alloc_array(b->map->npools, sizeof *names);
    if (names == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    for (size_t i = 0; i < b->map->npools; i++)
        names[i] = b->map->pools[i].name;
    const char *near = evs__most_similar(name->text, names, b->map->npools);
    const char *all = evs__join_sorted(r, names, b->map->npools);
    evs__complain(r->diags, "E280", name->at, "route sends %s to pool %s, which does not exist",
                  what, evs__found(r, name));
    if (near != NULL)
        evs__hint(r->diags, "did you mean \"%s\"? pools: %s", near, all);
    else
        evs__hint(r->diags, "pools: %s", all);
    evs__free(names);
}

/* The number of the pool that the route names; 0 when it names none. */
static int find_pool(size_t *out, evs__building *b, const evs__yaml *route, const route_conf *conf)
{
    evs__reading *r = &b->r;
    if (conf->pool == NULL) {
        if (evs__yaml_get(route, "pool") == NULL)
            evs__complain(r->diags, "E280", route->at, "the route names no pool");
        return 0;
    }
    if (!evs__want_text(r, conf->pool))
        return 0;
    const evs__pool *pool = evs__table_get(&b->pools, conf->pool->text);
    if (pool == NULL) {
        const char *what = "every other key";
        if (conf->prefix != NULL && conf->prefix->kind == EVS__YAML_TEXT)
            what = evs__arena_format(r->scratch, "prefix %s",
                                     evs__quoted(r->scratch, conf->prefix->text));
        complain_pool(b, conf->pool, what == NULL ? "a prefix" : what);
        return 0;
    }
    *out = (size_t)(pool - b->map->pools);
    return 1;
}

static int check_prefix(evs__reading *r, const evs__yaml *prefix, seen *s)
{
    if (!evs__want_text(r, prefix))
        return 0;
    if (prefix->text.len == 0 || prefix->text.len > LONGEST_PREFIX) {
        evs__complain(r->diags, prefix->text.len == 0 ? "E218" : "E216", prefix->at,
                      "a prefix must have 1 to %d bytes, found %zu", LONGEST_PREFIX,
                      prefix->text.len);
        if (prefix->text.len == 0)
            evs__hint(r->diags, "for all other keys write default: true");
        return 0;
    }
    const evs__yaml *earlier = evs__table_get(&s->prefixes, prefix->text);
    if (earlier != NULL) {
        evs__complain(r->diags, "E281", prefix->at, "prefix %s has two routes (first at %d:%d)",
                      evs__quoted(r->scratch, prefix->text), earlier->at.line, earlier->at.column);
        return 0;
    }
    if (!evs__table_set(&s->prefixes, prefix->text, (void *)(uintptr_t)prefix))
        evs__diagnostics_nomem(r->diags);
    return 1;
}

static int check_default(evs__reading *r, const evs__yaml *route, seen *s)
{
    const evs__yaml *at = evs__yaml_get(route, "default");
    if (s->fallback != NULL) {
        evs__complain(r->diags, "E282", at->key->at, "two default routes (first at %d:%d)",
                      s->fallback->at.line, s->fallback->at.column);
        return 0;
    }
    s->fallback = at->key;
    return 1;
}

/* Exactly one of prefix and default. */
static int check_match(evs__reading *r, const evs__yaml *route, const route_conf *conf, seen *s)
{
    if (conf->prefix != NULL && conf->is_default) {
        evs__complain(r->diags, "E201", evs__yaml_get(route, "default")->key->at,
                      "a route has a prefix or is the default, not both");
        return 0;
    }
    if (conf->is_default)
        return check_default(r, route, s);
    if (conf->prefix != NULL)
        return check_prefix(r, conf->prefix, s);
    const evs__yaml *fallback = evs__yaml_get(route, "default");
    int is_false = fallback != NULL && fallback->kind == EVS__YAML_TEXT &&
                   strcmp(fallback->text.data, "false") == 0 && !fallback->quoted;
    if (evs__yaml_get(route, "prefix") == NULL && (fallback == NULL || is_false)) {
        evs__complain(r->diags, "E218", route->at, "the route takes no keys");
        evs__hint(r->diags, "add \"prefix: ...\" or \"default: true\"");
    }
    return 0;
}

static void build_route(evs__building *b, const evs__yaml *value, seen *s)
{
    route_conf conf = {.is_default = 0};
    size_t pool;
    if (!evs__read_mapping(&b->r, &evs__kind_route, value, &conf))
        return;
    int matches = check_match(&b->r, value, &conf, s);
    if (!find_pool(&pool, b, value, &conf) || !matches)
        return;
    evs_bytes prefix = {"", 0};
    if (!conf.is_default) {
        prefix.len = conf.prefix->text.len;
        prefix.data = evs__keep(&b->r, conf.prefix->text);
        if (prefix.data == NULL)
            return;
    }
    b->map->routes[b->map->nroutes++] = (evs__prefix_route){prefix, pool};
}

void evs__build_routes(evs__building *b, const evs__yaml *routes)
{
    seen s = {EVS__TABLE_INIT, NULL};
    evs__reading outer = b->r;
    if (routes->kind == EVS__YAML_BAD || !evs__want_filled(&b->r, routes))
        return;
    if (routes->kind != EVS__YAML_LIST || routes->count == 0) {
        evs__complain(b->r.diags, routes->kind == EVS__YAML_LIST ? "E218" : "E215", routes->at,
                      "routes must be a list of routes, found %s", evs__found(&b->r, routes));
        evs__hint(b->r.diags, "write \"- {prefix: ..., pool: ...}\" lines");
        return;
    }
    b->map->routes = evs__arena_alloc(&b->map->arena, routes->count, sizeof *b->map->routes);
    if (b->map->routes == NULL) {
        evs__diagnostics_nomem(b->r.diags);
        return;
    }
    b->r.noun = "a route";
    b->r.name = NULL;
    for (const evs__yaml *route = routes->first; route != NULL; route = route->next)
        build_route(b, route, &s);
    b->r = outer;
    evs__table_free(&s.prefixes);
}
