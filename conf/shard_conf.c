/*
 * shard_conf.c - the shards of one pool, and what must differ between them.
 */
#include "conf/address.h"
#include "conf/ascii.h"
#include "conf/building.h"
#include "conf/compat.h"
#include "conf/kinds.h"
#include "conf/quoted.h"
#include "conf/slots_conf.h"

#include <inttypes.h>

enum { LONGEST_RING_NAME = 255, LONGEST_NOTE = 1000 };

typedef struct shard_conf {
    const evs__yaml *address;
    const evs__yaml *sentinel;    /* in place of an address: the group, */
    const evs__yaml *master_name; /* and what the shard is called there */
    uint64_t weight;
    uint64_t index; /* EVS__NO_INDEX: none */
    const evs__yaml *slots;
    const char *ring_name; /* NULL: the name */
    const char *note;
    int state; /* EVS__STATE_... */
    evs__connection_conf connection;
} shard_conf;

/* Tables of what the shards so far have; the values are nodes, for their places. */
typedef struct seen {
    evs__table folded_names;
    evs__table ring_names;
    evs__table addresses;
} seen;

static void read_weight(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    if (value->kind != EVS__YAML_TEXT || value->quoted || strcmp(value->text.data, "0") != 0) {
        evs__read_integer(r, field, value, at);
        return;
    }
    evs__complain(r->diags, "E256", value->at, "weight 0 is not allowed");
    evs__hint(r->diags,
              "to stop writes without moving keys use \"state: draining\"; to move keys away, "
              "lower the weight or remove the shard (see: evalshard diff)");
}

static const evs__word states[] = {{"active", EVS__STATE_ACTIVE},
                                   {"draining", EVS__STATE_DRAINING},
                                   {"readonly", EVS__STATE_READONLY}};

#define AT(member) offsetof(shard_conf, member)

static const evs__field fields[] = {
    {.name = "address", .read = evs__read_node, .offset = AT(address)},
    {.name = "weight", .read = read_weight, .offset = AT(weight), .min = 1, .max = UINT32_MAX},
    {.name = "index",
     .read = evs__read_integer,
     .offset = AT(index),
     .min = 0,
     .max = EVS__MOST_SHARDS - 1},
    {.name = "slots", .read = evs__read_node, .offset = AT(slots)},
    {.name = "ring_name",
     .read = evs__read_text,
     .offset = AT(ring_name),
     .min = 1,
     .max = LONGEST_RING_NAME},
    {.name = "note", .read = evs__read_text, .offset = AT(note), .min = 0, .max = LONGEST_NOTE},
    {.name = "sentinel", .read = evs__read_node, .offset = AT(sentinel)},
    {.name = "master_name", .read = evs__read_node, .offset = AT(master_name)},
    {.name = "state",
     .read = evs__read_word,
     .offset = AT(state),
     .words = states,
     .nwords = sizeof states / sizeof states[0]},
};

const evs__kind evs__kind_shard = {
    .where = "in a shard",
    .fields = fields,
    .nfields = sizeof fields / sizeof fields[0],
    .also = &evs__kind_connection,
    .also_offset = AT(connection),
};

/* The node that had `key` before, else NULL after remembering `node`. */
static const evs__yaml *taken(evs__reading *r, evs__table *table, evs_bytes key,
                              const evs__yaml *node)
{
    const evs__yaml *earlier = evs__table_get(table, key);
    if (earlier == NULL && !evs__table_set(table, key, (void *)(uintptr_t)node))
        evs__diagnostics_nomem(r->diags);
    return earlier;
}

static void check_case(evs__reading *r, seen *s, const evs__yaml *key)
{
    char *folded = evs__arena_text(r->scratch, key->text.data, key->text.len);
    if (folded == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    for (size_t i = 0; i < key->text.len; i++)
        folded[i] = evs__lower(folded[i]);
    const evs__yaml *earlier = taken(r, &s->folded_names, (evs_bytes){folded, key->text.len}, key);
    if (earlier == NULL)
        return;
    evs__complain(r->diags, "W310", key->at, "\"%s\" and \"%s\" (at %d:%d) differ only in case",
                  key->text.data, earlier->text.data, earlier->at.line, earlier->at.column);
    evs__hint(r->diags, "they are two shards; people will mix them up");
}

static void check_ring_name(evs__reading *r, seen *s, const evs__shard *shard, const evs__yaml *at)
{
    const evs__yaml *earlier = taken(r, &s->ring_names, evs_text(shard->ring_name), at);
    if (earlier == NULL)
        return;
    evs__complain(r->diags, "E258", at->at, "ring name %s is taken (first at %d:%d)",
                  evs__quoted(r->scratch, evs_text(shard->ring_name)), earlier->at.line,
                  earlier->at.column);
    evs__hint(r->diags, "two shards of one ring name would be in the same place");
}

static void check_address(evs__reading *r, seen *s, const evs__login *login, const evs__yaml *at)
{
    const evs__endpoint *e = &login->endpoint;
    char *key = e->host == NULL
                    ? evs__arena_format(r->scratch, "%s %d", e->text, login->db)
                    : evs__arena_format(r->scratch, "%s %d %d", e->host, e->port, login->db);
    if (key == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    for (char *c = key; e->host != NULL && *c != '\0'; c++)
        *c = evs__lower(*c);
    const evs__yaml *earlier = taken(r, &s->addresses, evs_text(key), at);
    if (earlier == NULL)
        return;
    evs__complain(r->diags, "E254", at->at, "address %s with db %d is used twice (first at %d:%d)",
                  e->path == NULL && e->host == NULL ? e->text : evs__found(r, at), login->db,
                  earlier->at.line, earlier->at.column);
    evs__hint(r->diags, "two shards need two servers, or two databases of one");
}

/* Either an address or sentinels, which know one. 0 after complaining. */
static int one_place(evs__reading *r, const evs__yaml *value, const shard_conf *conf)
{
    const evs__yaml *watched = conf->sentinel != NULL ? conf->sentinel : conf->master_name;
    if (conf->address != NULL && watched != NULL) {
        const evs__yaml *first = conf->address, *second = watched;
        if (first->key->at.line > second->key->at.line ||
            (first->key->at.line == second->key->at.line &&
             first->key->at.column > second->key->at.column))
            first = watched, second = conf->address;
        evs__complain(r->diags, "E250", second->key->at,
                      "%s and %s cannot stand together%s (%s at %d:%d)", first->key->text.data,
                      second->key->text.data, evs__where(r), first->key->text.data,
                      first->key->at.line, first->key->at.column);
        evs__hint(r->diags, "sentinels know the address: keep one of the two");
        return 0;
    }
    if (conf->address != NULL || watched != NULL)
        return 1;
    if (evs__yaml_get(value, "address") == NULL && evs__yaml_get(value, "sentinel") == NULL) {
        evs__complain(r->diags, "E250", value->key->at, "the address is missing%s", evs__where(r));
        evs__hint(r->diags, "add \"address: host:port\" or \"address: unix:/path\"");
    }
    return 0;
}

/* Short form (an address) or long form (a mapping). 0 when there is nothing to build. */
static int read_forms(evs__reading *r, const evs__yaml *value, shard_conf *conf)
{
    if (value->kind == EVS__YAML_BAD || !evs__want_filled(r, value))
        return 0;
    if (value->kind == EVS__YAML_TEXT) {
        conf->address = value;
        return 1;
    }
    if (!evs__read_mapping(r, &evs__kind_shard, value, conf))
        return 0;
    return one_place(r, value, conf);
}

/* A key of a shard that its pool's distribution has no use for. */
static void refuse_key(evs__building *b, const evs__yaml *value, const char *key, unsigned takes)
{
    const evs__yaml *node = evs__yaml_get(value, key);
    if (node == NULL || (b->rules.placement->takes & takes) != 0)
        return;
    evs__complain(b->r.diags, "E209", node->key->at, "%s has no meaning with distribution %s%s",
                  key, b->rules.placement->name, evs__where(&b->r));
}

/* Weights, numbers and slots, as far as the pool's distribution knows them. */
static void fill_place(evs__building *b, const evs__yaml *value, const shard_conf *conf,
                       evs__shard *shard)
{
    const evs__yaml *weight = evs__yaml_get(value, "weight");
    if (b->rules.placement == NULL)
        return;
    refuse_key(b, value, "weight", EVS__TAKES_WEIGHTS);
    refuse_key(b, value, "index", EVS__TAKES_INDEX | EVS__NEEDS_INDEX);
    refuse_key(b, value, "slots", EVS__TAKES_SLOTS);
    if (weight != NULL && b->rules.compat->no_weights && conf->weight != 1)
        evs__complain(b->r.diags, "E208", weight->at, "compat: %s has no weights%s",
                      b->rules.compat->name, evs__where(&b->r));
    if (weight != NULL && b->rules.compat->distributions[0] == NULL &&
        conf->weight > EVS__MOST_WEIGHT)
        evs__complain(b->r.diags, "E216", weight->at,
                      "%s must be a whole number from 1 to %d, found %s",
                      evs__subject(&b->r, weight), EVS__MOST_WEIGHT, evs__found(&b->r, weight));
    if (conf->slots != NULL && (b->rules.placement->takes & EVS__TAKES_SLOTS) != 0)
        evs__read_slots(&b->r, conf->slots, b->map->pools[shard->pool].layout.size, shard);
}

static const evs__yaml *ring_name_node(const evs__yaml *value)
{
    const evs__yaml *node = evs__yaml_get(value, "ring_name");
    return node == NULL ? value->key : node;
}

/* The address as it would be written without a scheme. */
static const char *bare_address(evs__building *b, const evs__yaml *address, const evs__endpoint *e)
{
    if (evs__address_scheme(address) == EVS__SCHEME_NONE)
        return e->text;
    return evs__arena_format(b->r.arena, strchr(e->host, ':') == NULL ? "%s:%d" : "[%s]:%d",
                             e->host, e->port);
}

/* Of an address twemproxy makes "host" when the port is 11211, and "/path:" of a unix socket. */
static const char *address_name(evs__building *b, const evs__yaml *address, const evs__endpoint *e)
{
    int twemproxy = strncmp(b->rules.compat->name, "twemproxy", 9) == 0 ||
                    strcmp(b->rules.compat->name, "libmemcached") == 0;
    const char *name = bare_address(b, address, e);
    if (twemproxy && e->path != NULL)
        name = evs__arena_format(b->r.arena, "%s:", e->path);
    else if (twemproxy && e->port == 11211)
        name = e->host;
    if (name == NULL)
        evs__diagnostics_nomem(b->r.diags);
    return name == NULL ? "" : name;
}

static const char *ring_name(evs__building *b, const evs__yaml *where, const shard_conf *conf,
                             const evs__shard *shard)
{
    if (conf->ring_name != NULL)
        return conf->ring_name;
    return b->rules.ring_names_are_addresses ? address_name(b, where, &shard->login.endpoint)
                                             : shard->name;
}

/* Where the shard is: by its address, or by sentinels. 0 after complaining. */
static int fill_where(evs__building *b, const evs__yaml *value, const shard_conf *conf,
                      evs__shard *shard)
{
    evs__endpoint endpoint;
    if (conf->address == NULL)
        return evs__shard_by_sentinel(b, value, conf->sentinel, conf->master_name, shard);
    if (!evs__read_address(&b->r, conf->address, &endpoint))
        return 0;
    shard->login.endpoint = endpoint;
    return 1;
}

static void fill(evs__building *b, const evs__yaml *value, const shard_conf *conf, seen *s)
{
    evs__shard *shard = &b->map->shards[b->map->nshards];
    const evs__yaml *where = conf->address != NULL ? conf->address : conf->sentinel;
    *shard = (evs__shard){
        .name = evs__keep(&b->r, value->key->text),
        .note = conf->note,
        .state = (evs__shard_state)conf->state,
        .pool = b->map->npools - 1,
        .weight = (unsigned)conf->weight,
        .index = (unsigned)conf->index,
        .command_timeout_ms = conf->connection.command_timeout_ms,
        .script_timeout_ms = conf->connection.script_timeout_ms,
        .attempts = (unsigned)conf->connection.retry.attempts,
    };
    if (shard->script_timeout_ms == 0)
        shard->script_timeout_ms = shard->command_timeout_ms;
    shard->login.name = shard->name;
    evs__connection_login(&b->r, &conf->connection, &shard->login);
    if (shard->name == NULL || !fill_where(b, value, conf, shard))
        return;
    evs__tls_login(&b->r, &conf->connection.tls, where, &shard->login);
    shard->ring_name = ring_name(b, where, conf, shard);
    fill_place(b, value, conf, shard);
    check_ring_name(&b->r, s, shard, ring_name_node(value));
    check_address(&b->r, s, &shard->login, where);
    b->map->nshards++;
}

static void build_shard(evs__building *b, const evs__yaml *value,
                        const evs__connection_conf *inherited, seen *s)
{
    shard_conf conf = {.weight = 1, .index = EVS__NO_INDEX, .note = "", .connection = *inherited};
    evs__reading outer = b->r;
    int named = evs__check_name(&b->r, value->key);
    b->r.noun = "shard";
    b->r.name = evs__name_of(value->key);
    if (named)
        check_case(&b->r, s, value->key);
    if (read_forms(&b->r, value, &conf) && named && b->map->nshards < b->shards_room)
        fill(b, value, &conf, s);
    b->r = outer;
}

void evs__build_shards(evs__building *b, const evs__yaml *shards,
                       const evs__connection_conf *inherited)
{
    evs__pool *pool = &b->map->pools[b->map->npools - 1];
    seen s = {EVS__TABLE_INIT, EVS__TABLE_INIT, EVS__TABLE_INIT};
    if (shards->kind != EVS__YAML_MAP) {
        evs__complain_no_mapping(&b->r, shards);
        return;
    }
    if (shards->count == 0 || shards->count > EVS__MOST_SHARDS) {
        evs__complain(b->r.diags, "E211", shards->key->at, "a pool has 1 to %d shards, found %zu%s",
                      EVS__MOST_SHARDS, shards->count, evs__where(&b->r));
        return;
    }
    for (const evs__yaml *entry = shards->first; entry != NULL; entry = entry->next)
        build_shard(b, entry, inherited, &s);
    pool->nshards = b->map->nshards - pool->first_shard;
    evs__table_free(&s.folded_names);
    evs__table_free(&s.ring_names);
    evs__table_free(&s.addresses);
}
