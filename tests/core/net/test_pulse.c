/* Idle connections to servers that answer, and to those that do not any more. */
#include "core/net/conn_inner.h"
#include "tests/support/asker.h"
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NEVER = 100000000 };

static evs__login login_to(const fake_shard *fake, unsigned keepalive_ms)
{
    evs__login login = *fake_shard_login(fake);
    login.link.keepalive_ms = keepalive_ms;
    return login;
}

static void drive_until(asker *a, const fake_shard *fake, size_t steps)
{
    fake_shard_await_on((fake_shard *)(uintptr_t)fake, steps, a->loop);
}

static void an_idle_server_is_asked_again_and_again(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_ANSWER(3, "+PONG\r\n"),
                               FAKE_ANSWER(1, "-NOPERM no\r\n"), FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake, 10);
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    uint64_t epoch = evs__conn_epoch(a.conn);
    drive_until(&a, fake, 5);
    while (a.conn->pinged)
        evs__loop_run(a.loop, 1000);
    evs__conn_set_login(a.conn, fake_shard_login(fake)); /* no more of that */
    assert_true(evs__ring_empty(&a.loop->beating));
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_string_equal(two->text, "two");
    assert_true(evs__conn_epoch(a.conn) == epoch);
    assert_int_equal(a.loop->counts.connects, 1);
    evs__conn_set_login(a.conn, &login); /* and again */
    assert_false(evs__ring_empty(&a.loop->beating));
    asker_close(&a);
    fake_shard_stop(fake);
}

static void one_that_is_silent_is_replaced_before_anybody_waits(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_COMMANDS(1), FAKE_EOF,
                               FAKE_GREET, FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake, 100);
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    while (a.loop->counts.connects < 2)
        evs__loop_run(a.loop, 1000);
    assert_non_null(strstr(a.conn->problem, "no answer to PING for 100 ms"));
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_int_equal(two->got, EVS__GOT_REPLY);
    assert_string_equal(two->text, "two");
    asker_close(&a);
    fake_shard_stop(fake);
}

static void who_asks_meanwhile_is_answered_behind_it(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,      FAKE_ANSWER(1, "+one\r\n"), FAKE_COMMANDS(1),        FAKE_PAUSE,
        FAKE_SAY("+PO"), FAKE_COMMANDS(1),           FAKE_SAY("NG\r\n:2\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake, 50);
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    drive_until(&a, fake, 4);
    assert_int_equal(a.conn->pinged, 1);
    login.link.keepalive_ms = NEVER;
    ask *two = asker_ask(&a, "B", NULL);
    fake_shard_go(fake);
    asker_run(&a);
    assert_int_equal(two->integer, 2);
    assert_int_equal(a.conn->pinged, 0);
    asker_close(&a);
    fake_shard_stop(fake);
}

/* The timer is late, and the answer lies in the socket. */
static void nobody_is_blamed_for_a_loop_that_was_not_driven(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_ANSWER(1, "+PONG\r\n"),
                               FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake, 50);
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    while (!a.conn->pinged)
        evs__loop_run(a.loop, 1000);
    fake_shard_await(fake, 4);
    a.conn->quiet_since -= 60000;
    evs__timer_start(a.loop->pulse, 0);
    while (a.conn->pinged)
        evs__loop_run(a.loop, 1000);
    login.link.keepalive_ms = NEVER;
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_string_equal(two->text, "two");
    assert_int_equal(a.loop->counts.connects, 1);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void an_end_behind_the_answer_is_seen_before_the_next_request(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_ANSWER(1, "+PONG\r\n"), FAKE_CLOSE,
        FAKE_GREET, FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake, 50);
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    while (!a.conn->pinged)
        evs__loop_run(a.loop, 1000);
    fake_shard_await(fake, 5); /* without driving */
    login.link.keepalive_ms = NEVER;
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_int_equal(two->got, EVS__GOT_REPLY);
    assert_string_equal(two->text, "two");
    asker_close(&a);
    fake_shard_stop(fake);
}

static void while_somebody_waits_nothing_is_closed(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1), FAKE_PAUSE, FAKE_SAY("+slow\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake, 10);
    asker a;
    asker_open(&a, &login);
    ask *slow = asker_ask(&a, "A", NULL);
    drive_until(&a, fake, 3);
    uint64_t until = evs__loop_now_ms(a.loop) + 100;
    while (evs__loop_now_ms(a.loop) < until)
        evs__loop_run(a.loop, 10);
    assert_int_equal(slow->answers, 0);
    assert_int_equal(a.conn->pinged, 0);
    fake_shard_go(fake);
    asker_run(&a);
    assert_string_equal(slow->text, "slow");
    asker_close(&a);
    fake_shard_stop(fake);
}

static void but_when_all_have_gone_it_is(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1), FAKE_EOF, FAKE_GREET,
                               FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake, 100);
    asker a;
    asker_open(&a, &login);
    ask *slow = asker_ask(&a, "A", NULL);
    drive_until(&a, fake, 3);
    slow->request.unwanted = 1;
    while (a.loop->counts.connects < 2)
        evs__loop_run(a.loop, 1000);
    assert_int_equal(slow->got, EVS__GOT_LOST);
    assert_int_equal(slow->sent, 1);
    login.link.keepalive_ms = NEVER;
    ask *two = asker_ask(&a, "B", NULL);
    asker_run(&a);
    assert_string_equal(two->text, "two");
    asker_close(&a);
    fake_shard_stop(fake);
}

static void a_unix_socket_is_left_alone(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = login_to(fake, 10);
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    assert_null(a.loop->pulse);
    asker_close(&a);
    fake_shard_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_server_is_asked_again_and_again),
        cmocka_unit_test(one_that_is_silent_is_replaced_before_anybody_waits),
        cmocka_unit_test(who_asks_meanwhile_is_answered_behind_it),
        cmocka_unit_test(nobody_is_blamed_for_a_loop_that_was_not_driven),
        cmocka_unit_test(an_end_behind_the_answer_is_seen_before_the_next_request),
        cmocka_unit_test(while_somebody_waits_nothing_is_closed),
        cmocka_unit_test(but_when_all_have_gone_it_is),
        cmocka_unit_test(a_unix_socket_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
