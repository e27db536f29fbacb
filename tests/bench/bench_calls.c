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
#include "tests/bench/calls_peer.h"
#include "tests/bench/calls_server.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_SHARDS = 1000 };

extern char **environ;

static const char *const modes[] = {"batch", "loop", "block", "idle"}; /* calls_mode */

void calls_die(const char *what, const char *why)
{
    fprintf(stderr, "bench.calls: %s: %s\n", what, why);
    exit(1);
}

/* ---- the server, a process of its own ---- */

/* On a disk, binding a thousand names takes a second. */
static int make_folder(char folder[32])
{
    const char *memory = "/dev/shm";
    snprintf(folder, 32, "%s/evs-bench-XXXXXX", access(memory, W_OK) == 0 ? memory : "/tmp");
    return mkdtemp(folder) != NULL;
}

static void set_addresses(bench *self, const char *folder, int port)
{
    for (size_t i = 0; i < self->shards; i++) {
        self->addresses[i] = malloc(64);
        if (self->nodes > 0)
            snprintf(self->addresses[i], 64, "127.0.0.1:%d", port);
        else
            snprintf(self->addresses[i], 64, "unix:%s/%zu", folder, i);
    }
}

/* The server's process, which removes its folder; its standard input is `*leash`. */
static pid_t start_server(bench *self, const char *program, int *leash)
{
    char folder[32], shards[24], elements[24], nodes[24];
    int port;
    int to[2], from[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    snprintf(shards, sizeof shards, "%zu", self->shards);
    snprintf(elements, sizeof elements, "%zu", self->elements);
    snprintf(nodes, sizeof nodes, "%zu", self->nodes);
    if (!make_folder(folder) || pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        calls_die("server", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    char *argv[] = {(char *)program, (char *)"serve", folder, shards, elements, nodes, NULL};
    int problem = posix_spawn(&pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    if (problem != 0 || read(from[0], &port, sizeof port) != sizeof port)
        calls_die("server", problem == 0 ? "did not start" : strerror(problem));
    close(from[0]);
    *leash = to[1];
    set_addresses(self, folder, port);
    return pid;
}

static void stop_server(pid_t pid, int leash)
{
    close(leash);
    waitpid(pid, NULL, 0);
}

/* ---- what both peers use ---- */

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
        calls_die("map", err.message);
    evs__buf_free(&yaml);
}

static void make_keys(bench *self)
{
    self->keys = calloc(CALLS_KEYS, sizeof *self->keys);
    for (size_t i = 0; i < CALLS_KEYS; i++)
        snprintf(self->keys[i], sizeof self->keys[i], "usr:{%09zu}:hash", i * 9973 % 1000000000);
    self->homes = calloc(CALLS_KEYS, sizeof *self->homes);
    for (size_t i = 0; i < CALLS_KEYS; i++) {
        evs_route route;
        evs_shardmap_route(&route, self->map, (evs_bytes){self->keys[i], CALLS_KEY_LEN}, NULL);
        self->homes[i] = (unsigned)route.shard;
    }
    for (size_t i = 0; i < CALLS_MOST_ARGS; i++)
        self->argv[i] = evs_text("argument");
    evs__sha1_hex(self->sha, evs_text(CALLS_SCRIPT));
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
    self->done = 0;
    self->peer->run(self);
}

/* Every shard is connected to and knows the script before anything is measured. */
static void warm_up(bench *self)
{
    size_t count = self->count, depth = self->depth;
    self->count = self->elements > 0 ? CALLS_KEYS / 50 : CALLS_KEYS;
    self->depth = CALLS_KEYS / 10;
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
        if (evs_shardmap_route(&route, self->map, calls_key(self, i), NULL) == EVS_OK)
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
           self->peer->name, modes[self->mode], self->depth, self->shards, self->args,
           (cpu - place) / n, system / n, place / n, n / wall * 1e6);
}

static void weigh(bench *self)
{
    self->peer->rest(self);
    printf("%s idle shards %zu: %.0f bytes of heap per shard\n", self->peer->name, self->shards,
           (double)(mallinfo2().uordblks - self->before) / (double)self->shards);
}

static void compare(bench *self)
{
    self->peer->open(self);
    warm_up(self);
    if (self->mode == CALLS_IDLE)
        weigh(self);
    else
        measure(self);
    self->peer->close(self);
}

/* ---- what is asked ---- */

static void usage(void)
{
    fprintf(stderr, "usage: bench.calls evs|hiredis batch|loop|block|idle COUNT [-d DEPTH] "
                    "[-s SHARDS] [-a ARGS] [-e ELEMENTS] [-n SCRIPTS] "
                    "[-p DISTRIBUTION] [-o] [-c NODES] [-t] [-l] [ADDRESS...]\n");
    exit(2);
}

static const calls_peer *peer_of(const char *name)
{
    if (strcmp(name, calls_evs.name) == 0)
        return &calls_evs;
    if (strcmp(name, calls_hiredis.name) != 0)
        usage();
    return &calls_hiredis;
}

static calls_mode mode_of(const char *name)
{
    size_t at = 0;
    while (at < sizeof modes / sizeof modes[0] && strcmp(name, modes[at]) != 0)
        at++;
    if (at == sizeof modes / sizeof modes[0])
        usage();
    return (calls_mode)at;
}

static void read_options(bench *self, int argc, char **argv)
{
    if (argc < 4)
        usage();
    self->peer = peer_of(argv[1]);
    self->mode = mode_of(argv[2]);
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
            self->places_outside = self->peer == &calls_evs;
        else
            usage();
    }
    if (self->nodes > 0)
        self->shards = 1; /* of the map, and all that hiredis sees */
    if (optind < argc)
        self->shards = (size_t)(argc - optind);
    if (self->depth == 0 || self->shards == 0 || self->shards > MOST_SHARDS ||
        self->args > CALLS_MOST_ARGS)
        usage();
}

int main(int argc, char **argv)
{
    bench self = {0};
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
        server = start_server(&self, argv[0], &leash);
    make_map(&self);
    make_keys(&self);
    compare(&self);
    if (server != 0)
        stop_server(server, leash);
    evs_shardmap_free(self.map);
    for (size_t i = 0; server != 0 && i < self.shards; i++)
        free(self.addresses[i]);
    free(self.addresses);
    free(self.keys);
    free(self.homes);
    return 0;
}
