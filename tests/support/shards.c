#include "tests/support/shards.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

static void die(const char *what, const char *why)
{
    fprintf(stderr, "tests/support/shards: %s: %s\n", what, why);
    abort();
}

evs_client *shards_client(const shards *set, const evs_client_options *options)
{
    evs_error err;
    evs_client *client = NULL;
    if (evs_client_open(&client, set->map, set->registry, options, &err) != EVS_OK)
        die("client", err.message);
    return client;
}

void shards_open(shards *set, const char *const *addresses, size_t count, const char *pool_keys)
{
    char yaml[4096];
    int len = snprintf(
        yaml, sizeof yaml,
        "evalshard: 1\n"
        "defaults: {connect_timeout: 20s, command_timeout: 20s}\n" /* of a busy machine */
        "pools:\n  main:\n%s    shards:\n",
        pool_keys == NULL ? "" : pool_keys);
    for (size_t i = 0; i < count; i++)
        len += snprintf(yaml + len, sizeof yaml - (size_t)len, "      s%zu: \"%s\"\n", i,
                        addresses[i]);

    evs_error err;
    evs_bytes text = {yaml, (size_t)len};
    set->count = count;
    if (evs_shardmap_parse(&set->map, text, "test.yaml", NULL, &err) != EVS_OK)
        die("map", err.message);
    if (evs_registry_new(&set->registry, NULL, &err) != EVS_OK)
        die("registry", err.message);
    set->client = shards_client(set, NULL);
}

static void start_servers(shards *set, size_t count)
{
    memset(set, 0, sizeof *set);
    if (scratch_new(&set->area) != SCRATCH_OK)
        die("scratch area", "cannot be made");
    for (size_t i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof name, "s%zu", i);
        if (scratch_start(&set->servers[i], set->area, name, NULL) != SCRATCH_OK)
            die("scratch server", scratch_error(set->area));
    }
}

void shards_start(shards *set, size_t count, const char *pool_keys)
{
    const char *addresses[SHARDS_MOST];
    start_servers(set, count);
    for (size_t i = 0; i < count; i++)
        addresses[i] = scratch_address(set->servers[i]);
    shards_open(set, addresses, count, pool_keys);
}

void shards_start_behind(shards *set)
{
    start_servers(set, 1);
    set->wire = proxy_start(scratch_address(set->servers[0]));
    const char *address = proxy_address(set->wire);
    shards_open(set, &address, 1,
                "    on_no_keys: all\n    retry: {backoff: 1ms}\n"); /* there are many cuts */
}

void shards_stop(shards *set)
{
    evs_client_free(set->client);
    evs_registry_free(set->registry);
    evs_shardmap_free(set->map);
    if (set->wire != NULL)
        proxy_stop(set->wire);
    if (set->side != NULL)
        redisFree(set->side);
    scratch_free(set->area);
    memset(set, 0, sizeof *set);
}

const evs_script *shards_script(shards *set, const char *name, const char *source)
{
    evs_error err;
    if (evs_script_load(set->registry, name, evs_text(source), NULL, &err) != EVS_OK)
        die("script", err.message);
    return evs_script_find(set->registry, name);
}

static redisReply *ask(shards *set, size_t server, const char *command)
{
    redisContext *context = redisConnectUnix(scratch_socket(set->servers[server]));
    if (context == NULL || context->err != 0)
        die("connection", command);
    redisReply *reply = redisCommand(context, command);
    redisFree(context);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
        die(command, reply == NULL ? "no reply" : reply->str);
    return reply;
}

long shards_info(shards *set, size_t server, const char *section, const char *beginning)
{
    char command[64];
    snprintf(command, sizeof command, "INFO %s", section);
    redisReply *reply = ask(set, server, command);
    const char *at = strstr(reply->str, beginning);
    long number = at == NULL ? 0 : strtol(at + strlen(beginning), NULL, 10);
    freeReplyObject(reply);
    return number;
}

long long shards_do(shards *set, size_t server, const char *command)
{
    redisReply *reply = ask(set, server, command);
    long long number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    freeReplyObject(reply);
    return number;
}

void shards_empty(shards *set)
{
    for (size_t i = 0; i < set->count; i++)
        shards_do(set, i, "FLUSHALL");
}

redisContext *shards_side(shards *set)
{
    if (set->side == NULL)
        set->side = redisConnectUnix(scratch_socket(set->servers[0]));
    if (set->side == NULL || set->side->err != 0)
        die("connection", "on the side");
    return set->side;
}

long long shards_counter(shards *set, const char *key)
{
    redisReply *reply = redisCommand(shards_side(set), "GET %s", key);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
        die(key, reply == NULL ? "no reply" : reply->str);
    long long number = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
    freeReplyObject(reply);
    return number;
}

const char *shards_key(shards *set, size_t server, char out[32])
{
    for (int n = 0; n < 100000; n++) { /* a key of every shard is among the first few */
        evs_route route;
        snprintf(out, 32, "{%d}", n);
        if (evs_shardmap_route(&route, set->map, evs_text(out), NULL) == EVS_OK &&
            route.shard == server)
            return out;
    }
    die("key", "none found");
    return out;
}
