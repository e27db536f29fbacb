/*
 * transactions.h - two servers with scripts, and short words for transactions on them, for tests.
 */
#ifndef EVS_TESTS_SUPPORT_TRANSACTIONS_H
#define EVS_TESTS_SUPPORT_TRANSACTIONS_H

#include "tests/support/shards.h"

enum { TX_TIMEOUT_MS = 60000 };

typedef struct tx_stage {
    shards set;
    const evs_script *incr, *fail, *value; /* counts; fails when it runs; reads */
    char here[32], there[32];              /* keys on the first and on the second server */
} tx_stage;

extern tx_stage stage;

/* Of a group of tests, and of each. */
int tx_set_up(void **state);
int tx_tear_down(void **state);
int tx_empty_servers(void **state);

evs_transaction *tx_new_on(evs_client *client);
evs_transaction *tx_new(void);

evs_status tx_add_script(evs_transaction *tx, const evs_script *script, const char *key);
/* A command of up to four words, the rest NULL; to `shard` when that is not NULL. */
evs_status tx_add_words(evs_transaction *tx, const char *shard, const char *const words[4]);
#define TX_ADD(tx, ...) \
    assert_int_equal(tx_add_words(tx, NULL, (const char *const[4]){__VA_ARGS__}), EVS_OK)
#define TX_ADD_TO(tx, shard, ...) \
    assert_int_equal(tx_add_words(tx, shard, (const char *const[4]){__VA_ARGS__}), EVS_OK)
#define TX_ADD_SCRIPT(tx, script, key) assert_int_equal(tx_add_script(tx, script, key), EVS_OK)

/* These fail the test when something else comes of it. */
void tx_run(evs_transaction *tx);
void tx_watch(evs_transaction *tx, const char *key);
void tx_assert_element(const evs_transaction *tx, size_t index, evs_status status,
                       evs_outcome outcome);
int64_t tx_integer(const evs_transaction *tx, size_t index);

long long tx_counter(size_t server, const char *key);
uint64_t tx_loads(const evs_client *client);

#endif
