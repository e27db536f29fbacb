/*
 * readers.h - a real cluster with replicas, and clients that read from them, for tests.
 *
 *     readers_start(3, 3, NULL);                  // replica number i is node 3 + i
 *     evs_client *client = readers_open("prefer_replica", NULL);
 *     readers_read(client, "get", readers_key(7));
 *     ... nodes_ran(&readers.set, 3, "evalsha_ro") ...
 *     readers_stop();
 *
 * Every key is its own value, on the replicas, too. The scripts are "get", which says that it only
 * reads, "plain_get", which does not, "flagged", which does but has a shebang without no-writes,
 * and "set". One stage per program; everything here ends the test when it fails.
 */
#ifndef EVS_TESTS_SUPPORT_READERS_H
#define EVS_TESTS_SUPPORT_READERS_H

#include "tests/support/nodes.h"

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

/* "key:<i>", until the next call; one whose slot that primary serves; and who serves one. */
const char *readers_key(int i);
const char *readers_key_at(size_t primary);
size_t readers_home(const char *key);

/* One call; what is read has to be the key. readers_read fails the test when it does not work. */
evs_status readers_try(evs_client *client, const char *script, const char *key, unsigned timeout_ms,
                       evs_error *err);
void readers_read(evs_client *client, const char *script, const char *key);

/* How often the nodes from `from` up to `to` ran the command. */
long readers_ran(size_t from, size_t to, const char *command);

#endif
