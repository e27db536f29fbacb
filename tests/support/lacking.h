/*
 * lacking.h - calls for which memory runs out, at each allocation in turn: once, or from there on.
 */
#ifndef EVS_TESTS_SUPPORT_LACKING_H
#define EVS_TESTS_SUPPORT_LACKING_H

#include <evalshard/evalshard.h>

enum { LACKING_LONG_MS = 60000 };

/* A map, and a registry with the script "count", which counts how often it ran in its key. */
typedef struct lacking {
    evs_shardmap *map;
    evs_registry *registry;
} lacking;

/* 0, or -1 when that cannot be had, and then what is wrong was printed. */
int lacking_begin(lacking *l, const char *yaml);
void lacking_end(lacking *l);

evs_client *lacking_open(const lacking *l, int threaded);

/* One way for one allocation to fail. */
typedef struct lack {
    void (*arm)(size_t n);
    size_t n;
} lack;

/* What a call said while memory lacked. */
typedef struct lacking_said {
    evs_status status;
    evs_outcome outcome;
    int reached; /* the n-th allocation was asked for at all */
} lacking_said;

lacking_said lacking_call(evs_client *client, const char *key, const lack *one,
                          unsigned timeout_ms);

/* Whether that is true of a script that ran so often. */
void lacking_judge(const char *what, const lack *one, const lacking_said *said, long long ran);

/* A connection that memory lacked for is tried again after a pause. */
void lacking_works(evs_client *client, const char *key);

/* Tries one lack: what the call said. */
typedef lacking_said lacking_try(const void *what, const lack *one);

/* Tries all until none is reached, of each kind `at_most`, and prints a summary. */
void lacking_everywhere(const char *name, lacking_try *attempt, const void *what, size_t at_most);

#endif
