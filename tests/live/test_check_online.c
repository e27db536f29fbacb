/*
 * evalshard check --online against servers in every state that it tells apart: one map names them
 * all, so each finding also shows that the others do not hide it.
 */
#include "tests/support/certificates.h"
#include "tests/support/fake_shard.h"
#include "tests/support/nodes.h"
#include "tests/support/online.h"
#include "tests/support/program.h"
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

static void a_fit_server_is_described(void **state)
{
    (void)state;
    char map[512];
    scratch_server *server = online_start("fit", SCRATCH_UNIX, NULL, 0);
    snprintf(map, sizeof map, "shards:\n  fit: %s\n", scratch_address(server));
    online_answer got = online_check_with(NULL, online_map(map), SCRIPTS);
    assert_int_equal(got.exit_code, 0);
    assert_true(json_is_true(json_object_get(got.root, "usable")));
    online_expect(&got, "default/fit", "N515", "2 of 2 scripts are not loaded");
    online_expect_text(&got, "default/fit", "role", "primary");
    const json_t *fit = online_server(&got, "default/fit");
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
    RUN(&run, NULL, EVALSHARD, "load", "-m", online_map(map), "-s", SCRIPTS);
    assert_int_equal(run.exit_code, 0);
    program_free(&run);
    got = online_check_with(NULL, online_map(map), SCRIPTS);
    online_expect(&got, "default/fit", "", "");
    assert_int_equal(
        json_integer_value(json_object_get(online_server(&got, "default/fit"), "scripts_loaded")),
        2);
    json_decref(got.root);
}

static void logins_and_rights_are_told_apart(void **state)
{
    (void)state;
    char map[2048];
    const program_how how = {.settings = {"RIGHT=hunter2", "WRONG=hunter3"}};
    scratch_server *server = ONLINE_START(
        "acl", SCRATCH_UNIX, "--requirepass", "hunter2", "--user", "app", "on", ">hunter2", "~*",
        "+@all", "--user", "preloaded", "on", ">hunter2", "~*", "+@all", "-script|load", "--user",
        "reader", "on", ">hunter2", "~*", "+@all", "-evalsha", "--user", "blind", "on", ">hunter2",
        "~*", "+evalsha", "+script|load", "--user", "small", "on", ">hunter2", "~*", "+@all",
        "-select");
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
    online_answer got = online_check_with(&how, online_map(map), NULL);
    assert_int_equal(got.exit_code, 1);
    online_expect(&got, "app/s", "", "");
    online_expect(&got, "wrong/s", "E502", "AUTH refused: WRONGPASS");
    online_expect(&got, "preloaded/s", "W514", "scripts cannot be loaded");
    online_expect(&got, "reader/s", "E512", "scripts cannot be run: ");
    online_expect(&got, "blind/s", "W513", "INFO is refused");
    online_expect(&got, "small/s", "E508", "db 1 cannot be selected: NOPERM");
    json_decref(got.root);

    got = online_check_with(&how, online_map(map), SCRIPTS);
    online_expect(&got, "preloaded/s", "E514", "2 scripts are not loaded, and cannot be");
    json_decref(got.root);

    snprintf(map, sizeof map, "shards:\n  s: %s\n", at);
    got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 1);
    online_expect(&got, "default/s", "E502", "requires a password");
    json_decref(got.root);
}

static void tls_says_what_it_misses(void **state)
{
    (void)state;
    char pem[256], key[256], ca[256], map[2048];
    const char *folder = scratch_folder(online_area);
    certificates_make(folder);
    snprintf(pem, sizeof pem, "%s/server.pem", folder);
    snprintf(key, sizeof key, "%s/server.key", folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    scratch_server *tls = ONLINE_START("tls", SCRATCH_UNIX_AND_TLS, "--tls-cert-file", pem,
                                       "--tls-key-file", key, "--tls-ca-cert-file", ca,
                                       "--tls-auth-clients", "no");
    scratch_server *plain = online_start("plain", SCRATCH_UNIX_AND_TCP, NULL, 0);
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
    online_answer got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 3); /* `without` is closed upon, or gets no answer */
    online_expect(&got, "fit/s", "", "");
    online_expect(&got, "stranger/s", "E501", "no CA we trust");
    online_expect(&got, "other/s", "E501", "is not for other.example");
    online_expect(&got, "clear/s", "E500", "does it speak TLS at this port?");
    online_expect(&got, "without/s", "E500", "");
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
    scratch_server *primary = online_start("primary", SCRATCH_UNIX_AND_TCP, NULL, 0);
    snprintf(port, sizeof port, "%d", scratch_port(primary));
    scratch_server *replica = ONLINE_START("replica", SCRATCH_UNIX, "--replicaof", "127.0.0.1",
                                           port, "--replica-serve-stale-data", "no");
    wait_for(replica, "INFO replication", "master_link_status:up");
    snprintf(map, sizeof map, "shards:\n  p: %s\n  r: %s\n", scratch_address(primary),
             scratch_address(replica));
    online_answer got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 1);
    online_expect(&got, "default/p", "", "");
    online_expect(&got, "default/r", "E506", "it is a replica of 127.0.0.1:");
    online_expect_text(&got, "default/r", "role", "replica");
    json_decref(got.root);

    scratch_kill(primary);
    wait_for(replica, "INFO replication", "master_link_status:down");
    got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 3);
    online_expect(&got, "default/p", "E500", "no such file or directory");
    online_expect(&got, "default/r", "E506 E507", "it has lost its primary 127.0.0.1:");
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
    scratch_server *loading = ONLINE_START("loading", SCRATCH_UNIX, "--enable-debug-command",
                                           "yes");
    scratch_server *busy = ONLINE_START("busy", SCRATCH_UNIX, "--busy-reply-threshold", "1");
    scratch_server *paused = online_start("paused", SCRATCH_UNIX, NULL, 0);
    scratch_server *full = online_start("full", SCRATCH_UNIX, NULL, 0);
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
    online_answer got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 3);
    online_expect(&got, "default/loading", "E504", "it is loading its data");
    online_expect(&got, "default/busy", "E505", "BUSY");
    online_expect(&got, "default/full", "W518", "its memory is full");
    online_expect(&got, "default/paused", "E500", "");
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
    online_answer got = online_check(online_map(map));
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
    got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 1);
    online_expect(&got, "plain/s", "E509", "a node of a cluster");
    online_expect(&got, "catalog", "E519", "nobody owns 3 of the 16384 slots");
    assert_int_equal(json_array_size(json_object_get(got.root, "servers")), 4);
    json_decref(got.root);

    nodes_watch_each_other(&set);
    scratch_kill(set.servers[1]);
    nodes_wait(&set, 0, "CLUSTER NODES", "fail");
    got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 3);
    json_decref(got.root);
    nodes_stop(&set);

    scratch_server *alone = online_start("alone", SCRATCH_UNIX_AND_TCP, NULL, 0);
    snprintf(map, sizeof map, "pools:\n  catalog: {cluster: {seeds: [\"127.0.0.1:%d\"]}}\n",
             scratch_port(alone));
    RUN(&run, NULL, EVALSHARD, "check", "--online", online_map(map));
    assert_int_equal(run.exit_code, 1);
    assert_non_null(strstr(run.out, "error[E510]: it is no node of a cluster"));
    program_free(&run);
}

/* Where the pool reads from replicas, and only there. */
static void replicas_of_a_cluster_have_to_run_what_only_reads(void **state)
{
    (void)state;
    nodes set;
    char map[256];
    static const char *const rules[] = {"primary", "prefer_replica", "replica"};
    nodes_start(&set, 2, 1);
    for (size_t i = 0; i < set.count; i++)
        nodes_do(&set, i, "ACL SETUSER default -evalsha_ro");
    for (size_t i = 0; i < 3; i++) {
        snprintf(map, sizeof map,
                 "pools:\n  c: {read_from: %s, cluster: {seeds: [\"127.0.0.1:%d\"]}}\n", rules[i],
                 scratch_port(set.servers[0]));
        online_answer got = online_check(online_map(map));
        assert_int_equal(got.exit_code, i > 0);
        for (size_t k = 0; k < 2; k++)
            online_expect_at(&got, "c", scratch_port(set.servers[k]), "", "");
        online_expect_at(&got, "c", scratch_port(set.servers[2]), i > 0 ? "E512" : "",
                         i > 0 ? "give the user +evalsha_ro" : "");
        json_decref(got.root);
    }
    nodes_stop(&set);
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
    online_answer got = online_check(online_map(map));
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
    online_answer got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 1);
    online_expect(&got, "default/a", "E511 W516 E512 W514", " s behind ours");
    online_expect(&got, "default/b", "W517 W516 W520", "it is Valkey 8.0.1, but default/a at ");
    online_expect(&got, "default/c", "E503", "HTTP");
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
    scratch_server *server = online_start("full", SCRATCH_UNIX, NULL, 0);
    tell(server, "SETRANGE x 2000000 y");
    tell(server, "CONFIG SET maxmemory 1mb");
    snprintf(map, sizeof map, "shards:\n  full: %s\n", scratch_address(server));
    RUN(&run, &strict, EVALSHARD, "check", "--online", online_map(map));
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "  shard         address"));
    assert_non_null(strstr(run.out, "W518\n"));
    assert_non_null(strstr(run.out, ": warning[W518]: its memory is full"));
    assert_non_null(strstr(run.out, "\n  hint: it refuses writes (OOM)\n"));
    assert_non_null(strstr(run.out, "map.yaml: usable: map map"));
    assert_non_null(strstr(run.out, ", 1 warning\n"));
    program_free(&run);
    RUN(&run, NULL, EVALSHARD, "check", "--online", "--strict", online_map(map));
    assert_int_equal(run.exit_code, 1);
    program_free(&run);
    RUN(&run, NULL, EVALSHARD, "check", "--online", "-s", "/nowhere", online_map(map));
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
    online_answer got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 3);
    assert_int_equal(json_integer_value(json_object_get(got.root, "errors")), 100);
    online_expect(&got, "default/s99", "E500", "connection refused");
    json_decref(got.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONLINE_TEST(a_fit_server_is_described),
        ONLINE_TEST(logins_and_rights_are_told_apart),
        ONLINE_TEST(tls_says_what_it_misses),
        ONLINE_TEST(replicas_are_no_shards),
        ONLINE_TEST(servers_that_cannot_now_say_so),
        ONLINE_TEST(nodes_of_a_cluster_are_found_and_asked),
        ONLINE_TEST(replicas_of_a_cluster_have_to_run_what_only_reads),
        ONLINE_TEST(a_lost_primary_is_seen_by_the_others),
        ONLINE_TEST(odd_servers_are_described),
        ONLINE_TEST(people_get_a_table_and_hints),
        ONLINE_TEST(a_hundred_dead_servers_are_all_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
