/*
 * What nodes of a real cluster let scripts do with keys: those they declare, those they do not, and
 * those of a slot that moves. The map calls a node a plain shard, so that everything is reported:
 * with what outcome, and how often it counted.
 */
#include "tests/support/one_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PRIMARIES = 3, SOURCE_ROOM = 256 };

static const char COUNT[] = "redis.call('INCR', KEYS[1]) return 'done'";
static const char NON_LOCAL[] = " non local key";
static const char TWO_SLOTS[] = " do not hash to the same slot";

static const one_node_result fine = {EVS_OK, EVS_EXECUTED, 1, ""};

/* Of node 0: two slots. Of node 1: one. `beside` is in the slot of `here`. */
typedef struct places {
    char here[32], too[32], there[32], beside[48];
} places;

static void find_places(places *p)
{
    one_node_key(0, p->here);
    one_node_key(0, p->too);
    one_node_key(1, p->there);
    snprintf(p->beside, sizeof p->beside, "%s:beside", p->here);
}

/* ---- before a script starts ---- */

static void declared_keys_are_of_one_slot(void **state)
{
    (void)state;
    places p;
    find_places(&p);
    const char *two[] = {p.here, p.too};
    one_node_result crossed = {EVS_E_CROSS_SLOT, EVS_NOT_EXECUTED, 0, "CROSSSLOT "};
    one_node_call(COUNT, two, 2, crossed);
    one_node_call("#!lua flags=allow-cross-slot-keys\nredis.call('INCR', KEYS[1]) return 'done'",
                  two, 2, crossed);
    assert_int_equal(nodes_number(&one_node.nodes, 0, "EXISTS %s", p.here), 0);
}

/* What the flags of a script are matters only where its keys are. */
static void a_foreign_key_comes_before_the_flags(void **state)
{
    (void)state;
    places p;
    find_places(&p);
    const char *there[] = {p.there};
    one_node_call("#!lua flags=no-cluster\nreturn 'done'", there, 1,
                  (one_node_result){EVS_E_MOVED, EVS_NOT_EXECUTED, 0, "MOVED "});
}

static void a_transaction_is_of_one_slot(void **state)
{
    (void)state;
    places p;
    evs_error err;
    evs_transaction *tx;
    find_places(&p);
    const char *texts[] = {p.here, p.too};
    const evs_script *script = shards_script(&one_node.set, "tx", COUNT);
    assert_int_equal(evs_transaction_new(&tx, one_node.hasty, NULL, NULL), EVS_OK);
    for (size_t i = 0; i < 2; i++) {
        evs_bytes key = evs_text(texts[i]);
        evs_invocation one = {.handle = script, .keys = &key, .nkeys = 1};
        assert_int_equal(evs_transaction_add(tx, &one, NULL), EVS_OK);
    }
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_CROSS_SLOT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(nodes_number(&one_node.nodes, 0, "EXISTS %s", texts[i]), 0);
    evs_transaction_free(tx);
}

/* ---- keys that were not declared ---- */

typedef struct undeclared {
    const char *head; /* in front of the script */
    const char *body; /* %s is `key`, and comes once */
    enum { BESIDE, TOO, THERE } key;
    const char *words; /* NULL: it is allowed */
} undeclared;

#define COUNT_THEN "redis.call('INCR', KEYS[1]) "
#define CROSS      "#!lua flags=allow-cross-slot-keys\n"

static const undeclared rows[] = {
    {"", COUNT_THEN "redis.call('GET', '%s') return 'done'", BESIDE, NULL},
    {"#!lua\n", COUNT_THEN "redis.call('GET', '%s') return 'done'", BESIDE, NULL},
    {CROSS, COUNT_THEN "redis.call('GET', '%s') return 'done'", BESIDE, NULL},
    {"", COUNT_THEN "redis.call('GET', '%s') return 'done'", TOO, NULL},
    {"#!lua\n", COUNT_THEN "redis.call('GET', '%s') return 'done'", TOO, TWO_SLOTS},
    {CROSS, COUNT_THEN "redis.call('GET', '%s') return 'done'", TOO, NULL},
    {"", COUNT_THEN "redis.call('GET', '%s') return 'done'", THERE, NON_LOCAL},
    {"#!lua\n", COUNT_THEN "redis.call('GET', '%s') return 'done'", THERE, NON_LOCAL},
    {CROSS, COUNT_THEN "redis.call('GET', '%s') return 'done'", THERE, NON_LOCAL},
    {"", COUNT_THEN "redis.call('MGET', KEYS[1], '%s') return 'done'", TOO, "script: "},
    {"", COUNT_THEN "return redis.pcall('GET', '%s')", THERE, NON_LOCAL},
    {"", COUNT_THEN "redis.call('SPUBLISH', '%s', 'x') return 'done'", THERE, NON_LOCAL},
    {"", COUNT_THEN "redis.call('PUBLISH', '%s', 'x') return 'done'", THERE, NULL},
    {"",
     COUNT_THEN
     "redis.call('DBSIZE') redis.call('RANDOMKEY') redis.call('KEYS', '%s') return 'done'",
     THERE, NULL},
    {"", COUNT_THEN "redis.call('SCAN', 0, 'MATCH', '%s') return 'done'", THERE, NULL},
};

/* `head` and `text`, with `word` in the place of its %s. */
static void put(char out[SOURCE_ROOM], const char *head, const char *text, const char *word)
{
    const char *at = strstr(text, "%s");
    snprintf(out, SOURCE_ROOM, "%s%.*s%s%s", head, (int)(at - text), text, word, at + 2);
}

/* It has begun when it gets to them: what it wrote before stays. */
static void undeclared_keys_are_looked_at_one_by_one(void **state)
{
    (void)state;
    places p;
    char source[SOURCE_ROOM];
    find_places(&p);
    const char *const keys[] = {p.beside, p.too, p.there};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put(source, rows[i].head, rows[i].body, keys[rows[i].key]);
        one_node_result refused = {EVS_E_SCRIPT, EVS_EXECUTED, 1, rows[i].words};
        one_node_expect(source, p.here, rows[i].words == NULL ? fine : refused);
    }
}

/* Without a key a script may run anywhere; whose slots it may touch is up to its shebang. */
static void without_keys_the_first_one_decides(void **state)
{
    (void)state;
    places p;
    char source[SOURCE_ROOM];
    find_places(&p);
    snprintf(source, sizeof source, "redis.call('SET', '%s', 1) redis.call('SET', '%s', 1)", p.here,
             p.too);
    one_node_call(source, NULL, 0, (one_node_result){EVS_OK, EVS_EXECUTED, 0, ""});
    assert_int_equal(nodes_number(&one_node.nodes, 0, "GET %s", p.too), 1);
    snprintf(source, sizeof source, "#!lua\nredis.call('DEL', '%s') redis.call('DEL', '%s')",
             p.here, p.too);
    one_node_call(source, NULL, 0, (one_node_result){EVS_E_SCRIPT, EVS_EXECUTED, 0, TWO_SLOTS});
    assert_int_equal(nodes_number(&one_node.nodes, 0, "EXISTS %s", p.here), 0);
    assert_int_equal(nodes_number(&one_node.nodes, 0, "GET %s", p.too), 1);
    one_node_call("redis.call('SELECT', 1)", NULL, 0,
                  (one_node_result){EVS_E_SCRIPT, EVS_EXECUTED, 0, "SELECT is not allowed"});
}

/* ---- while a slot moves ---- */

static void close_slot(const char *key)
{
    for (size_t i = 0; i < 2; i++)
        nodes_do(&one_node.nodes, i, "CLUSTER SETSLOT %u STABLE", one_node_slot(key));
}

static long long now_us(void)
{
    redisReply *time = nodes_ask(&one_node.nodes, 0, "TIME");
    long long now = strtoll(time->element[0]->str, NULL, 10) * 1000000 +
                    strtoll(time->element[1]->str, NULL, 10);
    freeReplyObject(time);
    return now;
}

static void keys_that_are_not_there_are_asked_for_elsewhere(void **state)
{
    (void)state;
    char tag[32], a[48], b[48];
    one_node_key(0, tag);
    snprintf(a, sizeof a, "%s:a", tag);
    snprintf(b, sizeof b, "%s:b", tag);
    nodes_open_slot(&one_node.nodes, one_node_slot(tag), 0, 1);
    one_node_result ask = {EVS_E_MOVED, EVS_NOT_EXECUTED, 0, "ASK "};
    const char *both[] = {a, b}, *twice[] = {a, a};
    one_node_call(COUNT, both, 2, ask);
    one_node_call(COUNT, twice, 2, ask);
    close_slot(tag);
    long long end = now_us() / 1000 + 2;
    nodes_do(&one_node.nodes, 0, "SET %s 1 PXAT %lld", a, end);
    nodes_open_slot(&one_node.nodes, one_node_slot(tag), 0, 1);
    while (now_us() / 1000 <= end)
        ;
    one_node_call(COUNT, twice, 1, ask); /* it has just expired */
    close_slot(tag);
}

/* Nobody but who was sent there is served. */
static void a_slot_that_arrives_is_not_served_yet(void **state)
{
    (void)state;
    char key[32];
    const char *keys[] = {key};
    one_node_key(1, key);
    nodes_open_slot(&one_node.nodes, one_node_slot(key), 1, 0);
    one_node_call(COUNT, keys, 1, (one_node_result){EVS_E_MOVED, EVS_NOT_EXECUTED, 0, "MOVED "});
    close_slot(key);
}

typedef struct vanishing {
    const char *first; /* makes the key `a` */
    const char *body;  /* takes it away, and goes on */
    int has_begun;     /* there is something left of it: the counter `b` */
} vanishing;

static const vanishing lost[] = {
    {"SET %s 1", "redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[1], 2)", 0},
    {"RPUSH %s x", "redis.call('RPUSH', KEYS[1], redis.call('LPOP', KEYS[1]))", 0},
    {"SADD %s x", "redis.call('SREM', KEYS[1], 'x') redis.call('SADD', KEYS[1], 'y')", 0},
    {"HSET %s f x", "redis.call('HDEL', KEYS[1], 'f') redis.call('HSET', KEYS[1], 'g', 'x')", 0},
    {"ZADD %s 1 x", "redis.call('ZREM', KEYS[1], 'x') redis.call('ZADD', KEYS[1], 1, 'y')", 0},
    {"SET %s 1", "redis.call('DEL', KEYS[1]) redis.call('EXISTS', KEYS[1])", 0},
    {"SET %s 1", "redis.call('DEL', KEYS[1]) redis.call('MGET', KEYS[1], KEYS[2])", 0},
    {"SET %s 1",
     "redis.call('INCR', KEYS[2]) redis.call('DEL', KEYS[1]) "
     "redis.call('GET', KEYS[1] .. ':missing')",
     1},
};

/* A declared key that a script takes away is not its node's any more: the rest of the script may
 * not touch it, and what it did stays. That is no error to try again. */
static void a_key_that_vanishes_on_the_way_is_lost(void **state)
{
    (void)state;
    char tag[32], a[48], b[48], first[SOURCE_ROOM];
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        one_node_key(0, tag);
        snprintf(a, sizeof a, "%s:a", tag);
        snprintf(b, sizeof b, "%s:b", tag);
        put(first, "", lost[i].first, a);
        nodes_do(&one_node.nodes, 0, "%s", first);
        nodes_do(&one_node.nodes, 0, "SET %s 1", b);
        nodes_open_slot(&one_node.nodes, one_node_slot(tag), 0, 1);
        const char *both[] = {a, b};
        one_node_call(lost[i].body, both, 2,
                      (one_node_result){EVS_E_SCRIPT, EVS_EXECUTED, 0, " script: "});
        close_slot(tag);
        assert_int_equal(nodes_number(&one_node.nodes, 0, "EXISTS %s", a), 0);
        assert_int_equal(nodes_number(&one_node.nodes, 0, "GET %s", b), 1 + lost[i].has_begun);
    }
}

/* ---- last: a cluster that is down ---- */

static void refuse_transaction(const char *text)
{
    evs_error err;
    evs_transaction *tx;
    evs_bytes key = evs_text(text);
    evs_invocation one = {
        .handle = shards_script(&one_node.set, "down", COUNT), .keys = &key, .nkeys = 1};
    assert_int_equal(evs_transaction_new(&tx, one_node.hasty, NULL, NULL), EVS_OK);
    assert_int_equal(evs_transaction_add(tx, &one, NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_CLUSTER);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "CLUSTERDOWN "));
    evs_transaction_free(tx);
}

/* Then nobody is sent elsewhere, either, and what has no keys runs. */
static void a_cluster_that_is_down(void **state)
{
    (void)state;
    places p;
    char gone[32], source[SOURCE_ROOM];
    find_places(&p);
    one_node_key(0, gone);
    const char *here[] = {p.here}, *there[] = {p.there};
    one_node_result down = {EVS_E_CLUSTER, EVS_NOT_EXECUTED, 0, "CLUSTERDOWN The cluster is down"};
    nodes_do(&one_node.nodes, 0, "CONFIG SET cluster-require-full-coverage no");
    nodes_do(&one_node.nodes, 0, "CLUSTER DELSLOTS %u", one_node_slot(gone));
    snprintf(source, sizeof source, COUNT_THEN "redis.call('GET', '%s') return 'done'", gone);
    one_node_expect(source, p.here, (one_node_result){EVS_E_SCRIPT, EVS_EXECUTED, 1, "script: "});

    nodes_do(&one_node.nodes, 0, "CONFIG SET cluster-require-full-coverage yes");
    nodes_do(&one_node.nodes, 0, "CLUSTER DELSLOTS %u", one_node_slot(p.too)); /* it looks again */
    nodes_wait(&one_node.nodes, 0, "CLUSTER INFO", "cluster_state:fail");
    one_node_call(COUNT, here, 1, down);
    one_node_call(COUNT, there, 1, down);
    one_node_call("return 'done'", NULL, 0, (one_node_result){EVS_OK, EVS_EXECUTED, 0, ""});
    refuse_transaction(p.here);
    nodes_do(&one_node.nodes, 0, "CONFIG SET cluster-allow-reads-when-down yes");
    one_node_call("#!lua flags=no-writes\nreturn redis.call('GET', KEYS[1])", here, 1,
                  (one_node_result){EVS_OK, EVS_EXECUTED, 0, ""});
    one_node_call("--- Reads.\n-- @key k a string\n-- @retry read_only\n"
                  "return redis.call('GET', KEYS[1])",
                  here, 1, (one_node_result){EVS_OK, EVS_EXECUTED, 0, ""});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declared_keys_are_of_one_slot),
        cmocka_unit_test(a_foreign_key_comes_before_the_flags),
        cmocka_unit_test(a_transaction_is_of_one_slot),
        cmocka_unit_test(undeclared_keys_are_looked_at_one_by_one),
        cmocka_unit_test(without_keys_the_first_one_decides),
        cmocka_unit_test(keys_that_are_not_there_are_asked_for_elsewhere),
        cmocka_unit_test(a_slot_that_arrives_is_not_served_yet),
        cmocka_unit_test(a_key_that_vanishes_on_the_way_is_lost),
        cmocka_unit_test(a_cluster_that_is_down),
    };
    one_node_start(PRIMARIES);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    one_node_stop();
    return failed;
}
