/*
 * fleet.h - every script of the registry on every shard of the map: asking, loading, showing.
 */
#ifndef EVS_TOOLS_FLEET_H
#define EVS_TOOLS_FLEET_H

#include "tools/evalshard/opt.h"
#include "tools/evalshard/session.h"

/* What is known of one script on one shard. */
typedef enum fleet_state {
    FLEET_UNREACHABLE, /* no answer */
    FLEET_REFUSED,     /* the server answered with an error */
    FLEET_MISSING,
    FLEET_WOULD_LOAD, /* missing, and a load without --dry-run would change that */
    FLEET_LOADED
} fleet_state;

typedef struct fleet_shard {
    evs_shard_info info;
    char *name;       /* "pool/shard" */
    int is_reachable; /* it answered everything so far */
    int64_t not_ours; /* cached scripts that are not in the registry; -1 when unknown */
    char problem[sizeof((evs_error *)0)->message]; /* "" when there is none */
} fleet_shard;

typedef struct fleet {
    const session *s;
    fleet_shard *shards;
    size_t nshards, nscripts;
    fleet_state *states; /* script by script, each over all shards */
} fleet;

/* Everything is unreachable until asked. Ends the program when out of memory. */
void fleet_init(fleet *f, const session *s);
void fleet_free(fleet *f);

fleet_state *fleet_at(const fleet *f, size_t script, size_t shard);

/* Asks each shard which scripts it has (SCRIPT EXISTS). */
void fleet_ask(fleet *f);

/* Asks each shard how many scripts it has that are not ours. After fleet_ask. */
void fleet_count_others(fleet *f);

/* Loads every script on every shard (SCRIPT LOAD). The first silence of a shard ends its turn. */
void fleet_load(fleet *f);

/* Prints a row per script and a column per shard on a terminal that is wide enough, else
 * `script<TAB>pool<TAB>shard<TAB>state` rows. */
void fleet_print(const fleet *f);
void fleet_print_json(const fleet *f);

/* 3 when a shard is unreachable, else 1 when a script is missing or refused somewhere, else 0. */
int fleet_exit_code(const fleet *f);

/* What load and status have in common: opens map and scripts, lets `work` ask or load, prints, and
 * returns the exit code. Options are found by their place in the command's table. */
typedef struct fleet_command {
    const char *name; /* for complaints */
    size_t map;
    size_t scripts;
    size_t json;
    void (*work)(fleet *f, const opts *given);
} fleet_command;

int fleet_run(const fleet_command *shared, const opts *given);

#endif
