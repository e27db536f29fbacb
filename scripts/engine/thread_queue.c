/*
 * thread_queue.c - how many calls are pending, and completions that wait for whoever calls
 * evs_client_process.
 */
#include "scripts/engine/thread_inner.h"

#include "core/error.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- counting ---- */

static void signal_queue(evs__thread *thread)
{
    uint64_t one = 1;
    while (write(thread->queue_fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* When nothing will come any more, one of those who wait for something is woken, and wakes the
 * next. In one order with who waits (memory_order_seq_cst), who counts before looking at what is
 * pending. */
static void wake_in_vain(evs__thread *thread)
{
    if (atomic_load(&thread->waiting) > 0 && evs__thread_pending(thread) == 0)
        signal_queue(thread);
}

static int owes_room(const evs__thread *thread)
{
    size_t most = atomic_load_explicit(&thread->most, memory_order_relaxed);
    return atomic_load(&thread->wants_room) && evs__thread_pending(thread) <= most / 2;
}

/* The same for who wants room, which says so before looking at what is pending. */
static void wake_for_room(evs__thread *thread)
{
    if (owes_room(thread) && evs__thread_is_other(thread) && !atomic_load(&thread->shut))
        evs__waker_wake(thread->waker);
}

void evs__thread_want_room(evs__thread *thread)
{
    if (thread->client->options.on_full != EVS_FULL_SIGNAL)
        return;
    atomic_store(&thread->wants_room, 1);
    wake_for_room(thread);
}

void evs__thread_tell_room(evs__thread *thread)
{
    const evs_client *client = thread->client;
    if (client->closing || client->ending || !owes_room(thread))
        return;
    atomic_store(&thread->wants_room, 0);
    client->options.room(client->options.room_arg, "");
}

void evs__thread_count(evs__thread *thread)
{
    if (thread != NULL)
        atomic_fetch_add_explicit(&thread->begun, 1, memory_order_relaxed);
}

/* Who sees the number that is left sees all that the completion did. */
void evs__thread_forget(evs__thread *thread)
{
    if (thread == NULL)
        return;
    atomic_fetch_add(&thread->ended, 1);
    wake_in_vain(thread);
    wake_for_room(thread);
}

void evs__thread_withdraw(evs__thread *thread)
{
    atomic_fetch_sub(&thread->begun, 1);
    wake_in_vain(thread);
    wake_for_room(thread);
}

size_t evs__thread_pending(const evs__thread *thread)
{
    size_t ended = atomic_load(&thread->ended); /* first: no more of them than have begun */
    return atomic_load(&thread->begun) - ended;
}

/* ---- the queue ---- */

int evs__thread_open_queue(evs__thread *thread)
{
    if (thread->client->options.completions != EVS_COMPLETIONS_QUEUED)
        return 1;
    thread->queue_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return thread->queue_fd >= 0;
}

void evs__thread_queue(evs__thread *thread, evs__post *post)
{
    if (evs__posts_add(&thread->finished, post))
        signal_queue(thread);
}

static void run_finished(evs__thread *thread)
{
    uint64_t count;
    while (read(thread->queue_fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    evs__posts_run(&thread->finished);
}

static void await_finished(evs__thread *thread, int timeout_ms)
{
    struct pollfd ready = {.fd = thread->queue_fd, .events = POLLIN};
    atomic_fetch_add(&thread->waiting, 1);
    if (evs__thread_pending(thread) == 0)
        timeout_ms = 0;
    while (poll(&ready, 1, timeout_ms) < 0 && errno == EINTR)
        ;
    atomic_fetch_sub(&thread->waiting, 1);
}

evs_status evs__thread_process(evs_client *client, int timeout_ms, evs_error *err)
{
    evs__thread *thread = client->thread;
    if (evs__fork_mark_is_child(client->fork_mark))
        return evs__client_refuse(client, err);
    if (thread->queue_fd < 0)
        return evs__fail(err, EVS_E_STATE,
                         "the client has a thread of its own, which runs "
                         "completions; see EVS_COMPLETIONS_QUEUED");
    await_finished(thread, timeout_ms);
    atomic_fetch_add(&thread->taking, 1);
    run_finished(thread);
    wake_in_vain(thread);
    if (atomic_fetch_sub(&thread->taking, 1) == 1 && atomic_load(&thread->freed))
        evs_client_free(client);
    return EVS_OK;
}

int evs__thread_puts_off_free(evs__thread *thread)
{
    if (atomic_load(&thread->taking) == 0)
        return 0;
    atomic_store(&thread->shut, 1);
    atomic_store(&thread->freed, 1);
    return 1;
}

evs_status evs__thread_fd(int *out, evs_client *client, evs_error *err)
{
    evs_status status = evs__thread_check(client, err);
    if (status != EVS_OK)
        return status;
    if (client->thread->queue_fd < 0)
        return evs__fail(err, EVS_E_STATE, "the client has a thread of its own and needs no other");
    *out = client->thread->queue_fd;
    return EVS_OK;
}

void evs__thread_free(evs__thread *thread)
{
    if (thread->queue_fd >= 0) {
        run_finished(thread);
        close(thread->queue_fd);
    }
    evs__waker_free(thread->waker);
    evs__slabs_free(&thread->slabs);
    evs__free(thread);
}

void evs__thread_abandon(evs__thread *thread)
{
    if (thread->queue_fd >= 0)
        close(thread->queue_fd);
    evs__waker_abandon(thread->waker);
    evs__slabs_free(&thread->slabs);
    evs__free(thread);
}
