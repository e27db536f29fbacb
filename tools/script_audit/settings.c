#include "tools/script_audit/settings.h"

#include "tools/script_audit/glob.h"

#include <stdlib.h>
#include <string.h>

static void append(evs__buf *list, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    evs__buf_format(list, "%s%s", list->len == 0 ? "" : ",", text);
}

static void replace(evs__buf *list, const char *text)
{
    if (text == NULL)
        return;
    evs__buf_clear(list);
    evs__buf_text(list, text);
}

/* What selects anew replaces; what adds is added. */
static void apply(settings *s, const config_files *files)
{
    replace(&s->select, files->select);
    append(&s->extend_select, files->extend_select);
    append(&s->ignore, files->ignore);
    append(&s->severities, files->severities);
    append(&s->commands, files->commands);
    append(&s->globals, files->globals);
    replace(&s->contract, files->contract);
}

static void apply_config(settings *s, const config *c, const char *relative)
{
    if (c->allow_derived)
        append(&s->severities, "ES104=note");
    apply(s, &c->all);
    for (size_t i = 0; i < c->nfiles; i++)
        if (glob_matches(c->files[i].glob, relative))
            apply(s, &c->files[i]);
}

static void apply_options(settings *s, const options *o)
{
    if (o->allow_derived)
        append(&s->severities, "ES104=note");
    replace(&s->select, o->select);
    append(&s->extend_select, o->extend_select);
    append(&s->ignore, o->ignore);
    append(&s->severities, o->severities);
    append(&s->commands, o->commands);
    append(&s->globals, o->globals);
}

static const char *text_of(const evs__buf *list)
{
    return list->len == 0 ? NULL : list->data;
}

/* The N of NAME-N.lua, as Bull, BullMQ and ioredis read it; -1 when there is none. */
static long keys_in_name(const char *name)
{
    const char *dash = strrchr(name, '-');
    if (dash == NULL || dash[1] < '0' || dash[1] > '9')
        return -1;
    char *end;
    long n = strtol(dash + 1, &end, 10);
    return strcmp(end, ".lua") == 0 && n <= 10000 ? n : -1;
}

int settings_make(settings *out, const options *o, const config *c, const char *relative,
                  const char *name)
{
    const evs_audit_options none = EVS_AUDIT_OPTIONS_INIT;
    evs__buf *const lists[] = {&out->select,   &out->extend_select, &out->ignore,  &out->severities,
                               &out->commands, &out->globals,       &out->contract};
    memset(out, 0, sizeof *out);
    out->audit = none;
    if (c != NULL)
        apply_config(out, c, relative);
    apply_options(out, o);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (!evs__buf_ok(lists[i]))
            return 0;

    out->audit.path = name;
    out->audit.target = o->target != NULL || c == NULL ? o->target : c->target;
    out->audit.profile = o->profile != NULL || c == NULL ? o->profile : c->profile;
    out->audit.hash_tag = o->hash_tag != NULL || c == NULL ? o->hash_tag : c->hash_tag;
    out->audit.select = text_of(&out->select);
    out->audit.extend_select = text_of(&out->extend_select);
    out->audit.ignore = text_of(&out->ignore);
    out->audit.severities = text_of(&out->severities);
    out->audit.commands = text_of(&out->commands);
    out->audit.globals = text_of(&out->globals);
    out->audit.contract = text_of(&out->contract);
    out->audit.unpack_limit = o->unpack_limit > 0 || c == NULL ? o->unpack_limit : c->unpack_limit;
    if (o->keys_from_name || (c != NULL && c->keys_from_name))
        out->audit.keys = keys_in_name(name);
    return 1;
}

void settings_free(settings *s)
{
    evs__buf_free(&s->select);
    evs__buf_free(&s->extend_select);
    evs__buf_free(&s->ignore);
    evs__buf_free(&s->severities);
    evs__buf_free(&s->commands);
    evs__buf_free(&s->globals);
    evs__buf_free(&s->contract);
}
