/*
 * md5.c - the first four bytes of an MD5, little-endian, as ketama clients use it. The only file
 * that knows libmd. Check value: MD5("127.0.0.1:21001-0") begins with e8b65ed5 31434ef0.
 */
#include "sharding/hash/md5.h"

#include "sharding/hash.h"

#include <md5.h>

void evs__md5(uint32_t out[4], evs_bytes data)
{
    uint8_t digest[MD5_DIGEST_LENGTH];
    MD5_CTX context;
    MD5Init(&context);
    MD5Update(&context, (const uint8_t *)data.data, data.len);
    MD5Final(digest, &context);
    for (int i = 0; i < 4; i++)
        out[i] = evs__le32(digest + 4 * i);
}

static uint64_t jedis(evs_bytes data)
{
    uint32_t words[4];
    evs__md5(words, data);
    return words[0];
}

static uint64_t of(evs_bytes data)
{
    return data.len == 0 ? 0 : jedis(data);
}

const evs__key_hash evs__hash_md5 = {.name = "md5", .of = of};
const evs__key_hash evs__hash_md5_jedis = {.name = "md5-jedis", .of = jedis};
