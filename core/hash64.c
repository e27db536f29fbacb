/* The only file that calls xxhash. Its functions are compiled in: keys are short, and a call into
 * the shared library would cost as much as the hash. */
#include "core/hash64.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t evs__xxh64(evs_bytes data, uint64_t seed)
{
    return XXH64(data.len == 0 ? "" : data.data, data.len, seed);
}

uint64_t evs__hash(evs_bytes data)
{
    return XXH3_64bits(data.len == 0 ? "" : data.data, data.len);
}
