/*
 * demo_stage.c - three scratch servers, a map of them, a client, and the servers' own numbers.
 */
#include "tools/evalshard/demo_stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/info.h"
#include "tools/evalshard/term.h"

static const char *const names[DEMO_SHARDS] = {"users-a", "users-b", "users-c"};

/* ---- opening and closing ---- */

static int start_servers(demo *d)
{
    if (scratch_new(&d->area) != SCRATCH_OK) {
        complain("demo: cannot make a temporary folder: %s", strerror(errno));
        return EXIT_UNREACHABLE;
    }
    for (size_t i = 0; i < DEMO_SHARDS; i++) {
        scratch_result result = scratch_start(&d->servers[i], d->area, names[i], NULL);
        if (result == SCRATCH_NO_SERVER)
            complain("demo: neither redis-server nor valkey-server is installed; on Debian and "
                     "Ubuntu: sudo apt-get install redis-server");
        if (result == SCRATCH_FAILED)
            complain("demo: %s", scratch_error(d->area));
        if (result != SCRATCH_OK)
            return EXIT_UNREACHABLE;
    }
    return EXIT_FINE;
}

static int write_map(const demo *d, const char *path)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        complain("demo: cannot write %s: %s", path, strerror(errno));
        return EXIT_UNREACHABLE;
    }
    fputs("evalshard: 1\nname: demo\n"
          "defaults: {connect_timeout: 20s, command_timeout: 20s}\nshards:\n", /* if it is busy */
          file);
    for (size_t i = 0; i < DEMO_SHARDS; i++)
        fprintf(file, "  %s: %s\n", names[i], scratch_address(d->servers[i]));
    fclose(file);
    return EXIT_FINE;
}

int demo_open(demo *d)
{
    char path[256];
    int code = start_servers(d);
    if (code != EXIT_FINE)
        return code;
    snprintf(path, sizeof path, "%s/shards.yaml", scratch_folder(d->area));
    code = write_map(d, path);
    return code == EXIT_FINE ? session_open_shipped(&d->s, path) : code;
}

void demo_close(demo *d)
{
    session_close(&d->s);
    scratch_free(d->area);
    d->area = NULL;
}

/* ---- numbers ---- */

static evs_status ask(evs_reply **out, const demo *d, size_t shard, const char *a, const char *b,
                      evs_error *err)
{
    const evs_bytes words[] = {evs_text(a), evs_text(b)};
    return session_ask(out, &d->s, names[shard], words, b == NULL ? 1 : 2, err);
}

static evs_status ask_shard(numbers *out, const demo *d, size_t shard, evs_error *err)
{
    evs_reply *keys = NULL, *info = NULL;
    evs_status status = ask(&keys, d, shard, "DBSIZE", NULL, err);
    if (status == EVS_OK)
        status = ask(&info, d, shard, "INFO", "all", err);
    if (status == EVS_OK) {
        evs_bytes text = evs_reply_bytes(info);
        out->keys = evs_reply_integer(keys);
        out->reads = info_number(text, "total_reads_processed");
        out->evalsha = info_field(text, "cmdstat_evalsha", "calls");
        out->loads = info_field(text, "cmdstat_script|load", "calls");
        out->noscript = info_field(text, "errorstat_NOSCRIPT", "count");
    }
    evs_reply_free(keys);
    evs_reply_free(info);
    return status;
}

evs_status demo_numbers(numbers out[DEMO_SHARDS], const demo *d, evs_error *err)
{
    evs_status status = EVS_OK;
    for (size_t i = 0; i < DEMO_SHARDS && status == EVS_OK; i++)
        status = ask_shard(&out[i], d, i, err);
    return status;
}

numbers demo_since(const numbers *before, const numbers *now)
{
    /* The INFO of `before` is in its own count; DBSIZE and INFO of `now` are in the later one. */
    return (numbers){
        .keys = now->keys,
        .reads = now->reads - before->reads - 2,
        .evalsha = now->evalsha - before->evalsha,
        .loads = now->loads - before->loads,
        .noscript = now->noscript - before->noscript,
    };
}

numbers demo_total(const numbers each[DEMO_SHARDS])
{
    numbers sum = {0};
    for (size_t i = 0; i < DEMO_SHARDS; i++) {
        sum.keys += each[i].keys;
        sum.reads += each[i].reads;
        sum.evalsha += each[i].evalsha;
        sum.loads += each[i].loads;
        sum.noscript += each[i].noscript;
    }
    return sum;
}

/* ---- users and their shards ---- */

const char *demo_shard_name(const demo *d, size_t shard)
{
    (void)d;
    return names[shard];
}

size_t demo_shard_of(const demo *d, int uid)
{
    char key[32];
    evs_route route = {.shard = 0};
    snprintf(key, sizeof key, "{user:%d}", uid);
    evs_shardmap_route(&route, d->s.map, evs_text(key), NULL);
    return route.shard;
}

int demo_user_on(const demo *d, size_t shard, int uid)
{
    /* Bounded, should a shard get no keys at all. */
    for (int i = uid; i < uid + DEMO_USERS; i++) {
        if (demo_shard_of(d, i) == shard)
            return i;
    }
    return uid;
}

evs_status demo_create_user(const demo *d, int uid, evs_error *err)
{
    char key[32], login[32];
    evs_reply *reply = NULL;
    snprintf(key, sizeof key, "{user:%d}", uid);
    snprintf(login, sizeof login, "user%d", uid);
    const evs_bytes words[] = {evs_text("HSET"), evs_text(key), evs_text("login"), evs_text(login)};
    evs_status status = session_ask(&reply, &d->s, NULL, words, 4, err);
    evs_reply_free(reply);
    return status;
}

void demo_write_post(post *out, int uid, const char *id)
{
    snprintf(out->texts[0], sizeof out->texts[0], "{user:%d}", uid);
    snprintf(out->texts[1], sizeof out->texts[1], "{user:%d}:status:%s", uid, id);
    snprintf(out->texts[2], sizeof out->texts[2], "%s", id);
    out->keys[0] = evs_text(out->texts[0]);
    out->keys[1] = evs_text(out->texts[1]);
    out->args[0] = evs_text(out->texts[2]);
    out->args[1] = evs_text("message");
    out->args[2] = evs_text("hello from shard to shard");
    out->call = (evs_invocation){
        .script = "create_status", .keys = out->keys, .nkeys = 2, .args = out->args, .nargs = 3};
}

evs_status demo_post(const demo *d, int uid, const char *id, evs_error *err)
{
    post it = {0};
    evs_reply *reply = NULL;
    demo_write_post(&it, uid, id);
    evs_status status = evs_call(&reply, d->s.client, &it.call, err);
    if (status == EVS_OK && evs_reply_kind(reply) != EVS_REPLY_STRING) {
        snprintf(err->message, sizeof err->message, "there is no user %d", uid);
        status = err->status = EVS_E_STATE;
    }
    evs_reply_free(reply);
    return status;
}
