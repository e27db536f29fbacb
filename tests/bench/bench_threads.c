/*
 * Many threads that block: one client with a thread of its own, next to hiredis with a connection
 * per thread and shard.
 *
 *   bench.threads PEER THREADS COUNT ADDRESS...
 *
 *   PEER  evs or hiredis; COUNT calls per thread, each with one key of 20 bytes, on the shard of
 * its key among the ADDRESSes (HOST:PORT)
 */
#include "core/buf.h"
#include <evalshard/evalshard.h>

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { KEYS = 10000, MOST_SHARDS = 16, MOST_THREADS = 1024, TIMEOUT_MS = 60000 };

static const char script[] = "return 1";

typedef struct bench {
    int evs;
    size_t count, shards;
    char **addresses;
    char keys[KEYS][21];
    unsigned homes[KEYS];
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
    const evs_script *script;
    pthread_barrier_t begin, end;
} bench;

typedef struct worker {
    bench *self;
    size_t number;
    redisContext *contexts[MOST_SHARDS];
} worker;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench.threads: %s: %s\n", what, why);
    exit(1);
}

static void call_evs(const bench *self, size_t key)
{
    evs_reply *reply = NULL;
    evs_error err;
    evs_bytes bytes = {self->keys[key], 20};
    evs_invocation call = {
        .handle = self->script, .keys = &bytes, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    if (evs_call(&reply, self->client, &call, &err) != EVS_OK)
        die("call", err.message);
    evs_reply_free(reply);
}

static void call_hiredis(const worker *w, size_t key)
{
    const bench *self = w->self;
    redisReply *reply = redisCommand(w->contexts[self->homes[key]], "EVALSHA %s 1 %b",
                                     evs_script_sha1(self->script), self->keys[key], (size_t)20);
    if (reply == NULL || reply->type != REDIS_REPLY_INTEGER)
        die("call", reply == NULL ? "no reply" : reply->str);
    freeReplyObject(reply);
}

static void connect_hiredis(worker *w)
{
    for (size_t i = 0; i < w->self->shards; i++) {
        char host[64];
        const char *address = w->self->addresses[i], *port = strrchr(address, ':');
        snprintf(host, sizeof host, "%.*s", (int)(port - address), address);
        redisContext *context = redisConnect(host, (int)strtol(port + 1, NULL, 10));
        if (context == NULL || context->err != 0)
            die(address, "not reachable");
        freeReplyObject(redisCommand(context, "SCRIPT LOAD %s", script));
        w->contexts[i] = context;
    }
}

static void *work(void *arg)
{
    worker *w = arg;
    bench *self = w->self;
    if (!self->evs)
        connect_hiredis(w);
    pthread_barrier_wait(&self->begin);
    for (size_t i = 0; i < self->count; i++) {
        size_t key = (w->number * 7919 + i) % KEYS;
        if (self->evs)
            call_evs(self, key);
        else
            call_hiredis(w, key);
    }
    pthread_barrier_wait(&self->end);
    for (size_t i = 0; i < self->shards && !self->evs; i++)
        redisFree(w->contexts[i]);
    return NULL;
}

static void make_map(bench *self)
{
    evs__buf yaml = EVS__BUF_INIT;
    evs_error err;
    evs__buf_text(&yaml, "evalshard: 1\nshards:\n");
    for (size_t i = 0; i < self->shards; i++)
        evs__buf_format(&yaml, "  s%zu: \"%s\"\n", i, self->addresses[i]);
    if (evs_shardmap_parse(&self->map, (evs_bytes){yaml.data, yaml.len}, "bench", NULL, &err) !=
        EVS_OK)
        die("map", err.message);
    evs__buf_free(&yaml);
    for (size_t i = 0; i < KEYS; i++) {
        evs_route route;
        snprintf(self->keys[i], sizeof self->keys[i], "usr:{%09zu}:hash", i * 9973 % 1000000000);
        evs_shardmap_route(&route, self->map, (evs_bytes){self->keys[i], 20}, NULL);
        self->homes[i] = (unsigned)route.shard;
    }
}

static void open_client(bench *self)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    evs_error err;
    options.threaded = 1;
    if (evs_registry_new(&self->registry, NULL, &err) != EVS_OK ||
        evs_script_load(self->registry, "one", evs_text(script), NULL, &err) != EVS_OK ||
        evs_client_open(&self->client, self->map, self->registry, &options, &err) != EVS_OK)
        die("client", err.message);
    self->script = evs_script_find(self->registry, "one");
    for (size_t i = 0; i < 100; i++)
        call_evs(self, i);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void run(bench *self, size_t nthreads)
{
    static pthread_t threads[MOST_THREADS];
    static worker workers[MOST_THREADS];
    pthread_barrier_init(&self->begin, NULL, (unsigned)nthreads + 1);
    pthread_barrier_init(&self->end, NULL, (unsigned)nthreads + 1);
    for (size_t i = 0; i < nthreads; i++) {
        workers[i] = (worker){.self = self, .number = i};
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            die("thread", "cannot be started");
    }
    pthread_barrier_wait(&self->begin);
    double wall = seconds(), cpu = cpu_seconds();
    pthread_barrier_wait(&self->end);
    wall = seconds() - wall;
    cpu = cpu_seconds() - cpu;
    for (size_t i = 0; i < nthreads; i++)
        pthread_join(threads[i], NULL);
    double calls = (double)(nthreads * self->count);
    printf("%s, %zu threads: %.3f us CPU per call, %.0f calls/s\n", self->evs ? "evs" : "hiredis",
           nthreads, cpu / calls * 1e6, calls / wall);
}

int main(int argc, char **argv)
{
    static bench self;
    size_t nthreads = argc < 5 ? 0 : strtoul(argv[2], NULL, 10);
    self.count = argc < 5 ? 0 : strtoul(argv[3], NULL, 10);
    self.shards = (size_t)(argc - 4);
    self.addresses = argv + 4;
    if (nthreads == 0 || nthreads > MOST_THREADS || self.count == 0 || self.shards > MOST_SHARDS) {
        fprintf(stderr, "usage: bench.threads evs|hiredis THREADS COUNT ADDRESS...\n");
        return 2;
    }
    self.evs = strcmp(argv[1], "evs") == 0;
    make_map(&self);
    open_client(&self);
    run(&self, nthreads);
    evs_client_free(self.client);
    evs_registry_free(self.registry);
    evs_shardmap_free(self.map);
    return 0;
}
