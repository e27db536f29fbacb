/* scan.c - SCAN over all servers of a map, in pieces, until it is done or somebody has enough. */
#include "tools/evalshard/scan.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/evalshard/session.h"
#include "tools/evalshard/term.h"

/* A handler has no other way to tell. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

typedef struct scanning {
    session s;
    scan_result *out;
    uint64_t limit;
    scan_take *take;
    void *arg;
    progress shown;
} scanning;

/* The next piece of one server; NULL after saying why not. */
static evs_reply *ask(const scanning *self, const char *shard, evs_bytes cursor)
{
    const evs_bytes words[] = {evs_text("SCAN"), cursor, evs_text("COUNT"), evs_text("1000")};
    evs_reply *reply = NULL;
    evs_error err;
    if (session_ask(&reply, &self->s, shard, words, 4, &err) != EVS_OK) {
        complain("%s", err.message);
        return NULL;
    }
    if (evs_reply_kind(reply) != EVS_REPLY_ERROR && evs_reply_count(reply) == 2)
        return reply;
    char *text = shown(evs_reply_bytes(reply), '\0');
    complain("shard %s: SCAN is refused: %s", shard, text);
    free(text);
    evs_reply_free(reply);
    return NULL;
}

/* 0 when the limit is reached. */
static int take_keys(scanning *self, size_t shard, const evs_reply *keys, uint64_t *taken)
{
    for (size_t i = 0; i < evs_reply_count(keys); i++) {
        if (self->limit > 0 && *taken == self->limit)
            return 0;
        self->take(self->arg, shard, evs_reply_bytes(evs_reply_at(keys, i)));
        self->out->keys++;
        ++*taken;
    }
    progress_show(&self->shown, (size_t)self->out->keys, 0);
    return 1;
}

static void scan_server(scanning *self, size_t shard, const char *name)
{
    char cursor[32] = "0";
    uint64_t taken = 0;
    do {
        evs_reply *reply = ask(self, name, evs_text(cursor));
        if (reply == NULL) {
            self->out->unreachable = 1;
            return;
        }
        evs_bytes next = evs_reply_bytes(evs_reply_at(reply, 0));
        snprintf(cursor, sizeof cursor, "%.*s", (int)next.len, next.data);
        int more = take_keys(self, shard, evs_reply_at(reply, 1), &taken);
        evs_reply_free(reply);
        if (!more)
            return;
    } while (strcmp(cursor, "0") != 0 && !interrupted);
}

/* Is it the server of a shard before? */
static int is_known(const evs_shardmap *map, size_t shard, const evs_shard_info *info)
{
    evs_shard_info other;
    for (size_t i = 0; i < shard; i++) {
        if (evs_shardmap_shard(&other, map, i, NULL) == EVS_OK && other.db == info->db &&
            strcmp(other.address, info->address) == 0)
            return 1;
    }
    return 0;
}

static void scan_all(scanning *self)
{
    evs_shard_info info;
    const evs_shardmap *map = self->s.map;
    for (size_t i = 0; evs_shardmap_shard(&info, map, i, NULL) == EVS_OK && !interrupted; i++) {
        char *name = session_shard_name(&info);
        if (session_is_cluster(map, &info)) {
            complain("pool %s is a cluster: its keys are not scanned, and where they go inside of "
                     "it is its own business",
                     info.pool);
            self->out->skipped++;
        } else if (!is_known(map, i, &info)) {
            scan_server(self, i, name);
        }
        free(name);
    }
}

void scan_servers(scan_result *out, evs_shardmap *map, uint64_t limit, scan_take *take, void *arg)
{
    scanning self = {.s = {.map = map}, .out = out, .limit = limit, .take = take, .arg = arg};
    struct sigaction act = {.sa_handler = interrupt}, before;
    evs_error err;
    *out = (scan_result){.keys = 0};
    interrupted = 0;
    sigemptyset(&act.sa_mask);
    sigaction(SIGINT, &act, &before);
    progress_start(&self.shown, "keys compared:");
    if (evs_registry_new(&self.s.registry, NULL, &err) == EVS_OK &&
        evs_client_open(&self.s.client, map, self.s.registry, NULL, &err) == EVS_OK) {
        scan_all(&self);
    } else {
        complain("%s", err.message);
        out->unreachable = 1;
    }
    progress_end(&self.shown);
    sigaction(SIGINT, &before, NULL);
    out->interrupted = interrupted;
    self.s.map = NULL; /* it is the caller's */
    session_close(&self.s);
}
