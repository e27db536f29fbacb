/*
 * followed.h - a primary and two replicas that real sentinels watch, and clients that read from
 * them, for tests. Keys and scripts are those of reading.h.
 *
 *     followed_start();
 *     evs_client *client = followed_open("prefer_replica", NULL);
 *     followed_settle();
 *     reading_read(client, "get", reading_key(7));
 *     ... followed_replicas_ran("evalsha_ro") ...
 *     followed_stop();
 *
 * One stage per program; everything here ends the test when it fails.
 */
#ifndef EVS_TESTS_SUPPORT_FOLLOWED_H
#define EVS_TESTS_SUPPORT_FOLLOWED_H

#include "tests/support/reading.h"
#include "tests/support/watched.h"

enum { FOLLOWED_KEYS = 40 };

typedef struct followed_group {
    watched set;
    evs_registry *registry;
    size_t primary; /* numbers of servers, as of followed_settle */
    size_t replicas[2];
    char log[64 * 1024]; /* of clients that are not threaded, since one was opened last */
} followed_group;

extern followed_group followed;

/* For the tests of reading.h: server 0 is the primary. */
extern const reading_stage followed_stage;

/* Sentinels take nobody for down who is only slow. */
void followed_start(void);
void followed_stop(void);

/* One primary and two replicas again, all with the keys; they count from 0. */
void followed_settle(void);

/* A server that was killed is a replica again; sentinels would see to it, after ten seconds. */
void followed_restart(size_t server);

/* How often a server ran the command, since followed_settle or followed_count_anew. */
long followed_ran(size_t server, const char *command);
long followed_replicas_ran(const char *command);
void followed_count_anew(void);

/* `rule` is the pool's `read_from`; further lines of the pool may follow it, four blanks deep. */
evs_shardmap *followed_map(const char *rule);
evs_client *followed_open(const char *rule, const evs_client_options *options);
void followed_reload(evs_client *client, const char *rule);

#endif
