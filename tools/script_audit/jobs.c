#include "tools/script_audit/jobs.h"

#include "tools/script_audit/glob.h"
#include "tools/script_audit/path.h"

#include <stdlib.h>
#include <string.h>

static int add(jobs *all, job one)
{
    if (all->count == all->cap) {
        size_t cap = all->cap * 2 + 64;
        job *items = realloc(all->items, cap * sizeof *items);
        if (items == NULL) {
            free(one.relative);
            return 0;
        }
        all->items = items;
        all->cap = cap;
    }
    all->items[all->count++] = one;
    return 1;
}

static int is_excluded(const config *c, const char *relative)
{
    for (size_t i = 0; i < c->nexclude; i++)
        if (glob_matches(c->exclude[i], relative))
            return 1;
    return 0;
}

static int has_file(const config_concat *list, const char *relative)
{
    for (size_t i = 0; i < list->nfiles; i++)
        if (strcmp(list->files[i], relative) == 0)
            return 1;
    return 0;
}

static int is_there(const jobs *all, const config_concat *list)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].concat == list)
            return 1;
    return 0;
}

/* A part of scripts stands for those scripts. -1 when it is none. */
static int add_whole(jobs *all, const config *c, const char *relative)
{
    int found = -1;
    for (size_t i = 0; i < c->nconcat; i++) {
        const config_concat *list = &c->concat[i];
        job one = {list->name, list->name, c, NULL, list};
        if (!has_file(list, relative))
            continue;
        found = 1;
        if (is_there(all, list))
            continue;
        one.relative = strdup(list->name);
        if (one.relative == NULL || !add(all, one))
            return 0;
    }
    return found;
}

static int add_input(jobs *all, const char *path, const char *name, config_set *set)
{
    job one = {path, name, NULL, NULL, NULL};
    if (!config_for(set, name, &one.settings))
        return 1; /* it was said why */
    if (one.settings == NULL)
        return add(all, one);
    one.relative = path_from(one.settings->folder, name);
    if (one.relative == NULL)
        return 0;
    int whole = is_excluded(one.settings, one.relative)
                    ? 1
                    : add_whole(all, one.settings, one.relative);
    if (whole < 0)
        return add(all, one);
    free(one.relative);
    return whole;
}

static int name_order(const void *a, const void *b)
{
    return strcmp(((const job *)a)->name, ((const job *)b)->name);
}

int jobs_make(jobs *out, const input_list *inputs, config_set *set, const char *stdin_name)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < inputs->count; i++) {
        const char *path = inputs->paths[i];
        const char *name = strcmp(path, "-") == 0 && stdin_name != NULL ? stdin_name : path;
        if (!add_input(out, path, name, set))
            return 0;
    }
    if (out->count > 0)
        qsort(out->items, out->count, sizeof *out->items, name_order);
    return 1;
}

void jobs_free(jobs *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->items[i].relative);
    free(all->items);
}
