/*
 * diff.c - evalshard diff: what a change of a map would move, of given keys, of a sample, or of the
 * keys that the servers of the old map hold.
 *
 * A shard is the same in both maps when pool and name are, or when address and db are: then the
 * server, and with it the keys, stays where it is.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/json.h"
#include "tools/evalshard/keys.h"
#include "tools/evalshard/scan.h"
#include "tools/evalshard/session.h"
#include "tools/evalshard/table.h"

enum { KEYS, SAMPLE, PREFIX, SCAN, LIMIT, JSON };

enum { USUAL_SAMPLE = 100000, LARGEST_SAMPLE = 100000000, NOWHERE = -1, EXIT_INTERRUPTED = 130 };

static const opt_spec options[] = {
    [KEYS] = {'\0', "keys", OPT_TEXT, "FILE", "compare the keys of FILE, one a line; - is stdin"},
    [SAMPLE] = {'\0', "sample", OPT_TEXT, "N", "compare N made-up keys (default: 100000)"},
    [PREFIX] = {'\0', "prefix", OPT_WORDS, "TEXT", "what made-up keys begin with, in turn"},
    [SCAN] = {'\0', "scan", OPT_FLAG, NULL, "compare the keys that the servers of OLD hold"},
    [LIMIT] = {'\0', "limit", OPT_TEXT, "N", "with --scan: at most N keys of each server"},
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
    uint64_t strays;  /* keys that a server holds and the old map puts elsewhere */
    scan_result scan; /* of the servers, when those were asked */
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

/* A key that a server holds moves from there, wherever the old map puts it. */
static void take_held(void *arg, size_t shard, evs_bytes key)
{
    comparison *c = arg;
    evs_shard_info holder, owner;
    size_t belongs = where(c->old, key, c->nold);
    c->counts[cell(c, shard, where(c->new, key, c->nnew))]++;
    c->keys++;
    if (belongs == shard)
        return;
    c->strays += evs_shardmap_shard(&owner, c->old, belongs, NULL) != EVS_OK ||
                 evs_shardmap_shard(&holder, c->old, shard, NULL) != EVS_OK ||
                 holder.db != owner.db || strcmp(holder.address, owner.address) != 0;
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

/* Of a cluster the maps say nothing but where to find it. */
static void note_clusters(const evs_shardmap *map)
{
    evs_shard_info info;
    for (size_t i = 0; evs_shardmap_shard(&info, map, i, NULL) == EVS_OK; i++) {
        if (session_is_cluster(map, &info))
            fprintf(stderr, "pool %s is a cluster: moves inside of it are not seen\n", info.pool);
    }
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
    note_clusters(c->new);
    if (c->strays > 0)
        fprintf(stderr, "%" PRIu64 " keys are not where the old map puts them\n", c->strays);
    if (c->scan.interrupted)
        fprintf(stderr, "interrupted: the rest of the keys was not compared\n");
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
    json_key(&j, "strays");
    json_unsigned(&j, c->strays);
    json_key(&j, "complete");
    json_flag(&j, !c->scan.interrupted && !c->scan.unreachable && c->scan.skipped == 0);
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

/* A whole number of keys from 1 on, or `usual`; 0 after saying what is wrong. */
static size_t number_of_keys(const opts *given, size_t row, size_t usual)
{
    char *end;
    const char *text = opt_text(given, row);
    if (text == NULL)
        return usual;
    unsigned long count = strtoul(text, &end, 10);
    if (*end == '\0' && count > 0 && count <= LARGEST_SAMPLE && text[0] != '-')
        return count;
    complain("diff: --%s takes a whole number from 1 to %d", options[row].name, LARGEST_SAMPLE);
    return 0;
}

/* The keys that were asked for. */
static int take_keys(comparison *c, evs_shardmap *old, const opts *given)
{
    size_t count = number_of_keys(given, SAMPLE, USUAL_SAMPLE);
    size_t limit = number_of_keys(given, LIMIT, LARGEST_SAMPLE);
    if (count == 0 || limit == 0)
        return EXIT_USAGE;
    if (opt_given(given, KEYS))
        return keys_read(opt_text(given, KEYS), "keys compared:", take, c);
    if (!opt_given(given, SCAN))
        take_sample(c, count, &given->values[PREFIX]);
    else
        scan_servers(&c->scan, old, opt_given(given, LIMIT) ? limit : 0, take_held, c);
    return EXIT_FINE;
}

static int judge(const comparison *c)
{
    if (c->scan.interrupted)
        return EXIT_INTERRUPTED;
    if (c->scan.unreachable)
        return EXIT_UNREACHABLE;
    return c->moved > 0 ? EXIT_NO : EXIT_FINE;
}

static int compare(evs_shardmap *old, const evs_shardmap *new, const opts *given)
{
    comparison c = {
        .old = old, .new = new, .nold = evs_shardmap_count(old), .nnew = evs_shardmap_count(new)};
    size_t cells = (c.nold + 1) * (c.nnew + 1);
    c.counts = need(calloc(cells, sizeof *c.counts));
    c.same = need(calloc(cells, 1));
    c.survives_old = need(calloc(c.nold, sizeof *c.survives_old));
    c.survives_new = need(calloc(c.nnew, sizeof *c.survives_new));
    match_shards(&c);
    int code = take_keys(&c, old, given);
    add_up(&c);
    if (code == EXIT_FINE) {
        if (opt_given(given, JSON))
            print_json(&c);
        else
            print_rows(&c);
        code = judge(&c);
    }
    free(c.counts);
    free(c.same);
    free(c.survives_old);
    free(c.survives_new);
    return code;
}

/* One source of keys, and what goes with it. 0 after saying what is wrong. */
static int usable_words(const opts *given)
{
    const char *wrong = NULL;
    int makes = opt_given(given, SAMPLE) || opt_given(given, PREFIX);
    if (opt_given(given, KEYS) && makes)
        wrong = "--keys goes with neither --sample nor --prefix";
    else if (opt_given(given, SCAN) && (makes || opt_given(given, KEYS)))
        wrong = "--scan goes with no other keys";
    else if (opt_given(given, LIMIT) && !opt_given(given, SCAN))
        wrong = "--limit goes with --scan";
    if (wrong != NULL)
        complain("diff: %s", wrong);
    return wrong == NULL;
}

static int run(const opts *given)
{
    session old = {NULL, NULL, NULL}, new = {NULL, NULL, NULL};
    if (given->plain.count != 2) {
        complain("diff: give two maps: diff OLD NEW");
        return EXIT_USAGE;
    }
    if (!usable_words(given))
        return EXIT_USAGE;
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
    .usage = " OLD NEW [--keys FILE | --sample N [--prefix TEXT...] | --scan [--limit N]] "
             "[--json]",
    .summary = "show which keys a change of the map would move",
    .details =
        "Prints, for each pair of shards, how many keys move from one to the other. A move is\n"
        "needless when both shards are in both maps, and no weight is the reason. A shard is the\n"
        "same one when its name is, or its address. In a pipe, prints "
        "`from<TAB>to<TAB>keys<TAB>percent<TAB>needed|needless`.\n"
        "\n"
        "With --scan the keys are those that the servers of OLD hold, and move from where they "
        "are.\n"
        "Nothing is changed there. Clusters are left out. Ctrl-C ends it and shows what there is.\n"
        "\n"
        "  evalshard diff live.yaml next.yaml --scan --limit 100000\n"
        "  evalshard diff live.yaml next.yaml --keys keys.txt\n"
        "  evalshard diff live.yaml next.yaml --sample 1000000 --prefix user: cart:\n"
        "\n"
        "exit codes: 0 no key moves; 1 keys move; 2 wrong usage or an unusable map;\n"
        "            3 an unreadable file or an unreachable server; 130 interrupted\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
