/*
 * Looking up commands and finding their keys.
 *
 * Most commands are described by their key specifications alone. For the few others the options are
 * scanned here from left to right, as the server does when it executes them; that is stricter than
 * the server's own COMMAND GETKEYS, which reads past some syntax errors. Never fewer keys are
 * reported than the command touches when it succeeds. What SORT reads through the patterns of BY
 * and GET are no arguments and so cannot be reported.
 */
#include "core/command.h"

#include "core/similar.h"

#include <limits.h>
#include <strings.h>

#include "core/command_table.inc"

enum { COMMANDS = sizeof commands / sizeof *commands, LONGEST_NAME = 32 };

typedef struct arguments {
    const evs__command *command;
    const evs_bytes *at;
    size_t count;
} arguments;

typedef struct keys {
    size_t *positions;
    size_t cap;
    size_t count; /* may be over `cap` */
} keys;

/* The upper-case letters of `text` behind `len` bytes of `name`; 0 when that is no name. */
static size_t fold(char *name, size_t len, evs_bytes text)
{
    if (text.len == 0 || text.len > LONGEST_NAME)
        return 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c <= ' ' || c > '~')
            return 0;
        name[len + i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    name[len + text.len] = '\0';
    return len + text.len;
}

static const evs__command *search(const char *name)
{
    size_t low = 0, high = COMMANDS;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, commands[middle].name);
        if (order == 0)
            return &commands[middle];
        if (order < 0)
            high = middle;
        if (order > 0)
            low = middle + 1;
    }
    return NULL;
}

const evs__command *evs__command_find(evs_bytes name, evs_bytes sub)
{
    char full[2 * LONGEST_NAME + 2];
    size_t len = fold(full, 0, name);
    const evs__command *command = len == 0 ? NULL : search(full);
    if (command == NULL || !(command->flags & EVS__COMMAND_CONTAINER) || sub.len == 0)
        return command;
    full[len] = ' ';
    return fold(full, len + 1, sub) == 0 ? NULL : search(full);
}

int evs__command_runs_script(evs_bytes name)
{
    static const char *const names[] = {"EVAL",       "EVALSHA", "EVAL_RO",
                                        "EVALSHA_RO", "FCALL",   "FCALL_RO"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (name.len == strlen(names[i]) && strncasecmp(name.data, names[i], name.len) == 0)
            return 1;
    return 0;
}

/* Does the name of `command` begin and end so? */
static int is_like(const evs__command *command, evs_bytes begin, evs_bytes end)
{
    size_t len = strlen(command->name);
    return len >= begin.len + end.len && strncasecmp(command->name, begin.data, begin.len) == 0 &&
           strncasecmp(command->name + len - end.len, end.data, end.len) == 0;
}

static int takes(int arity, size_t nargs)
{
    return arity > 0 ? nargs == (size_t)arity : nargs >= (size_t)-arity;
}

static int same_places(const evs__command *a, const evs__command *b)
{
    if (a->nspecs != b->nspecs || ((a->flags | b->flags) & EVS__COMMAND_CODE))
        return 0;
    for (size_t i = 0; i < a->nspecs; i++) {
        const evs__key_spec *x = &a->specs[i], *y = &b->specs[i];
        if (x->begin_kind != EVS__KEY_BEGIN_INDEX || y->begin_kind != EVS__KEY_BEGIN_INDEX ||
            x->find_kind != y->find_kind || x->begin != y->begin || x->last != y->last ||
            x->first != y->first || x->step != y->step || x->limit != y->limit ||
            ((x->flags ^ y->flags) & EVS__KEY_NOT_A_KEY))
            return 0;
    }
    return 1;
}

const evs__command *evs__command_like(evs_bytes begin, evs_bytes end, size_t nargs)
{
    const evs__command *found = NULL;
    if (begin.len + end.len == 0)
        return NULL;
    for (size_t i = 0; i < COMMANDS; i++) {
        const evs__command *command = &commands[i];
        if (!is_like(command, begin, end) || strchr(command->name, ' ') != NULL)
            continue; /* what has a blank is a subcommand: its container is in the table too */
        if (nargs > 0 && !takes(command->arity, nargs) && !takes(command->older_arity, nargs))
            continue; /* the server refuses it */
        if (command->flags & EVS__COMMAND_CONTAINER)
            return NULL;
        if (!same_places(found == NULL ? command : found, command))
            return NULL;
        found = command;
    }
    return found;
}

const char *evs__command_similar(evs_bytes name)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    return evs__most_similar(name, names, COMMANDS);
}

static void add(keys *found, size_t position)
{
    if (found->count < found->cap)
        found->positions[found->count] = position;
    found->count++;
}

static int is_word(evs_bytes bytes, const char *word)
{
    return bytes.len == strlen(word) && strncasecmp(bytes.data, word, bytes.len) == 0;
}

/* A count as the server reads it: digits without a leading zero; -1 when it is none. */
static long key_count(evs_bytes bytes)
{
    long n = 0;
    if (bytes.len == 0 || bytes.len > 9 || (bytes.data[0] == '0' && bytes.len > 1))
        return -1;
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] < '0' || bytes.data[i] > '9')
            return -1;
        n = n * 10 + (bytes.data[i] - '0');
    }
    return n;
}

static int counted_keys(keys *found, const arguments *args, const evs__key_spec *spec)
{
    size_t at = (size_t)(spec->begin + spec->last), step = (size_t)spec->step;
    size_t first = (size_t)(spec->begin + spec->first);
    long n = at < args->count ? key_count(args->at[at]) : -1;
    if (n == 0)
        return (args->command->flags & EVS__COMMAND_KEYS_OPTIONAL) != 0;
    if (n < 0 || first >= args->count || (size_t)n > (args->count - first - 1) / step + 1)
        return 0;
    for (size_t i = 0; i < (size_t)n; i++)
        add(found, first + i * step);
    return 1;
}

static int ranged_keys(keys *found, const arguments *args, const evs__key_spec *spec)
{
    long count = (long)args->count;
    long last = spec->last < 0 ? count + spec->last : spec->begin + spec->last;
    if (last >= count || last < spec->begin)
        return 0;
    for (long i = spec->begin; i <= last; i += spec->step)
        add(found, (size_t)i);
    return 1;
}

static int specified_keys(keys *found, const arguments *args)
{
    const evs__command *command = args->command;
    for (size_t i = 0; i < command->nspecs; i++) {
        const evs__key_spec *spec = &command->specs[i];
        if (spec->flags & EVS__KEY_NOT_A_KEY)
            continue;
        int valid = spec->find_kind == EVS__KEY_FIND_NUMKEYS ? counted_keys(found, args, spec)
                                                             : ranged_keys(found, args, spec);
        if (!valid)
            return 0;
    }
    return 1;
}

/* An option of a command, and how many arguments belong to it. */
typedef struct option {
    const char *word;
    size_t values;
} option;

/* The option at argument `i`; NULL when it is none of the `count` ones. */
static const option *option_at(const arguments *args, size_t i, const option *options, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (is_word(args->at[i], options[k].word))
            return &options[k];
    }
    return NULL;
}

#define OPTION_AT(args, i, options) option_at(args, i, options, sizeof(options) / sizeof *(options))

/* SORT key [BY p] [LIMIT o n] [GET p]... [ASC|DESC] [ALPHA] [STORE key]: the last STORE counts. */
static int sort(keys *found, const arguments *args)
{
    static const option options[] = {{"LIMIT", 2}, {"BY", 1}, {"GET", 1}, {"STORE", 1}};
    size_t store = 0;
    for (size_t i = 2; i < args->count; i++) {
        const option *o = OPTION_AT(args, i, options);
        if (o == NULL)
            continue;
        if (is_word(args->at[i], "STORE"))
            store = i + 1;
        i += o->values;
    }
    if (args->count < 2 || store >= args->count)
        return 0;
    add(found, 1);
    if (store > 0)
        add(found, store);
    return 1;
}

static int sort_ro(keys *found, const arguments *args)
{
    if (args->count < 2)
        return 0;
    add(found, 1);
    return 1;
}

/* GEORADIUS key ... [COUNT n [ANY]] [ASC|DESC] [STORE key] [STOREDIST key]. The server writes to
 * the last of both; both are keys to its access control, which knows no other options: COUNT STORE
 * has a key behind it, although the command then fails. */
static int georadius(keys *found, const arguments *args)
{
    static const option options[] = {{"STORE", 1}, {"STOREDIST", 1}};
    if (args->count < 2)
        return 0;
    add(found, 1);
    for (size_t i = (size_t)args->command->specs[1].begin; i + 1 < args->count; i++) {
        const option *o = OPTION_AT(args, i, options);
        if (o == NULL)
            continue;
        i += o->values;
        add(found, i);
    }
    return 1;
}

/* MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH p | AUTH2 u p] [KEYS key...] */
static int migrate(keys *found, const arguments *args)
{
    static const option options[] = {{"AUTH", 1}, {"AUTH2", 2}, {"KEYS", 0}};
    if (args->count < 6)
        return 0;
    for (size_t i = 6; i < args->count; i++) {
        const option *o = OPTION_AT(args, i, options);
        if (o == NULL)
            continue;
        i += o->values;
        if (o->values > 0)
            continue;
        if (args->at[3].len > 0 || i + 1 == args->count)
            return 0;
        while (++i < args->count)
            add(found, i);
        return 1;
    }
    add(found, 3);
    return 1;
}

/* XREAD(GROUP) [GROUP g c] [COUNT n] [BLOCK ms] [CLAIM ms] [NOACK] STREAMS key... id... */
static int xread(keys *found, const arguments *args)
{
    static const option options[] = {{"STREAMS", 0}, {"COUNT", 1}, {"BLOCK", 1},
                                     {"GROUP", 2},   {"NOACK", 0}, {"CLAIM", 1}};
    for (size_t i = 1; i < args->count; i++) {
        const option *o = OPTION_AT(args, i, options);
        if (o == NULL)
            return 0;
        i += o->values;
        if (o != &options[0])
            continue;
        size_t rest = args->count - i - 1;
        if (rest == 0 || rest % 2 != 0)
            return 0;
        for (size_t k = 1; k <= rest / 2; k++)
            add(found, i + k);
        return 1;
    }
    return 0;
}

static const struct {
    const char *name;
    int (*find)(keys *found, const arguments *args);
} by_code[] = {
    {"GEORADIUS", georadius}, {"GEORADIUSBYMEMBER", georadius},
    {"MIGRATE", migrate},     {"SORT", sort},
    {"SORT_RO", sort_ro},     {"XREAD", xread},
    {"XREADGROUP", xread},
};

static int coded_keys(keys *found, const arguments *args)
{
    for (size_t i = 0; i < sizeof by_code / sizeof *by_code; i++) {
        if (strcmp(by_code[i].name, args->command->name) == 0)
            return by_code[i].find(found, args);
    }
    return 0;
}

int evs__command_keys(const evs__command *command, const evs_bytes *args, size_t nargs,
                      size_t *positions, size_t cap)
{
    keys found = {positions, cap, 0};
    const arguments all = {command, args, nargs};
    if (nargs > INT_MAX)
        return -1;
    int valid = command->flags & EVS__COMMAND_CODE ? coded_keys(&found, &all)
                                                   : specified_keys(&found, &all);
    return valid ? (int)found.count : -1;
}
