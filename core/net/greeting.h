/*
 * greeting.h - what a connection says first, and what the answers mean. Pure: no sockets.
 *
 * AUTH, SELECT and CLIENT SETNAME leave in one write, each only when the login asks for it; when it
 * asks for none, PING does, so that something that is no Redis is noticed before a request leaves.
 */
#ifndef EVS_CORE_NET_GREETING_H
#define EVS_CORE_NET_GREETING_H

#include "core/buf.h"
#include "core/endpoint.h"
#include "core/reply.h"

/* Steps are numbered from 0; a login takes some of them. */
enum { EVS__GREETING_END = 4 };

/* The first step from `from` on that the login takes; EVS__GREETING_END when there is none. */
unsigned evs__greeting_next(const evs__login *login, unsigned from);

/* Appends all steps. The buffer then holds the password: wipe it. */
void evs__greeting_write(evs__buf *buf, const evs__login *login);

/* What the answer to `step` means. A failure says why, without naming the shard and never with the
 * password. `reply` is NULL when it was too big. */
evs_status evs__greeting_judge(const evs__login *login, unsigned step, const evs_reply *reply,
                               evs_error *err);

/* What a peer that speaks no RESP may be, judged by its first bytes; NULL when they tell nothing.
 */
const char *evs__greeting_guess(const char *data, size_t len);

#endif
