/*
 * replace.c - may one map follow another in a running client?
 *
 * Keys move in two ways. Placement may change: then the fingerprint does. Or placement stays, and a
 * server that has the keys of one shard is given to another, by swapping two addresses or two ring
 * names: then the server's owner changes, which is pool, name and ring name together. Either needs
 * a larger generation, which says that it is meant. A shard that moves to a server that had none is
 * free to: whoever writes that has copied the data, or promoted a replica.
 */
#include "sharding/replace.h"

#include "core/error.h"
#include "core/table.h"
#include "sharding/route.h"

#include <stdarg.h>
#include <stdio.h>

enum { SAMPLE = 10000 };

/* ---- how many keys move ---- */

static int same_server(const evs__login *a, const evs__login *b)
{
    return a->db == b->db && evs__endpoint_same(&a->endpoint, &b->endpoint);
}

static int same_name(const evs_shardmap *a, const evs__shard *in_a, const evs_shardmap *b,
                     const evs__shard *in_b)
{
    return strcmp(in_a->name, in_b->name) == 0 &&
           strcmp(a->pools[in_a->pool].name, b->pools[in_b->pool].name) == 0;
}

/* The shard of a key; NULL when no route takes it. */
static const evs__shard *shard_of(const evs_shardmap *map, evs_bytes key)
{
    evs_route route;
    return evs__route_key(&route, map, key, NULL) == EVS_OK ? &map->shards[route.shard] : NULL;
}

static int moves(const evs_shardmap *old, const evs_shardmap *next, evs_bytes key)
{
    const evs__shard *before = shard_of(old, key), *after = shard_of(next, key);
    if (before == NULL || after == NULL)
        return before != after;
    return !same_name(old, before, next, after) && !same_server(&before->login, &after->login);
}

static evs_bytes prefix_of(const evs_shardmap *old, const evs_shardmap *next, size_t i)
{
    size_t count = old->nroutes + next->nroutes;
    if (count == 0)
        return evs_text("key:");
    i %= count;
    return i < old->nroutes ? old->routes[i].prefix : next->routes[i - old->nroutes].prefix;
}

size_t evs__moved_keys(const evs_shardmap *old, const evs_shardmap *next, size_t count)
{
    size_t moved = 0;
    char key[600]; /* a prefix has 512 bytes at most */
    for (size_t i = 0; i < count; i++) {
        evs_bytes prefix = prefix_of(old, next, i);
        int room = (int)(prefix.len < 512 ? prefix.len : 512);
        if (room > 0)
            memcpy(key, prefix.data, (size_t)room);
        int len = room + snprintf(key + room, 32, "%zu", i);
        moved += (size_t)moves(old, next, (evs_bytes){key, (size_t)len});
    }
    return moved;
}

/* Every refusal is about `generation`, so it begins with the place of that in the file. */
static evs_status refuse(const evs_shardmap *next, evs_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static evs_status refuse(const evs_shardmap *next, evs_error *err, const char *format, ...)
{
    char what[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (next->file == NULL)
        return evs__fail(err, EVS_E_CONFIG, "%s", what);
    evs__fail(err, EVS_E_CONFIG, "%s:%d:%d: %s", next->file, next->generation_line,
              next->generation_column, what);
    if (err != NULL) {
        err->line = next->generation_line;
        err->column = next->generation_column;
    }
    return EVS_E_CONFIG;
}

static evs_status fail_moved(const evs_shardmap *old, const evs_shardmap *next, evs_error *err)
{
    size_t moved = evs__moved_keys(old, next, SAMPLE);
    char what[80];
    if (moved == 0)
        snprintf(what, sizeof what, "may move keys (none of a sample of %d)", SAMPLE);
    else
        snprintf(what, sizeof what, "moves %.1f %% of keys", 100.0 * (double)moved / SAMPLE);
    return refuse(next, err,
                  "error[E110]: this file %s but generation is still %llu; if that is intended "
                  "set \"generation: %llu\" (see: evalshard diff)",
                  what, (unsigned long long)old->generation,
                  (unsigned long long)old->generation + 1);
}

/* ---- whose servers are ---- */

/* Servers of the old map by what names them, with the first shard that each belongs to; and under a
 * text that begins with its number, each further one. */
typedef struct owners {
    const evs_shardmap *map;
    evs__table servers;
    evs__arena texts;
} owners;

static const evs__cluster_plan *cluster_of(const evs_shardmap *map, const evs__shard *shard)
{
    return map->pools[shard->pool].cluster;
}

/* In how many ways a shard's server is named. One is enough to be known by: seeds and sentinels
 * come and go one by one. */
static size_t count_names(const evs_shardmap *map, const evs__shard *shard)
{
    const evs__cluster_plan *cluster = cluster_of(map, shard);
    if (cluster != NULL)
        return cluster->nseeds;
    return shard->sentinel != NULL ? 1 + shard->sentinel->nhosts : 1;
}

/* What leads to the shard's server, and for whom sentinels are asked there. */
static const evs__endpoint *name_of(const evs_shardmap *map, const evs__shard *shard, size_t i,
                                    const char **asked)
{
    const evs__cluster_plan *cluster = cluster_of(map, shard);
    *asked = "";
    if (cluster != NULL)
        return &cluster->seeds[i];
    if (i == 0)
        return &shard->login.endpoint;
    *asked = shard->master_name;
    return &shard->sentinel->hosts[i - 1].endpoint;
}

static char *server_key(owners *all, const evs_shardmap *map, const evs__shard *shard, size_t i)
{
    const char *asked;
    const evs__endpoint *at = name_of(map, shard, i, &asked);
    int port = at->host != NULL ? at->port : -1;
    const char *where = at->host != NULL ? at->host : at->path != NULL ? at->path : at->text;
    char *key = evs__arena_format(&all->texts, "%s\t%d %d %s", asked, shard->login.db, port, where);
    char *host = key == NULL || at->host == NULL ? NULL : key + strlen(key) - strlen(where);
    for (; host != NULL && *host != '\0'; host++)
        *host = *host >= 'A' && *host <= 'Z' ? (char)(*host - 'A' + 'a') : *host;
    return key;
}

static char *further_key(owners *all, const evs__shard *shard, const char *key)
{
    return evs__arena_format(&all->texts, "#%zu %s", (size_t)(shard - all->map->shards), key);
}

static int add_server(owners *all, evs__shard *shard, size_t i)
{
    char *key = server_key(all, all->map, shard, i);
    if (key != NULL && evs__table_get(&all->servers, evs_text(key)) != NULL)
        key = further_key(all, shard, key);
    return key != NULL && evs__table_set(&all->servers, evs_text(key), shard);
}

static int add_servers(owners *all)
{
    for (size_t i = 0; i < all->map->nshards; i++) {
        evs__shard *shard = &all->map->shards[i];
        for (size_t k = 0; k < count_names(all->map, shard); k++) {
            if (!add_server(all, shard, k))
                return 0;
        }
    }
    return 1;
}

/* The shard of the old map that is this one; NULL when there is none. */
static const evs__shard *before(const owners *all, const evs_shardmap *next,
                                const evs__shard *shard)
{
    size_t number;
    if (!evs__shardmap_lookup(&number, all->map, evs_text(next->pools[shard->pool].name),
                              shard->name))
        return NULL;
    const evs__shard *old = &all->map->shards[number];
    return strcmp(old->ring_name, shard->ring_name) == 0 ? old : NULL;
}

static evs_status fail_given(const owners *all, const evs_shardmap *next, const evs__shard *shard,
                             const evs__shard *owner, evs_error *err)
{
    const char *how = same_name(all->map, owner, next, shard) ? " under another ring name" : "";
    return refuse(next, err,
                  "error[E110]: this file gives %s of shard \"%s/%s\" to \"%s/%s\"%s, with the "
                  "keys that are there, but generation is still %llu; if that is intended set "
                  "\"generation: %llu\"",
                  owner->login.endpoint.text, all->map->pools[owner->pool].name, owner->name,
                  next->pools[shard->pool].name, shard->name, how,
                  (unsigned long long)all->map->generation,
                  (unsigned long long)all->map->generation + 1);
}

/* Who is given a server that only others had before? Two pools may share one, so that the first
 * owner proves nothing. */
static evs_status check_server(owners *all, const evs_shardmap *next, const evs__shard *shard,
                               size_t i, evs_error *err)
{
    char *key = server_key(all, next, shard, i);
    if (key == NULL)
        return evs__fail_nomem(err);
    const evs__shard *owner = evs__table_get(&all->servers, evs_text(key));
    const evs__shard *old = before(all, next, shard);
    if (owner == NULL || owner == old)
        return EVS_OK;
    if (old != NULL) {
        key = further_key(all, old, key);
        if (key == NULL)
            return evs__fail_nomem(err);
        if (evs__table_get(&all->servers, evs_text(key)) != NULL)
            return EVS_OK;
    }
    return fail_given(all, next, shard, owner, err);
}

static evs_status check_servers(owners *all, const evs_shardmap *next, evs_error *err)
{
    if (!add_servers(all))
        return evs__fail_nomem(err);
    for (size_t i = 0; i < next->nshards; i++) {
        const evs__shard *shard = &next->shards[i];
        for (size_t k = 0; k < count_names(next, shard); k++) {
            evs_status status = check_server(all, next, shard, k, err);
            if (status != EVS_OK)
                return status;
        }
    }
    return EVS_OK;
}

static evs_status check_same_generation(const evs_shardmap *old, const evs_shardmap *next,
                                        evs_error *err)
{
    if (old->fingerprint != next->fingerprint)
        return fail_moved(old, next, err);
    owners all = {old, EVS__TABLE_INIT, EVS__ARENA_INIT};
    evs_status status = check_servers(&all, next, err);
    evs__table_free(&all.servers);
    evs__arena_free(&all.texts);
    return status;
}

evs_status evs_shardmap_may_follow(const evs_shardmap *old, const evs_shardmap *next,
                                   evs_error *err)
{
    if (next->generation < old->generation)
        return refuse(next, err,
                      "error[E111]: this file has generation %llu, older than %llu, which is in "
                      "use; to go back to it give it a number larger than that",
                      (unsigned long long)next->generation, (unsigned long long)old->generation);
    return next->generation > old->generation ? EVS_OK : check_same_generation(old, next, err);
}
