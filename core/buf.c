#include "core/buf.h"

#include "core/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { FIRST_CAP = 256 };

char *evs__buf_grow(evs__buf *buf, size_t len)
{
    if (buf->failed)
        return NULL;
    if (len >= SIZE_MAX / 2 - buf->len) {
        buf->failed = 1;
        return NULL;
    }
    size_t cap = buf->cap == 0 ? FIRST_CAP : buf->cap;
    while (cap - buf->len <= len)
        cap *= 2;
    char *data = evs__realloc_array(buf->data, cap, 1);
    if (data == NULL) {
        buf->failed = 1;
        return NULL;
    }
    buf->data = data;
    buf->cap = cap;
    return data + buf->len;
}

void evs__buf_append(evs__buf *buf, const void *data, size_t len)
{
    char *room = evs__buf_reserve(buf, len);
    if (room == NULL)
        return;
    if (len > 0)
        memcpy(room, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void evs__buf_text(evs__buf *buf, const char *text)
{
    evs__buf_append(buf, text, strlen(text));
}

void evs__buf_char(evs__buf *buf, char c)
{
    evs__buf_append(buf, &c, 1);
}

void evs__buf_format(evs__buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = len < 0 ? NULL : evs__buf_reserve(buf, (size_t)len + 1);
    if (room == NULL) {
        buf->failed = 1;
        return;
    }
    va_start(args, format);
    vsnprintf(room, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

void evs__buf_consume(evs__buf *buf, size_t len)
{
    assert(len <= buf->len);
    if (len == 0)
        return;
    memmove(buf->data, buf->data + len, buf->len - len);
    buf->len -= len;
    buf->data[buf->len] = '\0';
}

void evs__buf_clear(evs__buf *buf)
{
    buf->len = 0;
    buf->failed = 0;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void evs__buf_free(evs__buf *buf)
{
    evs__free(buf->data);
    *buf = (evs__buf)EVS__BUF_INIT;
}

char *evs__buf_take(evs__buf *buf)
{
    evs__buf_append(buf, "", 0);
    if (buf->failed) {
        evs__buf_free(buf);
        return NULL;
    }
    char *text = buf->data;
    *buf = (evs__buf)EVS__BUF_INIT;
    return text;
}
