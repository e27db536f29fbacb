/*
 * Sentinels and shards that say what they are told to: who is believed, what is asked how often,
 * and what becomes of calls meanwhile. Replicas that are read from are in test_followers.c.
 */
#include "tests/support/fake_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ONE "shards: {" FAKE_WATCH_ONE "}"

/* The primary answers 1 to its first call, and the one that follows it 2. */
#define FIRST_PRIMARY FAKE_GREET_AS(FAKE_PRIMARY), FAKE_FIRST_CALL(":1\r\n")

static const fake_step first_primary[] = {FIRST_PRIMARY};
static const fake_step left_primary[] = {FIRST_PRIMARY, FAKE_EOF};
static const fake_step next_primary[] = {FAKE_GREET_AS(FAKE_PRIMARY), FAKE_FIRST_CALL(":2\r\n")};

/* What sentinels know changes; nobody is told. */
static void replace_primary(fake_watch *w, size_t sentinels)
{
    for (size_t i = 0; i < sentinels; i++)
        fake_sentinel_know(w->sentinels[i], "m", fake_watch_port(w->b), 2);
}

/* One sentinel tells that the first server was replaced by the second. */
static void tell_switch(fake_watch *w, size_t sentinel)
{
    fake_sentinel_publish(w->sentinels[sentinel], "m", fake_watch_port(w->a),
                          fake_watch_port(w->b));
}

/* One call that fails before it is sent. */
static void call_in_vain(fake_watch *w, evs_status status, fake_watch_ending *end)
{
    fake_watch_submit(w, "add", "k", end);
    fake_watch_await(w, end);
    assert_int_equal(end->status, status);
    assert_int_equal(end->outcome, EVS_NOT_EXECUTED);
}

/* ---- whom to believe ---- */

static void a_replica_gets_no_calls(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_ending end;
    const fake_step old[] = {FAKE_GREET_AS(FAKE_REPLICA), FAKE_EOF, FAKE_CLOSE, FAKE_DEAF};
    fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, old), FAKE_START(FAKE_TCP, next_primary));
    fake_watch_open(&w, "", ONE);
    fake_watch_submit(&w, "add", "k", &end);
    fake_watch_await_steps(&w, w.a, 4);
    replace_primary(&w, 1);
    fake_watch_await_number(&w, &end, 2);
    assert_non_null(strstr(w.log, "it is a replica, not the primary"));
    assert_int_equal(fake_watch_switches(&w), 1);
    fake_watch_stop(&w);
}

static void the_newest_failover_counts(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_start(&w, 3, NULL, FAKE_START(FAKE_TCP, first_primary));
    fake_sentinel_know(w.sentinels[0], "m", 1, 4); /* nobody is there */
    fake_sentinel_know(w.sentinels[1], "m", fake_watch_port(w.b), 5);
    fake_sentinel_know(w.sentinels[2], "m", 1, 4);
    fake_watch_open(&w, "", ONE);
    fake_watch_call(&w, "add", 1);
    fake_watch_stop(&w);
}

/* Each round names a primary that refuses connections: rounds get rarer, they are not 25 ms apart.
 */
static void a_dead_primary_is_asked_for_less_and_less_often(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_ending end = {0};
    fake_watch_start(&w, 1, NULL, NULL);
    fake_sentinel_know(w.sentinels[0], "m", 1, 4); /* nobody is there */
    fake_watch_open(&w, "", ONE);
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1, .timeout_ms = 2000};
    assert_int_equal(evs_submit(w.client, &one, fake_watch_ended, &end, NULL), EVS_OK);
    fake_watch_await(&w, &end);
    assert_int_equal(end.status, EVS_E_CONNECT);
    assert_int_equal(end.outcome, EVS_NOT_EXECUTED);
    assert_in_range(fake_sentinel_asked(w.sentinels[0]), 2, 16);
    fake_watch_stop(&w);
}

static void one_is_not_believed_where_two_have_to_agree(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_ending end;
    fake_watch_start(&w, 2, NULL, FAKE_START(FAKE_TCP, first_primary));
    fake_sentinel_know(w.sentinels[0], "m", fake_watch_port(w.b), 9);
    fake_sentinel_know(w.sentinels[1], "m", 1, 1);
    fake_watch_open(&w, ", quorum_reads: 2", ONE);
    fake_watch_submit(&w, "add", "k", &end);
    while (strstr(w.log, "(2 have to agree)") == NULL)
        assert_int_equal(evs_client_process(w.client, 10, NULL), EVS_OK);
    assert_false(end.done);
    fake_sentinel_know(w.sentinels[1], "m", fake_watch_port(w.b), 9);
    fake_watch_await_number(&w, &end, 1);
    fake_watch_stop(&w);
}

static void a_name_that_nobody_knows_is_said_at_once(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_ending end;
    fake_watch_start(&w, 2, NULL, NULL);
    fake_watch_open(&w, "", ONE);
    call_in_vain(&w, EVS_E_CONFIG, &end);
    assert_non_null(strstr(end.message, "no primary of that name is watched"));
    fake_watch_stop(&w);
}

static void who_may_not_ask_for_roles_is_told(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_ending end;
    const fake_step steps[] = {FAKE_GREET_AS("-NOPERM this user has no permissions\r\n"), FAKE_EOF};
    fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, steps), NULL);
    fake_watch_open(&w, "", ONE);
    call_in_vain(&w, EVS_E_DENIED, &end);
    assert_non_null(strstr(end.message, "+role"));
    fake_watch_stop(&w);
}

/* ---- switches ---- */

static void a_switch_ends_connections_to_the_old_primary(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_ending end;
    const fake_step old[] = {FIRST_PRIMARY, FAKE_COMMANDS(1), FAKE_EOF};
    fake_watch_start(&w, 3, FAKE_START(FAKE_TCP, old), FAKE_START(FAKE_TCP, next_primary));
    fake_watch_open(&w, "", ONE);
    fake_watch_call(&w, "add", 1);
    fake_watch_await_subscribers(&w);
    fake_watch_submit(&w, "add", "k", &end); /* is never answered */
    fake_watch_await_steps(&w, w.a, 6);
    replace_primary(&w, 2); /* the third one comes to know it last */
    tell_switch(&w, 1);
    fake_watch_await(&w, &end);
    assert_int_equal(end.status, EVS_E_CLOSED);
    assert_int_equal(end.outcome, EVS_MAYBE_EXECUTED);
    assert_non_null(strstr(end.message, "a sentinel says"));
    fake_watch_call(&w, "add", 2);
    assert_int_equal(fake_watch_switches(&w), 1);
    tell_switch(&w, 0); /* late, and no news */
    fake_sentinel_publish(w.sentinels[0], "other", fake_watch_port(w.b), fake_watch_port(w.a));
    fake_watch_drive(&w, 20);
    assert_int_equal(fake_watch_switches(&w), 1);
    fake_watch_stop(&w);
}

typedef struct chain {
    fake_watch *w;
    fake_watch_ending first, second;
} chain;

static void submit_next(void *arg, const evs_result *result)
{
    chain *c = arg;
    fake_watch_submit(c->w, "add", "k", &c->second);
    fake_watch_ended(&c->first, result); /* the reply is still there */
}

static size_t count_in(const char *text, const char *word)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

/* A connection whose completion runs is not idle. */
static void unread_messages_do_not_end_a_connection_that_is_in_use(void **state)
{
    (void)state;
    fake_watch w;
    evs_error err;
    chain c = {.w = &w};
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1};
    const fake_step steps[] = {FIRST_PRIMARY,      FAKE_COMMANDS(1), FAKE_PAUSE,
                               FAKE_SAY(":2\r\n"), FAKE_COMMANDS(1), FAKE_SAY(":3\r\n")};
    fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, steps), NULL);
    fake_watch_open(&w, ", refresh: 1h", ONE);
    fake_watch_call(&w, "add", 1);
    fake_watch_await_subscribers(&w);
    fake_watch_drive(&w, 200);
    if (evs_submit(w.client, &one, submit_next, &c, &err) != EVS_OK)
        fail_msg("%s", err.message);
    fake_watch_await_steps(&w, w.a, 6);
    fake_shard_go(w.a);
    fake_shard_await(w.a, 8);
    fake_sentinel_publish(w.sentinels[0], "other", 1, 2);
    fake_watch_await_number(&w, &c.first, 2);
    fake_watch_await_number(&w, &c.second, 3);
    assert_int_equal(count_in(w.log, "a: connected"), 1);
    fake_watch_stop(&w);
}

/* Who is driven slept through the switch; the message lies in a socket. */
static void unread_messages_end_a_connection_that_was_idle(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, left_primary), FAKE_START(FAKE_TCP, next_primary));
    fake_watch_open(&w, ", refresh: 1h", ONE);
    fake_watch_call(&w, "add", 1);
    fake_watch_await_subscribers(&w);
    fake_watch_drive(&w, 200);
    replace_primary(&w, 1);
    tell_switch(&w, 0);
    fake_watch_call(&w, "add", 2);
    fake_watch_stop(&w);
}

static void without_messages_polling_finds_the_switch(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, left_primary), FAKE_START(FAKE_TCP, next_primary));
    fake_sentinel_refuse_subscribers(w.sentinels[0], 1);
    fake_watch_open(&w, ", refresh: 1s", ONE);
    fake_watch_call(&w, "add", 1);
    replace_primary(&w, 1);
    fake_watch_await_steps(&w, w.a, 6);
    assert_non_null(strstr(w.log, "SUBSCRIBE refused: NOPERM"));
    fake_watch_call(&w, "add", 2);
    fake_watch_stop(&w);
}

static void a_demoted_primary_leads_to_questions(void **state)
{
    (void)state;
    fake_watch w;
    const fake_step old[] = {FIRST_PRIMARY, FAKE_COMMANDS(1),
                             FAKE_SAY("-READONLY You can't write against a read only replica.\r\n"),
                             FAKE_EOF};
    fake_watch_start(&w, 1, FAKE_START(FAKE_TCP, old), FAKE_START(FAKE_TCP, next_primary));
    fake_sentinel_refuse_subscribers(w.sentinels[0], 1);
    fake_watch_open(&w, ", refresh: 1h", ONE);
    fake_watch_call(&w, "add", 1);
    replace_primary(&w, 1);
    fake_watch_call(&w, "add", 2);
    assert_int_equal(fake_watch_switches(&w), 1);
    fake_watch_stop(&w);
}

/* ---- how much is asked ---- */

static void shards_of_a_group_ask_together(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_ending ends[30];
    fake_watch_start(&w, 1, NULL, NULL);
    fake_watch_open(
        &w, ", refresh: 1h",
        "shards: {a: {sentinel: eu, master_name: m}, b: {sentinel: eu, master_name: n}, "
        "c: {sentinel: eu, master_name: o}}");
    for (size_t i = 0; i < 30; i++) {
        char key[16];
        snprintf(key, sizeof key, "%zu", i);
        fake_watch_submit(&w, "add", key, &ends[i]);
    }
    for (size_t i = 0; i < 30; i++) {
        fake_watch_await(&w, &ends[i]);
        assert_int_equal(ends[i].status, EVS_E_CONFIG);
    }
    assert_true(fake_sentinel_asked(w.sentinels[0]) <= 6); /* a second round for the listener */
    assert_true(fake_sentinel_connections(w.sentinels[0]) <= 2);
    fake_watch_stop(&w);
}

static void a_silent_sentinel_does_not_hold_up_the_others(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_start(&w, 3, NULL, FAKE_START(FAKE_TCP, first_primary));
    fake_sentinel_mute(w.sentinels[0], 1);
    fake_sentinel_know(w.sentinels[1], "m", fake_watch_port(w.b), 1);
    fake_sentinel_know(w.sentinels[2], "m", fake_watch_port(w.b), 1);
    fake_watch_open(&w, ", quorum_reads: 2", ONE);
    fake_watch_call(&w, "add", 1);
    fake_watch_stop(&w);
}

static void all_silent_sentinels_are_named(void **state)
{
    (void)state;
    fake_watch w;
    fake_watch_ending end;
    fake_watch_start(&w, 2, NULL, NULL);
    fake_sentinel_mute(w.sentinels[0], 1);
    fake_sentinel_mute(w.sentinels[1], 1);
    fake_watch_open(&w, "", "shards: {a: {sentinel: eu, master_name: m, script_timeout: 5s}}");
    call_in_vain(&w, EVS_E_CONNECT, &end);
    for (size_t i = 0; i < 2; i++) {
        char port[32];
        snprintf(port, sizeof port, "127.0.0.1:%d", fake_sentinel_port(w.sentinels[i]));
        assert_non_null(strstr(end.message, port));
    }
    assert_non_null(strstr(end.message, "no answer in time"));
    fake_watch_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_gets_no_calls),
        cmocka_unit_test(the_newest_failover_counts),
        cmocka_unit_test(a_dead_primary_is_asked_for_less_and_less_often),
        cmocka_unit_test(one_is_not_believed_where_two_have_to_agree),
        cmocka_unit_test(a_name_that_nobody_knows_is_said_at_once),
        cmocka_unit_test(who_may_not_ask_for_roles_is_told),
        cmocka_unit_test(a_switch_ends_connections_to_the_old_primary),
        cmocka_unit_test(unread_messages_do_not_end_a_connection_that_is_in_use),
        cmocka_unit_test(unread_messages_end_a_connection_that_was_idle),
        cmocka_unit_test(without_messages_polling_finds_the_switch),
        cmocka_unit_test(a_demoted_primary_leads_to_questions),
        cmocka_unit_test(shards_of_a_group_ask_together),
        cmocka_unit_test(a_silent_sentinel_does_not_hold_up_the_others),
        cmocka_unit_test(all_silent_sentinels_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
