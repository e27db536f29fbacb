#include "core/printable.h"

/* Writes one byte to `out`, at most 4. */
static size_t one(char *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    if (c >= ' ' && c <= '~' && c != '\\') {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    if (c == '\r' || c == '\n' || c == '\\') {
        out[1] = c == '\r' ? 'r' : c == '\n' ? 'n' : '\\';
        return 2;
    }
    out[1] = 'x';
    out[2] = digits[c >> 4];
    out[3] = digits[c & 15];
    return 4;
}

size_t evs__printable(char *out, size_t size, evs_bytes bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        char text[4];
        size_t len = one(text, (unsigned char)bytes.data[i]);
        if (len >= size - n)
            break;
        memcpy(out + n, text, len);
        n += len;
    }
    out[n] = '\0';
    return n;
}
