/*
 * What the settings say of a command comes before the table, because servers can rename commands
 * and modules can replace them. A command of theirs has rows as the table's have, so rules see no
 * difference: it takes any number of arguments and gives any reply.
 */
#include "scripts/audit/extra.h"

#include "core/error.h"
#include "core/trim.h"

#include <string.h>
#include <strings.h>

enum { MOST_PLACE = 100, LONGEST_NAME = 64 };

/* ---- reading ---- */

/* What stands before `separator` is cut off `*text`; all of it when there is none. */
static evs_bytes cut(evs_bytes *text, char separator)
{
    evs_bytes head = *text;
    const char *end = text->len == 0 ? NULL : memchr(text->data, separator, text->len);
    if (end != NULL)
        head.len = (size_t)(end - text->data);
    size_t taken = head.len + (end != NULL);
    text->data += taken;
    text->len -= taken;
    return head;
}

static int is(evs_bytes text, const char *word)
{
    return text.len == strlen(word) && memcmp(text.data, word, text.len) == 0;
}

static int begins(evs_bytes text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

/* Cuts a place, from 1 on, off `*text`; 0 when there is none. */
static int place(signed char *out, evs_bytes *text)
{
    int n = 0;
    size_t len = 0;
    for (; len < text->len && text->data[len] >= '0' && text->data[len] <= '9'; len++) {
        n = n * 10 + (text->data[len] - '0');
        if (n > MOST_PLACE)
            return 0;
    }
    text->data += len;
    text->len -= len;
    *out = (signed char)n;
    return n > 0;
}

static int skip(evs_bytes *text, const char *with)
{
    if (!begins(*text, with))
        return 0;
    text->data += strlen(with);
    text->len -= strlen(with);
    return 1;
}

/* first [".." last ["/" step]]; the table wants the last place from the first one on. */
static int read_range(evs__key_spec *spec, evs_bytes text)
{
    spec->begin_kind = EVS__KEY_BEGIN_INDEX;
    spec->find_kind = EVS__KEY_FIND_RANGE;
    spec->step = 1;
    if (!place(&spec->begin, &text))
        return 0;
    if (skip(&text, "..")) {
        int from_end = skip(&text, "-");
        if (!place(&spec->last, &text) || (!from_end && spec->last < spec->begin))
            return 0;
        spec->last = (signed char)(from_end ? -spec->last : spec->last - spec->begin);
        if (skip(&text, "/") && !place(&spec->step, &text))
            return 0;
    }
    return text.len == 0;
}

static int read_keys(evs__command *command, evs__key_spec *spec, evs_bytes text)
{
    command->nspecs = is(text, "none") ? 0 : 1;
    if (command->nspecs == 0)
        return 1;
    if (!skip(&text, "n@"))
        return read_range(spec, text);
    spec->begin_kind = EVS__KEY_BEGIN_INDEX;
    spec->find_kind = EVS__KEY_FIND_NUMKEYS;
    spec->first = spec->step = 1;
    command->flags |= EVS__COMMAND_KEYS_OPTIONAL;
    return place(&spec->begin, &text) && text.len == 0;
}

static int read_words(evs__command *command, evs_bytes text)
{
    while (text.len > 0) {
        evs_bytes word = cut(&text, ' ');
        if (is(word, "write"))
            command->flags |= EVS__COMMAND_WRITE;
        else if (is(word, "read"))
            command->flags |= EVS__COMMAND_READONLY;
        else if (word.len > 0)
            return 0;
    }
    const unsigned both = EVS__COMMAND_WRITE | EVS__COMMAND_READONLY;
    if ((command->flags & both) == 0)
        command->flags |= EVS__COMMAND_MAYBE_WRITE;
    return (command->flags & both) != both;
}

static int is_name(evs_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return 0;
    return text.len > 0 && text.len <= LONGEST_NAME;
}

static evs_status fail_entry(evs_bytes entry, evs_error *err)
{
    return evs__fail(err, EVS_E_INVALID,
                     "commands: '%.*s': it must be a name and perhaps =KEYS, such as "
                     "JSON.SET=1, JSON.MGET=1..-2, X.MSET=1..-1/2, X.UNION=n@2 or X.PING=none, "
                     "and perhaps read or write",
                     entry.len > 40 ? 40 : (int)entry.len, entry.data);
}

/* Without "=" nobody knows where its keys are, which is what a specification says that is all 0. */
static evs_status read_command(evs__command *command, evs__arena *arena, evs_bytes entry,
                               evs_error *err)
{
    evs_bytes words = evs__trim(entry), head = cut(&words, ' ');
    int has_keys = head.len > 0 && memchr(head.data, '=', head.len) != NULL;
    evs_bytes name = cut(&head, '=');
    evs__key_spec *spec = evs__arena_zalloc(arena, 1, sizeof *spec);
    char *text = evs__arena_text(arena, name.data, name.len);
    if (spec == NULL || text == NULL)
        return evs__fail_nomem(err);
    for (char *c = text; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    memset(command, 0, sizeof *command);
    command->name = text;
    command->arity = command->older_arity = -1;
    command->nspecs = 1;
    command->specs = spec;
    if (!is_name(name) || (has_keys && !read_keys(command, spec, head)) ||
        !read_words(command, words))
        return fail_entry(evs__trim(entry), err);
    return EVS_OK;
}

static evs_status read_commands(evs__extra *out, evs__arena *arena, evs_bytes list, evs_error *err)
{
    size_t most = 1;
    for (size_t i = 0; i < list.len; i++)
        most += list.data[i] == ',';
    evs__command *commands = evs__arena_alloc(arena, most, sizeof *commands);
    if (commands == NULL)
        return evs__fail_nomem(err);
    out->commands = commands;
    while (list.len > 0) {
        evs_status status = read_command(&commands[out->ncommands], arena, cut(&list, ','), err);
        if (status != EVS_OK)
            return status;
        out->ncommands++;
    }
    return EVS_OK;
}

static int is_identifier(evs_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        int is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return 0;
    }
    return text.len > 0;
}

static evs_status check_globals(evs_bytes list, evs_error *err)
{
    while (list.len > 0) {
        evs_bytes name = evs__trim(cut(&list, ','));
        if (!is_identifier(name))
            return evs__fail(err, EVS_E_INVALID, "globals: '%.*s' is no name of a variable",
                             name.len > 40 ? 40 : (int)name.len, name.data);
    }
    return EVS_OK;
}

evs_status evs__extra_read(evs__extra *out, evs__arena *arena, const evs_audit_options *options,
                           evs_error *err)
{
    memset(out, 0, sizeof *out);
    if (options->globals != NULL) {
        evs_status status = check_globals(evs_text(options->globals), err);
        if (status != EVS_OK)
            return status;
    }
    if (options->commands == NULL || options->commands[0] == '\0')
        return EVS_OK;
    return read_commands(out, arena, evs_text(options->commands), err);
}

/* ---- asking ---- */

const evs__command *evs__extra_find(const evs__extra *extra, evs_bytes name, evs_bytes sub)
{
    for (size_t i = 0; i < extra->ncommands; i++) {
        const char *known = extra->commands[i].name;
        if (strlen(known) == name.len && strncasecmp(known, name.data, name.len) == 0)
            return &extra->commands[i];
    }
    return evs__command_find(name, sub);
}

const evs__command *evs__extra_like(const evs__extra *extra, evs_bytes begin, evs_bytes end,
                                    size_t nargs)
{
    for (size_t i = 0; i < extra->ncommands; i++) {
        const char *known = extra->commands[i].name;
        size_t len = strlen(known);
        if (len >= begin.len + end.len && strncasecmp(known, begin.data, begin.len) == 0 &&
            strncasecmp(known + len - end.len, end.data, end.len) == 0)
            return NULL;
    }
    return evs__command_like(begin, end, nargs);
}

int evs__extra_has_global(const char *globals, const char *name)
{
    evs_bytes list = globals == NULL ? (evs_bytes){"", 0} : evs_text(globals);
    while (list.len > 0)
        if (is(evs__trim(cut(&list, ',')), name))
            return 1;
    return 0;
}
