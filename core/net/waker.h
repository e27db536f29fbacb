/*
 * waker.h - ending another thread's wait in evs__loop_run.
 */
#ifndef EVS_CORE_NET_WAKER_H
#define EVS_CORE_NET_WAKER_H

#include "core/net/loop.h"

typedef struct evs__waker evs__waker;

/* `woken(owner)` runs on the loop's thread after one or more evs__waker_wake. NULL when the system
 * has none to give, or no memory. */
evs__waker *evs__waker_new(evs__loop *loop, void (*woken)(void *owner), void *owner);

/* From any thread; several before the loop looks are one. */
void evs__waker_wake(evs__waker *waker);

/* On the loop's thread; its memory goes with the loop's next turn, or with the loop. Accepts NULL.
 */
void evs__waker_free(evs__waker *waker);

/* The same in a forked child, before evs__loop_abandon. When a thread that is not in this process
 * was in the middle of evs__waker_wake, nothing can be freed. */
void evs__waker_abandon(evs__waker *waker);

#endif
