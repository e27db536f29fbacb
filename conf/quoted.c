#include "conf/quoted.h"

#include "conf/source.h"

#include <stdio.h>

enum { LONGEST = 64 }; /* characters */

static int plain(evs_bytes text, size_t at, size_t len)
{
    unsigned char c = (unsigned char)text.data[at];
    return len > 1 ? evs__break_len(text, at) == 0 : c >= 0x20 && c < 0x7f;
}

const char *evs__quoted(evs__arena *arena, evs_bytes text)
{
    char *out = evs__arena_alloc(arena, 4 * LONGEST + 8, 1);
    size_t n = 0, at = 0;
    if (out == NULL)
        return "\"...\"";
    out[n++] = '"';
    for (int count = 0; at < text.len && count < LONGEST; count++) {
        size_t len = evs__char_len(text, at);
        if (plain(text, at, len)) {
            memcpy(out + n, text.data + at, len);
            n += len;
        } else {
            len = 1;
            n += (size_t)snprintf(out + n, 5, "\\x%02x", (unsigned)(unsigned char)text.data[at]);
        }
        at += len;
    }
    snprintf(out + n, 8, "%s\"", at < text.len ? "..." : "");
    return out;
}
