/* invocation.c - copying keys, arguments and names. */
#include "scripts/engine/invocation.h"

/* The same values, their bytes behind one another in the arena; also of none, never NULL. */
static int keep_values(evs__arena *arena, const evs_bytes **values, size_t count)
{
    static const evs_bytes none = {NULL, 0};
    const evs_bytes *from = *values;
    size_t len = 0;
    *values = &none;
    if (count == 0)
        return 1;
    for (size_t i = 0; i < count; i++)
        len += from[i].len;
    evs_bytes *copy = evs__arena_alloc(arena, count, sizeof *copy);
    char *room = evs__arena_bytes(arena, len);
    if (copy == NULL || room == NULL)
        return 0;
    for (size_t i = 0; i < count; i++) {
        copy[i] = (evs_bytes){room, from[i].len};
        if (from[i].len > 0)
            memcpy(room, from[i].data, from[i].len);
        room += from[i].len;
    }
    *values = copy;
    return 1;
}

static int keep_name(evs__arena *arena, const char **name)
{
    if (*name == NULL)
        return 1;
    *name = evs__arena_text(arena, *name, strlen(*name));
    return *name != NULL;
}

int evs__invocation_keep(evs__arena *arena, evs_invocation *call)
{
    return keep_values(arena, &call->keys, call->nkeys) &&
           keep_values(arena, &call->args, call->nargs) && keep_name(arena, &call->script) &&
           keep_name(arena, &call->shard) && keep_name(arena, &call->pool);
}

int evs__plain_command_keep(evs__arena *arena, evs_plain_command *cmd)
{
    return keep_values(arena, &cmd->args, cmd->nargs) && keep_name(arena, &cmd->shard);
}
