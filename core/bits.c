#include "core/bits.h"

#include "core/mem.h"

#include <string.h>

int evs__bits_grow(uint64_t **bits, size_t from, size_t to)
{
    uint64_t *more = evs__realloc_array(*bits, to, sizeof *more);
    if (more == NULL)
        return 0;
    memset(more + from, 0, (to - from) * sizeof *more);
    *bits = more;
    return 1;
}
