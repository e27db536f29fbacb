/* What a map file may look like, what it gives, and what happens when it cannot be had. */
#include "core/mem.h"
#include "sharding/shardmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAIN "evalshard: 1\nshards:\n  a: h1:1\n  b: h2:1\n  c: h3:1\n"

static evs_shardmap *parse(const char *yaml)
{
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    evs_error err;
    if (evs_shardmap_parse(&map, evs_text(yaml), "t.yaml", &diags, &err) != EVS_OK)
        fail_msg("%s", evs_diagnostics_text(diags));
    evs_diagnostics_free(diags);
    return map;
}

/* The status, with the code of the first problem checked. */
static evs_status refuse(evs_bytes yaml, const char *code)
{
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    evs_diagnostic first;
    evs_error err;
    evs_status status = evs_shardmap_parse(&map, yaml, "t.yaml", &diags, &err);
    assert_null(map);
    assert_int_equal(status, err.status);
    assert_int_equal(evs_diagnostics_at(&first, diags, 0, NULL), EVS_OK);
    assert_string_equal(first.code, code);
    assert_int_equal(first.line, err.line);
    assert_int_equal(first.column, err.column);
    assert_non_null(strstr(err.message, code));
    evs_diagnostics_free(diags);
    return status;
}

static const evs__shard *shard(const evs_shardmap *map, const char *name)
{
    size_t number;
    assert_int_equal(evs_shardmap_find(&number, map, name, NULL), EVS_OK);
    return &map->shards[number];
}

static void what_holds_while_a_shard_is_down_is_inherited(void **state)
{
    (void)state;
    evs_shardmap *map = parse("evalshard: 1\n"
                              "defaults: {retry: {attempts: 4, backoff: 70ms}}\n"
                              "pools:\n"
                              "  p:\n"
                              "    on_shard_down: wait\n"
                              "    down_after: 7\n"
                              "    retry_after: 2s\n"
                              "    retry: {backoff: 20ms}\n"
                              "    shards:\n"
                              "      a: x:1\n"
                              "      b: {address: y:1, retry: {attempts: 0}}\n"
                              "  q: {shards: {c: z:1}}\n"
                              "  r: {cluster: {seeds: [\"z:2\"]}}\n"
                              "routes: [{prefix: a, pool: p}, {prefix: b, pool: q}, "
                              "{prefix: c, pool: r}]\n");
    const evs__shard *a = shard(map, "a"), *b = shard(map, "b"), *c = shard(map, "c");
    assert_int_equal(a->login.link.waits, 1);
    assert_int_equal(a->login.link.down_after, 7);
    assert_int_equal(a->login.link.retry_after_ms, 2000);
    assert_int_equal(a->login.link.backoff_ms, 20);
    assert_int_equal(a->attempts, 4);
    assert_int_equal(b->login.link.backoff_ms, 20);
    assert_int_equal(b->attempts, 0);
    assert_int_equal(c->login.link.waits, 0);
    assert_int_equal(c->login.link.down_after, 3);
    assert_int_equal(c->login.link.retry_after_ms, 1000);
    assert_int_equal(c->attempts, 4);
    assert_int_equal(map->pools[1].fails_fast, 1);
    assert_int_equal(map->pools[2].fails_fast, 0); /* calls wait for whoever comes next */
    evs_shardmap_free(map);
}

static void good_maps_load_without_a_word(void **state)
{
    (void)state;
    const char *folder = EVS_TEST_SOURCE_DIR "/tests/conf/good";
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort), loaded = 0;
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (strstr(entries[i]->d_name, ".yaml") != NULL) {
            evs_shardmap *map = NULL;
            evs_diagnostics *diags = NULL;
            evs_shardmap_load(&map, path, &diags, NULL);
            if (map == NULL || evs_diagnostics_count(diags) > 0)
                fail_msg("%s", evs_diagnostics_text(diags));
            evs_diagnostics_free(diags);
            evs_shardmap_free(map);
            loaded++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(loaded >= 8);
}

static void inner_connection_keys_win_one_by_one(void **state)
{
    (void)state;
    setenv("EVS_TEST_SECRET", "from outside", 1);
    setenv("EVS_TEST_OTHER", "from inside", 1);
    evs_shardmap *map = parse(
        "evalshard: 1\n"
        "defaults:\n"
        "  db: 1\n"
        "  connect_timeout: 2s\n"
        "  auth: {username: outer, password_env: EVS_TEST_SECRET}\n"
        "pools:\n"
        "  p:\n"
        "    db: 2\n"
        "    command_timeout: 1m\n"
        "    auth: {username: middle}\n"
        "    shards:\n"
        "      a: h:1\n"
        "      b: {address: h:2, db: 3, auth: {password_env: EVS_TEST_OTHER}}\n"
        "      c: {address: h:3, script_timeout: 5ms}\n");
    const evs__shard *a = shard(map, "a"), *b = shard(map, "b"), *c = shard(map, "c");
    assert_int_equal(a->login.db, 2);
    assert_int_equal(b->login.db, 3);
    assert_int_equal(b->login.connect_timeout_ms, 2000);
    assert_int_equal(b->command_timeout_ms, 60 * 1000);
    assert_int_equal(b->script_timeout_ms, 60 * 1000);
    assert_int_equal(c->script_timeout_ms, 5);
    assert_string_equal(a->login.username, "middle");
    assert_string_equal(a->login.password, "from outside");
    assert_string_equal(b->login.username, "middle");
    assert_string_equal(b->login.password, "from inside");
    evs_shardmap_free(map);
}

/* The same file with every mapping in another order. */
static void the_order_of_keys_moves_no_key(void **state)
{
    (void)state;
    evs_shardmap *one = parse(
        "evalshard: 1\n"
        "pools:\n"
        "  p: {hash_tag: \"[]\", shards: {a: h1:1, b: {address: h2:1, weight: 2}}}\n"
        "  q: {shards: {c: h3:1, d: h4:1, e: h5:1}}\n"
        "routes:\n"
        "  - {prefix: x, pool: p}\n"
        "  - {prefix: xy, pool: q}\n"
        "  - {default: true, pool: q}\n");
    evs_shardmap *two = parse(
        "routes:\n"
        "  - {pool: q, default: true}\n"
        "  - {pool: q, prefix: xy}\n"
        "  - {pool: p, prefix: x}\n"
        "pools:\n"
        "  q: {shards: {e: h5:1, c: h3:1, d: h4:1}}\n"
        "  p: {shards: {b: {weight: 2, address: h2:1}, a: h1:1}, hash_tag: \"[]\"}\n"
        "evalshard: 1\n");
    assert_true(evs_shardmap_fingerprint(one) == evs_shardmap_fingerprint(two));
    for (int i = 0; i < 3000; i++) {
        char key[32];
        evs_route r1, r2;
        snprintf(key, sizeof key, "%s%d[%d]", i % 3 == 0 ? "x" : i % 3 == 1 ? "xy" : "", i, i / 2);
        assert_int_equal(evs_shardmap_route(&r1, one, evs_text(key), NULL), EVS_OK);
        assert_int_equal(evs_shardmap_route(&r2, two, evs_text(key), NULL), EVS_OK);
        assert_string_equal(one->shards[r1.shard].name, two->shards[r2.shard].name);
    }
    evs_shardmap_free(one);
    evs_shardmap_free(two);
}

static void line_ends_and_byte_order_marks_do_not_matter(void **state)
{
    (void)state;
    evs_shardmap *map = parse("\xef\xbb\xbf"
                              "evalshard: 1\r\nshards:\r\n  a: h1:1\r\n");
    assert_string_equal(shard(map, "a")->login.endpoint.text, "h1:1");
    evs_shardmap_free(map);
    evs_error err;
    evs_shardmap *none = NULL;
    evs_shardmap_parse(&none,
                       evs_text("\xef\xbb\xbf"
                                "evalshard: 1\r\nshards:\r\n  a: h1\r\n"),
                       "t", NULL, &err);
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 6);
    assert_int_equal(refuse(evs_text("\xff\xfe"
                                     "e"),
                            "E106"),
                     EVS_E_YAML);
}

static void nothing_is_not_a_map(void **state)
{
    (void)state;
    assert_int_equal(refuse((evs_bytes){NULL, 0}, "E218"), EVS_E_CONFIG);
    assert_int_equal(refuse(evs_text(""), "E218"), EVS_E_CONFIG);
    assert_int_equal(refuse(evs_text("\n\n# x\n"), "E218"), EVS_E_CONFIG);
    assert_int_equal(refuse(evs_text("---\n"), "E215"), EVS_E_CONFIG);
}

static void the_status_says_what_kind_of_thing_is_wrong(void **state)
{
    (void)state;
    unsetenv("EVS_TEST_UNSET");
    assert_int_equal(refuse(evs_text("a: [\n"), "E104"), EVS_E_YAML);
    assert_int_equal(refuse(evs_text("evalshard: 1\nshards: {a: h}\n"), "E251"), EVS_E_CONFIG);
    assert_int_equal(refuse(evs_text("evalshard: 1\nshards: {a: {address: h:1, auth: "
                                     "{password_env: EVS_TEST_UNSET}}}\n"),
                            "E266"),
                     EVS_E_SECRET);
}

static void err_has_the_first_problem_of_the_gravest_kind(void **state)
{
    (void)state;
    evs_shardmap *map = NULL;
    evs_error err;
    unsetenv("EVS_TEST_UNSET");
    assert_int_equal(evs_shardmap_parse(&map,
                                        evs_text("evalshard: 1\nshards:\n  a: {address: h:1, auth: "
                                                 "{password_env: EVS_TEST_UNSET}}\n  b: h\n"),
                                        "t.yaml", NULL, &err),
                     EVS_E_CONFIG);
    assert_int_equal(err.line, 4);
    assert_string_equal(err.message,
                        "t.yaml:4:6: error[E251]: \"h\" has no port in shard \"b\" (and 1 more)");
}

static void files_over_the_limit_are_refused(void **state)
{
    (void)state;
    size_t len = 4 * 1024 * 1024 + 1;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, '#', len);
    assert_int_equal(refuse((evs_bytes){text, len}, "E107"), EVS_E_YAML);
    assert_int_equal(refuse((evs_bytes){text, len - 1}, "E218"), EVS_E_CONFIG);
    free(text);
}

static void files_that_cannot_be_read_say_why(void **state)
{
    (void)state;
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    evs_error err;
    assert_int_equal(evs_shardmap_load(&map, "/nowhere/x.yaml", &diags, &err), EVS_E_YAML);
    assert_string_equal(evs_diagnostics_text(diags), "/nowhere/x.yaml: error[E100]: cannot read "
                                                     "the file: No such file or directory\n");
    assert_int_equal(err.line, 0);
    evs_diagnostics_free(diags);
    assert_int_equal(evs_shardmap_load(&map, "/", NULL, &err), EVS_E_YAML);
    assert_string_equal(err.message, "/: error[E100]: cannot read the file: Is a directory");
    assert_null(map);
}

static char *many_shards(size_t count, const char *extra)
{
    size_t cap = 64 * (count + 4) + strlen(extra), len = 0;
    char *text = malloc(cap);
    assert_non_null(text);
    len = (size_t)snprintf(text, cap, "evalshard: 1\nshards:\n");
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, cap - len, "  shard-%04zu: 10.%zu.%zu.%zu:6379\n", i,
                                i / 65536, i / 256 % 256, i % 256);
    snprintf(text + len, cap - len, "%s", extra);
    return text;
}

static void four_thousand_and_ninety_six_shards_are_fine(void **state)
{
    (void)state;
    char *text = many_shards(4096, "");
    evs_shardmap *map = parse(text);
    evs_route route;
    assert_int_equal(evs_shardmap_count(map), 4096);
    assert_int_equal(evs_shardmap_route(&route, map, evs_text("user:7"), NULL), EVS_OK);
    assert_string_equal(shard(map, "shard-4095")->login.endpoint.text, "10.0.15.255:6379");
    evs_shardmap_free(map);
    free(text);
}

static void one_shard_more_is_too_many(void **state)
{
    (void)state;
    char *text = many_shards(4097, "");
    assert_int_equal(refuse(evs_text(text), "E211"), EVS_E_CONFIG);
    free(text);
    text = many_shards(4096, "  shard-0007: h:1\n");
    assert_int_equal(refuse(evs_text(text), "E202"), EVS_E_CONFIG);
    free(text);
}

static void the_limit_counts_all_pools(void **state)
{
    (void)state;
    size_t cap = 2 * 4096 * 32 + 1000;
    char *text = malloc(cap);
    assert_non_null(text);
    size_t len = (size_t)snprintf(text, cap,
                                  "evalshard: 1\nroutes: [{default: true, pool: p}]\npools:\n"
                                  "  p:\n    shards:\n");
    for (size_t i = 0; i < 4096; i++) {
        if (i == 2048)
            len += (size_t)snprintf(text + len, cap - len, "  q:\n    shards:\n");
        len += (size_t)snprintf(text + len, cap - len, "      s%zu: h:%zu\n", i, i + 1);
    }
    evs_shardmap_free(parse(text));
    len += (size_t)snprintf(text + len, cap - len, "      last: h:9999\n");
    assert_int_equal(refuse((evs_bytes){text, len}, "E211"), EVS_E_CONFIG);
    free(text);
}

static void the_name_comes_from_the_file_when_it_says_none(void **state)
{
    (void)state;
    static const struct {
        const char *file, *name;
    } cases[] = {{"/etc/evalshard/shop.yaml", "shop"},
                 {"shop.prod.yml", "shop.prod"},
                 {"shop", "shop"},
                 {"a.b/.hidden", ".hidden"},
                 {NULL, "-"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        evs_shardmap *map = NULL;
        assert_int_equal(evs_shardmap_parse(&map, evs_text(PLAIN), cases[i].file, NULL, NULL),
                         EVS_OK);
        assert_string_equal(evs_shardmap_name(map), cases[i].name);
        evs_shardmap_free(map);
    }
}

typedef struct folder {
    char path[64];
} folder;

static void write_file(const folder *in, const char *name, const char *text, mode_t mode)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", in->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void remove_file(const folder *in, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", in->path, name);
    unlink(path);
}

static evs_shardmap *load_in(const folder *in, evs_diagnostics **diags)
{
    char path[128];
    evs_shardmap *map = NULL;
    snprintf(path, sizeof path, "%s/map.yaml", in->path);
    evs_shardmap_load(&map, path, diags, NULL);
    return map;
}

static void password_files_are_found_beside_the_map(void **state)
{
    (void)state;
    folder in = {"/tmp/evs-conf-XXXXXX"};
    evs_diagnostics *diags = NULL;
    assert_non_null(mkdtemp(in.path));
    write_file(&in, "map.yaml",
               "evalshard: 1\n"
               "defaults: {auth: {password_file: secret}}\n"
               "shards:\n"
               "  a: h1:1\n"
               "  b: h2:1\n",
               0644);
    write_file(&in, "secret", "open sesame\r\n", 0600);
    evs_shardmap *map = load_in(&in, &diags);
    assert_string_equal(evs_diagnostics_text(diags), "");
    assert_string_equal(shard(map, "a")->login.password, "open sesame");
    assert_string_equal(shard(map, "b")->login.password, "open sesame");
    evs_shardmap_free(map);
    evs_diagnostics_free(diags);

    write_file(&in, "secret", "only one line end goes\n\n", 0604);
    map = load_in(&in, &diags);
    assert_string_equal(shard(map, "a")->login.password, "only one line end goes\n");
    assert_int_equal(evs_diagnostics_warnings(diags), 1);
    assert_non_null(strstr(evs_diagnostics_text(diags), "map.yaml:2:34: warning[W342]: everybody"));
    evs_shardmap_free(map);
    evs_diagnostics_free(diags);

    remove_file(&in, "secret");
    remove_file(&in, "map.yaml");
    rmdir(in.path);
}

static void tls_keys_are_merged_and_their_paths_are_beside_the_map(void **state)
{
    (void)state;
    folder in = {"/tmp/evs-conf-XXXXXX"};
    char path[128];
    evs_diagnostics *diags = NULL;
    assert_non_null(mkdtemp(in.path));
    write_file(&in, "map.yaml",
               "evalshard: 1\n"
               "defaults:\n"
               "  tls: {ca_file: ca.pem, cert_file: me.pem, key_file: me.key, verify: ca}\n"
               "shards:\n"
               "  a: rediss://h1\n"
               "  b: {address: h2:1, tls: {server_name: b.example, min_version: 1.3}}\n"
               "  c: {address: h3:1, tls: false}\n",
               0644);
    write_file(&in, "ca.pem", "", 0644);
    write_file(&in, "me.pem", "", 0644);
    write_file(&in, "me.key", "", 0640);
    evs_shardmap *map = load_in(&in, &diags);
    const evs__tls_conf *a = shard(map, "a")->login.tls, *b = shard(map, "b")->login.tls;
    snprintf(path, sizeof path, "%s/ca.pem", in.path);
    assert_string_equal(a->ca_file, path);
    assert_null(a->ca_dir);
    assert_null(a->server_name);
    assert_int_equal(a->verify, EVS__VERIFY_CA);
    assert_int_equal(a->only_1_3, 0);
    assert_int_equal(shard(map, "a")->login.endpoint.port, 6379);
    assert_string_equal(shard(map, "a")->login.endpoint.host, "h1");
    snprintf(path, sizeof path, "%s/me.key", in.path);
    assert_string_equal(b->key_file, path);
    assert_string_equal(b->server_name, "b.example");
    assert_int_equal(b->verify, EVS__VERIFY_CA);
    assert_int_equal(b->only_1_3, 1);
    assert_null(shard(map, "c")->login.tls);
    assert_int_equal(evs_diagnostics_warnings(diags), 1);
    assert_non_null(strstr(evs_diagnostics_text(diags), "map.yaml:3:55: warning[W340]: others"));
    evs_shardmap_free(map);
    evs_diagnostics_free(diags);
    remove_file(&in, "me.key");
    remove_file(&in, "me.pem");
    remove_file(&in, "ca.pem");
    remove_file(&in, "map.yaml");
    rmdir(in.path);
}

/* A URL is placed as the address it stands for. */
static void a_scheme_changes_no_placement(void **state)
{
    (void)state;
    evs_shardmap *plain = parse(
        "evalshard: 1\npools: {p: {ring_names: address, shards: {a: h:6379, "
        "b: \"[::1]:7\"}}}\n");
    evs_shardmap *url = parse("evalshard: 1\npools: {p: {ring_names: address, shards: "
                              "{a: rediss://h, b: \"redis://[::1]:7/\"}}}\n");
    assert_int_equal(evs_shardmap_fingerprint(plain), evs_shardmap_fingerprint(url));
    evs_shardmap_free(plain);
    evs_shardmap_free(url);
}

static void a_secret_that_nobody_uses_need_not_exist(void **state)
{
    (void)state;
    unsetenv("EVS_TEST_UNSET");
    setenv("EVS_TEST_SECRET", "x", 1);
    evs_shardmap *map = parse("evalshard: 1\n"
                              "defaults: {auth: {password_env: EVS_TEST_UNSET}}\n"
                              "shards:\n"
                              "  a: {address: h:1, auth: {password_env: EVS_TEST_SECRET}}\n");
    assert_string_equal(shard(map, "a")->login.password, "x");
    evs_shardmap_free(map);
}

/* A map that goes through most of the code. */
static const char everything[] =
    "evalshard: 1\n"
    "defaults: {auth: {username: u, password_env: EVS_TEST_SECRET}, client_name: shop}\n"
    "pools:\n"
    "  p:\n"
    "    on_no_keys: shard:a\n"
    "    shards: {a: h1:1, A: h2:1, b: {address: \"[::1]:1\", ring_name: x, note: n}}\n"
    "  q:\n"
    "    shards: {k1: h:1, k2: h:2, k3: h:3, k4: h:4, k5: h:5, k6: h:6, k7: h:7, k8: h:8, k9: "
    "h:9}\n"
    "routes:\n"
    "  - {prefix: x, pool: p}\n"
    "  - {default: true, pool: q}\n";

/* The same, with complaints of many kinds. */
static const char mistakes[] =
    "evalshard: 1\n"
    "colour: red\n"
    "defaults: {auth: {username: u, password_env: EVS_TEST_UNSET}, db: x, weight: 1}\n"
    "pools:\n"
    "  p:\n"
    "    on_no_keys: shard:z\n"
    "    hash: md4\n"
    "    shards: {a: h1, a: h2:1, b: {address: \"::1\", command_timeout: 5}, c: h1:1, d: h1:1}\n"
    "routes:\n"
    "  - {prefix: x, pool: pp}\n"
    "  - {prefix: x, pool: pp}\n";

/* One pool of each kind of placement, with what only some of them look at. */
static const char placements[] =
    "evalshard: 1\n"
    "pools:\n"
    "  a: {compat: twemproxy, hash: crc32, shards: {a: h:1, b: h:2, c: h:3}}\n"
    "  b: {distribution: slots, slots_total: 4, shards: {a: {address: h:1, slots: [0-3]}}}\n"
    "  c: {distribution: jump, shards: {a: {address: h:1, index: 0}}}\n"
    "  d: {distribution: maglev, table_size: 101, shards: {a: h:1}}\n"
    "  e: {compat: twemproxy, ring_names: address, shards: {a: unix:/s}}\n"
    "routes:\n"
    "  - {prefix: a, pool: a}\n"
    "  - {prefix: b, pool: b}\n"
    "  - {prefix: c, pool: c}\n"
    "  - {prefix: d, pool: d}\n"
    "  - {prefix: e, pool: e}\n";

static evs_status load_text(const char *yaml, evs_status expected)
{
    evs_shardmap *map = NULL;
    evs_diagnostics *diags = NULL;
    evs_error err = {0};
    evs_status status = evs_shardmap_parse(&map, evs_text(yaml), "t.yaml", &diags, &err);
    if (status != expected) {
        assert_int_equal(status, EVS_E_NOMEM);
        assert_int_equal(err.status, EVS_E_NOMEM);
    }
    assert_int_equal(map != NULL, status == EVS_OK);
    evs_shardmap_free(map);
    evs_diagnostics_free(diags);
    return status;
}

static void fail_each_allocation(const char *yaml, evs_status expected)
{
    size_t n = 1, refused = 0;
    evs_status status;
    do {
        evs__mem_fail_at(n);
        status = load_text(yaml, expected);
        refused += status == EVS_E_NOMEM;
        size_t used = evs__mem_count();
        evs__mem_fail_at(0);
        if (n > used)
            break;
        n++;
    } while (n < 10000);
    assert_int_equal(status, expected);
    assert_int_equal(refused, n - 1);
    assert_true(refused > 10);
    printf("%zu allocations failed in turn\n", refused);
}

static void a_failing_allocation_is_a_status(void **state)
{
    (void)state;
    setenv("EVS_TEST_SECRET", "x", 1);
    unsetenv("EVS_TEST_UNSET");
    fail_each_allocation(everything, EVS_OK);
    fail_each_allocation(placements, EVS_OK);
    fail_each_allocation(mistakes, EVS_E_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_maps_load_without_a_word),
        cmocka_unit_test(what_holds_while_a_shard_is_down_is_inherited),
        cmocka_unit_test(inner_connection_keys_win_one_by_one),
        cmocka_unit_test(the_order_of_keys_moves_no_key),
        cmocka_unit_test(line_ends_and_byte_order_marks_do_not_matter),
        cmocka_unit_test(nothing_is_not_a_map),
        cmocka_unit_test(the_status_says_what_kind_of_thing_is_wrong),
        cmocka_unit_test(err_has_the_first_problem_of_the_gravest_kind),
        cmocka_unit_test(files_over_the_limit_are_refused),
        cmocka_unit_test(files_that_cannot_be_read_say_why),
        cmocka_unit_test(four_thousand_and_ninety_six_shards_are_fine),
        cmocka_unit_test(one_shard_more_is_too_many),
        cmocka_unit_test(the_limit_counts_all_pools),
        cmocka_unit_test(the_name_comes_from_the_file_when_it_says_none),
        cmocka_unit_test(password_files_are_found_beside_the_map),
        cmocka_unit_test(tls_keys_are_merged_and_their_paths_are_beside_the_map),
        cmocka_unit_test(a_scheme_changes_no_placement),
        cmocka_unit_test(a_secret_that_nobody_uses_need_not_exist),
        cmocka_unit_test(a_failing_allocation_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
