/*
 * world.h - a client on one fake shard, and what becomes of the calls it submits.
 */
#ifndef EVS_TESTS_SUPPORT_WORLD_H
#define EVS_TESTS_SUPPORT_WORLD_H

#include "tests/support/fake_shard.h"
#include "tests/support/shards.h"

#define WORLD_SHA       "e0e1f9fabfc9d4800c877a703b823ac0578ff8db" /* of "return 1" */
#define WORLD_SHA_REPLY "$40\r\n" WORLD_SHA "\r\n"
#define WORLD_NOSCRIPT  "-NOSCRIPT No matching script.\r\n"

enum { WORLD_PATIENCE_MS = 60000 };

typedef struct world world;

/* A call. */
typedef struct slot {
    world *all;
    evs_ticket ticket;
    int done;
    size_t order; /* among all that are done, from 1 */
    evs_status status;
    evs_outcome outcome;
    int64_t number;
    void (*then)(struct slot *self); /* in the completion; NULL: nothing more */
} slot;

struct world {
    shards set;
    fake_shard *fake;
    const evs_script *script; /* what is submitted: "return 1" at first */
    size_t done;
    size_t rooms;
};

/* `options` NULL: the usual ones. */
void world_open(world *w, fake_listen listen, const fake_step *steps, size_t nsteps,
                const evs_client_options *options);
#define WORLD_OPEN(w, steps, options) \
    world_open(w, FAKE_UNIX, steps, sizeof(steps) / sizeof(steps)[0], options)
void world_close(world *w);

evs_status world_submit(world *w, slot *self, unsigned timeout_ms);

/* Until nothing is pending: driven, or by the client's descriptor, without a limit of its own, so
 * that what the descriptor does not tell is never noticed. */
void world_finish(world *w);
void world_poll(world *w);

#endif
