/*
 * sentinel.h - what sentinels say of a primary, and whom to believe.
 *
 * Pure: replies in, answers out. A sentinel tells the address of a primary (SENTINEL
 * GET-MASTER-ADDR-BY-NAME), the epoch of the failover that made it one (config-epoch in SENTINEL
 * MASTER), its replicas (SENTINEL REPLICAS), and says when there is another (+switch-master).
 * Sentinels hear of a failover one after the other, and the same address with a higher epoch is the
 * newer truth; one that may not be asked for the epoch has 0.
 */
#ifndef EVS_SHARDING_SENTINEL_H
#define EVS_SHARDING_SENTINEL_H

#include <evalshard/reply.h>

enum { EVS__LONGEST_HOST = 255 };

/* An address, borrowed from where it was read. */
typedef struct evs__place_at {
    evs_bytes host; /* without brackets */
    int port;
} evs__place_at;

/* Reads a reply to GET-MASTER-ADDR-BY-NAME. Fails with CONFIG when the sentinel knows no such name,
 * with CONNECT or DENIED when it refuses, and with PROTOCOL. */
evs_status evs__primary_read(evs__place_at *out, const evs_reply *reply, evs_error *err);

/* The config-epoch in a reply to SENTINEL MASTER; 0 when it holds none. */
uint64_t evs__primary_epoch(const evs_reply *reply);

/* One element of a reply to SENTINEL REPLICAS, as that sentinel sees the replica. */
typedef struct evs__seen {
    evs__place_at place;
    const char *fault; /* why it should not be read from; NULL: it works. Stays */
} evs__seen;

/* 0 when it holds no address. */
int evs__replica_read(evs__seen *out, const evs_reply *reply);

/* Fails as a sentinel did that told no replicas; the reply may be NULL. `name` is its own. */
evs_status evs__replicas_refused(evs_error *err, const evs_reply *reply, const char *name);

/* Reads a message of another channel, about a replica. Gives the name of its primary; empty when
 * the reply is something else. */
evs_bytes evs__replica_news_read(const evs_reply *reply);

/* "ledger-1 10.0.0.1 6379 10.0.0.2 6379" */
typedef struct evs__switched {
    evs_bytes name;
    evs__place_at before, after;
} evs__switched;

/* Reads a message of the channel +switch-master. 0 when the reply is something else. */
int evs__switch_read(evs__switched *out, const evs_reply *reply);

int evs__place_same(const evs__place_at *a, const evs__place_at *b);

/* What one sentinel answered. */
typedef struct evs__vote {
    int given; /* 0: nothing, so far */
    evs__place_at place;
    uint64_t epoch;
} evs__vote;

typedef struct evs__known_primary {
    evs__place_at place; /* host empty: none was known */
    uint64_t epoch;
    int works; /* there is a connection to it */
} evs__known_primary;

/* The vote to believe, among addresses that `quorum` votes agree on: of the highest epoch, then of
 * most votes, then the one that is known, then the first. -1: there is no such address, or only
 * older ones than one that works. */
int evs__elect(const evs__vote *votes, size_t count, unsigned quorum,
               const evs__known_primary *known);

#endif
