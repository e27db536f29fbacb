/*
 * leap.h - jump consistent hash without its loop, among up to 1,024 buckets.
 *
 * Where the walk of jump.c ends no processor foretells, and being wrong costs it more than some
 * steps. So a leap always makes as many steps, enough for nearly all keys among so many buckets,
 * and looks then which one was the last. It gives the bucket of the walk or none.
 */
#ifndef EVS_SHARDING_PLACEMENT_LEAP_H
#define EVS_SHARDING_PLACEMENT_LEAP_H

#include <stddef.h>
#include <stdint.h>

enum { EVS__LEAP_MOST = 1 << 10 };

/* Instead of a bucket: this hash, one in some hundred, has to be walked. */
#define EVS__NO_BUCKET SIZE_MAX

/* The bucket of `hash` among `count` of them, or EVS__NO_BUCKET. */
typedef size_t evs__leap_fn(uint64_t hash, size_t count);

/* The leap among so many buckets; NULL: there is none among so many, or on such a processor. The
 * wide one, where there is AVX-512, is faster than the plain one, where there is SSE2. */
evs__leap_fn *evs__leap_plain(size_t count);
evs__leap_fn *evs__leap_wide(size_t count);

/* The next draw of a hash; the upper 31 bits plus one are what the recipe divides by. */
static inline uint64_t evs__jump_draw(uint64_t *hash)
{
    return *hash = *hash * 2862933555777941757u + 1;
}

#endif
