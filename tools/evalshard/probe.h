/*
 * probe.h - what one server says about itself, and what is wrong with that for a shard of a map.
 *
 * Nothing is changed on the server: what may be run is found out by asking for a script that no
 * server has, and by sending one that does not compile; what may be heard, by listening for a
 * moment.
 */
#ifndef EVS_TOOLS_PROBE_H
#define EVS_TOOLS_PROBE_H

#include <evalshard/evalshard.h>

typedef enum probe_severity { PROBE_NOTE, PROBE_WARNING, PROBE_ERROR } probe_severity;

typedef struct probe_finding {
    probe_severity severity;
    const char *code; /* "E500"; docs/shard-map.md has them all */
    char *message;    /* ours */
    const char *hint; /* "" when there is none */
} probe_finding;

/* A node of a cluster, as another one tells. */
typedef struct probe_node {
    char *id, *address; /* ours */
} probe_node;

/* A replica, as a sentinel tells. */
typedef struct probe_seen {
    char *address;     /* ours */
    const char *fault; /* why it is not read from by that word; NULL: it is. Static */
} probe_seen;

/* A primary that a sentinel is asked for. */
typedef struct probe_watch {
    char *master, *shard;  /* its name there; for people. Ours */
    const char *read_from; /* of the shard, as in the map; static */
    char *place;           /* where it is said to be, host:port; ours. NULL: not told */
    int is_described;      /* what follows is known */
    int64_t quorum, others, replicas, epoch;
    int tells; /* its replicas, where those are read from */
    probe_seen *seen;
    size_t nseen;
} probe_watch;

typedef enum probe_may { PROBE_UNKNOWN, PROBE_MAY, PROBE_MAY_NOT } probe_may;

typedef struct probe {
    /* whom to ask */
    evs_client *client;           /* threaded; borrowed */
    const evs_registry *registry; /* NULL: scripts are not looked for; borrowed */
    char *shard;                  /* for the client; ours */
    char *name;                   /* for people, "pool/shard"; ours */
    char *address;                /* ours */
    int is_node;                  /* of a cluster */
    int is_replica;               /* by the word of sentinels */
    int is_sentinel;
    int reads; /* what only reads goes there, if it is a replica */
    int db;    /* that is asked for */

    /* what it says */
    int is_reachable;
    char server[48]; /* "Redis 7.0.15"; "" when unknown */
    char role[12];   /* "primary", "replica" or "sentinel"; "" when unknown */
    int speaks_resp3;
    int knows_time;
    int64_t skew_ms; /* of its clock against ours */
    probe_may may_run, may_load;
    probe_may may_read; /* run scripts that only read, on a replica that is read from */
    int64_t loaded;     /* scripts of the registry; -1 when unknown */
    char id[41];        /* of a node */
    char replid[41];    /* of its data; "" when unknown */
    char *follows; /* host:port of the primary of a replica; ours. NULL: unknown, or not linked */
    probe_node *nodes;
    size_t nnodes;
    probe_watch *watches; /* of a sentinel; named by who asks it */
    size_t nwatches;
    probe_finding *findings;
    size_t nfindings;
} probe;

/* Asks the server everything. One thread a probe; several may share the client and registry. */
void probe_ask(probe *p);

/* An error's message without the shard that it names at its beginning, which is shown anyway. */
const char *probe_bare(const probe *p, const evs_error *err);

void probe_complain(probe *p, probe_severity severity, const char *code, const char *hint,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Sends one command. NULL when that failed, with the reason in `err`; an error reply is a reply.
 * Yours to free. */
evs_reply *probe_send(const probe *p, const char *const *words, size_t nwords, evs_error *err);

/* What a node knows of its cluster (probe_cluster.c). */
void probe_ask_cluster(probe *p);

/* What a sentinel says of the primaries that it is asked for (probe_sentinel.c). */
void probe_ask_sentinel(probe *p);

/* Whether it lets the user listen to what a client wants to hear of them (probe_listen.c). */
void probe_try_listening(probe *p);

/* Of a pool: whether its `read_from` sends calls to replicas. */
int probe_reads_replicas(const char *read_from);

/* Whether it is a replica, as its sentinels say (probe_replica.c); and whether its data is that of
 * the primary of its shard, when both were asked. */
void probe_ask_replica(probe *p);
void probe_compare_replica(probe *p, const probe *primary);

/* One more of those; `read_from` is static. */
void probe_add_watch(probe *p, const char *master, const char *shard, const char *read_from);

/* What several sentinels of one group say of the same primaries, held against each other. */
void probe_compare_sentinels(probe *sentinels, size_t count);

/* Where most of them say that primary number `watch` is; NULL: nobody told. */
const char *probe_place(const probe *sentinels, size_t count, size_t watch);

/* The replicas of that primary which a client reads from by their word, as one text with commas in
 * between; "" when there are none. Yours to free. NULL: nobody told. */
char *probe_list_replicas(const probe *sentinels, size_t count, size_t watch);

void probe_free(probe *p);

#endif
