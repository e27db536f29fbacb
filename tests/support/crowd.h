/*
 * crowd.h - three servers, a client with a thread of its own, many threads that call it, and a
 * tally of what their calls completed with, for tests.
 *
 * cmocka's asserts belong to the main thread; what runs on another one only counts.
 */
#ifndef EVS_TESTS_SUPPORT_CROWD_H
#define EVS_TESTS_SUPPORT_CROWD_H

#include "tests/support/shards.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

enum { CROWD_MOST = 64, CROWD_EACH = 100, CROWD_TIMEOUT_MS = 60000 };

/* One thread and what it counted. */
typedef struct crowd_worker {
    pthread_t id;
    evs_client *client;
    size_t number;
    size_t ok, refused, other;
} crowd_worker;

typedef struct crowd_tally {
    atomic_size_t done, ok, canceled, full;
    pthread_t here;
    atomic_size_t elsewhere; /* completions that ran on another thread */
    evs_client *client;
    atomic_size_t waited; /* statuses of a call that would wait, in a completion */
    sem_t *all_done;
    size_t expected;
} crowd_tally;

typedef struct crowd_stage {
    shards set;
    const evs_script *incr; /* counts at its key and returns the count */
    crowd_tally totals;     /* of the calls that were submitted with crowd_count */
} crowd_stage;

extern crowd_stage crowd;

/* Of a group of tests, and of each. */
int crowd_set_up(void **state);
int crowd_tear_down(void **state);
int crowd_empty_servers(void **state);

/* `given` may be NULL; the client has a thread of its own whatever it says. */
evs_client *crowd_open(const evs_client_options *given);

evs_invocation crowd_call(const evs_script *script, const evs_bytes *key);

/* Worker number i calls at the key "{c:<i>}". */
void crowd_run(crowd_worker *workers, size_t count, evs_client *client, void *(*work)(void *));
void crowd_join(crowd_worker *workers, size_t count);

/* Work: submits CROWD_EACH calls, which crowd_count notes in the totals. */
void *crowd_submit_often(void *worker);
/* Work: calls and waits, until it is told that the client is closed. */
void *crowd_call_until_closed(void *worker);

/* The totals are zero again. `client` is one that each completion tries to call and wait, or NULL;
 * `all_done` is posted by completion number `expected`, unless it is NULL. */
void crowd_begin(size_t expected, evs_client *client, sem_t *all_done);
/* A completion whose argument is a crowd_tally. */
void crowd_count(void *tally, const evs_result *result);

/* The sum of the workers' counters on all servers. */
long long crowd_sum(void);

void crowd_wait(sem_t *sem);

/* Holds the thread of a client up, in a completion, from `begun` to `go`. */
typedef struct crowd_hold {
    sem_t begun, go;
} crowd_hold;

void crowd_hold_init(crowd_hold *self);
void crowd_hold_destroy(crowd_hold *self);
/* A completion whose argument is a crowd_hold. */
void crowd_hold_up(void *hold, const evs_result *result);

#endif
