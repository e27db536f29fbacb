/*
 * check.c - evalshard check: is this file a usable shard map? The findings are the product, so they
 * go to standard output.
 */
#include <errno.h>
#include <evalshard/shardmap.h>
#include <inttypes.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/json.h"
#include "tools/evalshard/session.h"
#include "tools/evalshard/term.h"

enum { MAP, STRICT, JSON };

static const opt_spec options[] = {
    [MAP] = OPT_MAP,
    [STRICT] = {'\0', "strict", OPT_FLAG, NULL, "warnings make the map unusable too"},
    [JSON] = OPT_JSON,
};

/* What is known of the file after loading it. */
typedef struct verdict {
    const char *path;
    evs_shardmap *map; /* NULL when unusable */
    evs_diagnostics *diags;
    evs_error err;
    int exit_code;
} verdict;

/* E100: the file cannot be read, which is no verdict about a map. */
static int is_unreadable(const evs_diagnostics *diags)
{
    evs_diagnostic d;
    for (size_t i = 0; i < evs_diagnostics_count(diags); i++) {
        if (evs_diagnostics_at(&d, diags, i, NULL) == EVS_OK && strcmp(d.code, "E100") == 0)
            return 1;
    }
    return 0;
}

static int judge(const verdict *v, int strict)
{
    if (is_unreadable(v->diags))
        return EXIT_UNREACHABLE;
    if (v->map == NULL || (strict && evs_diagnostics_warnings(v->diags) > 0))
        return EXIT_NO;
    return EXIT_FINE;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_text(const verdict *v)
{
    size_t errors = evs_diagnostics_errors(v->diags);
    size_t warnings = evs_diagnostics_warnings(v->diags);
    fputs(evs_diagnostics_text(v->diags), stdout);
    if (v->map == NULL) {
        if (errors == 0)
            printf("%s\n", v->err.message);
        printf("%s%s: not usable%s: %zu error%s, %zu warning%s\n", colour(stdout, BAD), v->path,
               colour(stdout, PLAIN), errors, plural(errors), warnings, plural(warnings));
        return;
    }
    size_t pools = evs_shardmap_pool_count(v->map), shards = evs_shardmap_count(v->map);
    int fine = v->exit_code == EXIT_FINE;
    printf("%s%s: %s%s: map %s, generation %" PRIu64 ", fingerprint %016" PRIx64
           ", %zu pool%s, %zu shard%s, %zu warning%s\n",
           colour(stdout, fine ? GOOD : BAD), v->path, fine ? "usable" : "not usable (--strict)",
           colour(stdout, PLAIN), evs_shardmap_name(v->map), evs_shardmap_generation(v->map),
           evs_shardmap_fingerprint(v->map), pools, plural(pools), shards, plural(shards), warnings,
           plural(warnings));
}

static void print_diagnostics(json *j, const evs_diagnostics *diags)
{
    evs_diagnostic d;
    json_key(j, "diagnostics");
    json_open(j, '[');
    for (size_t i = 0; i < evs_diagnostics_count(diags); i++) {
        if (evs_diagnostics_at(&d, diags, i, NULL) != EVS_OK)
            continue;
        json_open(j, '{');
        json_key(j, "severity");
        json_text(j, d.severity);
        json_key(j, "code");
        json_text(j, d.code);
        json_key(j, "line");
        json_number(j, d.line);
        json_key(j, "column");
        json_number(j, d.column);
        json_key(j, "message");
        json_text(j, d.message);
        json_key(j, "hint");
        json_text(j, d.hint);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void print_map(json *j, const evs_shardmap *map)
{
    char text[24];
    json_key(j, "name");
    json_text(j, evs_shardmap_name(map));
    json_key(j, "generation");
    json_unsigned(j, evs_shardmap_generation(map));
    json_key(j, "fingerprint");
    snprintf(text, sizeof text, "%016" PRIx64, evs_shardmap_fingerprint(map));
    json_text(j, text);
    json_key(j, "pools");
    json_unsigned(j, evs_shardmap_pool_count(map));
    json_key(j, "shards");
    json_unsigned(j, evs_shardmap_count(map));
}

static void print_json(const verdict *v)
{
    json j = {stdout, 0};
    json_open(&j, '{');
    json_key(&j, "file");
    json_text(&j, v->path);
    json_key(&j, "usable");
    json_flag(&j, v->exit_code == EXIT_FINE);
    if (v->map != NULL)
        print_map(&j, v->map);
    json_key(&j, "errors");
    json_unsigned(&j, evs_diagnostics_errors(v->diags));
    json_key(&j, "warnings");
    json_unsigned(&j, evs_diagnostics_warnings(v->diags));
    print_diagnostics(&j, v->diags);
    json_close(&j, '}');
    putchar('\n');
}

static int run(const opts *given)
{
    const char *named = given->plain.count > 0 ? given->plain.words[0] : opt_text(given, MAP);
    if (given->plain.count > 1 || (given->plain.count == 1 && opt_given(given, MAP))) {
        complain("check: one map at a time, please");
        return EXIT_USAGE;
    }
    verdict v = {.path = session_map_path(named)};
    if (v.path == NULL)
        return EXIT_USAGE;

    if (evs_shardmap_load(&v.map, v.path, &v.diags, &v.err) != EVS_OK)
        v.map = NULL;
    v.exit_code = judge(&v, opt_given(given, STRICT));
    if (opt_given(given, JSON))
        print_json(&v);
    else if (v.exit_code == EXIT_UNREACHABLE)
        complain("%s", v.err.message);
    else
        print_text(&v);
    evs_shardmap_free(v.map);
    evs_diagnostics_free(v.diags);
    return v.exit_code;
}

const command command_check = {
    .name = "check",
    .usage = " [MAP | -m MAP] [--strict] [--json]",
    .summary = "validate a shard map; all problems at once, with line and column",
    .details =
        "Prints every problem as `file:line:column: error[E204]: ...` with a hint, then one line "
        "with\n"
        "the map's name, generation and fingerprint. Maps with equal fingerprints place every key\n"
        "alike.\n"
        "\n"
        "exit codes: 0 usable; 1 not usable; 2 wrong usage; 3 the file cannot be read\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
