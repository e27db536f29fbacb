/*
 * What requests are told when a connection ends: each exactly once, in order, with the truth about
 * what the kernel accepted. The library's send() is replaced: the kernel takes as many bytes as a
 * test says, so that it can stop at every one of them.
 */
#include "tests/support/asker.h"
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNLIMITED = -1 };

static ssize_t budget = UNLIMITED; /* bytes that the kernel still takes */
static int refusal;                /* an errno instead */

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    if (refusal != 0 || budget == 0) {
        errno = refusal != 0 ? refusal : EAGAIN;
        return -1;
    }
    if (budget > 0 && len > (size_t)budget)
        len = (size_t)budget;
    ssize_t n = sendto(fd, data, len, flags, NULL, 0);
    if (budget > 0 && n > 0)
        budget -= n;
    return n;
}

static int reset_send(void **state)
{
    (void)state;
    budget = UNLIMITED;
    refusal = 0;
    return 0;
}

static void open_ready(asker *a, const fake_shard *fake)
{
    asker_open(a, fake_shard_login(fake));
    assert_int_equal(evs__conn_prepare(a->conn, NULL), EVS_OK);
    asker_run_ready(a);
}

/* ---- sent ---- */

static void sent_says_whether_the_last_byte_was_accepted(void **state)
{
    (void)state;
    static const char *const requests[] = {"*1\r\n$1\r\nA\r\n", "*1\r\n$2\r\nBB\r\n",
                                           "*1\r\n$1\r\nC\r\n"};
    for (size_t accepted = 0; accepted <= 34; accepted++) {
        const fake_step steps[] = {FAKE_GREET, FAKE_PAUSE, FAKE_BYTES(accepted), FAKE_CLOSE};
        fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
        asker a;
        open_ready(&a, fake);
        ask *asks[3];
        for (size_t i = 0; i < 3; i++)
            asks[i] = asker_queue(&a, evs_text(requests[i]));
        budget = (ssize_t)accepted;
        fake_shard_go(fake);
        asker_run(&a);
        budget = UNLIMITED;
        size_t end = 0;
        for (size_t i = 0; i < 3; i++) {
            end += strlen(requests[i]);
            assert_int_equal(asks[i]->answers, 1);
            assert_int_equal(asks[i]->order, i + 1);
            assert_int_equal(asks[i]->got, EVS__GOT_LOST);
            assert_int_equal(asks[i]->sent, end <= accepted);
            assert_int_equal(asks[i]->why.status, EVS_E_CLOSED);
        }
        asker_close(&a);
        fake_shard_stop(fake);
    }
}

/* Nothing replaced here: what the server finds in its socket is what the kernel accepted. */
static void sent_is_true_for_a_server_that_stops_reading(void **state)
{
    (void)state;
    enum { SIZE = 50000, COUNT = 200 };
    static char request[SIZE];
    const fake_step steps[] = {FAKE_GREET, FAKE_PAUSE, FAKE_DRAIN, FAKE_CLOSE};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    open_ready(&a, fake);
    ask *asks[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        asks[i] = asker_queue(&a, (evs_bytes){request, SIZE});
    for (int i = 0; i < 5; i++)
        evs__loop_run(a.loop, 1);
    fake_shard_go(fake);
    fake_shard_wait(fake);
    size_t accepted = fake_shard_received(fake).len -
                      strlen("*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n"
                             "$4\r\ntest\r\n");
    asker_run(&a);
    assert_in_range(accepted, 1, (size_t)SIZE * COUNT - 1);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(asks[i]->got, EVS__GOT_LOST);
        assert_int_equal(asks[i]->sent, (i + 1) * SIZE <= accepted);
    }
    asker_close(&a);
    fake_shard_stop(fake);
}

static void a_server_that_closes_inside_a_request_leaves_it_sent(void **state)
{
    (void)state;
    static const char request[] = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
    for (size_t cut = 1; cut < sizeof request; cut++) {
        const fake_step reset[] = {FAKE_GREET, FAKE_BYTES(cut), FAKE_RESET};
        fake_shard *fake = FAKE_START(FAKE_TCP, reset);
        asker a;
        open_ready(&a, fake);
        ask *get = asker_queue(&a, evs_text(request));
        asker_run(&a);
        assert_int_equal(get->got, EVS__GOT_LOST);
        assert_int_equal(get->sent, 1);
        assert_int_equal(get->why.status, EVS_E_CLOSED);
        asker_close(&a);
        fake_shard_stop(fake);
    }
}

static void a_reply_cut_at_any_byte_loses_its_request(void **state)
{
    (void)state;
    static const char reply[] = "*2\r\n$3\r\nabc\r\n:1\r\n";
    for (size_t cut = 0; cut < sizeof reply - 1; cut++) {
        const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_SAY("+first\r\n"),
                                   FAKE_SAY_BYTES(reply, cut), FAKE_CLOSE};
        fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
        asker a;
        asker_open(&a, fake_shard_login(fake));
        ask *first = asker_ask(&a, "A", NULL);
        ask *cut_off = asker_ask(&a, "B", NULL);
        ask *last = asker_ask(&a, "C", NULL);
        asker_run(&a);
        assert_string_equal(first->text, "first");
        assert_int_equal(cut_off->got, EVS__GOT_LOST);
        assert_int_equal(cut_off->sent, 1);
        assert_int_equal(last->order, 3);
        assert_non_null(strstr(last->why.message, "connection closed by the server"));
        asker_close(&a);
        fake_shard_stop(fake);
    }
}

static void answers_before_a_refused_write_are_delivered(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_PAUSE};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    open_ready(&a, fake);
    ask *one = asker_ask(&a, "A", NULL);
    evs__loop_run(a.loop, 0);
    fake_shard_await(fake, 3);
    ask *two = asker_ask(&a, "B", NULL);
    refusal = EPIPE;
    asker_run(&a);
    assert_string_equal(one->text, "one");
    assert_int_equal(two->got, EVS__GOT_LOST);
    assert_int_equal(two->sent, 0);
    assert_int_equal(two->why.status, EVS_E_CLOSED);
    fake_shard_go(fake);
    asker_close(&a);
    fake_shard_stop(fake);
}

/* ---- after a loss ---- */

static void ask_next_time(ask *self)
{
    self->then = NULL;
    asker_ask(self->from, "AGAIN", NULL);
}

static void requests_queued_while_being_told_go_to_the_next_connection(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_CLOSE, FAKE_GREET,
                               FAKE_ANSWER(2, "+again\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    asker_ask(&a, "A", NULL)->then = ask_next_time;
    asker_ask(&a, "B", NULL)->then = ask_next_time;
    uint64_t epoch = evs__conn_epoch(a.conn);
    asker_run(&a);
    assert_int_equal(a.answered, 4);
    assert_int_equal(evs__conn_epoch(a.conn), epoch + 1);
    for (ask *at = a.asks; at != NULL; at = at->next)
        assert_int_equal(at->got, at->order <= 2 ? EVS__GOT_LOST : EVS__GOT_REPLY);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void free_connection(ask *self)
{
    evs__conn *conn = self->from->conn;
    self->from->conn = NULL;
    evs__conn_free(conn);
    assert_int_equal(self->from->waiting, 0); /* all others were told before it returned */
}

static void the_connection_may_be_freed_while_being_told(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_CLOSE};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    ask *one = asker_ask(&a, "A", NULL);
    one->then = free_connection;
    ask *two = asker_ask(&a, "B", NULL);
    ask *three = asker_ask(&a, "C", NULL);
    asker_run(&a);
    assert_int_equal(one->why.status, EVS_E_CLOSED);
    assert_int_equal(two->why.status, EVS_E_CANCELED);
    assert_int_equal(two->sent, 1);
    assert_int_equal(three->order, 3);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void free_tells_requests_that_never_left(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    open_ready(&a, fake);
    ask *one = asker_ask(&a, "A", NULL);
    evs__conn_free(a.conn);
    a.conn = NULL;
    assert_int_equal(one->answers, 1);
    assert_int_equal(one->got, EVS__GOT_LOST);
    assert_int_equal(one->sent, 0);
    assert_int_equal(one->why.status, EVS_E_CANCELED);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void a_closed_idle_connection_is_replaced_before_anything_is_queued(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_PAUSE, FAKE_CLOSE,
                               FAKE_GREET, FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    uint64_t epoch = evs__conn_epoch(a.conn);
    fake_shard_go(fake);
    fake_shard_await(fake, 5);
    assert_int_equal(evs__conn_prepare(a.conn, NULL), EVS_OK);
    assert_true(evs__conn_epoch(a.conn) != epoch);
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_string_equal(two->text, "two");
    asker_close(&a);
    fake_shard_stop(fake);
}

/* ---- fork ---- */

static void a_child_leaves_the_parents_connection_alone(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1), FAKE_PAUSE, FAKE_SAY("+one\r\n"),
                               FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    ask *one = asker_ask(&a, "A", NULL);
    fake_shard_await_on(fake, 3, a.loop);
    pid_t child = fork();
    if (child == 0) {
        evs__conn_abandon(a.conn);
        evs__loop_abandon(a.loop);
        _exit(one->answers);
    }
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    fake_shard_go(fake);
    asker_run(&a);
    assert_string_equal(one->text, "one");
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_string_equal(two->text, "two");
    asker_close(&a);
    fake_shard_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sent_says_whether_the_last_byte_was_accepted, reset_send),
        cmocka_unit_test(sent_is_true_for_a_server_that_stops_reading),
        cmocka_unit_test(a_server_that_closes_inside_a_request_leaves_it_sent),
        cmocka_unit_test(a_reply_cut_at_any_byte_loses_its_request),
        cmocka_unit_test_teardown(answers_before_a_refused_write_are_delivered, reset_send),
        cmocka_unit_test(requests_queued_while_being_told_go_to_the_next_connection),
        cmocka_unit_test(the_connection_may_be_freed_while_being_told),
        cmocka_unit_test(free_tells_requests_that_never_left),
        cmocka_unit_test(a_closed_idle_connection_is_replaced_before_anything_is_queued),
        cmocka_unit_test(a_child_leaves_the_parents_connection_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
