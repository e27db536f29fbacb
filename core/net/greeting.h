/*
 * greeting.h - what a connection says first, and what the answers mean. Pure: no sockets.
 *
 * AUTH, HELLO 3, SELECT and CLIENT SETNAME leave in one write, each only when it is asked for; when
 * none is, PING does, so that something that is no Redis is noticed before a request leaves. A
 * server that refuses HELLO, because it is old or the user may not, goes on speaking RESP2, which
 * is why AUTH is a command of its own. ROLE comes last, where only a primary will do, or only a
 * replica, and READONLY where a replica of a cluster is to serve what only reads.
 */
#ifndef EVS_CORE_NET_GREETING_H
#define EVS_CORE_NET_GREETING_H

#include "core/buf.h"
#include "core/endpoint.h"
#include "core/reply.h"

typedef struct evs__greeting {
    const evs__login *login; /* borrowed */
    unsigned protocol;       /* 3: RESP3 when the server has it; else RESP2 */
} evs__greeting;

/* Steps are numbered from 0; a greeting takes some of them. */
enum { EVS__GREETING_HELLO = 1, EVS__GREETING_ROLE = 5, EVS__GREETING_END = 7 };

/* The first step from `from` on that is taken; EVS__GREETING_END when there is none. */
unsigned evs__greeting_next(const evs__greeting *greeting, unsigned from);

/* Appends all steps. The buffer then holds the password: wipe it. */
void evs__greeting_write(evs__buf *buf, const evs__greeting *greeting);

/* What the answer to `step` means. A failure says why, without naming the shard and never with the
 * password. `reply` is NULL when it was too big. */
evs_status evs__greeting_judge(const evs__greeting *greeting, unsigned step, const evs_reply *reply,
                               evs_error *err);

/* What a peer that speaks no RESP may be, judged by its first bytes; NULL when they tell nothing.
 */
const char *evs__greeting_guess(const char *data, size_t len);

#endif
