/* What sentinels say is read as meant, whatever they say; of several, the newest word counts. */
#include "sharding/sentinel.h"

#include "core/resp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <evalshard/client.h>
#include <stdio.h>
#include <string.h>

static evs__arena arena; /* of the newest reply */

static const evs_reply *reply_of(const char *text)
{
    size_t used;
    const evs_reply *reply = NULL;
    evs__arena_reset(&arena);
    evs__resp *resp = evs__resp_new(&arena, 1 << 20, 16);
    assert_non_null(resp);
    assert_int_equal(evs__resp_read(resp, text, strlen(text), &used, &reply), EVS__RESP_REPLY);
    evs__resp_free(resp);
    return reply;
}

static void an_address_is_two_texts(void **state)
{
    (void)state;
    evs__place_at place;
    const evs_reply *reply = reply_of("*2\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n");
    assert_int_equal(evs__primary_read(&place, reply, NULL), EVS_OK);
    assert_int_equal(place.host.len, 8);
    assert_memory_equal(place.host.data, "10.0.0.1", 8);
    assert_int_equal(place.port, 6379);
}

static void anything_else_is_a_failure_that_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        evs_status status;
        const char *text;
    } rows[] = {
        {"*-1\r\n", EVS_E_CONFIG, "no primary of that name"},
        {"$-1\r\n", EVS_E_CONFIG, "no primary of that name"},
        {"-NOPERM this user has no permissions\r\n", EVS_E_DENIED, "NOPERM this user"},
        {"-IDONTKNOW master\r\n", EVS_E_CONNECT, "IDONTKNOW"},
        {"*0\r\n", EVS_E_PROTOCOL, "no address"},
        {"*1\r\n$1\r\na\r\n", EVS_E_PROTOCOL, "no address"},
        {"*2\r\n$0\r\n\r\n$1\r\n1\r\n", EVS_E_PROTOCOL, "no address"},
        {"*2\r\n$1\r\na\r\n$1\r\n0\r\n", EVS_E_PROTOCOL, "no address"},
        {"*2\r\n$1\r\na\r\n$5\r\n65536\r\n", EVS_E_PROTOCOL, "no address"},
        {"*2\r\n$1\r\na\r\n$20\r\n99999999999999999999\r\n", EVS_E_PROTOCOL, "no address"},
        {"*2\r\n:1\r\n:2\r\n", EVS_E_PROTOCOL, "no address"},
        {"+OK\r\n", EVS_E_PROTOCOL, "no address"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        evs__place_at place;
        evs_error err;
        if (evs__primary_read(&place, reply_of(rows[i].reply), &err) != rows[i].status ||
            strstr(err.message, rows[i].text) == NULL)
            fail_msg("%s: %s", rows[i].reply, err.message);
    }
}

static void the_epoch_is_one_of_many_fields(void **state)
{
    (void)state;
    assert_int_equal(evs__primary_epoch(reply_of("*4\r\n$4\r\nname\r\n$1\r\nm\r\n"
                                                 "$12\r\nconfig-epoch\r\n$2\r\n17\r\n")),
                     17);
    assert_int_equal(evs__primary_epoch(reply_of("*2\r\n$4\r\nname\r\n$1\r\nm\r\n")), 0);
    assert_int_equal(evs__primary_epoch(reply_of("-NOPERM\r\n")), 0);
    assert_int_equal(evs__primary_epoch(reply_of("*2\r\n$12\r\nconfig-epoch\r\n$2\r\n-1\r\n")), 0);
}

/* One replica as Redis 7.0 lists it, in short: ip, port, flags, role-reported, state of the link.
 */
static const evs_reply *replica_of(const char *const words[5])
{
    static const char *const names[] = {"ip", "port", "flags", "role-reported",
                                        "master-link-status"};
    static char text[512];
    size_t len = (size_t)snprintf(text, sizeof text, "*10\r\n");
    for (size_t i = 0; i < 5; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "$%zu\r\n%s\r\n$%zu\r\n%s\r\n",
                                strlen(names[i]), names[i], strlen(words[i]), words[i]);
    return reply_of(text);
}

static void a_replica_is_well_or_has_a_fault(void **state)
{
    (void)state;
    static const struct {
        const char *words[5];
        const char *fault; /* NULL: it has none */
    } rows[] = {
        {{"10.0.0.2", "6379", "slave", "slave", "ok"}, NULL},
        {{"a::2", "1", "slave,reconf_done", "slave", "ok"}, NULL},
        {{"h", "1", "replica", "replica", "ok"}, NULL},
        {{"h", "1", "s_down,slave", "slave", "ok"}, "down"},
        {{"h", "1", "slave,o_down", "slave", "ok"}, "down"},
        {{"h", "1", "slave,disconnected", "slave", "ok"}, "no connection"},
        {{"h", "1", "slave,s_downer", "slave", "ok"}, NULL},
        {{"h", "1", "slave", "master", "ok"}, "no replica"},
        {{"h", "1", "slave", "slave", "err"}, "link"},
        {{"h", "1", "slave", "slave", ""}, "link"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        evs__seen seen;
        assert_true(evs__replica_read(&seen, replica_of(rows[i].words)));
        assert_int_equal(seen.place.host.len, strlen(rows[i].words[0]));
        assert_ptr_equal(evs_replica_fault(replica_of(rows[i].words)), seen.fault);
        if ((seen.fault == NULL) != (rows[i].fault == NULL) ||
            (seen.fault != NULL && strstr(seen.fault, rows[i].fault) == NULL))
            fail_msg("%s: %s", rows[i].words[2], seen.fault);
    }
}

static void what_holds_no_address_is_no_replica(void **state)
{
    (void)state;
    static const char *const no_port[] = {"h", "0", "slave", "slave", "ok"};
    static const char *const no_host[] = {"", "1", "slave", "slave", "ok"};
    evs__seen seen;
    assert_false(evs__replica_read(&seen, replica_of(no_port)));
    assert_false(evs__replica_read(&seen, replica_of(no_host)));
    assert_false(evs__replica_read(&seen, reply_of("*0\r\n")));
    assert_false(evs__replica_read(&seen, reply_of("+OK\r\n")));
    assert_string_equal(evs_replica_fault(replica_of(no_port)),
                        "a sentinel does not say where it is");
}

static void who_tells_no_replicas_is_named(void **state)
{
    (void)state;
    evs_error err;
    assert_int_equal(evs__replicas_refused(&err, reply_of("-NOPERM no\r\n"), "s:1"), EVS_E_DENIED);
    assert_string_equal(err.message, "sentinel s:1 does not tell the replicas: NOPERM no");
    assert_int_equal(evs__replicas_refused(&err, reply_of("-ERR no\r\n"), "s:1"), EVS_E_CONNECT);
    assert_int_equal(evs__replicas_refused(&err, NULL, "s:1"), EVS_E_CONNECT);
    assert_string_equal(err.message, "sentinel s:1 does not tell the replicas");
}

static void news_of_replicas_name_their_primary(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name; /* "": it is something else */
    } rows[] = {
        {"slave 10.0.0.2:1 10.0.0.2 1 @ ledger-1 10.0.0.1 65", "ledger-1"},
        {"slave [a::2]:1 a::2 1 @ with a space 10.0.0.1 65", "with a space"},
        {"master ledger-1 10.0.0.1 65", ""},
        {"sentinel 0af 10.0.0.3 26379 @ ledger-1 10.0.0.1 65", ""},
        {"slave @ m", ""},
        {"slave ", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "*3\r\n$7\r\nmessage\r\n$6\r\n+sdown\r\n$%zu\r\n%s\r\n",
                 strlen(rows[i].text), rows[i].text);
        evs_bytes name = evs__replica_news_read(reply_of(text));
        if (name.len != strlen(rows[i].name) ||
            (name.len > 0 && memcmp(name.data, rows[i].name, name.len) != 0))
            fail_msg("%s: %.*s", rows[i].text, (int)name.len, name.data);
    }
    assert_int_equal(evs__replica_news_read(reply_of("+OK\r\n")).len, 0);
    const evs_reply *other = reply_of("*3\r\n$9\r\nsubscribe\r\n$6\r\n+sdown\r\n:1\r\n");
    assert_int_equal(evs__replica_news_read(other).len, 0);
}

static void a_switch_names_both_addresses(void **state)
{
    (void)state;
    evs__switched told;
    const evs_reply *reply = reply_of("*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n"
                                      "$27\r\nledger-1 10.0.0.1 1 a::2 65\r\n");
    assert_true(evs__switch_read(&told, reply));
    assert_int_equal(told.name.len, 8);
    assert_memory_equal(told.name.data, "ledger-1", 8);
    assert_int_equal(told.before.port, 1);
    assert_memory_equal(told.before.host.data, "10.0.0.1", 8);
    assert_int_equal(told.after.port, 65);
    assert_memory_equal(told.after.host.data, "a::2", 4);
}

static void other_messages_are_no_switch(void **state)
{
    (void)state;
    static const char *const replies[] = {
        "*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n",
        "*3\r\n$7\r\nmessage\r\n$5\r\n+slow\r\n$9\r\nm a 1 b 2\r\n",
        "*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$7\r\na 1 b 2\r\n",
        "*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$9\r\nm a x b 2\r\n",
        "*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$0\r\n\r\n",
        "*2\r\n$4\r\npong\r\n$0\r\n\r\n",
        "+OK\r\n",
        "*-1\r\n",
    };
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        evs__switched told;
        if (evs__switch_read(&told, reply_of(replies[i])))
            fail_msg("%s", replies[i]);
    }
}

/* Votes as "a5 b7 -": the address, which is one letter, and the epoch; - has not answered. */
static size_t votes_of(evs__vote *votes, const char *text)
{
    size_t count = 0;
    for (const char *at = text; *at != '\0'; at += strcspn(at, " "), at += *at == ' ') {
        votes[count++] = (evs__vote){*at != '-', {{at, 1}, 1}, (uint64_t)(at[1] - '0')};
        if (*at == '-')
            votes[count - 1].epoch = 0;
    }
    return count;
}

static void the_newest_word_of_enough_sentinels_counts(void **state)
{
    (void)state;
    static const struct {
        const char *votes;
        unsigned quorum;
        const char *known; /* address and epoch; "": none. Behind it ! when it works */
        char winner;       /* '-': none */
        const char *why;
    } rows[] = {
        {"a1", 1, "", 'a', "one is enough"},
        {"-", 1, "", '-', "silence is not"},
        {"a1 - -", 2, "", '-', "one is not enough for two"},
        {"a1 b1 -", 2, "", '-', "who disagree are not enough"},
        {"a1 a1 -", 2, "", 'a', "two are"},
        {"a1 a1 b2", 1, "a1!", 'b', "the leader knows before the others"},
        {"b2 a1 a1", 1, "a1!", 'b', "whatever its place"},
        {"a1 a1 b2", 2, "a1!", 'a', "but two are wanted"},
        {"a1 b2 b2", 2, "a1!", 'b', "and agree"},
        {"a1", 1, "b2!", '-', "an old word is no reason to leave one that works"},
        {"a1", 1, "b2", 'a', "it is when that does not work"},
        {"a1 b2", 1, "b2!", 'b', "nor when others know better"},
        {"a0 b0 b0", 1, "a0!", 'b', "without epochs most votes count"},
        {"a0 b0", 1, "b0!", 'b', "then what is known"},
        {"a0 b0", 1, "", 'a', "then the first"},
        {"A1", 1, "a1!", 'A', "case does not matter"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        evs__vote votes[8];
        size_t count = votes_of(votes, rows[i].votes);
        evs__known_primary known = {{{NULL, 0}, 0}, 0, 0};
        if (rows[i].known[0] != '\0')
            known = (evs__known_primary){{{rows[i].known, 1}, 1},
                                         (uint64_t)(rows[i].known[1] - '0'),
                                         rows[i].known[2] == '!'};
        int winner = evs__elect(votes, count, rows[i].quorum, &known);
        char found = winner < 0 ? '-' : votes[winner].place.host.data[0];
        if (found != rows[i].winner)
            fail_msg("%s (%s): %c", rows[i].why, rows[i].votes, found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_two_texts),
        cmocka_unit_test(anything_else_is_a_failure_that_says_why),
        cmocka_unit_test(the_epoch_is_one_of_many_fields),
        cmocka_unit_test(a_replica_is_well_or_has_a_fault),
        cmocka_unit_test(what_holds_no_address_is_no_replica),
        cmocka_unit_test(who_tells_no_replicas_is_named),
        cmocka_unit_test(news_of_replicas_name_their_primary),
        cmocka_unit_test(a_switch_names_both_addresses),
        cmocka_unit_test(other_messages_are_no_switch),
        cmocka_unit_test(the_newest_word_of_enough_sentinels_counts),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs__arena_free(&arena);
    return failed;
}
