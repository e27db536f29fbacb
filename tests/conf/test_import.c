/*
 * Every option that twemproxy 0.5 has (conf_commands in its nc_conf.c) is in the map or named in a
 * warning; what makes no map is an error. Placements are compared in test_vectors.c.
 */
#include <evalshard/audit.h>
#include <evalshard/shardmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Imports the only pool of a configuration; the map is NULL when that fails. */
static char *import(const char *text, evs_diagnostics **diags)
{
    char path[] = "/tmp/evs-import-XXXXXX", *map = NULL;
    int fd = mkstemp(path);
    assert_true(fd != -1);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    evs_status status = evs_shardmap_import_twemproxy(&map, path, NULL, diags, NULL);
    unlink(path);
    assert_int_equal(status == EVS_OK, map != NULL);
    return map;
}

static const struct {
    const char *option, *in_map, *warning; /* NULL: none */
} options[] = {
    {"listen: 127.0.0.1:1", NULL, "listen has no counterpart"},
    {"hash: murmur", "hash: murmur\n", NULL},
    {"hash_tag: \"{}\"", "hash_tag: \"{}\"\n", NULL},
    {"distribution: modula", "distribution: modula\n", NULL},
    {"timeout: 400", "command_timeout: 400ms\n", NULL},
    {"backlog: 512", NULL, "backlog has no counterpart"},
    {"client_connections: 9", NULL, "client_connections has no counterpart"},
    {"tcpkeepalive: true", NULL, "tcpkeepalive has no counterpart"},
    {"reuseport: true", NULL, "reuseport has no counterpart"},
    {"redis_auth: hunter2", "password_env: EVALSHARD_PASSWORD", "redis_auth is not copied"},
    {"redis_db: 3", "db: 3\n", NULL},
    {"preconnect: true", NULL, "preconnect has no counterpart"},
    {"server_connections: 2", NULL, "server_connections has no counterpart"},
    {"auto_eject_hosts: true", NULL, "auto_eject_hosts has no counterpart"},
    {"server_failure_limit: 5", NULL, "server_failure_limit has no counterpart"},
    {"server_retry_timeout: 2000", NULL, "server_retry_timeout has no counterpart"},
    {"auto_eject_hosts: true\n  server_failure_limit: 5", "down_after: 5\n",
     "auto_eject_hosts has no counterpart"},
    {"auto_eject_hosts: true\n  server_retry_timeout: 2000", "retry_after: 2000ms\n",
     "auto_eject_hosts has no counterpart"},
    {"color: red", NULL, "color is no option"},
};

static void every_option_is_taken_or_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        char text[256];
        evs_diagnostics *diags;
        snprintf(text, sizeof text, "p:\n  redis: true\n  %s\n  servers: [h:1:1]\n",
                 options[i].option);
        char *map = import(text, &diags);
        const char *said = evs_diagnostics_text(diags);
        if (map == NULL)
            fail_msg("%s: %s", options[i].option, said);
        if (options[i].in_map != NULL && strstr(map, options[i].in_map) == NULL)
            fail_msg("%s: %s", options[i].option, map);
        assert_int_equal(evs_diagnostics_warnings(diags), options[i].warning != NULL);
        if (options[i].warning != NULL && strstr(said, options[i].warning) == NULL)
            fail_msg("%s: %s", options[i].option, said);
        assert_null(strstr(said, "hunter2"));
        assert_null(strstr(map, "hunter2"));
        evs_text_free(map);
        evs_diagnostics_free(diags);
    }
}

/* 256 bytes. */
#define SIXTEEN   "sixteen_letters_"
#define SIXTY     SIXTEEN SIXTEEN SIXTEEN SIXTEEN
#define LONG_NAME SIXTY SIXTY SIXTY SIXTY

static const struct {
    const char *text, *code;
} wrong[] = {
    {"", "E290"},
    {"p:\n", "E290"},
    {"p: {redis: true}\n", "E290"},
    {"p: {redis: true, servers: [h:1]}\n", "E290"},
    {"p: {redis: true, servers: [h:1:1], distribution: random}\n", "E290"},
    {"p: {redis: true, servers: [h:1:1], hash: nonsense}\n", "E290"},
    {"p: {redis: true, servers: [h:1:1], hash_tag: x}\n", "E290"},
    {"p: {redis: true, servers: [h:1:1], timeout: 400ms}\n", "E290"},
    {"p: {redis: true, servers: [h:1:1], timeout: 0}\n", "E290"},
    {"- p\n", "E290"},
    {"p: {redis: true, servers: [h:1:1 " LONG_NAME "]}\n", "E290"},
    {"p: {redis: true, servers: [h:1:1]}\nq: {redis: true, servers: [h:1:1]}\n", "E291"},
};

static void what_makes_no_map_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        evs_diagnostics *diags;
        char *map = import(wrong[i].text, &diags);
        if (map != NULL || strstr(evs_diagnostics_text(diags), wrong[i].code) == NULL)
            fail_msg("%s: %s", wrong[i].text, evs_diagnostics_text(diags));
        evs_diagnostics_free(diags);
    }
}

/* What cannot be a name of a shard becomes one, and the place on the ring stays the old name's. */
static void shards_get_names_of_their_own(void **state)
{
    (void)state;
    char *map = import("p:\n  redis: true\n  servers:\n   - h:1:1 a/b\n   - h:2:1 a-b\n"
                       "   - h:3:1 a:b\n   - h:4:1 (x\"y\\z)\n   - h:5:1 !!!\n   - /r.sock:1\n",
                       NULL);
    static const char *const wanted[] = {
        "      a-b: {address: \"h:1\", ring_name: \"a/b\", weight: 1}\n",
        "      a-b-2: {address: \"h:2\", ring_name: \"a-b\", weight: 1}\n",
        "      a-b-3: {address: \"h:3\", ring_name: \"a:b\", weight: 1}\n",
        "      x-y-z: {address: \"h:4\", ring_name: \"(x\\\"y\\\\z)\", weight: 1}\n",
        "      shard: {address: \"h:5\", ring_name: \"!!!\", weight: 1}\n",
        "ring_name: \"/r.sock:\"",
    };
    assert_non_null(map);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strstr(map, wanted[i]) == NULL)
            fail_msg("%s is not in\n%s", wanted[i], map);
    evs_shardmap *read = NULL;
    assert_int_equal(evs_shardmap_parse(&read, evs_text(map), "-", NULL, NULL), EVS_OK);
    evs_shardmap_free(read);
    evs_text_free(map);
}

static void memcached_is_a_warning(void **state)
{
    (void)state;
    evs_diagnostics *diags;
    char *map = import("p: {servers: [h:1:1]}\n", &diags);
    assert_non_null(map);
    assert_non_null(strstr(evs_diagnostics_text(diags), "warning[W390]"));
    evs_text_free(map);
    evs_diagnostics_free(diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_taken_or_named),
        cmocka_unit_test(what_makes_no_map_is_an_error),
        cmocka_unit_test(shards_get_names_of_their_own),
        cmocka_unit_test(memcached_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
