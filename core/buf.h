/*
 * buf.h - bytes that grow, with a sticky failure.
 *
 * Appending after a failed allocation does nothing; check evs__buf_ok once at the end. `data` is
 * always NUL-terminated behind `len` once something was appended. What is appended must not lie in
 * the buffer itself.
 */
#ifndef EVS_CORE_BUF_H
#define EVS_CORE_BUF_H

#include <evalshard/base.h>
#include <stdint.h>

typedef struct evs__buf {
    char *data; /* ours */
    size_t len;
    size_t cap;
    int failed;
} evs__buf;

#define EVS__BUF_INIT \
    {                 \
        NULL, 0, 0, 0 \
    }

void evs__buf_append(evs__buf *buf, const void *data, size_t len);
void evs__buf_text(evs__buf *buf, const char *text);
void evs__buf_char(evs__buf *buf, char c);
void evs__buf_format(evs__buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

char *evs__buf_grow(evs__buf *buf, size_t len); /* for evs__buf_reserve */

/* Room for `len` more bytes and a NUL; NULL when out of memory. The caller fills it and adds to
 * `len`; the NUL is not set then. */
static inline char *evs__buf_reserve(evs__buf *buf, size_t len)
{
    if (buf->cap - buf->len > len && !buf->failed) /* one byte stays free for the NUL */
        return buf->data + buf->len;
    return evs__buf_grow(buf, len);
}

/* Forgets the first `len` bytes, of which there are as many. */
void evs__buf_consume(evs__buf *buf, size_t len);

static inline int evs__buf_ok(const evs__buf *buf)
{
    return !buf->failed;
}

/* Empties, keeps the memory, forgives a failure. */
void evs__buf_clear(evs__buf *buf);
void evs__buf_free(evs__buf *buf);

/* The text, NUL-terminated; the buffer is empty afterwards. evs__free it. NULL when it failed. */
char *evs__buf_take(evs__buf *buf);

#endif
