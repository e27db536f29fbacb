/*
 * sentinels.h - one group of sentinels, as a client follows it: who the primaries are, asked by all
 * shards of the group together.
 *
 *   conn of a shard --seek--> primary.c --ask--> a round: every sentinel, every primary in question
 *        ^                        ^                             |
 *        +------- found ----------+---- elect (sharding/) <-----+ answers
 *                                 ^
 *   +switch-master of any sentinel, or a poll every `refresh`, begins a round of its own; so does
 *   what they say of replicas that are read from
 *
 * One round is under way at a time, whoever wants to know. It asks all sentinels at once, over
 * connections that stay; answers are judged when all are there, or 50 ms after enough of them
 * agree. Rounds keep a distance, which grows while they do not help those who wait. Each sentinel
 * is listened to on a second connection, since the one that leads a failover tells of it last.
 */
#ifndef EVS_SCRIPTS_ENGINE_SENTINELS_H
#define EVS_SCRIPTS_ENGINE_SENTINELS_H

#include "core/net/conn.h"
#include "scripts/engine/lane.h"

typedef struct evs__sentinels evs__sentinels;
typedef struct evs__primary evs__primary;

/* One sentinel. */
typedef struct evs__sentinel {
    evs__sentinels *group;
    const evs__login *login; /* the plan's */
    evs__conn *asked;        /* the client's conns own both */
    evs__conn *heard;
    evs__conn_limits limits[2]; /* theirs */
    evs__request subscribe;
    int subscribing;
    uint64_t epoch;              /* of `heard`, in which it was subscribed to, plus 1; 0: none */
    evs__request subscribe_also; /* to what is said of replicas */
    int subscribing_also;
    uint64_t epoch_also;
    size_t owes; /* answers of this round */
} evs__sentinel;

struct evs__sentinels {
    evs_client *client;
    evs__sentinels *next; /* of the client's */
    evs_shardmap *map;    /* that the plan is of; our reference */
    const evs__sentinel_plan *plan;
    evs__sentinel *all; /* plan->nhosts of them; ours */
    evs__ring primaries;
    size_t holders;
    unsigned busy; /* freeing is put off */
    int stopped;

    evs__timer *timer;                /* of a round, or until the next one */
    evs__timer *grace;                /* enough answers are there, the others have a little time */
    evs__timer *serving;              /* somebody seeks an address that is known */
    unsigned round;                   /* its number */
    size_t owed;                      /* answers to it */
    int decided;                      /* answers that come now are judged at once */
    const struct evs__switched *told; /* of a message that is being told; else NULL */
    int again;                        /* somebody wanted a newer answer while it was under way */
    int whole;       /* the next one is about all primaries, not only those that are sought */
    int wanted;      /* the round, or the next one, has a reason */
    unsigned rounds; /* with a reason, in a row: the last one did not help for long */
    unsigned polls;  /* rounds without a reason since there was one */
    uint64_t round_end;
    uint64_t made_at;
    int heard; /* there was a subscription */
};

/* The group of this plan, which is `map`'s: one that is there already, or a new one. A holder more.
 * NULL when out of memory. */
evs__sentinels *evs__sentinels_hold(evs_client *client, evs_shardmap *map,
                                    const evs__sentinel_plan *plan);

/* A holder less; the last one ends it. */
void evs__sentinels_drop(evs__sentinels *group);

/* Ends all that is timed of every group; connections are freed behind that, then the rest. */
void evs__sentinels_stop(evs_client *client);

/* Begins a round soon. */
void evs__sentinels_ask(evs__sentinels *group);

/* An address that a primary has may be given to those who seek it. */
void evs__sentinels_serve(evs__sentinels *group);

/* Is nothing known, by what lies in the sockets, of how things are now? */
int evs__sentinels_are_deaf(const evs__sentinels *group);

/* ---- for questions (question.h) ---- */

/* Does the group wait for answers of that round? */
int evs__sentinels_expect(const evs__sentinels *group, unsigned round);

/* A question of that round was answered, or never will be. `primary` was told; NULL: it does not
 * want to know any more. Runs completions. */
void evs__sentinels_answered(evs__sentinel *sentinel, unsigned round, evs__primary *primary);

#endif
