/*
 * import.c - evalshard import: a shard map out of other software's configuration.
 */
#include <evalshard/audit.h>
#include <evalshard/shardmap.h>
#include <string.h>

#include "tools/evalshard/command.h"
#include "tools/evalshard/term.h"

enum { POOL };

static const opt_spec options[] = {
    [POOL] = {'\0', "pool", OPT_TEXT, "NAME", "which pool of FILE; needed when it has several"},
};

static int import(const char *path, const char *pool)
{
    char *map = NULL;
    evs_diagnostics *diags = NULL;
    evs_diagnostic first = {.code = ""};
    evs_error err;
    int code = EXIT_FINE;
    evs_status status = evs_shardmap_import_twemproxy(&map, path, pool, &diags, &err);
    if (diags != NULL && evs_diagnostics_count(diags) > 0)
        evs_diagnostics_at(&first, diags, 0, NULL);
    fputs(evs_diagnostics_text(diags), stderr);
    if (status == EVS_OK)
        fputs(map, stdout);
    else if (diags == NULL)
        complain("%s", err.message);
    if (status != EVS_OK)
        code = strcmp(first.code, "E100") == 0 ? EXIT_UNREACHABLE : EXIT_NO;
    evs_text_free(map);
    evs_diagnostics_free(diags);
    return code;
}

static int run(const opts *given)
{
    const char *const *words = given->plain.words;
    if (given->plain.count != 2) {
        complain("import: give the format and a file: import twemproxy FILE");
        return EXIT_USAGE;
    }
    if (strcmp(words[0], "twemproxy") != 0) {
        complain("import: unknown format \"%s\"; it can be twemproxy", words[0]);
        return EXIT_USAGE;
    }
    return import(words[1], opt_text(given, POOL));
}

const command command_import = {
    .name = "import",
    .usage = " twemproxy FILE [--pool NAME]",
    .summary = "turn a nutcracker.yml into a shard map with the same placement",
    .details =
        "Prints the map; every key is where twemproxy has put it. What twemproxy does and a map\n"
        "has no word for is said on standard error. Passwords are not copied.\n"
        "\n"
        "  evalshard import twemproxy /etc/nutcracker.yml --pool sessions >shards.yaml\n"
        "\n"
        "exit codes: 0 fine; 1 the pool has no equal; 2 wrong usage; 3 the file cannot be read\n",
    .options = options,
    .noptions = sizeof options / sizeof options[0],
    .run = run,
};
