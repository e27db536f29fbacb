/*
 * One row per option says its name and what it does with its value.
 */
#include "tools/script_audit/options.h"

#include "tools/script_audit/choice.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct row {
    const char *name;
    int takes; /* a value */
    int (*set)(options *out, const struct row *row, const char *value);
    size_t offset; /* of a text or a list in the options */
} row;

/* ---- values ---- */

static int set_text(options *out, const row *r, const char *value)
{
    *(const char **)((char *)out + r->offset) = value;
    return 1;
}

/* The option may be given several times; the list grows. */
static int set_list(options *out, const row *r, const char *value)
{
    char **list = (char **)((char *)out + r->offset);
    size_t before = *list == NULL ? 0 : strlen(*list);
    char *longer = realloc(*list, before + strlen(value) + 2);
    if (longer == NULL) {
        fputs("script-audit: out of memory\n", stderr);
        return 0;
    }
    snprintf(longer + before, strlen(value) + 2, "%s%s", before == 0 ? "" : ",", value);
    *list = longer;
    return 1;
}

static int set_number(options *out, const row *r, const char *value)
{
    char *end;
    long number = strtol(value, &end, 10);
    *(long *)((char *)out + r->offset) = number;
    if (end != value && *end == '\0' && number > 0 && number <= 1000000)
        return 1;
    fprintf(stderr, "script-audit: %s %s: must be a number from 1 to 1000000\n", r->name, value);
    return 0;
}

static int set_flag(options *out, const row *r, const char *value)
{
    (void)value;
    *(int *)((char *)out + r->offset) = 1;
    return 1;
}

static int set_task(options *out, const row *r, const char *value)
{
    (void)value;
    out->task = (options_task)r->offset;
    return 1;
}

static int set_format(options *out, const row *r, const char *value)
{
    for (size_t i = 0; evs_format_name(i) != NULL; i++) {
        if (strcmp(evs_format_name(i), value) == 0) {
            out->format = value;
            return 1;
        }
    }
    fprintf(stderr, "script-audit: %s %s: must be one of", r->name, value);
    for (size_t i = 0; evs_format_name(i) != NULL; i++)
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", evs_format_name(i));
    fputc('\n', stderr);
    return 0;
}

static int set_emit(options *out, const row *r, const char *value)
{
    static const choice choices[] = {{"sha-list", 0}, {NULL, 0}};
    int ignored;
    if (!choose(&ignored, r->name, value, choices))
        return 0;
    out->format = value;
    return 1;
}

static int set_dump(options *out, const row *r, const char *value)
{
    static const choice choices[] = {{"tokens", 0}, {"ast", 0}, {"facts", 0}, {NULL, 0}};
    int ignored;
    out->dump = value;
    return choose(&ignored, r->name, value, choices);
}

static int set_fail_on(options *out, const row *r, const char *value)
{
    static const choice choices[] = {{"error", EVS_FAIL_ON_ERROR},
                                     {"warning", EVS_FAIL_ON_WARNING},
                                     {"note", EVS_FAIL_ON_NOTE},
                                     {"unproven", EVS_FAIL_ON_UNPROVEN},
                                     {"derived", EVS_FAIL_ON_DERIVED},
                                     {"never", EVS_FAIL_ON_NEVER},
                                     {NULL, 0}};
    int which;
    if (!choose(&which, r->name, value, choices))
        return 0;
    out->fail_on = (evs_fail_on)which;
    out->fail_on_given = 1;
    return 1;
}

static int set_show(options *out, const row *r, const char *value)
{
    static const choice choices[] = {{"error", EVS_SEVERITY_ERROR},
                                     {"warning", EVS_SEVERITY_WARNING},
                                     {"note", EVS_SEVERITY_NOTE},
                                     {NULL, 0}};
    int which;
    if (!choose(&which, r->name, value, choices))
        return 0;
    out->show = (evs_severity)which;
    out->show_given = 1;
    return 1;
}

static int wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if (no != NULL && no[0] != '\0')
        return 0;
    return isatty(STDOUT_FILENO) && (term == NULL || strcmp(term, "dumb") != 0);
}

static int set_colour(options *out, const row *r, const char *value)
{
    static const choice choices[] = {{"auto", 2}, {"always", 1}, {"never", 0}, {NULL, 0}};
    return choose(&out->colour, r->name, value, choices);
}

static int set_explain(options *out, const row *r, const char *value)
{
    (void)r;
    out->task = TASK_EXPLAIN;
    out->rule = value;
    return 1;
}

/* ---- the table ---- */

enum { NO_VALUE, VALUE, MAYBE_VALUE };

#define AT(field) offsetof(options, field)

static const row rows[] = {
    {"--format", VALUE, set_format, 0},
    {"--emit", VALUE, set_emit, 0},
    {"--dump", VALUE, set_dump, 0},
    {"--hash-tag", VALUE, set_text, AT(hash_tag)},
    {"--map", VALUE, set_text, AT(map)},
    {"--pool", VALUE, set_text, AT(pool)},
    {"--output", VALUE, set_text, AT(output)},
    {"--fail-on", VALUE, set_fail_on, 0},
    {"--exit-zero", NO_VALUE, set_flag, AT(exit_zero)},
    {"--show", VALUE, set_show, 0},
    {"--color", VALUE, set_colour, 0},
    {"--quiet", NO_VALUE, set_flag, AT(quiet)},
    {"--target", VALUE, set_text, AT(target)},
    {"--profile", VALUE, set_text, AT(profile)},
    {"--select", VALUE, set_list, AT(select)},
    {"--extend-select", VALUE, set_list, AT(extend_select)},
    {"--ignore", VALUE, set_list, AT(ignore)},
    {"--severity", VALUE, set_list, AT(severities)},
    {"--command", VALUE, set_list, AT(commands)},
    {"--global", VALUE, set_list, AT(globals)},
    {"--unpack-limit", VALUE, set_number, AT(unpack_limit)},
    {"--allow-derived", NO_VALUE, set_flag, AT(allow_derived)},
    {"--keys-from-name", NO_VALUE, set_flag, AT(keys_from_name)},
    {"--config", VALUE, set_text, AT(config)},
    {"--no-config", NO_VALUE, set_flag, AT(no_config)},
    {"--baseline", VALUE, set_text, AT(baseline)},
    {"--write-baseline", NO_VALUE, set_flag, AT(write_baseline)},
    {"--extract", NO_VALUE, set_flag, AT(extract)},
    {"--stdin-filename", VALUE, set_text, AT(stdin_name)},
    {"--explain", MAYBE_VALUE, set_explain, 0},
    {"--list-rules", NO_VALUE, set_task, TASK_EXPLAIN},
    {"--rules", NO_VALUE, set_task, TASK_EXPLAIN},
    {"--help", NO_VALUE, set_task, TASK_HELP},
    {"-h", NO_VALUE, set_task, TASK_HELP},
    {"--version", NO_VALUE, set_task, TASK_VERSION},
};

enum { ROWS = sizeof rows / sizeof *rows };

static int unknown_option(const char *arg)
{
    const char *names[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        names[i] = rows[i].name;
    const char *likely = nearest(arg, names, ROWS);
    fprintf(stderr, "script-audit: unknown option %s", arg);
    if (likely != NULL)
        fprintf(stderr, ", did you mean %s?", likely);
    fputs("\nscript-audit: --help shows the options\n", stderr);
    return 0;
}

/* ---- arguments ---- */

/* What is left of argv. */
typedef struct left {
    char **at;
    char **end;
} left;

static const row *find(const char *arg, const char **value)
{
    size_t len = strcspn(arg, "=");
    *value = arg[len] == '=' ? arg + len + 1 : NULL;
    for (size_t i = 0; i < ROWS; i++)
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, arg, len) == 0)
            return &rows[i];
    return NULL;
}

static int read_option(options *out, const char *arg, left *l)
{
    const char *value;
    const row *r = find(arg, &value);
    if (r == NULL)
        return unknown_option(arg);
    if (r->takes == NO_VALUE && value != NULL) {
        fprintf(stderr, "script-audit: %s takes no value\n", r->name);
        return 0;
    }
    if (value == NULL && l->at < l->end &&
        (r->takes == VALUE || (r->takes == MAYBE_VALUE && (*l->at)[0] != '-')))
        value = *l->at++;
    if (r->takes == VALUE && value == NULL) {
        fprintf(stderr, "script-audit: %s needs a value\n", r->name);
        return 0;
    }
    return r->set(out, r, value);
}

static int check(options *o)
{
    evs_audit_options audit = EVS_AUDIT_OPTIONS_INIT;
    evs_error err;
    if (o->task == TASK_AUDIT && o->npaths == 0) {
        fputs("script-audit: no PATH given\nscript-audit: --help shows the usage\n", stderr);
        return 0;
    }
    if (o->map != NULL && o->hash_tag != NULL) {
        fputs("script-audit: --map and --hash-tag cannot stand together\n", stderr);
        return 0;
    }
    audit.target = o->target;
    audit.profile = o->profile;
    audit.hash_tag = o->hash_tag;
    audit.select = o->select;
    audit.extend_select = o->extend_select;
    audit.ignore = o->ignore;
    audit.severities = o->severities;
    audit.commands = o->commands;
    audit.globals = o->globals;
    if (evs_audit_options_check(&audit, &err) != EVS_OK) {
        fprintf(stderr, "script-audit: %s\n", err.message);
        return 0;
    }
    return 1;
}

/* What depends on other options, or on where the output goes. */
static void settle(options *o)
{
    if (o->colour == 2)
        o->colour = o->output == NULL && wants_colour();
    if (!o->show_given && o->fail_on == EVS_FAIL_ON_NOTE)
        o->show = EVS_SEVERITY_NOTE; /* what fails is shown */
}

int options_read(options *out, int argc, char **argv)
{
    left l = {argv + (argc > 0), argv + argc};
    int only_paths = 0;
    memset(out, 0, sizeof *out);
    out->format = "text";
    out->fail_on = EVS_FAIL_ON_ERROR;
    out->show = EVS_SEVERITY_WARNING;
    out->colour = 2;
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
    settle(out);
    return check(out);
}

void options_free(options *o)
{
    free(o->select);
    free(o->extend_select);
    free(o->ignore);
    free(o->severities);
    free(o->commands);
    free(o->globals);
}
