/*
 * What routing a key and loading a map cost.
 *
 *   bench.route SHARDS COUNT [DISTRIBUTION]   a 20-byte key among so many shards of weight 1
 *   bench.route load SHARDS [DISTRIBUTION]    reading a map of so many shards, the best of 20 times
 *   bench.route all COUNT                     every distribution with 3, 10, 100, 1000, 4096 shards
 *   bench.route names                         the distributions
 *
 * Nanoseconds are printed, for 1,024 keys again and again and for 65,536, whose places are not all
 * in the processor's caches, and the bytes that placement takes. They are those of the fastest
 * round of 65,536 keys, so that they say little of what else the machine does. Instructions come
 * from callgrind: `tools/bench placement-instructions` runs this once without any round (COUNT 0)
 * and once with one of each kind, and takes the difference, which leaves out what starting costs.
 */
#include "core/buf.h"
#include "sharding/placement.h"
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

enum { SLOTS = 16384, LARGE_TABLE = 409609, ROUND = 1 << 16 };

static const char *const distributions[] = {"rendezvous", "ketama", "ketama_plain", "modula",
                                            "jump",       "maglev", "ring_hash",    "jedis",
                                            "crc32_mod",  "slots",  "ch3"};

/* Which of its keys a shard needs. */
static void write_shard(evs__buf *out, unsigned i, unsigned shards, const char *distribution)
{
    evs__buf_format(out, "      shard-%04u: {address: 10.0.%u.%u:6379", i, i / 256, i % 256);
    if (strcmp(distribution, "jump") == 0 || strcmp(distribution, "crc32_mod") == 0 ||
        strcmp(distribution, "ch3") == 0)
        evs__buf_format(out, ", index: %u", i);
    if (strcmp(distribution, "slots") == 0)
        evs__buf_format(out, ", slots: [%u-%u]", i * SLOTS / shards, (i + 1) * SLOTS / shards - 1);
    evs__buf_text(out, "}\n");
}

static void write_map(evs__buf *out, unsigned shards, const char *distribution)
{
    evs__buf_format(out, "evalshard: 1\npools:\n  p:\n    distribution: %s\n", distribution);
    if (strcmp(distribution, "slots") == 0)
        evs__buf_format(out, "    slots_total: %d\n", SLOTS);
    if (strcmp(distribution, "maglev") == 0 && shards > 655)
        evs__buf_format(out, "    table_size: %d\n", LARGE_TABLE);
    evs__buf_text(out, "    shards:\n");
    for (unsigned i = 0; i < shards; i++)
        write_shard(out, i, shards, distribution);
}

static evs_shardmap *read_map(const evs__buf *text)
{
    evs_shardmap *map = NULL;
    evs_error err;
    if (evs_shardmap_parse(&map, (evs_bytes){text->data, text->len}, "bench", NULL, &err) != EVS_OK)
        fprintf(stderr, "%s\n", err.message);
    return map;
}

static int bench_load(unsigned shards, const char *distribution)
{
    double best = 1e18;
    evs__buf text = EVS__BUF_INIT;
    write_map(&text, shards, distribution);
    for (int i = 0; i < 20; i++) {
        double start = now();
        evs_shardmap *map = read_map(&text);
        double took = now() - start;
        if (map == NULL)
            return 1;
        evs_shardmap_free(map);
        best = took < best ? took : best;
    }
    evs__buf_free(&text);
    printf("loading %u shards, %s: %.2f ms\n", shards, distribution, best / 1e6);
    return 0;
}

/* The keys differ in the last bytes, and there are more than one learns the answers of. */
static char keys[ROUND][21];

static void write_keys(void)
{
    for (unsigned i = 0; i < ROUND; i++)
        snprintf(keys[i], sizeof keys[i], "user:account:%07u", i * 99731u % 10000000u);
}

/* Nanoseconds per key; the answers are added up, so the loop stays. */
static double time_round(const evs_shardmap *map, unsigned nkeys, size_t *sum)
{
    double start = now();
    for (unsigned i = 0; i < ROUND; i++) {
        evs_route route;
        if (evs_shardmap_route(&route, map, (evs_bytes){keys[i & (nkeys - 1)], 20}, NULL) == EVS_OK)
            *sum += route.shard;
    }
    return (now() - start) / ROUND;
}

/* `count` keys in whole rounds. */
static double time_route(const evs_shardmap *map, unsigned long count, unsigned nkeys)
{
    size_t sum = 0;
    double best = 1e18;
    for (unsigned long done = 0; done < count; done += ROUND) {
        double took = time_round(map, nkeys, &sum);
        best = took < best ? took : best;
    }
    if (sum == SIZE_MAX)
        puts("never");
    return best;
}

/* The shards as write_map has them. */
static size_t bytes_to_place(unsigned shards, const char *distribution)
{
    const evs__placement *placement = evs__placement_find(distribution);
    evs__arena arena = EVS__ARENA_INIT;
    evs__place *places = evs__arena_zalloc(&arena, shards, sizeof *places);
    evs__slot_range *slots = evs__arena_zalloc(&arena, shards, sizeof *slots);
    if (places == NULL || slots == NULL)
        return 0;
    for (unsigned i = 0; i < shards; i++) {
        slots[i] = (evs__slot_range){i * SLOTS / shards, (i + 1) * SLOTS / shards - 1};
        places[i] = (evs__place){evs__arena_format(&arena, "shard-%04u", i), 1, i, &slots[i], 1};
    }
    int in_slots = strcmp(distribution, "slots") == 0;
    evs__layout layout = {.places = places,
                          .count = shards,
                          .numbered = (placement->takes & EVS__NEEDS_INDEX) != 0,
                          .points = placement->points,
                          .size = in_slots ? SLOTS : placement->size,
                          .hash = placement->hashes[0].hash,
                          .ring_hash = &evs__hash_xxh64};
    if (strcmp(distribution, "maglev") == 0 && shards > 655)
        layout.size = LARGE_TABLE;
    size_t before = arena.used;
    void *built = placement->build(&arena, &layout);
    size_t bytes = built == NULL ? 0 : arena.used - before;
    evs__arena_free(&arena);
    return bytes;
}

static int bench_route(unsigned shards, unsigned long count, const char *distribution)
{
    evs__buf text = EVS__BUF_INIT;
    write_map(&text, shards, distribution);
    evs_shardmap *map = read_map(&text);
    if (map != NULL)
        printf("%-12s %5u shards: %6.1f ns per key, %6.1f of many, %9zu bytes to place keys\n",
               distribution, shards, time_route(map, count, 1 << 10), time_route(map, count, ROUND),
               bytes_to_place(shards, distribution));
    evs_shardmap_free(map);
    evs__buf_free(&text);
    return map == NULL;
}

static int bench_all(unsigned long count)
{
    static const unsigned sizes[] = {3, 10, 100, 1000, 4096};
    int rc = 0;
    for (size_t d = 0; d < sizeof distributions / sizeof distributions[0]; d++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            rc |= bench_route(sizes[i], count, distributions[d]);
    }
    return rc;
}

static int print_names(void)
{
    for (size_t i = 0; i < sizeof distributions / sizeof distributions[0]; i++)
        puts(distributions[i]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "names") == 0)
        return print_names();
    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: bench.route SHARDS COUNT [DISTRIBUTION] | load SHARDS "
                        "[DISTRIBUTION] | all COUNT | names\n");
        return 2;
    }
    const char *distribution = argc == 4 ? argv[3] : "rendezvous";
    write_keys();
    if (strcmp(argv[1], "all") == 0)
        return bench_all(strtoul(argv[2], NULL, 10));
    if (strcmp(argv[1], "load") == 0)
        return bench_load((unsigned)strtoul(argv[2], NULL, 10), distribution);
    return bench_route((unsigned)strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10),
                       distribution);
}
