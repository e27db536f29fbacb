/* What sentinels say is read as meant, whatever they say; of several, the newest word counts. */
#include "sharding/sentinel.h"

#include "core/resp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
        cmocka_unit_test(a_switch_names_both_addresses),
        cmocka_unit_test(other_messages_are_no_switch),
        cmocka_unit_test(the_newest_word_of_enough_sentinels_counts),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs__arena_free(&arena);
    return failed;
}
