/*
 * fingerprint.c - evalshard fingerprint: short names for how a map places keys.
 */
#include <inttypes.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/json.h"
#include "tools/evalshard/session.h"
#include "tools/evalshard/table.h"

enum { MAP, JSON };

static const opt_spec options[] = {[MAP] = OPT_MAP, [JSON] = OPT_JSON};

enum { FINGERPRINT_ROOM = 17 };

static void whole(char out[FINGERPRINT_ROOM], const evs_shardmap *map)
{
    snprintf(out, FINGERPRINT_ROOM, "%016" PRIx64, evs_shardmap_fingerprint(map));
}

static void of_pool(char out[FINGERPRINT_ROOM], const evs_pool_info *pool)
{
    snprintf(out, FINGERPRINT_ROOM, "%08" PRIx32, pool->fingerprint);
}

static void print_rows(const evs_shardmap *map)
{
    static const char *const headers[] = {"what", "name", "fingerprint", "distribution", "hash"};
    char text[FINGERPRINT_ROOM];
    table *rows = table_new(stdout, headers, 5);
    whole(text, map);
    table_text(rows, "map", PLAIN);
    table_text(rows, evs_shardmap_name(map), PLAIN);
    table_text(rows, text, STRONG);
    table_text(rows, "", PLAIN);
    table_text(rows, "", PLAIN);
    for (size_t i = 0; i < evs_shardmap_pool_count(map); i++) {
        evs_pool_info pool;
        if (evs_shardmap_pool(&pool, map, i, NULL) != EVS_OK)
            continue;
        of_pool(text, &pool);
        table_text(rows, "pool", PLAIN);
        table_text(rows, pool.name, PLAIN);
        table_text(rows, text, STRONG);
        table_text(rows, pool.distribution, PLAIN);
        table_text(rows, pool.hash, PLAIN);
    }
    table_finish(rows);
}

static void print_pool(json *j, const evs_pool_info *pool)
{
    char text[FINGERPRINT_ROOM];
    of_pool(text, pool);
    json_line(j);
    json_open(j, '{');
    json_key(j, "name");
    json_text(j, pool->name);
    json_key(j, "fingerprint");
    json_text(j, text);
    json_key(j, "distribution");
    json_text(j, pool->distribution);
    json_key(j, "hash");
    json_text(j, pool->hash);
    json_key(j, "shards");
    json_unsigned(j, pool->shards);
    json_close(j, '}');
}

static void print_json(const evs_shardmap *map)
{
    char text[FINGERPRINT_ROOM];
    json j = {stdout, 0};
    whole(text, map);
    json_open(&j, '{');
    json_key(&j, "name");
    json_text(&j, evs_shardmap_name(map));
    json_key(&j, "generation");
    json_unsigned(&j, evs_shardmap_generation(map));
    json_key(&j, "fingerprint");
    json_text(&j, text);
    json_key(&j, "pools");
    json_open(&j, '[');
    for (size_t i = 0; i < evs_shardmap_pool_count(map); i++) {
        evs_pool_info pool;
        if (evs_shardmap_pool(&pool, map, i, NULL) == EVS_OK)
            print_pool(&j, &pool);
    }
    json_close(&j, ']');
    json_close(&j, '}');
    putchar('\n');
}

static int run(const opts *given)
{
    session s = {NULL, NULL, NULL};
    if (given->plain.count > 1 || (given->plain.count == 1 && opt_given(given, MAP))) {
        complain("fingerprint: one map at a time, please");
        return EXIT_USAGE;
    }
    const char *path = given->plain.count > 0 ? given->plain.words[0] : opt_text(given, MAP);
    int code = session_load_map(&s, path);
    if (code == EXIT_FINE) {
        if (opt_given(given, JSON))
            print_json(s.map);
        else
            print_rows(s.map);
    }
    session_close(&s);
    return code;
}

const command command_fingerprint = {
    .name = "fingerprint",
    .usage = " [MAP | -m MAP] [--json]",
    .summary = "print the fingerprints of a map and of its pools",
    .details =
        "Equal fingerprints place every key alike; addresses, timeouts and secrets are not in\n"
        "them. That of a pool is what expect_fingerprint in the map is compared with.\n"
        "\n"
        "exit codes: 0 fine; 2 wrong usage or an unusable map; 3 an unreadable file\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
