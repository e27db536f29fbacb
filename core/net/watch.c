#include "core/net/watch.h"

#include "core/mem.h"
#include "core/net/loop_inner.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { LOOK_EVERY_MS = 2000, SETTLE_MS = 50 };

/* What tells one state of a file from another. */
typedef struct looks {
    int problem; /* errno; 0: there is a file */
    dev_t device;
    ino_t node;
    off_t size;
    struct timespec changed, written;
} looks;

struct evs__watch {
    uv_fs_event_t uv; /* first: libuv's handle is the watch */
    evs__loop *loop;
    evs__timer *timer; /* ours; the next look */
    char *path;        /* ours */
    void (*changed)(void *owner);
    void *owner;
    looks told;
    looks seen;
    int settling; /* the next look is soon */
};

static looks look_at(const char *path)
{
    struct stat s;
    looks is;
    memset(&is, 0, sizeof is); /* they are compared as bytes */
    if (stat(path, &s) != 0) {
        is.problem = errno;
        return is;
    }
    is.device = s.st_dev;
    is.node = s.st_ino;
    is.size = s.st_size;
    is.changed = s.st_ctim;
    is.written = s.st_mtim;
    return is;
}

static int same(const looks *a, const looks *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void look_again(evs__watch *watch, int settling)
{
    watch->settling = settling;
    evs__timer_start(watch->timer, settling ? SETTLE_MS : LOOK_EVERY_MS);
}

/* Last of all: the owner may free the watch. */
static void tell(evs__watch *watch)
{
    watch->told = watch->seen;
    look_again(watch, 0);
    watch->changed(watch->owner);
}

static void look(void *owner)
{
    evs__watch *watch = owner;
    looks now = look_at(watch->path);
    int rests = same(&now, &watch->seen);
    watch->seen = now;
    if (same(&now, &watch->told))
        look_again(watch, 0);
    else if (rests && watch->settling)
        tell(watch);
    else
        look_again(watch, 1);
}

/* Whatever happened there, and to which file: the look tells. */
static void stirred(uv_fs_event_t *handle, const char *name, int events, int problem)
{
    evs__watch *watch = (evs__watch *)handle;
    (void)name;
    (void)events;
    (void)problem;
    evs__loop_stir(watch->loop);
    if (!watch->settling)
        look_again(watch, 1);
}

/* Without events, because the folder is not there or the system has no more to give, the looks of
 * every two seconds have to do. */
static void watch_folder(evs__watch *watch)
{
    char *slash = strrchr(watch->path, '/');
    size_t len = slash == NULL || slash == watch->path ? 1 : (size_t)(slash - watch->path);
    char *folder = evs__copy_text(slash == NULL ? "." : watch->path, len);
    if (folder == NULL)
        return;
    uv_fs_event_start(&watch->uv, stirred, folder, 0);
    evs__free(folder);
    evs__loop_rewatch(watch->loop);
}

static void closed(uv_handle_t *handle)
{
    evs__free(handle);
}

void evs__watch_free(evs__watch *watch)
{
    if (watch == NULL)
        return;
    evs__timer_free(watch->timer);
    evs__free(watch->path);
    uv_close((uv_handle_t *)&watch->uv, closed);
}

/* The descriptor of the events is shared with the parent until libuv has one of the child's own. */
void evs__watch_abandon(evs__watch *watch)
{
    if (watch != NULL && evs__loop_fork(watch->loop))
        evs__watch_free(watch);
}

evs__watch *evs__watch_new(evs__loop *loop, const char *path, void (*changed)(void *owner),
                           void *owner)
{
    evs__watch *watch = evs__zalloc_array(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    uv_fs_event_init(&loop->uv, &watch->uv);
    watch->loop = loop;
    watch->changed = changed;
    watch->owner = owner;
    watch->path = evs__copy_text(path, strlen(path));
    watch->timer = evs__timer_new(loop, look, watch);
    if (watch->path == NULL || watch->timer == NULL) {
        evs__watch_free(watch);
        return NULL;
    }
    watch_folder(watch);
    watch->told = watch->seen = look_at(path);
    look_again(watch, 0);
    return watch;
}

int evs__watch_is_current(const evs__watch *watch)
{
    looks now = look_at(watch->path);
    return same(&now, &watch->told);
}
