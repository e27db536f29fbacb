/* The queue of one connection: taking requests back, limits, memory that runs out. */
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

static void withdraw(ask *self)
{
    assert_int_equal(evs__conn_withdraw(self->from->conn, &self->request), 1);
    self->from->waiting--;
}

/* Bit i set: request i is taken back. Only the others may reach the server, byte for byte. */
static void withdrawn_requests_leave_no_trace(void **state)
{
    (void)state;
    static const char *const names[] = {"A", "BB", "CCC", "DDDD"};
    for (unsigned mask = 0; mask < 16; mask++) {
        const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "+ready\r\n"), FAKE_PAUSE, FAKE_DRAIN,
                                   FAKE_SAY("+x\r\n+x\r\n+x\r\n+x\r\n")};
        fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
        asker a;
        asker_open(&a, fake_shard_login(fake));
        asker_ask(&a, "READY", NULL);
        asker_run(&a);

        ask *asks[4];
        char expected[200] = "";
        for (size_t i = 0; i < 4; i++) {
            asks[i] = asker_ask(&a, names[i], NULL);
            evs_bytes bytes = evs__conn_bytes(a.conn, &asks[i]->request);
            if (!(mask & (1u << i)))
                strncat(expected, bytes.data, bytes.len);
        }
        for (size_t i = 0; i < 4; i++)
            if (mask & (1u << i))
                withdraw(asks[i]);
        assert_int_equal(evs__conn_queued(a.conn), a.waiting);
        evs__loop_run(a.loop, 0);
        fake_shard_go(fake);
        asker_run(&a);
        fake_shard_wait(fake);
        evs_bytes got = fake_shard_received(fake);
        size_t len = strlen(expected);
        assert_memory_equal(got.data + got.len - len, expected, len);
        assert_memory_equal(got.data + got.len - len - 7, "READY\r\n", 7);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(asks[i]->answers, !(mask & (1u << i)));
        asker_close(&a);
        fake_shard_stop(fake);
    }
}

/* A server hangs in the middle of a large request and everything behind it expires: a search or a
 * move of bytes per request would take seconds. The few that stay arrive as they are. */
static void many_are_withdrawn_behind_a_half_written_request(void **state)
{
    (void)state;
    enum { MANY = 60000, BIG = 8 << 20, STAY = 1000, LEN = 24 };
    static ask *asks[MANY];
    static char big[BIG + 40], small[LEN + 1];
    int head = snprintf(big, sizeof big, "*1\r\n$%d\r\n", BIG);
    memset(big + head, 'b', BIG);
    memcpy(big + head + BIG, "\r\n", 2);
    size_t len = (size_t)head + BIG + 2;
    const fake_step steps[] = {FAKE_GREET, FAKE_PAUSE, FAKE_BYTES(len),
                               FAKE_ANSWER(MANY / STAY, "+x\r\n"), FAKE_SAY("+x\r\n")};
    asker a;
    asker_begin(&a, FAKE_START(FAKE_TCP_NARROW, steps), NULL);
    ask *first = asker_queue(&a, (evs_bytes){big, len});
    asker_run_ready(&a);
    evs__loop_run(a.loop, 0);
    assert_int_equal(evs__conn_withdraw(a.conn, &first->request), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(small, sizeof small, "*1\r\n$%d\r\n%013d\r\n", LEN - 11, i);
        asks[i] = asker_queue(&a, (evs_bytes){small, LEN});
    }
    for (int i = 0; i < MANY; i++)
        if (i % STAY != 7)
            withdraw(asks[i]);
    asker_go_on(&a);
    fake_shard_wait(a.fake);
    evs_bytes got = fake_shard_received(a.fake);
    for (int i = 7, at = 0; i < MANY; i += STAY, at++) {
        snprintf(small, sizeof small, "*1\r\n$%d\r\n%013d\r\n", LEN - 11, i);
        assert_memory_equal(got.data + got.len - (size_t)(MANY / STAY - at) * LEN, small, LEN);
    }
    asker_end(&a);
}

static void written_requests_cannot_be_withdrawn(void **state)
{
    (void)state;
    asker a;
    ask *one = asker_begin_unanswered(&a);
    assert_int_equal(evs__conn_withdraw(a.conn, &one->request), 0);
    asker_go_on(&a);
    assert_string_equal(one->text, "one");
    assert_int_equal(evs__conn_withdraw(a.conn, &one->request), 0);
    asker_end(&a);
}

static void withdraw_next(ask *self)
{
    for (ask *at = self->from->asks; at != NULL; at = at->next)
        if (at->answers == 0)
            withdraw(at);
}

static void requests_being_lost_can_be_withdrawn(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_CLOSE};
    asker a;
    asker_begin(&a, FAKE_START(FAKE_UNIX, steps), NULL);
    ask *one = asker_ask(&a, "A", NULL);
    asker_ask(&a, "B", NULL);
    asker_ask(&a, "C", NULL);
    one->then = withdraw_next;
    asker_run(&a);
    assert_int_equal(a.answered, 1);
    assert_int_equal(evs__conn_queued(a.conn), 0);
    asker_end(&a);
}

static void a_full_queue_says_so(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(2, "+one\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    evs__conn_limits limits = {
        .max_reply_bytes = 1000, .max_reply_depth = 4, .max_queued_bytes = 20};
    asker a;
    evs_error err = {0};
    asker_open_limited(&a, fake_shard_login(fake), &limits);
    asker_ask(&a, "AAAA", NULL);
    asker_ask(&a, "BBBB", NULL);
    assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_E_QUEUE_FULL);
    assert_string_equal(err.shard, "fake");
    assert_non_null(strstr(err.message, ": 28 bytes are queued, the limit is 20"));
    asker_run(&a);
    assert_int_equal(evs__conn_prepare(a.conn, &err), EVS_OK);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void an_idle_connection_keeps_no_large_buffer(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1000, "$10\r\n0123456789\r\n")};
    asker a;
    asker_begin(&a, FAKE_START(FAKE_UNIX, steps), NULL);
    for (int i = 0; i < 1000; i++)
        asker_ask(&a, "GET", "something", NULL);
    asker_run(&a);
    evs__loop_run(a.loop, 0);
    assert_true(a.conn->out.cap <= 512);
    assert_null(a.conn->reader);
    assert_null(a.conn->attempt);
    asker_end(&a);
}

/* ---- memory that runs out ---- */

static int open_quietly(asker *a, const fake_shard *fake)
{
    static const evs__conn_limits limits = {
        .max_reply_bytes = 1 << 20, .max_reply_depth = 8, .max_queued_bytes = 1 << 20};
    memset(a, 0, sizeof *a);
    if (evs__loop_new(&a->loop, NULL) != EVS_OK)
        return 0;
    if (evs__conn_new(&a->conn, a->loop, fake_shard_login(fake), &limits, NULL) != EVS_OK)
        return 0;
    return evs__conn_prepare(a->conn, NULL) == EVS_OK;
}

static void counted(evs__request *request, const evs__answer *answer)
{
    (void)answer;
    ((ask *)request)->answers++;
}

/* Whatever fails, the request is answered once, or was never queued. Returns 1 when all went well.
 */
static int one_call(const fake_shard *fake, size_t fail_at)
{
    asker a;
    ask one = {.request = {.done = counted}};
    int queued = 0;
    evs__mem_fail_at(fail_at);
    if (open_quietly(&a, fake)) {
        evs__buf_text(evs__conn_begin(a.conn, &one.request), "*1\r\n$4\r\nPING\r\n");
        queued = evs__conn_end(a.conn, &one.request);
    }
    while (queued && one.answers == 0)
        evs__loop_run(a.loop, 100);
    int enough = evs__mem_count() < fail_at;
    evs__mem_fail_at(0);
    evs__conn_free(a.conn);
    if (a.loop != NULL)
        evs__loop_free(a.loop);
    assert_int_equal(one.answers, queued);
    return enough;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_SERVE("+OK\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    for (size_t fail_at = 1; !one_call(fake, fail_at); fail_at++)
        assert_in_range(fail_at, 1, 100);
    fake_shard_go(fake);
    fake_shard_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(withdrawn_requests_leave_no_trace),
        cmocka_unit_test(many_are_withdrawn_behind_a_half_written_request),
        cmocka_unit_test(written_requests_cannot_be_withdrawn),
        cmocka_unit_test(requests_being_lost_can_be_withdrawn),
        cmocka_unit_test(a_full_queue_says_so),
        cmocka_unit_test(an_idle_connection_keeps_no_large_buffer),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
