/*
 * followers.h - replicas of one primary that sentinels watch, where the map lets them be read from.
 *
 *   call that reads --> its lane still serves it? --> a replica that works, in turn
 *                                                     --> none: the primary (prefer_replica),
 *                                                         or it waits for one (replica)
 *
 * Sentinels are asked for them in the rounds that are about the primary (sentinels.h): those that
 * name the primary that was elected tell its replicas, too. One is read from when no more of them
 * find fault with it than find it well. Whoever answers at its address has to be a replica with a
 * link to its primary (ROLE). One that became the primary, or is not named any more, is left: its
 * connection ends, and it is freed when the last of its calls is finished.
 */
#ifndef EVS_SCRIPTS_ENGINE_FOLLOWERS_H
#define EVS_SCRIPTS_ENGINE_FOLLOWERS_H

#include "scripts/engine/call.h"
#include "scripts/engine/primary.h"
#include "scripts/engine/reader.h"

typedef struct evs__follower {
    evs__reader reader; /* first */
    char *host;         /* ours, as is the text */
    char *text;         /* host and port */
    size_t well, ill;   /* so many sentinels find it so, in this round */
    const char *fault;  /* one that was found; NULL: none */
    int listed;         /* to be read from */
} evs__follower;

struct evs__followers {
    evs__primary *primary;
    evs__follower **all; /* ours */
    size_t count;
    size_t turn;
    evs__ring waiting;  /* calls; by their request's ring */
    int known;          /* sentinels have told */
    evs_error *trouble; /* ours: why they did not; NULL: they did, or were not asked yet */
};

/* NULL when out of memory. */
evs__followers *evs__followers_new(evs__primary *primary);

/* Accepts NULL. Connections were freed before. */
void evs__followers_free(evs__followers *followers);

/* Of a lane whose calls they serve; NULL: there are none. */
evs__followers *evs__followers_of(const evs__lane *lane);

/* The shard is that of another map, which may read from the primary alone. */
void evs__followers_set_map(evs__followers *followers);

/* ---- rounds ---- */

/* Takes what those sentinels told that named the primary there is, if there is one. In the end of a
 * round, those who wait are told. Runs completions. */
void evs__followers_judge(evs__followers *followers, int has_winner, int in_the_end);

/* Those who wait go to the primary, when the map does not read from replicas any more. Runs
 * completions. */
void evs__followers_serve(evs__followers *followers);

/* One of them is the primary now, by the word of a sentinel. Runs completions. */
void evs__followers_promote(evs__followers *followers, const evs__place_at *place);

/* Does a call wait for news? May there be some soon? */
int evs__followers_want(const evs__followers *followers);
int evs__followers_hope(const evs__followers *followers);

/* ---- calls (aim.h) ---- */

void evs__followers_choose(evs__call *call);
evs_status evs__followers_admit(const evs__call *call, evs_error *err);
void evs__followers_wait(evs__call *call);
void evs__followers_look(const evs__lane *lane);
void evs__followers_explain(const evs__call *call, evs_error *err);

/* ---- whose calls are finished (reload.c) ---- */

/* None is busy; is one? Frees those that were left and are not. Closes all connections. */
void evs__followers_forget_calls(evs__followers *followers);
int evs__followers_are_in_use(const evs__followers *followers);
void evs__followers_prune(evs__followers *followers);
void evs__followers_close(evs__followers *followers);

#endif
