/*
 * mem.h - every allocation of the library goes through here.
 *
 * Sizes are products of a count and an element size, checked for overflow. Tests link mem.c built
 * with EVS_FAIL_ALLOC, where evs__mem_fail_at(n) makes the n-th allocation from now fail.
 */
#ifndef EVS_CORE_MEM_H
#define EVS_CORE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* `count` elements of `size` bytes; NULL when out of memory. A count of 0 gives a valid pointer. */
void *evs__alloc_array(size_t count, size_t size);
void *evs__zalloc_array(size_t count, size_t size);

enum { EVS__LINE = 64 /* bytes of a cache line, on most machines */ };

/* Two lines will be needed soon; any address will do. */
static inline void evs__fetch_soon(const void *lines)
{
    __builtin_prefetch(lines, 1);
    __builtin_prefetch((const void *)((uintptr_t)lines + EVS__LINE), 1); /* NULL is fine, too */
}

/* Where something is, in half of an address: what is missing is the same for most memory of a
 * process. Good for fetching, and for nothing else. */
static inline uint32_t evs__hint_of(const void *lines)
{
    return (uint32_t)((uintptr_t)lines / EVS__LINE);
}

static inline void evs__fetch_hinted(uint32_t hint, const void *neighbour)
{
    uint64_t missing = (uintptr_t)neighbour & ~((uint64_t)UINT32_MAX * EVS__LINE + EVS__LINE - 1);
    evs__fetch_soon((const void *)(uintptr_t)(missing | (uint64_t)hint * EVS__LINE));
}

/* The same as evs__alloc_array, beginning with a cache line; not to be grown. */
void *evs__alloc_lines(size_t count, size_t size);
void *evs__zalloc_lines(size_t count, size_t size);

/* Grows or shrinks; NULL leaves the old block alone. */
void *evs__realloc_array(void *old, size_t count, size_t size);

/* A NUL-terminated copy of `len` bytes; NULL when out of memory. */
char *evs__copy_text(const char *text, size_t len);

void evs__free(void *block);

#ifdef EVS_FAIL_ALLOC
/* The n-th allocation from now fails, and all behind it; 0 turns that off. */
void evs__mem_fail_at(size_t n);
/* The n-th allocation from now fails, and no other. */
void evs__mem_fail_once_at(size_t n);
/* How many allocations there were since the last of these. */
size_t evs__mem_count(void);
#endif

#endif
