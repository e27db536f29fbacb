#include "core/utf8.h"

size_t evs__utf8_length(evs_bytes text)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (text.len == 0)
        return 0;
    unsigned char c = (unsigned char)text.data[0];
    size_t n = c < 0x80             ? 1
               : (c & 0xe0) == 0xc0 ? 2
               : (c & 0xf0) == 0xe0 ? 3
               : (c & 0xf8) == 0xf0 ? 4
                                    : 0;
    if (n == 0 || n > text.len)
        return 0;
    unsigned code = n == 1 ? c : c & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        unsigned char next = (unsigned char)text.data[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (next & 0x3fu);
    }
    if (n > 1 && (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))
        return 0;
    return n;
}

static void skip(evs_bytes *text, size_t n)
{
    text->data += n;
    text->len -= n;
}

size_t evs__utf8_count(evs_bytes text)
{
    size_t count = 0;
    for (; text.len > 0; count++) {
        size_t n = evs__utf8_length(text);
        skip(&text, n == 0 ? 1 : n);
    }
    return count;
}

size_t evs__utf8_copy(char *out, size_t size, evs_bytes text)
{
    size_t len = 0;
    while (text.len > 0) {
        size_t n = evs__utf8_length(text), room = n == 0 ? 3 : n;
        if (len + room >= size)
            break;
        memcpy(out + len, n == 0 ? "\xef\xbf\xbd" : text.data, room);
        len += room;
        skip(&text, n == 0 ? 1 : n);
    }
    out[len] = '\0';
    return len;
}
