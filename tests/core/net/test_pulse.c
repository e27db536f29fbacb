/* Idle connections to servers that answer, and to those that do not any more. */
#include "core/net/conn_inner.h"
#include "tests/support/asker.h"
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LONG_MS = 60000 };

/* So long that it never passes by itself. */
static evs__login login_to(const fake_shard *fake)
{
    evs__login login = *fake_shard_login(fake);
    login.link.keepalive_ms = LONG_MS;
    return login;
}

/* As if nothing had been heard on the connection for as long as that. */
static void let_time_pass(asker *a)
{
    a->conn->seen = evs__conn_first(a->conn);
    a->conn->quiet_since -= LONG_MS;
    evs__timer_start(a->loop->pulse, 0);
}

static void drive_until(asker *a, fake_shard *fake, size_t steps)
{
    fake_shard_await_on(fake, steps, a->loop);
}

/* An answer to a first request, silence, and a PING. */
static void get_pinged(asker *a, fake_shard *fake)
{
    asker_ask(a, "A", NULL);
    asker_run(a);
    let_time_pass(a);
    drive_until(a, fake, 4);
    assert_int_equal(a->conn->pinged, 1);
}

static void ask_for_two(asker *a)
{
    ask *two = asker_ask(a, "B", NULL);
    asker_run(a);
    assert_int_equal(two->got, EVS__GOT_REPLY);
    assert_string_equal(two->text, "two");
}

static void end(asker *a, fake_shard *fake)
{
    asker_close(a);
    fake_shard_stop(fake);
}

static void an_idle_server_is_asked_again_and_again(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,
                               FAKE_ANSWER(1, "+one\r\n"),
                               FAKE_ANSWER(1, "+PONG\r\n"),
                               FAKE_ANSWER(1, "+PONG\r\n"),
                               FAKE_ANSWER(1, "-NOPERM no\r\n"),
                               FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake);
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    uint64_t epoch = evs__conn_epoch(a.conn);
    for (size_t step = 4; step <= 6; step++) {
        let_time_pass(&a);
        drive_until(&a, fake, step);
        while (a.conn->pinged)
            evs__loop_run(a.loop, 1000);
    }
    evs__conn_set_login(a.conn, fake_shard_login(fake)); /* no more of that */
    assert_true(evs__ring_empty(&a.loop->beating));
    ask_for_two(&a);
    assert_true(evs__conn_epoch(a.conn) == epoch);
    assert_int_equal(a.loop->counts.connects, 1);
    evs__conn_set_login(a.conn, &login); /* and again */
    assert_false(evs__ring_empty(&a.loop->beating));
    end(&a, fake);
}

static void one_that_is_silent_is_replaced_before_anybody_waits(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_COMMANDS(1), FAKE_EOF,
                               FAKE_GREET, FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake);
    asker a;
    asker_open(&a, &login);
    get_pinged(&a, fake);
    let_time_pass(&a);
    while (a.loop->counts.connects < 2)
        evs__loop_run(a.loop, 1000);
    assert_non_null(strstr(a.conn->problem, "no answer to PING for 60000 ms"));
    ask_for_two(&a);
    end(&a, fake);
}

static void who_asks_meanwhile_is_answered_behind_it(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,      FAKE_ANSWER(1, "+one\r\n"), FAKE_COMMANDS(1),        FAKE_PAUSE,
        FAKE_SAY("+PO"), FAKE_COMMANDS(1),           FAKE_SAY("NG\r\n:2\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake);
    asker a;
    asker_open(&a, &login);
    get_pinged(&a, fake);
    ask *two = asker_ask(&a, "B", NULL);
    fake_shard_go(fake);
    asker_run(&a);
    assert_int_equal(two->integer, 2);
    assert_int_equal(a.conn->pinged, 0);
    end(&a, fake);
}

/* The timer is late, and the answer lies in the socket. */
static void nobody_is_blamed_for_a_loop_that_was_not_driven(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_COMMANDS(1),
                               FAKE_PAUSE, FAKE_SAY("+PONG\r\n"),      FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake);
    asker a;
    asker_open(&a, &login);
    get_pinged(&a, fake);
    fake_shard_go(fake);
    fake_shard_await(fake, 6);
    let_time_pass(&a);
    while (a.conn->pinged)
        evs__loop_run(a.loop, 1000);
    ask_for_two(&a);
    assert_int_equal(a.loop->counts.connects, 1);
    end(&a, fake);
}

static void an_end_behind_the_answer_is_seen_before_the_next_request(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_COMMANDS(1),
                               FAKE_PAUSE, FAKE_SAY("+PONG\r\n"),      FAKE_CLOSE,
                               FAKE_GREET, FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake);
    asker a;
    asker_open(&a, &login);
    get_pinged(&a, fake);
    fake_shard_go(fake);
    fake_shard_await(fake, 7); /* without driving */
    ask_for_two(&a);
    end(&a, fake);
}

/* Another connection on the same loop. Close it first. */
static void open_beside(asker *b, const asker *a, const evs__login *login)
{
    memset(b, 0, sizeof *b);
    b->loop = a->loop;
    assert_int_equal(evs__conn_new(&b->conn, b->loop, login, a->conn->limits, NULL), EVS_OK);
}

static void close_beside(asker *b)
{
    b->loop = NULL;
    asker_close(b);
}

static asker *other;
static ask *asked_inside;

static void ask_the_other(ask *self)
{
    (void)self;
    asked_inside = asker_ask(other, "B", NULL);
}

/* Both have an answer in the socket. In the middle of one's answers something is asked of the
 * other, whose PONG is read first. */
static void an_answer_is_read_while_others_are_being_read(void **state)
{
    (void)state;
    const fake_step busy_steps[] = {FAKE_GREET, FAKE_COMMANDS(3), FAKE_PAUSE,
                                    FAKE_SAY(":1\r\n:2\r\n:3\r\n")};
    const fake_step idle_steps[] = {
        FAKE_GREET, FAKE_ANSWER(1, "+one\r\n"), FAKE_COMMANDS(1),
        FAKE_PAUSE, FAKE_SAY("+PONG\r\n"),      FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *busy = FAKE_START(FAKE_TCP, busy_steps), *idle = FAKE_START(FAKE_TCP, idle_steps);
    evs__login login = login_to(idle);
    asker a, b;
    asker_open(&a, fake_shard_login(busy));
    open_beside(&b, &a, &login);
    other = &b;
    ask *asks[3];
    get_pinged(&b, idle);
    for (int i = 0; i < 3; i++)
        asks[i] = asker_ask(&a, "C", NULL);
    asks[0]->then = ask_the_other;
    drive_until(&a, busy, 3);
    fake_shard_go(busy);
    fake_shard_await(busy, 5);
    fake_shard_go(idle);
    fake_shard_await(idle, 6);
    asker_run(&a);
    asker_run(&b);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(asks[i]->got, EVS__GOT_REPLY);
        assert_int_equal(asks[i]->integer, i + 1);
    }
    assert_int_equal(asked_inside->got, EVS__GOT_REPLY);
    assert_string_equal(asked_inside->text, "two");
    assert_int_equal(a.loop->counts.connects, 2);
    close_beside(&b);
    asker_close(&a);
    fake_shard_stop(busy);
    fake_shard_stop(idle);
}

static void while_somebody_waits_nothing_is_closed(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1), FAKE_PAUSE, FAKE_SAY("+slow\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake);
    asker a;
    asker_open(&a, &login);
    ask *slow = asker_ask(&a, "A", NULL);
    drive_until(&a, fake, 3);
    for (int i = 0; i < 5; i++) {
        let_time_pass(&a);
        evs__loop_run(a.loop, 10);
    }
    assert_int_equal(slow->answers, 0);
    assert_int_equal(a.conn->pinged, 0);
    fake_shard_go(fake);
    asker_run(&a);
    assert_string_equal(slow->text, "slow");
    end(&a, fake);
}

static void but_when_all_have_gone_it_is(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1), FAKE_EOF, FAKE_GREET,
                               FAKE_ANSWER(1, "+two\r\n")};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    evs__login login = login_to(fake);
    asker a;
    asker_open(&a, &login);
    ask *slow = asker_ask(&a, "A", NULL);
    drive_until(&a, fake, 3);
    slow->request.unwanted = 1;
    let_time_pass(&a);
    while (a.loop->counts.connects < 2)
        evs__loop_run(a.loop, 1000);
    assert_int_equal(slow->got, EVS__GOT_LOST);
    assert_int_equal(slow->sent, 1);
    ask_for_two(&a);
    end(&a, fake);
}

static void a_unix_socket_is_left_alone(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = login_to(fake);
    asker a;
    asker_open(&a, &login);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    assert_null(a.loop->pulse);
    end(&a, fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_server_is_asked_again_and_again),
        cmocka_unit_test(one_that_is_silent_is_replaced_before_anybody_waits),
        cmocka_unit_test(who_asks_meanwhile_is_answered_behind_it),
        cmocka_unit_test(nobody_is_blamed_for_a_loop_that_was_not_driven),
        cmocka_unit_test(an_end_behind_the_answer_is_seen_before_the_next_request),
        cmocka_unit_test(an_answer_is_read_while_others_are_being_read),
        cmocka_unit_test(while_somebody_waits_nothing_is_closed),
        cmocka_unit_test(but_when_all_have_gone_it_is),
        cmocka_unit_test(a_unix_socket_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
