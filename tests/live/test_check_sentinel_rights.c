/*
 * evalshard check --online finds out what a user of real sentinels may not do that a client needs;
 * and with the rights that the manual names, nothing is missing for either.
 */
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

#define REPLICA_CHANNELS "&+slave &+sdown &-sdown &+slave-reconf-done &+convert-to-slave &+reboot"

enum { CHANNELS = 7 };

/* What docs/shard-map.md says, and INFO for the check. */
static const watched_options options = {
    .users = "user checker on >s3cret resetchannels -@all +info "
             "+sentinel|get-master-addr-by-name +sentinel|master +sentinel|replicas +subscribe "
             "&+switch-master " REPLICA_CHANNELS "\n",
};

static watched set;

static const char *map_of(const char *read_from, char out[1024])
{
    char group[512];
    snprintf(out, 1024,
             "%sdefaults: {connect_timeout: 20s, command_timeout: 20s}\n"
             "pools:\n  p:\n    shards:\n      a: {sentinel: eu, master_name: ledger-1}\n"
             "    read_from: %s\n",
             watched_group(&set, ", auth: {username: checker, password_env: RIGHT}", 0, group),
             read_from);
    return out;
}

static online_answer check(const char *read_from)
{
    char map[1024];
    const program_how how = {.settings = {"RIGHT=s3cret"}};
    return online_check_with(&how, online_map(map_of(read_from, map)), NULL);
}

static void change(size_t sentinel, const char *rules)
{
    char command[512];
    snprintf(command, sizeof command, "ACL SETUSER checker %s", rules);
    watched_tell_sentinel(&set, sentinel, command);
}

/* What the one sentinel is told to take away, and the check to find of it. */
typedef struct row {
    const char *rules, *codes, *part;
} row;

static void check_rows(const char *read_from, int exit_code, const row rows[WATCHED_SENTINELS])
{
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        change(i, rows[i].rules);
    online_answer got = check(read_from);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        online_expect_sentinel(&got, set.ports[i], rows[i].codes, rows[i].part);
    assert_int_equal(got.exit_code, exit_code);
    json_decref(got.root);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        change(i, "+sentinel|get-master-addr-by-name +sentinel|master +sentinel|replicas "
                  "+subscribe resetchannels &+switch-master " REPLICA_CHANNELS);
}

static void nothing_is_missing_with_the_rights_of_the_manual(void **state)
{
    (void)state;
    static const row rows[] = {{"on", "N529", ""}, {"on", "N529", ""}, {"on", "N529", ""}};
    check_rows("primary", 0, rows);
    check_rows("prefer_replica", 0, rows);
    check_rows("replica", 0, rows);
}

static void a_right_that_is_missing_is_named(void **state)
{
    (void)state;
    static const row strict[] = {
        {"on", "N529", ""},
        {"-sentinel|replicas", "E530 N529", "+sentinel|replicas"},
        {"-subscribe", "W531 W532 N529", "+subscribe"},
    };
    static const row lenient[] = {
        {"-sentinel|replicas", "W530 N529", "shard p/a is read from (read_from: prefer_replica)"},
        {"resetchannels &+switch-master", "W532 N529",
         "listen to +slave +sdown -sdown +slave-reconf-done +convert-to-slave +reboot: NOPERM"},
        {"resetchannels " REPLICA_CHANNELS, "W531 N529", "listen to +switch-master: NOPERM"},
    };
    static const row single[] = {
        {"resetchannels &+switch-master &+slave &+sdown &+slave-reconf-done &+convert-to-slave "
         "&+reboot",
         "W532 N529", "listen to -sdown: NOPERM"},
        {"-sentinel|get-master-addr-by-name", "E523", "+sentinel|get-master-addr-by-name"},
        {"-sentinel|master", "W523 N529", "+sentinel|master"},
    };
    check_rows("replica", 1, strict);
    check_rows("prefer_replica", 0, lenient);
    check_rows("prefer_replica", 1, single);
}

/* Where replicas are not read from, nobody needs to hear of them. */
static void what_is_not_needed_is_not_asked_for(void **state)
{
    (void)state;
    static const row rows[] = {
        {"-sentinel|replicas", "N529", ""},
        {"resetchannels &+switch-master", "N529", ""},
        {"-subscribe", "W531 N529", "&+switch-master"},
    };
    check_rows("primary", 0, rows);
}

/* Of the server, not of its sentinels. */
static void a_primary_that_does_not_tell_its_role_is_named(void **state)
{
    (void)state;
    size_t primary = watched_primary(&set, 0);
    watched_number(&set, primary, "ACL SETUSER default -role");
    online_answer got = check("primary");
    watched_number(&set, primary, "ACL SETUSER default +role");
    assert_int_equal(got.exit_code, 1);
    online_expect(&got, "p/a", "E533", "give the user +role");
    json_decref(got.root);
}

/* ---- and a client ---- */

/* Has the sentinel a client of that user that listens to all of it? */
static int is_listened_to(redisContext *link)
{
    char word[16];
    int found = 0;
    redisReply *reply = redisCommand(link, "CLIENT LIST");
    assert_non_null(reply);
    snprintf(word, sizeof word, " sub=%d ", CHANNELS);
    char *rest = reply->str;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        found |= strstr(line, "user=checker") != NULL && strstr(line, word) != NULL;
    freeReplyObject(reply);
    return found;
}

static void a_client_listens_to_what_the_check_tries(void **state)
{
    (void)state;
    char yaml[1100], map_text[1024];
    evs_error err;
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
    evs_reply *reply = NULL;
    evs_client_options threaded = EVS_CLIENT_OPTIONS_INIT;
    const evs_bytes words[] = {evs_text("GET"), evs_text("k")};
    const evs_plain_command get = {.args = words, .nargs = 2, .timeout_ms = 120000};
    threaded.threaded = 1;
    setenv("RIGHT", "s3cret", 1);
    snprintf(yaml, sizeof yaml, "evalshard: 1\n%s", map_of("replica", map_text));
    if (evs_shardmap_parse(&map, evs_text(yaml), "test.yaml", NULL, &err) != EVS_OK ||
        evs_registry_new(&registry, NULL, &err) != EVS_OK ||
        evs_client_open(&client, map, registry, &threaded, &err) != EVS_OK ||
        evs_command(&reply, client, &get, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_reply_free(reply);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++) {
        redisContext *link = redisConnect("127.0.0.1", set.ports[i]);
        assert_true(link != NULL && link->err == 0);
        while (!is_listened_to(link))
            scene_pause();
        redisFree(link);
    }
    evs_client_free(client);
    evs_registry_free(registry);
    evs_shardmap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONLINE_TEST(nothing_is_missing_with_the_rights_of_the_manual),
        ONLINE_TEST(a_right_that_is_missing_is_named),
        ONLINE_TEST(what_is_not_needed_is_not_asked_for),
        ONLINE_TEST(a_primary_that_does_not_tell_its_role_is_named),
        ONLINE_TEST(a_client_listens_to_what_the_check_tries),
    };
    watched_start(&set, &options);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_await_settled(&set, i);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    watched_stop(&set);
    return failed;
}
