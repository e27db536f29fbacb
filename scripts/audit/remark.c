#include "scripts/audit/directive.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int make_room(evs__remarks *out, evs__pool *pool)
{
    if (out->count < out->cap)
        return 1;
    size_t cap = out->cap * 2 + 4;
    evs__remark *items = evs__pool_alloc(pool, cap, sizeof *items);
    if (items == NULL)
        return 0;
    if (out->count > 0)
        memcpy(items, out->items, out->count * sizeof *items);
    out->items = items;
    out->cap = cap;
    return 1;
}

int evs__remark_add(evs__remarks *out, evs__pool *pool, evs_span at, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    const char *message = evs__arena_text(&pool->arena, line, len < 0 ? 0 : strlen(line));
    if (message == NULL || !make_room(out, pool)) {
        pool->failed = 1;
        return 0;
    }
    out->items[out->count++] = (evs__remark){at, message};
    return 1;
}
