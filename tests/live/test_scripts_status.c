/* create_status and book/create_status on a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/script_case.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define WRONGTYPE   "WRONGTYPE Operation against a key holding the wrong kind of value"
#define NOT_COUNTED "ERR hash value is not an integer"
#define OTHER       "ERR create_status found another message at the key of the status"
#define PAIRS       "ERR create_status takes an id and then pairs of field and value"

/* U is the user, M the message. */
static const script_case safe[] = {
    {"a message", "HSET U login bob posts 4", "create_status U M / 7 message hello uid 1", "$7",
     "M={id=7 login=bob message=hello uid=1} U={login=bob posts=5}"},
    {"the first message", "HSET U login bob", "create_status U M / 7 message hello", "$7",
     "M={id=7 login=bob message=hello} U={login=bob posts=1}"},
    {"a message without fields", "HSET U login bob", "create_status U M / 7", "$7",
     "M={id=7 login=bob} U={login=bob posts=1}"},
    {"no user", "", "create_status U M / 7 message hello", "_", ""},
    {"a user without a login", "HSET U name bob", "create_status U M / 7 message hello", "_",
     "U={name=bob}"},
    {"twice is once", "HSET U login bob",
     "create_status U M / 7 message hello; create_status U M / 7 message hello", "$7; $7",
     "M={id=7 login=bob message=hello} U={login=bob posts=1}"},
    {"twice is once, whatever was written since", "HSET U login bob",
     "create_status U M / 7 message hello; !HSET M message bye; !HSET U login al posts 9; "
     "create_status U M / 7 message hello",
     "$7; :0; :0; $7", "M={id=7 login=bob message=bye} U={login=al posts=9}"},
    {"twice is once, even when the user is gone", "HSET U login bob",
     "create_status U M / 7 message hello; !DEL U; create_status U M / 7 message hello",
     "$7; :1; $7", "M={id=7 login=bob message=hello}"},
    {"two messages", "HSET U login bob", "create_status U M / 7 a b; create_status U N / 8 a b",
     "$7; $8", "M={a=b id=7 login=bob} N={a=b id=8 login=bob} U={login=bob posts=2}"},
    {"id and login cannot be forged", "HSET U login bob",
     "create_status U M / 7 login eve id 9 message hello; create_status U M / 7", "$7; $7",
     "M={id=7 login=bob message=hello} U={login=bob posts=1}"},
    {"a field without a value", "HSET U login bob", "create_status U M / 7 message", "-" PAIRS,
     "U={login=bob}"},
    {"no id", "HSET U login bob", "create_status U M /", "-" PAIRS, "U={login=bob}"},
    {"another message at the key", "HSET U login bob; HSET M id 8", "create_status U M / 7 a b",
     "-" OTHER, "M={id=8} U={login=bob}"},
    {"something else at the key", "HSET U login bob; SET M x", "create_status U M / 7 a b",
     "-" WRONGTYPE, "M=x U={login=bob}"},
    {"a hash without an id at the key", "HSET U login bob; HSET M a b", "create_status U M / 7 a b",
     "-" OTHER, "M={a=b} U={login=bob}"},
    {"a user that is no hash", "SET U x", "create_status U M / 7 a b", "-" WRONGTYPE, "U=x"},
    {"a counter that is no number", "HSET U login bob posts many", "create_status U M / 7 a b",
     "-" NOT_COUNTED, "U={login=bob posts=many}"},
};

/* C counts the ids. */
static const script_case book[] = {
    {"a message", "HSET U login bob posts 4; SET C 6", "book/create_status U C / message hello",
     ":7", "C=7 U={login=bob posts=5} status:7={id=7 login=bob message=hello}"},
    {"the first message of all", "HSET U login bob", "book/create_status U C / message hello uid 1",
     ":1", "C=1 U={login=bob posts=1} status:1={id=1 login=bob message=hello uid=1}"},
    {"a message without fields", "HSET U login bob", "book/create_status U C /", ":1",
     "C=1 U={login=bob posts=1} status:1={id=1 login=bob}"},
    {"no user takes no id", "SET C 6", "book/create_status U C / message hello", "_", "C=6"},
    {"twice is twice", "HSET U login bob",
     "book/create_status U C / a b; book/create_status U C / a b", ":1; :2",
     "C=2 U={login=bob posts=2} status:1={a=b id=1 login=bob} status:2={a=b id=2 login=bob}"},
    {"fields of the caller win", "HSET U login bob",
     "book/create_status U C / login eve id 9 message hello", ":1",
     "C=1 U={login=bob posts=1} status:1={id=9 login=eve message=hello}"},
    {"a long id has all its digits", "HSET U login bob; SET C 123456789012344",
     "book/create_status U C / a b", ":123456789012345",
     "C=123456789012345 U={login=bob posts=1} "
     "status:123456789012345={a=b id=123456789012345 login=bob}"},
    {"a field without a value", "HSET U login bob", "book/create_status U C / message",
     "-ERR book/create_status takes pairs of field and value", "U={login=bob}"},
    {"a user that is no hash", "SET U x", "book/create_status U C / a b", "-" WRONGTYPE, "U=x"},
    {"a counter that is no number", "HSET U login bob; SET C x", "book/create_status U C / a b",
     "-ERR value is not an integer or out of range", "C=x U={login=bob}"},
};

static void create_status_posts_an_id_once(void **state)
{
    assert_cases(*state, safe, COUNT(safe));
}

static void the_books_create_status_posts_under_a_new_id(void **state)
{
    assert_cases(*state, book, COUNT(book));
}

/* More pairs than unpack can take in one go: some 8,000 values. */
static void assert_posts_many_fields(script_server *server, const char *name, size_t nids,
                                     const char *key)
{
    enum { PAIRS_MANY = 6001 };
    static char fields[PAIRS_MANY][16];
    size_t nwords = 2 + nids + 2 * PAIRS_MANY;
    evs_bytes *words = calloc(nwords, sizeof *words);
    assert_non_null(words);
    words[0] = evs_text("U");
    words[1] = evs_text("M");
    if (nids > 0)
        words[2] = evs_text("7");
    for (size_t i = 0; i < PAIRS_MANY; i++) {
        snprintf(fields[i], sizeof fields[i], "f%zu", i);
        words[2 + nids + 2 * i] = words[3 + nids + 2 * i] = evs_text(fields[i]);
    }
    script_server_fill(server, "HSET U login bob");
    redisReply *reply = script_eval(server, name, words, 2, nwords);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", name, reply->str);
    freeReplyObject(reply);

    reply = redisCommand(server->redis, "HLEN %s", key);
    assert_int_equal(reply->integer, PAIRS_MANY + 2);
    freeReplyObject(reply);
    reply = redisCommand(server->redis, "HMGET %s f0 f999 f1000 f6000", key);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(reply->element[i]->str,
                            ((const char *[]){"f0", "f999", "f1000", "f6000"})[i]);
    freeReplyObject(reply);
    free(words);
}

static void many_fields_are_fine(void **state)
{
    assert_posts_many_fields(*state, "create_status", 1, "M");
    assert_posts_many_fields(*state, "book/create_status", 0, "status:1");
}

static void fields_and_ids_are_bytes(void **state)
{
    script_server *server = *state;
    const evs_bytes id = {"\0\r\n\xff", 4}, field = {"f\0g", 3}, value = {"\0v", 2};
    const evs_bytes words[] = {evs_text("U"), evs_text("M"), id, field, value};
    script_server_fill(server, "HSET U login bob");
    for (int i = 0; i < 2; i++) {
        redisReply *reply = script_eval(server, "create_status", words, 2, 5);
        assert_int_equal(reply->type, REDIS_REPLY_STRING);
        assert_int_equal(reply->len, id.len);
        assert_memory_equal(reply->str, id.data, id.len);
        freeReplyObject(reply);
    }
    redisReply *reply = redisCommand(server->redis, "HGET M %b", field.data, field.len);
    assert_int_equal(reply->len, value.len);
    assert_memory_equal(reply->str, value.data, value.len);
    freeReplyObject(reply);
    reply = redisCommand(server->redis, "HGET U posts");
    assert_string_equal(reply->str, "1");
    freeReplyObject(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_status_posts_an_id_once),
        cmocka_unit_test(the_books_create_status_posts_under_a_new_id),
        cmocka_unit_test(many_fields_are_fine),
        cmocka_unit_test(fields_and_ids_are_bytes),
    };
    return cmocka_run_group_tests(tests, script_server_start, script_server_stop);
}
