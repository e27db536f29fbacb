/*
 * crc16.c - CRC-16/XMODEM: polynomial 0x1021, most significant bit first.
 *
 * Redis hashes slots with it. Of twemproxy's `crc16` only the low 16 bits are that CRC: its state
 * is 32 bits wide and never masked. Check value: "123456789" gives 31c3.
 */
#include "sharding/hash.h"
#include "sharding/hash/crc.h"

#define ENTRY(i)                                                                                   \
    (uint16_t)(EVS_CRC_BIT(i, 1, 0x1021) ^ EVS_CRC_BIT(i, 2, 0x2042) ^ EVS_CRC_BIT(i, 4, 0x4084) ^ \
               EVS_CRC_BIT(i, 8, 0x8108) ^ EVS_CRC_BIT(i, 16, 0x1231) ^                            \
               EVS_CRC_BIT(i, 32, 0x2462) ^ EVS_CRC_BIT(i, 64, 0x48c4) ^                           \
               EVS_CRC_BIT(i, 128, 0x9188))

static const uint16_t table[256] = {EVS_CRC_256(ENTRY)};

static uint64_t of(evs_bytes data)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < data.len; i++)
        crc = crc << 8 ^ table[(crc >> 8 ^ (unsigned char)data.data[i]) & 0xff];
    return crc;
}

static uint64_t slot(evs_bytes data)
{
    return of(data) & 0xffff;
}

const evs__key_hash evs__hash_crc16 = {.name = "crc16", .of = of};
const evs__key_hash evs__hash_crc16_slot = {.name = "crc16-slot", .of = slot};
