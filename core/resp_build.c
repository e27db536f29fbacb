#include "core/resp_build.h"

#include "core/mem.h"

void evs__build_init(evs__build *build, evs__arena *arena, size_t max_bytes, unsigned max_depth)
{
    build->arena = arena;
    build->max_bytes = max_bytes;
    build->max_depth = max_depth < EVS__RESP_DEEPEST ? max_depth : EVS__RESP_DEEPEST;
    build->stack = build->few;
    build->nframes = EVS__BUILD_FRAMES;
}

void evs__build_drop(evs__build *build)
{
    if (build->stack == build->few)
        return;
    evs__free(build->stack);
    build->stack = build->few;
    build->nframes = EVS__BUILD_FRAMES;
}

int evs__build_begin(evs__build *build)
{
    evs_reply *root = evs__arena_one(build->arena, sizeof *root);
    build->top = 0;
    build->left = build->max_bytes;
    build->stack[0] = (evs__build_frame){root, root == NULL ? NULL : root + 1};
    return root != NULL;
}

evs__resp_got evs__build_text(char **room, evs__build *build, evs_reply_type type, uint64_t len)
{
    if (len >= build->left)
        return EVS__RESP_TOO_BIG;
    char *text = evs__arena_bytes(build->arena, (size_t)len + 1);
    if (text == NULL)
        return EVS__RESP_NOMEM;
    build->left -= (size_t)len + 1;
    text[len] = '\0';
    evs__build_place(build, type, (size_t)len)->as.text = text;
    *room = text;
    return EVS__RESP_MORE;
}

/* Room for one more frame; 0 when out of memory. */
static int grow(evs__build *build)
{
    if (build->top + 1 < build->nframes)
        return 1;
    unsigned nframes = 2 * build->nframes;
    evs__build_frame *stack = evs__alloc_array(nframes, sizeof *stack);
    if (stack == NULL)
        return 0;
    memcpy(stack, build->stack, build->nframes * sizeof *stack);
    evs__build_drop(build);
    build->stack = stack;
    build->nframes = nframes;
    return 1;
}

evs__resp_got evs__build_items(evs__build *build, evs_reply_type type, uint64_t count)
{
    evs_reply *items = NULL;
    if (build->top == build->max_depth)
        return EVS__RESP_TOO_DEEP;
    if (count > build->left / sizeof *items)
        return EVS__RESP_TOO_BIG;
    if (count > 0)
        items = evs__arena_alloc(build->arena, (size_t)count, sizeof *items);
    if ((count > 0 && items == NULL) || !grow(build))
        return EVS__RESP_NOMEM;
    build->left -= (size_t)count * sizeof *items;
    evs__build_place(build, type, (size_t)count)->as.items = items;
    if (count > 0)
        build->stack[++build->top] = (evs__build_frame){items, items + count};
    return EVS__RESP_MORE;
}

uint64_t evs__build_pending(const evs__build *build)
{
    uint64_t pending = 0;
    for (unsigned i = 0; i <= build->top; i++)
        pending += (uint64_t)(build->stack[i].end - build->stack[i].next);
    return pending;
}
