/*
 * states.h - one server that a test puts into a state that refuses scripts, and what calls say
 * then.
 */
#ifndef EVS_TESTS_SUPPORT_STATES_H
#define EVS_TESTS_SUPPORT_STATES_H

#include "tests/support/shards.h"
#include <hiredis/hiredis.h>

typedef struct states {
    shards set;               /* its client waits until the deadline */
    evs_client *hasty;        /* EVS_PATIENCE_NONE */
    redisContext *side;       /* of `set` */
    const evs_script *honest; /* counts in "c"; provably returns no error */
    const evs_script *liar;   /* counts; may return an error */
    const evs_script *reader; /* may run twice, and may return an error */
} states;

/* `config` are arguments of the server; NULL for none. */
void states_begin(states *w, const char *const *config, size_t nconfig);
void states_end(states *w);

/* On the side: a command, which must not fail; its number, else 0. */
long long states_do(states *w, const char *command);

/* One call of `script` on the key c; fails the test when something else comes of it, or when the
 * counter there grew by another number than `ran`. */
void states_expect(states *w, evs_client *client, const evs_script *script, evs_status status,
                   evs_outcome outcome, long long ran);

/* Without waiting, and without looking at the counter. */
typedef struct states_call {
    int done;
    evs_status status;
    evs_outcome outcome;
} states_call;

void states_submit(evs_client *client, const evs_script *script, states_call *into);
void states_finish(evs_client *client, const states_call *all, size_t count);

#endif
