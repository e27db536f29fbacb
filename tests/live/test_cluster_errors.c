/*
 * Errors that only nodes of a cluster answer scripts with. The map calls a node a plain shard, so
 * that nothing is followed and everything is reported: with what outcome, and how often it ran.
 */
#include "tests/support/one_node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char COUNT[] = "redis.call('INCR', KEYS[1]) return 'done'";
static const char FLAGGED[] = "#!lua\nredis.call('INCR', KEYS[1]) return 'done'";

static void slots_elsewhere(void **state)
{
    (void)state;
    char here[32], here_too[32], there[32];
    one_node_key(0, here);
    one_node_key(0, here_too);
    one_node_key(1, there);
    const char *moved[] = {there}, *crossed[] = {here, here_too};
    one_node_expect(COUNT, here, (one_node_result){EVS_OK, EVS_EXECUTED, 1, ""});
    one_node_call(COUNT, moved, 1, (one_node_result){EVS_E_MOVED, EVS_NOT_EXECUTED, 0, "MOVED "});
    assert_int_equal(nodes_number(&one_node.nodes, 1, "EXISTS %s", there), 0);
    one_node_call(COUNT, crossed, 2,
                  (one_node_result){EVS_E_CROSS_SLOT, EVS_NOT_EXECUTED, 0, "CROSSSLOT "});
    one_node_expect(
        "#!lua flags=no-cluster\nredis.call('INCR', KEYS[1]) return 'done'", here,
        (one_node_result){EVS_E_SCRIPT, EVS_NOT_EXECUTED, 0, "Can not run script on cluster"});
}

/* The script has begun, and what it wrote stays. */
static void keys_that_were_not_declared(void **state)
{
    (void)state;
    char here[32], there[32], beside[32], source[256];
    one_node_key(0, here);
    one_node_key(0, beside);
    one_node_key(1, there);
    snprintf(source, sizeof source,
             "redis.call('INCR', KEYS[1]) redis.call('GET', '%s') return 'done'", there);
    one_node_expect(source, here,
                    (one_node_result){EVS_E_SCRIPT, EVS_EXECUTED, 1, " non local key"});
    snprintf(source, sizeof source,
             "#!lua\nredis.call('INCR', KEYS[1]) redis.call('GET', '%s') return 'done'", beside);
    one_node_expect(
        source, here,
        (one_node_result){EVS_E_SCRIPT, EVS_EXECUTED, 1, " do not hash to the same slot"});
}

static void a_slot_that_moves(void **state)
{
    (void)state;
    char tag[32], key[48], missing[48];
    one_node_key(0, tag);
    snprintf(key, sizeof key, "%s:there", tag);
    snprintf(missing, sizeof missing, "%s:missing", tag);
    nodes_do(&one_node.nodes, 0, "SET %s 1", key);
    nodes_do(&one_node.nodes, 1, "CLUSTER SETSLOT %u IMPORTING %s", one_node_slot(tag),
             one_node.nodes.ids[0]);
    nodes_do(&one_node.nodes, 0, "CLUSTER SETSLOT %u MIGRATING %s", one_node_slot(tag),
             one_node.nodes.ids[1]);

    const char *ask[] = {missing}, *both[] = {key, missing}, *gone[] = {key};
    one_node_expect(COUNT, key, (one_node_result){EVS_OK, EVS_EXECUTED, 1, ""});
    one_node_call(COUNT, ask, 1, (one_node_result){EVS_E_MOVED, EVS_NOT_EXECUTED, 0, "ASK "});
    one_node_call(COUNT, both, 2,
                  (one_node_result){EVS_E_CLUSTER, EVS_NOT_EXECUTED, 0, "TRYAGAIN "});
    assert_int_equal(nodes_number(&one_node.nodes, 0, "GET %s", key), 2);
    /* What it deleted is gone, and nothing is there to write to any more. */
    one_node_call("redis.call('DEL', KEYS[1]) redis.call('INCR', KEYS[1]) return 'done'", gone, 1,
                  (one_node_result){EVS_E_SCRIPT, EVS_EXECUTED, 0, " non local key"});
    nodes_do(&one_node.nodes, 0, "CLUSTER SETSLOT %u STABLE", one_node_slot(tag));
    nodes_do(&one_node.nodes, 1, "CLUSTER SETSLOT %u STABLE", one_node_slot(tag));
    assert_int_equal(nodes_number(&one_node.nodes, 0, "EXISTS %s", key), 0);
}

static void transactions_are_refused_as_a_whole(void **state)
{
    (void)state;
    char here[32], there[32];
    one_node_key(0, here);
    one_node_key(1, there);
    evs_error err;
    evs_transaction *tx;
    evs_bytes first = evs_text(here), second = evs_text(there);
    const evs_script *script = shards_script(&one_node.set, "tx", COUNT);
    evs_invocation calls[] = {{.handle = script, .keys = &first, .nkeys = 1},
                              {.handle = script, .keys = &second, .nkeys = 1}};
    assert_int_equal(evs_transaction_new(&tx, one_node.hasty, NULL, NULL), EVS_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(evs_transaction_add(tx, &calls[i], NULL), EVS_OK);
    assert_int_equal(evs_transaction_exec(tx, &err), EVS_E_MOVED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_int_equal(evs_transaction_result(tx, 0)->status, EVS_E_CANCELED);
    assert_int_equal(evs_transaction_result(tx, 1)->status, EVS_E_MOVED);
    assert_int_equal(nodes_number(&one_node.nodes, 0, "EXISTS %s", here), 0);
    evs_transaction_free(tx);
}

/* One slot is nobody's; then that is too much for the cluster; then reading is allowed. */
static void a_cluster_that_is_down(void **state)
{
    (void)state;
    char lost[32], too[32], here[32];
    const char *gone[] = {lost};
    one_node_key(0, here);
    one_node_key(0, lost);
    one_node_key(0, too);
    nodes_do(&one_node.nodes, 0, "CONFIG SET cluster-require-full-coverage no");
    nodes_do(&one_node.nodes, 0, "CLUSTER DELSLOTS %u", one_node_slot(lost));
    one_node_call(
        COUNT, gone, 1,
        (one_node_result){EVS_E_CLUSTER, EVS_NOT_EXECUTED, 0, "CLUSTERDOWN Hash slot not served"});
    one_node_expect(COUNT, here, (one_node_result){EVS_OK, EVS_EXECUTED, 1, ""});

    nodes_do(&one_node.nodes, 0, "CONFIG SET cluster-require-full-coverage yes");
    nodes_do(&one_node.nodes, 0, "CLUSTER DELSLOTS %u",
             one_node_slot(too)); /* now it looks again */
    nodes_wait(&one_node.nodes, 0, "CLUSTER INFO", "cluster_state:fail");
    const char *keys[] = {here};
    one_node_result down = {EVS_E_CLUSTER, EVS_NOT_EXECUTED, 0, "CLUSTERDOWN The cluster is down"};
    one_node_call(COUNT, keys, 1, down);
    one_node_call("redis.call('GET', 'x') return 'done'", NULL, 0,
                  (one_node_result){EVS_E_SCRIPT, EVS_EXECUTED, 0, "while the cluster is down"});
    nodes_do(&one_node.nodes, 0, "CONFIG SET cluster-allow-reads-when-down yes");
    down.words = "only accepts read commands";
    one_node_call(FLAGGED, keys, 1, down);
    one_node_call(
        COUNT, keys, 1,
        (one_node_result){EVS_E_SCRIPT, EVS_EXECUTED, 0, "while the cluster is down and readonly"});

    nodes_do(&one_node.nodes, 0, "CLUSTER ADDSLOTS %u %u", one_node_slot(lost), one_node_slot(too));
    nodes_wait(&one_node.nodes, 0, "CLUSTER INFO", "cluster_state:ok");
    assert_int_equal(nodes_number(&one_node.nodes, 0, "GET %s", here), 1); /* from before */
    one_node_expect(COUNT, lost, (one_node_result){EVS_OK, EVS_EXECUTED, 1, ""});
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
    one_node_start(3);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    one_node_stop();
    return failed;
}
