/* xxh64.c - XXH64 with seed 0: the hash of rendezvous, and of go-redis Ring. */
#include "core/hash64.h"
#include "sharding/hash.h"

static uint64_t of(evs_bytes data)
{
    return evs__xxh64_plain(data);
}

const evs__key_hash evs__hash_xxh64 = {.name = "xxh64", .of = of};
