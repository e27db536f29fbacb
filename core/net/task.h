/*
 * task.h - work that would hold up the loop, on a thread of libuv's.
 */
#ifndef EVS_CORE_NET_TASK_H
#define EVS_CORE_NET_TASK_H

#include "core/net/loop.h"

typedef struct evs__task evs__task;

/* `work(job)` runs on another thread, then `done(job)` on the loop's. NULL when out of memory, or
 * when the system gives no thread; then neither runs. */
evs__task *evs__task_start(evs__loop *loop, void (*work)(void *job), void (*done)(void *job),
                           void *job);

/* Nobody is interested any more: when the work is over, or was never begun, `drop(job)` runs in
 * place of `done`. In a forked child nothing does. */
void evs__task_drop(evs__task *task, void (*drop)(void *job));

#endif
