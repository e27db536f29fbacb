/*
 * shards.h - a client on scratch servers, for tests: servers, a map that names them, a registry.
 */
#ifndef EVS_TESTS_SUPPORT_SHARDS_H
#define EVS_TESTS_SUPPORT_SHARDS_H

#include "tests/support/proxy.h"
#include "tools/scratch/scratch.h"
#include <evalshard/evalshard.h>

enum { SHARDS_MOST = 3 };

typedef struct shards {
    scratch *area;
    scratch_server *servers[SHARDS_MOST];
    size_t count;
    evs_shardmap *map;
    evs_registry *registry;
    evs_client *client;
    proxy *wire;               /* of shards_start_behind, else NULL */
    struct redisContext *side; /* of shards_side; NULL before */
} shards;

/* Starts `count` servers "s0", "s1", ... and opens a client on them. `pool_keys` are more lines for
 * the map's pool, each ending in a newline; NULL for none. Ends the test program when no server is
 * installed or anything fails. */
void shards_start(shards *set, size_t count, const char *pool_keys);

/* The same on the addresses given, without servers. */
void shards_open(shards *set, const char *const *addresses, size_t count, const char *pool_keys);

/* One server, and the client's connections to it go through `set->wire`. */
void shards_start_behind(shards *set);

void shards_stop(shards *set);

/* One more client on the same map and scripts, the caller's to free. `options` may be NULL. */
evs_client *shards_client(const shards *set, const evs_client_options *options);

/* Loads a script from text; fails the test when that does not work. */
const evs_script *shards_script(shards *set, const char *name, const char *source);

/* A text of a server's INFO section such as "commandstats", found by its beginning, e.g.
 * "cmdstat_script|load:calls=": the number behind it, 0 when the line is not there. Asked over a
 * connection of its own. */
long shards_info(shards *set, size_t server, const char *section, const char *beginning);

/* Runs a command given as words on a server over a connection of its own; its reply must not be an
 * error. Integer replies are returned, everything else is 0. */
long long shards_do(shards *set, size_t server, const char *command);

/* Takes all keys from all servers. */
void shards_empty(shards *set);

/* The test's own connection to the first server, made when it is first asked for. */
struct redisContext *shards_side(shards *set);

/* The number at a key of the first server, 0 when there is none; asked on the side. */
long long shards_counter(shards *set, const char *key);

/* A key "{<n>}" that lives on shard `server`, in a static buffer of `out`. */
const char *shards_key(shards *set, size_t server, char out[32]);

#endif
