/*
 * Contexts that end at any point, in front of a server that plays a script: what is said of each
 * call that was on its way.
 */
#include "tests/support/fake_shard.h"
#include <evalshard/hiredis.h>

#include <hiredis/hiredis.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HUGE_ARGUMENT = 32 << 20 };

typedef struct bench {
    fake_shard *fake;
    evs_registry *registry;
    redisContext *context;
    evs_hiredis *scripts;
} bench;

static void open_bench_for(bench *b, fake_shard *fake, const char *source)
{
    const char *address = fake_shard_address(fake);
    b->fake = fake;
    if (strncmp(address, "unix:", 5) == 0)
        b->context = redisConnectUnix(address + 5);
    else
        b->context = redisConnect("127.0.0.1", fake_shard_login(fake)->endpoint.port);
    assert_int_equal(b->context->err, 0);
    assert_int_equal(evs_registry_new(&b->registry, NULL, NULL), EVS_OK);
    assert_int_equal(evs_script_load(b->registry, "s", evs_text(source), NULL, NULL), EVS_OK);
    assert_int_equal(evs_hiredis_attach(&b->scripts, b->registry, b->context, NULL), EVS_OK);
}

static void open_bench(bench *b, fake_shard *fake)
{
    open_bench_for(b, fake, "return 1");
}

static void close_bench(bench *b)
{
    evs_hiredis_free(b->scripts);
    redisFree(b->context);
    evs_registry_free(b->registry);
    fake_shard_stop(b->fake);
}

static void append(bench *b, evs_bytes argument)
{
    evs_bytes key = evs_text("k");
    evs_invocation call = {.script = "s", .keys = &key, .nkeys = 1, .args = &argument, .nargs = 1};
    evs_error err = {0};
    if (evs_hiredis_append(b->scripts, &call, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void fetch(bench *b, evs_status status, evs_outcome outcome)
{
    evs_reply *reply = NULL;
    evs_error err = {0};
    evs_status got = evs_hiredis_get_reply(&reply, b->scripts, &err);
    if (got != status || (status != EVS_OK && err.outcome != outcome))
        fail_msg("%s, %s: %s", evs_status_name(got), evs_outcome_text(err.outcome), err.message);
    evs_reply_free(reply);
}

#define SHA "$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n"

static void what_was_sent_may_have_run(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(3), FAKE_SAY(SHA ":1\r\n"), FAKE_CLOSE};
    bench b;
    open_bench(&b, FAKE_START(FAKE_UNIX, steps));
    append(&b, evs_text("a"));
    append(&b, evs_text("b"));
    fetch(&b, EVS_OK, EVS_EXECUTED);
    fetch(&b, EVS_E_CLOSED, EVS_MAYBE_EXECUTED);
    close_bench(&b);
}

/* The first request fits, the second does not: the kernel never took its last byte. */
static void what_was_not_sent_did_not_run(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_BYTES(1000), FAKE_RESET};
    char *huge = calloc(1, HUGE_ARGUMENT);
    bench b;
    assert_non_null(huge);
    open_bench(&b, FAKE_START(FAKE_TCP_NARROW, steps));
    append(&b, evs_text("a"));
    append(&b, (evs_bytes){huge, HUGE_ARGUMENT});
    append(&b, evs_text("c"));
    fetch(&b, EVS_E_CLOSED, EVS_MAYBE_EXECUTED);
    fetch(&b, EVS_E_CLOSED, EVS_NOT_EXECUTED);
    fetch(&b, EVS_E_CLOSED, EVS_NOT_EXECUTED);
    close_bench(&b);
    free(huge);
}

static void silence_ends_at_the_time_limit_of_the_context(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(2), FAKE_SAY(SHA), FAKE_EOF};
    bench b;
    open_bench(&b, FAKE_START(FAKE_UNIX, steps));
    assert_int_equal(redisSetTimeout(b.context, (struct timeval){0, 20000}), REDIS_OK);
    append(&b, evs_text("a"));
    fetch(&b, EVS_E_TIMEOUT, EVS_MAYBE_EXECUTED);
    close_bench(&b);
}

static void nonsense_is_a_protocol_error(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(2), FAKE_SAY(SHA "HTTP/1.1 400\r\n"),
                               FAKE_EOF};
    bench b;
    open_bench(&b, FAKE_START(FAKE_UNIX, steps));
    append(&b, evs_text("a"));
    fetch(&b, EVS_E_PROTOCOL, EVS_MAYBE_EXECUTED);
    close_bench(&b);
}

/* Before EXEC was sent, nothing of a transaction ran; but only when MULTI is known to have worked.
 */
static void a_transaction_runs_with_its_exec(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(3),
                               FAKE_SAY("+OK\r\n+QUEUED\r\n+QUEUED\r\n"), FAKE_COMMANDS(1),
                               FAKE_CLOSE};
    bench b;
    open_bench(&b, FAKE_START(FAKE_UNIX, steps));
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, NULL), EVS_OK);
    append(&b, evs_text("a"));
    assert_int_equal(evs_hiredis_exec(b.scripts, NULL), EVS_OK);
    fetch(&b, EVS_E_CLOSED, EVS_MAYBE_EXECUTED);
    close_bench(&b);
}

static void without_multi_commands_run_at_once(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_ACCEPT, FAKE_COMMANDS(4),
        FAKE_SAY("-NOPERM no multi\r\n" SHA ":5\r\n-ERR EXEC without MULTI\r\n"), FAKE_EOF};
    bench b;
    open_bench(&b, FAKE_START(FAKE_UNIX, steps));
    assert_int_equal(evs_hiredis_multi(b.scripts, NULL, NULL), EVS_OK);
    append(&b, evs_text("a"));
    assert_int_equal(evs_hiredis_exec(b.scripts, NULL), EVS_OK);
    fetch(&b, EVS_OK, EVS_EXECUTED);
    close_bench(&b);
}

/* A heal during which the connection ends: only a script that may say NOSCRIPT itself can have run.
 */
static void a_heal_that_is_cut_off_leaves_the_doubt_there_was(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        evs_outcome outcome;
    } rows[] = {{"return 1", EVS_NOT_EXECUTED},
                {"return redis.error_reply(ARGV[1])", EVS_MAYBE_EXECUTED}};
    for (size_t i = 0; i < 2; i++) {
        const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(2), FAKE_SAY(SHA "-NOSCRIPT No.\r\n"),
                                   FAKE_COMMANDS(1), FAKE_CLOSE};
        bench b;
        open_bench_for(&b, FAKE_START(FAKE_UNIX, steps), rows[i].source);
        append(&b, evs_text("a"));
        fetch(&b, EVS_E_CLOSED, rows[i].outcome);
        close_bench(&b);
    }
}

static void a_server_that_keeps_no_script_is_told(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT,
                               FAKE_COMMANDS(2),
                               FAKE_SAY(SHA "-NOSCRIPT No.\r\n"),
                               FAKE_COMMANDS(2),
                               FAKE_SAY("*1\r\n:0\r\n" SHA),
                               FAKE_COMMANDS(1),
                               FAKE_SAY("-NOSCRIPT No.\r\n"),
                               FAKE_COMMANDS(2),
                               FAKE_SAY("*1\r\n:0\r\n" SHA),
                               FAKE_EOF};
    bench b;
    open_bench(&b, FAKE_START(FAKE_UNIX, steps));
    append(&b, evs_text("a"));
    fetch(&b, EVS_E_NO_SCRIPT, EVS_NOT_EXECUTED);
    close_bench(&b);
}

static void a_script_that_does_not_compile_there_is_told(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_ACCEPT, FAKE_COMMANDS(3),
        FAKE_SAY("-ERR Error compiling script (new function): user_script:7: x\r\n"
                 "-NOSCRIPT No.\r\n-NOSCRIPT No.\r\n"),
        FAKE_EOF};
    evs_reply *reply = NULL;
    evs_error err;
    bench b;
    open_bench(&b, FAKE_START(FAKE_UNIX, steps));
    append(&b, evs_text("a"));
    append(&b, evs_text("b"));
    assert_int_equal(evs_hiredis_get_reply(&reply, b.scripts, &err), EVS_E_COMPILE);
    assert_int_equal(err.line, 7);
    fetch(&b, EVS_E_COMPILE, EVS_NOT_EXECUTED);
    close_bench(&b);
}

static void contexts_that_do_not_block_are_refused(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_EOF};
    evs_reply *reply = NULL;
    evs_error err;
    bench b;
    open_bench(&b, FAKE_START(FAKE_UNIX, steps));
    evs_bytes key = evs_text("k");
    evs_invocation call = {.script = "s", .keys = &key, .nkeys = 1};
    b.context->flags &= ~REDIS_BLOCK;
    assert_int_equal(evs_hiredis_call(&reply, b.scripts, &call, &err), EVS_E_INVALID);
    b.context->flags |= REDIS_BLOCK | REDIS_SUBSCRIBED;
    assert_int_equal(evs_hiredis_call(&reply, b.scripts, &call, &err), EVS_E_INVALID);
    assert_int_equal(evs_hiredis_get_reply(&reply, b.scripts, &err), EVS_E_STATE);
    b.context->flags &= ~REDIS_SUBSCRIBED;
    evs_hiredis_options options = EVS_HIREDIS_OPTIONS_INIT;
    evs_hiredis *none = NULL;
    assert_int_equal(evs_hiredis_open(&none, b.registry, &options, &err), EVS_E_INVALID);
    assert_int_equal(evs_hiredis_attach(&none, b.registry, NULL, &err), EVS_E_INVALID);
    evs_hiredis_free(NULL);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_may_have_run),
        cmocka_unit_test(what_was_not_sent_did_not_run),
        cmocka_unit_test(silence_ends_at_the_time_limit_of_the_context),
        cmocka_unit_test(nonsense_is_a_protocol_error),
        cmocka_unit_test(a_transaction_runs_with_its_exec),
        cmocka_unit_test(without_multi_commands_run_at_once),
        cmocka_unit_test(a_heal_that_is_cut_off_leaves_the_doubt_there_was),
        cmocka_unit_test(a_server_that_keeps_no_script_is_told),
        cmocka_unit_test(a_script_that_does_not_compile_there_is_told),
        cmocka_unit_test(contexts_that_do_not_block_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
