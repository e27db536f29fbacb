/*
 * crc16.c - CRC-16/XMODEM: polynomial 0x1021, most significant bit first.
 *
 * Redis hashes slots with it. Of twemproxy's `crc16` only the low 16 bits are that CRC: its state
 * is 32 bits wide and never masked. Check value: "123456789" gives 31c3.
 */
#include "sharding/hash.h"
#include "sharding/hash/crc.h"

#define ENTRY(i, a, b, c, d, e, f, g, h)                                              \
    (uint16_t)(EVS_CRC_BIT(i, 1, a) ^ EVS_CRC_BIT(i, 2, b) ^ EVS_CRC_BIT(i, 4, c) ^   \
               EVS_CRC_BIT(i, 8, d) ^ EVS_CRC_BIT(i, 16, e) ^ EVS_CRC_BIT(i, 32, f) ^ \
               EVS_CRC_BIT(i, 64, g) ^ EVS_CRC_BIT(i, 128, h))
#define BYTE_0(i) ENTRY(i, 0x1021, 0x2042, 0x4084, 0x8108, 0x1231, 0x2462, 0x48c4, 0x9188)
#define BYTE_1(i) ENTRY(i, 0x3331, 0x6662, 0xccc4, 0x89a9, 0x0373, 0x06e6, 0x0dcc, 0x1b98)
#define BYTE_2(i) ENTRY(i, 0x3730, 0x6e60, 0xdcc0, 0xa9a1, 0x4363, 0x86c6, 0x1dad, 0x3b5a)
#define BYTE_3(i) ENTRY(i, 0x76b4, 0xed68, 0xcaf1, 0x85c3, 0x1ba7, 0x374e, 0x6e9c, 0xdd38)

/* Of a byte, and of the same byte with one to three zero bytes behind it: four bytes at a time. */
static const uint16_t table[256] = {EVS_CRC_256(BYTE_0)};
static const uint16_t table_1[256] = {EVS_CRC_256(BYTE_1)};
static const uint16_t table_2[256] = {EVS_CRC_256(BYTE_2)};
static const uint16_t table_3[256] = {EVS_CRC_256(BYTE_3)};

static uint64_t of(evs_bytes data)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < data.len; i++)
        crc = crc << 8 ^ table[(crc >> 8 ^ (unsigned char)data.data[i]) & 0xff];
    return crc;
}

static inline unsigned step_4(unsigned crc, const unsigned char *at)
{
    return (unsigned)(table_3[at[0] ^ crc >> 8] ^ table_2[at[1] ^ (crc & 0xff)] ^ table_1[at[2]] ^
                      table[at[3]]);
}

static uint64_t slot(evs_bytes data)
{
    const unsigned char *at = (const unsigned char *)data.data;
    unsigned crc = 0;
    size_t i = 0;
    for (; i + 4 <= data.len; i += 4)
        crc = step_4(crc, at + i);
    for (; i < data.len; i++)
        crc = (crc << 8 & 0xffff) ^ table[crc >> 8 ^ at[i]];
    return crc;
}

const evs__key_hash evs__hash_crc16 = {.name = "crc16", .of = of};
const evs__key_hash evs__hash_crc16_slot = {.name = "crc16-slot", .of = slot};
