/*
 * reading.h - clients that read from replicas, and tests of them that hold wherever the replicas
 * are: in a cluster (readers.h), or watched by sentinels (followed.h).
 *
 * Every key is its own value, on the replicas, too. The scripts are "get", which says that it only
 * reads, "plain_get", which does not, "flagged", which does but has a shebang without no-writes,
 * and "set". Who ran what is counted by the servers. Everything here ends the test when it fails.
 */
#ifndef EVS_TESTS_SUPPORT_READING_H
#define EVS_TESTS_SUPPORT_READING_H

#include <evalshard/evalshard.h>

/* A registry with the scripts; yours to free. */
evs_registry *reading_scripts(void);

/* "key:<i>", until the next call. */
const char *reading_key(int i);

/* One call; what is read has to be the key. reading_read fails the test when it does not work, as
 * reading_write does, which writes the key's value once more. */
evs_status reading_try(evs_client *client, const char *script, const char *key, unsigned timeout_ms,
                       evs_error *err);
void reading_read(evs_client *client, const char *script, const char *key);
void reading_write(evs_client *client, const char *key);

/* Opens a client and reads while allocations fail as of `starve(n)`. Whether anything failed; when
 * there is memory again the client has to work. */
int reading_starved(evs_shardmap *map, evs_registry *registry, void (*starve)(size_t n), size_t n);

/* ---- tests ---- */

/* Servers: primaries first, then the replicas, which together have all keys below `keys`. */
typedef struct reading_stage {
    int keys;
    size_t primaries, replicas;
    /* `rule` is the pool's `read_from`; the client is yours to free. */
    evs_client *(*open)(const char *rule, const evs_client_options *options);
    /* All is well again, the keys are there, and servers count from 0. */
    void (*settle)(void);
    /* How often a server ran a command since then. */
    long (*ran)(size_t server, const char *command);
    void (*forget_scripts)(size_t server);
} reading_stage;

/* A row of a test program's table: one of the tests below on a stage. */
#define READING_TEST(test, stage) cmocka_unit_test_prestate(test, (void *)(stage))

/* Replicas run what says that it only reads, each of them some, and primaries all else: by either
 * rule, and however the client is driven. */
void reading_is_spread_over_replicas(void **state);
void reading_goes_to_primaries_without_a_rule(void **state);
void reading_by_plain_commands_goes_to_replicas(void **state);
void reading_heals_scripts_on_replicas(void **state);

#endif
