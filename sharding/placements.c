/* The list of placements, from placements.def. */
#include "sharding/placement.h"

#define EVS_PLACEMENT(name) extern const evs__placement evs__placement_##name;
#include "sharding/placements.def"
#undef EVS_PLACEMENT

static const evs__placement *const placements[] = {
#define EVS_PLACEMENT(name) &evs__placement_##name,
#include "sharding/placements.def"
#undef EVS_PLACEMENT
};

const evs__placement *evs__placement_find(const char *name)
{
    for (size_t i = 0; i < sizeof placements / sizeof placements[0]; i++) {
        if (strcmp(placements[i]->name, name) == 0)
            return placements[i];
    }
    return NULL;
}

const evs__key_hash *evs__hash_choice_find(const evs__hash_choice *choices, const char *name)
{
    for (; choices->name != NULL; choices++) {
        if (strcmp(choices->name, name) == 0)
            return choices->hash;
    }
    return NULL;
}
