/*
 * crc32.c - CRC-32 of IEEE 802.3 in four dialects: `crc32a` is the CRC itself, `crc32` the 15 bits
 * of it that libmemcached and twemproxy keep, `crc32m` the 31 that mcrouter keeps, `crc32x` that of
 * "x" and the key, as Redis in Action does to keep numbers from being shard numbers. Check value:
 * "123456789" gives cbf43926.
 */
#include "sharding/hash.h"
#include "sharding/hash/crc.h"

#define ENTRY(i, a, b, c, d, e, f, g, h)                                                        \
    EVS_CRC_BIT(i, 1, a) ^ EVS_CRC_BIT(i, 2, b) ^ EVS_CRC_BIT(i, 4, c) ^ EVS_CRC_BIT(i, 8, d) ^ \
        EVS_CRC_BIT(i, 16, e) ^ EVS_CRC_BIT(i, 32, f) ^ EVS_CRC_BIT(i, 64, g) ^                 \
        EVS_CRC_BIT(i, 128, h)
#define BYTE_0(i)                                                                          \
    ENTRY(i, 0x77073096u, 0xee0e612cu, 0x076dc419u, 0x0edb8832u, 0x1db71064u, 0x3b6e20c8u, \
          0x76dc4190u, 0xedb88320u)
#define BYTE_1(i)                                                                          \
    ENTRY(i, 0x191b3141u, 0x32366282u, 0x646cc504u, 0xc8d98a08u, 0x4ac21251u, 0x958424a2u, \
          0xf0794f05u, 0x3b83984bu)
#define BYTE_2(i)                                                                          \
    ENTRY(i, 0x01c26a37u, 0x0384d46eu, 0x0709a8dcu, 0x0e1351b8u, 0x1c26a370u, 0x384d46e0u, \
          0x709a8dc0u, 0xe1351b80u)
#define BYTE_3(i)                                                                          \
    ENTRY(i, 0xb8bc6765u, 0xaa09c88bu, 0x8f629757u, 0xc5b428efu, 0x5019579fu, 0xa032af3eu, \
          0x9b14583du, 0xed59b63bu)

/* Of a byte, and of the same byte with one to three zero bytes behind it: four bytes at a time. */
static const uint32_t table[256] = {EVS_CRC_256(BYTE_0)};
static const uint32_t table_1[256] = {EVS_CRC_256(BYTE_1)};
static const uint32_t table_2[256] = {EVS_CRC_256(BYTE_2)};
static const uint32_t table_3[256] = {EVS_CRC_256(BYTE_3)};

static inline uint32_t step(uint32_t crc, char byte)
{
    return crc >> 8 ^ table[(crc ^ (unsigned char)byte) & 0xff];
}

static inline uint32_t step_4(uint32_t crc, const char *at)
{
    crc ^= evs__le32((const unsigned char *)at);
    return table_3[crc & 0xff] ^ table_2[crc >> 8 & 0xff] ^ table_1[crc >> 16 & 0xff] ^
           table[crc >> 24];
}

static inline uint32_t run(uint32_t crc, evs_bytes data)
{
    size_t i = 0;
    for (; i + 4 <= data.len; i += 4)
        crc = step_4(crc, data.data + i);
    for (; i < data.len; i++)
        crc = step(crc, data.data[i]);
    return ~crc;
}

static uint64_t whole(evs_bytes data)
{
    return run(0xffffffffu, data);
}

static uint64_t bits15(evs_bytes data)
{
    return run(0xffffffffu, data) >> 16 & 0x7fff;
}

static uint64_t behind_x(evs_bytes data)
{
    return run(step(0xffffffffu, 'x'), data);
}

static uint64_t bits31(evs_bytes data)
{
    return run(0xffffffffu, data) & 0x7fffffff;
}

const evs__key_hash evs__hash_crc32 = {.name = "crc32", .of = bits15};
const evs__key_hash evs__hash_crc32a = {.name = "crc32a", .of = whole};
const evs__key_hash evs__hash_crc32x = {.name = "crc32x", .of = behind_x};
const evs__key_hash evs__hash_crc32m = {.name = "crc32m", .of = bits31};
