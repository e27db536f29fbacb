/*
 * topology.h - what a node of a Redis or Valkey Cluster says of the others: who serves which slot.
 *
 * Pure: replies in, tables out. The same is told in three ways. CLUSTER SHARDS (Redis 7) and
 * CLUSTER SLOTS (any version) are read into a topology; of CLUSTER NODES only one question is
 * asked, how the answering node itself stands to one slot. A node that does not know under which
 * host others are reached says "", "?" or nothing: that stands for the host that was asked.
 */
#ifndef EVS_SHARDING_TOPOLOGY_H
#define EVS_SHARDING_TOPOLOGY_H

#include "core/arena.h"
#include <evalshard/reply.h>
#include <stdint.h>

enum {
    EVS__SLOTS = 16384,
    EVS__ANY_SLOT = 0xffff, /* in the place of a slot: there is none, any node will do */
    EVS__NOBODY = 0xffff    /* in the place of a node: the slot is served by none */
};

typedef struct evs__topology_node {
    const char *host; /* without brackets; NULL: the host that was asked */
    int port;
    int primary;
    uint16_t follows; /* number of the primary whose replica it is and whose data it has, or
                       * EVS__NOBODY */
} evs__topology_node;

typedef struct evs__topology {
    evs__topology_node *nodes;
    size_t nnodes;
    uint16_t owner[EVS__SLOTS]; /* number of the primary, or EVS__NOBODY */
    size_t covered;             /* how many slots have an owner */
} evs__topology;

/* How the reply is to be read. */
typedef enum evs__topology_form { EVS__TOPOLOGY_SHARDS, EVS__TOPOLOGY_SLOTS } evs__topology_form;

/* Reads the reply into `arena`. With `tls` not 0, of two ports the one for TLS counts. Fails with
 * CLUSTER when the reply is an error or has another shape, and with NOMEM. */
evs_status evs__topology_read(evs__topology **out, evs__arena *arena, const evs_reply *reply,
                              evs__topology_form form, int tls, evs_error *err);

/* A reply to CLUSTER SHARDS in which a shard has more than one primary: which of them serves is
 * told by CLUSTER SLOTS alone. Redis and Valkey from 7.2 on say so after a takeover, for as long as
 * they remember the old primary; Redis may leave the slots out then. */
int evs__topology_is_open(const evs_reply *reply);

/* "MOVED 8579 127.0.0.1:7001" or "ASK ...". */
typedef struct evs__redirect {
    int ask;
    unsigned slot;
    evs_bytes host; /* of the text; empty: the host that was asked */
    int port;
} evs__redirect;

/* 0 when the text is neither. */
int evs__redirect_read(evs__redirect *out, evs_bytes text);

/* How a node stands to a slot. */
typedef enum evs__slot_view {
    EVS__SLOT_UNKNOWN,  /* the text does not tell */
    EVS__SLOT_MINE,     /* it serves the slot */
    EVS__SLOT_LEAVING,  /* it serves what is still there, and sends others to the next owner */
    EVS__SLOT_ARRIVING, /* it serves who was sent there */
    EVS__SLOT_ELSEWHERE /* it serves nobody */
} evs__slot_view;

/* From a reply to CLUSTER NODES. */
evs__slot_view evs__slot_seen(evs_bytes nodes, unsigned slot);

#endif
