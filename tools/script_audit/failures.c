#include "tools/script_audit/failures.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make_room(failures *all)
{
    if (all->count < all->cap)
        return 1;
    size_t cap = all->cap * 2 + 16;
    evs_unread *items = realloc(all->items, cap * sizeof *items);
    if (items == NULL)
        return 0;
    all->items = items;
    all->cap = cap;
    return 1;
}

static void keep(failures *all, const char *path, const char *why)
{
    evs_unread kept = {strdup(path), strdup(why)};
    if (kept.path == NULL || kept.why == NULL || !make_room(all)) {
        free((char *)kept.path);
        free((char *)kept.why);
        all->lost = 1;
        return;
    }
    all->items[all->count++] = kept;
}

void failures_add(failures *all, const char *path, const char *why)
{
    fprintf(stderr, "script-audit: %s: %s\n", path, why);
    keep(all, path, why);
}

void failures_add_at(failures *all, const char *path, int line, int column, const char *format, ...)
{
    char why[600];
    va_list args;
    size_t len = (size_t)snprintf(why, sizeof why, "%d:%d: ", line, column);
    va_start(args, format);
    vsnprintf(why + len, sizeof why - len, format, args);
    va_end(args);
    fprintf(stderr, "script-audit: %s:%s\n", path, why);
    keep(all, path, why);
}

void failures_free(failures *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free((char *)all->items[i].path);
        free((char *)all->items[i].why);
    }
    free(all->items);
}
