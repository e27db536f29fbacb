/*
 * placement_check.c - what can only be judged when all shards of a pool are known: their numbers,
 * their weights together, sizes that depend on how many there are, and what to warn of.
 */
#include "conf/placement_conf.h"

#include "conf/ascii.h"
#include "conf/slots_conf.h"
#include "core/buf.h"
#include "core/mem.h"

#include <inttypes.h>

enum {
    MOST_ENTRIES = 16 * 1024 * 1024, /* of a table or a ring */
    CRC32_VALUES = 32768,            /* what the 15 bits of crc32 can be */
    ADDRESSES_NAMED = 4,             /* of a warning */
    SLOW_RENDEZVOUS = 64             /* draws from which on a table is several times faster */
};

/* What is looked at, with the node of its shards. */
typedef struct checking {
    evs__building *b;
    evs__pool *pool;
    evs__shard *shards; /* of the pool */
    const evs__yaml *nodes;
} checking;

static const evs__yaml *node_of(const evs__yaml *shard, const char *key)
{
    const evs__yaml *node = evs__yaml_get(shard, key);
    return node == NULL ? shard->key : node;
}

/* Shards are numbered 0 to n - 1, each once. */
static void check_numbers(checking *c)
{
    size_t count = c->pool->nshards, i = 0;
    const evs__yaml **taken = evs__zalloc_array(count, sizeof *taken);
    if (taken == NULL) {
        evs__diagnostics_nomem(c->b->r.diags);
        return;
    }
    for (const evs__yaml *shard = c->nodes->first; shard != NULL; shard = shard->next, i++) {
        const evs__yaml *node = node_of(shard, "index");
        unsigned index = c->shards[i].index;
        if (index == EVS__NO_INDEX)
            evs__complain(c->b->r.diags, "E259", shard->key->at, "shard \"%s\" has no index%s",
                          c->shards[i].name, evs__where(&c->b->r));
        else if (index >= count)
            evs__complain(c->b->r.diags, "E259", node->at,
                          "index %u of shard \"%s\" is not in 0-%zu%s", index, c->shards[i].name,
                          count - 1, evs__where(&c->b->r));
        else if (taken[index] != NULL)
            evs__complain(c->b->r.diags, "E259", node->at, "index %u is taken (first at %d:%d)%s",
                          index, taken[index]->at.line, taken[index]->at.column,
                          evs__where(&c->b->r));
        else {
            taken[index] = node;
            continue;
        }
        evs__hint(c->b->r.diags, "number the %zu shards from 0 to %zu; new ones at the end", count,
                  count - 1);
    }
    evs__free(taken);
}

static void check_index(checking *c)
{
    size_t numbered = 0;
    if ((c->pool->placement->takes & (EVS__TAKES_INDEX | EVS__NEEDS_INDEX)) == 0)
        return;
    for (size_t i = 0; i < c->pool->nshards; i++)
        numbered += c->shards[i].index != EVS__NO_INDEX;
    c->pool->layout.numbered = numbered > 0;
    if (numbered > 0 || (c->pool->placement->takes & EVS__NEEDS_INDEX) != 0)
        check_numbers(c);
}

static uint64_t total_weight(const checking *c)
{
    uint64_t total = 0;
    for (size_t i = 0; i < c->pool->nshards; i++)
        total += c->shards[i].weight;
    return total;
}

/* Look-ups and tables grow with the weights. */
static void check_weights(checking *c)
{
    const evs__placement *placement = c->pool->placement;
    uint64_t total = total_weight(c), per = c->pool->layout.points > 0 ? c->pool->layout.points : 1;
    uint64_t most = (placement->takes & EVS__COSTS_WEIGHTS) != 0 ? EVS__MOST_DRAWS
                                                                 : MOST_ENTRIES / per;
    if (strcmp(placement->name, "ketama") == 0)
        most = UINT32_MAX; /* as many points whatever the weights */
    if (total <= most)
        return;
    evs__complain(c->b->r.diags, "E211", c->nodes->key->at,
                  "the weights add up to %" PRIu64 ", more than %" PRIu64 "%s", total, most,
                  evs__where(&c->b->r));
    if ((placement->takes & EVS__COSTS_WEIGHTS) != 0)
        evs__hint(c->b->r.diags,
                  "every key costs one step per unit of weight; use smaller weights");
    else
        evs__hint(c->b->r.diags, "the table would be too large; use smaller weights");
}

/* The least weight next to `others` that gets a point: more weight never gets fewer. */
static unsigned least_weight(unsigned per, unsigned others, size_t nshards)
{
    /* Half of all surely gets one. */
    unsigned low = 1, high = others < UINT32_MAX / 2 ? others + 1 : UINT32_MAX - others;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (evs__ketama_points(per, middle, others + middle, nshards) > 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void check_points(checking *c, const evs__compat *compat)
{
    unsigned total = (unsigned)total_weight(c), per = c->pool->layout.points;
    uint64_t all = 0;
    size_t i = 0;
    for (size_t k = 0; k < c->pool->nshards; k++)
        all += evs__ketama_points(per, c->shards[k].weight, total, c->pool->nshards);
    for (const evs__yaml *shard = c->nodes->first; shard != NULL; shard = shard->next, i++) {
        unsigned weight = c->shards[i].weight;
        if (evs__ketama_points(per, weight, total, c->pool->nshards) > 0)
            continue;
        evs__complain(c->b->r.diags, compat->distributions[0] == NULL ? "E257" : "W257",
                      node_of(shard, "weight")->at,
                      "shard \"%s\" would get 0 of %" PRIu64
                      " ketama points (weight %u of %u) and so no keys at all",
                      c->shards[i].name, all, weight, total);
        evs__hint(c->b->r.diags, "raise its weight to at least %u or lower the others",
                  least_weight(per, total - weight, c->pool->nshards));
    }
}

/* The share of keys, in percent, that move among n equal shards when one more changes the number of
 * points of each: those of the points that come or go, unless the next one is of the same shard. */
static double needless(size_t n, unsigned points, unsigned then)
{
    unsigned most = points > then ? points : then, least = points < then ? points : then;
    return 100.0 * (most - least) / most * (double)(n - 1) / (double)(n + 1);
}

/* Of each of so many shards of equal weight. */
static unsigned equal_points(const checking *c, size_t count)
{
    return evs__ketama_points(c->pool->layout.points, 1, (unsigned)count, count);
}

/* twemproxy's rounding: with some numbers of equal shards each has 156 points, not 160. */
static void note_rounding(checking *c)
{
    size_t n = c->pool->nshards;
    for (size_t i = 1; i < n; i++) {
        if (c->shards[i].weight != c->shards[0].weight)
            return;
    }
    unsigned points = equal_points(c, n);
    if (points == c->pool->layout.points || c->pool->layout.points % 4 != 0)
        return;
    evs__complain(c->b->r.diags, "N001", c->nodes->key->at,
                  "%zu shards of equal weight: twemproxy's rounding gives %u (not %u) ketama "
                  "points each%s",
                  n, points, c->pool->layout.points, evs__where(&c->b->r));
    double more = needless(n, points, equal_points(c, n + 1));
    double less = needless(n - 1, equal_points(c, n - 1), points);
    if (more - less < 0.05 && less - more < 0.05)
        evs__hint(c->b->r.diags,
                  "adding or removing one moves about %.1f %% of all keys more than "
                  "it must",
                  more);
    else
        evs__hint(c->b->r.diags,
                  "adding one moves about %.1f %% of all keys more than it must, "
                  "removing one %.1f %%",
                  more, less);
}

/* ---- names on the ring ---- */

static void append_address(evs__buf *list, const char *address, size_t before, size_t all)
{
    if (before < ADDRESSES_NAMED)
        evs__buf_format(list, "%s%s",
                        before == 0         ? ""
                        : before + 1 == all ? " or "
                                            : ", ",
                        address);
    else if (before == ADDRESSES_NAMED)
        evs__buf_format(list, " or one of %zu more", all - before);
}

/* Whose names on the ring are their addresses; those with a name of their own may move. */
static void warn_addresses(checking *c, const evs__yaml *rule)
{
    evs__buf list = EVS__BUF_INIT;
    size_t i = 0, all = 0, named = 0;
    for (const evs__yaml *shard = c->nodes->first; shard != NULL; shard = shard->next)
        all += evs__yaml_get(shard, "ring_name") == NULL;
    for (const evs__yaml *shard = c->nodes->first; shard != NULL; shard = shard->next, i++) {
        if (evs__yaml_get(shard, "ring_name") == NULL)
            append_address(&list, c->shards[i].login.endpoint.text, named++, all);
    }
    if (!evs__buf_ok(&list))
        evs__diagnostics_nomem(c->b->r.diags);
    else if (all > 0) {
        evs__complain(c->b->r.diags, "W330", rule->at,
                      "ring_names: address - changing %s later will move its keys%s", list.data,
                      evs__where(&c->b->r));
        evs__hint(c->b->r.diags, "moving a host moves its keys, unless the shard has a ring_name: "
                                 "its present address");
    }
    evs__buf_free(&list);
}

/* ---- hashes of twemproxy ---- */

static void complain_crc32(checking *c, size_t used, const unsigned char *has)
{
    size_t first = 0;
    while (first + 1 < c->pool->nshards && !has[first])
        first++;
    if (used == 1)
        evs__complain(c->b->r.diags, "W320", c->nodes->key->at,
                      "hash crc32 with ketama puts every key on one shard (\"%s\") - same as real "
                      "twemproxy%s",
                      c->shards[first].name, evs__where(&c->b->r));
    else
        evs__complain(c->b->r.diags, "W320", c->nodes->key->at,
                      "hash crc32 with ketama puts every key on %zu of %zu shards - same as real "
                      "twemproxy%s",
                      used, c->pool->nshards, evs__where(&c->b->r));
    evs__hint(c->b->r.diags, "crc32a is the full 32-bit CRC");
}

/* The 15 bits of crc32 reach only the first points of a ring of 32 bits. */
static void warn_crc32(checking *c)
{
    evs__pool *pool = c->pool;
    evs__arena arena = EVS__ARENA_INIT;
    unsigned char *has = evs__zalloc_array(pool->nshards, 1);
    evs__place *places = evs__shards_places(c->shards, pool->nshards);
    evs__layout layout = pool->layout;
    size_t used = 0;
    layout.places = places;
    layout.count = pool->nshards;
    void *ring = has == NULL || places == NULL ? NULL : pool->placement->build(&arena, &layout);
    for (uint64_t hash = 0; ring != NULL && hash < CRC32_VALUES; hash++) {
        size_t owner = pool->placement->find(ring, hash);
        used += !has[owner];
        has[owner] = 1;
    }
    if (ring == NULL)
        evs__diagnostics_nomem(c->b->r.diags);
    else if (used < pool->nshards)
        complain_crc32(c, used, has);
    evs__free(has);
    evs__free(places);
    evs__arena_free(&arena);
}

static void check_ketama(checking *c, const evs__compat *compat)
{
    if (!evs__diagnostics_bad(c->b->r.diags) && c->pool->layout.hash == &evs__hash_crc32)
        warn_crc32(c);
    if (c->pool->layout.hash == &evs__hash_crc16) {
        evs__complain(c->b->r.diags, "W321", c->nodes->key->at,
                      "hash crc16 with ketama: keys of one or two bytes are all on few shards%s",
                      evs__where(&c->b->r));
        evs__hint(c->b->r.diags, "crc16 of twemproxy grows to 32 bits with longer keys only");
    }
    if (strcmp(c->pool->placement->name, "ketama") == 0) {
        check_points(c, compat);
        note_rounding(c);
    }
}

static int is_prime(unsigned n)
{
    for (unsigned i = 2; i * i <= n; i++) {
        if (n % i == 0)
            return 0;
    }
    return n >= 2;
}

static void check_table(checking *c, const evs__yaml *value)
{
    unsigned size = c->pool->layout.size;
    size_t least = c->pool->nshards * 100;
    if (is_prime(size) && size >= least)
        return;
    evs__complain(c->b->r.diags, "E213", value == NULL ? c->nodes->key->at : value->at,
                  "table_size must be a prime of at least 100 per shard, so %zu, found %u%s", least,
                  size, evs__where(&c->b->r));
    while (size < least || !is_prime(size))
        size++;
    evs__hint(c->b->r.diags, "%u is one", size);
}

static void advise(checking *c)
{
    uint64_t draws = total_weight(c);
    if (draws < SLOW_RENDEZVOUS || evs__diagnostics_bad(c->b->r.diags))
        return;
    evs__complain(c->b->r.diags, "N002", c->nodes->key->at,
                  "rendezvous takes one step per unit of weight for every key: %" PRIu64 " here%s",
                  draws, evs__where(&c->b->r));
    evs__hint(c->b->r.diags, "maglev and slots take one step however many shards there are");
}

void evs__placement_check(evs__building *b, const evs__placement_conf *conf, evs__pool *pool,
                          const evs__yaml *shards)
{
    checking c = {b, pool, &b->map->shards[pool->first_shard], shards};
    const char *name = pool->placement->name;
    if (pool->nshards == 0 || pool->nshards != shards->count)
        return; /* something is wrong with a shard already */
    check_index(&c);
    check_weights(&c);
    if (b->rules.ring_names_are_addresses)
        warn_addresses(&c, conf->ring_names);
    if (strcmp(name, "slots") == 0)
        evs__check_slots(b, pool, shards);
    if (strcmp(name, "maglev") == 0)
        check_table(&c, conf->table_size);
    if (strcmp(name, "rendezvous") == 0)
        advise(&c);
    if (strncmp(name, "ketama", 6) == 0)
        check_ketama(&c, b->rules.compat);
}

/* 8 hexadecimal digits as a number; 0 when it is something else. */
static int parse_fingerprint(evs_bytes text, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = evs__lower(text.data[i]);
        if (!evs__is_hex(c))
            return 0;
        *out = *out << 4 | (uint32_t)(evs__is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return text.len == 8;
}

static void check_fingerprint(evs__reading *r, const evs__pool *pool, const evs__yaml *value)
{
    uint32_t expected;
    if (!evs__want_text(r, value))
        return;
    if (!parse_fingerprint(value->text, &expected)) {
        evs__complain(r->diags, "E216", value->at,
                      "expect_fingerprint must be 8 hexadecimal digits, found %s%s",
                      evs__found(r, value), evs__where(r));
        evs__hint(r->diags, "evalshard fingerprint prints it");
        return;
    }
    if (expected == pool->fingerprint)
        return;
    evs__complain(r->diags, "E112", value->at,
                  "keys are not placed as expected: the fingerprint is %08" PRIx32 "%s",
                  pool->fingerprint, evs__where(r));
    evs__hint(r->diags, "something that places keys was changed; see: evalshard diff");
}

void evs__check_fingerprints(evs__building *b)
{
    evs__reading r = b->r;
    r.noun = "pool";
    for (size_t i = 0; i < b->map->npools; i++) {
        r.name = b->map->pools[i].name;
        if (b->fingerprints[i] != NULL)
            check_fingerprint(&r, &b->map->pools[i], b->fingerprints[i]);
    }
}
