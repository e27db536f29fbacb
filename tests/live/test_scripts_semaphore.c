/* semaphore/acquire, semaphore/refresh and semaphore/release on a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/script_case.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define WRONGTYPE   "WRONGTYPE Operation against a key holding the wrong kind of value"

/* Arguments: expired limit now identifier. */
static const script_case acquire[] = {
    {"the first place", "", "semaphore/acquire S / 90 2 100 a", "$a", "S=[a:100]"},
    {"the last place", "ZADD S 99 a", "semaphore/acquire S / 90 2 100 b", "$b", "S=[a:99 b:100]"},
    {"no place", "ZADD S 99 a 98 b", "semaphore/acquire S / 90 2 100 c", "_", "S=[a:99 b:98]"},
    {"a limit of nothing", "", "semaphore/acquire S / 90 0 100 a", "_", ""},
    {"places that are over are free", "ZADD S 90 a 91 b", "semaphore/acquire S / 90 2 100 c", "$c",
     "S=[b:91 c:100]"},
    {"what is over goes even without a place", "ZADD S 80 a 91 b 92 c",
     "semaphore/acquire S / 90 2 100 d", "_", "S=[b:91 c:92]"},
    {"a holder takes no second place", "ZADD S 95 a", "semaphore/acquire S / 90 2 100 a", "$a",
     "S=[a:100]"},
    {"a holder keeps its place when all are taken", "ZADD S 95 a 96 b",
     "semaphore/acquire S / 90 2 100 a", "$a", "S=[a:100 b:96]"},
    {"an older time does not shorten a place", "ZADD S 105 a", "semaphore/acquire S / 90 1 100 a",
     "$a", "S=[a:105]"},
    {"a holder that is over asks like anybody", "ZADD S 80 a 91 b",
     "semaphore/acquire S / 90 1 100 a", "_", "S=[b:91]"},
    {"times with fractions keep every digit", "",
     "semaphore/acquire S / 1700000000.25 1 1700000010.015625 a", "$a", "S=[a:1700000010.015625]"},
    {"a released place is free", "ZADD S 99 a",
     "semaphore/acquire S / 90 1 100 b; semaphore/release S / a; semaphore/acquire S / 90 1 100 b",
     "_; :1; $b", "S=[b:100]"},
};

/* Arguments: identifier now. */
static const script_case refresh[] = {
    {"a holder is seen again", "ZADD S 95 a", "semaphore/refresh S / a 100", ":1", "S=[a:100]"},
    {"others are left alone", "ZADD S 95 a 96 b", "semaphore/refresh S / a 100", ":1",
     "S=[a:100 b:96]"},
    {"a lost place stays lost", "ZADD S 96 b", "semaphore/refresh S / a 100", "_", "S=[b:96]"},
    {"no semaphore", "", "semaphore/refresh S / a 100", "_", ""},
    {"an older time changes nothing", "ZADD S 105 a", "semaphore/refresh S / a 100", ":1",
     "S=[a:105]"},
    {"twice is once", "ZADD S 95 a", "semaphore/refresh S / a 100; semaphore/refresh S / a 100",
     ":1; :1", "S=[a:100]"},
    {"not after the release", "ZADD S 95 a",
     "semaphore/refresh S / a 100; semaphore/release S / a; semaphore/refresh S / a 100",
     ":1; :1; _", ""},
};

static const script_case release[] = {
    {"a holder releases", "ZADD S 95 a 96 b", "semaphore/release S / a", ":1", "S=[b:96]"},
    {"the last holder leaves nothing", "ZADD S 95 a", "semaphore/release S / a", ":1", ""},
    {"a lost place", "ZADD S 96 b", "semaphore/release S / a", ":0", "S=[b:96]"},
    {"a second release changes nothing", "ZADD S 95 a 96 b",
     "semaphore/release S / a; semaphore/release S / a", ":1; :0", "S=[b:96]"},
    {"a late second release spares the next holder", "ZADD S 95 a",
     "semaphore/release S / a; semaphore/acquire S / 90 1 100 b; semaphore/release S / a",
     ":1; $b; :0", "S=[b:100]"},
};

/* Each semaphore has a place that is over: an error must not even remove that. */
static const script_case errors[] = {
    {"a limit that is no number", "ZADD S 1 a", "semaphore/acquire S / 90 many 100 b",
     "-ERR semaphore/acquire takes numbers for limit and now", "S=[a:1]"},
    {"a time that is no number", "ZADD S 1 a", "semaphore/acquire S / 90 2 soon b",
     "-ERR semaphore/acquire takes numbers for limit and now", "S=[a:1]"},
    {"a time that is not a number", "ZADD S 1 a", "semaphore/acquire S / 90 2 nan b",
     "-ERR semaphore/acquire takes numbers for limit and now", "S=[a:1]"},
    {"an end that is no number", "ZADD S 1 a", "semaphore/acquire S / then 2 100 b",
     "-ERR min or max is not a float", "S=[a:1]"},
    {"a refresh at no time", "ZADD S 1 a", "semaphore/refresh S / a soon",
     "-ERR semaphore/refresh takes a number for now", "S=[a:1]"},
    {"a refresh at nan", "ZADD S 1 a", "semaphore/refresh S / a nan",
     "-ERR semaphore/refresh takes a number for now", "S=[a:1]"},
    {"what is no semaphore", "SET S x",
     "semaphore/acquire S / 90 2 100 b; semaphore/refresh S / a 100; semaphore/release S / a",
     "-" WRONGTYPE "; -" WRONGTYPE "; -" WRONGTYPE, "S=x"},
};

static void acquire_takes_no_more_places_than_there_are(void **state)
{
    assert_cases(*state, acquire, COUNT(acquire));
}

static void refresh_moves_time_forward_only(void **state)
{
    assert_cases(*state, refresh, COUNT(refresh));
}

static void release_gives_back_only_own_places(void **state)
{
    assert_cases(*state, release, COUNT(release));
}

static void errors_leave_everything_as_it_was(void **state)
{
    assert_cases(*state, errors, COUNT(errors));
}

static void identifiers_are_bytes(void **state)
{
    script_server *server = *state;
    const evs_bytes name = {"S\0\xff\r\n", 5}, me = {"a\0b", 3};
    const evs_bytes take[] = {name, evs_text("90"), evs_text("1"), evs_text("100"), me};
    const evs_bytes keep[] = {name, me, evs_text("101")}, give[] = {name, me};
    script_server_fill(server, "");

    redisReply *reply = script_eval(server, "semaphore/acquire", take, 1, 5);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    assert_int_equal(reply->len, 3);
    assert_memory_equal(reply->str, me.data, 3);
    freeReplyObject(reply);
    reply = script_eval(server, "semaphore/refresh", keep, 1, 3);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    reply = script_eval(server, "semaphore/release", give, 1, 2);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acquire_takes_no_more_places_than_there_are),
        cmocka_unit_test(refresh_moves_time_forward_only),
        cmocka_unit_test(release_gives_back_only_own_places),
        cmocka_unit_test(errors_leave_everything_as_it_was),
        cmocka_unit_test(identifiers_are_bytes),
    };
    return cmocka_run_group_tests(tests, script_server_start, script_server_stop);
}
