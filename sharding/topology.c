/*
 * topology.c - CLUSTER SHARDS and CLUSTER SLOTS as a table of slots.
 *
 * What is not understood is left out: a later server may say more of its nodes. Only a reply that
 * is no list, or a slot out of range, makes the whole of it unusable.
 */
#include "sharding/topology.h"

#include "core/error.h"

#include <string.h>

typedef struct reading {
    evs__topology *topology;
    evs__arena *arena;
    size_t room; /* for nodes */
    int tls;
} reading;

static int is_text(evs_bytes text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

/* ---- nodes ---- */

static int same_host(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static evs__topology_node *find_node(evs__topology *topology, const evs__topology_node *like)
{
    for (size_t i = 0; i < topology->nnodes; i++) {
        evs__topology_node *node = &topology->nodes[i];
        if (node->port == like->port && same_host(node->host, like->host))
            return node;
    }
    return NULL;
}

/* The number of the node, which is added when it is new. There is room: the nodes were counted. */
static size_t add_node(reading *r, const evs__topology_node *node)
{
    evs__topology *topology = r->topology;
    evs__topology_node *known = find_node(topology, node);
    if (known == NULL) {
        known = &topology->nodes[topology->nnodes++];
        *known = *node;
    }
    known->primary |= node->primary;
    if (node->primary)
        known->follows = EVS__NOBODY;
    return (size_t)(known - topology->nodes);
}

/* Fills in host and port. 0 when memory is short or the port is none. */
static int read_address(reading *r, evs__topology_node *node, const evs_reply *host,
                        const evs_reply *port)
{
    evs_bytes text = evs_reply_bytes(host);
    int64_t number = evs_reply_integer(port);
    node->host = NULL;
    node->port = number > 0 && number < 65536 ? (int)number : 0;
    if (text.len == 0 || is_text(text, "?") || memchr(text.data, '\0', text.len) != NULL)
        return node->port != 0;
    node->host = evs__arena_text(r->arena, text.data, text.len);
    return node->host != NULL && node->port != 0;
}

/* ---- slots ---- */

/* 0 when the range is out of range. */
static int set_owner(evs__topology *topology, const evs_reply *first, const evs_reply *last,
                     size_t node)
{
    int64_t from = evs_reply_integer(first), to = evs_reply_integer(last);
    if (from < 0 || to >= EVS__SLOTS || from > to)
        return 0;
    for (int64_t slot = from; slot <= to; slot++) {
        topology->covered += topology->owner[slot] == EVS__NOBODY;
        topology->owner[slot] = (uint16_t)node;
    }
    return 1;
}

/* ---- CLUSTER SLOTS: [first, last, [host, port, ...], replica...] ---- */

static int read_slots_entry(reading *r, const evs_reply *entry)
{
    const evs_reply *first = evs_reply_at(entry, 0), *last = evs_reply_at(entry, 1);
    size_t count = evs_reply_count(entry);
    uint16_t primary = EVS__NOBODY;
    for (size_t i = 2; i < count; i++) {
        const evs_reply *told = evs_reply_at(entry, i);
        evs__topology_node node = {.primary = i == 2, .follows = primary};
        if (!read_address(r, &node, evs_reply_at(told, 0), evs_reply_at(told, 1)))
            continue;
        size_t number = add_node(r, &node);
        if (!node.primary)
            continue;
        primary = (uint16_t)number;
        if (!set_owner(r->topology, first, last, number))
            return 0;
    }
    return 1;
}

static size_t count_slots_nodes(const evs_reply *entry)
{
    size_t count = evs_reply_count(entry);
    return count < 2 ? 0 : count - 2;
}

/* ---- CLUSTER SHARDS: {slots: [first, last, ...], nodes: [{endpoint, port, role, ...}]} ---- */

static const evs_reply *get(const evs_reply *map, const char *key)
{
    return evs_reply_map_get(map, evs_text(key));
}

static int has(const evs_reply *told, const char *key, const char *word)
{
    return is_text(evs_reply_bytes(get(told, key)), word);
}

static const evs_reply *shard_port(const reading *r, const evs_reply *node)
{
    const evs_reply *tls = get(node, "tls-port"), *plain = get(node, "port");
    return tls != NULL && (r->tls || plain == NULL) ? tls : plain;
}

/* The primary that works, else any; after a failover both are listed for a while. Its place in the
 * list, or the length of the list. */
static size_t choose_primary(const evs_reply *nodes)
{
    size_t count = evs_reply_count(nodes), best = count;
    for (size_t i = 0; i < count; i++) {
        const evs_reply *node = evs_reply_at(nodes, i);
        if (!has(node, "role", "master"))
            continue;
        if (has(node, "health", "online"))
            return i;
        if (best == count)
            best = i;
    }
    return best;
}

static size_t count_primaries(const evs_reply *shard)
{
    const evs_reply *nodes = get(shard, "nodes");
    size_t count = evs_reply_count(nodes), primaries = 0;
    for (size_t i = 0; i < count; i++)
        primaries += (size_t)has(evs_reply_at(nodes, i), "role", "master");
    return primaries;
}

int evs__topology_is_open(const evs_reply *reply)
{
    for (size_t i = 0; i < evs_reply_count(reply); i++)
        if (count_primaries(evs_reply_at(reply, i)) > 1)
            return 1;
    return 0;
}

static int set_owners(reading *r, const evs_reply *slots, size_t node)
{
    size_t count = evs_reply_count(slots);
    for (size_t i = 0; i + 1 < count; i += 2)
        if (!set_owner(r->topology, evs_reply_at(slots, i), evs_reply_at(slots, i + 1), node))
            return 0;
    return 1;
}

/* The number of a shard's node; EVS__NOBODY when it has no address. */
static uint16_t read_shard_node(reading *r, const evs_reply *told, int primary, uint16_t follows)
{
    evs__topology_node node = {.primary = primary, .follows = follows};
    if (!read_address(r, &node, get(told, "endpoint"), shard_port(r, told)))
        return EVS__NOBODY;
    return (uint16_t)add_node(r, &node);
}

/* The primary, which may stand anywhere, comes first. */
static int read_shard(reading *r, const evs_reply *shard)
{
    const evs_reply *nodes = get(shard, "nodes"), *slots = get(shard, "slots");
    size_t count = evs_reply_count(nodes), primary = choose_primary(nodes);
    uint16_t owner = EVS__NOBODY;
    if (primary < count)
        owner = read_shard_node(r, evs_reply_at(nodes, primary), evs_reply_count(slots) > 0,
                                EVS__NOBODY);
    for (size_t i = 0; i < count; i++) {
        const evs_reply *told = evs_reply_at(nodes, i);
        int reads = has(told, "role", "replica") && has(told, "health", "online");
        if (i != primary)
            read_shard_node(r, told, 0, reads ? owner : EVS__NOBODY);
    }
    return owner == EVS__NOBODY || set_owners(r, slots, owner);
}

static size_t count_shard_nodes(const evs_reply *shard)
{
    return evs_reply_count(get(shard, "nodes"));
}

/* ---- both ---- */

typedef struct way {
    const char *command;
    size_t (*count)(const evs_reply *entry);
    int (*read)(reading *r, const evs_reply *entry);
} way;

static const way ways[] = {
    [EVS__TOPOLOGY_SHARDS] = {"CLUSTER SHARDS", count_shard_nodes, read_shard},
    [EVS__TOPOLOGY_SLOTS] = {"CLUSTER SLOTS", count_slots_nodes, read_slots_entry},
};

static int make_room(reading *r, const evs_reply *reply, const way *how)
{
    size_t count = evs_reply_count(reply);
    for (size_t i = 0; i < count; i++)
        r->room += how->count(evs_reply_at(reply, i));
    r->topology = evs__arena_zalloc(r->arena, 1, sizeof *r->topology);
    if (r->topology == NULL)
        return 0;
    memset(r->topology->owner, 0xff, sizeof r->topology->owner);
    r->topology->nodes = evs__arena_alloc(r->arena, r->room + 1, sizeof *r->topology->nodes);
    return r->topology->nodes != NULL && r->room < EVS__NOBODY;
}

evs_status evs__topology_read(evs__topology **out, evs__arena *arena, const evs_reply *reply,
                              evs__topology_form form, int tls, evs_error *err)
{
    const way *how = &ways[form];
    reading r = {.arena = arena, .tls = tls};
    if (evs_reply_kind(reply) != EVS_REPLY_ARRAY) {
        evs_bytes text = evs_reply_bytes(reply);
        return evs__fail(err, EVS_E_CLUSTER, "%s answered %s%s%.*s", how->command,
                         evs_reply_kind_name(evs_reply_kind(reply)), text.len > 0 ? ": " : "",
                         text.len < 200 ? (int)text.len : 200, text.len > 0 ? text.data : "");
    }
    if (!make_room(&r, reply, how))
        return evs__fail_nomem(err);
    size_t count = evs_reply_count(reply);
    for (size_t i = 0; i < count; i++)
        if (!how->read(&r, evs_reply_at(reply, i)))
            return evs__fail(err, EVS_E_CLUSTER, "%s names slots that there are not", how->command);
    *out = r.topology;
    return EVS_OK;
}
