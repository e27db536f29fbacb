/* The only file that knows xxhash. Its functions are compiled in: keys are short, and a call into
 * the shared library would cost as much as the hash. */
#include "core/hash64.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { STRIPE = 32 };

static __attribute__((noinline)) uint64_t hash_long(evs_bytes data, uint64_t seed)
{
    return XXH64(data.data, data.len, seed);
}

/* In two, because the compiler leaves out of a short one what only long ones need. */
__attribute__((flatten)) uint64_t evs__xxh64(evs_bytes data, uint64_t seed)
{
    if (data.len >= STRIPE)
        return hash_long(data, seed);
    return XXH64(data.len == 0 ? "" : data.data, data.len, seed);
}

uint64_t evs__hash(evs_bytes data)
{
    return XXH3_64bits(data.len == 0 ? "" : data.data, data.len);
}
