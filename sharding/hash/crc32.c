/*
 * crc32.c - CRC-32 of IEEE 802.3 in four dialects: `crc32a` is the CRC itself, `crc32` the 15 bits
 * of it that libmemcached and twemproxy keep, `crc32m` the 31 that mcrouter keeps, `crc32x` that of
 * "x" and the key, as Redis in Action does to keep numbers from being shard numbers. Check value:
 * "123456789" gives cbf43926.
 */
#include "sharding/hash.h"
#include "sharding/hash/crc.h"

#define ENTRY(i)                                                            \
    EVS_CRC_BIT(i, 1, 0x77073096u) ^ EVS_CRC_BIT(i, 2, 0xee0e612cu) ^       \
        EVS_CRC_BIT(i, 4, 0x076dc419u) ^ EVS_CRC_BIT(i, 8, 0x0edb8832u) ^   \
        EVS_CRC_BIT(i, 16, 0x1db71064u) ^ EVS_CRC_BIT(i, 32, 0x3b6e20c8u) ^ \
        EVS_CRC_BIT(i, 64, 0x76dc4190u) ^ EVS_CRC_BIT(i, 128, 0xedb88320u)

static const uint32_t table[256] = {EVS_CRC_256(ENTRY)};

static inline uint32_t step(uint32_t crc, char byte)
{
    return crc >> 8 ^ table[(crc ^ (unsigned char)byte) & 0xff];
}

static inline uint32_t run(uint32_t crc, evs_bytes data)
{
    for (size_t i = 0; i < data.len; i++)
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
