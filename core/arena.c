#include "core/arena.h"

#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef EVS__ARENA_POISONED
#include <sanitizer/asan_interface.h>
#define HIDE(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define SHOW(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
enum { GAP = 16 };
#else
#define HIDE(p, n) ((void)(p), (void)(n))
#define SHOW(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

enum {
    ALIGN = alignof(max_align_t),
    FIRST_BLOCK = 1024,
    KEPT = 16 * 1024,
    LARGEST_STEP = 1024 * 1024
};

struct evs__arena_block {
    evs__arena_block *next;
    size_t size; /* bytes of data */
    alignas(max_align_t) char data[];
};

static int grow(evs__arena *arena, size_t need)
{
    size_t size = arena->blocks == NULL ? FIRST_BLOCK : arena->blocks->size * 2;
    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    if (size < need)
        size = need;
    if (size > SIZE_MAX - sizeof(evs__arena_block))
        return 0;

    evs__arena_block *block = evs__alloc_array(1, sizeof *block + size);
    if (block == NULL)
        return 0;
    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->at = block->data;
    arena->end = block->data + size;
    HIDE(block->data, size);
    return 1;
}

void *evs__arena_alloc(evs__arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 2) / size)
        return NULL;
    size_t bytes = count * size;
    size_t step = (bytes + GAP + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (step == 0)
        step = ALIGN;
    size_t pad = -(uintptr_t)arena->at & (ALIGN - 1); /* behind text */
    if ((size_t)(arena->end - arena->at) < pad + step) {
        if (!grow(arena, step))
            return NULL;
        pad = 0;
    }
    char *block = arena->at + pad;
    arena->at = block + step;
    arena->used += pad + step;
    SHOW(block, bytes);
    return block;
}

void *evs__arena_zalloc(evs__arena *arena, size_t count, size_t size)
{
    void *block = evs__arena_alloc(arena, count, size);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

char *evs__arena_text(evs__arena *arena, const char *text, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = evs__arena_bytes(arena, len + 1);
    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *evs__arena_format(evs__arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    char *text = evs__arena_bytes(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

static void drop(evs__arena_block *block)
{
    SHOW(block->data, block->size);
    evs__free(block);
}

/* Begins the only block anew. */
static void rewind_block(evs__arena *arena)
{
    arena->used = 0;
    arena->at = arena->blocks == NULL ? NULL : arena->blocks->data;
    arena->end = arena->blocks == NULL ? NULL : arena->at + arena->blocks->size;
    if (arena->blocks != NULL)
        HIDE(arena->at, arena->blocks->size);
}

void evs__arena_reset(evs__arena *arena)
{
    while (arena->blocks != NULL && (arena->blocks->next != NULL || arena->blocks->size > KEPT)) {
        evs__arena_block *block = arena->blocks;
        arena->blocks = block->next;
        drop(block);
    }
    rewind_block(arena);
}

void evs__arena_recycle(evs__arena *arena)
{
    size_t total = 0;
    for (const evs__arena_block *block = arena->blocks; block != NULL; block = block->next)
        total += block->size;
    if (arena->blocks == NULL || arena->blocks->next == NULL) {
        rewind_block(arena);
        return;
    }
    evs__arena_free(arena);
    grow(arena, total); /* out of memory, it begins empty */
}

void evs__arena_free(evs__arena *arena)
{
    while (arena->blocks != NULL) {
        evs__arena_block *block = arena->blocks;
        arena->blocks = block->next;
        drop(block);
    }
    arena->at = NULL;
    arena->end = NULL;
    arena->used = 0;
}
