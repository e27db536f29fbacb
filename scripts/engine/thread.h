/*
 * thread.h - a client with a thread of its own for all I/O, called from any thread.
 *
 *   any thread:     plan a call (by the map there is: maps.h) --> post --> wake
 *   the I/O thread: take all posts, oldest first --> submit each --> a turn of the loop --> ...
 *
 * What is posted leaves in one write per shard with what other threads posted meanwhile, so calls
 * of many threads pipeline by themselves. Posting takes no lock: a stack of which the I/O thread
 * takes all at once and turns it round. The first post on an empty stack wakes. Calls that are
 * posted lie in slabs (slabs.h).
 *
 * Everything else in a client belongs to the I/O thread. Who waits for a result waits at a gate.
 */
#ifndef EVS_SCRIPTS_ENGINE_THREAD_H
#define EVS_SCRIPTS_ENGINE_THREAD_H

#include <evalshard/client.h>

#include <semaphore.h>

typedef struct evs__thread evs__thread;

/* Where somebody waits until something is finished: driving the client, or for the I/O thread. */
typedef struct evs__gate {
    int open;
    sem_t *sem; /* of who waits on another thread; NULL when the client is driven */
} evs__gate;

/* Last of all: who waited may be gone, and the gate with it. */
static inline void evs__gate_open(evs__gate *gate)
{
    sem_t *sem = gate->sem;
    gate->open = 1;
    if (sem != NULL)
        sem_post(sem);
}

typedef evs_status evs__start_fn(void *job, evs_error *err);

/* Something to be started where the client's work is done. */
typedef struct evs__start {
    evs__start_fn *start;
    void *job;
    evs__gate *gate;     /* opened when it is finished; NULL: starting is all */
    unsigned timeout_ms; /* how long EVS_E_QUEUE_FULL is tried again, with EVS_FULL_BLOCK */
} evs__start;

/* Makes a client threaded. Fails with NOMEM, or STATE when the system gives no thread. */
evs_status evs__thread_new(evs_client *client, evs_error *err);

/* The client has so many shards from now on. */
void evs__thread_set_shards(evs__thread *thread, size_t nshards);

/* Is this thread another than the I/O thread? */
int evs__thread_is_other(const evs__thread *thread);

/* Starts on the I/O thread and waits: for the gate when starting worked, else not. Returns what
 * starting returned. Fails with STATE after closing. */
evs_status evs__thread_run(evs_client *client, const evs__start *what, evs_error *err);

/* The same, also after closing. */
evs_status evs__thread_run_always(evs_client *client, const evs__start *what, evs_error *err);

/* Copies a planned call, and posts it. */
evs_status evs__thread_submit(evs_client *client, const evs_invocation *invocation,
                              evs_done_fn done, void *arg, evs_error *err);

/* Submits a planned call of a completion, on the I/O thread itself. */
struct evs__job;
evs_status evs__thread_submit_here(const struct evs__job *job, evs_error *err);

/* One more thing is pending that was submitted, or one less. Accept NULL, of a client that is
 * driven. */
void evs__thread_count(evs__thread *thread);
void evs__thread_forget(evs__thread *thread);

/* Other threads are refused from now on. */
void evs__thread_shut(evs__thread *thread);

/* evs_client_free, evs_client_process, evs_client_fd and evs_client_pending of a threaded client,
 * from another thread. */
void evs__thread_join(evs_client *client);
evs_status evs__thread_process(evs_client *client, int timeout_ms, evs_error *err);
evs_status evs__thread_fd(int *out, evs_client *client, evs_error *err);
size_t evs__thread_pending(const evs__thread *thread);

/* Is the client freed in a completion that was queued? Then that waits until those that were taken
 * with it have returned. */
int evs__thread_puts_off_free(evs__thread *thread);

/* Runs the completions that wait for somebody to take them, and frees; the thread has ended. */
void evs__thread_free(evs__thread *thread);

/* In a forked child: did the thread of the parent wait at that moment? Else it was in the middle of
 * something, and what it changes may be half-changed here, for ever. */
int evs__thread_rested(const evs__thread *thread);

/* The same as evs__thread_free in a forked child, where the thread is not: nothing runs. */
void evs__thread_abandon(evs__thread *thread);

#endif
