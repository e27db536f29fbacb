/* slots_conf.c - ranges of slots as text, and a table that shows gaps and overlaps. */
#include "conf/slots_conf.h"

#include "conf/ascii.h"
#include "core/mem.h"

/* The number at *at, which moves behind it; 0 when there is none below `limit`. */
static int number(const char **at, unsigned limit, unsigned *out)
{
    unsigned n = 0;
    const char *start = *at;
    for (; evs__is_digit(**at) && *at - start < 6; (*at)++)
        n = n * 10 + (unsigned)(**at - '0');
    *out = n;
    return *at > start && n < limit;
}

static int parse_range(evs_bytes text, unsigned total, evs__slot_range *out)
{
    const char *at = text.data;
    if (!number(&at, total, &out->first))
        return 0;
    out->last = out->first;
    if (*at == '-') {
        at++;
        if (!number(&at, total, &out->last))
            return 0;
    }
    return at == text.data + text.len && out->first <= out->last;
}

static int read_range(evs__reading *r, const evs__yaml *value, unsigned total, evs__slot_range *out)
{
    if (!evs__want_text(r, value))
        return 0;
    if (parse_range(value->text, total, out))
        return 1;
    evs__complain(r->diags, "E216", value->at, "slots must be ranges in 0-%u, found %s%s",
                  total - 1, evs__found(r, value), evs__where(r));
    evs__hint(r->diags, "slots: [0-%u]", total - 1);
    return 0;
}

void evs__read_slots(evs__reading *r, const evs__yaml *value, unsigned total, evs__shard *shard)
{
    int list = value->kind == EVS__YAML_LIST;
    size_t count = list ? value->count : 1;
    evs__slot_range *ranges = evs__arena_alloc(r->arena, count, sizeof *ranges);
    if (ranges == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    const evs__yaml *one = list ? value->first : value;
    for (; one != NULL; one = list ? one->next : NULL)
        shard->nslots += (size_t)read_range(r, one, total, &ranges[shard->nslots]);
    shard->slots = ranges;
}

static const evs__yaml *slots_node(const evs__yaml *shard)
{
    const evs__yaml *node = evs__yaml_get(shard, "slots");
    return node == NULL ? shard->key : node;
}

/* Who owns what; the shard of a slot is its number in the pool, counted from 1, or 0. */
typedef struct ownership {
    uint16_t *owner; /* ours */
    const evs__shard *shards;
} ownership;

/* Complains once per shard that takes what another one has. */
static void claim(evs__building *b, ownership *o, size_t i, const evs__yaml *node)
{
    for (size_t k = 0; k < o->shards[i].nslots; k++) {
        evs__slot_range range = o->shards[i].slots[k];
        for (unsigned slot = range.first; slot <= range.last; slot++) {
            if (o->owner[slot] == 0) {
                o->owner[slot] = (uint16_t)(i + 1);
                continue;
            }
            const char *other = o->shards[o->owner[slot] - 1].name;
            evs__complain(b->r.diags, "E221", node->at,
                          "slots %u-%u of \"%s\" overlap \"%s\" at %u", range.first, range.last,
                          o->shards[i].name, other, slot);
            evs__hint(b->r.diags, "a slot has one owner");
            return;
        }
    }
}

static void find_gap(evs__building *b, const ownership *o, unsigned total, const evs__yaml *shards)
{
    unsigned first = 0, last, missing = 0;
    while (first < total && o->owner[first] != 0)
        first++;
    if (first == total)
        return;
    for (last = first; last + 1 < total && o->owner[last + 1] == 0; last++)
        ;
    for (unsigned slot = first; slot < total; slot++)
        missing += o->owner[slot] == 0;
    evs__complain(b->r.diags, "E220", shards->key->at,
                  "no shard owns slots %u-%u (%u of %u in all)%s", first, last, missing, total,
                  evs__where(&b->r));
    evs__hint(b->r.diags, "every slot from 0 to %u needs an owner", total - 1);
}

void evs__check_slots(evs__building *b, const evs__pool *pool, const evs__yaml *shards)
{
    ownership o = {evs__zalloc_array(pool->layout.size, sizeof *o.owner),
                   &b->map->shards[pool->first_shard]};
    if (o.owner == NULL) {
        evs__diagnostics_nomem(b->r.diags);
        return;
    }
    size_t i = 0;
    for (const evs__yaml *shard = shards->first; shard != NULL; shard = shard->next, i++)
        claim(b, &o, i, slots_node(shard));
    find_gap(b, &o, pool->layout.size, shards);
    evs__free(o.owner);
}
