/*
 * crc.h - a table of 256 entries from the eight that a single bit selects: CRCs are linear, so the
 * entry of a byte is the exclusive or of the entries of its bits.
 */
#ifndef EVS_SHARDING_HASH_CRC_H
#define EVS_SHARDING_HASH_CRC_H

#define EVS_CRC_BIT(i, bit, entry) (((i) & (bit)) != 0 ? (entry) : 0)
#define EVS_CRC_4(entry, i)        entry(i), entry((i) + 1), entry((i) + 2), entry((i) + 3)
#define EVS_CRC_16(entry, i)                                                   \
    EVS_CRC_4(entry, i), EVS_CRC_4(entry, (i) + 4), EVS_CRC_4(entry, (i) + 8), \
        EVS_CRC_4(entry, (i) + 12)
#define EVS_CRC_64(entry, i)                                                        \
    EVS_CRC_16(entry, i), EVS_CRC_16(entry, (i) + 16), EVS_CRC_16(entry, (i) + 32), \
        EVS_CRC_16(entry, (i) + 48)
#define EVS_CRC_256(entry) \
    EVS_CRC_64(entry, 0), EVS_CRC_64(entry, 64), EVS_CRC_64(entry, 128), EVS_CRC_64(entry, 192)

#endif
