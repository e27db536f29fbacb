/*
 * What a call costs, all of it: routing, the hash tag, the test whether the script is known, the
 * queue, the deadline, the reply, the completion, the counters. Next to it hiredis on the same
 * servers: redisAppendCommandArgv, all shards flushed, redisGetReply, freeReplyObject.
 *
 *   bench.calls PEER MODE COUNT [-d DEPTH] [-s SHARDS] [-a ARGS] [-e ELEMENTS] [-n SCRIPTS]
 *               [-p DISTRIBUTION] [-o] [-c NODES] [-t] [-l] [ADDRESS...]
 *
 *   PEER  evs or hiredis
 *   MODE  batch  DEPTH calls, all replies, the next DEPTH calls
 *         loop   DEPTH calls in flight, each reply starts the next one (evs only)
 *         block  one blocking call after the other
 *         idle   connects to every shard, calls, and says what a shard takes of the heap
 *
 * Defaults: depth 128, 3 shards, no arguments, the number 1 as the reply; a call has one key of 20
 * bytes with a tag. With -e the reply is an array of so many strings of 10 bytes. With -n, `idle`
 * also runs so many scripts on every shard; with -l it only has them loaded there. -t gives the
 * client a thread of its own, so that calls are handed over (batch only). -p places keys in another
 * way than rendezvous; hiredis' side does not place any, and with -o what that takes by itself is
 * measured and left out of ours, too. -c makes a cluster of so many nodes of the server, and
 * hiredis has one of them for everything. Without addresses (unix:PATH or HOST:PORT, one per shard)
 * a server that answers every EVALSHA with :1 is started as a process of its own, so that servers
 * cost next to nothing and
 *
 *   valgrind --tool=callgrind --callgrind-out-file=/dev/null bench.calls evs batch N
 *
 * counts the client alone: instructions per call are the difference between two N.
 */
#include "core/buf.h"
#include "core/sha1.h"
#include "tests/bench/calls_server.h"
#include <evalshard/evalshard.h>

#include <hiredis/hiredis.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    KEYS = 10000,
    KEY_LEN = 20,
    MOST_SHARDS = 1000,
    MOST_ARGS = 16,
    TIMEOUT_MS = 60000,
    IDLE_AFTER_MS = 500
};

extern char **environ;

typedef struct bench {
    const char *peer, *mode;
    size_t count, depth, shards, args, elements, scripts;
    const char *distribution;
    int places_outside; /* what placing keys takes is left out of the figure */
    size_t nodes;       /* of a cluster; 0: the shards are those of the map */
    unsigned *homes;    /* of the keys: their shards */
    char **addresses;   /* one per shard */
    evs_shardmap *map;
    char sha[41];
    char (*keys)[KEY_LEN + 1];
    evs_bytes argv[MOST_ARGS];

    evs_client *client;
    evs_invocation call;
    redisContext **contexts;
    size_t submitted, done;
    int threaded;
    size_t goal; /* of `done`: then who submitted goes on */
    sem_t reached;
    evs_done_fn completion;
    int preload;
} bench;

static const char script[] = "return 1";

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench.calls: %s: %s\n", what, why);
    exit(1);
}

/* ---- the server, a process of its own ---- */

/* The server's process; its standard input is `*leash`. */
static pid_t start_server(bench *self, const char *program, char folder[32], int *leash)
{
    char shards[24], elements[24], nodes[24];
    int port;
    int to[2], from[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    snprintf(folder, 32, "/tmp/evs-bench-XXXXXX");
    snprintf(shards, sizeof shards, "%zu", self->shards);
    snprintf(elements, sizeof elements, "%zu", self->elements);
    snprintf(nodes, sizeof nodes, "%zu", self->nodes);
    if (mkdtemp(folder) == NULL || pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        die("server", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    char *argv[] = {(char *)program, (char *)"serve", folder, shards, elements, nodes, NULL};
    int problem = posix_spawn(&pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    if (problem != 0 || read(from[0], &port, sizeof port) != sizeof port)
        die("server", problem == 0 ? "did not start" : strerror(problem));
    close(from[0]);
    *leash = to[1];
    for (size_t i = 0; i < self->shards; i++) {
        self->addresses[i] = malloc(64);
        if (self->nodes > 0)
            snprintf(self->addresses[i], 64, "127.0.0.1:%d", port);
        else
            snprintf(self->addresses[i], 64, "unix:%s/%zu", folder, i);
    }
    return pid;
}

static void stop_server(const bench *self, pid_t pid, const char *folder, int leash)
{
    close(leash);
    waitpid(pid, NULL, 0);
    for (size_t i = 0; i < self->shards; i++)
        if (self->nodes == 0)
            unlink(self->addresses[i] + 5);
    rmdir(folder);
}

/* ---- what both peers do ---- */

static void make_map(bench *self)
{
    evs__buf yaml = EVS__BUF_INIT;
    evs_error err;
    if (self->nodes > 0)
        evs__buf_format(&yaml,
                        "evalshard: 1\npools:\n  bench:\n    cluster:\n      topology: slots\n"
                        "      seeds: [\"%s\"]\n",
                        self->addresses[0]);
    else
        evs__buf_format(&yaml,
                        "evalshard: 1\npools:\n  bench:\n    distribution: %s\n%s    shards:\n",
                        self->distribution, self->preload ? "    preload: all\n" : "");
    for (size_t i = 0; self->nodes == 0 && i < self->shards; i++)
        evs__buf_format(&yaml, "      s%zu: \"%s\"\n", i, self->addresses[i]);
    if (evs_shardmap_parse(&self->map, (evs_bytes){yaml.data, yaml.len}, "bench", NULL, &err) !=
        EVS_OK)
        die("map", err.message);
    evs__buf_free(&yaml);
}

static void make_keys(bench *self)
{
    self->keys = calloc(KEYS, sizeof *self->keys);
    for (size_t i = 0; i < KEYS; i++)
        snprintf(self->keys[i], sizeof self->keys[i], "usr:{%09zu}:hash", i * 9973 % 1000000000);
    self->homes = calloc(KEYS, sizeof *self->homes);
    for (size_t i = 0; i < KEYS; i++) {
        evs_route route;
        evs_shardmap_route(&route, self->map, (evs_bytes){self->keys[i], KEY_LEN}, NULL);
        self->homes[i] = (unsigned)route.shard;
    }
    for (size_t i = 0; i < MOST_ARGS; i++)
        self->argv[i] = evs_text("argument");
    evs__sha1_hex(self->sha, evs_text(script));
}

static evs_bytes key_of(const bench *self, size_t call)
{
    return (evs_bytes){self->keys[call % KEYS], KEY_LEN};
}

/* ---- evalshard ---- */

static void submit(bench *self);

static void finished(void *arg, const evs_result *result)
{
    bench *self = arg;
    if (result->status != EVS_OK ||
        (self->elements == 0 ? evs_reply_integer(result->reply) != 1
                             : evs_reply_count(result->reply) != self->elements))
        die("call", result->error == NULL ? "wrong reply" : result->error->message);
    self->done++;
    if (self->mode[0] == 'l' && self->submitted < self->count)
        submit(self);
}

static void finished_elsewhere(void *arg, const evs_result *result)
{
    bench *self = arg;
    finished(arg, result);
    if (self->done == self->goal)
        sem_post(&self->reached);
}

static void submit(bench *self)
{
    evs_error err;
    evs_bytes key = key_of(self, self->submitted++);
    self->call.keys = &key;
    if (evs_submit(self->client, &self->call, self->completion, self, &err) != EVS_OK)
        die("submit", err.message);
}

static void submit_many(bench *self)
{
    size_t left = self->count - self->submitted;
    size_t now = left < self->depth ? left : self->depth;
    self->goal = self->submitted + now;
    for (size_t i = now; i > 0; i--)
        submit(self);
}

/* Completions run on the client's thread. */
static void run_threaded(bench *self)
{
    while (self->submitted < self->count) {
        submit_many(self);
        while (sem_wait(&self->reached) != 0)
            ;
    }
}

static void run_evs(bench *self)
{
    if (self->mode[0] == 'b' && self->mode[1] == 'l') {
        for (; self->done < self->count; self->done++) {
            evs_reply *reply = NULL;
            evs_error err;
            evs_bytes key = key_of(self, self->done);
            self->call.keys = &key;
            if (evs_call(&reply, self->client, &self->call, &err) != EVS_OK)
                die("call", err.message);
            evs_reply_free(reply);
        }
        return;
    }
    if (self->threaded) {
        run_threaded(self);
        return;
    }
    while (self->done < self->count) {
        if (self->done == self->submitted)
            submit_many(self);
        evs_client_process(self->client, -1, NULL);
    }
}

/* ---- hiredis ---- */

static redisContext *home_of(const bench *self, size_t call)
{
    return self->contexts[self->homes[call % KEYS]];
}

static void append(const bench *self, size_t call)
{
    evs_bytes key = key_of(self, call);
    const char *argv[4 + MOST_ARGS] = {"EVALSHA", self->sha, "1", key.data};
    size_t lengths[4 + MOST_ARGS] = {7, 40, 1, key.len};
    for (size_t i = 0; i < self->args; i++) {
        argv[4 + i] = self->argv[i].data;
        lengths[4 + i] = self->argv[i].len;
    }
    redisAppendCommandArgv(home_of(self, call), (int)(4 + self->args), argv, lengths);
}

static void flush(redisContext *context)
{
    for (int done = 0; !done;)
        if (redisBufferWrite(context, &done) != REDIS_OK)
            die("write", context->errstr);
}

static void take_reply(const bench *self, redisContext *context)
{
    redisReply *reply = NULL;
    if (redisGetReply(context, (void **)&reply) != REDIS_OK)
        die("reply", context->errstr);
    if (reply->elements != self->elements || (self->elements == 0 && reply->integer != 1))
        die("reply", reply->str);
    freeReplyObject(reply);
}

static void run_hiredis(bench *self)
{
    size_t depth = self->mode[1] == 'l' ? 1 : self->depth;
    while (self->done < self->count) {
        size_t first = self->done, last = first + depth;
        if (last > self->count)
            last = self->count;
        for (size_t i = first; i < last; i++)
            append(self, i);
        for (size_t i = 0; i < self->shards; i++)
            flush(self->contexts[i]);
        for (size_t i = first; i < last; i++)
            take_reply(self, home_of(self, i));
        self->done = last;
    }
}

static void connect_hiredis(bench *self)
{
    self->contexts = calloc(self->shards, sizeof *self->contexts);
    for (size_t i = 0; i < self->shards; i++) {
        char *at = self->addresses[i], *port = strrchr(at, ':');
        redisContext *context;
        if (strncmp(at, "unix:", 5) == 0) {
            context = redisConnectUnix(at + 5);
        } else {
            char host[64];
            snprintf(host, sizeof host, "%.*s", (int)(port - at), at);
            context = redisConnect(host, atoi(port + 1));
        }
        if (context == NULL || context->err != 0)
            die(at, context == NULL ? "out of memory" : context->errstr);
        freeReplyObject(redisCommand(context, "SCRIPT LOAD %s", script));
        self->contexts[i] = context;
    }
}

/* ---- measuring ---- */

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double system_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_stime.tv_sec * 1e6 + (double)usage.ru_stime.tv_usec;
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void run(bench *self)
{
    self->done = self->submitted = 0;
    if (strcmp(self->peer, "evs") == 0)
        run_evs(self);
    else
        run_hiredis(self);
}

/* Every shard is connected to and knows the script before anything is measured. */
static void warm_up(bench *self)
{
    size_t count = self->count, depth = self->depth;
    self->count = self->elements > 0 ? KEYS / 50 : KEYS;
    self->depth = KEYS / 10;
    run(self);
    self->count = count;
    self->depth = depth;
}

/* What finding the shards of so many calls takes by itself. */
static double place_us(const bench *self)
{
    size_t sum = 0;
    double cpu = cpu_us();
    for (size_t i = 0; i < self->count; i++) {
        evs_route route;
        if (evs_shardmap_route(&route, self->map, key_of(self, i), NULL) == EVS_OK)
            sum += route.shard;
    }
    cpu = cpu_us() - cpu;
    if (sum == SIZE_MAX)
        puts("never");
    return cpu;
}

static void measure(bench *self)
{
    double cpu = cpu_us(), wall = now_us(), system = system_us();
    run(self);
    cpu = cpu_us() - cpu;
    system = system_us() - system;
    wall = now_us() - wall;
    double n = self->count == 0 ? 1 : (double)self->count;
    double place = self->places_outside ? place_us(self) : 0;
    printf("%s %s depth %zu shards %zu args %zu: %.3f us CPU per call, of the system %.3f, "
           "%.3f for placing left out, %.0f calls/s\n",
           self->peer, self->mode, self->depth, self->shards, self->args, (cpu - place) / n,
           system / n, place / n, n / wall * 1e6);
}

/* Memory of a burst goes back when the last deadline has passed. */
static void rest(bench *self)
{
    usleep(2 * IDLE_AFTER_MS * 1000);
    if (self->client != NULL)
        evs_client_process(self->client, 0, NULL);
}

static void measure_and_weigh(bench *self, size_t before)
{
    int idle = strcmp(self->mode, "idle") == 0;
    if (idle)
        self->call.timeout_ms = IDLE_AFTER_MS;
    warm_up(self);
    if (idle)
        rest(self);
    if (!idle)
        measure(self);
    else
        printf("%s idle shards %zu: %.0f bytes of heap per shard\n", self->peer, self->shards,
               (double)(mallinfo2().uordblks - before) / (double)self->shards);
}

static void load_scripts(const bench *self, evs_registry *registry)
{
    for (size_t i = 0; i < self->scripts; i++) {
        char name[32], text[64];
        evs_error err;
        snprintf(name, sizeof name, "more/%zu", i);
        snprintf(text, sizeof text, "return 1 -- %zu", i);
        if (evs_script_load(registry, name, evs_text(text), NULL, &err) != EVS_OK)
            die("script", err.message);
    }
}

/* Every script on every shard. */
static void run_scripts(bench *self, const evs_registry *registry)
{
    for (size_t shard = 0; self->scripts > 0 && shard < self->shards; shard++) {
        size_t key = 0;
        while (key < KEYS && self->homes[key] != shard)
            key++;
        if (key == KEYS)
            die("key", "a shard has none");
        evs_bytes bytes = key_of(self, key);
        self->call.keys = &bytes;
        for (size_t i = 0; i < self->scripts; i++) {
            evs_reply *reply = NULL;
            evs_error err;
            self->call.handle = evs_registry_at(registry, i + 1);
            if (evs_call(&reply, self->client, &self->call, &err) != EVS_OK)
                die("call", err.message);
            evs_reply_free(reply);
        }
    }
    self->call.handle = evs_registry_at(registry, 0);
}

static void bench_evs(bench *self)
{
    evs_registry *registry = NULL;
    evs_error err;
    if (evs_registry_new(&registry, NULL, &err) != EVS_OK ||
        evs_script_load(registry, "one", evs_text(script), NULL, &err) != EVS_OK)
        die("script", err.message);
    load_scripts(self, registry);
    size_t before = mallinfo2().uordblks;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = self->threaded;
    sem_init(&self->reached, 0, 0);
    self->completion = self->threaded ? finished_elsewhere : finished;
    if (evs_client_open(&self->client, self->map, registry, &options, &err) != EVS_OK)
        die("client", err.message);
    self->call.handle = evs_script_find(registry, "one");
    self->call.nkeys = 1;
    self->call.args = self->argv;
    self->call.nargs = self->args;
    self->call.timeout_ms = TIMEOUT_MS;
    if (!self->preload)
        run_scripts(self, registry);
    measure_and_weigh(self, before);
    evs_client_free(self->client);
    evs_registry_free(registry);
}

static void bench_hiredis(bench *self)
{
    size_t before = mallinfo2().uordblks;
    connect_hiredis(self);
    measure_and_weigh(self, before);
    for (size_t i = 0; i < self->shards; i++)
        redisFree(self->contexts[i]);
    free(self->contexts);
}

/* ---- what is asked ---- */

static void usage(void)
{
    fprintf(stderr, "usage: bench.calls evs|hiredis batch|loop|block|idle COUNT [-d DEPTH] "
                    "[-s SHARDS] [-a ARGS] [-e ELEMENTS] [-n SCRIPTS] "
                    "[-p DISTRIBUTION] [-o] [-c NODES] [-t] [-l] [ADDRESS...]\n");
    exit(2);
}

static void read_options(bench *self, int argc, char **argv)
{
    if (argc < 4)
        usage();
    self->peer = argv[1];
    self->mode = argv[2];
    self->count = strtoul(argv[3], NULL, 10);
    self->depth = 128;
    self->shards = 3;
    self->distribution = "rendezvous";
    optind = 4;
    for (int c; (c = getopt(argc, argv, "d:s:a:e:n:p:c:tlo")) != -1;) {
        size_t n = optarg == NULL ? 0 : strtoul(optarg, NULL, 10);
        if (c == 'd')
            self->depth = n;
        else if (c == 's')
            self->shards = n;
        else if (c == 'a')
            self->args = n;
        else if (c == 'e')
            self->elements = n;
        else if (c == 'n')
            self->scripts = n;
        else if (c == 'p')
            self->distribution = optarg;
        else if (c == 'c')
            self->nodes = n;
        else if (c == 't')
            self->threaded = 1;
        else if (c == 'l')
            self->preload = 1;
        else if (c == 'o')
            self->places_outside = strcmp(self->peer, "evs") == 0;
        else
            usage();
    }
    if (self->nodes > 0)
        self->shards = 1; /* of the map, and all that hiredis sees */
    if (optind < argc)
        self->shards = (size_t)(argc - optind);
    if (self->depth == 0 || self->shards == 0 || self->shards > MOST_SHARDS ||
        self->args > MOST_ARGS)
        usage();
}

int main(int argc, char **argv)
{
    bench self = {0};
    char folder[32];
    int leash = -1;
    pid_t server = 0;
    if (argc == 6 && strcmp(argv[1], "serve") == 0)
        return calls_serve(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10),
                           strtoul(argv[5], NULL, 10));
    read_options(&self, argc, argv);
    self.addresses = calloc(self.shards, sizeof *self.addresses);
    if (optind < argc)
        memcpy(self.addresses, argv + optind, self.shards * sizeof *self.addresses);
    else
        server = start_server(&self, argv[0], folder, &leash);
    make_map(&self);
    make_keys(&self);
    if (strcmp(self.peer, "evs") == 0)
        bench_evs(&self);
    else
        bench_hiredis(&self);
    if (server != 0)
        stop_server(&self, server, folder, leash);
    evs_shardmap_free(self.map);
    for (size_t i = 0; server != 0 && i < self.shards; i++)
        free(self.addresses[i]);
    free(self.addresses);
    free(self.keys);
    free(self.homes);
    return 0;
}
