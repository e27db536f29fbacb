/* lock/acquire and lock/release on a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/script_case.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define NO_INTEGER  "ERR value is not an integer or out of range"
#define WRONGTYPE   "WRONGTYPE Operation against a key holding the wrong kind of value"

static const script_case acquire[] = {
    {"a free lock is taken", "", "lock/acquire L / 10 me", "+OK", "L=me (expires)"},
    {"a held lock is not", "SET L you EX 1000", "lock/acquire L / 10 me", "_", "L=you (expires)"},
    {"not by its holder either", "", "lock/acquire L / 10 me; lock/acquire L / 10 me", "+OK; _",
     "L=me (expires)"},
    {"a lock that never ends is held", "SET L you", "lock/acquire L / 10 me", "_", "L=you"},
    {"a key of another type is held", "HSET L f v", "lock/acquire L / 10 me", "_", "L={f=v}"},
    {"other locks do not matter", "SET K you", "lock/acquire L / 10 me", "+OK",
     "K=you L=me (expires)"},
    {"a released lock is taken again", "",
     "lock/acquire L / 10 me; lock/release L / me; lock/acquire L / 10 you", "+OK; :1; +OK",
     "L=you (expires)"},
};

static const script_case release[] = {
    {"the holder releases", "SET L me EX 1000", "lock/release L / me", ":1", ""},
    {"nobody else does", "SET L you EX 1000", "lock/release L / me", "_", "L=you (expires)"},
    {"a lock that ended is not there", "", "lock/release L / me", "_", ""},
    {"a second release changes nothing", "SET L me", "lock/release L / me; lock/release L / me",
     ":1; _", ""},
    {"a late second release spares the next holder", "SET L me",
     "lock/release L / me; lock/acquire L / 10 you; lock/release L / me", ":1; +OK; _",
     "L=you (expires)"},
    {"a missing lock is not an identifier of nothing", "", "lock/release L /", "_", ""},
};

static const script_case errors[] = {
    {"a ttl of 0", "", "lock/acquire L / 0 me", "-ERR invalid expire time in 'set' command", ""},
    {"a negative ttl", "", "lock/acquire L / -1 me", "-ERR invalid expire time in 'set' command",
     ""},
    {"a ttl with a fraction", "", "lock/acquire L / 1.5 me", "-" NO_INTEGER, ""},
    {"a ttl that is no number", "", "lock/acquire L / soon me", "-" NO_INTEGER, ""},
    {"a bad ttl for a held lock", "SET L you", "lock/acquire L / soon me", "-" NO_INTEGER, "L=you"},
    {"releasing what is no lock", "HSET L f v", "lock/release L / me", "-" WRONGTYPE, "L={f=v}"},
};

static void errors_leave_everything_as_it_was(void **state)
{
    assert_cases(*state, errors, COUNT(errors));
}

static void acquire_takes_only_free_locks(void **state)
{
    assert_cases(*state, acquire, COUNT(acquire));
}

static void release_gives_back_only_own_locks(void **state)
{
    assert_cases(*state, release, COUNT(release));
}

static void the_ttl_is_in_seconds(void **state)
{
    script_server *server = *state;
    const evs_bytes words[] = {evs_text("L"), evs_text("5000"), evs_text("me")};
    script_server_fill(server, "");
    freeReplyObject(script_eval(server, "lock/acquire", words, 1, 3));
    redisReply *reply = redisCommand(server->redis, "PTTL L");
    assert_in_range(reply->integer, 4000 * 1000, 5000 * 1000);
    freeReplyObject(reply);
}

static void identifiers_are_bytes(void **state)
{
    script_server *server = *state;
    const evs_bytes name = {"L\0\xff\r\n", 5}, mine = {"a\0b", 3}, other = {"a\0c", 3};
    const evs_bytes take[] = {name, evs_text("10"), mine};
    const evs_bytes give_other[] = {name, other}, give[] = {name, mine};
    script_server_fill(server, "");
    freeReplyObject(script_eval(server, "lock/acquire", take, 1, 3));

    redisReply *reply = redisCommand(server->redis, "GET %b", name.data, name.len);
    assert_int_equal(reply->len, 3);
    assert_memory_equal(reply->str, mine.data, 3);
    freeReplyObject(reply);

    reply = script_eval(server, "lock/release", give_other, 1, 2);
    assert_int_equal(reply->type, REDIS_REPLY_NIL);
    freeReplyObject(reply);
    reply = script_eval(server, "lock/release", give, 1, 2);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acquire_takes_only_free_locks),
        cmocka_unit_test(release_gives_back_only_own_locks),
        cmocka_unit_test(errors_leave_everything_as_it_was),
        cmocka_unit_test(the_ttl_is_in_seconds),
        cmocka_unit_test(identifiers_are_bytes),
    };
    return cmocka_run_group_tests(tests, script_server_start, script_server_stop);
}
