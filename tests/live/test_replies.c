/*
 * What Lua values become on their way to the caller, over RESP2 and RESP3, as real servers convert
 * them; and replies over a limit, which cost no connection.
 */
#include "core/mem.h"
#include "tests/support/shards.h"
#include "tests/support/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Two clients on the same shard, the other one with RESP3. */
typedef struct pair {
    shards set;
    evs_client *resp3;
} pair;

static int start(void **state)
{
    static pair both;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    shards_start(&both.set, 1, NULL);
    options.protocol = 3;
    if (evs_client_open(&both.resp3, both.set.map, both.set.registry, &options, NULL) != EVS_OK)
        return -1;
    *state = &both;
    return 0;
}

static int stop(void **state)
{
    pair *both = *state;
    evs_client_free(both->resp3);
    shards_stop(&both->set);
    return 0;
}

static const struct conversion {
    const char *lua, *resp2, *resp3;
} conversions[] = {
    {"return nil", "nil", "nil"},
    {"return", "nil", "nil"},
    {"return function() end", "nil", "nil"},
    {"return cjson.null", "nil", "nil"},
    {"return true", "1", "1"},
    {"return false", "nil", "nil"},
    {"redis.setresp(3); return true", "1", "true"},
    {"redis.setresp(3); return false", "0", "false"},
    {"return 3.99", "3", "3"},
    {"return -3.99", "-3", "-3"},
    {"return 2^53 + 2", "9007199254740994", "9007199254740994"},
    {"return 2^63", "-9223372036854775808", "-9223372036854775808"},
    {"return 'a\\0b\\r\\n'", "\"a\\x00b\\r\\n\"", "\"a\\x00b\\r\\n\""},
    {"return ''", "\"\"", "\"\""},
    {"return {1, 2, '3'}", "[1 2 \"3\"]", "[1 2 \"3\"]"},
    {"return {1, nil, 3}", "[1]", "[1]"},
    {"return {1, false, 3}", "[1 nil 3]", "[1 nil 3]"},
    {"return {a = 1}", "[]", "[]"},
    {"return {1, 2, a = 3}", "[1 2]", "[1 2]"},
    {"return {}", "[]", "[]"},
    {"return {ok = 'FINE'}", "+FINE", "+FINE"},
    {"return {{ok = 'FINE'}, {err = 'E x'}}", "[+FINE -E x]", "[+FINE -E x]"},
    {"return {double = 3.25}", "\"3.25\"", ",3.25"},
    {"return {double = -0.1}", "\"-0.10000000000000001\"", ",-0.10000000000000001"},
    {"return {double = 1/0}", "\"inf\"", ",inf"},
    {"return {double = -1/0}", "\"-inf\"", ",-inf"},
    {"return {map = {a = 1}}", "[\"a\" 1]", "{\"a\" 1}"},
    {"return {map = {}}", "[]", "{}"},
    {"return {map = {[7] = {map = {b = {double = 0.5}}}}}", "[7 [\"b\" \"0.5\"]]",
     "{7 {\"b\" ,0.5}}"},
    {"return {set = {x = true}}", "[\"x\"]", "<\"x\">"},
    {"return {set = {}}", "[]", "<>"},
    {"return {big_number = '1234567890123456789012345678901234567890'}",
     "\"1234567890123456789012345678901234567890\"", "(1234567890123456789012345678901234567890"},
    {"return {verbatim_string = {format = 'txt', string = 'hi'}}", "\"hi\"", "txt:\"hi\""},
    {"return {{{{{map = {k = {set = {s = true}}}}}}}}", "[[[[[\"k\" [\"s\"]]]]]]",
     "[[[[{\"k\" <\"s\">}]]]]"},
    {"return {map = {e = {err = 'E inside'}}}", "[\"e\" -E inside]", "{\"e\" -E inside}"},
    {"redis.call('HSET', KEYS[1], 'f', 'v'); return redis.call('HGETALL', KEYS[1])",
     "[\"f\" \"v\"]", "[\"f\" \"v\"]"},
    {"redis.setresp(3); return redis.call('HGETALL', KEYS[1])", "[\"f\" \"v\"]", "{\"f\" \"v\"}"},
    {"redis.setresp(3); return redis.call('HGET', KEYS[1], 'none')", "nil", "nil"},
    {"return redis.call('HGET', KEYS[1], 'none')", "nil", "nil"},
    {"return redis.status_reply('QUITE')", "+QUITE", "+QUITE"},
};

static evs_status call(evs_reply **reply, evs_client *client, const char *name, evs_error *err)
{
    evs_bytes key = evs_text("{hash}");
    evs_invocation invocation = {.script = name, .keys = &key, .nkeys = 1, .timeout_ms = 20000};
    return evs_call(reply, client, &invocation, err);
}

static char *called(evs_client *client, const char *name)
{
    evs__buf text = EVS__BUF_INIT;
    evs_reply *reply = NULL;
    evs_error err = {0};
    if (call(&reply, client, name, &err) != EVS_OK)
        fail_msg("%s", err.message);
    stream_show(&text, reply);
    evs_reply_free(reply);
    return evs__buf_take(&text);
}

static void lua_values_become_replies(void **state)
{
    pair *both = *state;
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++) {
        char name[24];
        snprintf(name, sizeof name, "value/%zu", i);
        shards_script(&both->set, name, conversions[i].lua);
        char *resp2 = called(both->set.client, name), *resp3 = called(both->resp3, name);
        if (strcmp(resp2, conversions[i].resp2) != 0 || strcmp(resp3, conversions[i].resp3) != 0)
            fail_msg("%s: %s over RESP2, %s over RESP3", conversions[i].lua, resp2, resp3);
        evs__free(resp2);
        evs__free(resp3);
    }
}

static void errors_are_errors_over_both(void **state)
{
    pair *both = *state;
    evs_client *clients[] = {both->set.client, both->resp3};
    shards_script(&both->set, "error", "return {err = 'MY error'}");
    for (size_t i = 0; i < 2; i++) {
        evs_reply *reply = NULL;
        evs_error err = {0};
        assert_int_equal(call(&reply, clients[i], "error", &err), EVS_E_SCRIPT);
        assert_int_equal(evs_reply_kind(reply), EVS_REPLY_ERROR);
        assert_string_equal(evs_reply_bytes(reply).data, "MY error");
        assert_int_equal(err.outcome, EVS_EXECUTED);
        evs_reply_free(reply);
    }
}

/* Redis 7.0 says -nan, later ones nan: both are numbers that are none. */
static void not_a_number_is_a_double(void **state)
{
    pair *both = *state;
    evs_client *clients[] = {both->set.client, both->resp3};
    shards_script(&both->set, "nan", "return {double = 0/0}");
    for (size_t i = 0; i < 2; i++) {
        evs_reply *reply = NULL;
        double number = 0;
        assert_int_equal(call(&reply, clients[i], "nan", NULL), EVS_OK);
        assert_int_equal(evs_reply_double(&number, reply, NULL), EVS_OK);
        assert_true(number != number);
        evs_reply_free(reply);
    }
}

/* One program reads both. */
static void conversions_do_not_mind_the_protocol(void **state)
{
    pair *both = *state;
    evs_client *clients[] = {both->set.client, both->resp3};
    shards_script(&both->set, "profile",
                  "return {map = {score = {double = 2.5}, visits = 12, name = 'ann'}}");
    for (size_t i = 0; i < 2; i++) {
        evs_reply *reply = NULL;
        double score;
        int64_t visits;
        evs_bytes name;
        assert_int_equal(call(&reply, clients[i], "profile", NULL), EVS_OK);
        assert_int_equal(
            evs_reply_double(&score, evs_reply_map_get(reply, evs_text("score")), NULL), EVS_OK);
        assert_int_equal(evs_reply_int(&visits, evs_reply_map_get(reply, evs_text("visits")), NULL),
                         EVS_OK);
        assert_int_equal(evs_reply_str(&name, evs_reply_map_get(reply, evs_text("name")), NULL),
                         EVS_OK);
        assert_true(score > 2.4 && score < 2.6);
        assert_int_equal(visits, 12);
        assert_string_equal(name.data, "ann");
        evs_reply_free(reply);
    }
}

static void replies_over_a_limit_cost_no_connection(void **state)
{
    pair *both = *state;
    static const struct {
        const char *name, *lua;
        evs_status status;
    } rows[] = {
        {"deep/40", "local t = {} for i = 1, 39 do t = {t} end return t", EVS_OK},
        {"deep/41", "local t = {} for i = 1, 40 do t = {t} end return t", EVS_E_REPLY_TOO_DEEP},
        {"deep/map", "local t = {} for i = 1, 40 do t = {map = {k = t}} end return t",
         EVS_E_REPLY_TOO_DEEP},
        {"big/string", "return string.rep('x', 100000)", EVS_E_REPLY_TOO_BIG},
        {"big/array", "local t = {} for i = 1, 5000 do t[i] = i end return t", EVS_E_REPLY_TOO_BIG},
        {"big/set", "local t = {} for i = 1, 5000 do t[i] = true end return {set = t}",
         EVS_E_REPLY_TOO_BIG},
        {"fine", "return 'fine'", EVS_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        shards_script(&both->set, rows[i].name, rows[i].lua);
    for (unsigned protocol = 2; protocol <= 3; protocol++) {
        evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
        evs_client *client = NULL;
        options.protocol = protocol;
        options.max_reply_depth = 40;
        options.max_reply_bytes = 16384;
        assert_int_equal(
            evs_client_open(&client, both->set.map, both->set.registry, &options, NULL), EVS_OK);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            evs_reply *reply = NULL;
            evs_error err = {0};
            evs_status status = call(&reply, client, rows[i].name, &err);
            if (status != rows[i].status)
                fail_msg("%s over RESP%u: %s", rows[i].name, protocol, err.message);
            assert_int_equal(status == EVS_OK ? EVS_EXECUTED : err.outcome, EVS_EXECUTED);
            evs_reply_free(reply);
        }
        evs_client_stats stats;
        evs_client_stats_get(&stats, client);
        assert_int_equal(stats.connects, 1);
        evs_client_free(client);
    }
}

/* As servers older than 6.0 are. */
static void a_server_without_hello_speaks_resp2(void **state)
{
    static const char *const config[] = {"--rename-command", "HELLO", "nohello"};
    scratch_options how = {SCRATCH_UNIX, config, 3};
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    scratch *area;
    scratch_server *server;
    shards old = {.count = 0};
    evs_client *client = NULL;
    (void)state;
    assert_int_equal(scratch_new(&area), SCRATCH_OK);
    assert_int_equal(scratch_start(&server, area, "old", &how), SCRATCH_OK);
    const char *address = scratch_address(server);
    shards_open(&old, &address, 1, NULL);
    old.area = area;
    shards_script(&old, "map", "return {map = {a = 1}}");
    options.protocol = 3;
    assert_int_equal(evs_client_open(&client, old.map, old.registry, &options, NULL), EVS_OK);
    char *text = called(client, "map");
    assert_string_equal(text, "[\"a\" 1]");
    evs__free(text);
    evs_client_free(client);
    shards_stop(&old);
}

static void there_is_no_protocol_4(void **state)
{
    pair *both = *state;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    evs_client *client = NULL;
    evs_error err;
    options.protocol = 4;
    assert_int_equal(evs_client_open(&client, both->set.map, both->set.registry, &options, &err),
                     EVS_E_INVALID);
    assert_string_equal(err.message, "protocol 4; there is RESP2 and RESP3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lua_values_become_replies),
        cmocka_unit_test(errors_are_errors_over_both),
        cmocka_unit_test(not_a_number_is_a_double),
        cmocka_unit_test(conversions_do_not_mind_the_protocol),
        cmocka_unit_test(replies_over_a_limit_cost_no_connection),
        cmocka_unit_test(a_server_without_hello_speaks_resp2),
        cmocka_unit_test(there_is_no_protocol_4),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
