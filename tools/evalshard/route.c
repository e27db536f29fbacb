/*
 * route.c - evalshard route: where keys live. Rows are printed as keys are read, so that files of
 * any length pass through a pipe.
 */
#include <ctype.h>
#include <stdlib.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/json.h"
#include "tools/evalshard/keys.h"
#include "tools/evalshard/session.h"
#include "tools/evalshard/table.h"

enum { MAP, KEYS, HEX, JSON };

static const opt_spec options[] = {
    [MAP] = OPT_MAP,
    [KEYS] = {'\0', "keys", OPT_TEXT, "FILE", "read keys from FILE, one a line; - is stdin"},
    [HEX] = {'\0', "hex", OPT_FLAG, NULL, "keys are hexadecimal, both ways"},
    [JSON] = OPT_JSON,
};

/* Where rows go: the table, or the document when there is none. */
typedef struct router {
    const evs_shardmap *map;
    table *rows;
    json document;
    int is_hex;
    int exit_code;
} router;

/* The worst code of all keys is the one that counts. */
static void went_wrong(router *r, int code)
{
    r->exit_code = code > r->exit_code ? code : r->exit_code;
}

static void no_route(router *r, evs_bytes key, const evs_error *err)
{
    complain("%s", err->message);
    went_wrong(r, EXIT_NO);
    if (r->rows != NULL)
        return;
    json *j = &r->document;
    json_line(j);
    json_open(j, '{');
    json_key(j, "key");
    json_bytes(j, key);
    json_key(j, "status");
    json_text(j, evs_status_name(err->status));
    json_key(j, "error");
    json_text(j, err->message);
    json_close(j, '}');
}

static void print_json(json *j, evs_bytes key, const evs_shard_info *shard)
{
    json_line(j);
    json_open(j, '{');
    json_key(j, "key");
    json_bytes(j, key);
    json_key(j, "pool");
    json_text(j, shard->pool);
    json_key(j, "shard");
    json_text(j, shard->name);
    json_key(j, "address");
    json_text(j, shard->address);
    json_close(j, '}');
}

/* `word` is the key as it was given and is printed, `key` its bytes. */
static void route(router *r, evs_bytes word, evs_bytes key)
{
    evs_route where;
    evs_shard_info shard;
    evs_error err;
    if (evs_shardmap_route(&where, r->map, key, &err) != EVS_OK ||
        evs_shardmap_shard(&shard, r->map, where.shard, &err) != EVS_OK) {
        no_route(r, word, &err);
        return;
    }
    if (r->rows == NULL) {
        print_json(&r->document, word, &shard);
        return;
    }
    table_bytes(r->rows, word, PLAIN);
    table_text(r->rows, shard.pool, PLAIN);
    table_text(r->rows, shard.name, PLAIN);
    table_text(r->rows, shard.address, PLAIN);
}

static int hex_digit(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    int lower = tolower((unsigned char)c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Returns 0, or -1 when `word` is not pairs of hexadecimal digits. */
static int unhex(char *out, evs_bytes word)
{
    if (word.len % 2 != 0)
        return -1;
    for (size_t i = 0; i < word.len; i += 2) {
        int high = hex_digit(word.data[i]), low = hex_digit(word.data[i + 1]);
        if (high == -1 || low == -1)
            return -1;
        out[i / 2] = (char)(high * 16 + low);
    }
    return 0;
}

static void take(router *r, evs_bytes word)
{
    if (!r->is_hex) {
        route(r, word, word);
        return;
    }
    char *bytes = need(malloc(word.len / 2 + 1));
    if (unhex(bytes, word) == 0) {
        route(r, word, (evs_bytes){bytes, word.len / 2});
    } else {
        char *safe = shown(word, '"');
        complain("\"%s\" is not hexadecimal", safe);
        free(safe);
        went_wrong(r, EXIT_USAGE);
    }
    free(bytes);
}

static void take_line(void *arg, evs_bytes line)
{
    take(arg, line);
}

static void take_all(router *r, const opts *given)
{
    if (opt_given(given, KEYS))
        went_wrong(r, keys_read(opt_text(given, KEYS), "keys routed:", take_line, r));
    for (size_t i = 0; i < given->plain.count; i++)
        take(r, evs_text(given->plain.words[i]));
}

static void print_as_json(router *r, const opts *given)
{
    json *j = &r->document;
    *j = (json){stdout, 0};
    json_open(j, '[');
    take_all(r, given);
    json_close(j, ']');
    putchar('\n');
}

static void print_as_table(router *r, const opts *given)
{
    static const char *const headers[] = {"key", "pool", "shard", "address"};
    r->rows = table_new(stdout, headers, 4);
    take_all(r, given);
    table_finish(r->rows);
}

static int run(const opts *given)
{
    session s = {NULL, NULL, NULL};
    if (given->plain.count == 0 && !opt_given(given, KEYS)) {
        complain("route: no keys: give KEY... or --keys FILE");
        return EXIT_USAGE;
    }
    int code = session_load_map(&s, opt_text(given, MAP));
    if (code == EXIT_FINE) {
        router r = {.map = s.map, .is_hex = opt_given(given, HEX)};
        if (opt_given(given, JSON))
            print_as_json(&r, given);
        else
            print_as_table(&r, given);
        code = r.exit_code;
    }
    session_close(&s);
    return code;
}

const command command_route = {
    .name = "route",
    .usage = " [-m MAP] KEY... | --keys FILE [--hex] [--json]",
    .summary = "show which shard each key lives on",
    .details =
        "In a pipe, prints `key<TAB>pool<TAB>shard<TAB>address` per key, without a header. The\n"
        "address is as in the map. A line of FILE is a key as it stands, without its newline; "
        "keys\n"
        "with TAB or newline need --hex. No server is asked.\n"
        "\n"
        "  evalshard route -m shards.yaml user:7 '{user:7}:posts'\n"
        "\n"
        "exit codes: 0 all routed; 1 a key has no route (said on stderr); 2 wrong usage or an\n"
        "            unusable map; 3 an unreadable file\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
