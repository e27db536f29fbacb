#include "core/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef EVS_FAIL_ALLOC
/* Test builds only: the one piece of writable process state, never in the shipped library. Atomic
 * because clients with a thread of their own are tested too. */
static _Atomic size_t fail_at;
static _Atomic size_t fail_until;
static _Atomic size_t counted;

static void fail_from(size_t n, size_t until)
{
    fail_at = n;
    fail_until = until;
    counted = 0;
}

void evs__mem_fail_at(size_t n)
{
    fail_from(n, SIZE_MAX);
}

void evs__mem_fail_once_at(size_t n)
{
    fail_from(n, n);
}

size_t evs__mem_count(void)
{
    return counted;
}

static int denied(void)
{
    size_t n = ++counted, at = fail_at;
    return at != 0 && n >= at && n <= fail_until;
}
#else
static int denied(void)
{
    return 0;
}
#endif

static int overflows(size_t count, size_t size)
{
    return size != 0 && count > SIZE_MAX / size;
}

static size_t at_least_one(size_t bytes)
{
    return bytes == 0 ? 1 : bytes;
}

void *evs__alloc_array(size_t count, size_t size)
{
    if (overflows(count, size) || denied())
        return NULL;
    return malloc(at_least_one(count * size));
}

void *evs__zalloc_array(size_t count, size_t size)
{
    if (overflows(count, size) || denied())
        return NULL;
    return calloc(1, at_least_one(count * size));
}

void *evs__alloc_lines(size_t count, size_t size)
{
    if (overflows(count, size) || count * size > SIZE_MAX - EVS__LINE || denied())
        return NULL;
    size_t lines = (at_least_one(count * size) + EVS__LINE - 1) / EVS__LINE;
    return aligned_alloc(EVS__LINE, lines * EVS__LINE);
}

void *evs__zalloc_lines(size_t count, size_t size)
{
    void *block = evs__alloc_lines(count, size);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

void *evs__realloc_array(void *old, size_t count, size_t size)
{
    if (overflows(count, size) || denied())
        return NULL;
    return realloc(old, at_least_one(count * size));
}

char *evs__copy_text(const char *text, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = evs__alloc_array(len + 1, 1);
    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

void evs__free(void *block)
{
    free(block);
}
