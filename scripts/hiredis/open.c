#include "scripts/hiredis/bound.h"

#include "core/bits.h"
#include "core/error.h"
#include "core/mem.h"

#include <hiredis/hiredis.h>
#include <stdio.h>

/* ---- life ---- */

static struct redisContext *attached(void *context, size_t shard)
{
    (void)shard;
    return context;
}

/* What is hidden in scripts and maps is laid out differently in every version. */
static evs_status check_version(evs_error *err)
{
    char ours[32];
    snprintf(ours, sizeof ours, "%d.%d.%d", EVS_VERSION_MAJOR, EVS_VERSION_MINOR,
             EVS_VERSION_PATCH);
    if (strcmp(ours, evs_version()) == 0)
        return EVS_OK;
    return evs__fail(err, EVS_E_STATE,
                     "libevalshard-hiredis %s needs libevalshard %s, and this one is %s", ours,
                     ours, evs_version());
}

evs_status evs_hiredis_open(evs_hiredis **out, const evs_registry *registry,
                            const evs_hiredis_options *opts, evs_error *err)
{
    if (registry == NULL || opts == NULL || opts->struct_size != sizeof *opts ||
        opts->context == NULL)
        return evs__fail(err, EVS_E_INVALID, "a registry and a context function are needed");
    if (check_version(err) != EVS_OK)
        return EVS_E_STATE;
    evs_hiredis *scripts = evs__zalloc_array(1, sizeof *scripts);
    if (scripts == NULL)
        return evs__fail_nomem(err);
    scripts->registry = registry;
    scripts->map = opts->map == NULL ? NULL : evs_shardmap_ref(opts->map);
    scripts->context = opts->context;
    scripts->arg = opts->arg;
    scripts->nbounds = opts->map == NULL ? 1 : evs_shardmap_count(opts->map);
    scripts->bounds = evs__zalloc_array(scripts->nbounds, sizeof *scripts->bounds);
    if (scripts->bounds == NULL) {
        evs_hiredis_free(scripts);
        return evs__fail_nomem(err);
    }
    for (size_t i = 0; i < scripts->nbounds; i++) {
        scripts->bounds[i].owner = scripts;
        scripts->bounds[i].shard = i;
    }
    *out = scripts;
    return EVS_OK;
}

evs_status evs_hiredis_attach(evs_hiredis **out, const evs_registry *registry,
                              struct redisContext *context, evs_error *err)
{
    evs_hiredis_options options = EVS_HIREDIS_OPTIONS_INIT;
    if (context == NULL)
        return evs__fail(err, EVS_E_INVALID, "a context is needed");
    options.context = attached;
    options.arg = context;
    return evs_hiredis_open(out, registry, &options, err);
}

static void free_line(evs__sent_line *line)
{
    for (evs__sent *sent = line->head, *next; sent != NULL; sent = next) {
        next = sent->next;
        if (sent->kind != EVS__SENT_CALL && sent->kind != EVS__SENT_COMMAND)
            evs__sent_free(sent);
    }
}

static void free_bound(evs__bound *bound)
{
    free_line(&bound->line);
    free_line(&bound->queued);
    evs__bound_forget(bound);
    evs__free(bound->known);
    evs__free(bound->loading);
}

void evs_hiredis_free(evs_hiredis *scripts)
{
    if (scripts == NULL)
        return;
    for (size_t i = 0; scripts->bounds != NULL && i < scripts->nbounds; i++)
        free_bound(&scripts->bounds[i]);
    while (scripts->results != NULL) {
        evs__sent *sent = scripts->results;
        scripts->results = sent->next_result;
        evs__sent_free(sent);
    }
    evs__free(scripts->bounds);
    evs_shardmap_free(scripts->map);
    evs__free(scripts);
}

size_t evs_hiredis_pending(const evs_hiredis *scripts)
{
    return scripts->pending;
}

/* ---- which context ---- */

const char *evs__bound_name(const evs__bound *bound)
{
    return bound->owner->map == NULL ? NULL : bound->owner->map->shards[bound->shard].name;
}

static evs_status blame(const evs__bound *bound, evs_error *err, evs_status status, const char *why)
{
    evs__subject subject = {NULL, {NULL, 0}, evs__bound_name(bound)};
    return evs__explain(err, &subject, status, "%s", why);
}

static evs_status check(const evs__bound *bound, evs_error *err)
{
    const redisContext *context = bound->context;
    if (context->err != 0)
        return blame(bound, err, EVS_E_CLOSED, context->errstr);
    if ((context->flags & REDIS_BLOCK) == 0)
        return blame(bound, err, EVS_E_INVALID, "the context does not block");
    if ((context->flags & (REDIS_SUBSCRIBED | REDIS_MONITORING)) != 0)
        return blame(bound, err, EVS_E_INVALID, "the context subscribes or monitors");
    return EVS_OK;
}

/* A context leads to one node, and nobody here follows slots to the others. */
static evs_status check_pool(const evs_hiredis *scripts, size_t shard, evs_error *err)
{
    if (scripts->map == NULL)
        return EVS_OK;
    const evs__pool *pool = &scripts->map->pools[scripts->map->shards[shard].pool];
    if (pool->cluster == NULL)
        return EVS_OK;
    return evs__fail(err, EVS_E_INVALID,
                     "pool \"%s\" is a cluster, and a context of hiredis leads to one node; use "
                     "evs_client",
                     pool->name);
}

evs_status evs__bound_get(evs__bound **out, evs_hiredis *scripts, size_t shard, evs_error *err)
{
    evs_status status = check_pool(scripts, shard, err);
    if (status != EVS_OK)
        return status;
    evs__bound *bound = &scripts->bounds[shard];
    if (bound->broken)
        return blame(bound, err, EVS_E_CLOSED, "the transaction ended with its connection");
    if (bound->unfetched == 0 && bound->line.head == NULL && !bound->open) {
        redisContext *context = scripts->context(scripts->arg, shard);
        if (context == NULL)
            return blame(bound, err, EVS_E_CONNECT, "there is no connection to it");
        if (context != bound->context || context->fd != bound->fd)
            evs__bound_forget(bound);
        bound->context = context;
        bound->fd = context->fd;
    }
    *out = bound;
    return check(bound, err);
}

void evs_hiredis_forget(evs_hiredis *scripts, const struct redisContext *context)
{
    for (size_t i = 0; i < scripts->nbounds; i++) {
        evs__bound *bound = &scripts->bounds[i];
        if (bound->context == NULL || (context != NULL && bound->context != context))
            continue;
        evs__bound_lose(bound, EVS_E_CLOSED, "the connection was given up by its owner");
        bound->context = NULL;
    }
}

/* ---- what its server knows ---- */

int evs__bound_knows(const evs__bound *bound, const evs_script *script)
{
    return evs__bits_have(bound->known, bound->nwords, script->id) ||
           evs__bits_have(bound->loading, bound->nwords, script->id);
}

/* Out of memory, the script stays unknown, which is always safe. */
static void set_bit(evs__bound *bound, uint64_t **bits, size_t id)
{
    size_t nwords = evs_registry_count(bound->owner->registry) / 64 + 1;
    if (id / 64 >= bound->nwords) {
        if (!evs__bits_grow(&bound->known, bound->nwords, nwords) ||
            !evs__bits_grow(&bound->loading, bound->nwords, nwords))
            return;
        bound->nwords = nwords;
    }
    evs__bits_set(*bits, id);
}

void evs__bound_set_loading(evs__bound *bound, const evs_script *script)
{
    set_bit(bound, &bound->loading, script->id);
}

void evs__bound_clear_loading(evs__bound *bound)
{
    if (bound->nwords > 0)
        memset(bound->loading, 0, bound->nwords * sizeof *bound->loading);
}

void evs__bound_set_known(evs__bound *bound, const evs_script *script)
{
    set_bit(bound, &bound->known, script->id);
}

void evs__bound_set_unknown(evs__bound *bound, const evs_script *script)
{
    evs__bits_clear(bound->known, bound->nwords, script->id);
    evs__bits_clear(bound->loading, bound->nwords, script->id);
}

void evs__bound_keep_refusal(evs__bound *bound, const evs_script *script, evs_bytes text)
{
    evs__refusal_keep(&bound->refusals, script, text);
    evs__bound_set_unknown(bound, script);
}

void evs__bound_forget(evs__bound *bound)
{
    evs__bound_clear_loading(bound);
    if (bound->nwords > 0)
        memset(bound->known, 0, bound->nwords * sizeof *bound->known);
    evs__refusals_free(&bound->refusals);
}
