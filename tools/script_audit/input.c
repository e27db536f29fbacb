/*
 * Folders are gone through in order of names. Links to folders are not followed, so there are no
 * circles.
 */
#include "tools/script_audit/input.h"

#include "tools/script_audit/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FIRST_READ = 64 * 1024, MOST_BYTES = 16 * 1024 * 1024, LOOKED_AT = 8000 };

static void complain(input_list *list, const char *path, const char *why)
{
    failures_add(list->failed, path, why);
}

static void add(input_list *list, char *path)
{
    if (path != NULL && list->count == list->cap) {
        size_t cap = list->cap * 2 + 64;
        char **paths = realloc(list->paths, cap * sizeof *paths);
        if (paths != NULL) {
            list->paths = paths;
            list->cap = cap;
        }
    }
    if (path == NULL || list->count == list->cap) {
        complain(list, path == NULL ? "-" : path, "out of memory");
        free(path);
        return;
    }
    list->paths[list->count++] = path;
}

static int is_wanted(const input_list *list, const char *name)
{
    size_t len = strlen(name);
    return (len > 4 && strcmp(name + len - 4, ".lua") == 0) ||
           (list->hosts && evs_extract_language(name) != NULL);
}

static void add_folder(input_list *list, const char *folder);

static void add_entry(input_list *list, const char *folder, const char *name)
{
    struct stat link, target;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return;
    char *path = path_join(folder, name);
    if (path != NULL && lstat(path, &link) == 0 && S_ISDIR(link.st_mode)) {
        add_folder(list, path);
        free(path);
        return;
    }
    if (path != NULL && is_wanted(list, name) && stat(path, &target) == 0 &&
        !S_ISREG(target.st_mode) && !S_ISDIR(target.st_mode))
        complain(list, path, "not a file"); /* a pipe would make us wait for ever */
    else if (path == NULL ||
             (is_wanted(list, name) && (stat(path, &target) != 0 || S_ISREG(target.st_mode)))) {
        add(list, path);
        return;
    }
    free(path);
}

static void add_folder(input_list *list, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) {
        complain(list, folder, strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) {
        add_entry(list, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

void input_add(input_list *list, const char *path)
{
    struct stat status;
    while (path[0] == '.' && path[1] == '/' && path[2] != '\0' && path[2] != '/')
        path += 2; /* one name for one file */
    if (strcmp(path, "-") == 0) {
        add(list, strdup(path));
        return;
    }
    if (stat(path, &status) != 0) {
        complain(list, path, strerror(errno));
        return;
    }
    if (!S_ISDIR(status.st_mode)) {
        add(list, strdup(path));
        return;
    }
    size_t before = list->count;
    size_t failed = list->failed->count;
    add_folder(list, path);
    if (list->count == before && list->failed->count == failed)
        fprintf(stderr, "script-audit: %s: no *.lua files%s\n", path,
                list->hosts ? " and no programs" : "");
}

static int path_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void input_sort(input_list *list)
{
    size_t kept = 0;
    if (list->count > 0)
        qsort(list->paths, list->count, sizeof *list->paths, path_order);
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && strcmp(list->paths[kept - 1], list->paths[i]) == 0)
            free(list->paths[i]);
        else
            list->paths[kept++] = list->paths[i];
    }
    list->count = kept;
}

void input_free(input_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
}

/* ---- reading ---- */

/* A byte more than the bound is read, to see that there is one. NULL with errno. */
static char *read_all(FILE *file, size_t *len)
{
    size_t cap = FIRST_READ;
    char *text = malloc(cap);
    *len = 0;
    while (text != NULL) {
        *len += fread(text + *len, 1, cap - *len, file);
        if (*len < cap || *len > MOST_BYTES)
            break;
        cap *= 2;
        char *more = realloc(text, cap);
        if (more == NULL)
            free(text);
        text = more;
    }
    if (text != NULL && ferror(file)) {
        free(text);
        text = NULL;
    }
    return text;
}

static int begins(const char *text, size_t len, const char *with)
{
    size_t n = strlen(with);
    return len >= n && memcmp(text, with, n) == 0;
}

/* Why a text cannot be a script; NULL when it can. */
static const char *problem_of(const char *text, size_t len)
{
    if (len > MOST_BYTES)
        return "larger than 16 MiB, which no script is";
    if (begins(text, len, "\033Lua"))
        return "compiled Lua, not source; servers refuse it as well";
    if (begins(text, len, "\xff\xfe") || begins(text, len, "\xfe\xff"))
        return "UTF-16, which Lua does not read; save it as UTF-8";
    if (len > 0 && memchr(text, '\0', len < LOOKED_AT ? len : LOOKED_AT) != NULL)
        return "binary data, not a script";
    return NULL;
}

char *input_read(const char *path, const char *name, size_t *len, failures *failed)
{
    int is_stdin = strcmp(path, "-") == 0;
    errno = 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    char *text = file == NULL ? NULL : read_all(file, len);
    const char *why = NULL;
    if (text == NULL)
        why = errno == 0 ? "cannot be read" : strerror(errno);
    else
        why = problem_of(text, *len);
    if (why != NULL) {
        failures_add(failed, name, why);
        free(text);
        text = NULL;
    }
    if (file != NULL && !is_stdin)
        fclose(file);
    return text;
}
