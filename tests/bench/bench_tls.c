/*
 * What a kilobyte costs that goes to a server and comes back.
 *
 *   bench.tls BYTES COUNT ADDRESS [CA_FILE]
 *
 * COUNT calls of a script that returns its argument of BYTES bytes, 16 in flight at once; with
 * CA_FILE by TLS. Prints the CPU of the client per kilobyte, each way counted.
 */
#include "core/buf.h"
#include <evalshard/evalshard.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { DEPTH = 16, WARM_UP = 100 };

typedef struct bench {
    evs_client *client;
    evs_invocation call;
    size_t submitted, done, count;
} bench;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "bench.tls: %s: %s\n", what, why);
    exit(1);
}

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void submit(bench *self);

static void finished(void *arg, const evs_result *result)
{
    bench *self = arg;
    if (result->status != EVS_OK || evs_reply_bytes(result->reply).len != self->call.args[0].len)
        die("call", result->error == NULL ? "wrong reply" : result->error->message);
    self->done++;
    if (self->submitted < self->count)
        submit(self);
}

static void submit(bench *self)
{
    evs_error err;
    self->submitted++;
    if (evs_submit(self->client, &self->call, finished, self, &err) != EVS_OK)
        die("submit", err.message);
}

static void run(bench *self, size_t count)
{
    self->submitted = self->done = 0;
    self->count = count;
    for (size_t i = 0; i < DEPTH && i < count; i++)
        submit(self);
    while (self->done < count)
        evs_client_process(self->client, -1, NULL);
}

static evs_shardmap *make_map(const char *address, const char *ca_file)
{
    evs__buf yaml = EVS__BUF_INIT;
    evs_shardmap *map = NULL;
    evs_error err;
    evs__buf_format(&yaml, "evalshard: 1\nshards:\n  s: {address: \"%s\"", address);
    if (ca_file != NULL)
        evs__buf_format(&yaml, ", tls: {ca_file: \"%s\"}", ca_file);
    evs__buf_text(&yaml, "}\n");
    if (evs_shardmap_parse(&map, (evs_bytes){yaml.data, yaml.len}, "bench", NULL, &err) != EVS_OK)
        die("map", err.message);
    evs__buf_free(&yaml);
    return map;
}

int main(int argc, char **argv)
{
    size_t bytes = argc < 4 ? 0 : strtoul(argv[1], NULL, 10);
    size_t count = argc < 4 ? 0 : strtoul(argv[2], NULL, 10);
    if (bytes == 0 || count == 0 || argc > 5) {
        fprintf(stderr, "usage: bench.tls BYTES COUNT ADDRESS [CA_FILE]\n");
        return 2;
    }
    evs_shardmap *map = make_map(argv[3], argc == 5 ? argv[4] : NULL);
    evs_registry *registry = NULL;
    evs_error err;
    bench self = {0};
    char *text = malloc(bytes);
    if (text == NULL)
        die("memory", "there is none");
    memset(text, 'x', bytes);
    evs_bytes key = evs_text("usr:{000000001}:hash"), argument = {text, bytes};
    if (evs_registry_new(&registry, NULL, &err) != EVS_OK ||
        evs_script_load(registry, "echo", evs_text("return ARGV[1]"), NULL, &err) != EVS_OK ||
        evs_client_open(&self.client, map, registry, NULL, &err) != EVS_OK)
        die("client", err.message);
    self.call = (evs_invocation){.handle = evs_script_find(registry, "echo"),
                                 .keys = &key,
                                 .nkeys = 1,
                                 .args = &argument,
                                 .nargs = 1,
                                 .timeout_ms = 60000};
    run(&self, WARM_UP);
    double cpu = cpu_us();
    run(&self, count);
    cpu = cpu_us() - cpu;
    printf("%s, %zu bytes: %.4f us CPU per KB\n", argc == 5 ? "TLS" : "plain", bytes,
           cpu / (double)count / (2 * (double)bytes / 1024));
    evs_client_free(self.client);
    evs_registry_free(registry);
    evs_shardmap_free(map);
    free(text);
    return 0;
}
