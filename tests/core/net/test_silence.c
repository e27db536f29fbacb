/* Servers that take requests and say nothing any more: when they are taken for silent, what is held
 * back, who is refused, and how it ends. */
#include "core/mem.h"
#include "core/net/conn_inner.h"
#include "tests/support/asker.h"
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { NEVER = 100000000, BIG = 24 << 20 };

/* ---- saying it shortly ---- */

static evs__link link_that(int waits)
{
    return (evs__link){.down_after = 2, .silent_after = 2, .retry_after_ms = NEVER, .waits = waits};
}

static void begin(asker *a, fake_shard *fake, int waits)
{
    evs__link link = link_that(waits);
    asker_begin(a, fake, &link);
}

/* As if the caller's deadline had passed. */
static void expire(asker *a, ask *one)
{
    evs__conn_unanswered(a->conn, &one->request);
    one->request.unwanted = 1;
}

typedef struct pair {
    ask *one, *two;
} pair;

/* Two requests that the server takes; it is at that step then. */
static pair ask_two(asker *a, size_t steps)
{
    pair asks;
    asks.one = asker_ask(a, "A", NULL);
    asks.two = asker_ask(a, "B", NULL);
    fake_shard_await_on(a->fake, steps, a->loop);
    return asks;
}

/* And that it does not answer. */
static void fall_silent(asker *a, size_t steps)
{
    pair asks = ask_two(a, steps);
    expire(a, asks.one);
    assert_false(evs__conn_is_silent(a->conn));
    expire(a, asks.two);
    assert_true(evs__conn_is_silent(a->conn));
}

static ask *await(asker *a)
{
    evs_error err;
    if (evs__conn_await(a->conn, evs__loop_now_ms(a->loop) + NEVER, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return asker_queue(a, evs_text("*1\r\n$1\r\nC\r\n"));
}

static void turn(asker *a)
{
    for (int i = 0; i < 3; i++)
        evs__loop_run(a->loop, 0);
}

/* The time until the next try has passed. */
static void let_time_pass(asker *a)
{
    a->conn->retry_at = 1;
    evs__timer_start(a->conn->again, 0);
}

/* ---- into it, and out of it ---- */

static void nothing_is_written_until_it_speaks(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_SAY("+one\r\n+two\r\n"), FAKE_ANSWER(1, "+three\r\n")};
    asker a;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 1);
    fall_silent(&a, 3);
    assert_int_equal(a.loop->counts.downs, 1);
    assert_true(evs__conn_is_down(a.conn));
    uint64_t written = a.conn->written;
    ask *three = await(&a), *four = await(&a);
    turn(&a);
    assert_true(a.conn->written == written);
    assert_true(evs__conn_holds_back(a.conn, &three->request));
    assert_int_equal(evs__conn_withdraw(a.conn, &four->request), 1);
    a.waiting--;
    asker_go_on(&a);
    assert_string_equal(three->text, "three");
    assert_int_equal(three->order, 3);
    assert_false(evs__conn_is_down(a.conn));
    assert_int_equal(a.loop->counts.ups, 1);
    assert_int_equal(a.loop->counts.connects, 1);
    assert_true(a.conn->easy > 0);
    asker_end(&a);
}

static void a_part_of_a_reply_begins_the_row_anew(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3),
                               FAKE_PAUSE, FAKE_SAY("+o"),
                               FAKE_PAUSE, FAKE_SAY("ne\r\n+two\r\n+three\r\n")};
    asker a;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 0);
    ask *one = asker_ask(&a, "A", NULL), *two = asker_ask(&a, "B", NULL);
    ask *three = asker_ask(&a, "C", NULL);
    fake_shard_await_on(a.fake, 3, a.loop);
    expire(&a, one);
    assert_int_equal(a.conn->unanswered, 1);
    fake_shard_go(a.fake);
    while (a.conn->unanswered > 0)
        evs__loop_run(a.loop, 1000);
    expire(&a, two);
    assert_false(evs__conn_is_silent(a.conn));
    asker_go_on(&a);
    assert_string_equal(three->text, "three");
    asker_end(&a);
}

static void what_was_not_written_proves_nothing(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(3, "+x\r\n")};
    asker a;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 0);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    ask *two = asker_ask(&a, "B", NULL), *three = asker_ask(&a, "C", NULL);
    evs__conn_unanswered(a.conn, &two->request);
    evs__conn_unanswered(a.conn, &three->request);
    assert_int_equal(a.conn->unanswered, 0);
    asker_run(&a);
    asker_end(&a);
}

static void nor_does_a_loop_that_nobody_drove(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_SAY("+one\r\n+two\r\n")};
    asker a;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 0);
    pair asks = ask_two(&a, 3);
    fake_shard_go(a.fake);
    fake_shard_wait(a.fake); /* the answers lie in the socket */
    evs__conn_unanswered(a.conn, &asks.one->request);
    evs__conn_unanswered(a.conn, &asks.two->request);
    assert_false(evs__conn_is_silent(a.conn));
    asker_run(&a);
    assert_string_equal(asks.two->text, "two");
    asker_end(&a);
}

static void without_a_limit_it_never_is(void **state)
{
    (void)state;
    asker a;
    ask *one = asker_begin_unanswered(&a);
    for (int i = 0; i < 100; i++)
        evs__conn_unanswered(a.conn, &one->request);
    assert_false(evs__conn_is_silent(a.conn));
    asker_go_on(&a);
    asker_end(&a);
}

/* A socket that is full when silence begins: room in it is no reason to write. */
static void nor_is_more_written_when_there_is_room(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,          FAKE_COMMANDS(2),
                               FAKE_PAUSE,          FAKE_BYTES(BIG / 2),
                               FAKE_PAUSE,          FAKE_SAY("+one\r\n+two\r\n"),
                               FAKE_BYTES(BIG / 2), FAKE_SAY("+big\r\n")};
    char *word = calloc(1, BIG + 1);
    memset(word, 'x', BIG);
    asker a;
    begin(&a, FAKE_START(FAKE_TCP, steps), 1);
    pair asks = ask_two(&a, 3);
    ask *big = asker_ask(&a, word, NULL);
    while (a.conn->blocked == 0)
        evs__loop_run(a.loop, 1000);
    assert_int_equal(a.conn->blocked, EVS__BLOCKED_FULL);
    expire(&a, asks.one);
    expire(&a, asks.two);
    assert_int_equal(a.conn->blocked, EVS__BLOCKED_FULL | EVS__BLOCKED_SILENT);
    assert_false(evs__conn_holds_back(a.conn, &big->request)); /* a part of it is gone */
    uint64_t written = a.conn->written;
    fake_shard_go(a.fake);
    while (a.conn->blocked & EVS__BLOCKED_FULL)
        evs__loop_run(a.loop, 1000);
    turn(&a);
    assert_true(a.conn->written == written);
    evs__conn_heard(a.conn); /* as if */
    fake_shard_await_on(a.fake, 5, a.loop);
    asker_go_on(&a);
    assert_string_equal(big->text, "big");
    asker_end(&a);
    free(word);
}

/* ---- who asks ---- */

static void who_is_less_patient_than_it_lasts_is_refused(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_SAY("+one\r\n+two\r\n"), FAKE_ANSWER(1, "+three\r\n")};
    asker a;
    evs_error err;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 0);
    fall_silent(&a, 3);
    assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_E_CONNECT); /* cannot wait at all */
    assert_string_equal(err.shard, "fake");
    assert_non_null(strstr(err.message, ": no answer since 20"));
    assert_non_null(strstr(err.message, "(2 calls waited in vain, retry in "));
    a.conn->unanswered_since -= 60000;
    uint64_t now = evs__loop_now_ms(a.loop);
    assert_int_equal(evs__conn_await(a.conn, now + 50000, &err), EVS_E_CONNECT);
    assert_int_equal(evs__conn_await(a.conn, 1, &err), EVS_E_CONNECT);
    assert_int_equal(a.loop->counts.refusals, 3);
    ask *three = await(&a);
    asker_go_on(&a);
    assert_string_equal(three->text, "three");
    asker_end(&a);
}

static void nobody_is_where_the_link_says_so(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_SAY("+one\r\n+two\r\n")};
    asker a;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 1);
    fall_silent(&a, 3);
    a.conn->unanswered_since -= 60000;
    assert_int_equal(evs__conn_await(a.conn, evs__loop_now_ms(a.loop) + 1, NULL), EVS_OK);
    asker_go_on(&a);
    asker_end(&a);
}

/* ---- trying anew ---- */

static void it_is_tried_anew_when_nobody_waits(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,          FAKE_COMMANDS(3),           FAKE_EOF,
                               FAKE_ACCEPT,         FAKE_COMMANDS(1),           FAKE_PAUSE,
                               FAKE_SAY("+OK\r\n"), FAKE_ANSWER(1, "+four\r\n")};
    asker a;
    evs_error err;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 0);
    ask *slow = asker_ask(&a, "S", NULL);
    fall_silent(&a, 3);
    ask *held = await(&a);
    let_time_pass(&a);
    while (a.conn->retry_at == 1)
        evs__loop_run(a.loop, 1000);
    assert_true(evs__conn_is_silent(a.conn)); /* it is put off for the slow one */
    slow->request.unwanted = 1;
    let_time_pass(&a);
    fake_shard_await_on(a.fake, 6, a.loop);
    assert_int_equal(slow->sent, 1);
    assert_int_equal(held->got, EVS__GOT_LOST);
    assert_int_equal(held->sent, 0);
    assert_int_equal(held->why.status, EVS_E_CLOSED);
    assert_non_null(strstr(held->why.message, ": no answer since 20"));
    assert_true(evs__conn_is_down(a.conn));
    assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_E_CONNECT); /* as long as it is tried */
    assert_non_null(strstr(err.message, "down since 20"));
    assert_non_null(strstr(err.message, "(2 failures, last: no answer since 20"));
    fake_shard_go(a.fake);
    asker_run_ready(&a);
    assert_int_equal(a.loop->counts.downs, 1);
    assert_int_equal(a.loop->counts.ups, 1);
    ask *four = asker_ask(&a, "D", NULL);
    asker_run(&a);
    assert_string_equal(four->text, "four");
    asker_end(&a);
}

static void not_when_nobody_wants_it(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_EOF, FAKE_GREET,
                               FAKE_ANSWER(1, "+three\r\n")};
    asker a;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 0);
    fall_silent(&a, 3);
    a.conn->wanted_until = 1;
    let_time_pass(&a);
    while (a.conn->armed)
        evs__loop_run(a.loop, 1000);
    assert_true(evs__conn_is_silent(a.conn));
    ask *three = asker_ask(&a, "C", NULL); /* and then the next one tries */
    asker_run(&a);
    assert_string_equal(three->text, "three");
    asker_end(&a);
}

static void what_serves_others_keeps_nothing_open(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_EOF, FAKE_GREET};
    asker a;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 0);
    asker_ask(&a, "LOAD", NULL)->request.servant = 1;
    fall_silent(&a, 3);
    let_time_pass(&a);
    fake_shard_await_on(a.fake, 4, a.loop);
    asker_run_ready(&a);
    assert_int_equal(a.loop->counts.connects, 2);
    asker_end(&a);
}

/* An idle client hears of it by its keepalive. */
static void the_pulse_replaces_it_as_well(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_EOF, FAKE_GREET};
    evs__link link = link_that(0);
    link.keepalive_ms = 200;
    asker a;
    asker_begin(&a, FAKE_START(FAKE_TCP, steps), &link);
    fall_silent(&a, 3);
    while (a.loop->counts.connects < 2)
        evs__loop_run(a.loop, 1000);
    assert_int_equal(a.loop->counts.ups, 1);
    asker_end(&a);
}

static void without_a_timer_the_next_request_finds_out(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_EOF, FAKE_GREET,
                               FAKE_ANSWER(1, "+three\r\n")};
    asker a;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 0);
    pair asks = ask_two(&a, 3);
    expire(&a, asks.one);
    evs__mem_fail_at(1);
    expire(&a, asks.two);
    evs__mem_fail_at(0);
    assert_true(evs__conn_is_silent(a.conn));
    assert_null(a.conn->again);
    a.conn->retry_at = 1;
    ask *three = asker_ask(&a, "C", NULL);
    asker_run(&a);
    assert_string_equal(three->text, "three");
    asker_end(&a);
}

/* Whatever ends the connection ends the silence. */
static void a_server_that_hangs_up_is_not_silent(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(2), FAKE_PAUSE,
                               FAKE_CLOSE, FAKE_GREET,       FAKE_ANSWER(1, "+three\r\n")};
    asker a;
    begin(&a, FAKE_START(FAKE_UNIX, steps), 0);
    fall_silent(&a, 3);
    fake_shard_go(a.fake);
    while (evs__conn_is_silent(a.conn))
        evs__loop_run(a.loop, 1000);
    ask *three = asker_ask(&a, "C", NULL);
    asker_run(&a);
    assert_string_equal(three->text, "three");
    assert_int_equal(a.loop->counts.ups, 1);
    asker_end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_written_until_it_speaks),
        cmocka_unit_test(a_part_of_a_reply_begins_the_row_anew),
        cmocka_unit_test(what_was_not_written_proves_nothing),
        cmocka_unit_test(nor_does_a_loop_that_nobody_drove),
        cmocka_unit_test(without_a_limit_it_never_is),
        cmocka_unit_test(nor_is_more_written_when_there_is_room),
        cmocka_unit_test(who_is_less_patient_than_it_lasts_is_refused),
        cmocka_unit_test(nobody_is_where_the_link_says_so),
        cmocka_unit_test(it_is_tried_anew_when_nobody_waits),
        cmocka_unit_test(not_when_nobody_wants_it),
        cmocka_unit_test(what_serves_others_keeps_nothing_open),
        cmocka_unit_test(the_pulse_replaces_it_as_well),
        cmocka_unit_test(without_a_timer_the_next_request_finds_out),
        cmocka_unit_test(a_server_that_hangs_up_is_not_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
