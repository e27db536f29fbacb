#include "scripts/syntax/constants.h"

#include "core/hash64.h"

#include <string.h>

enum { FIRST_SLOTS = 32 };

/* 0 and -0 are the same key of a Lua table, and so the same constant. */
static uint64_t hash(const evs__constant *constant)
{
    double number = constant->number == 0 ? 0 : constant->number;
    evs_bytes bytes = {(const char *)&number, sizeof number};
    if (constant->kind == EVS__CONSTANT_STRING)
        bytes = constant->text;
    return evs__hash(bytes) + (uint64_t)constant->kind * 0x9e3779b97f4a7c15u;
}

static int equal(const evs__constant *a, const evs__constant *b)
{
    if (a->kind != b->kind)
        return 0;
    if (a->kind == EVS__CONSTANT_NUMBER)
        return a->number == b->number;
    if (a->kind != EVS__CONSTANT_STRING)
        return 1;
    return a->text.len == b->text.len &&
           (a->text.len == 0 || memcmp(a->text.data, b->text.data, a->text.len) == 0);
}

/* The slot that holds `constant`, or the free one where it goes. */
static uint32_t *find(const evs__constants *set, const evs__constant *constant)
{
    size_t mask = set->nslots - 1;
    size_t i = (size_t)hash(constant) & mask;
    while (set->slots[i] != 0 && !equal(&set->items[set->slots[i] - 1], constant))
        i = (i + 1) & mask;
    return &set->slots[i];
}

static int grow(evs__constants *set, evs__arena *arena)
{
    evs__constants bigger = {.count = set->count};
    bigger.nslots = set->nslots == 0 ? FIRST_SLOTS : set->nslots * 2;
    bigger.slots = evs__arena_zalloc(arena, bigger.nslots, sizeof *bigger.slots);
    bigger.items = evs__arena_alloc(arena, bigger.nslots / 2, sizeof *bigger.items);
    if (bigger.slots == NULL || bigger.items == NULL)
        return 0;
    for (size_t i = 0; i < set->count; i++) {
        bigger.items[i] = set->items[i];
        *find(&bigger, &set->items[i]) = (uint32_t)i + 1;
    }
    *set = bigger;
    return 1;
}

int evs__constants_number(evs__constants *set, evs__arena *arena, const evs__constant *constant)
{
    if (set->count * 2 >= set->nslots && !grow(set, arena))
        return -1;
    uint32_t *slot = find(set, constant);
    if (*slot == 0) {
        set->items[set->count++] = *constant;
        *slot = (uint32_t)set->count;
    }
    return (int)*slot - 1;
}
