/*
 * demo_stage.h - what the steps of the demonstration stand on: three scratch servers, a map of
 * them, a client, and the numbers that the servers themselves count.
 */
#ifndef EVS_TOOLS_DEMO_STAGE_H
#define EVS_TOOLS_DEMO_STAGE_H

#include "tools/evalshard/session.h"
#include "tools/scratch/scratch.h"

enum { DEMO_SHARDS = 3, DEMO_USERS = 1000 };

/* What one server has counted since it started. */
typedef struct numbers {
    int64_t keys;     /* DBSIZE */
    int64_t reads;    /* how often it read from a socket: one round trip each */
    int64_t evalsha;  /* EVALSHA executed */
    int64_t loads;    /* SCRIPT LOAD executed */
    int64_t noscript; /* NOSCRIPT answered */
} numbers;

typedef struct demo {
    scratch *area;
    scratch_server *servers[DEMO_SHARDS]; /* in the order of the map */
    session s;
} demo;

/* Starts the servers and opens the session. Prints what is wrong and returns the exit code for it.
 */
int demo_open(demo *d);

/* Ends the servers, removes the folder. Also what demo_open left half done. */
void demo_close(demo *d);

/* Asks each server. Fails as evs_command does. Asking is itself one DBSIZE and one INFO. */
evs_status demo_numbers(numbers out[DEMO_SHARDS], const demo *d, evs_error *err);

/* What happened in between, without the reads that the asking took. */
numbers demo_since(const numbers *before, const numbers *now);
numbers demo_total(const numbers each[DEMO_SHARDS]);

const char *demo_shard_name(const demo *d, size_t shard);

/* The number of the shard that the keys of user `uid` live on. */
size_t demo_shard_of(const demo *d, int uid);

/* The first user from `uid` on whose keys live on `shard`. */
int demo_user_on(const demo *d, size_t shard, int uid);

evs_status demo_create_user(const demo *d, int uid, evs_error *err);

/* One call of create_status, ready to be sent; `uid` is its author. */
typedef struct post {
    evs_invocation call;
    evs_bytes keys[2], args[3];
    char texts[3][64];
} post;

void demo_write_post(post *out, int uid, const char *id);

/* Writes and sends it. Fails also when the script says that there is no such user. */
evs_status demo_post(const demo *d, int uid, const char *id, evs_error *err);

#endif
