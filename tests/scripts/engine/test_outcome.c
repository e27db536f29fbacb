/*
 * What a call says has happened, against a server that plays a script: it cuts, lies, refuses and
 * falls silent where it is told to.
 */
#include "core/mem.h"
#include "tests/support/fake_shard.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SHA_REPLY "$40\r\n" SHA "\r\n"
#define SHA       "e0e1f9fabfc9d4800c877a703b823ac0578ff8db" /* of "return 1" */
#define NOSCRIPT  "-NOSCRIPT No matching script.\r\n"

enum { PATIENCE_MS = 60000 };

static const char plain[] = "return 1";
static const char liar[] = "return redis.error_reply(KEYS[1])"; /* it may say anything itself */
static const char idempotent_liar[] = "--- One.\n-- @key k any\n-- @retry idempotent\n"
                                      "return redis.error_reply(KEYS[1])";
static const char idempotent[] = "--- One.\n-- @key k any\n-- @retry idempotent\nreturn 1";

typedef struct call {
    shards set;
    fake_shard *fake;
    evs_status status;
    evs_error err;
    evs_reply *reply;
    evs_client_stats stats;
} call;

static void begin(call *self, fake_listen listen, const fake_step *steps, size_t nsteps)
{
    memset(self, 0, sizeof *self);
    self->fake = fake_shard_start(listen, steps, nsteps);
    const char *address = fake_shard_address(self->fake);
    shards_open(&self->set, &address, 1, NULL);
}
#define BEGIN(self, listen, steps) begin(self, listen, steps, sizeof(steps) / sizeof(steps)[0])

static void run(call *self, const char *source, size_t padding, unsigned timeout_ms)
{
    if (evs_script_find(self->set.registry, "one") == NULL)
        shards_script(&self->set, "one", source);
    char *big = calloc(1, padding + 1);
    evs_bytes key = evs_text("k"), arg = {big, padding};
    evs_invocation invocation = {.script = "one",
                                 .keys = &key,
                                 .nkeys = 1,
                                 .args = &arg,
                                 .nargs = padding > 0,
                                 .timeout_ms = timeout_ms};
    self->status = evs_call(&self->reply, self->set.client, &invocation, &self->err);
    evs_client_stats_get(&self->stats, self->set.client);
    free(big);
}

static void end(call *self)
{
    evs_reply_free(self->reply);
    evs_client_free(self->set.client);
    self->set.client = NULL;
    fake_shard_stop(self->fake);
    shards_stop(&self->set);
}

static void a_cut_after_the_last_byte_is_maybe_and_once_is_not_sent_again(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_CLOSE};
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, plain, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_E_CLOSED);
    assert_int_equal(self.err.outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(self.stats.resends, 0);
    assert_int_equal(self.stats.connects, 1);
    assert_non_null(strstr(self.err.message, "script one, key \"k\""));
    end(&self);
}

static void a_cut_before_the_last_byte_is_not_executed(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_BYTES(1000), FAKE_DEAF, FAKE_RESET};
    call self;
    BEGIN(&self, FAKE_TCP_NARROW, steps);
    run(&self, plain, (size_t)16 << 20, PATIENCE_MS);
    assert_int_not_equal(self.status, EVS_OK);
    assert_int_equal(self.err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(self.stats.connects, 1);
    end(&self);
}

static void what_did_not_leave_goes_out_once_on_a_new_connection(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_BYTES(1000), FAKE_RESET,
                               FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n")};
    call self;
    BEGIN(&self, FAKE_TCP_NARROW, steps);
    run(&self, plain, (size_t)16 << 20, PATIENCE_MS);
    assert_int_equal(self.status, EVS_OK);
    assert_int_equal(self.stats.resends, 1);
    end(&self);
}

static void an_idempotent_script_is_sent_again_once(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_CLOSE,
                               FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n")};
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, idempotent, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_OK);
    assert_int_equal(self.stats.resends, 1);
    end(&self);
}

static void a_first_try_that_may_have_run_is_never_forgotten(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_DEAF, FAKE_CLOSE};
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, idempotent, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_E_CONNECT);
    assert_int_equal(self.err.outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(self.stats.resends, 1);
    end(&self);
}

static void a_noscript_that_the_server_confirms_is_healed(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,
        FAKE_COMMANDS(2),
        FAKE_SAY(SHA_REPLY NOSCRIPT),
        FAKE_COMMANDS(2),
        FAKE_SAY("*1\r\n:0\r\n" SHA_REPLY),
        FAKE_COMMANDS(1),
        FAKE_SAY(":1\r\n"),
    };
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, plain, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_OK);
    assert_int_equal(self.stats.heals, 1);
    end(&self);
}

static void a_noscript_that_the_server_denies_is_the_scripts_own(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,
        FAKE_COMMANDS(2),
        FAKE_SAY(SHA_REPLY NOSCRIPT),
        FAKE_COMMANDS(2),
        FAKE_SAY("*1\r\n:1\r\n" SHA_REPLY),
    };
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, liar, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_E_SCRIPT);
    assert_int_equal(self.err.outcome, EVS_MAYBE_EXECUTED);
    assert_int_equal(evs_reply_kind(self.reply), EVS_REPLY_ERROR);
    assert_int_equal(self.stats.heals, 0);
    end(&self);
}

/* NOSCRIPT twice; each time the server says whether it has the script. */
static void settle_twice(const char *source, int had_it, int has_it, evs_outcome outcome)
{
    char settled[] = "*1\r\n:0\r\n" SHA_REPLY, settled_again[] = "*1\r\n:0\r\n";
    settled[5] = had_it ? '1' : '0';
    settled_again[5] = has_it ? '1' : '0';
    const fake_step steps[] = {
        FAKE_GREET,         FAKE_COMMANDS(2),  FAKE_SAY(SHA_REPLY NOSCRIPT),
        FAKE_COMMANDS(2),   FAKE_SAY(settled), FAKE_COMMANDS(1),
        FAKE_SAY(NOSCRIPT), FAKE_COMMANDS(1),  FAKE_SAY(settled_again),
    };
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, source, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_E_NO_SCRIPT);
    assert_int_equal(self.err.outcome, outcome);
    assert_int_equal(self.stats.heals, 1);
    end(&self);
}

/* Another client loaded it in between: a script that returns no errors did not say so itself. */
static void a_noscript_of_an_honest_script_is_believed(void **state)
{
    (void)state;
    settle_twice(plain, 1, 1, EVS_NOT_EXECUTED);
}

static void a_call_is_healed_once_and_then_settled_again(void **state)
{
    (void)state;
    settle_twice(plain, 0, 0, EVS_NOT_EXECUTED);
}

/* The first NOSCRIPT may have been the script's own words after it ran; the second was real. */
static void a_doubtful_noscript_is_never_forgotten(void **state)
{
    (void)state;
    settle_twice(idempotent_liar, 1, 0, EVS_MAYBE_EXECUTED);
}

static void an_error_proves_nothing_of_a_command_that_runs_a_script(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        evs_outcome outcome;
    } rows[] = {
        {"EVAL", EVS_MAYBE_EXECUTED},       {"evalsha", EVS_MAYBE_EXECUTED},
        {"EVAL_RO", EVS_MAYBE_EXECUTED},    {"FCALL", EVS_MAYBE_EXECUTED},
        {"EVALSHA_RO", EVS_MAYBE_EXECUTED}, {"FCALL_RO", EVS_MAYBE_EXECUTED},
        {"GET", EVS_NOT_EXECUTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1), FAKE_SAY("-BUSY running\r\n")};
        call self;
        BEGIN(&self, FAKE_UNIX, steps);
        evs_bytes args[] = {evs_text(rows[i].name), evs_text("f"), evs_text("0")};
        evs_plain_command command = {
            .args = args, .nargs = 3, .shard = "s0", .timeout_ms = PATIENCE_MS};
        self.status = evs_command(&self.reply, self.set.client, &command, &self.err);
        assert_int_equal(self.status, EVS_E_BUSY);
        assert_int_equal(self.err.outcome, rows[i].outcome);
        end(&self);
    }
}

/* A limit that a server's error does not fit in would turn "not known" into "ran". */
static void the_smallest_reply_limit_leaves_room_for_errors(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,
        FAKE_COMMANDS(2),
        FAKE_SAY(SHA_REPLY NOSCRIPT),
        FAKE_COMMANDS(2),
        FAKE_SAY("*1\r\n:0\r\n" SHA_REPLY),
        FAKE_COMMANDS(1),
        FAKE_SAY(":1\r\n"),
    };
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    evs_client_free(self.set.client);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_reply_bytes = 1;
    assert_int_equal(
        evs_client_open(&self.set.client, self.set.map, self.set.registry, &options, NULL), EVS_OK);
    run(&self, plain, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_OK);
    assert_int_equal(self.stats.heals, 1);
    end(&self);
}

static void note_outcome(void *arg, const evs_result *result)
{
    evs_result *mine = arg;
    mine->status = result->status;
    mine->outcome = result->outcome;
}

/* A reply of which the beginning is given, and a text of a megabyte with 'x' for which there is no
 * memory. */
static void lack_memory_for(const char *beginning, evs_outcome outcome)
{
    enum { LONG = 1 << 20 };
    size_t head = strlen(beginning);
    char *said = calloc(1, head + LONG + 2);
    assert_non_null(said);
    memcpy(said, beginning, head);
    memset(said + head, 'x', LONG);
    memcpy(said + head + LONG, "\r\n", 2);
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY), FAKE_PAUSE,
                               FAKE_SAY_BYTES(said, head + LONG + 2)};
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    evs_bytes key = evs_text("k");
    evs_result result = {0};
    evs_invocation invocation = {.handle = shards_script(&self.set, "one", plain),
                                 .keys = &key,
                                 .nkeys = 1,
                                 .timeout_ms = PATIENCE_MS};
    assert_int_equal(evs_submit(self.set.client, &invocation, note_outcome, &result, NULL), EVS_OK);
    while (fake_shard_done(self.fake) < 4)
        evs_client_process(self.set.client, 1, NULL);
    evs__mem_fail_at(1);
    fake_shard_go(self.fake);
    while (evs_client_pending(self.set.client) > 0)
        evs_client_process(self.set.client, -1, NULL);
    evs__mem_fail_at(0);
    assert_int_equal(result.status, EVS_E_NOMEM);
    if (result.outcome != outcome)
        fail_msg("%.20s...: %s", beginning, evs_outcome_text(result.outcome));
    end(&self);
    free(said);
}

static void a_reply_that_memory_lacks_for_may_be_a_refusal(void **state)
{
    (void)state;
    lack_memory_for("-BUSY ", EVS_MAYBE_EXECUTED);
    lack_memory_for("!1048576\r\n", EVS_MAYBE_EXECUTED);
    lack_memory_for("|1\r\n+ttl\r\n:7\r\n-BUSY ", EVS_MAYBE_EXECUTED);
    lack_memory_for(">2\r\n+invalidate\r\n:1\r\n-BUSY ", EVS_MAYBE_EXECUTED);
}

static void but_one_that_is_no_error_says_that_the_script_ran(void **state)
{
    (void)state;
    lack_memory_for("+", EVS_EXECUTED);
    lack_memory_for("$1048576\r\n", EVS_EXECUTED);
    lack_memory_for("*2\r\n-ERR an element\r\n+", EVS_EXECUTED);
    lack_memory_for("%1\r\n+ok\r\n!1048576\r\n", EVS_EXECUTED);
    lack_memory_for("|1\r\n-ttl\r\n:7\r\n$1048576\r\n", EVS_EXECUTED);
    lack_memory_for(">2\r\n-invalidate\r\n:1\r\n=1048576\r\n", EVS_EXECUTED);
}

static void lose_while_settling(const char *source, evs_outcome outcome)
{
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY NOSCRIPT),
                               FAKE_COMMANDS(2), FAKE_CLOSE};
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, source, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_E_CLOSED);
    assert_int_equal(self.err.outcome, outcome);
    end(&self);
}

static void a_lost_connection_while_settling_leaves_the_doubt_there_was(void **state)
{
    (void)state;
    lose_while_settling(plain, EVS_NOT_EXECUTED);
    lose_while_settling(liar, EVS_MAYBE_EXECUTED);
}

static void let_go_while_settling(const char *source, evs_outcome outcome)
{
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY NOSCRIPT),
                               FAKE_COMMANDS(2)};
    call self;
    evs_result result = {0};
    evs_ticket ticket;
    BEGIN(&self, FAKE_UNIX, steps);
    evs_bytes key = evs_text("k");
    evs_invocation invocation = {.handle = shards_script(&self.set, "one", source),
                                 .keys = &key,
                                 .nkeys = 1,
                                 .timeout_ms = PATIENCE_MS,
                                 .ticket = &ticket};
    assert_int_equal(evs_submit(self.set.client, &invocation, note_outcome, &result, NULL), EVS_OK);
    while (fake_shard_done(self.fake) < sizeof steps / sizeof steps[0])
        evs_client_process(self.set.client, 1, NULL);
    assert_int_equal(evs_cancel(self.set.client, ticket, NULL), EVS_OK);
    assert_int_equal(result.status, EVS_E_CANCELED);
    assert_int_equal(result.outcome, outcome);
    end(&self);
}

static void letting_go_while_settling_leaves_the_doubt_there_was(void **state)
{
    (void)state;
    let_go_while_settling(plain, EVS_NOT_EXECUTED);
    let_go_while_settling(liar, EVS_MAYBE_EXECUTED);
}

static void a_compile_error_fails_the_call_with_the_servers_words(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,
        FAKE_COMMANDS(2),
        FAKE_SAY(
            "-ERR Error compiling script (new function): user_script:3: unexpected symbol near "
            "'+'\r\n" NOSCRIPT),
    };
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, plain, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_E_COMPILE);
    assert_int_equal(self.err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(self.err.line, 3);
    assert_non_null(strstr(self.err.message, "script one"));
    assert_non_null(strstr(self.err.message, "unexpected symbol near '+'"));
    run(&self, plain, 0, PATIENCE_MS); /* the server is not asked again */
    assert_int_equal(self.status, EVS_E_COMPILE);
    assert_int_equal(self.err.line, 3);
    end(&self);
}

static void fails_to_compile(void *arg, const evs_result *result)
{
    size_t *count = arg;
    assert_int_equal(result->status, EVS_E_COMPILE);
    assert_int_equal(result->outcome, EVS_NOT_EXECUTED);
    ++*count;
}

static void a_compile_error_fails_every_call_behind_it_once(void **state)
{
    (void)state;
    enum { CROWD = 1000 };
    static const char no[] = "-ERR Error compiling script (new function): user_script:1: x\r\n";
    char *said = malloc(sizeof no + CROWD * sizeof NOSCRIPT);
    assert_non_null(said);
    size_t len = sizeof no - 1, count = 0;
    memcpy(said, no, len);
    for (int i = 0; i < CROWD; i++, len += sizeof NOSCRIPT - 1)
        memcpy(said + len, NOSCRIPT, sizeof NOSCRIPT - 1);
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(CROWD + 1), FAKE_SAY_BYTES(said, len)};
    call self;
    BEGIN(&self, FAKE_UNIX, steps);

    const evs_script *script = shards_script(&self.set, "one", plain);
    evs_bytes key = evs_text("k");
    evs_invocation invocation = {
        .handle = script, .keys = &key, .nkeys = 1, .timeout_ms = PATIENCE_MS};
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(evs_submit(self.set.client, &invocation, fails_to_compile, &count, NULL),
                         EVS_OK);
    while (evs_client_pending(self.set.client) > 0)
        evs_client_process(self.set.client, -1, NULL);
    assert_int_equal(count, CROWD);
    end(&self);
    free(said);
}

static void a_refused_load_does_not_decide_the_call(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2),
                               FAKE_SAY("-NOPERM no permissions\r\n:1\r\n")};
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, plain, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_OK);
    end(&self);
}

static void connect_first(call *self)
{
    evs_reply *pong = NULL;
    evs_bytes ping = evs_text("PING");
    evs_plain_command command = {
        .args = &ping, .nargs = 1, .shard = "s0", .timeout_ms = PATIENCE_MS};
    assert_int_equal(evs_command(&pong, self->set.client, &command, NULL), EVS_OK);
    evs_reply_free(pong);
}

static void silence_ends_at_the_deadline_and_the_late_reply_is_skipped(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,        FAKE_ANSWER(1, "+PONG\r\n"),  FAKE_COMMANDS(2),
                               FAKE_PAUSE,        FAKE_SAY(SHA_REPLY ":1\r\n"), FAKE_COMMANDS(1),
                               FAKE_SAY(":2\r\n")};
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    connect_first(&self); /* so that the request leaves however slow the machine is */
    run(&self, plain, 0, 30);
    assert_int_equal(self.status, EVS_E_TIMEOUT);
    assert_int_equal(self.err.outcome, EVS_MAYBE_EXECUTED);
    fake_shard_go(self.fake);
    run(&self, plain, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_OK);
    assert_int_equal(evs_reply_integer(self.reply), 2);
    assert_int_equal(self.stats.connects, 1);
    end(&self);
}

static void a_call_that_never_left_the_queue_did_not_run(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(1), FAKE_PAUSE};
    call self;
    BEGIN(&self, FAKE_UNIX, steps); /* the greeting is not answered within 30 ms */
    run(&self, plain, 0, 30);
    assert_int_equal(self.status, EVS_E_TIMEOUT);
    assert_int_equal(self.err.outcome, EVS_NOT_EXECUTED);
    fake_shard_go(self.fake);
    end(&self);
}

static void a_server_that_is_not_redis_is_said_to_be_none(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(1),
                               FAKE_SAY("HTTP/1.1 400 Bad Request\r\n\r\n")};
    call self;
    BEGIN(&self, FAKE_TCP, steps);
    run(&self, plain, 0, PATIENCE_MS);
    assert_int_equal(self.status, EVS_E_PROTOCOL);
    assert_int_equal(self.err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(self.err.message, "HTTP/1.1"));
    assert_non_null(strstr(self.err.message, "script one"));
    end(&self);
}

/* Sound at every byte: a call that says NOT_EXECUTED never arrived whole, and one that got its
 * whole reply is EXECUTED. */
static void the_outcome_is_sound_wherever_the_reply_is_cut(void **state)
{
    (void)state;
    static const char reply[] = SHA_REPLY ":12\r\n";
    for (size_t cut = 0; cut < sizeof reply; cut++) {
        const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY_BYTES(reply, cut),
                                   FAKE_CLOSE};
        call self;
        BEGIN(&self, FAKE_UNIX, steps);
        run(&self, plain, 0, PATIENCE_MS);
        if (cut == sizeof reply - 1)
            assert_int_equal(self.status, EVS_OK);
        else
            assert_int_equal(self.err.outcome, EVS_MAYBE_EXECUTED);
        end(&self);
    }
}

static size_t request_length(void)
{
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY(SHA_REPLY ":1\r\n")};
    call self;
    BEGIN(&self, FAKE_UNIX, steps);
    run(&self, plain, 0, PATIENCE_MS);
    fake_shard_wait(self.fake);
    evs_bytes all = fake_shard_received(self.fake);
    const char *load = memmem(all.data, all.len, "*3\r\n$6\r\nSCRIPT", 14);
    assert_non_null(load);
    size_t length = all.len - (size_t)(load - all.data);
    end(&self);
    return length;
}

static void the_outcome_is_sound_wherever_the_request_is_cut(void **state)
{
    (void)state;
    size_t whole = request_length();
    for (size_t cut = 1; cut <= whole; cut++) {
        const fake_step steps[] = {FAKE_GREET, FAKE_BYTES(cut), FAKE_DEAF, FAKE_RESET};
        call self;
        BEGIN(&self, FAKE_TCP, steps);
        run(&self, plain, 0, PATIENCE_MS);
        assert_int_not_equal(self.status, EVS_OK);
        if (cut == whole)
            assert_int_equal(self.err.outcome, EVS_MAYBE_EXECUTED);
        end(&self);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_after_the_last_byte_is_maybe_and_once_is_not_sent_again),
        cmocka_unit_test(a_cut_before_the_last_byte_is_not_executed),
        cmocka_unit_test(what_did_not_leave_goes_out_once_on_a_new_connection),
        cmocka_unit_test(an_idempotent_script_is_sent_again_once),
        cmocka_unit_test(a_first_try_that_may_have_run_is_never_forgotten),
        cmocka_unit_test(a_noscript_that_the_server_confirms_is_healed),
        cmocka_unit_test(a_noscript_that_the_server_denies_is_the_scripts_own),
        cmocka_unit_test(a_noscript_of_an_honest_script_is_believed),
        cmocka_unit_test(a_call_is_healed_once_and_then_settled_again),
        cmocka_unit_test(a_doubtful_noscript_is_never_forgotten),
        cmocka_unit_test(the_smallest_reply_limit_leaves_room_for_errors),
        cmocka_unit_test(a_reply_that_memory_lacks_for_may_be_a_refusal),
        cmocka_unit_test(but_one_that_is_no_error_says_that_the_script_ran),
        cmocka_unit_test(an_error_proves_nothing_of_a_command_that_runs_a_script),
        cmocka_unit_test(a_lost_connection_while_settling_leaves_the_doubt_there_was),
        cmocka_unit_test(letting_go_while_settling_leaves_the_doubt_there_was),
        cmocka_unit_test(a_compile_error_fails_the_call_with_the_servers_words),
        cmocka_unit_test(a_compile_error_fails_every_call_behind_it_once),
        cmocka_unit_test(a_refused_load_does_not_decide_the_call),
        cmocka_unit_test(silence_ends_at_the_deadline_and_the_late_reply_is_skipped),
        cmocka_unit_test(a_call_that_never_left_the_queue_did_not_run),
        cmocka_unit_test(a_server_that_is_not_redis_is_said_to_be_none),
        cmocka_unit_test(the_outcome_is_sound_wherever_the_reply_is_cut),
        cmocka_unit_test(the_outcome_is_sound_wherever_the_request_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
