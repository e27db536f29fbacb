/*
 * arena.h - memory that dies together.
 *
 * Allocation bumps a pointer; nothing is freed alone. evs__arena_reset keeps the first block for
 * the next use. Under AddressSanitizer every allocation has a poisoned gap behind it.
 */
#ifndef EVS_CORE_ARENA_H
#define EVS_CORE_ARENA_H

#include <evalshard/base.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define EVS__ARENA_POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EVS__ARENA_POISONED 1
#endif
#endif

typedef struct evs__arena_block evs__arena_block;

typedef struct evs__arena {
    evs__arena_block *blocks; /* newest first */
    char *at;                 /* next free byte of the newest block */
    char *end;
    size_t used; /* bytes handed out since the last reset */
} evs__arena;

enum { EVS__ARENA_ALIGN = alignof(max_align_t) };

/* All zero is an empty arena too. */
#define EVS__ARENA_INIT     \
    {                       \
        NULL, NULL, NULL, 0 \
    }

/* `count` elements of `size` bytes, aligned for any type, not cleared; NULL when out of memory. */
void *evs__arena_alloc(evs__arena *arena, size_t count, size_t size);

/* The same, cleared. */
void *evs__arena_zalloc(evs__arena *arena, size_t count, size_t size);

/* `len` bytes without any alignment, for text; NULL when out of memory. */
static inline char *evs__arena_bytes(evs__arena *arena, size_t len)
{
#ifndef EVS__ARENA_POISONED
    if ((size_t)(arena->end - arena->at) > len) {
        char *bytes = arena->at;
        arena->at += len;
        arena->used += len;
        return bytes;
    }
#endif
    return (char *)evs__arena_alloc(arena, len, 1);
}

/* One object of `size` bytes, aligned for any type, not cleared; NULL when out of memory. For sizes
 * known to the compiler, where it is quicker than evs__arena_alloc. */
static inline void *evs__arena_one(evs__arena *arena, size_t size)
{
#ifndef EVS__ARENA_POISONED
    size_t pad = -(uintptr_t)arena->at & (EVS__ARENA_ALIGN - 1);
    if ((size_t)(arena->end - arena->at) > pad + size) {
        char *block = arena->at + pad;
        arena->at = block + size;
        arena->used += pad + size;
        return block;
    }
#endif
    return evs__arena_alloc(arena, 1, size);
}

/* NUL-terminated copies; NULL when out of memory. */
char *evs__arena_text(evs__arena *arena, const char *text, size_t len);
char *evs__arena_format(evs__arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same as evs__arena_text, quicker for short text when `readable` bytes may be read from it,
 * which are `len` or more. */
static inline char *evs__arena_text_within(evs__arena *arena, const char *text, size_t len,
                                           size_t readable)
{
    enum { AT_ONCE = 16 };
#ifndef EVS__ARENA_POISONED
    if (len < AT_ONCE && readable >= AT_ONCE && (size_t)(arena->end - arena->at) > AT_ONCE) {
        char *copy = arena->at;
        memcpy(copy, text, AT_ONCE);
        copy[len] = '\0';
        arena->at += len + 1;
        arena->used += len + 1;
        return copy;
    }
#endif
    (void)readable;
    return evs__arena_text(arena, text, len);
}

/* Bytes that can be had at `at` without asking, 0 when there are none; and having them. For loops
 * over many small texts. */
static inline size_t evs__arena_room(const evs__arena *arena)
{
#ifndef EVS__ARENA_POISONED
    return (size_t)(arena->end - arena->at);
#else
    (void)arena;
    return 0;
#endif
}

static inline void evs__arena_take(evs__arena *arena, size_t len)
{
    arena->at += len;
    arena->used += len;
}

/* Makes everything allocated so far invalid; keeps the first block unless it is a large one. */
void evs__arena_reset(evs__arena *arena);

/* The same, keeping all the memory, as one block: filled alike again, the arena takes no more. */
void evs__arena_recycle(evs__arena *arena);

/* Frees every block; the arena is empty and usable afterwards. */
void evs__arena_free(evs__arena *arena);

#endif
