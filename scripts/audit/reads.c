/* Which places of KEYS or ARGV a script reads. */
#include "scripts/audit/reads.h"

evs__reads evs__reads_of(const evs__facts *facts, evs__given given)
{
    evs__reads out = {{0}, 0, 0};
    for (size_t i = 0; i < facts->naccesses; i++) {
        const evs__access *access = &facts->accesses[i];
        if (access->given != given || access->kind == EVS__ACCESS_STRANGE)
            continue;
        out.all |= access->kind != EVS__ACCESS_INDEX || access->index > EVS__READS_PLACES;
        if (access->index > out.highest)
            out.highest = access->index;
        if (access->index >= 1 && access->index <= EVS__READS_PLACES)
            out.read[access->index] = 1;
    }
    return out;
}

evs_span evs__reads_span(const evs__facts *facts, evs__given given, int index)
{
    evs_span first = {1, 1, 1, 1};
    for (size_t i = 0; i < facts->naccesses; i++)
        if (facts->accesses[i].given == given && facts->accesses[i].index == index)
            return facts->accesses[i].at;
    return first;
}
