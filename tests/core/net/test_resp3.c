/* RESP3 on a connection: agreed on in the greeting or not; pushes disturb nothing. */
#include "tests/support/asker.h"
#include "tests/support/fake_shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define HELLO_REPLY "%2\r\n+server\r\n+fake\r\n+proto\r\n:3\r\n"
#define PUSH        ">2\r\n+message\r\n%1\r\n+k\r\n,0.5\r\n"
#define HELLO       "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"

static const evs__conn_limits limits = {
    .max_reply_bytes = 4096, .max_reply_depth = 8, .max_queued_bytes = 1 << 20, .protocol = 3};

static void hello_is_part_of_the_greeting(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_ACCEPT, FAKE_EXPECT(HELLO "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$4\r\ntest\r\n"),
        FAKE_SAY(HELLO_REPLY "+OK\r\n"), FAKE_COMMANDS(1), FAKE_SAY("%1\r\n+k\r\n#t\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open_limited(&a, fake_shard_login(fake), &limits);
    ask *map = asker_ask(&a, "HGETALL", "k", NULL);
    asker_run(&a);
    assert_int_equal(map->type, EVS_REPLY_MAP);
    assert_int_equal(map->count, 2);
    asker_close(&a);
    fake_shard_stop(fake);
}

static void an_old_server_speaks_resp2(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_ACCEPT, FAKE_COMMANDS(2),
        FAKE_SAY("-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n+OK\r\n"),
        FAKE_COMMANDS(1), FAKE_SAY("*2\r\n$1\r\nk\r\n:1\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open_limited(&a, fake_shard_login(fake), &limits);
    ask *map = asker_ask(&a, "HGETALL", "k", NULL);
    asker_run(&a);
    assert_int_equal(map->type, EVS_REPLY_ARRAY);
    asker_close(&a);
    fake_shard_stop(fake);
}

/* Before, between and behind replies, inside the greeting, and in pieces. */
static void pushes_disturb_no_order(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT,
                               FAKE_COMMANDS(2),
                               FAKE_SAY(PUSH HELLO_REPLY PUSH "+OK\r\n" PUSH),
                               FAKE_COMMANDS(3),
                               FAKE_SAY(PUSH "+one\r\n" PUSH PUSH ":2\r\n>1\r\n+mess"),
                               FAKE_PAUSE,
                               FAKE_SAY("age\r\n$5\r\nthree\r\n" PUSH),
                               FAKE_COMMANDS(1),
                               FAKE_SAY("+four\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open_limited(&a, fake_shard_login(fake), &limits);
    ask *one = asker_ask(&a, "1", NULL), *two = asker_ask(&a, "2", NULL);
    ask *three = asker_ask(&a, "3", NULL);
    fake_shard_await_on(fake, 5, a.loop);
    three->request.unwanted = 1; /* skipped, though a push is half read */
    fake_shard_go(fake);
    asker_run(&a);
    assert_string_equal(one->text, "one");
    assert_int_equal(two->integer, 2);
    assert_int_equal(three->got, EVS__GOT_REPLY);
    assert_int_equal(three->type, EVS_REPLY_NIL);
    assert_int_equal(three->order, 3);
    ask *four = asker_ask(&a, "4", NULL);
    asker_run(&a);
    assert_string_equal(four->text, "four");
    evs__loop_counts stats = evs__loop_counted(a.loop);
    assert_int_equal(stats.connects, 1);
    asker_close(&a);
    fake_shard_stop(fake);
}

/* Also when it lies in the socket, unread, as the next request is made. */
static void a_push_to_an_idle_connection_keeps_it(void **state)
{
    (void)state;
    const fake_step steps[] = {FAKE_ACCEPT, FAKE_COMMANDS(2), FAKE_SAY(HELLO_REPLY "+OK\r\n"),
                               FAKE_PAUSE,  FAKE_SAY(PUSH),   FAKE_ANSWER(1, "+fine\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open_limited(&a, fake_shard_login(fake), &limits);
    assert_int_equal(evs__conn_prepare(a.conn, NULL), EVS_OK);
    asker_run_ready(&a);
    fake_shard_go(fake);
    fake_shard_await(fake, 5);
    ask *fine = asker_ask(&a, "X", NULL);
    asker_run(&a);
    assert_string_equal(fine->text, "fine");
    asker_close(&a);
    fake_shard_stop(fake);
}

/* A reply that nobody asked for is still the end. */
static void a_reply_without_a_question_is_refused(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_ACCEPT, FAKE_COMMANDS(2),           FAKE_SAY(HELLO_REPLY "+OK\r\n"),
        FAKE_PAUSE,  FAKE_SAY(PUSH "+what\r\n"), FAKE_EOF};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open_limited(&a, fake_shard_login(fake), &limits);
    assert_int_equal(evs__conn_prepare(a.conn, NULL), EVS_OK);
    asker_run_ready(&a);
    uint64_t epoch = evs__conn_epoch(a.conn);
    fake_shard_go(fake);
    fake_shard_await_on(fake, 6, a.loop);
    assert_int_not_equal(evs__conn_epoch(a.conn), epoch);
    asker_close(&a);
    fake_shard_stop(fake);
}

/* A server with many modules says more than a reply may have; that is RESP3 all the same. */
static void a_long_answer_to_hello_is_fine(void **state)
{
    (void)state;
    static char filler[5002];
    memset(filler, 'x', 5000);
    memcpy(filler + 5000, "\r\n", 2);
    const fake_step steps[] = {FAKE_ACCEPT,
                               FAKE_COMMANDS(2),
                               FAKE_SAY("%1\r\n+modules\r\n$5000\r\n"),
                               FAKE_SAY_BYTES(filler, 5002),
                               FAKE_SAY("+OK\r\n" PUSH),
                               FAKE_ANSWER(1, "#t\r\n")};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    asker a;
    asker_open_limited(&a, fake_shard_login(fake), &limits);
    ask *yes = asker_ask(&a, "X", NULL);
    asker_run(&a);
    assert_int_equal(yes->type, EVS_REPLY_BOOL);
    assert_int_equal(yes->integer, 1);
    asker_close(&a);
    fake_shard_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_is_part_of_the_greeting),
        cmocka_unit_test(an_old_server_speaks_resp2),
        cmocka_unit_test(pushes_disturb_no_order),
        cmocka_unit_test(a_push_to_an_idle_connection_keeps_it),
        cmocka_unit_test(a_reply_without_a_question_is_refused),
        cmocka_unit_test(a_long_answer_to_hello_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
