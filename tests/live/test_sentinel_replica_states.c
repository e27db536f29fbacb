/*
 * Replicas that real sentinels know and that cannot serve for a while: they load their data, or are
 * busy with a script. Reads go to the other replica; where there is none, the rule decides.
 */
#include "tests/support/followed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { READS = 10, PATIENCE_MS = 600000 };

/* Sentinels end scripts of servers that they take for down, and primaries leave replicas that say
 * nothing while they load. */
static void settle(void)
{
    followed_settle();
    for (size_t i = 0; i < WATCHED_SENTINELS; i++)
        watched_tell_sentinel(&followed.set, i,
                              "SENTINEL SET ledger-1 down-after-milliseconds 3600000");
    for (size_t i = 0; i < WATCHED_SERVERS; i++)
        watched_number(&followed.set, i, "CONFIG SET repl-timeout 3600");
}

static evs_client *open_warm(const char *rule)
{
    evs_client *client = followed_open(rule, NULL);
    for (int i = 0; i < 4; i++)
        reading_read(client, "get", reading_key(i));
    return client;
}

/* ---- what makes them so ---- */

/* Sends a command of which nobody awaits the answer yet. */
static redisContext *begin(size_t server, const char *command, const char *script)
{
    redisContext *link = redisConnectUnix(scratch_socket(followed.set.servers[server]));
    assert_true(link != NULL && link->err == 0);
    redisAppendCommand(link, command, script);
    for (int done = 0; !done;)
        assert_int_equal(redisBufferWrite(link, &done), REDIS_OK);
    return link;
}

static int says(size_t server, const char *word)
{
    redisReply *reply = redisCommand(followed.set.links[server], "PING");
    assert_non_null(reply);
    int found = reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, word, strlen(word)) == 0;
    freeReplyObject(reply);
    return found;
}

/* Reads its data again, key by key and slowly, for four minutes if it is not told to hurry. */
static redisContext *start_loading(size_t server)
{
    static const char *const orders[] = {"CONFIG SET rdbcompression no",
                                         "CONFIG SET loading-process-events-interval-bytes 1024",
                                         "CONFIG SET key-load-delay 50000"};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        watched_number(&followed.set, server, orders[i]);
    watched_number(&followed.set, server, "DEBUG POPULATE 5000 filler 2048");
    redisContext *link = begin(server, "DEBUG RELOAD", NULL);
    while (!says(server, "LOADING"))
        ;
    return link;
}

static void finish_loading(size_t server, redisContext *link)
{
    redisReply *reply = NULL;
    watched_number(&followed.set, server, "CONFIG SET key-load-delay 0");
    assert_int_equal(redisGetReply(link, (void **)&reply), REDIS_OK);
    assert_int_equal(reply->type, REDIS_REPLY_STATUS);
    freeReplyObject(reply);
    redisFree(link);
}

static redisContext *start_script(size_t server)
{
    watched_number(&followed.set, server, "CONFIG SET busy-reply-threshold 1");
    redisContext *link = begin(server, "EVAL_RO %s 0", "while true do end");
    while (!says(server, "BUSY"))
        ;
    return link;
}

static void finish_script(size_t server, redisContext *link)
{
    watched_number(&followed.set, server, "SCRIPT KILL");
    redisReply *reply = NULL;
    assert_int_equal(redisGetReply(link, (void **)&reply), REDIS_OK);
    assert_int_equal(reply->type, REDIS_REPLY_ERROR);
    freeReplyObject(reply);
    redisFree(link);
    watched_number(&followed.set, server, "CONFIG SET busy-reply-threshold 5000");
}

typedef struct trouble {
    const char *word; /* of its errors */
    redisContext *(*start)(size_t server);
    void (*finish)(size_t server, redisContext *link);
} trouble;

static const trouble loads = {"LOADING", start_loading, finish_loading};
static const trouble is_busy = {"BUSY", start_script, finish_script};

/* ---- reads meanwhile ---- */

/* All of them, by whichever server that is then. */
static void read_from(evs_client *client, size_t server)
{
    watched_number(&followed.set, server, "CONFIG RESETSTAT");
    for (int i = 0; i < READS; i++)
        reading_read(client, "get", reading_key(i));
    assert_int_equal(followed_ran(server, "evalsha_ro"), READS);
}

/* How often it said so instead of reading. */
static long refused(size_t server)
{
    static const char line[] = "cmdstat_evalsha_ro:", word[] = "rejected_calls=";
    redisReply *reply = redisCommand(followed.set.links[server], "INFO commandstats");
    assert_non_null(reply);
    const char *at = strstr(reply->str, line);
    at = at == NULL ? NULL : strstr(at, word);
    long count = at == NULL ? 0 : strtol(at + sizeof word - 1, NULL, 10);
    freeReplyObject(reply);
    return count;
}

static void note_read(void *arg, const evs_result *result)
{
    if (result->status != EVS_OK)
        fail_msg("%s", result->error->message);
    ++*(int *)arg;
}

static void begin_read(evs_client *client, int *done)
{
    evs_error err;
    evs_bytes key = evs_text(reading_key(0));
    evs_invocation one = {.script = "get", .keys = &key, .nkeys = 1, .timeout_ms = PATIENCE_MS};
    if (evs_submit(client, &one, note_read, done, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void read_until_used(evs_client *client, size_t server)
{
    for (int i = 0; followed_ran(server, "evalsha_ro") == 0; i++)
        reading_read(client, "get", reading_key(i % FOLLOWED_KEYS));
}

static void the_other_one_is_read_from(const trouble *what)
{
    settle();
    size_t troubled = followed.replicas[0], other = followed.replicas[1];
    evs_client *prefers = open_warm("prefer_replica\n    retry_after: 10m");
    evs_client *bound = open_warm("replica\n    retry_after: 10ms");
    redisContext *link = what->start(troubled);
    watched_number(&followed.set, followed.primary, "CONFIG RESETSTAT");
    read_from(prefers, other);
    read_from(bound, other);
    evs_client *late = followed_open("replica\n    retry_after: 10ms", NULL);
    read_from(late, other);
    assert_int_equal(followed_ran(followed.primary, "evalsha_ro"), 0);
    assert_true(says(troubled, what->word)); /* still */

    what->finish(troubled, link);
    assert_true(refused(troubled) >= 2); /* each client that knew it has asked it */
    watched_number(&followed.set, troubled, "CONFIG RESETSTAT");
    read_until_used(bound, troubled);
    watched_number(&followed.set, troubled, "CONFIG RESETSTAT");
    read_until_used(late, troubled);
    assert_int_equal(followed_ran(followed.primary, "evalsha_ro"), 0);
    evs_client_free(prefers);
    evs_client_free(bound);
    evs_client_free(late);
}

static void the_rule_decides_without_another(const trouble *what)
{
    int done = 0;
    redisContext *links[2];
    settle();
    evs_client *prefers = open_warm("prefer_replica\n    retry_after: 10m");
    evs_client *bound = open_warm("replica\n    retry_after: 10ms");
    for (size_t i = 0; i < 2; i++)
        links[i] = what->start(followed.replicas[i]);
    read_from(prefers, followed.primary);
    begin_read(bound, &done);
    for (int i = 0; i < 50; i++)
        assert_int_equal(evs_client_process(bound, 10, NULL), EVS_OK);
    assert_int_equal(done, 0);
    assert_true(says(followed.replicas[1], what->word)); /* still */
    what->finish(followed.replicas[1], links[1]);
    while (done == 0)
        assert_int_equal(evs_client_process(bound, 1000, NULL), EVS_OK);
    assert_int_equal(followed_ran(followed.primary, "evalsha_ro"), READS);
    what->finish(followed.replicas[0], links[0]);
    evs_client_free(prefers);
    evs_client_free(bound);
}

static void a_replica_that_loads_its_data_is_left_for_the_other(void **state)
{
    (void)state;
    the_other_one_is_read_from(&loads);
}

static void while_all_load_the_rule_decides(void **state)
{
    (void)state;
    the_rule_decides_without_another(&loads);
}

static void a_busy_replica_is_left_for_the_other(void **state)
{
    (void)state;
    the_other_one_is_read_from(&is_busy);
}

static void while_all_are_busy_the_rule_decides(void **state)
{
    (void)state;
    the_rule_decides_without_another(&is_busy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_that_loads_its_data_is_left_for_the_other),
        cmocka_unit_test(while_all_load_the_rule_decides),
        cmocka_unit_test(a_busy_replica_is_left_for_the_other),
        cmocka_unit_test(while_all_are_busy_the_rule_decides),
    };
    followed_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    followed_stop();
    return failed;
}
