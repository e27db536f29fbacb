/*
 * What routing a key and loading a map cost.
 *
 *   bench.route SHARDS COUNT      one 20-byte key among so many shards of weight 1
 *   bench.route load SHARDS       reading a map of so many shards, the best of 20 times
 *
 * Nanoseconds are printed; instructions come from
 *
 *   valgrind --tool=callgrind --callgrind-out-file=/dev/null bench.route 3 N
 *
 * as the difference between two N, which leaves out what starting costs.
 */
#include "core/buf.h"
#include <evalshard/shardmap.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void write_map(evs__buf *out, unsigned shards)
{
    evs__buf_text(out, "evalshard: 1\nshards:\n");
    for (unsigned i = 0; i < shards; i++)
        evs__buf_format(out, "  shard-%04u: 10.0.%u.%u:6379\n", i, i / 256, i % 256);
}

static evs_shardmap *read_map(const evs__buf *text)
{
    evs_shardmap *map = NULL;
    evs_error err;
    if (evs_shardmap_parse(&map, (evs_bytes){text->data, text->len}, "bench", NULL, &err) != EVS_OK)
        fprintf(stderr, "%s\n", err.message);
    return map;
}

static int bench_load(const evs__buf *text, unsigned shards)
{
    double best = 1e18;
    for (int i = 0; i < 20; i++) {
        double start = now();
        evs_shardmap *map = read_map(text);
        double took = now() - start;
        if (map == NULL)
            return 1;
        evs_shardmap_free(map);
        best = took < best ? took : best;
    }
    printf("loading %u shards: %.2f ms\n", shards, best / 1e6);
    return 0;
}

/* The keys differ in the last bytes, so that no branch can learn the answer. */
static int bench_route(const evs__buf *text, unsigned shards, unsigned long count)
{
    char keys[1024][21];
    size_t sum = 0;
    evs_shardmap *map = read_map(text);
    if (map == NULL)
        return 1;
    for (unsigned i = 0; i < 1024; i++)
        snprintf(keys[i], sizeof keys[i], "user:account:%07u", i * 9973u % 10000000u);
    double start = now();
    for (unsigned long i = 0; i < count; i++) {
        evs_route route;
        if (evs_shardmap_route(&route, map, (evs_bytes){keys[i % 1024], 20}, NULL) == EVS_OK)
            sum += route.shard;
    }
    double took = now() - start;
    printf("routing among %u shards: %.1f ns per key (check %zu)\n", shards,
           took / (double)(count == 0 ? 1 : count), sum);
    evs_shardmap_free(map);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: bench.route SHARDS COUNT | load SHARDS\n");
        return 2;
    }
    int load = strcmp(argv[1], "load") == 0;
    unsigned shards = (unsigned)strtoul(argv[load ? 2 : 1], NULL, 10);
    evs__buf text = EVS__BUF_INIT;
    write_map(&text, shards);
    int rc = load ? bench_load(&text, shards)
                  : bench_route(&text, shards, strtoul(argv[2], NULL, 10));
    evs__buf_free(&text);
    return rc;
}
