/*
 * Replicas by the word of sentinels that say what they are told to: which of them are read from,
 * and which are left.
 */
#include "tests/support/fake_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CUT_OFF "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$7\r\nconnect\r\n:0\r\n"

#define READ_FROM(rule) \
    "pools: {p: {read_from: " rule ", retry_after: 10m, shards: {" FAKE_WATCH_ONE "}}}"

/* What the replica answers is 7, the primary 1. */
#define READ_AS_REPLICA FAKE_GREET_AS(FAKE_REPLICA), FAKE_FIRST_CALL(":7\r\n")

static const fake_step nothing[] = {FAKE_DRAIN};
static const fake_step read_at_primary[] = {FAKE_GREET_AS(FAKE_PRIMARY), FAKE_FIRST_CALL(":1\r\n")};
static const fake_step read_at_replica[] = {READ_AS_REPLICA};
static const fake_step read_then_left[] = {READ_AS_REPLICA, FAKE_EOF};

/* All sentinels list server b like that. */
static void list_replica(fake_watch *w, const char *flags, const char *link)
{
    for (size_t i = 0; i < w->count; i++)
        fake_sentinel_list(w->sentinels[i], "m", fake_watch_port(w->b), flags, link);
}

/* Sentinels say that it is well, and it is read from. */
static void read_from_replica(fake_watch *w, const char *more, const char *rest)
{
    list_replica(w, "slave", "ok");
    fake_watch_open(w, more, rest);
    fake_watch_call(w, "get", 7);
}

/* ---- which are read from ---- */

static void a_replica_that_is_well_is_read_from(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_start(&w, 3, FAKE_START(FAKE_TCP, nothing), FAKE_START(FAKE_TCP, read_at_replica));
    read_from_replica(&w, "", READ_FROM("prefer_replica"));
    fake_watch_stop(&w);
}

/* The primary is read from instead; `text`, if there is one, is why. */
static void check_unread(fake_shard *replica, const char *flags, const char *link, const char *text)
{
    fake_watch w;
    fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, read_at_primary), replica);
    list_replica(&w, flags, link);
    fake_watch_open(&w, "", READ_FROM("prefer_replica"));
    fake_watch_call(&w, "get", 1);
    if (text != NULL)
        assert_non_null(strstr(w.log, text));
    fake_watch_stop(&w);
}

/* What sentinels say of it keeps it from being read; it hears of no call. */
static void a_replica_with_a_fault_is_not_read_from(void **state)
{
    (void)state;
    check_unread(FAKE_START(FAKE_TCP, nothing), "s_down,slave", "ok", NULL);
    check_unread(FAKE_START(FAKE_TCP, nothing), "slave,o_down", "ok", NULL);
    check_unread(FAKE_START(FAKE_TCP, nothing), "slave,disconnected", "ok", NULL);
    check_unread(FAKE_START(FAKE_TCP, nothing), "slave", "err", NULL);
}

static void sentinels_that_differ_are_counted(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_ending end;
    fake_watch_start(&w, 3, FAKE_START(FAKE_TCP, nothing), FAKE_START(FAKE_TCP, read_at_replica));
    int port = fake_watch_port(w.b);
    for (size_t i = 0; i < 3; i++)
        fake_sentinel_list(w.sentinels[i], "m", port, i < 2 ? "slave,s_down" : "slave", "ok");
    fake_watch_open(&w, ", quorum_reads: 3", READ_FROM("replica"));
    fake_watch_submit(&w, "get", "k", &end);
    fake_watch_drive(&w, 100);
    assert_int_equal(end.done, 0);
    fake_sentinel_list(w.sentinels[0], "m", 0, "", "");
    fake_sentinel_list(w.sentinels[0], "m", port, "slave", "ok");
    fake_watch_await_number(&w, &end, 7);
    fake_watch_stop(&w);
}

/* Whoever is at its address says what it is. */
static void who_is_no_replica_is_not_read_from(void **state)
{
    (void)state;
    const fake_step primary[] = {FAKE_GREET_AS(FAKE_PRIMARY), FAKE_EOF};
    const fake_step cut_off[] = {FAKE_GREET_AS(CUT_OFF), FAKE_EOF};
    const fake_step loading[] = {FAKE_GREET_AS("-LOADING Redis is loading the dataset\r\n"),
                                 FAKE_EOF};
    const fake_step busy[] = {FAKE_GREET_AS("-BUSY Redis is busy running a script\r\n"), FAKE_EOF};
    check_unread(FAKE_START(FAKE_TCP, primary), "slave", "ok", "it is a primary, not a replica");
    check_unread(FAKE_START(FAKE_TCP, cut_off), "slave", "ok", "no link to its primary");
    check_unread(FAKE_START(FAKE_TCP, loading), "slave", "ok", "LOADING");
    check_unread(FAKE_START(FAKE_TCP, busy), "slave", "ok", "BUSY");
}

/* ---- which are left ---- */

static void a_replica_that_nobody_names_is_left(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, read_at_primary),
                     FAKE_START(FAKE_TCP, read_then_left));
    read_from_replica(&w, ", refresh: 1h", READ_FROM("prefer_replica"));
    while (fake_sentinel_listeners(w.sentinels[0]) == 0)
        assert_int_equal(evs_client_process(w.client, 0, NULL), EVS_OK);
    fake_sentinel_list(w.sentinels[0], "m", 0, "", "");
    fake_sentinel_publish_replica(w.sentinels[0], "+sdown", "m", fake_watch_port(w.b),
                                  fake_watch_port(w.a));
    fake_watch_await_steps(&w, w.b, 6);
    fake_watch_call(&w, "get", 1);
    fake_watch_stop(&w);
}

/* By the word of one, before anybody is asked. */
static void a_promoted_replica_is_left_at_the_first_word(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, nothing), FAKE_START(FAKE_TCP, read_then_left));
    read_from_replica(&w, ", refresh: 1h", READ_FROM("replica"));
    fake_watch_await_subscribers(&w);
    fake_sentinel_mute(w.sentinels[0], 1);
    fake_sentinel_publish(w.sentinels[0], "m", fake_watch_port(w.a), fake_watch_port(w.b));
    fake_watch_await_steps(&w, w.b, 6);
    fake_watch_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_that_is_well_is_read_from),
        cmocka_unit_test(a_replica_with_a_fault_is_not_read_from),
        cmocka_unit_test(sentinels_that_differ_are_counted),
        cmocka_unit_test(who_is_no_replica_is_not_read_from),
        cmocka_unit_test(a_replica_that_nobody_names_is_left),
        cmocka_unit_test(a_promoted_replica_is_left_at_the_first_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
