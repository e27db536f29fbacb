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

static uint32_t choose(uint32_t b, uint32_t c, uint32_t d)
{
    return d ^ (b & (c ^ d));
}

static uint32_t parity(uint32_t b, uint32_t c, uint32_t d)
{
    return b ^ c ^ d;
}

static uint32_t majority(uint32_t b, uint32_t c, uint32_t d)
{
    return (b & c) | (d & (b | c));
}

/* A round of section 6.1.2; the five words change places by the order in which they are named. */
#define ROUND(a, b, c, d, e, f, k, word)           \
    e += rotate(a, 5) + f(b, c, d) + (k) + (word); \
    b = rotate(b, 30)

/* 20 rounds that have `f` and `k`. */
#define ROUNDS(w, f, k)                         \
    for (unsigned t = 0; t < 20; t += 5) {      \
        ROUND(a, b, c, d, e, f, k, (w)[t]);     \
        ROUND(e, a, b, c, d, f, k, (w)[t + 1]); \
        ROUND(d, e, a, b, c, f, k, (w)[t + 2]); \
        ROUND(c, d, e, a, b, f, k, (w)[t + 3]); \
        ROUND(b, c, d, e, a, f, k, (w)[t + 4]); \
    }

static void absorb(uint32_t h[5], const unsigned char *block)
{
    uint32_t w[80];
    for (unsigned t = 0; t < 16; t++)
        w[t] = load_word(block + 4 * t);
    for (unsigned t = 16; t < 80; t++)
        w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);

    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    ROUNDS(w, choose, 0x5a827999u)
    ROUNDS(w + 20, parity, 0x6ed9eba1u)
    ROUNDS(w + 40, majority, 0x8f1bbcdcu)
    ROUNDS(w + 60, parity, 0xca62c1d6u)
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
