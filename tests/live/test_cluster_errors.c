/*
 * Errors that only nodes of a cluster answer scripts with. The map calls a node a plain shard, so
 * that nothing is followed and everything is reported: with what outcome, and how often it ran.
 */
#include "tests/support/nodes.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { KEYS_MOST = 2 };

static struct {
    nodes nodes;
    shards set;        /* node 0 alone; its scripts and map */
    evs_client *hasty; /* told at once */
} world;

static const char COUNT[] = "redis.call('INCR', KEYS[1]) return 'done'";
static const char FLAGGED[] = "#!lua\nredis.call('INCR', KEYS[1]) return 'done'";

typedef struct expected {
    evs_status status;
    evs_outcome outcome;
    long long ran;
    const char *words;
} expected;

/* Calls it on node 0, and looks there how often it counted. */
static void expect(const char *source, const char *const *texts, size_t nkeys, expected what)
{
    static unsigned serial;
    char name[32];
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes keys[KEYS_MOST];
    snprintf(name, sizeof name, "s/%u", serial++);
    for (size_t i = 0; i < nkeys; i++)
        keys[i] = evs_text(texts[i]);
    evs_invocation call = {.handle = shards_script(&world.set, name, source),
                           .keys = keys,
                           .nkeys = nkeys,
                           .shard = nkeys == 0 ? "s0" : NULL,
                           .timeout_ms = 20000};
    evs_status status = evs_call(&reply, world.hasty, &call, &err);
    evs_reply_free(reply);
    if (status != what.status || (status != EVS_OK && err.outcome != what.outcome) ||
        (status != EVS_OK && strstr(err.message, what.words) == NULL))
        fail_msg("%s: %s, %s: %s", source, evs_status_name(status), evs_outcome_text(err.outcome),
                 err.message);
}

static void expect_one(const char *source, const char *key, expected what)
{
    long long before = nodes_number(&world.nodes, 0, "GET %s", key);
    expect(source, &key, 1, what);
    assert_int_equal(nodes_number(&world.nodes, 0, "GET %s", key) - before, what.ran);
}

static unsigned slot_of(const char *key)
{
    return (unsigned)nodes_number(&world.nodes, 0, "CLUSTER KEYSLOT %s", key);
}

/* "{n}" of a slot that `node` serves; a new one each time. */
static void key_on(size_t node, char out[32])
{
    static int n;
    do
        snprintf(out, 32, "{%d}", n++);
    while (nodes_owner(&world.nodes, 0, slot_of(out)) != node);
}

static void slots_elsewhere(void **state)
{
    (void)state;
    char here[32], here_too[32], there[32];
    key_on(0, here);
    key_on(0, here_too);
    key_on(1, there);
    const char *moved[] = {there}, *crossed[] = {here, here_too};
    expect_one(COUNT, here, (expected){EVS_OK, EVS_EXECUTED, 1, ""});
    expect(COUNT, moved, 1, (expected){EVS_E_MOVED, EVS_NOT_EXECUTED, 0, "MOVED "});
    assert_int_equal(nodes_number(&world.nodes, 1, "EXISTS %s", there), 0);
    expect(COUNT, crossed, 2, (expected){EVS_E_CROSS_SLOT, EVS_NOT_EXECUTED, 0, "CROSSSLOT "});
    expect_one("#!lua flags=no-cluster\nredis.call('INCR', KEYS[1]) return 'done'", here,
               (expected){EVS_E_SCRIPT, EVS_NOT_EXECUTED, 0, "Can not run script on cluster"});
}

/* The script has begun, and what it wrote stays. */
static void keys_that_were_not_declared(void **state)
{
    (void)state;
    char here[32], there[32], beside[32], source[256];
    key_on(0, here);
    key_on(0, beside);
    key_on(1, there);
    snprintf(source, sizeof source,
             "redis.call('INCR', KEYS[1]) redis.call('GET', '%s') return 'done'", there);
    expect_one(source, here, (expected){EVS_E_SCRIPT, EVS_EXECUTED, 1, " non local key"});
    snprintf(source, sizeof source,
             "#!lua\nredis.call('INCR', KEYS[1]) redis.call('GET', '%s') return 'done'", beside);
    expect_one(source, here,
               (expected){EVS_E_SCRIPT, EVS_EXECUTED, 1, " do not hash to the same slot"});
}

static void a_slot_that_moves(void **state)
{
    (void)state;
    char tag[32], key[48], missing[48];
    key_on(0, tag);
    snprintf(key, sizeof key, "%s:there", tag);
    snprintf(missing, sizeof missing, "%s:missing", tag);
    nodes_do(&world.nodes, 0, "SET %s 1", key);
    nodes_do(&world.nodes, 1, "CLUSTER SETSLOT %u IMPORTING %s", slot_of(tag), world.nodes.ids[0]);
    nodes_do(&world.nodes, 0, "CLUSTER SETSLOT %u MIGRATING %s", slot_of(tag), world.nodes.ids[1]);

    const char *ask[] = {missing}, *both[] = {key, missing}, *gone[] = {key};
    expect_one(COUNT, key, (expected){EVS_OK, EVS_EXECUTED, 1, ""});
    expect(COUNT, ask, 1, (expected){EVS_E_MOVED, EVS_NOT_EXECUTED, 0, "ASK "});
    expect(COUNT, both, 2, (expected){EVS_E_CLUSTER, EVS_NOT_EXECUTED, 0, "TRYAGAIN "});
    assert_int_equal(nodes_number(&world.nodes, 0, "GET %s", key), 2);
    /* What it deleted is gone, and nothing is there to write to any more. */
    expect("redis.call('DEL', KEYS[1]) redis.call('INCR', KEYS[1]) return 'done'", gone, 1,
           (expected){EVS_E_SCRIPT, EVS_EXECUTED, 0, " non local key"});
    nodes_do(&world.nodes, 0, "CLUSTER SETSLOT %u STABLE", slot_of(tag));
    nodes_do(&world.nodes, 1, "CLUSTER SETSLOT %u STABLE", slot_of(tag));
    assert_int_equal(nodes_number(&world.nodes, 0, "EXISTS %s", key), 0);
}

static void transactions_are_refused_as_a_whole(void **state)
{
    (void)state;
    char here[32], there[32];
    key_on(0, here);
    key_on(1, there);
    evs_error err;
    evs_transaction *tx;
    evs_bytes first = evs_text(here), second = evs_text(there);
    const evs_script *script = shards_script(&world.set, "tx", COUNT);
    evs_invocation calls[] = {{.handle = script, .keys = &first, .nkeys = 1},
                              {.handle = script, .keys = &second, .nkeys = 1}};
    assert_int_equal(evs_transaction_new(&tx, world.hasty, NULL, NULL), EVS_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(evs_transaction_add(tx, &calls[i], NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_MOVED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(evs_transaction_result(tx, 0)->status, EVS_E_CANCELED);
    assert_int_equal(evs_transaction_result(tx, 1)->status, EVS_E_MOVED);
    assert_int_equal(nodes_number(&world.nodes, 0, "EXISTS %s", here), 0);
    evs_transaction_free(tx);
}

/* One slot is nobody's; then that is too much for the cluster; then reading is allowed. */
static void a_cluster_that_is_down(void **state)
{
    (void)state;
    char lost[32], too[32], here[32];
    const char *gone[] = {lost};
    key_on(0, here);
    key_on(0, lost);
    key_on(0, too);
    nodes_do(&world.nodes, 0, "CONFIG SET cluster-require-full-coverage no");
    nodes_do(&world.nodes, 0, "CLUSTER DELSLOTS %u", slot_of(lost));
    expect(COUNT, gone, 1,
           (expected){EVS_E_CLUSTER, EVS_NOT_EXECUTED, 0, "CLUSTERDOWN Hash slot not served"});
    expect_one(COUNT, here, (expected){EVS_OK, EVS_EXECUTED, 1, ""});

    nodes_do(&world.nodes, 0, "CONFIG SET cluster-require-full-coverage yes");
    nodes_do(&world.nodes, 0, "CLUSTER DELSLOTS %u", slot_of(too)); /* now it looks again */
    nodes_wait(&world.nodes, 0, "CLUSTER INFO", "cluster_state:fail");
    const char *keys[] = {here};
    expected down = {EVS_E_CLUSTER, EVS_NOT_EXECUTED, 0, "CLUSTERDOWN The cluster is down"};
    expect(COUNT, keys, 1, down);
    expect("redis.call('GET', 'x') return 'done'", NULL, 0,
           (expected){EVS_E_SCRIPT, EVS_EXECUTED, 0, "while the cluster is down"});
    nodes_do(&world.nodes, 0, "CONFIG SET cluster-allow-reads-when-down yes");
    down.words = "only accepts read commands";
    expect(FLAGGED, keys, 1, down);
    expect(COUNT, keys, 1,
           (expected){EVS_E_SCRIPT, EVS_EXECUTED, 0, "while the cluster is down and readonly"});

    nodes_do(&world.nodes, 0, "CLUSTER ADDSLOTS %u %u", slot_of(lost), slot_of(too));
    nodes_wait(&world.nodes, 0, "CLUSTER INFO", "cluster_state:ok");
    assert_int_equal(nodes_number(&world.nodes, 0, "GET %s", here), 1); /* from before */
    expect_one(COUNT, lost, (expected){EVS_OK, EVS_EXECUTED, 1, ""});
}

static int set_up(void **state)
{
    (void)state;
    evs_client_options hasty = EVS_CLIENT_OPTIONS_INIT;
    hasty.patience = EVS_PATIENCE_NONE;
    nodes_start(&world.nodes, 3, 0);
    const char *address = scratch_address(world.nodes.servers[0]);
    shards_open(&world.set, &address, 1, NULL);
    return evs_client_open(&world.hasty, world.set.map, world.set.registry, &hasty, NULL) == EVS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    evs_client_free(world.hasty);
    shards_stop(&world.set);
    nodes_stop(&world.nodes);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_elsewhere),
        cmocka_unit_test(keys_that_were_not_declared),
        cmocka_unit_test(a_slot_that_moves),
        cmocka_unit_test(transactions_are_refused_as_a_whole),
        cmocka_unit_test(a_cluster_that_is_down),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
