/*
 * May one map follow another? Every way to move keys needs a larger generation, and nothing else
 * does. The maps are written as ops write them.
 *
 * `sharding.test_replace 100` compares so many maps that were written by chance.
 */
#include "core/error.h"
#include "core/mem.h"
#include "sharding/replace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static evs_shardmap *parse(const char *body, unsigned generation)
{
    char yaml[2048];
    evs_error err;
    evs_shardmap *map = NULL;
    int len = snprintf(yaml, sizeof yaml, "evalshard: 1\ngeneration: %u\n%s", generation, body);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "map", NULL, &err) != EVS_OK)
        fail_msg("%s\n%s", err.message, yaml);
    return map;
}

/* The verdict with the generations given. */
static evs_status follow(const char *old, unsigned before, const char *next, unsigned after,
                         evs_error *err)
{
    evs_shardmap *a = parse(old, before), *b = parse(next, after);
    evs_status status = evs_shardmap_may_follow(a, b, err);
    evs_shardmap_free(a);
    evs_shardmap_free(b);
    return status;
}

typedef struct change {
    const char *what;
    const char *old, *next;
    const char *why; /* in the message; NULL: it is taken */
} change;

#define TWO   "shards: {a: 'h:1', b: 'h:2'}\n"
#define POOLS "pools: {x: {shards: {a: 'h:1'}}, y: {shards: {b: 'h:2'}}}\n"

#define WATCHED(a, b)                                                                  \
    "sentinels: {eu: {addresses: ['s:1', 's:2', 's:3']}}\nshards: {a: {sentinel: eu, " \
    "master_name: " a "}, b: {sentinel: eu, master_name: " b "}}\n"
#define GROUPS(a, b)                                                                               \
    "sentinels: {eu: {addresses: ['" a "']}, us: {addresses: ['" b "']}}\nshards: {a: {sentinel: " \
    "eu, master_name: m}, b: {sentinel: us, master_name: m}}\n"
#define CLUSTERS(a, b)                                                    \
    "pools: {x: {cluster: {seeds: ['" a "']}}, y: {cluster: {seeds: ['" b \
    "']}}}\nroutes: [{prefix: 'u:', pool: x}, {default: true, pool: y}]\n"

static const change changes[] = {
    {"nothing", TWO, TWO, NULL},
    {"the order of the file", TWO, "shards: {b: 'h:2', a: 'h:1'}\n", NULL},
    {"a shard moves to a server of its own", TWO, "shards: {a: 'h:1', b: 'h:3'}\n", NULL},
    {"all of them do", TWO, "shards: {a: 'g:1', b: 'g:2'}\n", NULL},
    {"a password", TWO, "defaults: {auth: {password: x}}\nshards: {a: 'h:1', b: 'h:2'}\n", NULL},
    {"timeouts", TWO, "defaults: {command_timeout: 7s}\nshards: {a: 'h:1', b: 'h:2'}\n", NULL},
    {"a note, and what a pool says of calls", TWO,
     "pools: {default: {audit: warn, on_no_keys: any, shards: {a: {address: 'h:1', note: hot}, "
     "b: 'h:2'}}}\n",
     NULL},
    {"the map's name", TWO, "name: other\n" TWO, NULL},

    {"one more shard", TWO, "shards: {a: 'h:1', b: 'h:2', c: 'h:3'}\n", "moves "},
    {"one less", TWO, "shards: {a: 'h:1'}\n", "moves "},
    {"another name", TWO, "shards: {a: 'h:1', c: 'h:2'}\n", "keys"},
    {"another name at another server", TWO, "shards: {a: 'h:1', c: 'h:3'}\n", "moves "},
    {"a weight", TWO, "shards: {a: {address: 'h:1', weight: 2}, b: 'h:2'}\n", "moves "},
    {"a db", TWO, "shards: {a: {address: 'h:1', db: 1}, b: 'h:2'}\n", "may move keys"},
    {"a ring name", TWO, "shards: {a: {address: 'h:1', ring_name: z}, b: 'h:2'}\n", "moves "},
    {"the name of the pool", TWO, "pools: {main: {shards: {a: 'h:1', b: 'h:2'}}}\n", "keys"},
    {"the tag rule", TWO, "pools: {default: {hash_tag: 'off', shards: {a: 'h:1', b: 'h:2'}}}\n",
     "keys"},
    {"other tag characters", TWO,
     "pools: {default: {hash_tag: '[]', shards: {a: 'h:1', b: 'h:2'}}}\n", "keys"},
    {"the distribution", TWO,
     "pools: {default: {distribution: ketama, shards: {a: 'h:1', b: 'h:2'}}}\n", "moves "},
    {"the hash of keys",
     "pools: {default: {distribution: ketama, hash: md5, shards: {a: 'h:1', b: 'h:2'}}}\n",
     "pools: {default: {distribution: ketama, hash: fnv1a_64, shards: {a: 'h:1', b: 'h:2'}}}\n",
     "moves "},
    {"the points of a ring",
     "pools: {default: {distribution: jedis, points_per_shard: 100, shards: {a: 'h:1', b: "
     "'h:2'}}}\n",
     "pools: {default: {distribution: jedis, points_per_shard: 200, shards: {a: 'h:1', b: "
     "'h:2'}}}\n",
     "moves "},
    {"the size of a table",
     "pools: {default: {distribution: maglev, shards: {a: 'h:1', b: 'h:2'}}}\n",
     "pools: {default: {distribution: maglev, table_size: 5003, shards: {a: 'h:1', b: 'h:2'}}}\n",
     "moves "},
    {"the numbers of shards",
     "pools: {default: {distribution: jump, shards: {a: {address: 'h:1', index: 0}, "
     "b: {address: 'h:2', index: 1}}}}\n",
     "pools: {default: {distribution: jump, shards: {a: {address: 'h:1', index: 1}, "
     "b: {address: 'h:2', index: 0}}}}\n",
     "moves 100.0 % of keys"},
    {"the slots of shards",
     "pools: {default: {distribution: slots, slots_total: 4, shards: {a: {address: 'h:1', slots: "
     "[0-1]}, b: {address: 'h:2', slots: [2-3]}}}}\n",
     "pools: {default: {distribution: slots, slots_total: 4, shards: {a: {address: 'h:1', slots: "
     "[0-2]}, b: {address: 'h:2', slots: [3-3]}}}}\n",
     "moves "},
    {"a route to another pool",
     POOLS "routes: [{prefix: 'u:', pool: x}, {default: true, pool: y}]\n",
     POOLS "routes: [{prefix: 'u:', pool: y}, {default: true, pool: y}]\n", "moves "},
    {"the prefix of a route", POOLS "routes: [{prefix: 'u:', pool: x}, {default: true, pool: y}]\n",
     POOLS "routes: [{prefix: 'v:', pool: x}, {default: true, pool: y}]\n", "moves "},
    {"a default route that goes",
     POOLS "routes: [{prefix: 'u:', pool: x}, {default: true, pool: y}]\n",
     POOLS "routes: [{prefix: 'u:', pool: x}, {prefix: 'v:', pool: y}]\n", "moves "},

    {"two addresses change places", TWO, "shards: {a: 'h:2', b: 'h:1'}\n",
     "gives h:2 of shard \"default/b\" to \"default/a\""},
    {"one takes the server of the other, which moves", TWO, "shards: {a: 'h:2', b: 'h:3'}\n",
     "gives h:2 of shard \"default/b\" to \"default/a\""},
    {"the same in other letters", TWO, "shards: {a: 'H:2', b: 'h:3'}\n", "gives h:2"},
    {"the same with sockets", "shards: {a: 'unix:/a', b: 'unix:/b'}\n",
     "shards: {a: 'unix:/b', b: 'unix:/c'}\n", "gives unix:/b"},
    {"two ring names change places",
     "shards: {a: {address: 'h:1', ring_name: p}, b: {address: 'h:2', ring_name: q}}\n",
     "shards: {a: {address: 'h:1', ring_name: q}, b: {address: 'h:2', ring_name: p}}\n",
     "under another ring name"},
    {"a new name at the old place and server",
     "shards: {a: {address: 'h:1', ring_name: p}, b: 'h:2'}\n",
     "shards: {c: {address: 'h:1', ring_name: p}, b: 'h:2'}\n",
     "gives h:1 of shard \"default/a\" to \"default/c\""},
    {"a server goes to another pool",
     POOLS "routes: [{prefix: 'u:', pool: x}, {default: true, pool: y}]\n",
     "pools: {x: {shards: {a: 'h:2'}}, y: {shards: {b: 'h:3'}}}\n"
     "routes: [{prefix: 'u:', pool: x}, {default: true, pool: y}]\n",
     "gives h:2 of shard \"y/b\" to \"x/a\""},
    {"two names at the sentinels change places", WATCHED("m1", "m2"), WATCHED("m2", "m1"),
     "gives sentinel:eu/m2 of shard \"default/b\" to \"default/a\""},
    {"one takes the name of the other", WATCHED("m1", "m2"), WATCHED("m2", "m3"),
     "gives sentinel:eu/m2 of shard \"default/b\" to \"default/a\""},
    {"a name at the sentinels of its own", WATCHED("m1", "m2"), WATCHED("m1", "m3"), NULL},
    {"two clusters change places", CLUSTERS("h:1", "h:2"), CLUSTERS("h:2", "h:1"),
     "gives h:2 of shard \"y/y\" to \"x/x\""},
    {"two clusters change places, by other seeds", CLUSTERS("h:1', 'h:9", "h:2', 'h:8"),
     CLUSTERS("h:8", "h:9"), "gives h:2,h:8 of shard \"y/y\" to \"x/x\""},
    {"seeds come and go", CLUSTERS("h:1', 'h:9", "h:2"), CLUSTERS("h:9', 'h:7", "h:2"), NULL},
    {"two pools share a cluster", CLUSTERS("h:1', 'h:2", "h:2', 'h:3"), CLUSTERS("h:2", "h:2"),
     NULL},
    {"two groups of sentinels change places", GROUPS("s:1', 's:2", "t:1', 't:2"),
     GROUPS("t:1", "s:2"), "gives sentinel:us/m of shard \"default/b\" to \"default/a\""},
    {"sentinels come and go", GROUPS("s:1', 's:2", "t:1"), GROUPS("s:2', 's:3", "t:1"), NULL},
    {"a cluster moves", CLUSTERS("h:1", "h:2"), CLUSTERS("h:1", "h:3"), NULL},
    {"a pool of shards becomes a cluster", "pools: {x: {shards: {a: 'h:1'}}}\n",
     "pools: {x: {cluster: {seeds: ['h:1']}}}\n", "keys"},
    {"another db of the server is another place",
     "shards: {a: {address: 'h:1', db: 1}, b: {address: 'h:2', db: 2}}\n",
     "shards: {a: {address: 'h:2', db: 1}, b: {address: 'h:3', db: 2}}\n", NULL},
};

static void what_moves_keys_needs_a_larger_generation(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const change *c = &changes[i];
        evs_error err;
        evs_status same = follow(c->old, 4, c->next, 4, &err);
        if (same != (c->why == NULL ? EVS_OK : EVS_E_CONFIG))
            fail_msg("%s: %s", c->what, same == EVS_OK ? "taken" : err.message);
        if (c->why != NULL &&
            (strstr(err.message, "error[E110]: this file ") == NULL ||
             strstr(err.message, "but generation is still 4; if that is intended set \"generation: "
                                 "5\"") == NULL ||
             strstr(err.message, c->why) == NULL))
            fail_msg("%s: %s", c->what, err.message);
        if (follow(c->old, 4, c->next, 5, &err) != EVS_OK)
            fail_msg("%s, with a larger generation: %s", c->what, err.message);
    }
}

static void a_smaller_generation_is_never_taken(void **state)
{
    (void)state;
    evs_error err;
    assert_int_equal(follow(TWO, 4, TWO, 3, &err), EVS_E_CONFIG);
    assert_non_null(strstr(err.message, "error[E111]: this file has generation 3, older than 4"));
}

/* Of a map that has a name the place of `generation` is told, or where it would stand. */
static void a_refusal_says_where_generation_is(void **state)
{
    (void)state;
    static const struct {
        const char *old, *next, *begins;
        int line, column;
    } cases[] = {
        {"evalshard: 1\nshards: {a: 'h:1'}\n", "evalshard: 1\nshards: {a: 'h:1', b: 'h:2'}\n",
         "next.yaml:1:1: error[E110]: this file moves ", 1, 1},
        {"evalshard: 1\ngeneration: 2\nshards: {a: 'h:1'}\n",
         "{evalshard: 1, shards: {b: 'h:2'},\n  generation: 2}\n",
         "next.yaml:2:3: error[E110]: this file moves ", 2, 3},
        {"evalshard: 1\ngeneration: 2\nshards: {a: 'h:1'}\n",
         "evalshard: 1\nshards: {a: 'h:1'}\ngeneration: 1\n",
         "next.yaml:3:1: error[E111]: this file has generation 1, older than 2", 3, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        evs_shardmap *old, *next;
        evs_error err;
        assert_int_equal(evs_shardmap_parse(&old, evs_text(cases[i].old), NULL, NULL, NULL),
                         EVS_OK);
        assert_int_equal(
            evs_shardmap_parse(&next, evs_text(cases[i].next), "next.yaml", NULL, NULL), EVS_OK);
        assert_int_equal(evs_shardmap_may_follow(old, next, &err), EVS_E_CONFIG);
        if (strncmp(err.message, cases[i].begins, strlen(cases[i].begins)) != 0)
            fail_msg("%s", err.message);
        assert_int_equal(err.line, cases[i].line);
        assert_int_equal(err.column, cases[i].column);
        evs_shardmap_free(old);
        evs_shardmap_free(next);
    }
}

/* The share is that of `evalshard diff`: a shard is the same by name or by server. */
static void the_share_of_keys_is_told(void **state)
{
    (void)state;
    evs_shardmap *two = parse(TWO, 0),
                 *three = parse("shards: {a: 'h:1', b: 'h:2', c: 'h:3'}\n", 0);
    evs_shardmap *named = parse("shards: {a: 'h:1', c: 'h:2'}\n", 0);
    size_t moved = evs__moved_keys(two, three, 10000);
    assert_in_range(moved, 3200, 3467);
    assert_int_equal(evs__moved_keys(two, two, 1000), 0);
    /* the server of c was b's: only keys that leave a or come to it move, two of six orders */
    assert_in_range(evs__moved_keys(two, named, 10000), 3200, 3467);
    evs_shardmap_free(two);
    evs_shardmap_free(three);
    evs_shardmap_free(named);
}

/* ---- many maps by chance ---- */

static int rounds = 3000;
static unsigned long long pick_state = 1;

static unsigned pick(unsigned most)
{
    pick_state = pick_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(pick_state >> 33) % most;
}

/* Up to four shards of few names, ring names, servers and weights, so that maps often nearly agree.
 */
static void write_map(char *out, size_t cap)
{
    static const char *const rings[] = {"p", "q", "r", "s"};
    unsigned names = 1 + pick(15), server = pick(4), ring = pick(4);
    int len = snprintf(out, cap, "pools: {default: {distribution: %s, shards: {",
                       pick(4) == 0 ? "ketama" : "rendezvous");
    for (unsigned n = 0, count = 0; n < 4; n++) {
        if ((names >> n & 1) == 0)
            continue;
        len += snprintf(out + len, cap - (size_t)len,
                        "%s%c: {address: 'h:%u', ring_name: %s, weight: %u}", count++ ? ", " : "",
                        "abcd"[n], 1 + (n + server) % 4, rings[(n + ring) % 4], 1 + pick(8) / 7);
    }
    snprintf(out + len, cap - (size_t)len, "}}}\n");
}

static const evs__login *server_of(const evs_shardmap *map, evs_bytes key)
{
    evs_route route;
    assert_int_equal(evs_shardmap_route(&route, map, key, NULL), EVS_OK);
    return &map->shards[route.shard].login;
}

/* With one generation, no key may go from a server to one that had keys already: it would not be
 * found there, or be found in an older state. To a server that is new its data was copied. */
static void what_is_taken_moves_no_key(void **state)
{
    (void)state;
    int taken = 0;
    for (int round = 0; round < rounds; round++) {
        char old_text[1024], next_text[1024], text[16];
        write_map(old_text, sizeof old_text);
        write_map(next_text, sizeof next_text);
        evs_shardmap *old = parse(old_text, 1), *next = parse(next_text, 1);
        int fine = evs_shardmap_may_follow(old, next, NULL) == EVS_OK;
        taken += fine;
        for (int k = 0; fine && k < 200; k++) {
            snprintf(text, sizeof text, "k%d", k);
            const evs__login *a = server_of(old, evs_text(text)),
                             *b = server_of(next, evs_text(text));
            for (size_t i = 0; a->endpoint.port != b->endpoint.port && i < old->nshards; i++)
                if (old->shards[i].login.endpoint.port == b->endpoint.port)
                    fail_msg("%s moves from %d to %d:\n%s%s", text, a->endpoint.port,
                             b->endpoint.port, old_text, next_text);
        }
        evs_shardmap_free(old);
        evs_shardmap_free(next);
    }
    assert_true(taken > rounds / 150);
}

static void out_of_memory_is_not_a_verdict(void **state)
{
    (void)state;
    evs_error err;
    size_t fail_at = 0;
    evs_shardmap *old = parse(TWO, 1), *next = parse("shards: {a: 'h:2', b: 'h:3'}\n", 1);
    evs_status status;
    do {
        evs__mem_fail_at(++fail_at);
        status = evs_shardmap_may_follow(old, next, &err);
        evs__mem_fail_at(0);
    } while (status == EVS_E_NOMEM);
    assert_int_equal(status, EVS_E_CONFIG);
    assert_true(fail_at > 2);
    evs_shardmap_free(old);
    evs_shardmap_free(next);
}

int main(int argc, char **argv)
{
    if (argc > 1 && atoi(argv[1]) > 0)
        rounds = atoi(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_moves_keys_needs_a_larger_generation),
        cmocka_unit_test(a_smaller_generation_is_never_taken),
        cmocka_unit_test(a_refusal_says_where_generation_is),
        cmocka_unit_test(the_share_of_keys_is_told),
        cmocka_unit_test(what_is_taken_moves_no_key),
        cmocka_unit_test(out_of_memory_is_not_a_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
