#include "tools/script_audit/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 24, NEAR = 3 };

static const char *const names[] = {"--color",   "--explain", "--fail-on", "--format", "--help",
                                    "--profile", "--rules",   "--target",  "--version"};

void options_help(void)
{
    fputs(
        "usage: script-audit [options] PATH...\n"
        "\n"
        "Proves for each Redis call of Lua scripts that its keys come from KEYS, or says where\n"
        "they come from. PATH is a file, a folder (all *.lua below it) or - for standard input.\n"
        "\n"
        "  --format text|json               how to report (text)\n"
        "  --fail-on error|warning|note|never\n"
        "                                   the least finding that makes the exit code 1 (error)\n"
        "  --target SERVER:VERSION[..[VERSION]],...\n"
        "                                   the servers it has to run on, as in redis:6.2..7.4 or\n"
        "                                   valkey:8.0 (redis:7.0.., unless the profile says "
        "more)\n"
        "  --profile NAME                   the kind of place: cluster (the default), standalone,\n"
        "                                   valkey, elasticache-serverless, aliyun, dragonfly,\n"
        "                                   kvrocks-strict\n"
        "  --color auto|always|never        colours, in text (auto: on a terminal, without "
        "NO_COLOR)\n"
        "  --explain [CODE]                 what a rule is about, or all of them\n"
        "  --rules                          the list of rules\n"
        "  --help, --version\n"
        "\n"
        "Exit code: 0 nothing to complain about, 1 findings, 2 wrong usage, 3 something could not\n"
        "be read.\n",
        stdout);
}

/* ---- did you mean ---- */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned n = a < b ? a : b;
    return n < c ? n : c;
}

/* Letters to insert, delete or replace to make `b` of `a`. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[LONGEST + 1];
    size_t n = strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST)
        return LONGEST;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1] != '\0'; i++) {
        unsigned corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            unsigned above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
            corner = above;
        }
    }
    return row[n];
}

static int unknown_option(const char *arg)
{
    const char *best = NULL;
    unsigned least_so_far = NEAR + 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned d = distance(arg, names[i]);
        if (d < least_so_far) {
            least_so_far = d;
            best = names[i];
        }
    }
    fprintf(stderr, "script-audit: unknown option %s", arg);
    if (best != NULL)
        fprintf(stderr, ", did you mean %s?", best);
    fputs("\nscript-audit: --help shows the options\n", stderr);
    return 0;
}

/* ---- values ---- */

typedef struct choice {
    const char *word;
    int value;
} choice;

static int choose(int *out, const char *option, const char *word, const choice *choices)
{
    for (const choice *c = choices; c->word != NULL; c++) {
        if (strcmp(c->word, word) == 0) {
            *out = c->value;
            return 1;
        }
    }
    fprintf(stderr, "script-audit: %s %s: must be one of", option, word);
    for (const choice *c = choices; c->word != NULL; c++)
        fprintf(stderr, "%s %s", c == choices ? "" : ",", c->word);
    fputc('\n', stderr);
    return 0;
}

static int set_format(options *out, const char *word)
{
    static const choice formats[] = {{"text", 0}, {"json", 1}, {NULL, 0}};
    int which;
    if (!choose(&which, "--format", word, formats))
        return 0;
    out->format = formats[which].word;
    return 1;
}

static int set_fail_on(options *out, const char *word)
{
    static const choice severities[] = {{"error", EVS_SEVERITY_ERROR},
                                        {"warning", EVS_SEVERITY_WARNING},
                                        {"note", EVS_SEVERITY_NOTE},
                                        {"never", EVS_SEVERITY_ERROR + 1},
                                        {NULL, 0}};
    return choose(&out->fail_on, "--fail-on", word, severities);
}

static int wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no != NULL && no[0] != '\0')
        return 0;
    return isatty(STDOUT_FILENO) && (term == NULL || strcmp(term, "dumb") != 0);
}

static int set_colour(options *out, const char *word)
{
    static const choice choices[] = {{"auto", 2}, {"always", 1}, {"never", 0}, {NULL, 0}};
    if (!choose(&out->colour, "--color", word, choices))
        return 0;
    if (out->colour == 2)
        out->colour = wants_colour();
    return 1;
}

static int set_target(options *out, const char *word)
{
    out->audit.target = word;
    return 1;
}

static int set_profile(options *out, const char *word)
{
    out->audit.profile = word;
    return 1;
}

/* ---- arguments ---- */

/* What is left of argv. */
typedef struct left {
    char **at;
    char **end;
} left;

static const struct {
    const char *name;
    int (*set)(options *out, const char *word);
} with_value[] = {{"--format", set_format},
                  {"--fail-on", set_fail_on},
                  {"--color", set_colour},
                  {"--target", set_target},
                  {"--profile", set_profile}};

/* 1 when `arg` is `name` or `name=value`; then `*value` is the value, or NULL. */
static int is_option(const char *arg, const char *name, const char **value)
{
    size_t len = strlen(name);
    if (strncmp(arg, name, len) != 0 || (arg[len] != '\0' && arg[len] != '='))
        return 0;
    *value = arg[len] == '=' ? arg + len + 1 : NULL;
    return 1;
}

static int take_value(const char **value, const char *arg, left *l)
{
    if (*value != NULL)
        return 1;
    if (l->at == l->end) {
        fprintf(stderr, "script-audit: %s needs a value\n", arg);
        return 0;
    }
    *value = *l->at++;
    return 1;
}

static int read_option(options *out, const char *arg, left *l)
{
    const char *value;
    for (size_t i = 0; i < sizeof with_value / sizeof *with_value; i++)
        if (is_option(arg, with_value[i].name, &value))
            return take_value(&value, arg, l) && with_value[i].set(out, value);
    if (is_option(arg, "--explain", &value)) {
        out->task = TASK_EXPLAIN;
        if (value == NULL && l->at < l->end && (*l->at)[0] != '-')
            value = *l->at++;
        out->rule = value;
        return 1;
    }
    if (strcmp(arg, "--rules") == 0)
        out->task = TASK_EXPLAIN;
    else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
        out->task = TASK_HELP;
    else if (strcmp(arg, "--version") == 0)
        out->task = TASK_VERSION;
    else
        return unknown_option(arg);
    return 1;
}

int options_read(options *out, int argc, char **argv)
{
    options defaults = {TASK_AUDIT, NULL, "text", EVS_SEVERITY_ERROR, 0, EVS_AUDIT_OPTIONS_INIT,
                        NULL,       0};
    left l = {argv + (argc > 0), argv + argc};
    int only_paths = 0;
    *out = defaults;
    out->colour = wants_colour();
    out->paths = (const char **)argv; /* paths are moved to the front */
    while (l.at < l.end) {
        char *arg = *l.at++;
        if (only_paths || arg[0] != '-' || strcmp(arg, "-") == 0)
            out->paths[out->npaths++] = arg;
        else if (strcmp(arg, "--") == 0)
            only_paths = 1;
        else if (!read_option(out, arg, &l))
            return 0;
    }
    if (out->task == TASK_AUDIT && out->npaths == 0) {
        fputs("script-audit: no PATH given\nscript-audit: --help shows the usage\n", stderr);
        return 0;
    }
    evs_error err;
    if (evs_audit_options_check(&out->audit, &err) != EVS_OK) {
        fprintf(stderr, "script-audit: %s\n", err.message);
        return 0;
    }
    return 1;
}
