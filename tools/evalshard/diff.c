/*
 * diff.c - evalshard diff: what a change of a map would move, on given keys or on a sample.
 *
 * A shard is the same in both maps when pool and name are, or when address and db are: then the
 * server, and with it the keys, stays where it is.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/json.h"
#include "tools/evalshard/keys.h"
#include "tools/evalshard/session.h"
#include "tools/evalshard/table.h"

enum { KEYS, SAMPLE, PREFIX, JSON };

enum { USUAL_SAMPLE = 100000, LARGEST_SAMPLE = 100000000, NOWHERE = -1 };

static const opt_spec options[] = {
    [KEYS] = {'\0', "keys", OPT_TEXT, "FILE", "compare the keys of FILE, one a line; - is stdin"},
    [SAMPLE] = {'\0', "sample", OPT_TEXT, "N", "compare N made-up keys (default: 100000)"},
    [PREFIX] = {'\0', "prefix", OPT_WORDS, "TEXT", "what made-up keys begin with, in turn"},
    [JSON] = OPT_JSON,
};

/* Both maps. Shards of `old` are rows, those of `new` columns; the last of each is "no route". */
typedef struct comparison {
    const evs_shardmap *old, *new;
    size_t nold, nnew;
    uint64_t *counts;  /* (nold + 1) * (nnew + 1), ours */
    signed char *same; /* the shards of a row and a column are one */
    int *survives_old; /* the number in `new` of a shard of `old`, or NOWHERE */
    int *survives_new; /* and the other way round */
    uint64_t keys, moved, needless;
} comparison;

static size_t where(const evs_shardmap *map, evs_bytes key, size_t nowhere)
{
    evs_route route;
    return evs_shardmap_route(&route, map, key, NULL) == EVS_OK ? route.shard : nowhere;
}

static size_t cell(const comparison *c, size_t old, size_t new)
{
    return old * (c->nnew + 1) + new;
}

static void take(void *arg, evs_bytes key)
{
    comparison *c = arg;
    c->counts[cell(c, where(c->old, key, c->nold), where(c->new, key, c->nnew))]++;
    c->keys++;
}

static int same_shard(const evs_shard_info *a, const evs_shard_info *b)
{
    int same_name = strcmp(a->name, b->name) == 0 && strcmp(a->pool, b->pool) == 0;
    return same_name || (strcmp(a->address, b->address) == 0 && a->db == b->db);
}

static void match_shards(comparison *c)
{
    for (size_t i = 0; i < c->nold; i++)
        c->survives_old[i] = NOWHERE;
    for (size_t k = 0; k < c->nnew; k++)
        c->survives_new[k] = NOWHERE;
    for (size_t i = 0; i < c->nold; i++) {
        for (size_t k = 0; k < c->nnew; k++) {
            evs_shard_info a, b;
            evs_shardmap_shard(&a, c->old, i, NULL);
            evs_shardmap_shard(&b, c->new, k, NULL);
            if (!same_shard(&a, &b))
                continue;
            c->same[cell(c, i, k)] = 1;
            c->survives_old[i] = (int)k;
            c->survives_new[k] = (int)i;
        }
    }
    c->same[cell(c, c->nold, c->nnew)] = 1; /* without a route in both: nothing moves */
}

static unsigned weight_of(const evs_shardmap *map, int shard)
{
    evs_shard_info info = {.weight = 0};
    evs_shardmap_shard(&info, map, (size_t)shard, NULL);
    return info.weight;
}

/* In pools whose map says which slot is whose, every move is meant. */
static int has_slots(const evs_shardmap *map, size_t shard)
{
    evs_pool_info pool;
    for (size_t i = 0; evs_shardmap_pool(&pool, map, i, NULL) == EVS_OK; i++) {
        if (shard >= pool.first_shard && shard < pool.first_shard + pool.shards)
            return strcmp(pool.distribution, "slots") == 0;
    }
    return 0;
}

/* Both shards stay, and weights are no reason to move from the one to the other. */
static int needless(const comparison *c, size_t i, size_t k)
{
    if (i == c->nold || k == c->nnew || c->survives_old[i] == NOWHERE ||
        c->survives_new[k] == NOWHERE || has_slots(c->new, k))
        return 0;
    int lighter = weight_of(c->new, c->survives_old[i]) < weight_of(c->old, (int)i);
    int heavier = weight_of(c->new, (int)k) > weight_of(c->old, c->survives_new[k]);
    return !lighter && !heavier;
}

static void add_up(comparison *c)
{
    for (size_t i = 0; i <= c->nold; i++) {
        for (size_t k = 0; k <= c->nnew; k++) {
            uint64_t count = c->counts[cell(c, i, k)];
            if (c->same[cell(c, i, k)])
                continue;
            c->moved += count;
            c->needless += needless(c, i, k) ? count : 0;
        }
    }
}

static double share(const comparison *c, uint64_t count)
{
    return c->keys == 0 ? 0 : 100.0 * (double)count / (double)c->keys;
}

static const char *name_of(const evs_shardmap *map, size_t shard)
{
    evs_shard_info info;
    if (evs_shardmap_shard(&info, map, shard, NULL) != EVS_OK)
        return need(strdup("(no route)"));
    return session_shard_name(&info);
}

/* Pairs of shards between which keys move. */
typedef void each_pair(void *arg, const comparison *c, size_t i, size_t k);

static void pairs(const comparison *c, each_pair *show, void *arg)
{
    for (size_t i = 0; i <= c->nold; i++) {
        for (size_t k = 0; k <= c->nnew; k++) {
            if (!c->same[cell(c, i, k)] && c->counts[cell(c, i, k)] > 0)
                show(arg, c, i, k);
        }
    }
}

static void row(void *arg, const comparison *c, size_t i, size_t k)
{
    char text[32];
    const char *from = name_of(c->old, i), *to = name_of(c->new, k);
    snprintf(text, sizeof text, "%.3f", share(c, c->counts[cell(c, i, k)]));
    table_text(arg, from, PLAIN);
    table_text(arg, to, PLAIN);
    table_number(arg, (int64_t)c->counts[cell(c, i, k)], PLAIN);
    table_text(arg, text, PLAIN);
    table_text(arg, needless(c, i, k) ? "needless" : "needed", needless(c, i, k) ? BAD : PLAIN);
    free((char *)(uintptr_t)from);
    free((char *)(uintptr_t)to);
}

/* Would a running client take the map? */
static int generation_is_enough(const comparison *c)
{
    return evs_shardmap_may_follow(c->old, c->new, NULL) == EVS_OK;
}

static void print_rows(const comparison *c)
{
    evs_error err;
    static const char *const headers[] = {"from", "to", "keys", "percent", "move"};
    table *rows = table_new(stdout, headers, 5);
    pairs(c, row, rows);
    table_finish(rows);
    fprintf(stderr,
            "%" PRIu64 " of %" PRIu64 " keys move (%.3f %%), %" PRIu64
            " of them needlessly (%.3f %%)\n",
            c->moved, c->keys, share(c, c->moved), c->needless, share(c, c->needless));
    if (evs_shardmap_may_follow(c->old, c->new, &err) != EVS_OK)
        fprintf(stderr, "a running client refuses that: %s\n", err.message);
}

static void object(void *arg, const comparison *c, size_t i, size_t k)
{
    json *j = arg;
    const char *from = name_of(c->old, i), *to = name_of(c->new, k);
    json_line(j);
    json_open(j, '{');
    json_key(j, "from");
    json_text(j, from);
    json_key(j, "to");
    json_text(j, to);
    json_key(j, "keys");
    json_unsigned(j, c->counts[cell(c, i, k)]);
    json_key(j, "needless");
    json_flag(j, needless(c, i, k));
    json_close(j, '}');
    free((char *)(uintptr_t)from);
    free((char *)(uintptr_t)to);
}

static void print_json(const comparison *c)
{
    json j = {stdout, 0};
    json_open(&j, '{');
    json_key(&j, "keys");
    json_unsigned(&j, c->keys);
    json_key(&j, "moved");
    json_unsigned(&j, c->moved);
    json_key(&j, "needless");
    json_unsigned(&j, c->needless);
    json_key(&j, "same_placement");
    json_flag(&j, evs_shardmap_fingerprint(c->old) == evs_shardmap_fingerprint(c->new));
    json_key(&j, "generation_is_enough");
    json_flag(&j, generation_is_enough(c));
    json_key(&j, "pairs");
    json_open(&j, '[');
    pairs(c, object, &j);
    json_close(&j, ']');
    json_close(&j, '}');
    putchar('\n');
}

static void take_sample(comparison *c, size_t count, const opt_list *prefixes)
{
    char key[512];
    for (size_t i = 0; i < count; i++) {
        const char *prefix = prefixes->count == 0 ? "key:" : prefixes->words[i % prefixes->count];
        int len = snprintf(key, sizeof key, "%.400s%zu", prefix, i);
        take(c, (evs_bytes){key, (size_t)len});
    }
}

/* How many keys to make up; 0 after saying what is wrong. */
static size_t sample_size(const char *text)
{
    char *end;
    if (text == NULL)
        return USUAL_SAMPLE;
    unsigned long count = strtoul(text, &end, 10);
    if (*end == '\0' && count > 0 && count <= LARGEST_SAMPLE && text[0] != '-')
        return count;
    complain("diff: --sample takes a whole number from 1 to %d", LARGEST_SAMPLE);
    return 0;
}

static int compare(const evs_shardmap *old, const evs_shardmap *new, const opts *given)
{
    comparison c = {
        .old = old, .new = new, .nold = evs_shardmap_count(old), .nnew = evs_shardmap_count(new)};
    size_t cells = (c.nold + 1) * (c.nnew + 1), sample = sample_size(opt_text(given, SAMPLE));
    int code = EXIT_FINE;
    if (sample == 0)
        return EXIT_USAGE;
    c.counts = need(calloc(cells, sizeof *c.counts));
    c.same = need(calloc(cells, 1));
    c.survives_old = need(calloc(c.nold, sizeof *c.survives_old));
    c.survives_new = need(calloc(c.nnew, sizeof *c.survives_new));
    match_shards(&c);
    if (opt_given(given, KEYS))
        code = keys_read(opt_text(given, KEYS), "keys compared:", take, &c);
    else
        take_sample(&c, sample, &given->values[PREFIX]);
    add_up(&c);
    if (code == EXIT_FINE) {
        if (opt_given(given, JSON))
            print_json(&c);
        else
            print_rows(&c);
        code = c.moved > 0 ? EXIT_NO : EXIT_FINE;
    }
    free(c.counts);
    free(c.same);
    free(c.survives_old);
    free(c.survives_new);
    return code;
}

static int run(const opts *given)
{
    session old = {NULL, NULL, NULL}, new = {NULL, NULL, NULL};
    if (given->plain.count != 2) {
        complain("diff: give two maps: diff OLD NEW");
        return EXIT_USAGE;
    }
    if (opt_given(given, KEYS) && (opt_given(given, SAMPLE) || opt_given(given, PREFIX))) {
        complain("diff: --keys goes with neither --sample nor --prefix");
        return EXIT_USAGE;
    }
    int code = session_load_map(&old, given->plain.words[0]);
    if (code == EXIT_FINE)
        code = session_load_map(&new, given->plain.words[1]);
    if (code == EXIT_FINE)
        code = compare(old.map, new.map, given);
    session_close(&old);
    session_close(&new);
    return code;
}

const command command_diff = {
    .name = "diff",
    .usage = " OLD NEW [--keys FILE | --sample N [--prefix TEXT...]] [--json]",
    .summary = "show which keys a change of the map would move",
    .details =
        "Prints, for each pair of shards, how many keys move from one to the other. A move is\n"
        "needless when both shards are in both maps, and no weight is the reason. A shard is the\n"
        "same one when its name is, or its address. In a pipe, prints "
        "`from<TAB>to<TAB>keys<TAB>percent<TAB>needed|needless`.\n"
        "\n"
        "  evalshard diff live.yaml next.yaml --keys keys.txt\n"
        "  evalshard diff live.yaml next.yaml --sample 1000000 --prefix user: cart:\n"
        "\n"
        "exit codes: 0 no key moves; 1 keys move; 2 wrong usage or an unusable map;\n"
        "            3 an unreadable file\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
