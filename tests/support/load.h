/*
 * load.h - many calls of a script on a cluster, some of them always on their way, each counted
 * once.
 *
 * A call has two keys of one tag, "TAG:<n>" and "TAG:<n + 1>" with n below LOAD_KEYS, and its own
 * number as argument where the script takes one. Tags take turns.
 */
#ifndef EVS_TESTS_SUPPORT_LOAD_H
#define EVS_TESTS_SUPPORT_LOAD_H

#include "tests/support/nodes.h"

enum { LOAD_KEYS = 5, LOAD_TAGS = 12, LOAD_OPEN = 32, LOAD_MOST = 20000 };

typedef struct load {
    evs_client *client;
    const char *script;
    char tags[LOAD_TAGS][32];
    size_t ntags;
    int most;            /* calls to make */
    int numbered;        /* the script takes the call's number */
    unsigned timeout_ms; /* of a call; 0: 20 seconds */

    /* what came of it */
    int sent, open, done, good, failed, maybe;
    unsigned char reports[LOAD_MOST]; /* by call: how often it was reported */
    unsigned char succeeded[LOAD_MOST];
    evs_status statuses[LOAD_MOST];
    evs_outcome outcomes[LOAD_MOST];
} load;

/* Sends the first calls; each that ends is followed by another. */
void load_start(load *self);

/* Goes on while fewer than `until` calls are done; load_some gives up when all that is open rests.
 */
void load_until(load *self, int until);
void load_some(load *self, int until);

/* Goes on until so many more calls succeeded; how many milliseconds that took. */
long load_more(load *self, int successes);

/* Prints the counts, and fails the test unless every call was reported exactly once. */
void load_check(const load *self, const char *what);

/* The sum of all keys, each asked of the node that serves it by the word of node `asked`. */
long long load_sum(const load *self, nodes *set, size_t asked);

/* A script for calls that have a number: each key is a hash that says how often which call ran. */
extern const char LOAD_COUNT[];

/* What the servers say of such calls, each asked of the node that serves it by the word of node
 * `asked`. */
typedef struct load_ran {
    int twice;  /* ran more than once */
    int untrue; /* ran, and was reported as not executed */
    int lost;   /* succeeded, and is not there: acknowledged by a server that died or was demoted */
} load_ran;

/* Counts and prints that, and fails the test when a call ran twice or its outcome was untrue. */
load_ran load_check_ran(const load *self, nodes *set, size_t asked);

/* Tags "{STEM<n>}" of slots that `node` serves. */
void load_tags(load *self, nodes *set, const char *stem, size_t node, size_t count);

unsigned load_slot(nodes *set, const char *key);

#endif
