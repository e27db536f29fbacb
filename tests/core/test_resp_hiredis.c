/*
 * The reply reader against the one of hiredis 0.14.
 *
 * Streams of random replies, and the same bytes damaged, go to both in random pieces. Both must
 * give the same replies, and both must see that the stream is lost, or neither. They differ in
 * these, and a difference is excused for no other reason:
 *
 *   LENIENT  hiredis refuses +1, 01 and -0 as a number; we take all [+-]digits.
 *   STRICT   hiredis skips two bytes behind a string, whatever they are; we want CRLF.
 *   SOONER   hiredis looks at a number when its CRLF is there; we refuse what cannot become one.
 *   RANGE    hiredis refuses 2^31 elements; we skip them as too big.
 *   DEPTH    hiredis loses the stream at the ninth level; we have a limit of our choice.
 *   RESP3    hiredis 0.14 knows none of its types.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/resp.h"

enum { DEEPEST = 7, ROUNDS = 4000, LIMIT = 1 << 20 };

static unsigned roll(uint64_t *random, unsigned sides)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*random >> 33) % sides;
}

static unsigned any_length(uint64_t *random)
{
    return roll(random, 8) == 0 ? roll(random, 3000) : roll(random, 24);
}

static void add_string(evs__buf *out, uint64_t *random)
{
    unsigned len = any_length(random);
    evs__buf_format(out, "$%u\r\n", len);
    while (len-- > 0)
        evs__buf_char(out, (char)roll(random, 256));
    evs__buf_text(out, "\r\n");
}

/* Lone CR and LF are part of the text, together they end it. */
static void add_line(evs__buf *out, uint64_t *random)
{
    static const char alphabet[] = "abc XYZ:$*\r\n";
    evs__buf_char(out, roll(random, 2) ? '+' : '-');
    for (unsigned len = any_length(random); len > 0; len--) {
        char c = alphabet[roll(random, sizeof alphabet - 1)];
        if (c != '\n' || out->data[out->len - 1] != '\r')
            evs__buf_char(out, c);
    }
    evs__buf_text(out, "\r\n");
}

static void add_number(evs__buf *out, uint64_t *random)
{
    static const long long edges[] = {0, 1, -1, 9, 10, INT64_MAX, INT64_MIN, 999999999999999999};
    long long n = (long long)roll(random, 1000000) - 500000;
    if (roll(random, 3) == 0)
        n = edges[roll(random, sizeof edges / sizeof *edges)];
    evs__buf_format(out, ":%lld\r\n", n);
}

static void add_reply(evs__buf *out, uint64_t *random, unsigned depth)
{
    unsigned kind = roll(random, depth == DEEPEST ? 5 : 8);
    if (kind < 2) {
        add_string(out, random);
        return;
    }
    if (kind == 2) {
        add_line(out, random);
        return;
    }
    if (kind == 3) {
        add_number(out, random);
        return;
    }
    if (kind == 4) {
        evs__buf_text(out, depth < DEEPEST && roll(random, 2) ? "*-1\r\n" : "$-1\r\n");
        return;
    }
    unsigned count = roll(random, 6);
    evs__buf_format(out, "*%u\r\n", count);
    for (unsigned i = 0; i < count; i++)
        add_reply(out, random, depth + 1);
}

static int same(const evs_reply *ours, const redisReply *theirs)
{
    static const int kinds[] = {
        [EVS_REPLY_NIL] = REDIS_REPLY_NIL,         [EVS_REPLY_STRING] = REDIS_REPLY_STRING,
        [EVS_REPLY_STATUS] = REDIS_REPLY_STATUS,   [EVS_REPLY_ERROR] = REDIS_REPLY_ERROR,
        [EVS_REPLY_INTEGER] = REDIS_REPLY_INTEGER, [EVS_REPLY_ARRAY] = REDIS_REPLY_ARRAY,
    };
    evs_reply_type kind = evs_reply_kind(ours);
    if (kinds[kind] != theirs->type)
        return 0;
    if (kind == EVS_REPLY_NIL)
        return 1;
    if (kind == EVS_REPLY_INTEGER)
        return evs_reply_integer(ours) == theirs->integer;
    if (kind != EVS_REPLY_ARRAY) {
        evs_bytes text = evs_reply_bytes(ours);
        return text.len == (size_t)theirs->len && memcmp(text.data, theirs->str, text.len) == 0 &&
               text.data[text.len] == '\0';
    }
    if (evs_reply_count(ours) != theirs->elements)
        return 0;
    for (size_t i = 0; i < theirs->elements; i++) {
        if (!same(evs_reply_at(ours, i), theirs->element[i]))
            return 0;
    }
    return 1;
}

typedef enum excuse { NONE, LENIENT, STRICT, SOONER, RANGE, DEPTH, RESP3, EXCUSES } excuse;

typedef struct tally {
    unsigned streams, replies, lost, excused[EXCUSES];
} tally;

/* Both readers on one stream. */
typedef struct pair {
    evs__arena arena;
    evs__resp *ours;
    redisReader *theirs;
    evs_bytes bytes;
    size_t at, their_at;
    uint64_t *random;
} pair;

static size_t piece(pair *p, size_t at)
{
    size_t left = p->bytes.len - at, n = 1 + roll(p->random, 700);
    return n < left ? n : left;
}

static evs__resp_got read_ours(pair *p, const evs_reply **out)
{
    evs__resp_got got = EVS__RESP_MORE;
    while (got == EVS__RESP_MORE && p->at < p->bytes.len) {
        size_t used, n = piece(p, p->at);
        char *exact = malloc(n);
        assert_non_null(exact);
        memcpy(exact, p->bytes.data + p->at, n);
        got = evs__resp_read(p->ours, exact, n, &used, out);
        free(exact);
        p->at += used;
    }
    return got;
}

/* NULL when there is no further reply; theirs->err tells whether the stream is lost. */
static redisReply *read_theirs(pair *p)
{
    void *reply = NULL;
    int result = redisReaderGetReply(p->theirs, &reply);
    while (result == REDIS_OK && reply == NULL && p->their_at < p->bytes.len) {
        size_t n = piece(p, p->their_at);
        redisReaderFeed(p->theirs, p->bytes.data + p->their_at, n);
        p->their_at += n;
        result = redisReaderGetReply(p->theirs, &reply);
    }
    return reply;
}

/* A type byte, then +, or a zero in front of something. */
static int has_lenient_number(evs_bytes bytes)
{
    for (size_t i = 0; i + 2 < bytes.len; i++) {
        const char *p = bytes.data + i;
        if (strchr(":$*", p[0]) == NULL || p[0] == '\0')
            continue;
        if (p[1] == '+' || (p[1] == '0' && p[2] != '\r') || (p[1] == '-' && p[2] == '0'))
            return 1;
    }
    return 0;
}

/* The quoted byte in: Protocol error, got "%" as reply type byte. */
static int is_resp3(const char *error)
{
    const char *quote = strchr(error, '"');
    return quote != NULL && quote[1] != '\0' && strchr("_#,(!=~%>|", quote[1]) != NULL;
}

static excuse excuse_for(const pair *p, evs__resp_got got, const redisReply *reply)
{
    const char *error = p->theirs->errstr, *problem = evs__resp_problem(p->ours);
    if (p->theirs->err && strstr(error, "depth") != NULL)
        return DEPTH;
    if (p->theirs->err && strstr(error, " as reply type byte") != NULL && is_resp3(error))
        return RESP3;
    if (p->theirs->err && got != EVS__RESP_BAD && strstr(error, "length out of range") != NULL)
        return RANGE;
    if (p->theirs->err && strncmp(error, "Bad ", 4) == 0 && has_lenient_number(p->bytes))
        return LENIENT;
    if (got == EVS__RESP_BAD && !p->theirs->err && strstr(problem, "CRLF behind") != NULL)
        return STRICT;
    if (got == EVS__RESP_BAD && reply == NULL && !p->theirs->err &&
        strstr(problem, " behind '") != NULL)
        return SOONER;
    return NONE;
}

/* One reply from both, or the end of both. 0 at the end. */
static int step(tally *t, pair *p)
{
    const evs_reply *ours = NULL;
    evs__resp_got got = read_ours(p, &ours);
    redisReply *theirs = read_theirs(p);
    int both = got == EVS__RESP_REPLY && theirs != NULL && same(ours, theirs);
    int neither = got == EVS__RESP_MORE && theirs == NULL && !p->theirs->err;
    int lost = got == EVS__RESP_BAD && p->theirs->err != 0;
    if (!both && !neither && !lost) {
        excuse why = excuse_for(p, got, theirs);
        if (why == NONE)
            print_error("ours %d %s, theirs %d %s\n", got, evs__resp_problem(p->ours),
                        p->theirs->err, p->theirs->errstr);
        assert_int_not_equal(why, NONE);
        t->excused[why]++;
    }
    t->replies += both ? 1 : 0;
    t->lost += lost ? 1 : 0;
    if (theirs != NULL)
        freeReplyObject(theirs);
    evs__arena_reset(&p->arena);
    return both;
}

static void compare(tally *t, evs_bytes bytes, uint64_t *random)
{
    pair p = {.arena = EVS__ARENA_INIT, .bytes = bytes, .random = random};
    p.ours = evs__resp_new(&p.arena, LIMIT, DEEPEST + 1);
    p.theirs = redisReaderCreate();
    assert_non_null(p.ours);
    assert_non_null(p.theirs);
    t->streams++;
    while (step(t, &p))
        ;
    redisReaderFree(p.theirs);
    evs__resp_free(p.ours);
    evs__arena_free(&p.arena);
}

static void make_stream(evs__buf *out, uint64_t *random)
{
    unsigned count = 1 + roll(random, 5);
    evs__buf_clear(out);
    for (unsigned i = 0; i < count; i++)
        add_reply(out, random, 0);
    assert_true(evs__buf_ok(out));
}

static void replies_are_those_of_hiredis(void **state)
{
    (void)state;
    tally t = {0};
    uint64_t random = 1;
    evs__buf stream = EVS__BUF_INIT;
    for (unsigned i = 0; i < ROUNDS; i++) {
        make_stream(&stream, &random);
        compare(&t, (evs_bytes){stream.data, stream.len}, &random);
    }
    print_message("%u streams, %u replies\n", t.streams, t.replies);
    assert_true(t.replies > 2 * ROUNDS);
    assert_int_equal(t.lost, 0);
    for (unsigned i = 0; i < EXCUSES; i++)
        assert_int_equal(t.excused[i], 0);
    evs__buf_free(&stream);
}

/* Changes, removes or inserts a byte, most often one that means something. */
static void damage(evs__buf *stream, uint64_t *random)
{
    static const char telling[] = "\r\n:$*+-0123456789";
    size_t at = roll(random, (unsigned)stream->len);
    char byte = telling[roll(random, sizeof telling - 1)];
    if (roll(random, 4) == 0)
        byte = (char)roll(random, 256);
    switch (roll(random, 3)) {
    case 0:
        stream->data[at] = byte;
        break;
    case 1:
        memmove(stream->data + at, stream->data + at + 1, stream->len - at);
        stream->len--;
        break;
    default:
        evs__buf_char(stream, '\0');
        memmove(stream->data + at + 1, stream->data + at, stream->len - at - 1);
        stream->data[at] = byte;
    }
}

/* hiredis allocates for every element that is announced. */
static int announces_too_much(const evs__buf *stream)
{
    for (size_t i = 0; i + 1 < stream->len; i++) {
        if (stream->data[i] == '*' && strspn(stream->data + i + 1, "0123456789") > 6)
            return 1;
    }
    return 0;
}

static void damaged_bytes_are_refused_by_both_or_neither(void **state)
{
    (void)state;
    tally t = {0};
    uint64_t random = 2;
    evs__buf stream = EVS__BUF_INIT;
    while (t.streams < 10 * ROUNDS) {
        make_stream(&stream, &random);
        for (unsigned n = 1 + roll(&random, 3); n > 0 && stream.len > 1; n--)
            damage(&stream, &random);
        if (!announces_too_much(&stream))
            compare(&t, (evs_bytes){stream.data, stream.len}, &random);
    }
    print_message("%u streams, %u replies, %u lost to both; lenient %u, strict %u, sooner %u, "
                  "range %u, depth %u, RESP3 %u\n",
                  t.streams, t.replies, t.lost, t.excused[LENIENT], t.excused[STRICT],
                  t.excused[SOONER], t.excused[RANGE], t.excused[DEPTH], t.excused[RESP3]);
    assert_true(t.lost > ROUNDS);
    evs__buf_free(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_those_of_hiredis),
        cmocka_unit_test(damaged_bytes_are_refused_by_both_or_neither),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
