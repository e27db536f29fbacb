/*
 * What a transaction says has happened when its connection is cut: at every byte of the requests,
 * and at every byte of the replies.
 *
 * The kernel takes whatever fits its buffers, so to be cut in the middle of a request the client's
 * send() is ours: it takes so many bytes and no more.
 */
#include "tests/support/fake_shard.h"
#include "tests/support/kernel.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sys/socket.h>

#define SHA  "e0e1f9fabfc9d4800c877a703b823ac0578ff8db" /* of "return 1" */
#define LOAD "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$8\r\nreturn 1\r\n"
#define CALL "*4\r\n$7\r\nEVALSHA\r\n$40\r\n" SHA "\r\n$1\r\n1\r\n$1\r\nk\r\n"
#define SET  "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"

static const char request[] = "*1\r\n$5\r\nMULTI\r\n" LOAD CALL SET "*1\r\n$4\r\nEXEC\r\n";

#define QUEUED "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    return kernel_send(fd, data, len, flags);
}

/* ---- one transaction ---- */

typedef struct trial {
    fake_step steps[12]; /* borrowed by the fake */
    shards set;
    fake_shard *fake;
    evs_transaction *tx;
    evs_status status;
    evs_error err;
} trial;

static void add_elements(evs_transaction *tx)
{
    evs_bytes key = evs_text("k");
    evs_bytes words[] = {evs_text("SET"), key, evs_text("v")};
    evs_plain_command set = {.args = words, .nargs = 3};
    evs_invocation call = {.script = "one", .keys = &key, .nkeys = 1};
    assert_int_equal(evs_transaction_add(tx, &call, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add_command(tx, &set, NULL), EVS_OK);
}

static void begin_on(trial *self, fake_listen listen, const char *source, const fake_step *steps,
                     size_t nsteps)
{
    memset(self, 0, sizeof *self);
    assert_true(nsteps <= sizeof self->steps / sizeof self->steps[0]);
    memcpy(self->steps, steps, nsteps * sizeof *steps);
    self->fake = fake_shard_start(listen, self->steps, nsteps);
    const char *address = fake_shard_address(self->fake);
    if (listen == FAKE_TCP)
        kernel_watch(fake_shard_login(self->fake)->endpoint.port);
    shards_open(&self->set, &address, 1, NULL);
    shards_script(&self->set, "one", source);
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = 20000;
    assert_int_equal(evs_transaction_new(&self->tx, self->set.client, &options, NULL), EVS_OK);
}

static void begin(trial *self, const char *source, const fake_step *steps, size_t nsteps)
{
    begin_on(self, FAKE_UNIX, source, steps, nsteps);
}

static void shorten(trial *self, unsigned timeout_ms)
{
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = timeout_ms;
    evs_transaction_free(self->tx);
    assert_int_equal(evs_transaction_new(&self->tx, self->set.client, &options, NULL), EVS_OK);
}

static void run(trial *self)
{
    evs_transaction_clear(self->tx);
    add_elements(self->tx);
    self->status = evs_transaction_exec(self->tx, &self->err);
}

static void end(trial *self)
{
    evs_transaction_free(self->tx);
    evs_client_free(self->set.client);
    self->set.client = NULL;
    fake_shard_stop(self->fake);
    shards_stop(&self->set);
}

static void assert_all(const trial *self, evs_outcome outcome)
{
    assert_int_equal(evs_transaction_outcome(self->tx)->outcome, outcome);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(evs_transaction_result(self->tx, i)->outcome, outcome);
}

/* Bytes of the greeting, which comes before. */
static size_t measure_greeting(void)
{
    const fake_step steps[] = {FAKE_GREET, FAKE_BYTES(sizeof request - 1), FAKE_CLOSE};
    trial self;
    begin_on(&self, FAKE_TCP, "return 1", steps, sizeof steps / sizeof steps[0]);
    run(&self);
    size_t greeting = kernel_taken(0).len - (sizeof request - 1);
    end(&self);
    return greeting;
}

/* A server that refused MULTI, and had no time to say so, has run each element that it got. */
static void a_cut_in_the_requests(const char *said, size_t maybe_from)
{
    const size_t whole = sizeof request - 1, greeting = measure_greeting();
    for (size_t taken = 1; taken <= whole; taken++) {
        int heard = taken >= sizeof "*1\r\n$5\r\nMULTI\r\n" - 1;
        const fake_step steps[] = {FAKE_GREET, FAKE_BYTES(taken),
                                   FAKE_SAY_BYTES(said, heard ? strlen(said) : 0), FAKE_DEAF,
                                   FAKE_CLOSE};
        trial self;
        begin_on(&self, FAKE_TCP, "return 1", steps, sizeof steps / sizeof steps[0]);
        kernel_limit(greeting + taken);
        run(&self);
        assert_int_equal(self.status, EVS_E_CLOSED);
        assert_int_equal(self.err.outcome,
                         taken < maybe_from ? EVS_NOT_EXECUTED : EVS_MAYBE_EXECUTED);
        assert_all(&self, self.err.outcome);
        fake_shard_wait(self.fake);
        evs_bytes got = fake_shard_received(self.fake);
        assert_memory_equal(got.data + got.len - taken, request, taken);
        evs_client_stats stats;
        evs_client_stats_get(&stats, self.set.client);
        assert_int_equal(stats.connects, 1); /* never sent again */
        end(&self);
    }
    kernel_watch(0);
}

static void a_cut_behind_an_element_is_maybe_while_multi_may_be_refused(void **state)
{
    (void)state;
    a_cut_in_the_requests("", sizeof "*1\r\n$5\r\nMULTI\r\n" LOAD CALL - 1);
}

static void a_cut_before_the_end_of_exec_is_not_executed(void **state)
{
    (void)state;
    a_cut_in_the_requests("+OK\r\n", sizeof request - 1);
}

/* The replies end at byte `len`; then the connection does. */
static void play_replies(trial *self, const char *replies, size_t len)
{
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(5), FAKE_SAY_BYTES(replies, len),
                               FAKE_DEAF, FAKE_CLOSE};
    begin(self, "return 1", steps, sizeof steps / sizeof steps[0]);
    run(self);
}

static void a_cut_in_the_replies_is_maybe(void **state)
{
    (void)state;
    static const char replies[] = QUEUED "*3\r\n$40\r\n" SHA "\r\n:1\r\n+OK\r\n";
    for (size_t len = 0; len < sizeof replies; len++) {
        trial self;
        play_replies(&self, replies, len);
        int complete = len == sizeof replies - 1;
        assert_int_equal(self.status, complete ? EVS_OK : EVS_E_CLOSED);
        assert_all(&self, complete ? EVS_EXECUTED : EVS_MAYBE_EXECUTED);
        end(&self);
    }
}

/* Once an element is refused EXEC discards the whole, whether or not it can still say so. */
static void a_cut_behind_a_refusal_is_not_executed(void **state)
{
    (void)state;
    static const char refused[] = "+OK\r\n+QUEUED\r\n+QUEUED\r\n-OOM no room\r\n";
    static const char replies[] = "+OK\r\n+QUEUED\r\n+QUEUED\r\n-OOM no room\r\n"
                                  "-EXECABORT Transaction discarded\r\n";
    for (size_t len = 0; len < sizeof replies; len++) {
        trial self;
        play_replies(&self, replies, len);
        int known = len >= sizeof refused - 1;
        assert_int_equal(self.status, known ? EVS_E_OOM : EVS_E_CLOSED);
        assert_all(&self, known ? EVS_NOT_EXECUTED : EVS_MAYBE_EXECUTED);
        assert_int_equal(evs_transaction_result(self.tx, 0)->status,
                         known ? EVS_E_CANCELED : EVS_E_CLOSED);
        end(&self);
    }
}

/* ---- replies that real servers seldom give ---- */

typedef struct meaning {
    const char *replies;
    const char *source;
    evs_status status;
    evs_outcome outcome;
    evs_status first; /* of the script */
    evs_outcome first_outcome;
    evs_outcome second_outcome; /* of the command */
} meaning;

#define LIAR   "return redis.error_reply(ARGV[1])"
#define NOAUTH "-NOAUTH Authentication required.\r\n"

static const meaning meanings[] = {
    {"+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n-EXECABORT Transaction discarded because of: BUSY "
     "x\r\n",
     "return 1", EVS_E_BUSY, EVS_NOT_EXECUTED, EVS_E_BUSY, EVS_NOT_EXECUTED, EVS_NOT_EXECUTED},
    {QUEUED "-EXECABORT Transaction discarded because of: OOM x\r\n", "return 1", EVS_E_OOM,
     EVS_NOT_EXECUTED, EVS_E_OOM, EVS_NOT_EXECUTED, EVS_NOT_EXECUTED},
    {QUEUED "-CROSSSLOT Keys in request\r\n", "return 1", EVS_E_CROSS_SLOT, EVS_NOT_EXECUTED,
     EVS_E_CROSS_SLOT, EVS_NOT_EXECUTED, EVS_NOT_EXECUTED},
    {QUEUED "-ERR what a proxy may say\r\n", "return 1", EVS_E_INVALID, EVS_MAYBE_EXECUTED,
     EVS_E_INVALID, EVS_MAYBE_EXECUTED, EVS_MAYBE_EXECUTED},
    {QUEUED "*-1\r\n", "return 1", EVS_E_ABORTED, EVS_NOT_EXECUTED, EVS_E_ABORTED, EVS_NOT_EXECUTED,
     EVS_NOT_EXECUTED},
    {QUEUED "*2\r\n:1\r\n+OK\r\n", "return 1", EVS_E_PROTOCOL, EVS_MAYBE_EXECUTED, EVS_E_PROTOCOL,
     EVS_MAYBE_EXECUTED, EVS_MAYBE_EXECUTED},
    {QUEUED "*3\r\n-ERR Error compiling script (new function): user_script:3: x\r\n-NOSCRIPT No\r\n"
            "+OK\r\n",
     "return 1", EVS_OK, EVS_EXECUTED, EVS_E_COMPILE, EVS_NOT_EXECUTED, EVS_EXECUTED},
    {QUEUED "*3\r\n-NOPERM x\r\n-NOSCRIPT No\r\n+OK\r\n", "return 1", EVS_OK, EVS_EXECUTED,
     EVS_E_DENIED, EVS_NOT_EXECUTED, EVS_EXECUTED},
    {"+OK\r\n-NOPERM x\r\n+QUEUED\r\n+QUEUED\r\n-EXECABORT Transaction discarded\r\n", "return 1",
     EVS_E_DENIED, EVS_NOT_EXECUTED, EVS_E_DENIED, EVS_NOT_EXECUTED, EVS_NOT_EXECUTED},
    {"-NOPERM multi\r\n$40\r\n" SHA "\r\n:1\r\n-WRONGTYPE x\r\n-ERR EXEC without MULTI\r\n",
     "return 1", EVS_E_DENIED, EVS_MAYBE_EXECUTED, EVS_OK, EVS_EXECUTED, EVS_EXECUTED},
    {NOAUTH NOAUTH NOAUTH NOAUTH NOAUTH, "return 1", EVS_E_AUTH, EVS_NOT_EXECUTED, EVS_E_AUTH,
     EVS_NOT_EXECUTED, EVS_NOT_EXECUTED},
    {NOAUTH NOAUTH NOAUTH NOAUTH NOAUTH, LIAR, EVS_E_AUTH, EVS_MAYBE_EXECUTED, EVS_E_AUTH,
     EVS_MAYBE_EXECUTED, EVS_NOT_EXECUTED},
};

static void replies_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        trial self;
        const meaning *m = &meanings[i];
        const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(5),
                                   FAKE_SAY_BYTES(m->replies, strlen(m->replies))};
        begin(&self, m->source, steps, sizeof steps / sizeof steps[0]);
        run(&self);
        const evs_result *first = evs_transaction_result(self.tx, 0);
        if (self.status != m->status || first->status != m->first)
            fail_msg("%s: %s, %s", m->replies, evs_status_name(self.status),
                     evs_status_name(first->status));
        assert_int_equal(evs_transaction_outcome(self.tx)->outcome, m->outcome);
        assert_int_equal(first->outcome, m->first_outcome);
        assert_int_equal(evs_transaction_result(self.tx, 1)->outcome, m->second_outcome);
        end(&self);
    }
}

/* A script that may return any error is believed only when the server confirms it. Then it is not
 * known any more: the next transaction has five commands, not four. */
static void settle_noscript(const char *exists, evs_outcome outcome)
{
    static const char known[] = "+no sha\r\n:1\r\n";
    static const char noscript[] = "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n-NOSCRIPT No\r\n+OK\r\n";
    const fake_step steps[] = {FAKE_GREET,
                               FAKE_COMMANDS(2),
                               FAKE_SAY_BYTES(known, sizeof known - 1),
                               FAKE_COMMANDS(4),
                               FAKE_SAY_BYTES(noscript, sizeof noscript - 1),
                               FAKE_COMMANDS(1),
                               FAKE_SAY_BYTES(exists, strlen(exists)),
                               FAKE_COMMANDS(5)};
    trial self;
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("k");
    evs_invocation call = {.script = "one", .keys = &key, .nkeys = 1, .timeout_ms = 20000};
    begin(&self, LIAR, steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(evs_call(&reply, self.set.client, &call, NULL), EVS_OK); /* it is known now */
    evs_reply_free(reply);
    run(&self);
    assert_int_equal(self.status, EVS_OK);
    assert_int_equal(evs_transaction_result(self.tx, 0)->status, EVS_E_NO_SCRIPT);
    assert_int_equal(evs_transaction_result(self.tx, 0)->outcome, outcome);
    assert_int_equal(evs_transaction_result(self.tx, 0)->error->outcome, outcome);
    assert_int_equal(evs_transaction_result(self.tx, 1)->outcome, EVS_EXECUTED);
    shorten(&self, 1000);
    run(&self);
    assert_int_equal(self.status, EVS_E_TIMEOUT);
    assert_all(&self, EVS_MAYBE_EXECUTED);
    end(&self);
}

static void noscript_of_a_script_that_may_say_so_itself(void **state)
{
    (void)state;
    settle_noscript("*1\r\n:0\r\n", EVS_NOT_EXECUTED);
    settle_noscript("*1\r\n:1\r\n", EVS_MAYBE_EXECUTED);
    settle_noscript("-NOPERM exists\r\n", EVS_MAYBE_EXECUTED);
}

/* ---- deadlines ---- */

/* The connection is not made in time: nothing has left, and nothing will. */
static void a_deadline_before_the_first_byte_takes_everything_back(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT,
                               FAKE_COMMANDS(1),
                               FAKE_PAUSE,
                               FAKE_SAY("+OK\r\n"),
                               FAKE_EXPECT("*1\r\n$4\r\nPING\r\n"),
                               FAKE_SAY("+PONG\r\n")};
    trial self;
    evs_reply *reply = NULL;
    evs_bytes ping = evs_text("PING");
    evs_plain_command cmd = {.args = &ping, .nargs = 1, .shard = "s0", .timeout_ms = 20000};
    begin(&self, "return 1", steps, sizeof steps / sizeof steps[0]);
    shorten(&self, 100);
    run(&self);
    assert_int_equal(self.status, EVS_E_TIMEOUT);
    assert_all(&self, EVS_NOT_EXECUTED);
    fake_shard_go(self.fake);
    assert_int_equal(evs_command(&reply, self.set.client, &cmd, NULL), EVS_OK);
    evs_reply_free(reply);
    end(&self);
}

/* Late replies of a transaction do not become those of what is behind it. */
static void a_late_exec_does_not_disturb_the_order(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,
                               FAKE_ANSWER(1, "+PONG\r\n"),
                               FAKE_COMMANDS(5),
                               FAKE_PAUSE,
                               FAKE_SAY(QUEUED "*3\r\n$40\r\n" SHA "\r\n:1\r\n+OK\r\n"),
                               FAKE_COMMANDS(1),
                               FAKE_SAY("+PONG\r\n")};
    trial self;
    evs_reply *reply = NULL;
    evs_bytes ping = evs_text("PING");
    evs_plain_command cmd = {.args = &ping, .nargs = 1, .shard = "s0", .timeout_ms = 20000};
    begin(&self, "return 1", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(evs_command(&reply, self.set.client, &cmd, NULL), EVS_OK); /* connected */
    evs_reply_free(reply);
    shorten(&self, 1000);
    run(&self);
    assert_int_equal(self.status, EVS_E_TIMEOUT);
    assert_all(&self, EVS_MAYBE_EXECUTED);
    fake_shard_await(self.fake, 4);
    fake_shard_go(self.fake);
    assert_int_equal(evs_command(&reply, self.set.client, &cmd, NULL), EVS_OK);
    assert_memory_equal(evs_reply_bytes(reply).data, "PONG", 4);
    evs_reply_free(reply);
    end(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_behind_an_element_is_maybe_while_multi_may_be_refused),
        cmocka_unit_test(a_cut_before_the_end_of_exec_is_not_executed),
        cmocka_unit_test(a_cut_in_the_replies_is_maybe),
        cmocka_unit_test(a_cut_behind_a_refusal_is_not_executed),
        cmocka_unit_test(replies_are_understood),
        cmocka_unit_test(noscript_of_a_script_that_may_say_so_itself),
        cmocka_unit_test(a_deadline_before_the_first_byte_takes_everything_back),
        cmocka_unit_test(a_late_exec_does_not_disturb_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
