/*
 * calls_peer.h - what bench.calls compares: peers that make the same calls of the same servers.
 */
#ifndef EVS_TESTS_BENCH_CALLS_PEER_H
#define EVS_TESTS_BENCH_CALLS_PEER_H

#include <evalshard/evalshard.h>

enum { CALLS_KEYS = 10000, CALLS_KEY_LEN = 20, CALLS_MOST_ARGS = 16, CALLS_IDLE_AFTER_MS = 500 };

#define CALLS_SCRIPT "return 1"

typedef struct calls_peer calls_peer;

/* See bench_calls.c. */
typedef enum calls_mode { CALLS_BATCH, CALLS_LOOP, CALLS_BLOCK, CALLS_IDLE } calls_mode;

typedef struct bench {
    /* what is asked */
    const calls_peer *peer;
    calls_mode mode;
    size_t count, depth, shards, args, elements, scripts;
    const char *distribution;
    int places_outside; /* what placing keys takes is left out of the figure */
    size_t nodes;       /* of a cluster; 0: the shards are those of the map */
    int threaded;
    int preload;

    /* what both peers use */
    char **addresses; /* one per shard */
    evs_shardmap *map;
    char sha[41];
    char (*keys)[CALLS_KEY_LEN + 1];
    unsigned *homes; /* of the keys: their shards */
    evs_bytes argv[CALLS_MOST_ARGS];

    void *own;     /* the peer's */
    size_t before; /* bytes of heap when the peer began to connect */
    size_t done;   /* calls, since `run` began */
} bench;

/* Every function ends the program when something is wrong. */
struct calls_peer {
    const char *name;
    void (*open)(bench *self); /* connects; sets `before` */
    void (*run)(bench *self);  /* makes `count` calls as the mode says */
    void (*rest)(bench *self); /* gives back the memory of a burst */
    void (*close)(bench *self);
};

extern const calls_peer calls_evs, calls_hiredis;

void calls_die(const char *what, const char *why) __attribute__((noreturn));

static inline evs_bytes calls_key(const bench *self, size_t call)
{
    return (evs_bytes){self->keys[call % CALLS_KEYS], CALLS_KEY_LEN};
}

#endif
