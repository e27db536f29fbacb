#include "scripts/engine/everywhere.h"

#include "core/error.h"

/* Marks a node. 0 when it was marked already. */
static int is_new(unsigned char *seen, unsigned node)
{
    unsigned char bit = (unsigned char)(1U << node % 8);
    int fresh = (seen[node / 8] & bit) == 0;
    seen[node / 8] |= bit;
    return fresh;
}

static size_t list_primaries(evs__target *out, const evs__cluster *cluster,
                             const evs__target *whole)
{
    unsigned char seen[EVS__NOBODY / 8 + 1] = {0};
    size_t count = 0;
    for (unsigned slot = 0; slot < EVS__SLOTS; slot++) {
        uint16_t owner = cluster->owner[slot];
        if (owner == EVS__NOBODY || !is_new(seen, owner))
            continue;
        if (out != NULL) {
            out[count] = *whole;
            out[count].slot = slot;
        }
        count++;
    }
    if (count == 0 && out != NULL)
        *out = *whole;
    return count > 0 ? count : 1;
}

size_t evs__list_everywhere(evs__target *out, const evs_client *client, size_t first, size_t count)
{
    size_t listed = 0;
    for (size_t i = first; i < first + count; i++) {
        evs__target whole = {i, client->map->shards[i].pool, EVS__ANY_SLOT, 0};
        evs__target *at = out == NULL ? NULL : out + listed;
        if (client->lanes[i]->cluster != NULL) {
            listed += list_primaries(at, client->lanes[i]->cluster, &whole);
            continue;
        }
        if (at != NULL)
            *at = whole;
        listed++;
    }
    return listed;
}

evs_status evs__fail_untold(const evs__cluster *cluster, evs_error *err)
{
    const evs_error *why = cluster->trouble;
    if (why->status == EVS_OK)
        return evs__fail(err, EVS_E_CLUSTER, "the cluster has not told its primaries");
    return evs__fail(err, why->status, "the cluster has not told its primaries: %s", why->message);
}
