/*
 * Walking a folder and reading files. Depth and file size are bounded, so that a wrong folder (the
 * root of a disk, a device) ends in an error that names it.
 */
#include "scripts/folder.h"

#include "core/error.h"
#include "core/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 32, SCRIPT_MAX = 16 * 1024 * 1024, CHUNK = 16 * 1024 };

typedef struct walk {
    evs__folder *out;
    evs_error *err;
    size_t skip; /* bytes of a path in front of the name */
    int depth;
} walk;

static evs_status fail_errno(evs_error *err, const char *path)
{
    if (errno == ENOMEM)
        return evs__fail_nomem(err);
    return evs__fail(err, EVS_E_INVALID, "%s: %s", path, strerror(errno));
}

static int is_lua(const char *name, size_t len)
{
    return len > 4 && memcmp(name + len - 4, ".lua", 4) == 0;
}

static evs_status add(walk *w, const char *path)
{
    evs__folder *out = w->out;
    if (out->count == out->cap) {
        size_t cap = out->cap == 0 ? 16 : out->cap * 2;
        evs__folder_file *files = evs__realloc_array(out->files, cap, sizeof *files);
        if (files == NULL)
            return evs__fail_nomem(w->err);
        out->files = files;
        out->cap = cap;
    }
    const char *name = path + w->skip;
    evs__folder_file file = {evs__arena_text(&out->arena, name, strlen(name) - 4), path};
    if (file.name == NULL)
        return evs__fail_nomem(w->err);
    out->files[out->count++] = file;
    return EVS_OK;
}

static evs_status enter(walk *w, const char *path);

/* One entry: a folder is entered; a file, or a link to anything but a folder, is added. A link to
 * nothing is added too: reading it says so. */
static evs_status visit(walk *w, const char *folder, const char *name)
{
    struct stat st;
    const char *path = evs__arena_format(&w->out->arena, "%s/%s", folder, name);
    if (path == NULL)
        return evs__fail_nomem(w->err);
    if (lstat(path, &st) != 0)
        return fail_errno(w->err, path);
    if (S_ISDIR(st.st_mode))
        return enter(w, path);
    if (!is_lua(name, strlen(name)))
        return EVS_OK;
    if (S_ISLNK(st.st_mode) && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return EVS_OK;
    return add(w, path);
}

static evs_status visit_all(walk *w, const char *path, DIR *dir)
{
    evs_status status = EVS_OK;
    while (status == EVS_OK) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? EVS_OK : fail_errno(w->err, path);
        if (entry->d_name[0] != '.')
            status = visit(w, path, entry->d_name);
    }
    return status;
}

/* At most DEPTH_MAX deep. */
static evs_status enter(walk *w, const char *path)
{
    if (w->depth == DEPTH_MAX)
        return evs__fail(w->err, EVS_E_INVALID, "%s: more than %d folders deep", path, DEPTH_MAX);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return fail_errno(w->err, path);
    w->depth++;
    evs_status status = visit_all(w, path, dir);
    w->depth--;
    closedir(dir);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const evs__folder_file *)a)->name, ((const evs__folder_file *)b)->name);
}

evs_status evs__folder_list(evs__folder *out, const char *folder, evs_error *err)
{
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/')
        len--;
    const char *path = evs__arena_text(&out->arena, folder, len);
    if (path == NULL)
        return evs__fail_nomem(err);

    walk w = {.out = out, .err = err, .skip = len + 1};
    evs_status status = enter(&w, path);
    if (status == EVS_OK && out->count > 0)
        qsort(out->files, out->count, sizeof *out->files, by_name);
    return status;
}

void evs__folder_free(evs__folder *folder)
{
    evs__free(folder->files);
    evs__arena_free(&folder->arena);
}

static evs_status read_all(evs__buf *out, int fd, const char *path, evs_error *err)
{
    size_t total = 0;
    for (;;) {
        char *room = evs__buf_reserve(out, CHUNK);
        if (room == NULL)
            return evs__fail_nomem(err);
        ssize_t n = read(fd, room, CHUNK);
        if (n < 0)
            return fail_errno(err, path);
        if (n == 0)
            return EVS_OK;
        out->len += (size_t)n;
        total += (size_t)n;
        if (total > SCRIPT_MAX)
            return evs__fail(err, EVS_E_INVALID, "%s: larger than %d bytes", path, SCRIPT_MAX);
    }
}

/* O_NONBLOCK, or opening a named pipe would wait for its writer. */
evs_status evs__folder_read(evs__buf *out, const evs__folder_file *file, evs_error *err)
{
    struct stat st;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(err, file->path);

    evs_status status;
    if (fstat(fd, &st) != 0)
        status = fail_errno(err, file->path);
    else if (!S_ISREG(st.st_mode))
        status = evs__fail(err, EVS_E_INVALID, "%s: not a file", file->path);
    else
        status = read_all(out, fd, file->path, err);
    close(fd);
    return status;
}
