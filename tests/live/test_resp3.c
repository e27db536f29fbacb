/*
 * Every type of reply that a real server can say, and what it says without being asked: pushes. The
 * server's DEBUG PROTOCOL shows them all, CLIENT TRACKING makes it push; a client refuses both on a
 * connection that calls share, so this server has them under other names.
 *
 * The connections lead through a proxy, which counts what came, and can send it byte by byte.
 */
#include "core/mem.h"
#include "tests/support/shards.h"
#include "tests/support/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <sched.h>

enum { TIMEOUT_MS = 60000, AROUND = 8, COUNTS = 50, MANY = 3000 };

static shards set;

static int start(void **state)
{
    static const char *const config[] = {"--enable-debug-command",
                                         "yes",
                                         "--rename-command",
                                         "DEBUG",
                                         "SHOW",
                                         "--rename-command",
                                         "CLIENT",
                                         "TALK"};
    scratch_options how = {SCRATCH_UNIX, config, sizeof config / sizeof config[0]};
    (void)state;
    if (scratch_new(&set.area) != SCRATCH_OK ||
        scratch_start(&set.servers[0], set.area, "s0", &how) != SCRATCH_OK)
        return -1;
    set.wire = proxy_start(scratch_address(set.servers[0]));
    const char *address = proxy_address(set.wire);
    shards_open(&set, &address, 1, NULL);
    shards_script(&set, "echo", "return ARGV[1]");
    shards_script(&set, "count", "redis.call('GET', KEYS[1]) return redis.call('INCR', KEYS[1])");
    shards_script(&set, "look", "for i = 1, #KEYS do redis.call('GET', KEYS[i]) end");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    shards_stop(&set);
    return 0;
}

/* ---- clients and calls ---- */

static evs_client *open_client(unsigned protocol, int threaded)
{
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.protocol = protocol;
    options.threaded = threaded;
    return shards_client(&set, &options);
}

static void close_client(evs_client *client)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.connects, 1);
    evs_client_free(client);
    proxy_settle(set.wire); /* the server knows that it is gone */
}

static evs_reply *command(evs_client *client, const char *first, const char *second,
                          const char *third)
{
    evs_reply *reply = NULL;
    evs_error err = {0};
    evs_bytes words[] = {evs_text(first), evs_text(second), evs_text(third)};
    evs_plain_command cmd = {.args = words, .nargs = 3, .shard = "s0", .timeout_ms = TIMEOUT_MS};
    if (evs_command(&reply, client, &cmd, &err) != EVS_OK)
        fail_msg("%s %s %s: %s", first, second, third, err.message);
    return reply;
}

static evs_reply *call(evs_client *client, const char *script, const char *word)
{
    evs_reply *reply = NULL;
    evs_error err = {0};
    evs_bytes key = evs_text("k"), arg = evs_text(word);
    evs_invocation one = {.script = script,
                          .keys = &key,
                          .nkeys = 1,
                          .args = &arg,
                          .nargs = 1,
                          .timeout_ms = TIMEOUT_MS};
    if (evs_call(&reply, client, &one, &err) != EVS_OK)
        fail_msg("%s: %s", script, err.message);
    return reply;
}

static void gives_its_own(evs_client *client, const char *word)
{
    evs_reply *reply = call(client, "echo", word);
    assert_string_equal(evs_reply_bytes(reply).data, word);
    evs_reply_free(reply);
}

/* ---- types ---- */

#define PUSHED_REPLY "\"Some real reply following the push reply\""
#define NAMED_REPLY  "\"Some real reply following the attribute\""
#define BIG          "1234567999999999999999999999999999999"

static const struct type {
    const char *word, *resp2, *resp3;
} types[] = {
    {"string", "\"Hello World\"", "\"Hello World\""},
    {"integer", "12345", "12345"},
    {"double", "\"3.141\"", ",3.141"},
    {"null", "nil", "nil"},
    {"array", "[0 1 2]", "[0 1 2]"},
    {"set", "[0 1 2]", "<0 1 2>"},
    {"map", "[0 0 1 1 2 0]", "{0 false 1 true 2 false}"},
    {"attrib", NAMED_REPLY, NAMED_REPLY},
    {"push", "-ERR RESP2 is not supported by this command", PUSHED_REPLY},
    {"verbatim", "\"This is a verbatim\\nstring\"", "txt:\"This is a verbatim\\nstring\""},
    {"true", "1", "true"},
    {"false", "0", "false"},
    {"bignum", "\"" BIG "\"", "(" BIG},
};
enum { TYPES = sizeof types / sizeof types[0] };

static void expect_type(evs_client *client, const struct type *type, unsigned protocol)
{
    evs__buf text = EVS__BUF_INIT;
    evs_reply *reply = command(client, "SHOW", "PROTOCOL", type->word);
    stream_show(&text, reply);
    char *shown = evs__buf_take(&text);
    if (strcmp(shown, protocol == 3 ? type->resp3 : type->resp2) != 0)
        fail_msg("%s over RESP%u: %s", type->word, protocol, shown);
    evs__free(shown);
    evs_reply_free(reply);
}

static void each_type_arrives_and_the_next_reply_is_right(void **state)
{
    (void)state;
    for (int threaded = 0; threaded <= 1; threaded++)
        for (unsigned protocol = 2; protocol <= 3; protocol++) {
            evs_client *client = open_client(protocol, threaded);
            for (size_t i = 0; i < TYPES; i++) {
                expect_type(client, &types[i], protocol);
                gives_its_own(client, types[i].word);
            }
            close_client(client);
        }
}

static void one_program_reads_both_protocols(void **state)
{
    (void)state;
    for (unsigned protocol = 2; protocol <= 3; protocol++) {
        int yes;
        int64_t whole;
        double number;
        evs_bytes text;
        evs_client *client = open_client(protocol, 0);
        evs_reply *reply = command(client, "SHOW", "PROTOCOL", "double");
        assert_int_equal(evs_reply_double(&number, reply, NULL), EVS_OK);
        assert_true(number > 3.1409 && number < 3.1411);
        evs_reply_free(reply);
        reply = command(client, "SHOW", "PROTOCOL", "bignum");
        assert_int_equal(evs_reply_int(&whole, reply, NULL), EVS_E_INVALID);
        assert_int_equal(evs_reply_str(&text, reply, NULL), EVS_OK);
        assert_string_equal(text.data, BIG);
        evs_reply_free(reply);
        reply = command(client, "SHOW", "PROTOCOL", "verbatim");
        assert_int_equal(evs_reply_str(&text, reply, NULL), EVS_OK);
        assert_string_equal(text.data, "This is a verbatim\nstring");
        evs_reply_free(reply);
        reply = command(client, "SHOW", "PROTOCOL", "map");
        const evs_reply *value = evs_reply_map_get(reply, evs_text("1"));
        assert_int_equal(evs_reply_bool(&yes, value, NULL), EVS_OK);
        assert_int_equal(yes, 1);
        evs_reply_free(reply);
        close_client(client);
    }
}

/* ---- among calls ---- */

/* A call that gives its own word back; when it is done, the next one is submitted. */
typedef struct own {
    evs_client *client;
    char word[16];
    int done, right;
    struct own *behind; /* NULL: none */
} own;

static void submit(own *self);

static void finished(void *arg, const evs_result *result)
{
    own *self = arg;
    evs_bytes text = evs_reply_bytes(result->reply);
    self->done++;
    self->right = result->status == EVS_OK && text.len == strlen(self->word) &&
                  memcmp(text.data, self->word, text.len) == 0;
    if (self->behind != NULL)
        submit(self->behind);
}

static void submit(own *self)
{
    evs_bytes key = evs_text("k"), arg = evs_text(self->word);
    evs_invocation one = {.script = "echo",
                          .keys = &key,
                          .nkeys = 1,
                          .args = &arg,
                          .nargs = 1,
                          .timeout_ms = TIMEOUT_MS};
    assert_int_equal(evs_submit(self->client, &one, finished, self, NULL), EVS_OK);
}

/* Calls in front of the command leave with it, and others come behind it before it is answered. */
static void expect_type_among_calls(evs_client *client, const struct type *type, unsigned protocol)
{
    own all[2 * AROUND] = {{0}};
    for (size_t i = 0; i < 2 * AROUND; i++) {
        all[i].client = client;
        snprintf(all[i].word, sizeof all[i].word, "%s-%zu", type->word, i);
        all[i].behind = i < AROUND ? &all[i + AROUND] : NULL;
    }
    for (size_t i = 0; i < AROUND; i++)
        submit(&all[i]);
    expect_type(client, type, protocol);
    for (size_t i = 0; i < 2 * AROUND; i++) {
        while (!all[i].done)
            evs_client_process(client, -1, NULL);
        if (!all[i].right || all[i].done != 1)
            fail_msg("call %s over RESP%u", all[i].word, protocol);
    }
}

static void each_type_arrives_among_calls(void **state)
{
    (void)state;
    for (int drips = 0; drips <= 1; drips++)
        for (unsigned protocol = 2; protocol <= 3; protocol++) {
            evs_client *client = open_client(protocol, 0);
            gives_its_own(client, "first");
            proxy_fault drip = {.what = PROXY_DRIP, .way = PROXY_DOWN, .at_once = 1};
            drip.at = proxy_forwarded(set.wire, PROXY_DOWN);
            if (drips) {
                proxy_harm(set.wire, &drip);
                proxy_await(set.wire);
            }
            for (size_t i = 0; i < TYPES; i++)
                expect_type_among_calls(client, &types[i], protocol);
            close_client(client);
        }
}

/* ---- what nobody asked for ---- */

static void track(evs_client *client)
{
    evs_reply *reply = command(client, "TALK", "TRACKING", "ON");
    assert_string_equal(evs_reply_bytes(reply).data, "OK");
    evs_reply_free(reply);
    assert_int_equal(shards_info(&set, 0, "clients", "tracking_clients:"), 1);
}

typedef struct counted {
    int64_t wanted;
    int done, right;
} counted;

static void note_count(void *arg, const evs_result *result)
{
    counted *self = arg;
    self->right = result->status == EVS_OK && evs_reply_kind(result->reply) == EVS_REPLY_INTEGER &&
                  evs_reply_integer(result->reply) == self->wanted;
    __atomic_store_n(&self->done, self->done + 1, __ATOMIC_RELEASE);
}

/* Each call reads the key and changes it: the server, when it tracks, pushes behind each reply.
 * Says how many bytes came. */
static size_t count_up(evs_client *client, int threaded)
{
    counted all[COUNTS] = {{0}};
    evs_bytes key = evs_text("n");
    evs_invocation one = {.script = "count", .keys = &key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    size_t before = proxy_forwarded(set.wire, PROXY_DOWN);
    shards_do(&set, 0, "SET n 0");
    for (size_t i = 0; i < COUNTS; i++) {
        all[i].wanted = (int64_t)i + 1;
        assert_int_equal(evs_submit(client, &one, note_count, &all[i], NULL), EVS_OK);
    }
    for (size_t i = 0; i < COUNTS; i++) {
        while (!__atomic_load_n(&all[i].done, __ATOMIC_ACQUIRE))
            threaded ? (void)sched_yield() : (void)evs_client_process(client, -1, NULL);
        assert_int_equal(all[i].done, 1);
        assert_int_equal(all[i].right, 1);
    }
    gives_its_own(client, "behind"); /* and behind the last push */
    return proxy_forwarded(set.wire, PROXY_DOWN) - before;
}

static void await_bytes(size_t from, size_t count)
{
    while (proxy_forwarded(set.wire, PROXY_DOWN) < from + count)
        sched_yield();
}

/* The server tracks the keys that are passed. */
static void look(evs_client *client, size_t nkeys)
{
    static char names[MANY][24];
    static evs_bytes keys[MANY];
    evs_error err = {0};
    evs_reply *reply = NULL;
    for (size_t i = 0; i < nkeys; i++) {
        snprintf(names[i], sizeof names[i], "k%zu", i + 1);
        keys[i] = evs_text(names[i]);
    }
    evs_invocation one = {.script = "look", .keys = keys, .nkeys = nkeys, .timeout_ms = TIMEOUT_MS};
    if (evs_call(&reply, client, &one, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_reply_free(reply);
}

/* Others write what the client has read, while it does nothing; its next call is right. */
static void be_told_while_idle(evs_client *client, const char *word, size_t keys, const char *write)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", keys);
    look(client, keys);
    size_t before = proxy_forwarded(set.wire, PROXY_DOWN);
    redisReply *reply = redisCommand(shards_side(&set), "EVAL %s 0 %s", write, text);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
    await_bytes(before, keys * strlen(">2\r\n$10\r\ninvalidate\r\n"));
    gives_its_own(client, word);
}

static void invalidations_disturb_nobody(void **state)
{
    (void)state;
    for (int threaded = 0; threaded <= 1; threaded++) {
        evs_client *plain = open_client(3, threaded);
        gives_its_own(plain, "first");
        size_t quiet = count_up(plain, threaded);
        close_client(plain);
        evs_client *client = open_client(3, threaded);
        gives_its_own(client, "first");
        track(client);
        size_t told = count_up(client, threaded);
        assert_true(told > quiet + COUNTS * strlen(">2\r\n$10\r\ninvalidate\r\n"));
        be_told_while_idle(client, "one", 1, "redis.call('SET', 'k1', 'x')");
        be_told_while_idle(client, "all", 1, "redis.call('FLUSHALL')"); /* pushes a nil */
        be_told_while_idle(client, "many", MANY,
                           "for i = 1, ARGV[1] do redis.call('SET', 'k' .. i, i) end");
        close_client(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_arrives_and_the_next_reply_is_right),
        cmocka_unit_test(one_program_reads_both_protocols),
        cmocka_unit_test(each_type_arrives_among_calls),
        cmocka_unit_test(invalidations_disturb_nobody),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
