/*
 * primary.h - where the primary of one shard is, as its sentinels say.
 *
 * Every connection to the shard asks here for an address each time it is made, which begins a round
 * of questions (sentinels.h), and connects to whoever was elected. Requests wait on the connection
 * meanwhile. When another is elected, or a sentinel says that the primary was replaced, connections
 * to the old one end at once: what it still acknowledges will be lost.
 */
#ifndef EVS_SCRIPTS_ENGINE_PRIMARY_H
#define EVS_SCRIPTS_ENGINE_PRIMARY_H

#include "scripts/engine/sentinels.h"
#include "sharding/sentinel.h"

typedef struct evs__followers evs__followers;

/* What one sentinel answered in this round. */
typedef struct evs__ballot {
    evs__vote vote;      /* its host is ours */
    evs_reply *replicas; /* ours: to SENTINEL REPLICAS; NULL: none, or not asked */
    evs_status status;
    char *why; /* ours; NULL: it did not fail, or was not asked yet */
} evs__ballot;

struct evs__primary {
    evs__finder finder; /* first */
    evs__ring ring;     /* in the group's */
    evs__ring questions;
    evs__sentinels *group; /* held */
    evs__sentinels *later; /* by the next map, held; NULL: none */
    evs__lane *lane;
    evs__login login;   /* the shard's, with the address there is */
    evs_error *trouble; /* ours: why there was none; NULL: there was no trouble */
    char *host;         /* ours; NULL: no primary is known */
    char *text;         /* ours: host and port */
    uint64_t epoch;
    uint64_t taken_at;    /* in the loop's milliseconds; 0: it did not work since */
    evs__ballot *ballots; /* ours; as many as the group has sentinels */
    size_t nballots;
    int meant;                 /* this round is about it */
    evs__followers *followers; /* ours: replicas that are read from; NULL: none ever was */
};

/* "host:port", or "[v6]:port", to be freed; NULL when out of memory. */
char *evs__place_text(const char *host, int port);

/* Of the shard of `lane`. NULL when out of memory. */
evs__primary *evs__primary_new(evs__lane *lane, evs__sentinels *group);

/* Accepts NULL. Connections were freed before. */
void evs__primary_free(evs__primary *primary);

/* The lane has the same shard of another map, and the group held in `later` if that is not NULL. */
void evs__primary_set_shard(evs__primary *primary);

/* Makes `conn`, of the lane or one of its leases, one that asks here. */
void evs__primary_watch(evs__primary *primary, evs__conn *conn);

/* Before an idle connection is used: ends it when sentinels have said something that nobody read
 * yet. */
void evs__primary_check(evs__primary *primary, evs__conn *conn);

/* Somebody said that the server is no primary, who may lie: the sentinels know. */
void evs__primary_ask(evs__primary *primary);

/* A server said that it is no primary. */
void evs__primary_doubt(evs__primary *primary, evs__conn *conn);

/* Why a call waited in vain. */
void evs__primary_explain(const evs__primary *primary, evs_error *err);

/* Does a connection seek an address, or a call a replica; with `urgently`, and somebody waits for
 * it? */
int evs__primary_is_sought(const evs__primary *primary, int urgently);

/* ---- for rounds ---- */

/* Forgets the answers of the last round, and decides whether this one is about the primary: when it
 * is about the `whole` group, or somebody seeks. */
void evs__primary_begin(evs__primary *primary, int whole);

/* Are its replicas read from, and to be asked for? */
int evs__primary_is_read_beside(const evs__primary *primary);

/* May its replicas be more, or well, soon? */
int evs__primary_hopes(const evs__primary *primary);

/* What sentinel number `from` answered, or why it did not. Takes `replicas`, which may be NULL. */
void evs__primary_told(evs__primary *primary, size_t from, const evs__vote *vote,
                       evs_reply *replicas);
void evs__primary_untold(evs__primary *primary, size_t from, const evs_error *why);

/* Do enough sentinels agree? */
int evs__primary_is_clear(const evs__primary *primary);

/* Takes who is elected, if somebody is. In the end of a round, those who seek are told why nobody
 * was. Runs completions. */
void evs__primary_judge(evs__primary *primary, int in_the_end);

/* A sentinel said so. Runs completions. Returns 1 when it is news. */
int evs__primary_switched(evs__primary *primary, const evs__switched *told);

/* Gives the address there is to connections that seek it, if it was taken just now; calls that wait
 * for a replica in vain go on. */
void evs__primary_serve(evs__primary *primary);

#endif
