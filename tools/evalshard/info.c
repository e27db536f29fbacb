/*
 * info.c - numbers out of the text that INFO answers with: lines of `name:value`, ended by CR LF.
 */
#include "tools/evalshard/info.h"

#include <ctype.h>

/* What stands between `prefix` and the next byte of `stops`, when `text` begins so; else NULL. */
static const char *after(evs_bytes text, const char *prefix, char separator)
{
    size_t len = strlen(prefix);
    if (text.len <= len || memcmp(text.data, prefix, len) != 0 || text.data[len] != separator)
        return NULL;
    return text.data + len + 1;
}

static evs_bytes until(const char *start, const char *end, const char *stops)
{
    const char *p = start;
    while (p < end && strchr(stops, *p) == NULL)
        p++;
    return (evs_bytes){start, (size_t)(p - start)};
}

evs_bytes info_text(evs_bytes text, const char *name)
{
    const char *end = text.data + text.len;
    for (const char *p = text.data; p < end;) {
        const char *value = after((evs_bytes){p, (size_t)(end - p)}, name, ':');
        if (value != NULL)
            return until(value, end, "\r\n");
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        p = newline == NULL ? end : newline + 1;
    }
    return (evs_bytes){NULL, 0};
}

/* -1 when `text` does not begin with a digit. */
static int64_t number(evs_bytes text)
{
    int64_t n = 0;
    if (text.len == 0 || !isdigit((unsigned char)text.data[0]))
        return -1;
    for (size_t i = 0; i < text.len && isdigit((unsigned char)text.data[i]) && n < INT64_MAX / 16;
         i++)
        n = n * 10 + (text.data[i] - '0');
    return n;
}

int64_t info_number(evs_bytes text, const char *name)
{
    return number(info_text(text, name));
}

int64_t info_field(evs_bytes text, const char *name, const char *field)
{
    evs_bytes line = info_text(text, name);
    const char *end = line.data + line.len;
    for (const char *p = line.data; p < end;) {
        const char *value = after((evs_bytes){p, (size_t)(end - p)}, field, '=');
        int64_t n = value == NULL ? -1 : number(until(value, end, ","));
        if (n >= 0)
            return n;
        p += until(p, end, ",").len + 1;
    }
    return 0;
}
