/*
 * thread_close.c - ending the thread of a client that is freed: from another thread, or in one of
 * its completions.
 */
#include "scripts/engine/thread_inner.h"

void evs__thread_shut(evs__thread *thread)
{
    atomic_store_explicit(&thread->shut, 1, memory_order_relaxed);
}

/* This thread is now the one that may touch everything: no other is left. What was posted is
 * refused by a client that is closing. */
static void take_over(evs__thread *thread)
{
    thread->id = pthread_self();
    thread->client->closing = 1;
    thread->client->running = 0;
    while (atomic_load_explicit(&thread->posts, memory_order_relaxed) != NULL)
        evs__thread_run_posts(thread);
    evs__thread_refuse_line(thread);
}

static evs_status stop(void *job, evs_error *err)
{
    (void)err;
    ((evs__thread *)job)->stop = 1;
    return EVS_OK;
}

void evs__thread_join(evs_client *client)
{
    evs__thread *thread = client->thread;
    evs__start what = {.start = stop, .job = thread};
    evs__thread_run_always(client, &what, NULL);
    pthread_join(thread->id, NULL);
    take_over(thread);
}

void evs__thread_end_itself(evs__thread *thread)
{
    evs_client *client = thread->client;
    pthread_detach(thread->id);
    take_over(thread);
    evs__client_destroy(client);
}
