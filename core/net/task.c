#include "core/net/task.h"

#include "core/mem.h"
#include "core/net/loop_inner.h"

struct evs__task {
    uv_work_t uv; /* first: libuv's request is the task */
    evs__loop *loop;
    void (*work)(void *job);
    void (*done)(void *job);
    void *job;
};

static void run(uv_work_t *request)
{
    const evs__task *task = (evs__task *)request;
    task->work(task->job);
}

static void finished(uv_work_t *request, int problem)
{
    evs__task *task = (evs__task *)request;
    void (*done)(void *job) = task->done;
    void *job = task->job;
    (void)problem; /* canceled by evs__task_drop, or none */
    evs__loop_stir(task->loop);
    evs__free(task);
    done(job);
}

evs__task *evs__task_start(evs__loop *loop, void (*work)(void *job), void (*done)(void *job),
                           void *job)
{
    evs__task *task = evs__zalloc_array(1, sizeof *task);
    if (task == NULL)
        return NULL;
    task->loop = loop;
    task->work = work;
    task->done = done;
    task->job = job;
    if (uv_queue_work(&loop->uv, &task->uv, run, finished) == 0)
        return task;
    evs__free(task);
    return NULL;
}

void evs__task_drop(evs__task *task, void (*drop)(void *job))
{
    task->done = drop;
    /* In a forked child a thread of the parent may hold the lock that canceling takes. */
    if (!task->loop->forked)
        uv_cancel((uv_req_t *)&task->uv);
}
