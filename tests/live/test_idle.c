/* Idle connections that a server closes while nobody drives the client. */
#include "core/net/loop.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static shards set;
static const evs_script *script;

static int set_up(void **state)
{
    (void)state;
    shards_start(&set, 2, NULL);
    script = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    shards_stop(&set);
    return 0;
}

typedef struct outcome {
    int done;
    evs_status status;
    char message[1024];
} outcome;

static void take(void *arg, const evs_result *result)
{
    outcome *self = arg;
    self->done = 1;
    self->status = result->status;
    if (result->status != EVS_OK)
        snprintf(self->message, sizeof self->message, "%s", result->error->message);
}

static void submit(outcome *out, size_t shard)
{
    char text[32];
    evs_bytes key = evs_text(shards_key(&set, shard, text));
    evs_invocation call = {.handle = script, .keys = &key, .nkeys = 1};
    *out = (outcome){0};
    assert_int_equal(evs_submit(set.client, &call, take, out, NULL), EVS_OK);
}

static void finish(const outcome *out)
{
    while (!out->done)
        assert_int_equal(evs_client_process(set.client, -1, NULL), EVS_OK);
    if (out->status != EVS_OK)
        fail_msg("%s", out->message);
}

/* For the system's clock to move on, by which the age of a look is known. */
static void wait_for_ticks(void)
{
    uint64_t start = evs__loop_about_ms();
    while (evs__loop_about_ms() < start + 2 * evs__loop_tick_ms())
        ;
}

/* The first submit looks at all idle sockets; what it saw is old when the second one comes. */
static void a_look_at_sockets_does_not_last(void **state)
{
    (void)state;
    outcome first, second;
    for (size_t shard = 0; shard < 2; shard++) {
        submit(&first, shard);
        finish(&first);
    }
    submit(&first, 0);
    shards_do(&set, 1, "CLIENT KILL TYPE normal SKIPME yes");
    wait_for_ticks();
    submit(&second, 1);
    finish(&first);
    finish(&second);
    evs_client_stats stats;
    evs_client_stats_get(&stats, set.client);
    assert_int_equal(stats.connects, 3);
    assert_int_equal(stats.resends, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_at_sockets_does_not_last),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
