/* A server that cannot be reached: how often it is tried, who is refused, who may wait. */
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
#include <unistd.h>

enum { NEVER = 100000000 };
#define NEVER_AGAIN UINT64_MAX

/* ---- a server that is not there, and may come to be ---- */

static char link_path[64];

static evs__login nowhere(evs__link link)
{
    snprintf(link_path, sizeof link_path, "/tmp/evs-breaker-%d.sock", (int)getpid());
    unlink(link_path);
    evs__login login = {.name = "a", .client_name = "test", .link = link};
    login.endpoint = (evs__endpoint){.text = "unix:/nowhere/x", .path = link_path};
    return login;
}

static void appear(const fake_shard *fake)
{
    assert_int_equal(symlink(fake_shard_login(fake)->endpoint.path, link_path), 0);
}

typedef struct news {
    int downs, ups;
    evs_status why;
    char text[200];
} news;

static void note(void *owner, const evs__login *login, evs_status status, const char *text)
{
    news *all = owner;
    (void)login;
    if (strncmp(text, "down after", 10) == 0) {
        all->downs++;
        all->why = status;
        snprintf(all->text, sizeof all->text, "%s", text);
    }
    all->ups += strncmp(text, "up again", 8) == 0;
}

static void open_with_news(asker *a, const evs__login *login, news *all)
{
    static evs__conn_limits limits;
    limits = (evs__conn_limits){.max_reply_bytes = 1 << 20,
                                .max_reply_depth = 8,
                                .max_queued_bytes = 64 << 20,
                                .news = note,
                                .news_owner = all};
    *all = (news){0};
    asker_open_limited(a, login, &limits);
}

/* Fails `times` times, as if the time in between had passed. */
static void refuse(asker *a, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        assert_int_equal(evs__conn_prepare(a->conn, NULL), EVS_E_CONNECT);
        a->conn->retry_at = 1;
    }
}

/* ---- down ---- */

static void it_is_down_after_so_many_failures_in_a_row(void **state)
{
    (void)state;
    evs__login login = nowhere((evs__link){.down_after = 3, .retry_after_ms = NEVER});
    asker a;
    news told;
    evs_error err = {0};
    open_with_news(&a, &login, &told);
    refuse(&a, 2);
    assert_false(evs__conn_is_down(a.conn));
    assert_int_equal(told.downs, 0);
    assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_E_CONNECT);
    assert_true(evs__conn_is_down(a.conn));
    assert_int_equal(told.downs, 1);
    assert_int_equal(told.why, EVS_E_CONNECT);
    assert_non_null(strstr(told.text, "down after 3 failures in a row, will be tried every"));

    for (int i = 0; i < 5; i++) /* without another attempt */
        assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_E_CONNECT);
    assert_int_equal(evs__conn_await(a.conn, NEVER_AGAIN, &err), EVS_E_CONNECT);
    assert_int_equal(a.conn->failures, 3);
    assert_int_equal(a.loop->counts.refusals, 6);
    assert_string_equal(err.shard, "a");
    assert_non_null(strstr(err.message, "shard a at unix:/nowhere/x: down since 20"));
    assert_non_null(strstr(err.message, "(3 failures, last: no such file or directory, retry in "));
    asker_close(&a);
}

static void without_a_limit_it_never_is(void **state)
{
    (void)state;
    evs__login login = nowhere((evs__link){0});
    asker a;
    asker_open(&a, &login);
    refuse(&a, 20);
    assert_false(evs__conn_is_down(a.conn));
    asker_close(&a);
}

static void delays_begin_with_the_given_one(void **state)
{
    (void)state;
    static const uint64_t delays[] = {400, 800, 1600, 2000, 2000};
    evs__login login = nowhere((evs__link){.backoff_ms = 400});
    asker a;
    asker_open(&a, &login);
    for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
        uint64_t before = evs__loop_now_ms(a.loop);

        assert_int_equal(evs__conn_prepare(a.conn, NULL), EVS_E_CONNECT);
        uint64_t after = evs__loop_now_ms(a.loop);
        assert_in_range(a.conn->retry_at, before + delays[i] * 3 / 4, after + delays[i] * 5 / 4);
        a.conn->retry_at = 1;
    }
    asker_close(&a);
}

/* ---- up again ---- */

static void it_is_found_without_a_request(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = nowhere((evs__link){.down_after = 2, .retry_after_ms = 10});
    asker a;
    news told;
    open_with_news(&a, &login, &told);
    refuse(&a, 2);
    a.conn->retry_at = evs__loop_now_ms(a.loop) + 10;
    assert_int_equal(evs__conn_prepare(a.conn, NULL), EVS_E_CONNECT); /* somebody wants it */
    while (a.conn->failures < 5)
        evs__loop_run(a.loop, 1000);
    assert_int_equal(told.downs, 1);
    appear(fake);
    asker_run_ready(&a);
    assert_int_equal(told.ups, 1);
    assert_int_equal(a.loop->counts.ups, 1);
    ask *one = asker_ask(&a, "A", NULL);
    asker_run(&a);
    assert_string_equal(one->text, "one");
    asker_close(&a);
    fake_shard_stop(fake);
    unlink(link_path);
}

static void nobody_looks_for_one_that_nobody_wants(void **state)
{
    (void)state;
    evs__login login = nowhere((evs__link){.down_after = 1, .retry_after_ms = 1});
    asker a;
    asker_open(&a, &login);
    refuse(&a, 1);
    assert_true(evs__conn_is_down(a.conn));
    assert_null(a.conn->again);
    a.conn->retry_at = evs__loop_now_ms(a.loop) + NEVER;
    evs__conn_prepare(a.conn, NULL);
    assert_non_null(a.conn->again);
    a.conn->retry_at = 1; /* the minute is over */
    a.conn->wanted_until = 1;
    evs__timer_start(a.conn->again, 0);
    while (a.conn->armed)
        evs__loop_run(a.loop, 1000);
    assert_int_equal(a.conn->failures, 1);
    asker_close(&a);
}

static void others_are_refused_while_one_tries(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(1), FAKE_PAUSE, FAKE_SAY("+OK\r\n"),
                               FAKE_ANSWER(1, "+one\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = nowhere((evs__link){.down_after = 1, .retry_after_ms = NEVER});
    asker a;
    evs_error err;
    asker_open(&a, &login);
    refuse(&a, 1);
    appear(fake);
    ask *first = asker_ask(&a, "A", NULL); /* nobody drove the loop: it finds out */
    fake_shard_await_on(fake, 2, a.loop);
    assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_E_CONNECT);
    assert_non_null(strstr(err.message, "last: no such file or directory, being tried now)"));
    fake_shard_go(fake);
    asker_run(&a);
    assert_string_equal(first->text, "one");
    asker_close(&a);
    fake_shard_stop(fake);
    unlink(link_path);
}

/* ---- losses ---- */

static void one_that_dies_at_every_first_request_is_down(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1), FAKE_CLOSE,
                               FAKE_GREET, FAKE_COMMANDS(1), FAKE_CLOSE};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = *fake_shard_login(fake);
    login.link = (evs__link){.down_after = 2, .retry_after_ms = NEVER};
    asker a;
    evs_error err;
    asker_open(&a, &login);
    for (int i = 0; i < 2; i++) {
        ask *one = asker_ask(&a, "A", NULL);
        asker_run(&a);
        assert_int_equal(one->why.status, EVS_E_CLOSED);
    }
    assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_E_CONNECT);
    assert_non_null(strstr(err.message, "(2 failures, last: connection closed by the server"));
    asker_close(&a);
    fake_shard_stop(fake);
}

static void one_that_answered_is_not(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+x\r\n"), FAKE_COMMANDS(1), FAKE_CLOSE,
                               FAKE_GREET, FAKE_ANSWER(1, "+x\r\n"), FAKE_COMMANDS(1), FAKE_CLOSE};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = *fake_shard_login(fake);
    login.link = (evs__link){.down_after = 1, .retry_after_ms = NEVER};
    asker a;
    asker_open(&a, &login);
    for (int i = 0; i < 4; i++) {
        asker_ask(&a, "A", NULL);
        asker_run(&a);
    }
    assert_false(evs__conn_is_down(a.conn));
    assert_int_equal(a.loop->counts.downs, 0);
    asker_close(&a);
    fake_shard_stop(fake);
}

/* ---- waiting ---- */

/* As evs__call does it. */
static ask *await(asker *a)
{
    evs_error err;
    if (evs__conn_await(a->conn, NEVER_AGAIN, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return asker_queue(a, evs_text("*1\r\n$4\r\nPING\r\n"));
}

static void who_can_wait_leaves_with_the_next_connection(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(2, "+one\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = nowhere((evs__link){.down_after = 3, .retry_after_ms = NEVER});
    asker a;
    asker_open(&a, &login);
    ask *first = await(&a), *second = await(&a);
    appear(fake);
    asker_run(&a);
    assert_string_equal(first->text, "one");
    assert_string_equal(second->text, "one");
    asker_close(&a);
    fake_shard_stop(fake);
    unlink(link_path);
}

static void or_is_told_that_there_was_none(void **state)
{
    (void)state;
    evs__login login = nowhere((evs__link){.down_after = 2, .retry_after_ms = NEVER});
    asker a;
    evs_error err;
    asker_open(&a, &login);
    ask *first = await(&a);
    asker_run(&a);
    assert_int_equal(first->got, EVS__GOT_LOST);
    assert_int_equal(first->sent, 0);
    assert_int_equal(first->why.status, EVS_E_CONNECT);
    assert_int_equal(evs__conn_await(a.conn, NEVER_AGAIN, &err), EVS_E_CONNECT);
    assert_non_null(strstr(err.message, "down since"));
    asker_close(&a);
}

static void where_requests_wait_they_wait_for_one_that_is_down(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+one\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = nowhere((evs__link){.down_after = 1, .retry_after_ms = 10, .waits = 1});
    asker a;
    asker_open(&a, &login);
    ask *one = await(&a);
    while (one->answers == 0)
        evs__loop_run(a.loop, 1000);
    assert_int_equal(one->got, EVS__GOT_LOST);
    assert_true(evs__conn_is_down(a.conn));
    one = await(&a);
    appear(fake);
    asker_run(&a);
    assert_string_equal(one->text, "one");
    asker_close(&a);
    fake_shard_stop(fake);
    unlink(link_path);
}

static void nobody_waits_for_a_password_to_become_right(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_ANSWER(2, "-WRONGPASS invalid\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__login login = *fake_shard_login(fake);
    login.password = "x";
    login.link = (evs__link){.down_after = 1, .retry_after_ms = NEVER, .waits = 1};
    asker a;
    evs_error err;
    asker_open(&a, &login);
    asker_ask(&a, "A", NULL);
    asker_run(&a);
    assert_int_equal(evs__conn_await(a.conn, NEVER_AGAIN, &err), EVS_E_AUTH);
    assert_non_null(strstr(err.message, "WRONGPASS"));
    asker_close(&a);
    fake_shard_stop(fake);
}

static void who_waits_may_change_his_mind(void **state)
{
    (void)state;
    evs__login login = nowhere((evs__link){.down_after = 3, .retry_after_ms = NEVER});
    asker a;
    asker_open(&a, &login);
    ask *one = await(&a);
    assert_int_equal(evs__conn_withdraw(a.conn, &one->request), 1);
    a.waiting--;
    while (a.conn->armed)
        evs__loop_run(a.loop, 1000);
    assert_int_equal(a.conn->failures, 1);
    asker_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_down_after_so_many_failures_in_a_row),
        cmocka_unit_test(without_a_limit_it_never_is),
        cmocka_unit_test(delays_begin_with_the_given_one),
        cmocka_unit_test(it_is_found_without_a_request),
        cmocka_unit_test(nobody_looks_for_one_that_nobody_wants),
        cmocka_unit_test(others_are_refused_while_one_tries),
        cmocka_unit_test(one_that_dies_at_every_first_request_is_down),
        cmocka_unit_test(one_that_answered_is_not),
        cmocka_unit_test(who_can_wait_leaves_with_the_next_connection),
        cmocka_unit_test(or_is_told_that_there_was_none),
        cmocka_unit_test(where_requests_wait_they_wait_for_one_that_is_down),
        cmocka_unit_test(nobody_waits_for_a_password_to_become_right),
        cmocka_unit_test(who_waits_may_change_his_mind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
