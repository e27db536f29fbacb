/* A connection that works and is of no use any more: when it is given up, and for whom. */
#include "tests/support/asker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TURNS = 5 };

static void retire(ask *self)
{
    evs__conn_retire(self->from->conn, EVS__CONN_NO_LOGIN);
}

static ask *second;

static void retire_then_ask(ask *self)
{
    retire(self);
    second = asker_ask(self->from, "SECOND", NULL);
}

static void ask_then_retire(ask *self)
{
    second = asker_ask(self->from, "SECOND", NULL);
    retire(self);
}

/* Else who asks all the time would go on there for ever. */
static void what_was_not_written_is_lost_at_once(void **state)
{
    (void)state;
    static void (*const ways[])(ask *) = {retire_then_ask, ask_then_retire};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(1, "-NOAUTH x\r\n"), FAKE_GREET,
                                   FAKE_ANSWER(1, "+third\r\n")};
        asker a;
        asker_begin(&a, FAKE_START(FAKE_UNIX, steps), NULL);
        ask *first = asker_ask(&a, "FIRST", NULL);
        first->then = ways[i];
        asker_run(&a);
        assert_int_equal(second->got, EVS__GOT_LOST);
        assert_int_equal(second->sent, 0);
        assert_int_equal(second->why.status, EVS_E_CLOSED);
        assert_non_null(strstr(second->why.message, "does not know the login any more"));
        ask *third = asker_ask(&a, "THIRD", NULL);
        asker_run(&a);
        assert_string_equal(third->text, "third");
        fake_shard_wait(a.fake);
        evs_bytes got = fake_shard_received(a.fake);
        assert_null(memmem(got.data, got.len, "SECOND", 6));
        asker_end(&a);
    }
}

/* While answers are owed nothing more is written, or a connection that is always asked would never
 * be rid of its questions. */
static void what_was_written_is_answered_and_no_more_is_written(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_GREET,
                               FAKE_COMMANDS(2),
                               FAKE_SAY("-NOAUTH x\r\n"),
                               FAKE_PAUSE,
                               FAKE_SAY("+second\r\n"),
                               FAKE_GREET,
                               FAKE_ANSWER(1, "+third\r\n")};
    asker a;
    asker_begin(&a, FAKE_START(FAKE_UNIX, steps), NULL);
    ask *first = asker_ask(&a, "FIRST", NULL), *owed = asker_ask(&a, "SECOND", NULL);
    first->then = retire;
    while (first->answers == 0)
        evs__loop_run(a.loop, -1);
    ask *meanwhile = asker_ask(&a, "MEANWHILE", NULL);
    for (int i = 0; i < TURNS; i++)
        evs__loop_run(a.loop, 0);
    assert_int_equal(owed->answers, 0);
    asker_go_on(&a);
    assert_string_equal(owed->text, "second");
    assert_int_equal(meanwhile->got, EVS__GOT_LOST);
    assert_int_equal(meanwhile->sent, 0);
    assert_int_equal(meanwhile->why.status, EVS_E_CLOSED);
    ask *third = asker_ask(&a, "THIRD", NULL);
    asker_run(&a);
    assert_string_equal(third->text, "third");
    fake_shard_wait(a.fake);
    evs_bytes got = fake_shard_received(a.fake);
    assert_null(memmem(got.data, got.len, "MEANWHILE", 9));
    asker_end(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_written_is_lost_at_once),
        cmocka_unit_test(what_was_written_is_answered_and_no_more_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
