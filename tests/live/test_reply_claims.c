/*
 * What the rules about types and replies say of servers, tried on a real one: what the bad way
 * gives, and what the good way gives instead. Replies are compared as text: ":1" a number, "$x" a
 * string, "+x" a status, "-x" an error by its beginning, "nil", "[...]" a list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/one_server.h"

typedef struct claim {
    const char *code;
    const char *script; /* KEYS[1] is k, ARGV[1] is a number in it */
    const char *argument;
    const char *reply;
} claim;

static const claim claims[] = {
    {"ES501", "if redis.call('EXISTS', KEYS[1]) then return 1 end return 0", "", ":1"},
    {"ES501", "if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end return 0", "", ":0"},
    {"ES501", "if redis.call('HGETALL', KEYS[1]) then return 1 end return 0", "", ":1"},
    {"ES501", "if redis.call('LPOP', KEYS[1]) then return 1 end return 0", "", ":0"},

    {"ES502", "if ARGV[1] == 1 then return 1 end return 0", "1", ":0"},
    {"ES502", "if tonumber(ARGV[1]) == 1 then return 1 end return 0", "1", ":1"},
    {"ES502", "return ARGV[1] < 2", "1",
     "-ERR user_script:1: attempt to compare string with number"},
    {"ES502", "return redis.call('SCAN', 0)[1] == 0 and 1 or 0", "", ":0"},

    {"ES503", "if redis.call('GET', KEYS[1]) == nil then return 1 end return 0", "", ":0"},
    {"ES503", "if not redis.call('GET', KEYS[1]) then return 1 end return 0", "", ":1"},
    {"ES503", "redis.setresp(3) return redis.call('GET', KEYS[1]) == nil and 1 or 0", "", ":1"},
    {"ES503", "redis.setresp(3) return redis.call('GET', KEYS[1]) == false and 1 or 0", "", ":0"},

    {"ES504", "if redis.call('TYPE', KEYS[1]) == 'none' then return 1 end return 0", "", ":0"},
    {"ES504", "if redis.call('TYPE', KEYS[1]).ok == 'none' then return 1 end return 0", "", ":1"},
    {"ES504", "return 'x' .. redis.call('TYPE', KEYS[1])", "",
     "-ERR user_script:1: attempt to concatenate a table value"},

    {"ES505", "return ARGV[1] < '9' and 1 or 0", "10", ":1"},
    {"ES505", "return tonumber(ARGV[1]) < tonumber('9') and 1 or 0", "10", ":0"},

    {"ES506", "local r = redis.pcall('INCR', KEYS[1], 1) if r then return 1 end return 0", "",
     ":1"},
    {"ES506", "return {1, redis.pcall('INCR', KEYS[1], 1), 3}", "", "[:1 -ERR Wrong number"},
    {"ES506", "return redis.pcall('INCR', KEYS[1], 1)", "", "-ERR Wrong number of args"},
    {"ES506", "return redis.pcall('INCR', KEYS[1], 1) + 1", "",
     "-ERR user_script:1: attempt to perform arithmetic on a table value"},

    {"ES507", "return {1, nil, 3}", "", "[:1]"},
    {"ES507", "return {1, false, 3}", "", "[:1 nil :3]"},

    {"ES508", "return 3.99", "", ":3"},
    {"ES508", "return -3.99", "", ":-3"},
    {"ES508", "return tostring(3.99)", "", "$3.99"},
    {"ES508", "return 1e300", "", ":-9223372036854775808"},
    {"ES508", "return math.huge", "", ":-9223372036854775808"},
    {"ES508", "return 2 ^ 63", "", ":-9223372036854775808"},

    {"ES509", "return 9007199254740993", "", ":9007199254740992"},
    {"ES509", "return '9007199254740993'", "", "$9007199254740993"},
    {"ES509", "redis.call('SET', KEYS[1], '9007199254740992') return redis.call('INCR', KEYS[1])",
     "", ":9007199254740992"},

    {"ES510", "return 1795352481000001 .. ''", "", "$1.795352481e+15"},
    {"ES510", "return string.format('%.0f', 1795352481000001)", "", "$1795352481000001"},
    {"ES510", "return 99999999999999 .. ''", "", "$99999999999999"},
    {"ES510", "return tostring(1e14)", "", "$1e+14"},

    {"ES511", "return cjson.encode(cjson.decode('{\"id\":12345678901234567}'))", "",
     "${\"id\":1.2345678901235e+16}"},
    {"ES512", "return cjson.encode(cjson.decode('[]'))", "", "${}"},
    {"ES513", "return {count = 1}", "", "[]"},
    {"ES513", "return {1, 2, n = 2}", "", "[:1 :2]"},
    {"ES513", "return {ok = 'FINE', n = 1}", "", "+FINE"},
    {"ES514", "return {true, false}", "", "[:1 nil]"},

    {"ES515", "redis.call('SET', KEYS[1], 0.1) return redis.call('GET', KEYS[1])", "",
     "$0.10000000000000001"},
    {"ES515", "redis.call('SET', KEYS[1], 3.7) return redis.call('GET', KEYS[1])", "",
     "$3.7000000000000002"},
    {"ES515", "redis.call('SET', KEYS[1], 0.5) return redis.call('GET', KEYS[1])", "", "$0.5"},
    {"ES515", "redis.call('SET', KEYS[1], 1e17) return redis.call('GET', KEYS[1])", "", "$1e+17"},

    {"ES516", "return bit.band(2 ^ 40, 2 ^ 40)", "", ":0"},
    {"ES516", "return bit.tobit(4294967295)", "", ":-1"},

    {"ES517",
     "redis.call('HSET', KEYS[1], 'f', 'v') redis.setresp(3) "
     "return redis.call('HGETALL', KEYS[1])[1] == nil and 1 or 0",
     "", ":1"},
    {"ES517",
     "redis.call('HSET', KEYS[1], 'f', 'v') redis.setresp(3) "
     "return redis.call('HGETALL', KEYS[1]).map.f",
     "", "$v"},
    {"ES517", "redis.call('HSET', KEYS[1], 'f', 'v') return redis.call('HGETALL', KEYS[1])[1]", "",
     "$f"},

    {"ES518", "return redis.call('ZRANGE', KEYS[1], 0, 0) == '' and 1 or 0", "", ":0"},
    {"ES518", "return redis.call('TIME') * 1000", "",
     "-ERR user_script:1: attempt to perform arithmetic on a table value"},
    {"ES519", "return redis.call('GET', KEYS[1]) + 1", "",
     "-ERR user_script:1: attempt to perform arithmetic on a boolean value"},
};

static size_t print(char *out, size_t size, const redisReply *reply)
{
    int n = 0;
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        n = snprintf(out, size, ":%lld", reply->integer);
        break;
    case REDIS_REPLY_STRING:
        n = snprintf(out, size, "$%s", reply->str);
        break;
    case REDIS_REPLY_STATUS:
        n = snprintf(out, size, "+%s", reply->str);
        break;
    case REDIS_REPLY_ERROR:
        n = snprintf(out, size, "-%s", reply->str);
        break;
    default:
        n = snprintf(out, size, "nil");
        break;
    }
    assert_true(n > 0 && (size_t)n < size);
    return (size_t)n;
}

static void print_all(char *out, size_t size, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY) {
        print(out, size, reply);
        return;
    }
    size_t len = 0;
    out[len++] = '[';
    for (size_t i = 0; i < reply->elements; i++) {
        if (i > 0)
            out[len++] = ' ';
        len += print(out + len, size - len - 2, reply->element[i]);
    }
    out[len++] = ']';
    out[len] = '\0';
}

static void servers_do_what_rules_say(void **state)
{
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        const claim *c = &claims[i];
        char got[512];
        freeReplyObject(redisCommand(*state, "DEL k"));
        redisReply *reply = redisCommand(*state, "EVAL %s 1 k %s", c->script, c->argument);
        assert_non_null(reply);
        print_all(got, sizeof got, reply);
        int by_beginning = strchr(c->reply, '-') != NULL && c->reply[0] != ':';
        int same = by_beginning ? strncmp(got, c->reply, strlen(c->reply)) == 0
                                : strcmp(got, c->reply) == 0;
        if (!same)
            fail_msg("%s: %s gives %s, not %s", c->code, c->script, got, c->reply);
        freeReplyObject(reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_do_what_rules_say),
    };
    return cmocka_run_group_tests(tests, one_server_begin, one_server_end);
}
