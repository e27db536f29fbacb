/*
 * evalshard check --online against servers in every state that it tells apart: one map names them
 * all, so each finding also shows that the others do not hide it.
 */
#include "tests/support/certificates.h"
#include "tests/support/fake_sentinel.h"
#include "tests/support/fake_shard.h"
#include "tests/support/nodes.h"
#include "tests/support/program.h"
#include "tests/support/watched.h"
#include "tools/scratch/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char EVALSHARD[] = "tools/evalshard";
static const char SCRIPTS[] = EVS_TEST_SOURCE_DIR "/scripts/lib/lock";

static scratch *area;

static int set_up(void **state)
{
    (void)state;
    return scratch_new(&area) == SCRATCH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_free(area);
    return 0;
}

#define START(name, listen, ...)                            \
    start(name, listen, (const char *const[]){__VA_ARGS__}, \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static scratch_server *start(const char *name, scratch_listen listen, const char *const *config,
                             size_t nconfig)
{
    scratch_server *server;
    const scratch_options options = {listen, config, nconfig};
    if (scratch_start(&server, area, name, &options) != SCRATCH_OK)
        fail_msg("%s", scratch_error(area));
    return server;
}

static redisReply *ask(const scratch_server *server, const char *command)
{
    redisContext *c = redisConnectUnix(scratch_socket(server));
    redisReply *reply = redisCommand(c, command);
    assert_non_null(reply);
    redisFree(c);
    return reply;
}

static void tell(const scratch_server *server, const char *command)
{
    redisReply *reply = ask(server, command);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", command, reply->str);
    freeReplyObject(reply);
}

/* A map in the area's folder; `text` is what follows the version. Its path is in a static buffer.
 */
static const char *write_map(const char *text)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/map.yaml", scratch_folder(area));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "evalshard: 1\n%s%s",
            strstr(text, "defaults:") != NULL
                ? ""
                : "defaults: {connect_timeout: 20s, command_timeout: 20s}\n",
            text);
    fclose(file);
    return path;
}

typedef struct answer {
    json_t *root;
    int exit_code;
} answer;

static answer check_with(const program_how *how, const char *map, const char *scripts)
{
    program_run run;
    if (scripts != NULL)
        RUN(&run, how, EVALSHARD, "check", "--online", "--json", "-s", scripts, map);
    else
        RUN(&run, how, EVALSHARD, "check", "--online", "--json", map);
    answer got = {json_loadb(run.out, run.out_len, 0, NULL), run.exit_code};
    if (got.root == NULL)
        fail_msg("no JSON: %s%s", run.out, run.err);
    assert_int_equal(run.err_len, 0);
    program_free(&run);
    return got;
}

static answer check(const char *map)
{
    return check_with(NULL, map, NULL);
}

static const json_t *server_of(const answer *got, const char *shard)
{
    size_t i;
    json_t *server;
    json_array_foreach(json_object_get(got->root, "servers"), i, server)
    {
        if (strcmp(json_string_value(json_object_get(server, "shard")), shard) == 0)
            return server;
    }
    fail_msg("no server %s", shard);
    return NULL;
}

/* The codes found for a server, such as "E506 E507"; and the findings must hold `part`. */
static void expect_of(const json_t *server, const char *codes, const char *part)
{
    char found[256] = "";
    size_t i;
    json_t *finding;
    const json_t *findings = json_object_get(server, "findings");
    json_array_foreach(findings, i, finding)
    {
        if (i > 0)
            strcat(found, " ");
        strncat(found, json_string_value(json_object_get(finding, "code")), 5);
    }
    char *text = json_dumps(findings, 0);
    if (strcmp(found, codes) != 0 || strstr(text, part) == NULL)
        fail_msg("%s: expected %s with \"%s\", found %s",
                 json_string_value(json_object_get(server, "shard")), codes, part, text);
    assert_null(strstr(text, "hunter"));
    free(text);
}

static void expect(const answer *got, const char *shard, const char *codes, const char *part)
{
    expect_of(server_of(got, shard), codes, part);
}

static void expect_text(const answer *got, const char *shard, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(server_of(got, shard), key));
    if (text == NULL || strcmp(text, value) != 0)
        fail_msg("%s of %s is %s", key, shard, text == NULL ? "missing" : text);
}

static void a_fit_server_is_described(void **state)
{
    (void)state;
    char map[512];
    scratch_server *server = start("fit", SCRATCH_UNIX, NULL, 0);
    snprintf(map, sizeof map, "shards:\n  fit: %s\n", scratch_address(server));
    answer got = check_with(NULL, write_map(map), SCRIPTS);
    assert_int_equal(got.exit_code, 0);
    assert_true(json_is_true(json_object_get(got.root, "usable")));
    expect(&got, "default/fit", "N515", "2 of 2 scripts are not loaded");
    expect_text(&got, "default/fit", "role", "primary");
    const json_t *fit = server_of(&got, "default/fit");
    const char *program = json_string_value(json_object_get(fit, "server"));
    assert_true(strncmp(program, "Redis ", 6) == 0 || strncmp(program, "Valkey ", 7) == 0);
    assert_true(json_is_true(json_object_get(fit, "resp3")));
    assert_true(json_is_true(json_object_get(fit, "may_run_scripts")));
    assert_true(json_is_true(json_object_get(fit, "may_load_scripts")));
    assert_true(json_is_integer(json_object_get(fit, "skew_ms")));
    json_decref(got.root);

    redisReply *cached = ask(server, "INFO memory");
    assert_non_null(strstr(cached->str, "number_of_cached_scripts:0\r\n"));
    freeReplyObject(cached);

    program_run run;
    RUN(&run, NULL, EVALSHARD, "load", "-m", write_map(map), "-s", SCRIPTS);
    assert_int_equal(run.exit_code, 0);
    program_free(&run);
    got = check_with(NULL, write_map(map), SCRIPTS);
    expect(&got, "default/fit", "", "");
    assert_int_equal(
        json_integer_value(json_object_get(server_of(&got, "default/fit"), "scripts_loaded")), 2);
    json_decref(got.root);
}

static void logins_and_rights_are_told_apart(void **state)
{
    (void)state;
    char map[2048];
    const program_how how = {.settings = {"RIGHT=hunter2", "WRONG=hunter3"}};
    scratch_server *server = START("acl", SCRATCH_UNIX, "--requirepass", "hunter2", "--user", "app",
                                   "on", ">hunter2", "~*", "+@all", "--user", "preloaded", "on",
                                   ">hunter2", "~*", "+@all", "-script|load", "--user", "reader",
                                   "on", ">hunter2", "~*", "+@all", "-evalsha", "--user", "blind",
                                   "on", ">hunter2", "~*", "+evalsha", "+script|load", "--user",
                                   "small", "on", ">hunter2", "~*", "+@all", "-select");
    const char *at = scratch_address(server);
    int len = snprintf(map, sizeof map, "defaults: {auth: {password_env: RIGHT}}\npools:\n");
    static const char *const users[][3] = {{"app", "app", "RIGHT"},
                                           {"wrong", "app", "WRONG"},
                                           {"preloaded", "preloaded", "RIGHT"},
                                           {"reader", "reader", "RIGHT"},
                                           {"blind", "blind", "RIGHT"},
                                           {"small", "small", "RIGHT"}};
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
        len += snprintf(map + len, sizeof map - (size_t)len,
                        "  %s: {shards: {s: {address: \"%s\", db: %d, auth: {username: %s, "
                        "password_env: %s}}}}\n",
                        users[i][0], at, strcmp(users[i][0], "small") == 0 ? 1 : 0, users[i][1],
                        users[i][2]);
    snprintf(map + len, sizeof map - (size_t)len, "routes: [{default: true, pool: app}]\n");
    answer got = check_with(&how, write_map(map), NULL);
    assert_int_equal(got.exit_code, 1);
    expect(&got, "app/s", "", "");
    expect(&got, "wrong/s", "E502", "AUTH refused: WRONGPASS");
    expect(&got, "preloaded/s", "W514", "scripts cannot be loaded");
    expect(&got, "reader/s", "E512", "scripts cannot be run: ");
    expect(&got, "blind/s", "W513", "INFO is refused");
    expect(&got, "small/s", "E508", "db 1 cannot be selected: NOPERM");
    json_decref(got.root);

    got = check_with(&how, write_map(map), SCRIPTS);
    expect(&got, "preloaded/s", "E514", "2 scripts are not loaded, and cannot be");
    json_decref(got.root);

    snprintf(map, sizeof map, "shards:\n  s: %s\n", at);
    got = check(write_map(map));
    assert_int_equal(got.exit_code, 1);
    expect(&got, "default/s", "E502", "requires a password");
    json_decref(got.root);
}

static void tls_says_what_it_misses(void **state)
{
    (void)state;
    char pem[256], key[256], ca[256], map[2048];
    const char *folder = scratch_folder(area);
    certificates_make(folder);
    snprintf(pem, sizeof pem, "%s/server.pem", folder);
    snprintf(key, sizeof key, "%s/server.key", folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    scratch_server *tls = START("tls", SCRATCH_UNIX_AND_TLS, "--tls-cert-file", pem,
                                "--tls-key-file", key, "--tls-ca-cert-file", ca,
                                "--tls-auth-clients", "no");
    scratch_server *plain = start("plain", SCRATCH_UNIX_AND_TCP, NULL, 0);
    snprintf(map, sizeof map,
             "defaults: {connect_timeout: 20s, command_timeout: 20s, tls: {ca_file: ca.pem}}\n"
             "pools:\n"
             "  fit: {shards: {s: \"127.0.0.1:%d\"}}\n"
             "  stranger: {tls: {ca_file: stranger.pem}, shards: {s: \"127.0.0.1:%d\"}}\n"
             "  other: {tls: {server_name: other.example}, shards: {s: \"127.0.0.1:%d\"}}\n"
             "  clear: {tls: true, connect_timeout: 5s, shards: {s: \"127.0.0.1:%d\"}}\n"
             "  without: {tls: false, connect_timeout: 300ms, shards: {s: \"127.0.0.1:%d\"}}\n"
             "routes: [{default: true, pool: fit}]\n",
             scratch_port(tls), scratch_port(tls), scratch_port(tls), scratch_port(plain),
             scratch_port(tls));
    answer got = check(write_map(map));
    assert_int_equal(got.exit_code, 3); /* `without` is closed upon, or gets no answer */
    expect(&got, "fit/s", "", "");
    expect(&got, "stranger/s", "E501", "no CA we trust");
    expect(&got, "other/s", "E501", "is not for other.example");
    expect(&got, "clear/s", "E500", "does it speak TLS at this port?");
    expect(&got, "without/s", "E500", "");
    json_decref(got.root);
}

static void wait_for(const scratch_server *server, const char *command, const char *text)
{
    for (;;) {
        struct timespec moment = {0, 10 * 1000000};
        redisReply *reply = ask(server, command);
        int found = reply->str != NULL && strstr(reply->str, text) != NULL;
        freeReplyObject(reply);
        if (found)
            return;
        nanosleep(&moment, NULL);
    }
}

static void replicas_are_no_shards(void **state)
{
    (void)state;
    char map[1024], port[16];
    scratch_server *primary = start("primary", SCRATCH_UNIX_AND_TCP, NULL, 0);
    snprintf(port, sizeof port, "%d", scratch_port(primary));
    scratch_server *replica = START("replica", SCRATCH_UNIX, "--replicaof", "127.0.0.1", port,
                                    "--replica-serve-stale-data", "no");
    wait_for(replica, "INFO replication", "master_link_status:up");
    snprintf(map, sizeof map, "shards:\n  p: %s\n  r: %s\n", scratch_address(primary),
             scratch_address(replica));
    answer got = check(write_map(map));
    assert_int_equal(got.exit_code, 1);
    expect(&got, "default/p", "", "");
    expect(&got, "default/r", "E506", "it is a replica of 127.0.0.1:");
    expect_text(&got, "default/r", "role", "replica");
    json_decref(got.root);

    scratch_kill(primary);
    wait_for(replica, "INFO replication", "master_link_status:down");
    got = check(write_map(map));
    assert_int_equal(got.exit_code, 3);
    expect(&got, "default/p", "E500", "no such file or directory");
    expect(&got, "default/r", "E506 E507", "it has lost its primary 127.0.0.1:");
    json_decref(got.root);
}

/* Sends a command whose reply is waited for later. */
static redisContext *begin(const scratch_server *server, const char *command)
{
    redisContext *c = redisConnectUnix(scratch_socket(server));
    redisAppendCommand(c, command);
    for (int done = 0; !done;)
        redisBufferWrite(c, &done);
    return c;
}

static void wait_for_error(const scratch_server *server, const char *beginning)
{
    for (int found = 0; !found;) {
        redisReply *reply = ask(server, "PING");
        found = reply->type == REDIS_REPLY_ERROR && strstr(reply->str, beginning) == reply->str;
        freeReplyObject(reply);
    }
}

static void servers_that_cannot_now_say_so(void **state)
{
    (void)state;
    char map[1024];
    scratch_server *loading = START("loading", SCRATCH_UNIX, "--enable-debug-command", "yes");
    scratch_server *busy = START("busy", SCRATCH_UNIX, "--busy-reply-threshold", "1");
    scratch_server *paused = start("paused", SCRATCH_UNIX, NULL, 0);
    scratch_server *full = start("full", SCRATCH_UNIX, NULL, 0);
    tell(full, "SETRANGE x 2000000 y");
    tell(full, "CONFIG SET maxmemory 1mb");
    tell(loading, "DEBUG POPULATE 2000 filler 2048");
    tell(loading, "CONFIG SET loading-process-events-interval-bytes 1024");
    tell(loading, "CONFIG SET rdbcompression no");
    tell(loading, "CONFIG SET key-load-delay 20000");
    redisContext *reloads = begin(loading, "DEBUG RELOAD");
    wait_for_error(loading, "LOADING");
    redisContext *spins = begin(busy, "EVAL repeat\tuntil(false) 0");
    wait_for_error(busy, "BUSY");
    tell(paused, "CLIENT PAUSE 600000 ALL");

    snprintf(map, sizeof map,
             "defaults: {connect_timeout: 20s, command_timeout: 20s}\n"
             "shards:\n  loading: %s\n  busy: %s\n  full: %s\n"
             "  paused: {address: \"%s\", connect_timeout: 200ms, command_timeout: 200ms}\n",
             scratch_address(loading), scratch_address(busy), scratch_address(full),
             scratch_address(paused));
    answer got = check(write_map(map));
    assert_int_equal(got.exit_code, 3);
    expect(&got, "default/loading", "E504", "it is loading its data");
    expect(&got, "default/busy", "E505", "BUSY");
    expect(&got, "default/full", "W518", "its memory is full");
    expect(&got, "default/paused", "E500", "");
    json_decref(got.root);
    redisFree(reloads);
    redisFree(spins);
    scratch_kill(loading);
    scratch_kill(busy);
}

/* ---- clusters ---- */

static void nodes_of_a_cluster_are_found_and_asked(void **state)
{
    (void)state;
    nodes set;
    char map[1024];
    program_run run;
    nodes_start(&set, 2, 1);
    int seed = scratch_port(set.servers[0]);
    snprintf(map, sizeof map, "pools:\n  catalog: {cluster: {seeds: [\"127.0.0.1:%d\"]}}\n", seed);
    answer got = check(write_map(map));
    assert_int_equal(got.exit_code, 0);
    const json_t *servers = json_object_get(got.root, "servers");
    assert_int_equal(json_array_size(servers), 3);
    int replicas = 0;
    for (size_t i = 0; i < 3; i++) {
        const json_t *server = json_array_get(servers, i);
        replicas += strcmp(json_string_value(json_object_get(server, "role")), "replica") == 0;
        assert_string_equal(json_string_value(json_object_get(server, "shard")), "catalog");
        assert_int_equal(strlen(json_string_value(json_object_get(server, "node"))), 40);
        assert_int_equal(json_array_size(json_object_get(server, "findings")), 0);
    }
    assert_int_equal(replicas, 1);
    json_decref(got.root);

    snprintf(map, sizeof map,
             "pools:\n  plain: {shards: {s: \"127.0.0.1:%d\"}}\n"
             "  catalog: {cluster: {seeds: [\"127.0.0.1:%d\", \"localhost:%d\"]}}\n"
             "routes: [{default: true, pool: plain}]\n",
             seed, seed, scratch_port(set.servers[1]));
    nodes_do(&set, 0, "CLUSTER DELSLOTS 1 2 3");
    got = check(write_map(map));
    assert_int_equal(got.exit_code, 1);
    expect(&got, "plain/s", "E509", "a node of a cluster");
    expect(&got, "catalog", "E519", "nobody owns 3 of the 16384 slots");
    assert_int_equal(json_array_size(json_object_get(got.root, "servers")), 4);
    json_decref(got.root);

    nodes_watch_each_other(&set);
    scratch_kill(set.servers[1]);
    nodes_wait(&set, 0, "CLUSTER NODES", "fail");
    got = check(write_map(map));
    assert_int_equal(got.exit_code, 3);
    json_decref(got.root);
    nodes_stop(&set);

    scratch_server *alone = start("alone", SCRATCH_UNIX_AND_TCP, NULL, 0);
    snprintf(map, sizeof map, "pools:\n  catalog: {cluster: {seeds: [\"127.0.0.1:%d\"]}}\n",
             scratch_port(alone));
    RUN(&run, NULL, EVALSHARD, "check", "--online", write_map(map));
    assert_int_equal(run.exit_code, 1);
    assert_non_null(strstr(run.out, "error[E510]: it is no node of a cluster"));
    program_free(&run);
}

static void a_lost_primary_is_seen_by_the_others(void **state)
{
    (void)state;
    nodes set;
    char map[256];
    nodes_start(&set, 2, 1);
    nodes_watch_each_other(&set);
    nodes_do(&set, 2, "CONFIG SET cluster-replica-no-failover yes");
    snprintf(map, sizeof map, "pools:\n  catalog: {cluster: {seeds: [\"127.0.0.1:%d\"]}}\n",
             scratch_port(set.servers[1]));
    scratch_kill(set.servers[0]);
    nodes_wait(&set, 1, "CLUSTER INFO", "cluster_slots_pfail:8192");
    nodes_wait(&set, 1, "CLUSTER INFO", "cluster_state:fail");
    nodes_wait(&set, 2, "INFO replication", "master_link_status:down");
    answer got = check(write_map(map));
    assert_int_equal(got.exit_code, 3);
    char *text = json_dumps(got.root, 0);
    assert_non_null(strstr(text, "E500")); /* the primary itself */
    assert_non_null(strstr(text, "W507")); /* its replica */
    assert_non_null(strstr(text, "E519"));
    assert_non_null(strstr(text, "the cluster is down (cluster_state:fail)"));
    assert_non_null(strstr(text, "W519"));
    free(text);
    json_decref(got.root);
    nodes_stop(&set);
}

/* ---- sentinels ---- */

static const json_t *sentinel_at(const answer *got, int port)
{
    size_t i;
    char address[32];
    json_t *server;
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    json_array_foreach(json_object_get(got->root, "servers"), i, server)
    {
        if (strcmp(json_string_value(json_object_get(server, "shard")), "sentinels/eu") == 0 &&
            strcmp(json_string_value(json_object_get(server, "address")), address) == 0)
            return server;
    }
    fail_msg("no sentinel at %s", address);
    return NULL;
}

/* The same for a sentinel of the group "eu". */
static void expect_sentinel(const answer *got, int port, const char *codes, const char *part)
{
    expect_of(sentinel_at(got, port), codes, part);
}

static int64_t watched_field(const answer *got, int port, size_t watch, const char *key)
{
    const json_t *watches = json_object_get(sentinel_at(got, port), "watches");
    return json_integer_value(json_object_get(json_array_get(watches, watch), key));
}

static const char *sentinel_map(watched *set, const char *more)
{
    char map[1024], group[512];
    snprintf(map, sizeof map,
             "%s"
             "defaults: {connect_timeout: 20s, command_timeout: 20s}\n"
             "shards:\n"
             "  a: {sentinel: eu, master_name: ledger-1}\n%s",
             watched_group(set, "", 0, group), more);
    return write_map(map);
}

static void a_primary_is_found_by_its_sentinels(void **state)
{
    (void)state;
    watched set;
    watched_start(&set, NULL);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_await_settled(&set, i);
    answer got = check(sentinel_map(&set, "  b: {sentinel: eu, master_name: ledger-2}\n"));
    assert_int_equal(got.exit_code, 1);
    expect(&got, "default/a", "", "");
    expect_text(&got, "default/a", "role", "primary");
    expect_text(&got, "default/a", "address", "sentinel:eu/ledger-1");
    expect(&got, "default/b", "E521", "no primary of that name is watched");
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        expect_sentinel(&got, set.ports[i], "E521 N529", "no primary of the name ledger-2");
    assert_int_equal(json_array_size(json_object_get(got.root, "servers")), 5);
    json_decref(got.root);

    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_kill_sentinel(&set, i);
    got = check(sentinel_map(&set, ""));
    assert_int_equal(got.exit_code, 3);
    expect(&got, "default/a", "E500", "no sentinel of");
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        expect_sentinel(&got, set.ports[i], "E500", "\"message\": \"connection refused");
    json_decref(got.root);
    watched_stop(&set);
}

static void each_sentinel_says_what_it_knows(void **state)
{
    (void)state;
    watched set;
    char primary[32];
    watched_start(&set, NULL);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_await_settled(&set, i);
    snprintf(primary, sizeof primary, "127.0.0.1:%d", scratch_port(set.servers[0]));
    answer got = check(sentinel_map(&set, ""));
    assert_int_equal(got.exit_code, 0);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++) {
        const json_t *one = sentinel_at(&got, set.ports[i]);
        const json_t *watch = json_array_get(json_object_get(one, "watches"), 0);
        expect_of(one, "N529", primary);
        assert_string_equal(json_string_value(json_object_get(one, "role")), "sentinel");
        assert_string_equal(json_string_value(json_object_get(watch, "primary")), primary);
        assert_string_equal(json_string_value(json_object_get(watch, "shard")), "default/a");
        assert_int_equal(watched_field(&got, set.ports[i], 0, "quorum"), 2);
        assert_int_equal(watched_field(&got, set.ports[i], 0, "other_sentinels"), 2);
        assert_int_equal(watched_field(&got, set.ports[i], 0, "replicas"), 2);
    }
    json_decref(got.root);

    char one[256];
    snprintf(one, sizeof one,
             "defaults: {connect_timeout: 20s, command_timeout: 20s}\n"
             "sentinels: {eu: {addresses: [\"127.0.0.1:%d\"]}}\n"
             "shards: {a: {sentinel: eu, master_name: ledger-1}}\n",
             set.ports[0]);
    got = check(write_map(one));
    assert_int_equal(got.exit_code, 0);
    expect_sentinel(&got, set.ports[0], "N529 N526", "it knows 2 other sentinels");
    json_decref(got.root);

    watched_tell_sentinel(&set, 0, "ACL SETUSER default -sentinel|master");
    watched_tell_sentinel(&set, 1, "ACL SETUSER default -sentinel|get-master-addr-by-name");
    watched_tell_sentinel(&set, 2, "SENTINEL SET ledger-1 quorum 3");
    got = check(sentinel_map(&set, ""));
    assert_int_equal(got.exit_code, 1);
    expect_sentinel(&got, set.ports[0], "W523 N529", "+sentinel|master");
    expect_sentinel(&got, set.ports[1], "E523", "+sentinel|get-master-addr-by-name");
    expect_sentinel(&got, set.ports[2], "N529", "quorum 3");
    json_decref(got.root);

    watched_tell_sentinel(&set, 0, "ACL SETUSER default +sentinel|master");
    watched_tell_sentinel(&set, 1, "ACL SETUSER default +sentinel|get-master-addr-by-name");
    got = check(sentinel_map(&set, ""));
    assert_int_equal(got.exit_code, 0);
    expect_sentinel(&got, set.ports[2], "N529 W528", "its quorum for ledger-1 is 3");
    json_decref(got.root);
    watched_stop(&set);
}

static void too_few_sentinels_are_found_out(void **state)
{
    (void)state;
    watched set;
    const watched_options options = {.down_after_ms = 500};
    watched_start(&set, &options);
    watched_kill_sentinel(&set, 0);
    watched_kill_sentinel(&set, 1);
    scratch_kill(set.servers[0]);
    for (int found = 0; !found;) { /* until that sentinel has noticed both */
        answer got = check(sentinel_map(&set, ""));
        assert_int_equal(got.exit_code, 3);
        expect_sentinel(&got, set.ports[0], "E500", "connection refused");
        char *text = json_dumps(json_object_get(sentinel_at(&got, set.ports[2]), "findings"), 0);
        found = strstr(text, "E524") != NULL && strstr(text, "NOQUORUM") != NULL &&
                strstr(text, "W527") != NULL;
        free(text);
        json_decref(got.root);
    }
    watched_stop(&set);
}

/* By the word of two, and of one that is behind. */
static void sentinels_that_contradict_each_other_are_named(void **state)
{
    (void)state;
    char map[512];
    fake_sentinel *all[3];
    scratch_server *server = start("told", SCRATCH_UNIX_AND_TCP, NULL, 0);
    scratch_server *other = start("other", SCRATCH_UNIX_AND_TCP, NULL, 0);
    for (int i = 0; i < 3; i++) {
        all[i] = fake_sentinel_start();
        fake_sentinel_know(all[i], "m", scratch_port(i < 2 ? server : other), 2 - i);
    }
    snprintf(
        map, sizeof map,
        "sentinels: {eu: {addresses: [\"127.0.0.1:%d\", \"127.0.0.1:%d\", \"127.0.0.1:%d\"]}}\n"
        "shards: {a: {sentinel: eu, master_name: m}}\n",
        fake_sentinel_port(all[0]), fake_sentinel_port(all[1]), fake_sentinel_port(all[2]));
    answer got = check(write_map(map));
    assert_int_equal(got.exit_code, 1);
    expect(&got, "default/a", "", "");
    expect_sentinel(&got, fake_sentinel_port(all[0]), "W513 N529 W526", "0 other sentinels");
    expect_sentinel(&got, fake_sentinel_port(all[2]), "W513 N529 E525 W526",
                    "but 2 of 3 say 127.0.0.1:");
    json_decref(got.root);
    for (int i = 0; i < 3; i++)
        fake_sentinel_stop(all[i]);

    snprintf(map, sizeof map,
             "sentinels: {eu: {addresses: [\"127.0.0.1:%d\"]}}\n"
             "shards: {a: {sentinel: eu, master_name: m}}\n",
             scratch_port(server));
    got = check(write_map(map));
    assert_int_equal(got.exit_code, 3); /* nobody tells where the shard is */
    expect_sentinel(&got, scratch_port(server), "E522", "it is no Sentinel");
    json_decref(got.root);
}

static void logins_of_sentinels_are_their_own(void **state)
{
    (void)state;
    watched set;
    char map[1024], group[512];
    const program_how how = {.settings = {"RIGHT=hunter2"}};
    const watched_options options = {.password = "hunter2"};
    static const struct {
        const char *more, *time, *codes, *part;
    } rows[] = {
        {", auth: {password_env: RIGHT}", "20s", "N529", "ledger-1"},
        {"", "20s", "E502", "requires a password"},
        {", tls: {verify: none}, auth: {password_env: RIGHT}", "1s", "E500", ""},
    };
    watched_start(&set, &options);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_await_settled(&set, i);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(map, sizeof map,
                 "%sdefaults: {connect_timeout: %s}\n"
                 "shards: {a: {sentinel: eu, master_name: ledger-1}}\n",
                 watched_group(&set, rows[i].more, 0, group), rows[i].time);
        answer got = check_with(&how, write_map(map), NULL);
        for (size_t k = 0; k < WATCHED_SENTINELS; k++)
            expect_sentinel(&got, set.ports[k], rows[i].codes, rows[i].part);
        json_decref(got.root);
    }
    watched_stop(&set);
}

/* ---- what no server of ours says ---- */

static const char *bulk(char *out, size_t size, const char *text)
{
    snprintf(out, size, "$%zu\r\n%s\r\n", strlen(text), text);
    return out;
}

#define FAKE_WORD(text)          \
    {                            \
        FAKE_DO_ANSWER, 1,       \
        {                        \
            (text), strlen(text) \
        }                        \
    }

static void odd_servers_are_described(void **state)
{
    (void)state;
    char map[1024], info[256], valkey[256], clock[64], seconds[24];
    snprintf(seconds, sizeof seconds, "%lld", (long long)time(NULL) - 3600);
    snprintf(clock, sizeof clock, "*2\r\n$%zu\r\n%s\r\n$1\r\n0\r\n", strlen(seconds), seconds);
    bulk(info, sizeof info, "redis_version:5.0.0\r\nredis_mode:sentinel\r\nrole:master\r\n");
    bulk(valkey, sizeof valkey,
         "redis_version:7.2.4\r\nvalkey_version:8.0.1\r\nrole:master\r\n"
         "rdb_last_bgsave_status:err\r\n");
    const fake_step sentinel[] = {FAKE_ACCEPT, FAKE_ANSWER(1, "+OK\r\n"), FAKE_WORD(info),
                                  FAKE_WORD(clock), FAKE_ANSWER(3, "-ERR unknown command\r\n")};
    const fake_step other[] = {FAKE_ACCEPT,
                               FAKE_ANSWER(1, "+OK\r\n"),
                               FAKE_WORD(valkey),
                               FAKE_WORD(clock),
                               FAKE_ANSWER(1, "*1\r\n*-1\r\n"),
                               FAKE_ANSWER(1, "-NOSCRIPT no\r\n"),
                               FAKE_ANSWER(1, "-ERR Error compiling script (new function)\r\n")};
    const fake_step web[] = {FAKE_ACCEPT, FAKE_COMMANDS(1), FAKE_SAY("HTTP/1.1 400 Bad\r\n\r\n"),
                             FAKE_CLOSE};
    fake_shard *a = FAKE_START(FAKE_UNIX, sentinel), *b = FAKE_START(FAKE_UNIX, other),
               *c = FAKE_START(FAKE_UNIX, web);
    snprintf(map, sizeof map,
             "defaults: {command_timeout: 10s, connect_timeout: 10s}\n"
             "shards:\n  a: %s\n  b: %s\n  c: %s\n",
             fake_shard_address(a), fake_shard_address(b), fake_shard_address(c));
    answer got = check(write_map(map));
    assert_int_equal(got.exit_code, 1);
    expect(&got, "default/a", "E511 W516 E512 W514", " s behind ours");
    expect(&got, "default/b", "W517 W516 W520", "it is Valkey 8.0.1, but default/a at ");
    expect(&got, "default/c", "E503", "HTTP");
    json_decref(got.root);
    fake_shard_stop(a);
    fake_shard_stop(b);
    fake_shard_stop(c);
}

static void people_get_a_table_and_hints(void **state)
{
    (void)state;
    char map[512];
    program_run run;
    const program_how strict = {.settings = {"EVALSHARD_SCRIPTS="}};
    scratch_server *server = start("full", SCRATCH_UNIX, NULL, 0);
    tell(server, "SETRANGE x 2000000 y");
    tell(server, "CONFIG SET maxmemory 1mb");
    snprintf(map, sizeof map, "shards:\n  full: %s\n", scratch_address(server));
    RUN(&run, &strict, EVALSHARD, "check", "--online", write_map(map));
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "  shard         address"));
    assert_non_null(strstr(run.out, "W518\n"));
    assert_non_null(strstr(run.out, ": warning[W518]: its memory is full"));
    assert_non_null(strstr(run.out, "\n  hint: it refuses writes (OOM)\n"));
    assert_non_null(strstr(run.out, "map.yaml: usable: map map"));
    assert_non_null(strstr(run.out, ", 1 warning\n"));
    program_free(&run);
    RUN(&run, NULL, EVALSHARD, "check", "--online", "--strict", write_map(map));
    assert_int_equal(run.exit_code, 1);
    program_free(&run);
    RUN(&run, NULL, EVALSHARD, "check", "--online", "-s", "/nowhere", write_map(map));
    assert_int_equal(run.exit_code, 3);
    program_free(&run);
}

static void a_hundred_dead_servers_are_all_reported(void **state)
{
    (void)state;
    static char map[8192];
    int len = snprintf(map, sizeof map, "shards:\n");
    for (int i = 0; i < 100; i++)
        len += snprintf(map + len, sizeof map - (size_t)len, "  s%d: 127.0.0.1:%d\n", i, i + 1);
    answer got = check(write_map(map));
    assert_int_equal(got.exit_code, 3);
    assert_int_equal(json_integer_value(json_object_get(got.root, "errors")), 100);
    expect(&got, "default/s99", "E500", "connection refused");
    json_decref(got.root);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_fit_server_is_described),
        LIVE(logins_and_rights_are_told_apart),
        LIVE(tls_says_what_it_misses),
        LIVE(replicas_are_no_shards),
        LIVE(servers_that_cannot_now_say_so),
        LIVE(nodes_of_a_cluster_are_found_and_asked),
        LIVE(a_lost_primary_is_seen_by_the_others),
        LIVE(a_primary_is_found_by_its_sentinels),
        LIVE(each_sentinel_says_what_it_knows),
        LIVE(too_few_sentinels_are_found_out),
        LIVE(sentinels_that_contradict_each_other_are_named),
        LIVE(logins_of_sentinels_are_their_own),
        LIVE(odd_servers_are_described),
        LIVE(people_get_a_table_and_hints),
        LIVE(a_hundred_dead_servers_are_all_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
