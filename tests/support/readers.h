/*
 * readers.h - a real cluster with replicas, and clients that read from them, for tests.
 *
 *     readers_start(3, 3, NULL);                  // replica number i is node 3 + i
 *     evs_client *client = readers_open("prefer_replica", NULL);
 *     reading_read(client, "get", reading_key(7));
 *     ... nodes_ran(&readers.set, 3, "evalsha_ro") ...
 *     readers_stop();
 *
 * Keys and scripts are those of reading.h. One stage per program; everything here ends the test
 * when it fails.
 */
#ifndef EVS_TESTS_SUPPORT_READERS_H
#define EVS_TESTS_SUPPORT_READERS_H

#include "tests/support/nodes.h"
#include "tests/support/reading.h"

enum { READERS_KEYS = 60 };

typedef struct readers_stage {
    nodes set;
    evs_registry *registry;
} readers_stage;

extern readers_stage readers;

/* `how` as that of nodes_start_with, or NULL. */
void readers_start(size_t primaries, size_t replicas, const scratch_options *how);
void readers_stop(void);

/* Each key's value, once more. Returns when the replicas have it. */
void readers_fill(size_t primaries);

/* `rule` is the pool's `read_from`; further lines of the pool may follow it, four blanks deep. */
evs_shardmap *readers_map(const char *rule);
evs_client *readers_open(const char *rule, const evs_client_options *options);

/* A key whose slot that primary serves, until the next call of reading_key; and who serves one. */
const char *readers_key_at(size_t primary);
size_t readers_home(const char *key);

/* How often the nodes from `from` up to `to` ran the command. */
long readers_ran(size_t from, size_t to, const char *command);

#endif
