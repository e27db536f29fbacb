/*
 * follow.c - from a file that changed to evs__client_reload.
 *
 * The file is read and the map is built on a thread of libuv's, since placing thousands of shards
 * takes longer than other calls should wait. When the file changes meanwhile, what was read is
 * thrown away: it may be half of one file and half of another.
 */
#include "scripts/engine/follow.h"

#include "core/error.h"
#include "core/mem.h"
#include "core/net/task.h"
#include "core/net/watch.h"
#include "scripts/engine/client.h"

struct evs__follow {
    evs_client *client;
    evs__watch *watch; /* ours */
    evs__task *task;   /* reading the file; NULL: nobody is */
    char *path;        /* ours */
};

/* The file as it is being read. It lives by itself: whoever asked for it may be gone. */
typedef struct reading {
    evs__follow *follow;
    char *path;        /* ours */
    evs_shardmap *map; /* ours; NULL: there is none, because of `why` */
    evs_error why;
} reading;

static void drop(void *job)
{
    reading *self = job;
    evs_shardmap_free(self->map);
    evs__free(self->path);
    evs__free(self);
}

static void read_file(void *job)
{
    reading *self = job;
    evs_shardmap_load(&self->map, self->path, NULL, &self->why);
}

static void take(const evs__follow *follow, const reading *got)
{
    evs_client *client = follow->client;
    if (client->shut || client->closing || !evs__watch_is_current(follow->watch))
        return;
    if (got->map == NULL)
        evs__client_refuse_map(client, "", &got->why, NULL);
    else
        evs__client_reload(client, got->map, follow->path, NULL);
}

static void file_read(void *job)
{
    const reading *self = job;
    self->follow->task = NULL;
    take(self->follow, self);
    drop(job);
}

static reading *start_reading(evs__follow *follow)
{
    reading *self = evs__zalloc_array(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->follow = follow;
    self->path = evs__copy_text(follow->path, strlen(follow->path));
    if (self->path != NULL)
        follow->task = evs__task_start(follow->client->loop, read_file, file_read, self);
    if (follow->task != NULL)
        return self;
    drop(self);
    return NULL;
}

/* A change during the reading is one after what is being read: that is thrown away, and the watch
 * tells again. */
static void file_changed(void *owner)
{
    evs__follow *follow = owner;
    evs_error why;
    if (follow->task != NULL)
        evs__task_drop(follow->task, drop);
    follow->task = NULL;
    if (start_reading(follow) != NULL)
        return;
    evs__fail_nomem(&why);
    evs__client_refuse_map(follow->client, follow->path, &why, NULL);
}

void evs__follow_free(evs__follow *follow)
{
    if (follow == NULL)
        return;
    if (follow->task != NULL)
        evs__task_drop(follow->task, drop);
    evs__watch_free(follow->watch);
    evs__free(follow->path);
    evs__free(follow);
}

void evs__follow_abandon(evs__follow *follow)
{
    if (follow == NULL)
        return;
    evs__watch_abandon(follow->watch);
    follow->watch = NULL;
    evs__follow_free(follow);
}

static evs__follow *make(evs_client *client, const char *path)
{
    evs__follow *follow = evs__zalloc_array(1, sizeof *follow);
    if (follow == NULL)
        return NULL;
    follow->client = client;
    follow->path = evs__copy_text(path, strlen(path));
    if (follow->path != NULL)
        follow->watch = evs__watch_new(client->loop, path, file_changed, follow);
    if (follow->watch != NULL)
        return follow;
    evs__follow_free(follow);
    return NULL;
}

/* ---- the call ---- */

typedef struct request {
    evs_client *client;
    const char *path;
} request;

/* The watch comes before the first reading, so that no change is missed. */
static evs_status begin(evs_client *client, const char *path, evs_error *err)
{
    evs_shardmap *map = NULL;
    evs_error why;
    evs__follow *follow = make(client, path);
    if (follow == NULL)
        return evs__fail_nomem(err);
    evs_status status = evs_shardmap_load(&map, path, NULL, &why);
    status = status != EVS_OK ? evs__client_refuse_map(client, "", &why, err)
                              : evs__client_reload(client, map, path, err);
    evs_shardmap_free(map);
    if (status != EVS_OK) {
        evs__follow_free(follow);
        return status;
    }
    evs__follow_free(client->follow);
    client->follow = follow;
    return EVS_OK;
}

static evs_status start(void *job, evs_error *err)
{
    const request *self = job;
    evs_client *client = self->client;
    evs_status status = evs__client_check(client, 0, err);
    if (status != EVS_OK)
        return status;
    if (self->path != NULL)
        return begin(client, self->path, err);
    evs__follow_free(client->follow);
    client->follow = NULL;
    return EVS_OK;
}

evs_status evs_client_follow(evs_client *client, const char *path, evs_error *err)
{
    request self = {client, path};
    evs__start what = {.start = start, .job = &self};
    return evs__client_is_elsewhere(client) ? evs__thread_run(client, &what, err)
                                            : start(&self, err);
}
