/*
 * Sentinels and shards that say what they are told to: who is believed, what is asked how often,
 * and what becomes of calls meanwhile.
 */
#include "tests/support/fake_sentinel.h"
#include "tests/support/fake_shard.h"

#include <evalshard/evalshard.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_SENTINELS = 3 };

#define PRIMARY "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
#define REPLICA "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$9\r\nconnected\r\n:0\r\n"

/* CLIENT SETNAME and ROLE come in one write. */
#define GREET_AS(role) FAKE_ACCEPT, FAKE_COMMANDS(2), FAKE_SAY("+OK\r\n" role)

#define CUT_OFF "*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:1\r\n$7\r\nconnect\r\n:0\r\n"

/* SCRIPT LOAD and EVALSHA, whose own answer decides; which then makes the script known. */
#define FIRST_CALL(answer) FAKE_COMMANDS(2), FAKE_SAY("-ERR no\r\n" answer)

#define GET_AS_REPLICA(answer) GREET_AS(REPLICA), FIRST_CALL(answer)

static const fake_step nothing[] = {FAKE_DRAIN};

typedef struct world {
    fake_sentinel *sentinels[MOST_SENTINELS];
    size_t count;
    evs_registry *registry;
    evs_client *client;
    char log[8192];
} world;

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";

static const char GET[] = "--- Reads.\n-- @key k a counter\n-- @retry read_only\n"
                          "return redis.call('GET', KEYS[1])";

static void keep_log(void *arg, const evs_log_event *event)
{
    world *w = arg;
    size_t len = strlen(w->log);
    snprintf(w->log + len, sizeof w->log - len, "%s: %s\n", event->shard, event->message);
}

static void start(world *w, size_t count)
{
    memset(w, 0, sizeof *w);
    w->count = count;
    for (size_t i = 0; i < count; i++)
        w->sentinels[i] = fake_sentinel_start();
}

/* `more` are keys of the group, each behind a comma; `rest` is what follows in the map. */
static void open_map(world *w, const char *more, const char *rest)
{
    char yaml[2048], addresses[200] = "";
    evs_error err;
    evs_shardmap *map = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    for (size_t i = 0; i < w->count; i++) {
        size_t len = strlen(addresses);
        snprintf(addresses + len, sizeof addresses - len, "%s\"127.0.0.1:%d\"", i > 0 ? ", " : "",
                 fake_sentinel_port(w->sentinels[i]));
    }
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 5s, command_timeout: 60s}\n"
                       "sentinels: {eu: {addresses: [%s]%s}}\n%s\n",
                       addresses, more, rest);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    options.log = keep_log;
    options.log_arg = w;
    assert_int_equal(evs_registry_new(&w->registry, NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(w->registry, "add", evs_text(ADD), NULL, &err), EVS_OK);
    assert_int_equal(evs_script_load(w->registry, "get", evs_text(GET), NULL, &err), EVS_OK);
    assert_int_equal(evs_client_open(&w->client, map, w->registry, &options, &err), EVS_OK);
    evs_shardmap_free(map);
}

/* `shards` are entries of that mapping. */
static void open_client(world *w, const char *more, const char *shards)
{
    char rest[512];
    snprintf(rest, sizeof rest, "shards: {%s}", shards);
    open_map(w, more, rest);
}

#define ONE "a: {sentinel: eu, master_name: m}"

static void stop(world *w)
{
    evs_client_free(w->client);
    evs_registry_free(w->registry);
    for (size_t i = 0; i < w->count; i++)
        fake_sentinel_stop(w->sentinels[i]);
}

static int port_of(const fake_shard *fake)
{
    return fake_shard_login(fake)->endpoint.port;
}

static evs_client_stats stats_of(const world *w)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, w->client);
    return stats;
}

typedef struct ending {
    int done;
    evs_status status;
    evs_outcome outcome;
    int64_t number;
    char message[1024];
} ending;

static void ended(void *arg, const evs_result *result)
{
    ending *end = arg;
    end->done++;
    end->status = result->status;
    end->outcome = result->outcome;
    end->number = evs_reply_integer(result->reply);
    snprintf(end->message, sizeof end->message, "%s",
             result->error == NULL ? "" : result->error->message);
}

static void submit_script(world *w, const char *script, const char *text, ending *end)
{
    evs_error err;
    evs_bytes key = evs_text(text);
    evs_invocation one = {.script = script, .keys = &key, .nkeys = 1};
    *end = (ending){0};
    if (evs_submit(w->client, &one, ended, end, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void submit(world *w, const char *text, ending *end)
{
    submit_script(w, "add", text, end);
}

static void await(world *w, const ending *end)
{
    while (!end->done)
        assert_int_equal(evs_client_process(w->client, 100, NULL), EVS_OK);
}

static void call_script(world *w, const char *script, int64_t expected)
{
    ending end;
    submit_script(w, script, "k", &end);
    await(w, &end);
    if (end.status != EVS_OK)
        fail_msg("%s", end.message);
    assert_int_equal(end.number, expected);
}

static void call(world *w, int64_t expected)
{
    call_script(w, "add", expected);
}

/* ---- whom to believe ---- */

static void a_replica_gets_no_calls(void **state)
{
    (void)state;
    world w;
    ending end;
    const fake_step old[] = {GREET_AS(REPLICA), FAKE_EOF, FAKE_CLOSE, FAKE_DEAF};
    const fake_step new_one[] = {GREET_AS(PRIMARY), FIRST_CALL(":7\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, old), *b = FAKE_START(FAKE_TCP, new_one);
    start(&w, 1);
    fake_sentinel_know(w.sentinels[0], "m", port_of(a), 1);
    open_client(&w, "", ONE);
    submit(&w, "k", &end);
    while (fake_shard_done(a) < 4)
        assert_int_equal(evs_client_process(w.client, 10, NULL), EVS_OK);
    fake_sentinel_know(w.sentinels[0], "m", port_of(b), 2);
    await(&w, &end);
    if (end.status != EVS_OK)
        fail_msg("%s", end.message);
    assert_int_equal(end.number, 7);
    assert_non_null(strstr(w.log, "it is a replica, not the primary"));
    assert_int_equal(stats_of(&w).switches, 1);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

static void the_newest_failover_counts(void **state)
{
    (void)state;
    world w;
    const fake_step steps[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n")};
    fake_shard *b = FAKE_START(FAKE_TCP, steps);
    start(&w, 3);
    fake_sentinel_know(w.sentinels[0], "m", 1, 4); /* nobody is there */
    fake_sentinel_know(w.sentinels[1], "m", port_of(b), 5);
    fake_sentinel_know(w.sentinels[2], "m", 1, 4);
    open_client(&w, "", ONE);
    call(&w, 1);
    stop(&w);
    fake_shard_stop(b);
}

/* Each round names a primary that refuses connections: rounds get rarer, they are not 25 ms apart.
 */
static void a_dead_primary_is_asked_for_less_and_less_often(void **state)
{
    (void)state;
    world w;
    ending end;
    start(&w, 1);
    fake_sentinel_know(w.sentinels[0], "m", 1, 4); /* nobody is there */
    open_client(&w, "", ONE);
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1, .timeout_ms = 2000};
    end = (ending){0};
    assert_int_equal(evs_submit(w.client, &one, ended, &end, NULL), EVS_OK);
    await(&w, &end);
    assert_int_equal(end.status, EVS_E_CONNECT);
    assert_int_equal(end.outcome, EVS_NOT_EXECUTED);
    assert_in_range(fake_sentinel_asked(w.sentinels[0]), 2, 16);
    stop(&w);
}

static void one_is_not_believed_where_two_have_to_agree(void **state)
{
    (void)state;
    world w;
    ending end;
    const fake_step steps[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n")};
    fake_shard *b = FAKE_START(FAKE_TCP, steps);
    start(&w, 2);
    fake_sentinel_know(w.sentinels[0], "m", port_of(b), 9);
    fake_sentinel_know(w.sentinels[1], "m", 1, 1);
    open_client(&w, ", quorum_reads: 2", ONE);
    submit(&w, "k", &end);
    while (strstr(w.log, "(2 have to agree)") == NULL)
        assert_int_equal(evs_client_process(w.client, 10, NULL), EVS_OK);
    assert_false(end.done);
    fake_sentinel_know(w.sentinels[1], "m", port_of(b), 9);
    await(&w, &end);
    assert_int_equal(end.status, EVS_OK);
    stop(&w);
    fake_shard_stop(b);
}

static void a_name_that_nobody_knows_is_said_at_once(void **state)
{
    (void)state;
    world w;
    ending end;
    start(&w, 2);
    open_client(&w, "", ONE);
    submit(&w, "k", &end);
    await(&w, &end);
    assert_int_equal(end.status, EVS_E_CONFIG);
    assert_int_equal(end.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(end.message, "no primary of that name is watched"));
    stop(&w);
}

static void who_may_not_ask_for_roles_is_told(void **state)
{
    (void)state;
    world w;
    ending end;
    const fake_step steps[] = {GREET_AS("-NOPERM this user has no permissions\r\n"), FAKE_EOF};
    fake_shard *a = FAKE_START(FAKE_TCP, steps);
    start(&w, 1);
    fake_sentinel_know(w.sentinels[0], "m", port_of(a), 1);
    open_client(&w, "", ONE);
    submit(&w, "k", &end);
    await(&w, &end);
    assert_int_equal(end.status, EVS_E_DENIED);
    assert_int_equal(end.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(end.message, "+role"));
    stop(&w);
    fake_shard_stop(a);
}

/* ---- switches ---- */

static void await_subscribers(world *w)
{
    for (size_t i = 0; i < w->count; i++)
        while (fake_sentinel_subscribers(w->sentinels[i]) == 0)
            assert_int_equal(evs_client_process(w->client, 0, NULL), EVS_OK);
}

static void a_switch_ends_connections_to_the_old_primary(void **state)
{
    (void)state;
    world w;
    ending end;
    const fake_step old[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n"), FAKE_COMMANDS(1), FAKE_EOF};
    const fake_step new_one[] = {GREET_AS(PRIMARY), FIRST_CALL(":2\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, old), *b = FAKE_START(FAKE_TCP, new_one);
    start(&w, 3);
    for (size_t i = 0; i < 3; i++)
        fake_sentinel_know(w.sentinels[i], "m", port_of(a), 1);
    open_client(&w, "", ONE);
    call(&w, 1);
    await_subscribers(&w);
    submit(&w, "k", &end); /* is never answered */
    while (fake_shard_done(a) < 6)
        assert_int_equal(evs_client_process(w.client, 1, NULL), EVS_OK);
    for (size_t i = 0; i < 2; i++) /* the leader tells it last, but knows it */
        fake_sentinel_know(w.sentinels[i], "m", port_of(b), 2);
    fake_sentinel_publish(w.sentinels[1], "m", port_of(a), port_of(b));
    await(&w, &end);
    assert_int_equal(end.status, EVS_E_CLOSED);
    assert_int_equal(end.outcome, EVS_MAYBE_EXECUTED);
    assert_non_null(strstr(end.message, "a sentinel says"));
    call(&w, 2);
    assert_int_equal(stats_of(&w).switches, 1);
    fake_sentinel_publish(w.sentinels[0], "m", port_of(a), port_of(b)); /* late, and no news */
    fake_sentinel_publish(w.sentinels[0], "other", port_of(b), port_of(a));
    for (int i = 0; i < 20; i++)
        assert_int_equal(evs_client_process(w.client, 1, NULL), EVS_OK);
    assert_int_equal(stats_of(&w).switches, 1);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

typedef struct chain {
    world *w;
    ending first, second;
} chain;

static void submit_next(void *arg, const evs_result *result)
{
    chain *c = arg;
    submit(c->w, "k", &c->second);
    ended(&c->first, result); /* the reply is still there */
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
    world w;
    evs_error err;
    chain c = {.w = &w};
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1};
    const fake_step steps[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n"), FAKE_COMMANDS(1),
                               FAKE_PAUSE,        FAKE_SAY(":2\r\n"),   FAKE_COMMANDS(1),
                               FAKE_SAY(":3\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, steps);
    start(&w, 1);
    fake_sentinel_know(w.sentinels[0], "m", port_of(a), 1);
    open_client(&w, ", refresh: 1h", ONE);
    call(&w, 1);
    await_subscribers(&w);
    for (int i = 0; i < 200; i++)
        assert_int_equal(evs_client_process(w.client, 1, NULL), EVS_OK);
    if (evs_submit(w.client, &one, submit_next, &c, &err) != EVS_OK)
        fail_msg("%s", err.message);
    while (fake_shard_done(a) < 6)
        assert_int_equal(evs_client_process(w.client, 0, NULL), EVS_OK);
    fake_shard_go(a);
    fake_shard_await(a, 8);
    fake_sentinel_publish(w.sentinels[0], "other", 1, 2);
    while (!c.first.done)
        assert_int_equal(evs_client_process(w.client, 100, NULL), EVS_OK);
    await(&w, &c.second);
    assert_int_equal(c.first.number, 2);
    assert_int_equal(c.second.number, 3);
    assert_int_equal(count_in(w.log, "a: connected"), 1);
    stop(&w);
    fake_shard_stop(a);
}

/* Who is driven slept through the switch; the message lies in a socket. */
static void unread_messages_end_a_connection_that_was_idle(void **state)
{
    (void)state;
    world w;
    const fake_step old[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n"), FAKE_EOF};
    const fake_step new_one[] = {GREET_AS(PRIMARY), FIRST_CALL(":2\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, old), *b = FAKE_START(FAKE_TCP, new_one);
    start(&w, 1);
    fake_sentinel_know(w.sentinels[0], "m", port_of(a), 1);
    open_client(&w, ", refresh: 1h", ONE);
    call(&w, 1);
    await_subscribers(&w);
    for (int i = 0; i < 200; i++)
        assert_int_equal(evs_client_process(w.client, 1, NULL), EVS_OK);
    fake_sentinel_know(w.sentinels[0], "m", port_of(b), 2);
    fake_sentinel_publish(w.sentinels[0], "m", port_of(a), port_of(b));
    call(&w, 2);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

static void without_messages_polling_finds_the_switch(void **state)
{
    (void)state;
    world w;
    const fake_step old[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n"), FAKE_EOF};
    const fake_step new_one[] = {GREET_AS(PRIMARY), FIRST_CALL(":2\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, old), *b = FAKE_START(FAKE_TCP, new_one);
    start(&w, 1);
    fake_sentinel_refuse_subscribers(w.sentinels[0], 1);
    fake_sentinel_know(w.sentinels[0], "m", port_of(a), 1);
    open_client(&w, ", refresh: 1s", ONE);
    call(&w, 1);
    fake_sentinel_know(w.sentinels[0], "m", port_of(b), 2);
    while (fake_shard_done(a) < 6)
        assert_int_equal(evs_client_process(w.client, 0, NULL), EVS_OK);
    assert_non_null(strstr(w.log, "SUBSCRIBE refused: NOPERM"));
    call(&w, 2);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

static void a_demoted_primary_leads_to_questions(void **state)
{
    (void)state;
    world w;
    const fake_step old[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n"), FAKE_COMMANDS(1),
                             FAKE_SAY("-READONLY You can't write against a read only replica.\r\n"),
                             FAKE_EOF};
    const fake_step new_one[] = {GREET_AS(PRIMARY), FIRST_CALL(":2\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, old), *b = FAKE_START(FAKE_TCP, new_one);
    start(&w, 1);
    fake_sentinel_refuse_subscribers(w.sentinels[0], 1);
    fake_sentinel_know(w.sentinels[0], "m", port_of(a), 1);
    open_client(&w, ", refresh: 1h", ONE);
    call(&w, 1);
    fake_sentinel_know(w.sentinels[0], "m", port_of(b), 2);
    call(&w, 2);
    assert_int_equal(stats_of(&w).switches, 1);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

/* ---- how much is asked ---- */

static void shards_of_a_group_ask_together(void **state)
{
    (void)state;
    world w;
    ending ends[30];
    start(&w, 1);
    open_client(&w, ", refresh: 1h",
                "a: {sentinel: eu, master_name: m}, b: {sentinel: eu, master_name: n}, "
                "c: {sentinel: eu, master_name: o}");
    for (size_t i = 0; i < 30; i++) {
        char key[16];
        snprintf(key, sizeof key, "%zu", i);
        submit(&w, key, &ends[i]);
    }
    for (size_t i = 0; i < 30; i++) {
        await(&w, &ends[i]);
        assert_int_equal(ends[i].status, EVS_E_CONFIG);
    }
    assert_true(fake_sentinel_asked(w.sentinels[0]) <= 6); /* a second round for the listener */
    assert_true(fake_sentinel_connections(w.sentinels[0]) <= 2);
    stop(&w);
}

static void a_silent_sentinel_does_not_hold_up_the_others(void **state)
{
    (void)state;
    world w;
    const fake_step steps[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n")};
    fake_shard *b = FAKE_START(FAKE_TCP, steps);
    start(&w, 3);
    fake_sentinel_mute(w.sentinels[0], 1);
    fake_sentinel_know(w.sentinels[1], "m", port_of(b), 1);
    fake_sentinel_know(w.sentinels[2], "m", port_of(b), 1);
    open_client(&w, ", quorum_reads: 2", ONE);
    call(&w, 1);
    stop(&w);
    fake_shard_stop(b);
}

static void all_silent_sentinels_are_named(void **state)
{
    (void)state;
    world w;
    ending end;
    start(&w, 2);
    fake_sentinel_mute(w.sentinels[0], 1);
    fake_sentinel_mute(w.sentinels[1], 1);
    open_client(&w, "", "a: {sentinel: eu, master_name: m, script_timeout: 5s}");
    submit(&w, "k", &end);
    await(&w, &end);
    assert_int_equal(end.status, EVS_E_CONNECT);
    assert_int_equal(end.outcome, EVS_NOT_EXECUTED);
    for (size_t i = 0; i < 2; i++) {
        char port[32];
        snprintf(port, sizeof port, "127.0.0.1:%d", fake_sentinel_port(w.sentinels[i]));
        assert_non_null(strstr(end.message, port));
    }
    assert_non_null(strstr(end.message, "no answer in time"));
    stop(&w);
}

/* ---- replicas that are read from ---- */

#define READ_FROM(rule) "pools: {p: {read_from: " rule ", retry_after: 10m, shards: {" ONE "}}}"

static void all_know(world *w, const fake_shard *primary)
{
    for (size_t i = 0; i < w->count; i++)
        fake_sentinel_know(w->sentinels[i], "m", port_of(primary), 1);
}

static void all_list(world *w, const fake_shard *replica, const char *flags, const char *link)
{
    for (size_t i = 0; i < w->count; i++)
        fake_sentinel_list(w->sentinels[i], "m", port_of(replica), flags, link);
}

static void a_replica_that_is_well_is_read_from(void **state)
{
    (void)state;
    world w;
    const fake_step at_b[] = {GET_AS_REPLICA(":7\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, nothing), *b = FAKE_START(FAKE_TCP, at_b);
    start(&w, 3);
    all_know(&w, a);
    all_list(&w, b, "slave", "ok");
    open_map(&w, "", READ_FROM("prefer_replica"));
    call_script(&w, "get", 7);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

/* What sentinels say of it keeps it from being read; it hears of no call. */
static void check_unread(const char *flags, const char *link)
{
    world w;
    const fake_step at_a[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, at_a), *b = FAKE_START(FAKE_TCP, nothing);
    start(&w, 1);
    all_know(&w, a);
    all_list(&w, b, flags, link);
    open_map(&w, "", READ_FROM("prefer_replica"));
    call_script(&w, "get", 1);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

static void a_replica_with_a_fault_is_not_read_from(void **state)
{
    (void)state;
    check_unread("s_down,slave", "ok");
    check_unread("slave,o_down", "ok");
    check_unread("slave,disconnected", "ok");
    check_unread("slave", "err");
}

static void sentinels_that_differ_are_counted(void **state)
{
    (void)state;
    world w;
    ending end;
    const fake_step at_b[] = {GET_AS_REPLICA(":7\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, nothing), *b = FAKE_START(FAKE_TCP, at_b);
    start(&w, 3);
    all_know(&w, a);
    for (size_t i = 0; i < 3; i++)
        fake_sentinel_list(w.sentinels[i], "m", port_of(b), i < 2 ? "slave,s_down" : "slave", "ok");
    open_map(&w, ", quorum_reads: 3", READ_FROM("replica"));
    submit_script(&w, "get", "k", &end);
    for (int i = 0; i < 100; i++)
        assert_int_equal(evs_client_process(w.client, 1, NULL), EVS_OK);
    assert_int_equal(end.done, 0);
    fake_sentinel_list(w.sentinels[0], "m", 0, "", "");
    fake_sentinel_list(w.sentinels[0], "m", port_of(b), "slave", "ok");
    await(&w, &end);
    assert_int_equal(end.number, 7);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

/* Whoever is at its address says what it is; the primary is read from instead. */
static void check_refused(const fake_step *steps, size_t nsteps, const char *text)
{
    world w;
    const fake_step at_a[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n")};
    fake_shard *a = FAKE_START(FAKE_TCP, at_a), *b = fake_shard_start(FAKE_TCP, steps, nsteps);
    start(&w, 1);
    all_know(&w, a);
    all_list(&w, b, "slave", "ok");
    open_map(&w, "", READ_FROM("prefer_replica"));
    call_script(&w, "get", 1);
    assert_non_null(strstr(w.log, text));
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

static void who_is_no_replica_is_not_read_from(void **state)
{
    (void)state;
    const fake_step primary[] = {GREET_AS(PRIMARY), FAKE_EOF};
    const fake_step cut_off[] = {GREET_AS(CUT_OFF), FAKE_EOF};
    const fake_step loading[] = {GREET_AS("-LOADING Redis is loading the dataset\r\n"), FAKE_EOF};
    const fake_step busy[] = {GREET_AS("-BUSY Redis is busy running a script\r\n"), FAKE_EOF};
    check_refused(primary, 4, "it is a primary, not a replica");
    check_refused(cut_off, 4, "no link to its primary");
    check_refused(loading, 4, "LOADING");
    check_refused(busy, 4, "BUSY");
}

static void a_replica_that_nobody_names_is_left(void **state)
{
    (void)state;
    world w;
    const fake_step at_a[] = {GREET_AS(PRIMARY), FIRST_CALL(":1\r\n")};
    const fake_step at_b[] = {GET_AS_REPLICA(":7\r\n"), FAKE_EOF};
    fake_shard *a = FAKE_START(FAKE_TCP, at_a), *b = FAKE_START(FAKE_TCP, at_b);
    start(&w, 1);
    all_know(&w, a);
    all_list(&w, b, "slave", "ok");
    open_map(&w, ", refresh: 1h", READ_FROM("prefer_replica"));
    call_script(&w, "get", 7);
    while (fake_sentinel_listeners(w.sentinels[0]) == 0)
        assert_int_equal(evs_client_process(w.client, 0, NULL), EVS_OK);
    fake_sentinel_list(w.sentinels[0], "m", 0, "", "");
    fake_sentinel_publish_replica(w.sentinels[0], "+sdown", "m", port_of(b), port_of(a));
    while (fake_shard_done(b) < 6)
        assert_int_equal(evs_client_process(w.client, 1, NULL), EVS_OK);
    call_script(&w, "get", 1);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
}

/* By the word of one, before anybody is asked. */
static void a_promoted_replica_is_left_at_the_first_word(void **state)
{
    (void)state;
    world w;
    const fake_step at_b[] = {GET_AS_REPLICA(":7\r\n"), FAKE_EOF};
    fake_shard *a = FAKE_START(FAKE_TCP, nothing), *b = FAKE_START(FAKE_TCP, at_b);
    start(&w, 1);
    all_know(&w, a);
    all_list(&w, b, "slave", "ok");
    open_map(&w, ", refresh: 1h", READ_FROM("replica"));
    call_script(&w, "get", 7);
    await_subscribers(&w);
    fake_sentinel_mute(w.sentinels[0], 1);
    fake_sentinel_publish(w.sentinels[0], "m", port_of(a), port_of(b));
    while (fake_shard_done(b) < 6)
        assert_int_equal(evs_client_process(w.client, 1, NULL), EVS_OK);
    stop(&w);
    fake_shard_stop(a);
    fake_shard_stop(b);
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
        cmocka_unit_test(a_replica_that_is_well_is_read_from),
        cmocka_unit_test(a_replica_with_a_fault_is_not_read_from),
        cmocka_unit_test(sentinels_that_differ_are_counted),
        cmocka_unit_test(who_is_no_replica_is_not_read_from),
        cmocka_unit_test(a_replica_that_nobody_names_is_left),
        cmocka_unit_test(a_promoted_replica_is_left_at_the_first_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
