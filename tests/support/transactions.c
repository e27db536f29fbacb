#include "tests/support/transactions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

tx_stage stage;

int tx_set_up(void **state)
{
    (void)state;
    shards_start(&stage.set, 2, NULL);
    stage.incr = shards_script(&stage.set, "incr", "return redis.call('INCR', KEYS[1])");
    stage.fail = shards_script(&stage.set, "fail", "return redis.call('INCRBY', KEYS[1], 'x')");
    stage.value = shards_script(&stage.set, "value",
                                "--- A value.\n-- @key k string\n-- @retry read_only\n"
                                "return redis.call('GET', KEYS[1])");
    shards_key(&stage.set, 0, stage.here);
    shards_key(&stage.set, 1, stage.there);
    return 0;
}

int tx_tear_down(void **state)
{
    (void)state;
    shards_stop(&stage.set);
    return 0;
}

int tx_empty_servers(void **state)
{
    (void)state;
    shards_empty(&stage.set);
    return 0;
}

evs_transaction *tx_new_on(evs_client *client)
{
    evs_transaction *tx;
    evs_transaction_options options = EVS_TRANSACTION_OPTIONS_INIT;
    options.timeout_ms = TX_TIMEOUT_MS;
    assert_int_equal(evs_transaction_new(&tx, client, &options, NULL), EVS_OK);
    return tx;
}

evs_transaction *tx_new(void)
{
    return tx_new_on(stage.set.client);
}

evs_status tx_add_script(evs_transaction *tx, const evs_script *script, const char *key)
{
    evs_bytes keys[] = {evs_text(key)};
    evs_invocation call = {.handle = script, .keys = keys, .nkeys = 1};
    return evs_transaction_add(tx, &call, NULL);
}

evs_status tx_add_words(evs_transaction *tx, const char *shard, const char *const words[4])
{
    evs_bytes args[4];
    evs_plain_command cmd = {.args = args, .shard = shard};
    while (cmd.nargs < 4 && words[cmd.nargs] != NULL) {
        args[cmd.nargs] = evs_text(words[cmd.nargs]);
        cmd.nargs++;
    }
    return evs_transaction_add_command(tx, &cmd, NULL);
}

void tx_run(evs_transaction *tx)
{
    evs_error err;
    if (evs_transaction_exec(tx, &err) != EVS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(evs_transaction_outcome(tx)->outcome, EVS_EXECUTED);
}

void tx_assert_element(const evs_transaction *tx, size_t index, evs_status status,
                       evs_outcome outcome)
{
    const evs_result *result = evs_transaction_result(tx, index);
    assert_non_null(result);
    if (result->status != status)
        fail_msg("element %zu: %s: %s", index, evs_status_name(result->status),
                 result->error == NULL ? "" : result->error->message);
    assert_int_equal(result->outcome, outcome);
    assert_true((result->error == NULL) == (status == EVS_OK));
}

int64_t tx_integer(const evs_transaction *tx, size_t index)
{
    tx_assert_element(tx, index, EVS_OK, EVS_EXECUTED);
    return evs_reply_integer(evs_transaction_result(tx, index)->reply);
}

long long tx_counter(size_t server, const char *key)
{
    char command[64];
    snprintf(command, sizeof command, "INCRBY %s 0", key);
    return shards_do(&stage.set, server, command);
}

uint64_t tx_loads(const evs_client *client)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, client);
    return stats.loads;
}

void tx_watch(evs_transaction *tx, const char *key)
{
    evs_error err;
    evs_bytes keys[] = {evs_text(key)};
    if (evs_transaction_watch(tx, keys, 1, &err) != EVS_OK)
        fail_msg("%s", err.message);
}
