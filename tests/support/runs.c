#include "tests/support/runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void runs_start(shards *set)
{
    shards_start(set, RUNS_SERVERS, "    on_no_keys: all\n    retry: {attempts: 0}\n");
    shards_script(set, "count",
                  "local n = redis.call('BITCOUNT', 'n') redis.call('SETBIT', 'n', n, 1) "
                  "return n + 1");
}

runs runs_now(shards *set)
{
    runs now;
    for (size_t i = 0; i < RUNS_SERVERS; i++)
        now.of[i] = shards_do(set, i, "BITCOUNT n"); /* a bit for each */
    return now;
}

void runs_expect(shards *set, const runs *before, long long a, long long b, long long c)
{
    runs now = runs_now(set);
    assert_int_equal(now.of[0] - before->of[0], a);
    assert_int_equal(now.of[1] - before->of[1], b);
    assert_int_equal(now.of[2] - before->of[2], c);
}
