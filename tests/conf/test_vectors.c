/*
 * Recorded placements of other software, each pool written as a shard map with the preset of that
 * software: every key of every row goes where it was recorded. Data and origin: tests/data/vectors.
 */
#include "core/buf.h"
#include "tests/support/vectors.h"
#include <evalshard/audit.h>
#include <evalshard/shardmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

/* A map of one pool "p", begun with the pool's own settings and followed by shards s0, s1, ... */
static evs__buf begin_map(const char *settings)
{
    evs__buf text = EVS__BUF_INIT;
    evs__buf_format(&text, "evalshard: 1\npools:\n  p:\n%s    shards:\n", settings);
    return text;
}

typedef struct one_shard {
    const char *ring_name; /* NULL: its name */
    int weight;            /* 0: not said */
    int index;             /* -1: not said */
} one_shard;

static void add_shard(evs__buf *text, size_t i, one_shard shard)
{
    evs__buf_format(text, "      s%zu: {address: \"unix:/s%zu\"", i, i);
    if (shard.ring_name != NULL)
        evs__buf_format(text, ", ring_name: \"%s\"", shard.ring_name);
    if (shard.weight > 0)
        evs__buf_format(text, ", weight: %d", shard.weight);
    if (shard.index >= 0)
        evs__buf_format(text, ", index: %d", shard.index);
    evs__buf_text(text, "}\n");
}

/* Reads the map and frees the text. */
static evs_shardmap *end_map(evs__buf *text)
{
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    assert_true(evs__buf_ok(text));
    if (evs_shardmap_parse(&map, (evs_bytes){text->data, text->len}, "-", &diags, NULL) != EVS_OK)
        fail_msg("%.*s\n%s", (int)text->len, text->data, evs_diagnostics_text(diags));
    evs_diagnostics_free(diags);
    evs__buf_free(text);
    return map;
}

/* The number in the name of the key's shard. */
static size_t shard_of(const evs_shardmap *map, evs_bytes key)
{
    evs_route route;
    evs_shard_info info;
    assert_int_equal(evs_shardmap_route(&route, map, key, NULL), EVS_OK);
    assert_int_equal(evs_shardmap_shard(&info, map, route.shard, NULL), EVS_OK);
    return strtoul(info.name + 1, NULL, 10);
}

/* Compares a row and frees the map; `assign` has one digit in base 36 per key, `-` for none.
 * Returns how many keys were compared. */
static size_t compare(evs_shardmap *map, const char *what, const char *assign)
{
    size_t compared = 0;
    assert_int_equal(strlen(assign), VECTOR_KEYS);
    for (size_t i = 0; i < VECTOR_KEYS; i++) {
        char digit[2] = {assign[i], '\0'};
        if (digit[0] == '-')
            continue;
        size_t want = strtoul(digit, NULL, 36), got = shard_of(map, vector_key(i));
        if (want != got)
            fail_msg("%s: key on line %zu is on %zu, recorded is %zu", what, i + 1, got, want);
        compared++;
    }
    evs_shardmap_free(map);
    return compared;
}

static const char *text_of(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_string(value) ? json_string_value(value) : NULL;
}

/* "host:port:weight name" as twemproxy reads it: what its ring is made of. */
static one_shard twemproxy_server(const char *line, char name[64])
{
    char address[64];
    snprintf(address, sizeof address, "%s", line);
    char *space = strchr(address, ' ');
    if (space != NULL)
        *space = '\0';
    char *colon = strrchr(address, ':');
    assert_non_null(colon);
    *colon = '\0';
    snprintf(name, 64, "%s", space != NULL ? space + 1 : address);
    size_t len = strlen(name);
    if (space == NULL && len > 6 && strcmp(name + len - 6, ":11211") == 0)
        name[len - 6] = '\0';
    return (one_shard){name, atoi(colon + 1), -1};
}

static int is_ejected(json_t *pool, size_t server)
{
    size_t i;
    json_t *number;
    json_array_foreach(json_object_get(pool, "ejected"), i, number)
    {
        if ((size_t)json_integer_value(number) == server)
            return 1;
    }
    return 0;
}

/* Each row of a list in a file of vectors, by itself; `all` is the whole file. Returns how many. */
static size_t compare_each(const char *file, const char *list,
                           size_t (*compare_row)(json_t *row, json_t *all))
{
    json_t *all = vector_json(file), *row;
    size_t i, cells = 0;
    json_array_foreach(json_object_get(all, list), i, row)
    {
        cells += compare_row(row, all);
    }
    printf("%s: %zu %s, %zu placements equal\n", file, i, list, cells);
    json_decref(all);
    return i;
}

static size_t compare_twemproxy(json_t *pool, json_t *all)
{
    (void)all;
    char settings[200], name[64];
    const char *tag = text_of(pool, "hash_tag");
    size_t i;
    json_t *server;
    snprintf(settings, sizeof settings,
             "    compat: twemproxy\n    distribution: %s\n    hash: %s\n    hash_tag: \"%s\"\n",
             text_of(pool, "distribution"), text_of(pool, "hash"), tag[0] == '\0' ? "off" : tag);
    evs__buf map = begin_map(settings);
    json_array_foreach(json_object_get(pool, "servers"), i, server)
    {
        if (!is_ejected(pool, i)) /* twemproxy had left it out of the ring */
            add_shard(&map, i, twemproxy_server(json_string_value(server), name));
    }
    return compare(end_map(&map), text_of(pool, "pool"), text_of(pool, "assign"));
}

static void every_pool_of_twemproxy(void **state)
{
    (void)state;
    assert_int_equal(compare_each("twemproxy-0.5.0.json", "pools", compare_twemproxy), 128);
}

/* The same pool as twemproxy's own configuration, imported. Shards are told apart by address. */
static size_t compare_import(json_t *pool)
{
    char path[] = "/tmp/evalshard-nutcracker-XXXXXX";
    const char *tag = text_of(pool, "hash_tag");
    json_t *servers = json_object_get(pool, "servers"), *server;
    size_t i, compared = 0;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    fprintf(file, "p:\n  redis: true\n  hash: %s\n  distribution: %s\n", text_of(pool, "hash"),
            text_of(pool, "distribution"));
    if (tag[0] != '\0')
        fprintf(file, "  hash_tag: \"%s\"\n", tag);
    fputs("  servers:\n", file);
    json_array_foreach(servers, i, server)
    {
        fprintf(file, "   - %s\n", json_string_value(server));
    }
    fclose(file);

    char *text = NULL;
    evs_error err = {0};
    evs_shardmap *map = NULL;
    if (evs_shardmap_import_twemproxy(&text, path, NULL, NULL, &err) != EVS_OK ||
        evs_shardmap_parse(&map, evs_text(text), "-", NULL, &err) != EVS_OK)
        fail_msg("%s: %s", text_of(pool, "pool"), err.message);
    remove(path);
    for (; compared < VECTOR_KEYS; compared++) {
        char digit[2] = {text_of(pool, "assign")[compared], '\0'};
        const char *want = json_string_value(json_array_get(servers, strtoul(digit, NULL, 36)));
        evs_route route;
        evs_shard_info info;
        assert_int_equal(evs_shardmap_route(&route, map, vector_key(compared), NULL), EVS_OK);
        assert_int_equal(evs_shardmap_shard(&info, map, route.shard, NULL), EVS_OK);
        if (strncmp(want, info.address, strlen(info.address)) != 0)
            fail_msg("%s: line %zu is on %s, recorded is %s", text_of(pool, "pool"), compared + 1,
                     info.address, want);
    }
    evs_shardmap_free(map);
    evs_text_free(text);
    return compared;
}

static void every_pool_of_twemproxy_imported(void **state)
{
    (void)state;
    json_t *all = vector_json("twemproxy-0.5.0.json"), *pool;
    size_t i, cells = 0;
    json_array_foreach(json_object_get(all, "pools"), i, pool)
    {
        if (json_object_get(pool, "ejected") == NULL)
            cells += compare_import(pool);
    }
    printf("imported configurations: %zu placements equal\n", cells);
    assert_int_equal(cells, 125 * VECTOR_KEYS);
    json_decref(all);
}

static size_t compare_libmemcached(json_t *row, json_t *all)
{
    json_t *servers = json_object_get(all, "servers");
    char settings[200];
    const char *said = text_of(row, "distribution"), *distribution = "ketama";
    if (strcmp(said, "modula") == 0)
        distribution = "modula";
    else if (strcmp(said, "ketama") == 0)
        distribution = "ketama_plain"; /* ketama_weighted is what others call ketama */
    snprintf(settings, sizeof settings,
             "    compat: libmemcached\n    distribution: %s\n    hash: %s\n", distribution,
             text_of(row, "hash"));
    evs__buf map = begin_map(settings);
    size_t i;
    json_t *server;
    json_array_foreach(servers, i, server)
    {
        int weight = (int)json_integer_value(json_array_get(json_object_get(row, "weights"), i));
        int plain = strcmp(distribution, "ketama_plain") == 0;
        one_shard shard = {json_string_value(server), plain ? 0 : weight, (int)i};
        add_shard(&map, i, shard);
    }
    return compare(end_map(&map), said, text_of(row, "assign"));
}

static void every_row_of_libmemcached(void **state)
{
    (void)state;
    assert_int_equal(compare_each("libmemcached-1.1.4.json", "rows", compare_libmemcached), 36);
}

/* Keys given as bytes have no tags in Jedis. */
static size_t compare_jedis(json_t *row, json_t *all)
{
    (void)all;
    char settings[200];
    int tags = text_of(row, "tag_pattern") != NULL && strcmp(text_of(row, "api"), "string") == 0;
    int old = strstr(text_of(row, "software"), "2.9") != NULL;
    json_t *shard_names = json_object_get(row, "names");
    snprintf(settings, sizeof settings, "    compat: %s\n    hash: %s\n    hash_tag: \"%s\"\n",
             old ? "jedis-2.9" : "jedis",
             strcmp(text_of(row, "algo"), "md5") == 0 ? "md5" : "murmur64a", tags ? "{}" : "off");
    evs__buf map = begin_map(settings);
    for (size_t i = 0; i < 4; i++) {
        int weight = (int)json_integer_value(json_array_get(json_object_get(row, "weights"), i));
        int named = json_is_array(shard_names);
        one_shard shard = {named ? json_string_value(json_array_get(shard_names, i)) : NULL, weight,
                           named ? -1 : (int)i};
        add_shard(&map, i, shard);
    }
    return compare(end_map(&map), text_of(row, "variant"), text_of(row, "assign"));
}

static void every_row_of_jedis(void **state)
{
    (void)state;
    assert_int_equal(compare_each("jedis.json", "rows", compare_jedis), 30);
}

static size_t compare_envoy(json_t *row, json_t *all)
{
    (void)all;
    char settings[200];
    const char *how = text_of(row, "lb"), *hash = text_of(row, "hash");
    int tags = json_is_true(json_object_get(row, "hashtagging"));
    snprintf(settings, sizeof settings,
             "    compat: envoy\n    distribution: %s\n    hash_tag: \"%s\"\n%s", how,
             tags ? "{}" : "off",
             hash != NULL && strcmp(hash, "MURMUR_HASH_2") == 0 ? "    ring_hash: murmur64a\n"
                                                                : "");
    evs__buf map = begin_map(settings);
    size_t i;
    json_t *host;
    json_array_foreach(json_object_get(row, "hosts"), i, host)
    {
        int weight = (int)json_integer_value(json_array_get(json_object_get(row, "weights"), i));
        one_shard shard = {json_string_value(host), weight, -1};
        add_shard(&map, i, shard);
    }
    return compare(end_map(&map), how, text_of(row, "assign"));
}

static void every_row_of_envoy(void **state)
{
    (void)state;
    assert_int_equal(compare_each("envoy.json", "model_rows", compare_envoy), 12);
}

/* Two rings, and the slots of Codis over two shards. */
typedef struct rings {
    evs_shardmap *four, *seven, *codis, *cluster;
} rings;

static void compare_go_and_codis(void *arg, char **columns, size_t count)
{
    const rings *r = arg;
    evs_bytes key = vector_key_of(columns[0]);
    assert_int_equal(count, 5);
    assert_int_equal(shard_of(r->four, key), atoi(columns[1]));
    assert_int_equal(shard_of(r->seven, key), atoi(columns[2]));
    assert_int_equal(shard_of(r->cluster, key), atoi(columns[3]) / 16);
    assert_int_equal(shard_of(r->codis, key), atoi(columns[4]));
}

static evs_shardmap *ring_of(const char *const *ring_names, size_t count)
{
    evs__buf map = begin_map("    compat: go-redis\n");
    for (size_t i = 0; i < count; i++)
        add_shard(&map, i, (one_shard){ring_names[i], 0, -1});
    return end_map(&map);
}

/* Shard i owns `each` slots from i * each on. */
static evs_shardmap *slots_map(const char *settings, unsigned shards, unsigned each)
{
    evs__buf map = begin_map(settings);
    for (unsigned i = 0; i < shards; i++)
        evs__buf_format(&map, "      s%u: {address: \"unix:/s%u\", slots: [%u-%u]}\n", i, i,
                        i * each, i * each + each - 1);
    return end_map(&map);
}

static void every_row_of_go_redis_and_codis(void **state)
{
    (void)state;
    static const char *const four[] = {"shard1", "shard2", "shard3", "shard4"};
    static const char *const seven[] = {"srv-d",           "srv-b",           "srv-c", "srv-a",
                                        "127.0.0.1:21001", "127.0.0.1:21002", "x"};
    rings r = {
        ring_of(four, 4), ring_of(seven, 7), slots_map("    compat: codis\n", 1024, 1),
        slots_map("    distribution: slots\n    hash: crc16\n    slots_total: 16384\n", 1024, 16)};
    assert_int_equal(vector_rows("go-redis_ring_and_codis.tsv", compare_go_and_codis, &r),
                     VECTOR_KEYS);
    printf("go-redis_ring_and_codis.tsv: 250 rows, 1000 placements equal\n");
    evs_shardmap_free(r.four);
    evs_shardmap_free(r.seven);
    evs_shardmap_free(r.codis);
    evs_shardmap_free(r.cluster);
}

/* Keys stand as Python literals: a number, or text in quotes without escapes, of Latin-1. */
static evs_bytes python_key(char *literal, char out[64])
{
    size_t len = 0;
    if (literal[0] == '\'') {
        literal++;
        literal[strlen(literal) - 1] = '\0';
    }
    for (const unsigned char *at = (unsigned char *)literal; *at != '\0'; at++) {
        char c = (char)*at;
        if (*at == 0xc3 || *at == 0xc2) { /* UTF-8 of a Latin-1 character */
            c = (char)((at[0] & 3) << 6 | (at[1] & 0x3f));
            at++;
        }
        out[len++] = c;
    }
    return (evs_bytes){out, len};
}

static void compare_book(void *arg, char **columns, size_t count)
{
    char key[64];
    size_t *cells = arg;
    assert_int_equal(count, 3);
    evs__buf map = begin_map("    compat: redis-in-action\n");
    for (int i = 0; i < atoi(columns[1]); i++)
        add_shard(&map, (size_t)i, (one_shard){NULL, 0, i});
    evs_shardmap *read = end_map(&map);
    const char *colon = strchr(columns[2], ':');
    assert_non_null(colon);
    assert_int_equal(shard_of(read, python_key(columns[0], key)), atoi(colon + 1));
    evs_shardmap_free(read);
    (*cells)++;
}

static void every_row_of_redis_in_action(void **state)
{
    (void)state;
    size_t cells = 0;
    vector_rows("redis_in_action.tsv", compare_book, &cells);
    printf("redis_in_action.tsv: %zu placements equal\n", cells);
    assert_int_equal(cells, 66);
}

enum { MCROUTER_POOLS = 9 };

static void compare_mcrouter(void *arg, char **columns, size_t count)
{
    evs_shardmap *const *pools = arg;
    assert_int_equal(count, MCROUTER_POOLS + 1);
    for (size_t i = 0; i < MCROUTER_POOLS; i++)
        assert_int_equal(shard_of(pools[i], vector_key_of(columns[0])), atoi(columns[i + 1]));
}

static void every_row_of_mcrouter(void **state)
{
    (void)state;
    static const size_t counts[MCROUTER_POOLS] = {2, 3, 4, 7, 10, 100, 1000, 4, 7};
    evs_shardmap *pools[MCROUTER_POOLS];
    for (size_t i = 0; i < MCROUTER_POOLS; i++) {
        evs__buf map = begin_map(i < 7 ? "    compat: mcrouter\n"
                                       : "    compat: mcrouter\n    distribution: crc32_mod\n");
        for (size_t k = 0; k < counts[i]; k++)
            add_shard(&map, k, (one_shard){NULL, 0, (int)k});
        pools[i] = end_map(&map);
    }
    size_t rows = vector_rows("mcrouter_ch3.tsv", compare_mcrouter, pools);
    printf("mcrouter_ch3.tsv: %zu rows, %zu placements equal\n", rows, rows * MCROUTER_POOLS);
    assert_int_equal(rows, VECTOR_KEYS);
    for (size_t i = 0; i < MCROUTER_POOLS; i++)
        evs_shardmap_free(pools[i]);
}

/* On ARM plain char is unsigned: only keys with bytes from 0x80 on may be elsewhere. */
static void unsigned_twemproxy_moves_only_large_bytes(void **state)
{
    (void)state;
    evs_shardmap *maps[2];
    for (int k = 0; k < 2; k++) {
        evs__buf map = begin_map(k == 0 ? "    compat: twemproxy\n"
                                        : "    compat: twemproxy-unsigned\n");
        for (size_t i = 0; i < 4; i++)
            add_shard(&map, i, (one_shard){NULL, 0, -1});
        maps[k] = end_map(&map);
    }
    size_t moved = 0;
    for (size_t i = 0; i < VECTOR_KEYS; i++) {
        evs_bytes key = vector_key(i);
        int large = 0;
        for (size_t n = 0; n < key.len; n++)
            large |= (unsigned char)key.data[n] >= 0x80;
        int differs = shard_of(maps[0], key) != shard_of(maps[1], key);
        assert_true(large || !differs);
        moved += (size_t)differs;
    }
    assert_true(moved > 0);
    evs_shardmap_free(maps[0]);
    evs_shardmap_free(maps[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pool_of_twemproxy),
        cmocka_unit_test(every_pool_of_twemproxy_imported),
        cmocka_unit_test(every_row_of_libmemcached),
        cmocka_unit_test(every_row_of_jedis),
        cmocka_unit_test(every_row_of_envoy),
        cmocka_unit_test(every_row_of_go_redis_and_codis),
        cmocka_unit_test(every_row_of_redis_in_action),
        cmocka_unit_test(every_row_of_mcrouter),
        cmocka_unit_test(unsigned_twemproxy_moves_only_large_bytes),
    };
    return cmocka_run_group_tests(tests, vector_keys_read, vector_keys_free);
}
