/*
 * ways.h - every way to call something that counts, tried by tests that break wires and memory.
 *
 *     way_run run;
 *     way_begin(&run, &ways[i], client, &set);  // keys that nobody used; what comes first is done
 *     ways[i].act(&run);                        // and waited for
 *     run.calls[0 ... ways[i].ncalls - 1]       // what each was said to have come to
 *
 * Each call increments its own key once, so that the server's number there is how often it ran.
 */
#ifndef EVS_TESTS_SUPPORT_WAYS_H
#define EVS_TESTS_SUPPORT_WAYS_H

#include "tests/support/shards.h"

enum { WAYS_CALLS_MOST = 3, WAYS_TIMEOUT_MS = 60000 };

typedef struct way_call {
    char key[24];
    int done; /* how often it was completed */
    evs_status status;
    evs_outcome outcome;
} way_call;

typedef struct way_run {
    evs_client *client;
    shards *set;
    const char *script;
    size_t ncalls;
    way_call calls[WAYS_CALLS_MOST];
} way_run;

typedef struct way {
    const char *name;
    const char *script;
    size_t ncalls;
    void (*before)(way_run *); /* NULL: the client has done nothing yet */
    void (*act)(way_run *);
    const char *last; /* what the request of a call ends with; NULL: with its key */
    unsigned protocol;
    int threaded;   /* 2: and completions are queued */
    long long most; /* that a call may run */
    int believed;   /* it meets NOSCRIPT, which its script cannot have made up */
} way;

extern const way ways[];
extern const size_t ways_count;

/* Loads the scripts of all ways. The map they are called by says `on_no_keys: all`. */
void ways_load(shards *set);

/* A client for this way. */
evs_client *way_open(const way *how, const shards *set);

void way_begin(way_run *run, const way *how, evs_client *client, shards *set);

#endif
