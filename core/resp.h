/*
 * resp.h - bytes from a server to replies. Knows no sockets.
 *
 * The reader is fed whatever arrived and takes at most one reply from it; what is left is fed
 * again. It keeps a half-read reply between feeds, on a stack of its own, so depth is bounded and
 * nothing is read twice. Replies are built in the arena it was given, which the owner resets when
 * the reply was delivered. A reply over a limit is skipped to its end: the stream stays usable.
 *
 * All types of RESP2 and RESP3 are read, whichever was agreed on. Attributes are passed over. A
 * push is no reply: it comes out as one of its own, between replies, and does not use up a skip.
 * Streamed strings and arrays, which no server sends, are refused.
 */
#ifndef EVS_CORE_RESP_H
#define EVS_CORE_RESP_H

#include "core/arena.h"
#include "core/reply.h"

typedef enum evs__resp_got {
    EVS__RESP_MORE,       /* everything was used, the reply is not complete */
    EVS__RESP_REPLY,      /* a reply is complete; *out is in the arena */
    EVS__RESP_SKIPPED,    /* a reply that was being skipped is complete; *out is NULL */
    EVS__RESP_TOO_BIG,    /* complete, but it was over the memory limit and was skipped */
    EVS__RESP_TOO_DEEP,   /* complete, but it was nested too deep and was skipped */
    EVS__RESP_PUSH,       /* no reply: out of band; *out is in the arena, NULL when over a limit */
    EVS__RESP_BAD,        /* not RESP; the stream is lost; evs__resp_problem says why */
    EVS__RESP_NOMEM,      /* complete, but memory ran out and it was skipped; it may be an error */
    EVS__RESP_NOMEM_VALUE /* the same, and it was certainly no error */
} evs__resp_got;

typedef struct evs__resp evs__resp;

/* No reply is nested deeper, whatever the limit: code that walks replies may recurse. */
enum { EVS__RESP_DEEPEST = 1024 };

/* `max_bytes` bounds the arena memory of one reply, `max_depth` the nesting of arrays (a flat array
 * has depth 1). The arena is borrowed. NULL when out of memory. */
evs__resp *evs__resp_new(evs__arena *arena, size_t max_bytes, unsigned max_depth);
void evs__resp_free(evs__resp *resp);

/* Reads on from `data`. `*used` says how many bytes were taken; with MORE that is all of them. */
evs__resp_got evs__resp_read(evs__resp *resp, const char *data, size_t len, size_t *used,
                             const evs_reply **out);

/* The reply that is being read, or the next one if none has begun, is skipped without being built.
 */
void evs__resp_skip(evs__resp *resp);

/* Whether what is half read may be no reply at all: a push, or an attribute in front of something.
 */
int evs__resp_owes_nothing(const evs__resp *resp);

/* Forgets a half-read reply: a new stream begins. */
void evs__resp_reset(evs__resp *resp);

/* What was wrong after BAD, e.g. "expected a reply type, got 'H' (HTTP/1.1 400 Bad)". */
const char *evs__resp_problem(const evs__resp *resp);

#endif
