#include "tests/support/one_node.h"

#include "tests/support/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

one_node_world one_node;

void one_node_start(size_t primaries)
{
    evs_client_options hasty = EVS_CLIENT_OPTIONS_INIT;
    hasty.patience = EVS_PATIENCE_NONE;
    nodes_start(&one_node.nodes, primaries, 0);
    const char *address = scratch_address(one_node.nodes.servers[0]);
    shards_open(&one_node.set, &address, 1, NULL);
    if (evs_client_open(&one_node.hasty, one_node.set.map, one_node.set.registry, &hasty, NULL) !=
        EVS_OK)
        scene_die("client", "cannot be opened");
}

void one_node_stop(void)
{
    evs_client_free(one_node.hasty);
    shards_stop(&one_node.set);
    nodes_stop(&one_node.nodes);
}

void one_node_call(const char *source, const char *const *texts, size_t nkeys, one_node_result what)
{
    static unsigned serial;
    char name[32];
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes keys[ONE_NODE_KEYS_MOST];
    snprintf(name, sizeof name, "s/%u", serial++);
    for (size_t i = 0; i < nkeys; i++)
        keys[i] = evs_text(texts[i]);
    evs_invocation call = {.handle = shards_script(&one_node.set, name, source),
                           .keys = keys,
                           .nkeys = nkeys,
                           .shard = nkeys == 0 ? "s0" : NULL,
                           .timeout_ms = 20000};
    evs_status status = evs_call(&reply, one_node.hasty, &call, &err);
    evs_reply_free(reply);
    if (status != what.status || (status != EVS_OK && err.outcome != what.outcome) ||
        (status != EVS_OK && strstr(err.message, what.words) == NULL))
        fail_msg("%s: %s, %s: %s", source, evs_status_name(status), evs_outcome_text(err.outcome),
                 err.message);
}

void one_node_expect(const char *source, const char *key, one_node_result what)
{
    long long before = nodes_number(&one_node.nodes, 0, "GET %s", key);
    one_node_call(source, &key, 1, what);
    assert_int_equal(nodes_number(&one_node.nodes, 0, "GET %s", key) - before, what.ran);
}

unsigned one_node_slot(const char *key)
{
    return (unsigned)nodes_number(&one_node.nodes, 0, "CLUSTER KEYSLOT %s", key);
}

void one_node_key(size_t node, char out[32])
{
    static int n;
    do
        snprintf(out, 32, "{%d}", n++);
    while (nodes_owner(&one_node.nodes, 0, one_node_slot(out)) != node);
}
