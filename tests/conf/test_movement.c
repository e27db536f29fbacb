/*
 * Balance and movement of placements, measured on models of other software: a million keys
 * "user:<i>:cart" on shards 10.0.0.1:6379 to 10.0.0.N:6379. Every figure of every row about a
 * placement that we have is reproduced to the last digit. Data: tests/data/vectors.
 */
#include "core/buf.h"
#include "tests/support/vectors.h"
#include <evalshard/shardmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 1000000, MOST = 101 };

typedef struct recipe {
    const char *name; /* in the file */
    const char *settings;
    enum { NAMED, NUMBERED, IN_ORDER } shards; /* IN_ORDER: named, and numbered besides */
} recipe;

static const recipe recipes[] = {
    {"ketama160+fnv1a_64", "compat: twemproxy, hash: fnv1a_64", NAMED},
    {"ketama160+murmur", "compat: twemproxy, hash: murmur", NAMED},
    {"ketama160+md5", "compat: twemproxy, hash: md5", NAMED},
    {"ketama160+crc32a", "compat: twemproxy, hash: crc32a", NAMED},
    {"modula+fnv1a_64", "compat: twemproxy, distribution: modula, hash: fnv1a_64", NAMED},
    {"jedis named", "compat: jedis", NAMED},
    {"jedis positional", "compat: jedis", NUMBERED},
    {"envoy ring(min1024)", "compat: envoy, distribution: ring_hash", IN_ORDER},
    {"envoy maglev65537", "compat: envoy, distribution: maglev", NAMED},
    {"jump(xxh64)", "distribution: jump", NUMBERED},
    {"crc32 % n (RiA)", "distribution: crc32_mod", NUMBERED},
};

/* Shards by their number in the name, 1 to MOST; those of weight 0 are not there. */
typedef struct fleet {
    unsigned weights[MOST + 1];
} fleet;

static fleet equal_ones(unsigned count)
{
    fleet f = {{0}};
    for (unsigned i = 1; i <= count; i++)
        f.weights[i] = 1;
    return f;
}

static evs_shardmap *map_of(const recipe *how, const fleet *shards)
{
    evs_error err;
    evs_shardmap *map = NULL;
    evs__buf text = EVS__BUF_INIT;
    unsigned index = 0;
    evs__buf_format(&text, "evalshard: 1\npools: {p: {%s, shards: {\n", how->settings);
    for (unsigned i = 1; i <= MOST; i++) {
        if (shards->weights[i] == 0)
            continue;
        evs__buf_format(&text, "%ss%u: {address: \"10.0.0.%u:6379\"", index > 0 ? ",\n" : "", i, i);
        if (how->shards != NAMED)
            evs__buf_format(&text, ", index: %u", index);
        if (how->shards != NUMBERED)
            evs__buf_format(&text, ", ring_name: \"10.0.0.%u:6379\"", i);
        if (shards->weights[i] > 1)
            evs__buf_format(&text, ", weight: %u", shards->weights[i]);
        evs__buf_text(&text, "}");
        index++;
    }
    evs__buf_text(&text, "}}}\n");
    assert_true(evs__buf_ok(&text));
    if (evs_shardmap_parse(&map, (evs_bytes){text.data, text.len}, "-", NULL, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs__buf_free(&text);
    return map;
}

static char keys[KEYS][24];

static void write_keys(void)
{
    for (unsigned i = 0; i < KEYS; i++)
        snprintf(keys[i], sizeof keys[i], "user:%u:cart", i);
}

/* Writes the number of each key's shard. */
static void place_all(unsigned char *out, const recipe *how, const fleet *shards)
{
    unsigned char numbers[MOST];
    evs_shardmap *map = map_of(how, shards);
    for (size_t i = 0; i < evs_shardmap_count(map); i++) {
        evs_shard_info info;
        assert_int_equal(evs_shardmap_shard(&info, map, i, NULL), EVS_OK);
        numbers[i] = (unsigned char)strtoul(info.name + 1, NULL, 10);
    }
    for (unsigned i = 0; i < KEYS; i++) {
        evs_route route;
        assert_int_equal(evs_shardmap_route(&route, map, evs_text(keys[i]), NULL), EVS_OK);
        out[i] = numbers[route.shard];
    }
    evs_shardmap_free(map);
}

/* A key moves needlessly when it leaves a shard that got no lighter for one that got no heavier. */
typedef struct moves {
    double moved, needless; /* percent */
} moves;

static moves compare(const unsigned char *before, const unsigned char *after, const fleet *from,
                     const fleet *to)
{
    size_t moved = 0, needless = 0;
    for (size_t i = 0; i < KEYS; i++) {
        unsigned a = before[i], b = after[i];
        moved += a != b;
        needless += a != b && from->weights[a] <= to->weights[a] &&
                    to->weights[b] <= from->weights[b];
    }
    return (moves){100.0 * (double)moved / KEYS, 100.0 * (double)needless / KEYS};
}

static unsigned char *places[3]; /* before, after one came, after one went */

static void expect(const char *row, const char *what, const char *recorded, double got)
{
    char text[32];
    const char *point = strchr(recorded, '.');
    int digits = point == NULL ? 0 : (int)strspn(point + 1, "0123456789");
    snprintf(text, sizeof text, "%.*f", digits, got);
    if (strncmp(text, recorded, strlen(text)) != 0)
        fail_msg("%s: %s is %s, recorded is %s", row, what, text, recorded);
}

/* ---- equal shards ---- */

static void check_balance(const char *row, unsigned count, char **columns)
{
    size_t counts[MOST + 1] = {0};
    double mean = (double)KEYS / count, most = 0, least = KEYS, squares = 0;
    for (size_t i = 0; i < KEYS; i++)
        counts[places[0][i]]++;
    for (unsigned i = 1; i <= count; i++) {
        double n = (double)counts[i];
        most = n > most ? n : most;
        least = n < least ? n : least;
        squares += (n - mean) * (n - mean);
    }
    expect(row, "max/avg", columns[2], most / mean);
    expect(row, "min/avg", columns[3], least / mean);
    expect(row, "cv", columns[4], 100 * sqrt(squares / count) / mean);
}

/* What moves when one more comes; leaves where keys are before and after. */
static moves let_one_come(const recipe *how, unsigned count)
{
    fleet now = equal_ones(count), more = equal_ones(count + 1);
    place_all(places[0], how, &now);
    place_all(places[1], how, &more);
    return compare(places[0], places[1], &now, &more);
}

static const recipe *recipe_of(const char *name)
{
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++)
        if (strcmp(recipes[i].name, name) == 0)
            return &recipes[i];
    return NULL;
}

static void check_equal(char **columns, const recipe *how)
{
    unsigned count = (unsigned)strtoul(columns[1], NULL, 10), middle = count / 2 + 1;
    fleet now = equal_ones(count), less = now;
    less.weights[middle] = 0;
    moves came = let_one_come(how, count);
    place_all(places[2], how, &less);
    char row[64];
    snprintf(row, sizeof row, "%s, %u shards", columns[0], count);
    check_balance(row, count, columns);
    moves went = compare(places[0], places[2], &now, &less);
    expect(row, "moved when one came", columns[5], came.moved);
    expect(row, "of that needlessly", columns[7], came.needless);
    expect(row, "moved when one went", columns[8], went.moved);
    expect(row, "of that needlessly", columns[10], went.needless);
}

/* ---- weights 1, 2, 3 and 5 ---- */

static void check_weighted(char **columns, const recipe *how)
{
    static const fleet now = {{0, 1, 2, 3, 5}}, heavier = {{0, 1, 2, 3, 6}},
                       joined = {{0, 1, 2, 3, 5, 5}};
    size_t counts[MOST + 1] = {0};
    char row[64], *shares = columns[2];
    snprintf(row, sizeof row, "%s, weights 1 2 3 5", columns[1]);
    place_all(places[0], how, &now);
    place_all(places[1], how, &heavier);
    place_all(places[2], how, &joined);
    for (size_t i = 0; i < KEYS; i++)
        counts[places[0][i]]++;
    for (unsigned i = 1; i <= 4; i++) {
        expect(row, "share", shares, 100.0 * (double)counts[i] / KEYS);
        shares += strcspn(shares, " ");
        shares += strspn(shares, " ");
    }
    moves raised = compare(places[0], places[1], &now, &heavier);
    moves came = compare(places[0], places[2], &now, &joined);
    expect(row, "moved by a larger weight", columns[3], raised.moved);
    expect(row, "of that needlessly", columns[4], raised.needless);
    expect(row, "moved when one came", columns[5], came.moved);
    expect(row, "of that needlessly", columns[6], came.needless);
}

/* "ketama fnv 24->25 points 3840->3900 moved 6.14% ideal 4.00% needless 2.29%" */
static int check_step(const char *row)
{
    unsigned count;
    char moved[16], needless[16];
    if (sscanf(row, "ketama fnv %u->%*u points %*u->%*u moved %15[0-9.]%% ideal %*s needless %15s",
               &count, moved, needless) != 3)
        return 0;
    moves came = let_one_come(&recipes[0], count);
    expect(row, "moved", moved, came.moved);
    expect(row, "needless", needless, came.needless);
    return 1;
}

/* ---- rows ---- */

typedef struct seen {
    size_t equal, weighted, steps, others;
} seen;

static void check_row(void *arg, char **columns, size_t count)
{
    seen *rows = arg;
    const recipe *how = NULL;
    if (count == 12 && (how = recipe_of(columns[0])) != NULL) {
        check_equal(columns, how);
        rows->equal++;
    } else if (count == 7 && (how = recipe_of(columns[1])) != NULL) {
        check_weighted(columns, how);
        rows->weighted++;
    } else if (count == 1 && check_step(columns[0])) {
        rows->steps++;
    } else {
        rows->others++;
    }
}

static void every_row_of_ours_is_reproduced(void **state)
{
    (void)state;
    seen rows = {0, 0, 0, 0};
    write_keys();
    for (size_t i = 0; i < 3; i++)
        assert_non_null(places[i] = malloc(KEYS));
    vector_rows("movement_balance.tsv", check_row, &rows);
    for (size_t i = 0; i < 3; i++)
        free(places[i]);
    printf(
        "movement_balance.tsv: equal are %zu rows of equal shards, %zu of weights, %zu of single "
        "steps; %zu are headings, or of placements that we do not have\n",
        rows.equal, rows.weighted, rows.steps, rows.others);
    assert_int_equal(rows.equal, 33);
    assert_int_equal(rows.weighted, 6);
    assert_int_equal(rows.steps, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_of_ours_is_reproduced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
