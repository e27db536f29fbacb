/*
 * evalshard check --online against sentinels: whether they tell the primary, what each knows, and
 * that one which is down, behind or refuses us is named.
 */
#include "tests/support/fake_sentinel.h"
#include "tests/support/online.h"
#include "tests/support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t watched_field(const online_answer *got, int port, size_t watch, const char *key)
{
    const json_t *watches = json_object_get(online_sentinel(got, port), "watches");
    return json_integer_value(json_object_get(json_array_get(watches, watch), key));
}

#define LIMITS "defaults: {connect_timeout: 20s, command_timeout: 20s}\n"

/* Do those who ask for a shard wait for sentinels that tell nothing? */
#define PATIENT "wait"
#define HASTY   "fail_fast"

static const char *sentinel_map(watched *set, const char *patience, const char *more)
{
    char map[1024], group[512];
    snprintf(map, sizeof map,
             "%s" LIMITS "pools:\n  default:\n    on_shard_down: %s\n    shards:\n"
             "      a: {sentinel: eu, master_name: ledger-1}\n%s",
             watched_group(set, "", 0, group), patience, more);
    return online_map(map);
}

static void a_primary_is_found_by_its_sentinels(void **state)
{
    (void)state;
    watched set;
    watched_start(&set, NULL);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_await_settled(&set, i);
    online_answer got = online_check(
        sentinel_map(&set, PATIENT, "      b: {sentinel: eu, master_name: ledger-2}\n"));
    assert_int_equal(got.exit_code, 1);
    online_expect(&got, "default/a", "", "");
    online_expect_text(&got, "default/a", "role", "primary");
    online_expect_text(&got, "default/a", "address", "sentinel:eu/ledger-1");
    online_expect(&got, "default/b", "E521", "no primary of that name is watched");
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        online_expect_sentinel(&got, set.ports[i], "E521 N529", "no primary of the name ledger-2");
    assert_int_equal(json_array_size(json_object_get(got.root, "servers")), 5);
    json_decref(got.root);

    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_kill_sentinel(&set, i);
    got = online_check(sentinel_map(&set, HASTY, ""));
    assert_int_equal(got.exit_code, 3);
    online_expect(&got, "default/a", "E500", "no sentinel of");
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        online_expect_sentinel(&got, set.ports[i], "E500", "\"message\": \"connection refused");
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
    online_answer got = online_check(sentinel_map(&set, PATIENT, ""));
    assert_int_equal(got.exit_code, 0);
    for (size_t i = 0; i < WATCHED_SENTINELS; i++) {
        const json_t *one = online_sentinel(&got, set.ports[i]);
        const json_t *watch = json_array_get(json_object_get(one, "watches"), 0);
        online_expect_of(one, "N529", primary);
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
             LIMITS "sentinels: {eu: {addresses: [\"127.0.0.1:%d\"]}}\n"
                    "shards: {a: {sentinel: eu, master_name: ledger-1}}\n",
             set.ports[0]);
    got = online_check(online_map(one));
    assert_int_equal(got.exit_code, 0);
    online_expect_sentinel(&got, set.ports[0], "N529 N526", "it knows 2 other sentinels");
    json_decref(got.root);

    watched_tell_sentinel(&set, 0, "ACL SETUSER default -sentinel|master");
    watched_tell_sentinel(&set, 1, "ACL SETUSER default -sentinel|get-master-addr-by-name");
    watched_tell_sentinel(&set, 2, "SENTINEL SET ledger-1 quorum 3");
    got = online_check(sentinel_map(&set, PATIENT, ""));
    assert_int_equal(got.exit_code, 1);
    online_expect_sentinel(&got, set.ports[0], "W523 N529", "+sentinel|master");
    online_expect_sentinel(&got, set.ports[1], "E523", "+sentinel|get-master-addr-by-name");
    online_expect_sentinel(&got, set.ports[2], "N529", "quorum 3");
    json_decref(got.root);

    watched_tell_sentinel(&set, 0, "ACL SETUSER default +sentinel|master");
    watched_tell_sentinel(&set, 1, "ACL SETUSER default +sentinel|get-master-addr-by-name");
    got = online_check(sentinel_map(&set, PATIENT, ""));
    assert_int_equal(got.exit_code, 0);
    online_expect_sentinel(&got, set.ports[2], "N529 W528", "its quorum for ledger-1 is 3");
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
        online_answer got = online_check(sentinel_map(&set, HASTY, ""));
        assert_int_equal(got.exit_code, 3);
        online_expect_sentinel(&got, set.ports[0], "E500", "connection refused");
        char *text = json_dumps(json_object_get(online_sentinel(&got, set.ports[2]), "findings"),
                                0);
        found = strstr(text, "E524") != NULL && strstr(text, "NOQUORUM") != NULL &&
                strstr(text, "W527") != NULL;
        free(text);
        json_decref(got.root);
    }
    watched_stop(&set);
}

/* ---- sentinels that say what they are told to ---- */

static scratch_server *start_primary(const char *name)
{
    return online_start(name, SCRATCH_UNIX_AND_TCP, NULL, 0);
}

static const char *told_map(fake_sentinel *const all[3], const char *patience)
{
    char map[512];
    snprintf(map, sizeof map,
             "sentinels: {eu: {addresses: [\"127.0.0.1:%d\", \"127.0.0.1:%d\", "
             "\"127.0.0.1:%d\"]}}\n" LIMITS "pools: {default: {on_shard_down: %s, "
             "shards: {a: {sentinel: eu, master_name: m}}}}\n",
             fake_sentinel_port(all[0]), fake_sentinel_port(all[1]), fake_sentinel_port(all[2]),
             patience);
    return online_map(map);
}

/* A round without any answer is one that calls wait behind, and so does the check. */
static void sentinels_may_be_slow_where_calls_wait_for_them(void **state)
{
    (void)state;
    static const struct {
        const char *patience, *codes, *part;
        int exit_code;
    } rows[] = {{PATIENT, "", "", 0}, {HASTY, "E500", "no sentinel of", 3}};
    scratch_server *server = start_primary("late");
    for (size_t i = 0; i < 2; i++) {
        fake_sentinel *all[3];
        for (int k = 0; k < 3; k++) {
            all[k] = fake_sentinel_start();
            fake_sentinel_know(all[k], "m", scratch_port(server), 1);
            fake_sentinel_miss(all[k], 1);
        }
        online_answer got = online_check(told_map(all, rows[i].patience));
        online_expect(&got, "default/a", rows[i].codes, rows[i].part);
        assert_int_equal(got.exit_code, rows[i].exit_code);
        json_decref(got.root);
        for (int k = 0; k < 3; k++)
            fake_sentinel_stop(all[k]);
    }
}

/* By the word of two, and of one that is behind. */
static void sentinels_that_contradict_each_other_are_named(void **state)
{
    (void)state;
    char map[512];
    fake_sentinel *all[3];
    scratch_server *server = start_primary("told");
    scratch_server *other = start_primary("other");
    for (int i = 0; i < 3; i++) {
        all[i] = fake_sentinel_start();
        fake_sentinel_know(all[i], "m", scratch_port(i < 2 ? server : other), 2 - i);
    }
    online_answer got = online_check(told_map(all, PATIENT));
    assert_int_equal(got.exit_code, 1);
    online_expect(&got, "default/a", "", "");
    online_expect_sentinel(&got, fake_sentinel_port(all[0]), "W513 N529 W526", "0 other sentinels");
    online_expect_sentinel(&got, fake_sentinel_port(all[2]), "W513 N529 E525 W526",
                           "but 2 of 3 say 127.0.0.1:");
    json_decref(got.root);
    for (int i = 0; i < 3; i++)
        fake_sentinel_stop(all[i]);

    snprintf(map, sizeof map,
             "sentinels: {eu: {addresses: [\"127.0.0.1:%d\"]}}\n" LIMITS
             "pools: {p: {on_shard_down: fail_fast, "
             "shards: {a: {sentinel: eu, master_name: m}}}}\n",
             scratch_port(server));
    got = online_check(online_map(map));
    assert_int_equal(got.exit_code, 3); /* nobody tells where the shard is */
    online_expect_sentinel(&got, scratch_port(server), "E522", "it is no Sentinel");
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
                 "%sdefaults: {connect_timeout: %s, command_timeout: 20s}\n"
                 "pools: {p: {on_shard_down: fail_fast, "
                 "shards: {a: {sentinel: eu, master_name: ledger-1}}}}\n",
                 watched_group(&set, rows[i].more, 0, group), rows[i].time);
        online_answer got = online_check_with(&how, online_map(map), NULL);
        for (size_t k = 0; k < WATCHED_SENTINELS; k++)
            online_expect_sentinel(&got, set.ports[k], rows[i].codes, rows[i].part);
        json_decref(got.root);
    }
    watched_stop(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONLINE_TEST(a_primary_is_found_by_its_sentinels),
        ONLINE_TEST(each_sentinel_says_what_it_knows),
        ONLINE_TEST(too_few_sentinels_are_found_out),
        ONLINE_TEST(sentinels_may_be_slow_where_calls_wait_for_them),
        ONLINE_TEST(sentinels_that_contradict_each_other_are_named),
        ONLINE_TEST(logins_of_sentinels_are_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
