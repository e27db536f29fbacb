/*
 * Who says BUSY? A server that did not run a script, or the script itself. A script that provably
 * returns no error is believed to be silent, so its BUSY is the server's and nothing was executed;
 * of any other script it is not known.
 */
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

static redisContext *connect_to(const shards *set)
{
    redisContext *c = redisConnectUnix(scratch_socket(set->servers[0]));
    assert_non_null(c);
    assert_int_equal(c->err, 0);
    return c;
}

/* Keeps the server busy with a loop that nobody waits for. */
static redisContext *occupy(const shards *set)
{
    redisContext *loop = connect_to(set);
    int done = 0;
    redisAppendCommand(loop, "EVAL %s 0", "while true do end");
    while (!done)
        assert_int_equal(redisBufferWrite(loop, &done), REDIS_OK);
    return loop;
}

/* Asks until the server says that it is busy: before that, it has not begun or will wait. */
static void await_busy(redisContext *c)
{
    for (int busy = 0; !busy;) {
        redisReply *reply = redisCommand(c, "PING");
        assert_non_null(reply);
        busy = reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "BUSY", 4) == 0;
        freeReplyObject(reply);
    }
}

static void release(redisContext *c, redisContext *loop)
{
    redisReply *reply = redisCommand(c, "SCRIPT KILL");
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_STATUS);
    freeReplyObject(reply);
    assert_int_equal(redisGetReply(loop, (void **)&reply), REDIS_OK);
    freeReplyObject(reply);
    redisFree(loop);
}

static evs_status call_by(evs_client *client, const char *name, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("k");
    evs_invocation invocation = {.script = name, .keys = &key, .nkeys = 1};
    evs_status status = evs_call(&reply, client, &invocation, err);
    evs_reply_free(reply);
    return status;
}

static evs_status call(const shards *set, const char *name, evs_error *err)
{
    return call_by(set->client, name, err);
}

/* Whoever is patient asks until the deadline, where a call may be under way: nobody knows of that.
 */
static void the_busy_of_an_honest_script_is_the_servers(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_client_options at_once = EVS_CLIENT_OPTIONS_INIT;
    at_once.patience = EVS_PATIENCE_NONE;
    shards_start(&set, 1, NULL);
    evs_client *hasty = shards_client(&set, &at_once);
    shards_do(&set, 0, "CONFIG SET busy-reply-threshold 1");
    const evs_script *honest = shards_script(&set, "honest", "return redis.call('INCR', KEYS[1])");
    const evs_script *lying = shards_script(
        &set, "lying",
        "redis.call('INCR', KEYS[1])\n"
        "return redis.error_reply('BUSY Redis is busy running a script. You can only call "
        "SCRIPT KILL or SHUTDOWN NOSAVE.')");
    assert_int_equal(evs_report_may_return_errors(evs_script_report(honest)), 0);
    assert_int_equal(evs_report_may_return_errors(evs_script_report(lying)), 1);
    assert_int_equal(call_by(hasty, "honest", &err), EVS_OK);

    redisContext *c = connect_to(&set), *loop = occupy(&set);
    await_busy(c);
    assert_int_equal(call_by(hasty, "honest", &err), EVS_E_BUSY);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(call_by(hasty, "lying", &err), EVS_E_BUSY);
    assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    release(c, loop);
    redisFree(c);
    assert_int_equal(shards_do(&set, 0, "INCR k"), 2);

    /* Idle, the liar says the same, and then it did run. */
    assert_int_equal(call(&set, "lying", &err), EVS_E_BUSY);
    assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(shards_do(&set, 0, "INCR k"), 4);
    evs_client_free(hasty);
    shards_stop(&set);
}

static void what_an_honest_script_raises_is_its_own(void **state)
{
    (void)state;
    static const char *const raise[] = {
        "error({err = 'BUSY Redis is busy'})",
        "error('BUSY Redis is busy', 0)",
        "error(redis.error_reply('LOADING Redis is loading'))",
        "assert(false, 'unknown command')",
        "error('unknown command', 0)",
        "redis.call('LPUSH', KEYS[1], 'x')",
        "local x = nothing.at.all",
        "local function f() return f() + 1 end return f()",
    };
    shards set;
    evs_error err;
    shards_start(&set, 1, NULL);
    shards_do(&set, 0, "SET k 1");
    for (size_t i = 0; i < sizeof raise / sizeof *raise; i++) {
        char name[16], source[256];
        snprintf(name, sizeof name, "raise-%zu", i);
        snprintf(source, sizeof source, "redis.call('INCR', KEYS[1])\n%s", raise[i]);
        const evs_script *script = shards_script(&set, name, source);
        assert_int_equal(evs_report_may_return_errors(evs_script_report(script)), 0);
        assert_int_equal(call(&set, name, &err), EVS_E_SCRIPT);
        assert_int_equal(err.outcome, EVS_EXECUTED);
    }
    shards_stop(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_busy_of_an_honest_script_is_the_servers),
        cmocka_unit_test(what_an_honest_script_raises_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
