/*
 * SHA-1 of bytes in memory, after FIPS 180-4 section 6.1.
 *
 * Check values: "" da39a3ee5e6b4b0d3255bfef95601890afd80709, "abc"
 * a9993e364706816aba3e25717850c26c9cd0d89d, a million times "a"
 * 34aa973cd4c4daa4f61eeb2bdbad27316534016f.
 *
 * It identifies scripts to a server, which chose SHA-1; it protects nothing.
 */
#include "core/sha1.h"

enum { BLOCK = 64, LENGTH_AT = 56 };

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static uint32_t load_word(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Section 6.1.2, with W kept in 16 words as in section 6.1.3. */
static uint32_t schedule(uint32_t *w, unsigned t)
{
    if (t < 16)
        return w[t];
    uint32_t x = w[(t + 13) & 15] ^ w[(t + 8) & 15] ^ w[(t + 2) & 15] ^ w[t & 15];
    return w[t & 15] = rotate(x, 1);
}

/* f(b, c, d) + K of round `t`. */
static uint32_t mix(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
    if (t < 20)
        return ((b & c) | (~b & d)) + 0x5a827999u;
    if (t < 40)
        return (b ^ c ^ d) + 0x6ed9eba1u;
    if (t < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
    return (b ^ c ^ d) + 0xca62c1d6u;
}

static void absorb(uint32_t h[5], const unsigned char *block)
{
    uint32_t w[16];
    for (unsigned i = 0; i < 16; i++)
        w[i] = load_word(block + 4 * i);

    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (unsigned t = 0; t < 80; t++) {
        uint32_t next = rotate(a, 5) + mix(t, b, c, d) + e + schedule(w, t);
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

/* Section 5.1.1: the rest of the data, a 1 bit, zeros, the length in bits; one or two blocks. */
static void finish(uint32_t h[5], const unsigned char *rest, size_t nrest, uint64_t total)
{
    unsigned char last[2 * BLOCK] = {0};
    size_t size = nrest < LENGTH_AT ? BLOCK : 2 * BLOCK;
    if (rest != NULL)
        memcpy(last, rest, nrest);
    last[nrest] = 0x80;
    for (unsigned i = 0; i < 8; i++)
        last[size - 1 - i] = (unsigned char)(total * 8 >> (8 * i));
    for (size_t at = 0; at < size; at += BLOCK)
        absorb(h, last + at);
}

void evs__sha1_hex(char out[41], evs_bytes data)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t h[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
    const unsigned char *p = (const unsigned char *)data.data;
    size_t whole = data.len / BLOCK * BLOCK;

    for (size_t at = 0; at < whole; at += BLOCK)
        absorb(h, p + at);
    finish(h, whole < data.len ? p + whole : NULL, data.len - whole, data.len);

    for (unsigned i = 0; i < 40; i++)
        out[i] = digits[h[i / 8] >> (28 - 4 * (i % 8)) & 15];
    out[40] = '\0';
}
