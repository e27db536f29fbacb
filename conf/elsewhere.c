/*
 * elsewhere.c - a map of servers that no map names as shards: nodes of a cluster, reached as a
 * shard is, and sentinels, so that each can be asked on its own.
 *
 * Everything is copied, so the two maps live apart.
 */
#include "conf/address.h"
#include "core/error.h"
#include "sharding/shardmap.h"

#include <stdio.h>

/* The texts of a login, of which each may be missing. */
static int keep(evs__reading *r, const char **text)
{
    if (*text != NULL)
        *text = evs__keep(r, evs_text(*text));
    return !evs__diagnostics_bad(r->diags);
}

static int keep_tls(evs__reading *r, evs__login *login)
{
    if (login->tls == NULL)
        return 1;
    evs__tls_conf *tls = evs__arena_alloc(r->arena, 1, sizeof *tls);
    if (tls == NULL) {
        evs__diagnostics_nomem(r->diags);
        return 0;
    }
    *tls = *login->tls;
    login->tls = tls;
    return keep(r, &tls->ca_file) && keep(r, &tls->ca_dir) && keep(r, &tls->cert_file) &&
           keep(r, &tls->key_file) && keep(r, &tls->server_name);
}

static int keep_source(evs__reading *r, evs__login *login)
{
    if (login->source == NULL)
        return 1;
    evs__secret_source *source = evs__arena_alloc(r->arena, 1, sizeof *source);
    if (source == NULL) {
        evs__diagnostics_nomem(r->diags);
        return 0;
    }
    *source = *login->source;
    login->source = source;
    return keep(r, &source->from);
}

static int add_shard(evs_shardmap *map, evs__reading *r, const evs__shard *like,
                     const evs__login *login, evs_bytes address)
{
    char number[24];
    evs__shard *shard = &map->shards[map->nshards];
    evs__yaml at = {.kind = EVS__YAML_TEXT};
    snprintf(number, sizeof number, "%zu", map->nshards + 1);
    at.text.data = evs__arena_text(r->scratch, address.data, address.len);
    at.text.len = address.len;
    *shard = (evs__shard){
        .name = evs__keep(r, evs_text(number)),
        .note = "",
        .weight = 1,
        .index = EVS__NO_INDEX,
        .login = *login,
        .command_timeout_ms = like->command_timeout_ms,
        .script_timeout_ms = like->script_timeout_ms,
        .attempts = like->attempts,
    };
    shard->login.connect_timeout_ms = like->login.connect_timeout_ms;
    shard->ring_name = shard->name;
    shard->login.primary = 0; /* whoever is there was meant */
    if (at.text.data == NULL)
        evs__diagnostics_nomem(r->diags);
    if (evs__diagnostics_bad(r->diags) || !evs__read_address(r, &at, &shard->login.endpoint))
        return 0;
    map->nshards++;
    return keep(r, &shard->login.noun) && keep(r, &shard->login.name) &&
           keep(r, &shard->login.username) && keep(r, &shard->login.password) &&
           keep(r, &shard->login.client_name) && keep_source(r, &shard->login) &&
           keep_tls(r, &shard->login);
}

static size_t count_commas(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == ',';
    return count;
}

/* One pool, named as the shard's. Where it puts keys is nothing to rely on. */
static int add_pool(evs_shardmap *map, evs__reading *r, const char *name)
{
    map->pools = evs__arena_zalloc(&map->arena, 1, sizeof *map->pools);
    if (map->pools == NULL) {
        evs__diagnostics_nomem(r->diags);
        return 0;
    }
    evs__pool *pool = &map->pools[map->npools++];
    pool->name = evs__keep(r, evs_text(name));
    pool->nshards = map->nshards;
    pool->placement = evs__placement_find("rendezvous");
    pool->layout.hash = pool->placement->hashes[0].hash;
    pool->tag_open = '{';
    pool->tag_close = '}';
    return pool->name != NULL;
}

static int reserve(evs_shardmap *map, evs__reading *r, size_t count)
{
    map->shards = evs__arena_alloc(&map->arena, count, sizeof *map->shards);
    if (map->shards == NULL)
        evs__diagnostics_nomem(r->diags);
    return map->shards != NULL;
}

/* What is wanted: servers at these addresses, reached like a shard; or, where that is NULL, the
 * sentinels of the shard. */
typedef struct wish {
    const evs_shardmap *map;
    const evs__shard *shard;
    const char *addresses;
} wish;

static int fill_addresses(evs_shardmap *map, evs__reading *r, const wish *self)
{
    if (!reserve(map, r, count_commas(self->addresses) + 1))
        return 0;
    for (const char *at = self->addresses;; at++) {
        evs_bytes address = {at, strcspn(at, ",")};
        if (!add_shard(map, r, self->shard, &self->shard->login, address))
            return 0;
        at += address.len;
        if (*at == '\0')
            return add_pool(map, r, self->map->pools[self->shard->pool].name);
    }
}

static int fill_sentinels(evs_shardmap *map, evs__reading *r, const wish *self)
{
    const evs__sentinel_plan *plan = self->shard->sentinel;
    if (!reserve(map, r, plan->nhosts))
        return 0;
    for (size_t i = 0; i < plan->nhosts; i++)
        if (!add_shard(map, r, self->shard, &plan->hosts[i],
                       evs_text(plan->hosts[i].endpoint.text)))
            return 0;
    return add_pool(map, r, plan->name);
}

static evs_status make(evs_shardmap **out, const wish *self, evs_error *err)
{
    evs_status status;
    evs__arena scratch = EVS__ARENA_INIT;
    evs_shardmap *made = evs__shardmap_new();
    evs_bytes text = evs_text(self->addresses == NULL ? "" : self->addresses);
    evs_diagnostics *diags = evs__diagnostics_new("addresses", text);
    if (made != NULL && diags != NULL) {
        evs__reading r = {.arena = &made->arena, .scratch = &scratch, .diags = diags};
        made->name = evs__keep(&r, evs_text(self->map->name));
        if (self->addresses != NULL)
            fill_addresses(made, &r, self);
        else
            fill_sentinels(made, &r, self);
        status = evs__diagnostics_finish(diags, err);
        if (status == EVS_OK)
            status = evs__shardmap_seal(made, err);
    } else {
        status = evs__fail_nomem(err);
    }
    evs_diagnostics_free(diags);
    evs__arena_free(&scratch);
    if (status == EVS_OK)
        *out = made;
    else
        evs_shardmap_free(made);
    return status;
}

evs_status evs_shardmap_elsewhere(evs_shardmap **out, const evs_shardmap *map, size_t shard,
                                  const char *addresses, evs_error *err)
{
    if (shard >= map->nshards)
        return evs__fail(err, EVS_E_INVALID, "there is no shard %zu in this map", shard);
    wish self = {map, &map->shards[shard], addresses};
    return make(out, &self, err);
}

evs_status evs_shardmap_sentinels(evs_shardmap **out, const evs_shardmap *map, size_t shard,
                                  evs_error *err)
{
    if (shard >= map->nshards)
        return evs__fail(err, EVS_E_INVALID, "there is no shard %zu in this map", shard);
    wish self = {map, &map->shards[shard], NULL};
    if (self.shard->sentinel == NULL)
        return evs__fail(err, EVS_E_INVALID, "no sentinels watch shard \"%s\"", self.shard->name);
    return make(out, &self, err);
}
