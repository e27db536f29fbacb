/*
 * resolve.h - names to addresses. Numeric addresses are known at once; a name is looked up in
 * libuv's threads, so that the loop never blocks. Problems are codes for evs__resolve_text.
 */
#ifndef EVS_CORE_NET_RESOLVE_H
#define EVS_CORE_NET_RESOLVE_H

#include "core/net/loop.h"
#include <netdb.h>

typedef struct evs__lookup evs__lookup;

/* `found` is the receiver's to free with freeaddrinfo; NULL when `problem` is not 0. */
typedef void evs__lookup_fn(void *owner, int problem, struct addrinfo *found);

/* `*out` is yours to free with freeaddrinfo. Returns 0, or a problem when `host` is a name. */
int evs__resolve_numeric(struct addrinfo **out, const char *host, int port);

/* `done` is called once from the loop, unless dropped before. The lookup is gone then. */
int evs__lookup_start(evs__lookup **out, evs__loop *loop, const char *host, int port,
                      evs__lookup_fn *done, void *owner);

/* Accepts NULL. */
void evs__lookup_drop(evs__lookup *lookup);

/* Static text, lower case: "unknown node or service". */
const char *evs__resolve_text(int problem);

#endif
