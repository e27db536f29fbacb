/* Requests out and replies in, against a scripted server: order, pieces, limits, what completions
 * may do. */
#include "tests/support/asker.h"
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static void replies_match_requests_in_order(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3),
                               FAKE_SAY(":1\r\n$3\r\nabc\r\n-ERR no\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    ask *one = asker_ask(&a, "INCR", "x", NULL);
    ask *two = asker_ask(&a, "GET", "x", NULL);
    ask *three = asker_ask(&a, "NONSENSE", NULL);
    asker_run(&a);
    assert_int_equal(one->integer, 1);
    assert_string_equal(two->text, "abc");
    assert_int_equal(three->type, EVS_REPLY_ERROR);
    assert_string_equal(three->text, "ERR no");
    assert_int_equal(one->order, 1);
    assert_int_equal(three->order, 3);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void requests_of_one_turn_leave_in_one_write(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(200, ":7\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    for (int i = 0; i < 200; i++)
        asker_ask(&a, "INCR", "counter", NULL);
    asker_run(&a);
    evs__loop_counts stats = evs__loop_counted(a.loop);
    assert_int_equal(stats.writes, 1);
    assert_int_equal(stats.connects, 1);
    assert_int_equal(a.asks->integer, 7);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void replies_may_be_split_anywhere(void **state)
{
    (void)state;
    static const char replies[] = "*2\r\n$3\r\nabc\r\n:-7\r\n+OK\r\n";
    for (size_t cut = 1; cut < sizeof replies - 1; cut++) {
        const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY_BYTES(replies, cut),
                                   FAKE_PAUSE,
                                   FAKE_SAY_BYTES(replies + cut, sizeof replies - 1 - cut)};
        fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
        asker a;
        asker_open(&a, fake_shard_login(fake));
        ask *list = asker_ask(&a, "LRANGE", NULL);
        ask *ok = asker_ask(&a, "SET", NULL);
        fake_shard_await_on(fake, 4, a.loop);
        evs__loop_run(a.loop, 1);
        assert_int_equal(ok->answers, 0);
        fake_shard_go(fake);
        asker_run(&a);
        assert_int_equal(list->count, 2);
        assert_string_equal(ok->text, "OK");
        asker_close(&a);
        fake_shard_stop(fake);
    }
}

static void requests_larger_than_the_sockets_buffers_arrive_whole(void **state)
{
    (void)state;
    enum { SIZE = 12 * 1024 * 1024 };
    const fake_step steps[] = {FAKE_GREET, FAKE_PAUSE, FAKE_BYTES(SIZE), FAKE_SAY("+A\r\n"),
                               FAKE_ANSWER(1, "+B\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP_NARROW, steps);
    char *big = malloc(SIZE);
    assert_non_null(big);
    for (size_t i = 0; i < SIZE; i++)
        big[i] = (char)(i * 31 + i / 1000);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    assert_int_equal(evs__conn_prepare(a.conn, NULL), EVS_OK);
    asker_run_ready(&a);
    ask *first = asker_queue(&a, (evs_bytes){big, SIZE});
    ask *second = asker_queue(&a, evs_text("*1\r\n$4\r\nPING\r\n"));
    for (int i = 0; i < 20; i++)
        evs__loop_run(a.loop, 1);
    assert_int_equal(first->answers, 0);
    fake_shard_go(fake);
    asker_run(&a);
    assert_string_equal(first->text, "A");
    assert_string_equal(second->text, "B");
    fake_shard_wait(fake);
    evs_bytes got = fake_shard_received(fake);
    const char *at = memmem(got.data, got.len, big, SIZE);
    assert_non_null(at);
    free(big);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void much_that_is_queued_leaves_before_the_turn_ends(void **state)
{
    (void)state;
    enum { SIZE = 300 * 1024 };
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+READY\r\n"), FAKE_BYTES(SIZE),
                               FAKE_SAY("+A\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    asker_ask(&a, "PING", NULL);
    asker_run(&a);
    char *big = calloc(SIZE, 1);
    asker_queue(&a, (evs_bytes){big, SIZE});
    evs__loop_counts stats = evs__loop_counted(a.loop);
    assert_int_equal(stats.writes, 2);
    asker_run(&a);
    free(big);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void oversized_replies_keep_the_connection(void **state)
{
    (void)state;
    static const char reply[] = "*2\r\n$2000\r\n";
    static char filler[2002];
    memset(filler, 'x', 2000);
    memcpy(filler + 2000, "\r\n", 2);
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY_BYTES(reply, 11),
                               FAKE_SAY_BYTES(filler, 2002), FAKE_SAY(":1\r\n+next\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    evs__conn_limits limits = {
        .max_reply_bytes = 1000, .max_reply_depth = 8, .max_queued_bytes = 1000};
    asker_open_limited(&a, fake_shard_login(fake), &limits);
    ask *big = asker_ask(&a, "BIG", NULL);
    ask *next = asker_ask(&a, "SMALL", NULL);
    asker_run(&a);
    assert_int_equal(big->got, EVS__GOT_TOO_BIG);
    assert_int_equal(big->type, EVS_REPLY_NIL);
    assert_int_equal(next->got, EVS__GOT_REPLY);
    assert_string_equal(next->text, "next");
    asker_close(&a);
    fake_shard_stop(fake);
}

static void deep_replies_keep_the_connection(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2),
                               FAKE_SAY("*1\r\n*1\r\n*1\r\n:1\r\n+next\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    evs__conn_limits limits = {
        .max_reply_bytes = 1000, .max_reply_depth = 2, .max_queued_bytes = 1000};
    asker_open_limited(&a, fake_shard_login(fake), &limits);
    ask *deep = asker_ask(&a, "DEEP", NULL);
    ask *next = asker_ask(&a, "SMALL", NULL);
    asker_run(&a);
    assert_int_equal(deep->got, EVS__GOT_TOO_DEEP);
    assert_string_equal(next->text, "next");
    asker_close(&a);
    fake_shard_stop(fake);
}

/* ---- unwanted ---- */

static void unwanted_replies_are_skipped(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3),
                               FAKE_SAY("+a\r\n*2\r\n:1\r\n:2\r\n+c\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    ask *one = asker_ask(&a, "A", NULL);
    ask *two = asker_ask(&a, "B", NULL);
    ask *three = asker_ask(&a, "C", NULL);
    two->request.unwanted = 1;
    asker_run(&a);
    assert_string_equal(one->text, "a");
    assert_int_equal(two->answers, 1);
    assert_int_equal(two->got, EVS__GOT_REPLY);
    assert_int_equal(two->type, EVS_REPLY_NIL);
    assert_string_equal(three->text, "c");
    asker_close(&a);
    fake_shard_stop(fake);
}

static void a_half_read_reply_can_become_unwanted(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("*3\r\n:1\r\n$5\r\nab"),
                               FAKE_PAUSE, FAKE_SAY("cde\r\n:3\r\n+b\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    ask *one = asker_ask(&a, "A", NULL);
    ask *two = asker_ask(&a, "B", NULL);
    fake_shard_await_on(fake, 4, a.loop);
    evs__loop_run(a.loop, 1);
    one->request.unwanted = 1;
    fake_shard_go(fake);
    asker_run(&a);
    assert_int_equal(one->answers, 1);
    assert_int_equal(one->type, EVS_REPLY_NIL);
    assert_string_equal(two->text, "b");
    asker_close(&a);
    fake_shard_stop(fake);
}

/* ---- what nobody asked for ---- */

static void answers_that_nobody_asked_for_end_the_connection(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1), FAKE_SAY("+a\r\n+b\r\n"),
                               FAKE_EOF,   FAKE_GREET,       FAKE_ANSWER(1, "+c\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    ask *one = asker_ask(&a, "A", NULL);
    uint64_t epoch = evs__conn_epoch(a.conn);
    asker_run(&a);
    assert_string_equal(one->text, "a");
    assert_true(evs__conn_epoch(a.conn) != epoch);
    assert_int_equal(evs__conn_state_of(a.conn), EVS__CONN_IDLE);
    ask *two = asker_ask(&a, "C", NULL);
    asker_run(&a);
    assert_string_equal(two->text, "c");
    asker_close(&a);
    fake_shard_stop(fake);
}

/* The stray answer arrives while nothing waits; the next request must not get it. */
static void stray_answers_are_never_given_to_a_later_request(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET, FAKE_ANSWER(1, "+a\r\n"), FAKE_PAUSE, FAKE_SAY("+stray\r\n"), FAKE_EOF,
        FAKE_GREET, FAKE_ANSWER(1, "+b\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    fake_shard_go(fake);
    fake_shard_await(fake, 5);
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_string_equal(two->text, "b");
    asker_close(&a);
    fake_shard_stop(fake);
}

static void half_an_answer_that_nobody_asked_for_ends_it_too(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+a\r\n+str"), FAKE_EOF, FAKE_GREET,
                               FAKE_ANSWER(1, "+b\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_string_equal(two->text, "b");
    asker_close(&a);
    fake_shard_stop(fake);
}

/* A server that refuses a request before it has all of it says so and closes. */
static void a_complaint_about_half_a_request_is_shown(void **state)
{
    (void)state;
    enum { SIZE = 8 * 1024 * 1024 };
    const fake_step steps[] = {FAKE_GREET, FAKE_BYTES(1000),
                               FAKE_SAY("-ERR Protocol error: too big mass bulk\r\n"), FAKE_EOF};
    fake_shard *fake = FAKE_START(FAKE_TCP_NARROW, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    assert_int_equal(evs__conn_prepare(a.conn, NULL), EVS_OK);
    asker_run_ready(&a);
    char *big = calloc(SIZE, 1);
    ask *one = asker_queue(&a, (evs_bytes){big, SIZE});
    asker_run(&a);
    assert_int_equal(one->got, EVS__GOT_LOST);
    assert_int_equal(one->sent, 0);
    assert_int_equal(one->why.status, EVS_E_PROTOCOL);
    assert_non_null(strstr(one->why.message, "before the request was sent: ERR Protocol error"));
    free(big);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void garbage_ends_the_connection(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_SAY("+a\r\nHello\r\n"), FAKE_EOF};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    ask *one = asker_ask(&a, "A", NULL);
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_string_equal(one->text, "a");
    assert_int_equal(two->got, EVS__GOT_LOST);
    assert_int_equal(two->sent, 1);
    assert_int_equal(two->why.status, EVS_E_PROTOCOL);
    assert_non_null(strstr(two->why.message, "'H'"));
    assert_string_equal(two->why.shard, "fake");
    asker_close(&a);
    fake_shard_stop(fake);
}

/* ---- inside a completion ---- */

static void ask_again(ask *self)
{
    if (self->from->answered < 50)
        asker_ask(self->from, "MORE", NULL)->then = ask_again;
}

static void completions_may_queue_more(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(50, ":1\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    asker_ask(&a, "FIRST", NULL)->then = ask_again;
    asker_run(&a);
    assert_int_equal(a.answered, 50);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void check_bytes(ask *self)
{
    evs_bytes bytes = evs__conn_bytes(self->from->conn, &self->request);
    assert_int_equal(bytes.len, 14);
    assert_memory_equal(bytes.data, "*1\r\n$4\r\nPI", 10);
    assert_memory_equal(bytes.data + 12, "\r\n", 2);
    static const char digits[] = "0123456789";
    assert_int_equal(bytes.data[11], digits[(self->order - 1) % 10]);
    assert_int_equal(bytes.data[10], digits[(self->order - 1) / 10 % 10]);
}

static void bytes_of_a_request_stay_until_its_completion(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(2000, ":1\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    for (int i = 0; i < 2000; i++) {
        char name[] = {'P', 'I', (char)('0' + i / 10 % 10), (char)('0' + i % 10), '\0'};
        asker_ask(&a, name, NULL)->then = check_bytes;
    }
    asker_run(&a);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void free_connection(ask *self)
{
    evs__conn *conn = self->from->conn;
    self->from->conn = NULL;
    evs__conn_free(conn);
}

static void a_completion_may_free_the_connection(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_SAY("+a\r\n+b\r\n+c\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open(&a, fake_shard_login(fake));
    ask *one = asker_ask(&a, "A", NULL);
    ask *two = asker_ask(&a, "B", NULL);
    ask *three = asker_ask(&a, "C", NULL);
    one->then = free_connection;
    asker_run(&a);
    assert_string_equal(one->text, "a");
    assert_int_equal(two->got, EVS__GOT_LOST);
    assert_int_equal(two->sent, 1);
    assert_int_equal(two->why.status, EVS_E_CANCELED);
    assert_int_equal(two->order, 2);
    assert_int_equal(three->order, 3);
    assert_int_equal(three->answers, 1);
    asker_close(&a);
    fake_shard_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_match_requests_in_order),
        cmocka_unit_test(requests_of_one_turn_leave_in_one_write),
        cmocka_unit_test(replies_may_be_split_anywhere),
        cmocka_unit_test(requests_larger_than_the_sockets_buffers_arrive_whole),
        cmocka_unit_test(much_that_is_queued_leaves_before_the_turn_ends),
        cmocka_unit_test(oversized_replies_keep_the_connection),
        cmocka_unit_test(deep_replies_keep_the_connection),
        cmocka_unit_test(unwanted_replies_are_skipped),
        cmocka_unit_test(a_half_read_reply_can_become_unwanted),
        cmocka_unit_test(answers_that_nobody_asked_for_end_the_connection),
        cmocka_unit_test(stray_answers_are_never_given_to_a_later_request),
        cmocka_unit_test(half_an_answer_that_nobody_asked_for_ends_it_too),
        cmocka_unit_test(a_complaint_about_half_a_request_is_shown),
        cmocka_unit_test(garbage_ends_the_connection),
        cmocka_unit_test(completions_may_queue_more),
        cmocka_unit_test(bytes_of_a_request_stay_until_its_completion),
        cmocka_unit_test(a_completion_may_free_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
