/*
 * What a call costs, all of it: routing, the hash tag, the test whether the script is known, the
 * queue, the deadline, the reply, the completion, the counters. Next to it hiredis on the same
 * servers: redisAppendCommandArgv, all shards flushed, redisGetReply, freeReplyObject.
 *
 *   bench.calls PEER MODE COUNT [-d DEPTH] [-s SHARDS] [-a ARGS] [-e ELEMENTS] [-n SCRIPTS]
 *               [-p DISTRIBUTION] [-c NODES] [-t] [-l] [ADDRESS...]
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
 * way than rendezvous; what placement costs is left out of hiredis' side in any case. -c makes a
 * cluster of so many nodes of the server, and hiredis has one of them for everything. Without
 * addresses (unix:PATH or HOST:PORT, one per shard) a server that answers every EVALSHA with :1 is
 * started as a process of its own, so that servers cost next to nothing and
 *
 *   valgrind --tool=callgrind --callgrind-out-file=/dev/null bench.calls evs batch N
 *
 * counts the client alone: instructions per call are the difference between two N.
 */
#include "core/buf.h"
#include "core/sha1.h"
#include <evalshard/evalshard.h>

#include <hiredis/hiredis.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
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
    size_t nodes;     /* of a cluster; 0: the shards are those of the map */
    unsigned *homes;  /* of the keys: their shards */
    char **addresses; /* one per shard */
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

/* ---- the server: bench.calls serve FOLDER SHARDS ELEMENTS ---- */

typedef struct peer {
    int fd;
    int listens;
    int waits; /* for room to write */
    evs__buf out;
    size_t sent; /* of `out` */
    size_t len;
    char buf[128 * 1024];
} peer;

/* A whole request at `at`: the bytes behind it, else NULL. Requests are well-formed. */
static const char *request(const char *at, const char *end, evs_bytes words[3])
{
    size_t count = 0;
    const char *eol = memchr(at, '\n', (size_t)(end - at));
    if (eol == NULL)
        return NULL;
    count = strtoul(at + 1, NULL, 10);
    at = eol + 1;
    for (size_t i = 0; i < count; i++) {
        eol = memchr(at, '\n', (size_t)(end - at));
        size_t len = eol == NULL ? 0 : strtoul(at + 1, NULL, 10);
        if (eol == NULL || (size_t)(end - eol) < len + 3)
            return NULL;
        if (i < 3)
            words[i] = (evs_bytes){eol + 1, len};
        at = eol + 1 + len + 2;
    }
    return at;
}

/* What the server says: to EVALSHA, and to CLUSTER SLOTS. */
typedef struct sayings {
    evs__buf value, slots;
} sayings;

static void answer(evs__buf *out, const evs_bytes words[3], const sayings *says)
{
    if (words[0].len == 7 && words[0].data[0] == 'C') { /* CLUSTER */
        evs__buf_append(out, says->slots.data, says->slots.len);
    } else if (words[0].len == 7) { /* EVALSHA */
        evs__buf_append(out, says->value.data, says->value.len);
    } else if (words[0].data[0] == 'S') { /* SCRIPT LOAD */
        char sha[41];
        evs__sha1_hex(sha, words[2]);
        evs__buf_format(out, "$40\r\n%s\r\n", sha);
    } else {
        evs__buf_text(out, "+OK\r\n");
    }
}

/* Writes what it can; the rest waits for the peer to read. 0 at the end of the connection. */
static int send_some(int set, peer *to)
{
    ssize_t n = 0;
    while (to->sent < to->out.len &&
           (n = write(to->fd, to->out.data + to->sent, to->out.len - to->sent)) > 0)
        to->sent += (size_t)n;
    if (n < 0 && errno != EAGAIN)
        return 0;
    int waits = to->sent < to->out.len;
    if (!waits) {
        evs__buf_clear(&to->out);
        to->sent = 0;
    }
    if (waits == to->waits)
        return 1;
    to->waits = waits;
    struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0u), .data.ptr = to};
    return epoll_ctl(set, EPOLL_CTL_MOD, to->fd, &event) == 0;
}

static int read_some(peer *from, const sayings *says)
{
    ssize_t n = read(from->fd, from->buf + from->len, sizeof from->buf - from->len);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    from->len += (size_t)n;
    const char *at = from->buf, *end = from->buf + from->len, *next;
    evs_bytes words[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    while (at < end && (next = request(at, end, words)) != NULL) {
        answer(&from->out, words, says);
        at = next;
    }
    from->len = (size_t)(end - at);
    memmove(from->buf, at, from->len);
    return 1;
}

static void watch(int set, int fd, int listens)
{
    peer *one = calloc(1, sizeof *one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    if (one == NULL)
        die("server", "out of memory");
    one->fd = fd;
    one->listens = listens;
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
        die("epoll_ctl", strerror(errno));
}

static int listen_at(const char *folder, size_t shard)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%zu", folder, shard);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0)
        die(address.sun_path, strerror(errno));
    return fd;
}

static int listen_on_port(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        die("a node", strerror(errno));
    *port = ntohs(address.sin_port);
    return fd;
}

/* The nodes share the slots evenly. Returns a port of one of them, 0 when there are none. */
static int make_nodes(int set, size_t nodes, evs__buf *slots)
{
    int port = 0;
    evs__buf_format(slots, "*%zu\r\n", nodes);
    for (size_t i = 0; i < nodes; i++) {
        watch(set, listen_on_port(&port), 1);
        evs__buf_format(slots, "*3\r\n:%zu\r\n:%zu\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n",
                        i * 16384 / nodes, (i + 1) * 16384 / nodes - 1, port);
    }
    return port;
}

/* Ends when the parent closes the pipe that is our standard input. */
static int serve(const char *folder, size_t shards, size_t elements, size_t nodes)
{
    sayings says = {EVS__BUF_INIT, EVS__BUF_INIT};
    evs__buf_format(&says.value, elements == 0 ? ":1\r\n" : "*%zu\r\n", elements);
    for (size_t i = 0; i < elements; i++)
        evs__buf_format(&says.value, "$10\r\n%010zu\r\n", i);
    int set = epoll_create1(EPOLL_CLOEXEC);
    int port = make_nodes(set, nodes, &says.slots);
    for (size_t i = 0; nodes == 0 && i < shards; i++)
        watch(set, listen_at(folder, i), 1);
    watch(set, 0, 0);
    if (write(1, &port, sizeof port) != sizeof port)
        return 1;
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(set, events, 256, -1);
        for (int i = 0; i < n; i++) {
            peer *from = events[i].data.ptr;
            if (from->listens)
                watch(set, accept4(from->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), 0);
            else if (from->fd == 0)
                return 0;
            else if (!read_some(from, &says) || !send_some(set, from))
                close(from->fd);
        }
    }
}

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

static void measure(bench *self)
{
    double cpu = cpu_us(), wall = now_us(), system = system_us();
    run(self);
    cpu = cpu_us() - cpu;
    system = system_us() - system;
    wall = now_us() - wall;
    double n = self->count == 0 ? 1 : (double)self->count;
    printf("%s %s depth %zu shards %zu args %zu: %.3f us CPU per call, of the system %.3f, "
           "%.0f calls/s\n",
           self->peer, self->mode, self->depth, self->shards, self->args, cpu / n, system / n,
           n / wall * 1e6);
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
                    "[-p DISTRIBUTION] [-c NODES] [-t] [-l] [ADDRESS...]\n");
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
    for (int c; (c = getopt(argc, argv, "d:s:a:e:n:p:c:tl")) != -1;) {
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
        return serve(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10),
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
