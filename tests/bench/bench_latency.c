/*
 * How long calls take that are due at fixed times, whatever became of the ones before.
 *
 *   bench.latency PEER RATE SECONDS ADDRESS...
 *
 *   PEER  evs      submits what is due, and takes what is answered, never waiting for one call
 *         hiredis  one blocking call after the other; what is due meanwhile waits
 *
 * RATE is in calls per second, each with one key of 20 bytes, on the shard of its key among the
 * ADDRESSes (HOST:PORT). A latency counts from when the call was due, not from when it was sent.
 */
#include "core/buf.h"
#include <evalshard/evalshard.h>

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { KEYS = 10000, MOST_SHARDS = 16, TIMEOUT_MS = 60000 };

static const char script[] = "return 1";

typedef struct bench {
    size_t count, next, done;
    double start, interval; /* in microseconds */
    float *took;            /* by call */
    char keys[KEYS][21];
    unsigned homes[KEYS];
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
    redisContext *contexts[MOST_SHARDS];
    char sha[41];
} bench;

typedef struct one {
    bench *self;
    size_t number;
} one;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench.latency: %s: %s\n", what, why);
    exit(1);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double due(const bench *self, size_t number)
{
    return self->start + (double)number * self->interval;
}

static void note(bench *self, size_t number)
{
    self->took[number] = (float)(now_us() - due(self, number));
    self->done++;
}

/* ---- evalshard ---- */

static void finished(void *arg, const evs_result *result)
{
    one *call = arg;
    if (result->status != EVS_OK)
        die("call", result->error->message);
    note(call->self, call->number);
}

static void submit(bench *self, one *call)
{
    evs_error err;
    evs_bytes key = {self->keys[call->number % KEYS], 20};
    evs_invocation invocation = {
        .script = "one", .keys = &key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    if (evs_submit(self->client, &invocation, finished, call, &err) != EVS_OK)
        die("submit", err.message);
}

static void run_evs(bench *self, one *calls)
{
    while (self->done < self->count) {
        for (double now = now_us(); self->next < self->count && due(self, self->next) <= now;
             self->next++)
            submit(self, &calls[self->next]);
        evs_client_process(self->client, 0, NULL);
    }
}

/* ---- hiredis ---- */

static void run_hiredis(bench *self)
{
    for (; self->next < self->count; self->next++) {
        size_t key = self->next % KEYS;
        while (now_us() < due(self, self->next))
            ;
        redisReply *reply = redisCommand(self->contexts[self->homes[key]], "EVALSHA %s 1 %b",
                                         self->sha, self->keys[key], (size_t)20);
        if (reply == NULL || reply->type != REDIS_REPLY_INTEGER)
            die("call", reply == NULL ? "no reply" : reply->str);
        freeReplyObject(reply);
        note(self, self->next);
    }
}

/* ---- both ---- */

static void make_map(bench *self, char **addresses, size_t count)
{
    evs__buf yaml = EVS__BUF_INIT;
    evs_error err;
    evs__buf_text(&yaml, "evalshard: 1\nshards:\n");
    for (size_t i = 0; i < count; i++)
        evs__buf_format(&yaml, "  s%zu: \"%s\"\n", i, addresses[i]);
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

static void open_evs(bench *self)
{
    evs_error err;
    if (evs_registry_new(&self->registry, NULL, &err) != EVS_OK ||
        evs_script_load(self->registry, "one", evs_text(script), NULL, &err) != EVS_OK ||
        evs_client_open(&self->client, self->map, self->registry, NULL, &err) != EVS_OK)
        die("client", err.message);
    memcpy(self->sha, evs_script_sha1(evs_script_find(self->registry, "one")), sizeof self->sha);
}

static void open_hiredis(bench *self, char **addresses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char host[64];
        const char *port = strrchr(addresses[i], ':');
        snprintf(host, sizeof host, "%.*s", (int)(port - addresses[i]), addresses[i]);
        redisContext *context = redisConnect(host, (int)strtol(port + 1, NULL, 10));
        if (context == NULL || context->err != 0)
            die(addresses[i], "not reachable");
        freeReplyObject(redisCommand(context, "SCRIPT LOAD %s", script));
        self->contexts[i] = context;
    }
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double quantile(const bench *self, double part)
{
    return self->took[(size_t)((double)(self->count - 1) * part)];
}

/* The first half second warms up connections and scripts and is not counted. */
static void run(bench *self, int evs, one *calls, size_t count)
{
    self->count = count;
    self->next = self->done = 0;
    self->start = now_us() + 1000;
    if (evs)
        run_evs(self, calls);
    else
        run_hiredis(self);
}

int main(int argc, char **argv)
{
    static bench self;
    double rate = argc < 5 ? 0 : strtod(argv[2], NULL),
           seconds = argc < 5 ? 0 : strtod(argv[3], NULL);
    size_t count = (size_t)(rate * seconds), shards = (size_t)(argc - 4);
    if (argc < 5 || count < 1000 || shards > MOST_SHARDS) {
        fprintf(stderr, "usage: bench.latency evs|hiredis RATE SECONDS ADDRESS...\n");
        return 2;
    }
    int evs = strcmp(argv[1], "evs") == 0;
    one *calls = calloc(count, sizeof *calls);
    self.took = calloc(count, sizeof *self.took);
    self.interval = 1e6 / rate;
    for (size_t i = 0; i < count; i++)
        calls[i] = (one){&self, i};
    make_map(&self, argv + 4, shards);
    open_evs(&self);
    if (!evs)
        open_hiredis(&self, argv + 4, shards);
    run(&self, evs, calls, count / 6);
    run(&self, evs, calls, count);
    qsort(self.took, count, sizeof *self.took, compare);
    printf("%s at %.0f calls/s: p50 %.1f us, p99 %.1f us, p99.9 %.1f us\n", argv[1], rate,
           quantile(&self, 0.5), quantile(&self, 0.99), quantile(&self, 0.999));
    evs_client_free(self.client);
    evs_registry_free(self.registry);
    evs_shardmap_free(self.map);
    for (size_t i = 0; i < shards && !evs; i++)
        redisFree(self.contexts[i]);
    free(calls);
    free(self.took);
    return 0;
}
