/*
 * check.c - evalshard check: is this file a usable shard map? The findings are the product, so they
 * go to standard output. With --online, also: are its servers fit to be shards?
 */
#include <errno.h>
#include <evalshard/shardmap.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/json.h"
#include "tools/evalshard/online.h"
#include "tools/evalshard/session.h"
#include "tools/evalshard/term.h"

enum { MAP, STRICT, ONLINE, SCRIPTS, NO_FILES, JSON };

static const opt_spec options[] = {
    [MAP] = OPT_MAP,
    [STRICT] = {'\0', "strict", OPT_FLAG, NULL, "warnings make the map unusable too"},
    [ONLINE] = {'\0', "online", OPT_FLAG, NULL,
                "connect to every server, and check what it is and may do"},
    [SCRIPTS] = {'s', "scripts", OPT_TEXT, "FOLDER",
                 "with --online: which of these scripts are loaded (default: $EVALSHARD_SCRIPTS)"},
    [NO_FILES] = {'\0', "no-files", OPT_FLAG, NULL,
                  "do not look at the files and environment variables that the map names"},
    [JSON] = OPT_JSON,
};

/* What is known of the file after loading it. */
typedef struct verdict {
    const char *path;
    evs_shardmap *map; /* NULL when unusable */
    evs_diagnostics *diags;
    evs_error err;
    int asked; /* the servers, too */
    online servers;
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

static size_t errors_of(const verdict *v)
{
    return evs_diagnostics_errors(v->diags) + (v->asked ? v->servers.errors : 0);
}

static size_t warnings_of(const verdict *v)
{
    return evs_diagnostics_warnings(v->diags) + (v->asked ? v->servers.warnings : 0);
}

static int judge(const verdict *v, int strict)
{
    if (is_unreadable(v->diags) || (v->asked && v->servers.unreachable))
        return EXIT_UNREACHABLE;
    if (v->map == NULL || errors_of(v) > 0 || (strict && warnings_of(v) > 0))
        return EXIT_NO;
    return EXIT_FINE;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

/* Why a map without errors is not usable. */
static const char *why(const verdict *v)
{
    if (v->asked && v->servers.unreachable)
        return "not usable now (servers do not answer)";
    return errors_of(v) > 0 ? "not usable with these servers" : "not usable (--strict)";
}

static void print_text(const verdict *v)
{
    size_t errors = errors_of(v), warnings = warnings_of(v);
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
    if (v->asked)
        online_print(&v->servers);
    printf("%s%s: %s%s: map %s, generation %" PRIu64 ", fingerprint %016" PRIx64
           ", %zu pool%s, %zu shard%s, %zu warning%s\n",
           colour(stdout, fine ? GOOD : BAD), v->path, fine ? "usable" : why(v),
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
    json_unsigned(&j, errors_of(v));
    json_key(&j, "warnings");
    json_unsigned(&j, warnings_of(v));
    print_diagnostics(&j, v->diags);
    if (v->asked)
        online_print_json(&v->servers, &j);
    json_close(&j, '}');
    putchar('\n');
}

/* 0 after saying what is wrong with the words. */
static int usable_words(const opts *given)
{
    const char *wrong = NULL;
    if (given->plain.count > 1 || (given->plain.count == 1 && opt_given(given, MAP)))
        wrong = "one map at a time, please";
    else if (opt_given(given, ONLINE) && opt_given(given, NO_FILES))
        wrong = "--online needs the files that --no-files leaves out";
    else if (opt_given(given, SCRIPTS) && !opt_given(given, ONLINE))
        wrong = "--scripts goes with --online";
    if (wrong != NULL)
        complain("check: %s", wrong);
    return wrong == NULL;
}

/* Asks the servers of a usable map. */
static int ask_servers(verdict *v, const opts *given, session *s)
{
    const char *folder = opt_text(given, SCRIPTS), *usual = getenv("EVALSHARD_SCRIPTS");
    int code = EXIT_FINE;
    s->map = v->map;
    if (folder != NULL || (usual != NULL && usual[0] != '\0'))
        code = session_load_scripts(s, folder);
    if (code != EXIT_FINE)
        return code;
    v->asked = 1;
    return online_ask(&v->servers, s);
}

static int report(verdict *v, const opts *given)
{
    v->exit_code = judge(v, opt_given(given, STRICT));
    if (opt_given(given, JSON))
        print_json(v);
    else if (is_unreadable(v->diags))
        complain("%s", v->err.message);
    else
        print_text(v);
    return v->exit_code;
}

static int run(const opts *given)
{
    const char *named = given->plain.count > 0 ? given->plain.words[0] : opt_text(given, MAP);
    session s = {NULL, NULL, NULL};
    int code = EXIT_FINE;
    if (!usable_words(given))
        return EXIT_USAGE;
    verdict v = {.path = session_map_path(named)};
    if (v.path == NULL)
        return EXIT_USAGE;

    evs_status status = opt_given(given, NO_FILES)
                            ? evs_shardmap_load_bare(&v.map, v.path, &v.diags, &v.err)
                            : evs_shardmap_load(&v.map, v.path, &v.diags, &v.err);
    if (status != EVS_OK)
        v.map = NULL;
    else if (opt_given(given, ONLINE))
        code = ask_servers(&v, given, &s);
    if (code == EXIT_FINE)
        code = report(&v, given);
    if (v.asked)
        online_free(&v.servers);
    evs_registry_free(s.registry);
    evs_shardmap_free(v.map);
    evs_diagnostics_free(v.diags);
    return code;
}

const command command_check = {
    .name = "check",
    .usage = " [MAP | -m MAP] [--strict] [--online [-s FOLDER] | --no-files] [--json]",
    .summary = "validate a shard map; all problems at once, with line and column",
    .details =
        "Prints every problem as `file:line:column: error[E204]: ...` with a hint, then one line "
        "with\n"
        "the map's name, generation and fingerprint. Maps with equal fingerprints place every key\n"
        "alike.\n"
        "\n"
        "With --online, connects to every server at the same time, to all nodes of clusters too,\n"
        "and says of each what is wrong: no connection, TLS, login, role, loading, db, cluster,\n"
        "rights to load and run scripts, the clock. Sentinels are asked one by one: which primary\n"
        "each names, whether they agree, their quorum. Replicas that they name are visited where\n"
        "the map reads from them (read_from). Nothing is changed on the servers.\n"
        "\n"
        "exit codes: 0 usable; 1 not usable; 2 wrong usage; 3 the file cannot be read, or a\n"
        "            server does not answer\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
