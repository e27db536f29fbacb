/*
 * evalshard check --online visits the replicas behind sentinels where the map reads from them: what
 * keeps a client from reading there is named, and nobody else is visited.
 */
#include "tests/support/fake_sentinel.h"
#include "tests/support/online.h"
#include "tests/support/scene.h"
#include "tests/support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECKER "ACL SETUSER checker on >s3cret ~* +@all"

enum { MOST_TRIES = 10000 };

static watched set;

/* ---- servers that real sentinels watch, and a user of theirs ---- */

static int port_of(size_t server)
{
    return scratch_port(set.servers[server]);
}

static online_answer check_as(const char *read_from, const char *more, const char *scripts)
{
    char map[1024], group[512];
    const program_how how = {.settings = {"RIGHT=s3cret"}};
    snprintf(map, sizeof map,
             "%sdefaults: {connect_timeout: 20s, command_timeout: 20s%s}\n"
             "pools:\n  p:\n    shards:\n      a: {sentinel: eu, master_name: ledger-1}\n"
             "    read_from: %s\n",
             watched_group(&set, "", 0, group), more, read_from);
    return online_check_with(&how, online_map(map), scripts);
}

static online_answer check(const char *read_from)
{
    return check_as(read_from, ", auth: {username: checker, password_env: RIGHT}", NULL);
}

static void expect_exit(const online_answer *got, int code)
{
    if (got->exit_code != code)
        fail_msg("exit code %d instead of %d: %s", got->exit_code, code,
                 json_dumps(json_object_get(got->root, "servers"), JSON_INDENT(1)));
}

static size_t count(const online_answer *got)
{
    return json_array_size(json_object_get(got->root, "servers"));
}

static const char *may_read(const json_t *server)
{
    const json_t *may = json_object_get(server, "may_run_read_only_scripts");
    return json_is_null(may) ? "unknown" : json_is_true(may) ? "yes" : "no";
}

static int set_up(void **state)
{
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        watched_number(&set, i, CHECKER);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_await_settled(&set, i);
    return online_set_up(state);
}
#define CHECKED(test) cmocka_unit_test_setup_teardown(test, set_up, online_tear_down)

static void replicas_that_are_read_from_are_visited(void **state)
{
    (void)state;
    static const char *const rules[] = {"prefer_replica", "replica"};
    for (size_t i = 0; i < 2; i++) {
        online_answer got = check(rules[i]);
        expect_exit(&got, 0);
        assert_int_equal(count(&got), 1 + 2 + WATCHED_SENTINELS);
        online_expect(&got, "p/a", "", "");
        assert_string_equal(may_read(online_server(&got, "p/a")), "unknown");
        for (size_t k = 1; k < WATCHED_SERVERS; k++) {
            const json_t *one = online_server_at(&got, "p/a", port_of(k));
            online_expect_of(one, "", "");
            assert_string_equal(json_string_value(json_object_get(one, "role")), "replica");
            assert_string_equal(may_read(one), "yes");
            assert_true(json_is_integer(json_object_get(one, "skew_ms")));
        }
        json_decref(got.root);
    }
}

static void others_are_not_visited(void **state)
{
    (void)state;
    watched_number(&set, 1, "CONFIG RESETSTAT");
    online_answer got = check("primary");
    expect_exit(&got, 0);
    assert_int_equal(count(&got), 1 + WATCHED_SENTINELS);
    json_decref(got.root);
    redisReply *reply = redisCommand(set.links[1], "INFO commandstats");
    assert_non_null(reply);
    assert_null(strstr(reply->str, "cmdstat_evalsha"));
    assert_null(strstr(reply->str, "cmdstat_time:"));
    freeReplyObject(reply);
}

/* As on any server. */
static void scripts_that_a_replica_lacks_are_counted(void **state)
{
    (void)state;
    online_answer got = check_as("replica", "", EVS_TEST_SOURCE_DIR "/scripts/lib/lock");
    expect_exit(&got, 0);
    online_expect_at(&got, "p/a", port_of(1), "N515", "2 of 2 scripts are not loaded");
    json_decref(got.root);
}

static void what_a_user_may_not_do_there_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *codes, *part;
    } rows[] = {
        {"-evalsha_ro", "E512", "scripts that only read cannot be run: "},
        {"-evalsha", "E512", "give the user +evalsha\""},
        {"-role", "E533", "give the user +role"},
        {"-script|load", "W514", "give the user +script|load"},
        {"-info", "W513", "give the user +info"},
        {"off", "E502", ""},
        {"resetpass >other", "E502", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char command[80];
        snprintf(command, sizeof command, "ACL SETUSER checker %s", rows[i].rules);
        watched_number(&set, 1, command);
        online_answer got = check("prefer_replica");
        expect_exit(&got, rows[i].codes[0] == 'E');
        online_expect_at(&got, "p/a", port_of(1), rows[i].codes, rows[i].part);
        online_expect_at(&got, "p/a", port_of(2), "", "");
        online_expect(&got, "p/a", "", "");
        json_decref(got.root);
        watched_number(&set, 1, "ACL DELUSER checker");
        watched_number(&set, 1, CHECKER);
    }
    watched_number(&set, 1, "ACL DELUSER checker");
    online_answer got = check("replica");
    expect_exit(&got, 1);
    online_expect_at(&got, "p/a", port_of(1), "E502", "");
    json_decref(got.root);
}

/* Has every sentinel said so of that replica? None of them visits it then. */
static int is_left_out(const online_answer *got, int port)
{
    char part[40];
    int said = 1;
    snprintf(part, sizeof part, "at 127.0.0.1:%d is not", port);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++) {
        const json_t *one = online_sentinel(got, set.ports[i]);
        char *text = json_dumps(json_object_get(one, "findings"), 0);
        said &= strstr(text, "W535") != NULL && strstr(text, part) != NULL;
        free(text);
    }
    return said;
}

/* A sentinel notices after a moment; until it does the replica may be visited, and is E500. */
static void await_left_out(int port)
{
    int found = 0;
    for (int tries = 0; !found && tries < MOST_TRIES; tries++) {
        online_answer got = check("prefer_replica");
        found = is_left_out(&got, port);
        json_decref(got.root);
        scene_pause();
    }
    assert_true(found);
}

/* The last test: one server after the other is killed. */
static void replicas_that_are_gone_are_left_out_and_named(void **state)
{
    (void)state;
    int first = port_of(1), second = port_of(2);
    scratch_kill(set.servers[1]);
    await_left_out(first);
    online_answer got = check("replica");
    expect_exit(&got, 0);
    assert_int_equal(count(&got), 1 + 1 + WATCHED_SENTINELS);
    online_expect_at(&got, "p/a", second, "", "");
    json_decref(got.root);

    scratch_kill(set.servers[2]);
    await_left_out(second);
    got = check("prefer_replica");
    expect_exit(&got, 0);
    assert_int_equal(count(&got), 1 + WATCHED_SENTINELS);
    online_expect(&got, "p/a", "W536", "name no replica that can be read from");
    json_decref(got.root);
    got = check("replica");
    expect_exit(&got, 1);
    online_expect(&got, "p/a", "E536", "read_from: replica");
    json_decref(got.root);
}

/* ---- sentinels that say what they are told to ---- */

/* Three, of which each knows that primary. */
typedef struct told {
    fake_sentinel *all[3];
    scratch_server *primary;
} told;

static scratch_server *start_primary(const char *name)
{
    return ONLINE_START(name, SCRATCH_UNIX_AND_TCP, "--repl-diskless-sync-delay", "0");
}

static void tell(told *t)
{
    t->primary = start_primary("primary");
    for (int i = 0; i < 3; i++) {
        t->all[i] = fake_sentinel_start();
        fake_sentinel_know(t->all[i], "m", scratch_port(t->primary), 1);
    }
}

static void list_by(const told *t, int from, int to, int port, const char *flags, const char *link)
{
    for (int i = from; i < to; i++)
        fake_sentinel_list(t->all[i], "m", port, flags, link);
}

static online_answer check_told(const told *t, const char *read_from)
{
    char map[512];
    snprintf(
        map, sizeof map,
        "defaults: {connect_timeout: 20s, command_timeout: 20s}\n"
        "sentinels: {eu: {addresses: [\"127.0.0.1:%d\", \"127.0.0.1:%d\", \"127.0.0.1:%d\"]}}\n"
        "pools: {p: {read_from: %s, shards: {a: {sentinel: eu, master_name: m}}}}\n",
        fake_sentinel_port(t->all[0]), fake_sentinel_port(t->all[1]), fake_sentinel_port(t->all[2]),
        read_from);
    return online_check(online_map(map));
}

static void stop(told *t)
{
    for (int i = 0; i < 3; i++)
        fake_sentinel_stop(t->all[i]);
}

static scratch_server *start_replica(const char *name, const scratch_server *of)
{
    char port[16];
    snprintf(port, sizeof port, "%d", scratch_port(of));
    scratch_server *replica = ONLINE_START(name, SCRATCH_UNIX_AND_TCP, "--replicaof", "127.0.0.1",
                                           port, "--dbfilename", name, "--repl-diskless-sync-delay",
                                           "0");
    redisContext *link = redisConnectUnix(scratch_socket(replica));
    int up = 0;
    for (int tries = 0; !up && tries < MOST_TRIES; tries++) {
        redisReply *reply = redisCommand(link, "INFO replication");
        assert_non_null(reply);
        up = reply->str != NULL && strstr(reply->str, "master_link_status:up") != NULL;
        freeReplyObject(reply);
        scene_pause();
    }
    assert_true(up);
    redisFree(link);
    return replica;
}

/* Nobody else is visited; and what does not answer is found, if sentinels believe in it. */
static void most_sentinels_decide_who_is_visited(void **state)
{
    (void)state;
    told t;
    tell(&t);
    int vanished = scene_free_port();
    scratch_server *replica = start_replica("replica", t.primary);
    scratch_server *unread = start_replica("unread", t.primary);
    list_by(&t, 0, 3, scratch_port(replica), "slave", "ok");
    list_by(&t, 0, 3, vanished, "slave", "ok");
    list_by(&t, 0, 1, scratch_port(unread), "slave", "ok");
    list_by(&t, 1, 2, scratch_port(unread), "s_down,slave", "ok");
    list_by(&t, 2, 3, scratch_port(unread), "slave", "err");
    online_answer got = check_told(&t, "prefer_replica");
    expect_exit(&got, 3);
    assert_int_equal(count(&got), 1 + 2 + 3);
    online_expect_at(&got, "p/a", scratch_port(replica), "", "");
    online_expect_at(&got, "p/a", vanished, "E500", "connection refused");
    online_expect_sentinel(&got, fake_sentinel_port(t.all[0]), "W513 N529 W526", "");
    online_expect_sentinel(&got, fake_sentinel_port(t.all[1]), "W513 W535 N529 W526",
                           "(shard p/a): a sentinel takes it for down");
    online_expect_sentinel(&got, fake_sentinel_port(t.all[2]), "W513 W535 N529 W526",
                           "(shard p/a): its link to the primary is down");
    json_decref(got.root);
    stop(&t);
}

static void what_is_no_replica_of_the_primary_is_named(void **state)
{
    (void)state;
    told t;
    tell(&t);
    scratch_server *other = start_primary("other");
    scratch_server *strange = start_replica("strange", other);
    scratch_server *chained = start_replica("chained", start_replica("replica", t.primary));
    scratch_server *lost = start_replica("lost", t.primary);
    redisContext *link = redisConnectUnix(scratch_socket(lost));
    freeReplyObject(redisCommand(link, "REPLICAOF 127.0.0.1 %d", scene_free_port()));
    redisFree(link);
    list_by(&t, 0, 3, scratch_port(other), "slave", "ok");
    list_by(&t, 0, 3, scratch_port(strange), "slave", "ok");
    list_by(&t, 0, 3, scratch_port(chained), "slave", "ok");
    list_by(&t, 0, 3, scratch_port(lost), "slave", "ok");
    online_answer got = check_told(&t, "replica");
    expect_exit(&got, 1);
    online_expect_at(&got, "p/a", scratch_port(other), "E534", "(ROLE: master)");
    online_expect_at(&got, "p/a", scratch_port(strange), "E534", "whose data is not that of");
    online_expect_at(&got, "p/a", scratch_port(chained), "", "");
    online_expect_at(&got, "p/a", scratch_port(lost), "W507", "it has lost its primary");
    json_decref(got.root);
    stop(&t);
}

int main(void)
{
    const struct CMUnitTest real[] = {
        CHECKED(replicas_that_are_read_from_are_visited),
        CHECKED(others_are_not_visited),
        CHECKED(scripts_that_a_replica_lacks_are_counted),
        CHECKED(what_a_user_may_not_do_there_is_named),
        CHECKED(replicas_that_are_gone_are_left_out_and_named),
    };
    const struct CMUnitTest told_so[] = {
        ONLINE_TEST(most_sentinels_decide_who_is_visited),
        ONLINE_TEST(what_is_no_replica_of_the_primary_is_named),
    };
    int failed = cmocka_run_group_tests(told_so, NULL, NULL);
    watched_start(&set, NULL);
    failed += cmocka_run_group_tests(real, NULL, NULL);
    watched_stop(&set);
    return failed;
}
