/*
 * calls_evs.c - evalshard: calls that are submitted, or wait one by one.
 */
#include "tests/bench/calls_peer.h"

#include <malloc.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TIMEOUT_MS = 60000 };

typedef struct client {
    evs_registry *registry;
    evs_client *client;
    evs_invocation call;
    evs_done_fn completion;
    size_t submitted;
    size_t goal; /* of `done`: then who submitted goes on */
    sem_t reached;
} client;

static void submit(bench *self);

static void finished(void *arg, const evs_result *result)
{
    bench *self = arg;
    const client *own = self->own;
    if (result->status != EVS_OK ||
        (self->elements == 0 ? evs_reply_integer(result->reply) != 1
                             : evs_reply_count(result->reply) != self->elements))
        calls_die("call", result->error == NULL ? "wrong reply" : result->error->message);
    self->done++;
    if (self->mode == CALLS_LOOP && own->submitted < self->count)
        submit(self);
}

static void finished_elsewhere(void *arg, const evs_result *result)
{
    bench *self = arg;
    client *own = self->own;
    finished(arg, result);
    if (self->done == own->goal)
        sem_post(&own->reached);
}

static void submit(bench *self)
{
    evs_error err;
    client *own = self->own;
    evs_bytes key = calls_key(self, own->submitted++);
    own->call.keys = &key;
    if (evs_submit(own->client, &own->call, own->completion, self, &err) != EVS_OK)
        calls_die("submit", err.message);
}

static void submit_many(bench *self)
{
    client *own = self->own;
    size_t left = self->count - own->submitted;
    size_t now = left < self->depth ? left : self->depth;
    own->goal = own->submitted + now;
    for (size_t i = now; i > 0; i--)
        submit(self);
}

/* ---- the ways ---- */

static void call(bench *self, evs_bytes key)
{
    client *own = self->own;
    evs_reply *reply = NULL;
    evs_error err;
    own->call.keys = &key;
    if (evs_call(&reply, own->client, &own->call, &err) != EVS_OK)
        calls_die("call", err.message);
    evs_reply_free(reply);
}

static void run_blocking(bench *self)
{
    for (; self->done < self->count; self->done++)
        call(self, calls_key(self, self->done));
}

/* Completions run on the client's thread. */
static void run_threaded(bench *self)
{
    client *own = self->own;
    while (own->submitted < self->count) {
        submit_many(self);
        while (sem_wait(&own->reached) != 0)
            ;
    }
}

static void run_driven(bench *self)
{
    const client *own = self->own;
    while (self->done < self->count) {
        if (self->done == own->submitted)
            submit_many(self);
        evs_client_process(own->client, -1, NULL);
    }
}

static void run(bench *self)
{
    client *own = self->own;
    own->submitted = 0;
    if (self->mode == CALLS_BLOCK)
        run_blocking(self);
    else if (self->threaded)
        run_threaded(self);
    else
        run_driven(self);
}

/* ---- more scripts ---- */

static void load_scripts(const bench *self, evs_registry *registry)
{
    for (size_t i = 0; i < self->scripts; i++) {
        char name[32], text[64];
        evs_error err;
        snprintf(name, sizeof name, "more/%zu", i);
        snprintf(text, sizeof text, CALLS_SCRIPT " -- %zu", i);
        if (evs_script_load(registry, name, evs_text(text), NULL, &err) != EVS_OK)
            calls_die("script", err.message);
    }
}

static evs_bytes key_of_shard(const bench *self, size_t shard)
{
    size_t key = 0;
    while (key < CALLS_KEYS && self->homes[key] != shard)
        key++;
    if (key == CALLS_KEYS)
        calls_die("key", "a shard has none");
    return calls_key(self, key);
}

/* Every script on every shard. */
static void run_scripts(bench *self)
{
    client *own = self->own;
    for (size_t shard = 0; self->scripts > 0 && shard < self->shards; shard++) {
        evs_bytes key = key_of_shard(self, shard);
        for (size_t i = 0; i < self->scripts; i++) {
            own->call.handle = evs_registry_at(own->registry, i + 1);
            call(self, key);
        }
    }
    own->call.handle = evs_registry_at(own->registry, 0);
}

/* ---- beginning and end ---- */

static void open_client(bench *self)
{
    evs_error err;
    client *own = self->own;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = self->threaded;
    sem_init(&own->reached, 0, 0);
    own->completion = self->threaded ? finished_elsewhere : finished;
    if (evs_client_open(&own->client, self->map, own->registry, &options, &err) != EVS_OK)
        calls_die("client", err.message);
    own->call = (evs_invocation){.handle = evs_script_find(own->registry, "one"),
                                 .nkeys = 1,
                                 .args = self->argv,
                                 .nargs = self->args,
                                 .timeout_ms = TIMEOUT_MS};
}

static void open_peer(bench *self)
{
    evs_error err;
    client *own = calloc(1, sizeof *own);
    self->own = own;
    if (own == NULL || evs_registry_new(&own->registry, NULL, &err) != EVS_OK ||
        evs_script_load(own->registry, "one", evs_text(CALLS_SCRIPT), NULL, &err) != EVS_OK)
        calls_die("script", own == NULL ? "out of memory" : err.message);
    load_scripts(self, own->registry);
    self->before = mallinfo2().uordblks;
    open_client(self);
    if (!self->preload)
        run_scripts(self);
    if (self->mode == CALLS_IDLE)
        own->call.timeout_ms = CALLS_IDLE_AFTER_MS;
}

/* Memory of a burst goes back when the last deadline has passed. */
static void rest(bench *self)
{
    const client *own = self->own;
    usleep(2 * CALLS_IDLE_AFTER_MS * 1000);
    evs_client_process(own->client, 0, NULL);
}

static void close_peer(bench *self)
{
    client *own = self->own;
    evs_client_free(own->client);
    evs_registry_free(own->registry);
    sem_destroy(&own->reached);
    free(own);
}

const calls_peer calls_evs = {"evs", open_peer, run, rest, close_peer};
