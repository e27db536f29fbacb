/*
 * runs.h - three servers and a script "count" that has no keys, counts on each server how often it
 * ran there, and returns the count, for tests.
 */
#ifndef EVS_TESTS_SUPPORT_RUNS_H
#define EVS_TESTS_SUPPORT_RUNS_H

#include "tests/support/shards.h"

enum { RUNS_SERVERS = 3 };

/* How often it ran on each server. */
typedef struct runs {
    long long of[RUNS_SERVERS];
} runs;

/* The pool sends calls without keys to all shards and tries no call again. */
void runs_start(shards *set);

runs runs_now(shards *set);

/* Since `before` it ran so often on each. */
void runs_expect(shards *set, const runs *before, long long a, long long b, long long c);

#endif
