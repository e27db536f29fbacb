#include "conf/source.h"

static unsigned char byte_at(evs_bytes text, size_t at)
{
    return at < text.len ? (unsigned char)text.data[at] : 0;
}

static int continues(evs_bytes text, size_t at, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if ((byte_at(text, at + i) & 0xc0) != 0x80)
            return 0;
    }
    return 1;
}

size_t evs__char_len(evs_bytes text, size_t at)
{
    unsigned char first = byte_at(text, at);
    size_t len = 1;
    if (at >= text.len)
        return 0;
    if (first >= 0xc2 && first <= 0xdf)
        len = 2;
    else if (first >= 0xe0 && first <= 0xef)
        len = 3;
    else if (first >= 0xf0 && first <= 0xf4)
        len = 4;
    return continues(text, at, len) ? len : 1;
}

size_t evs__break_len(evs_bytes text, size_t at)
{
    unsigned char first = byte_at(text, at), second = byte_at(text, at + 1);
    if (at >= text.len)
        return 0;
    if (first == '\r')
        return second == '\n' ? 2 : 1;
    if (first == '\n')
        return 1;
    if (first == 0xc2 && second == 0x85)
        return 2;
    unsigned char third = byte_at(text, at + 2);
    return first == 0xe2 && second == 0x80 && (third == 0xa8 || third == 0xa9) ? 3 : 0;
}

size_t evs__source_start(evs_bytes text)
{
    return text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

/* The end of the line that begins at `at`. */
static size_t line_end(evs_bytes text, size_t at)
{
    while (at < text.len && evs__break_len(text, at) == 0)
        at++;
    return at;
}

evs_bytes evs__source_line(evs_bytes text, int line)
{
    size_t at = evs__source_start(text);
    for (int i = 1; i < line && at < text.len; i++) {
        at = line_end(text, at);
        at += evs__break_len(text, at);
    }
    return (evs_bytes){text.len == 0 ? "" : text.data + at, line_end(text, at) - at};
}

void evs__source_place(evs_bytes text, size_t offset, int *line, int *column)
{
    *line = 1;
    *column = 1;
    for (size_t at = evs__source_start(text); at < offset && at < text.len;) {
        size_t skip = evs__break_len(text, at);
        if (skip > 0) {
            ++*line;
            *column = 1;
        } else {
            skip = evs__char_len(text, at);
            ++*column;
        }
        at += skip;
    }
}
