/*
 * Names to scripts. Each script is its own allocation, so that pointers to it stay good while
 * others are loaded behind it.
 */
#include "core/error.h"
#include "core/mem.h"
#include "core/similar.h"
#include "core/table.h"
#include "scripts/folder.h"
#include "scripts/script.h"
#include "scripts/shipped.h"

#include <stdio.h>

enum { NAME_MAX_LEN = 120 };

struct evs_registry {
    evs_audit_policy policy;
    evs_script **scripts; /* ours, by id */
    size_t count;
    size_t cap;
    evs__table names; /* borrows the names of the scripts */
};

evs_status evs_registry_new(evs_registry **out, const evs_registry_options *opts, evs_error *err)
{
    if (opts != NULL && opts->struct_size < sizeof *opts)
        return evs__fail(err, EVS_E_INVALID, "options without EVS_REGISTRY_OPTIONS_INIT");
    evs_registry *registry = evs__zalloc_array(1, sizeof *registry);
    if (registry == NULL)
        return evs__fail_nomem(err);
    registry->policy = opts == NULL ? EVS_AUDIT_WARN : opts->policy;
    *out = registry;
    return EVS_OK;
}

void evs_registry_free(evs_registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < registry->count; i++)
        evs__script_free(registry->scripts[i]);
    evs__free(registry->scripts);
    evs__table_free(&registry->names);
    evs__free(registry);
}

/* ---- loading ---- */

static int is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static int is_name(const char *name, size_t len)
{
    if (len == 0 || len > NAME_MAX_LEN || !is_alnum(name[0]) || !is_alnum(name[len - 1]))
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (!is_alnum(name[i]) && memchr("._-/", name[i], 4) == NULL)
            return 0;
        if (name[i] == '/' && name[i + 1] == '/')
            return 0;
    }
    return 1;
}

/* A copy for a message: cut, and nothing in it that would break the line. */
static void make_showable(char out[48], const char *name)
{
    snprintf(out, 48, "%s", name);
    for (char *p = out; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
}

static evs_status check_name(const evs_registry *registry, const evs__script_text *text,
                             evs_error *err)
{
    const char *where = text->path == NULL ? "" : text->path, *sep = where[0] == '\0' ? "" : ": ";
    if (!is_name(text->name, strlen(text->name))) {
        char shown[48];
        make_showable(shown, text->name);
        return evs__fail(err, EVS_E_INVALID,
                         "%s%s\"%s\" is no name of a script: letters, digits, and . _ - / between "
                         "them, at most %d",
                         where, sep, shown, NAME_MAX_LEN);
    }
    if (evs_script_find(registry, text->name) == NULL)
        return EVS_OK;
    evs__fail(err, EVS_E_INVALID, "%s%sscript %s is loaded already", where, sep, text->name);
    if (err != NULL)
        snprintf(err->script, sizeof err->script, "%s", text->name);
    return EVS_E_INVALID;
}

/* Takes `script` over when it returns 1. */
static int add(evs_registry *registry, evs_script *script)
{
    if (registry->count == registry->cap) {
        size_t cap = registry->cap == 0 ? 16 : registry->cap * 2;
        evs_script **scripts = evs__realloc_array(registry->scripts, cap, sizeof *scripts);
        if (scripts == NULL)
            return 0;
        registry->scripts = scripts;
        registry->cap = cap;
    }
    if (!evs__table_set(&registry->names, evs_text(script->name), script))
        return 0;
    script->id = registry->count;
    evs__script_join(script, registry);
    registry->scripts[registry->count++] = script;
    return 1;
}

static evs_status load(evs_registry *registry, const evs__script_text *text, evs_error *err)
{
    evs_script *script = NULL;
    evs_status status = check_name(registry, text, err);
    if (status == EVS_OK)
        status = evs__script_new(&script, text, err);
    if (status == EVS_OK)
        status = evs__script_allowed(script, registry->policy, err);
    if (status == EVS_OK && !add(registry, script))
        status = evs__fail_nomem(err);
    if (status != EVS_OK)
        evs__script_free(script);
    return status;
}

evs_status evs_script_load(evs_registry *registry, const char *name, evs_bytes source,
                           const evs_script_options *opts, evs_error *err)
{
    evs__script_text text = {.name = name == NULL ? "" : name, .source = source};
    if (opts != NULL && opts->struct_size < sizeof *opts)
        return evs__fail(err, EVS_E_INVALID, "options without EVS_SCRIPT_OPTIONS_INIT");
    if (opts != NULL)
        text.allow_unproven = opts->allow_unproven;
    return load(registry, &text, err);
}

static evs_status load_file(evs_registry *registry, const evs__folder_file *file, evs_error *err)
{
    evs__buf source = EVS__BUF_INIT;
    evs_status status = evs__folder_read(&source, file, err);
    if (status == EVS_OK) {
        evs__script_text text = {
            .name = file->name, .path = file->path, .source = {source.data, source.len}};
        status = load(registry, &text, err);
    }
    evs__buf_free(&source);
    return status;
}

evs_status evs_script_load_folder(evs_registry *registry, const char *folder, evs_error *err)
{
    if (folder == NULL || folder[0] == '\0')
        return evs__fail(err, EVS_E_INVALID, "no folder of scripts is given");
    evs__folder found = EVS__FOLDER_INIT;
    evs_status status = evs__folder_list(&found, folder, err);
    for (size_t i = 0; status == EVS_OK && i < found.count; i++)
        status = load_file(registry, &found.files[i], err);
    evs__folder_free(&found);
    return status;
}

/* What the policy refuses is left out: book/create_status is there to be refused. */
evs_status evs_script_load_shipped(evs_registry *registry, evs_error *err)
{
    for (size_t i = 0; i < evs__shipped_count; i++) {
        const evs__shipped_script *shipped = &evs__shipped_scripts[i];
        evs__script_text text = {.name = shipped->name, .source = {shipped->source, shipped->len}};
        evs_error why;
        evs_status status = load(registry, &text, &why);
        if (status != EVS_OK && status != EVS_E_AUDIT)
            return evs__fail_with(err, &why);
    }
    return EVS_OK;
}

/* ---- finding ---- */

const evs_script *evs_script_find(const evs_registry *registry, const char *name)
{
    return name == NULL ? NULL : evs__table_get(&registry->names, evs_text(name));
}

size_t evs_registry_count(const evs_registry *registry)
{
    return registry->count;
}

const evs_script *evs_registry_at(const evs_registry *registry, size_t index)
{
    return index < registry->count ? registry->scripts[index] : NULL;
}

/* Edits from `name` to the script's name; a missing folder in front counts as one. */
static unsigned distance(evs_bytes name, const evs_script *script, unsigned limit)
{
    unsigned whole = evs__edit_distance(name, evs_text(script->name), limit);
    const char *last = strrchr(script->name, '/');
    if (last == NULL)
        return whole;
    unsigned part = evs__edit_distance(name, evs_text(last + 1), limit) + 1;
    return part < whole ? part : whole;
}

size_t evs_registry_similar(const evs_registry *registry, const char *name, const char *out[2])
{
    evs_bytes word = evs_text(name);
    /* One edit for two to four letters, two from five, three from eight. */
    unsigned limit = word.len >= 8 ? 3 : (unsigned)(word.len + 1) / 3;
    unsigned best[2] = {limit + 1, limit + 1};
    const char *found[2] = {NULL, NULL};

    for (size_t i = 0; limit > 0 && i < registry->count; i++) {
        const evs_script *script = registry->scripts[i];
        unsigned edits = distance(word, script, limit);
        if (edits >= best[1])
            continue;
        int place = edits < best[0] ? 0 : 1;
        if (place == 0) {
            best[1] = best[0];
            found[1] = found[0];
        }
        best[place] = edits;
        found[place] = script->name;
    }
    size_t count = 0;
    while (count < 2 && found[count] != NULL) {
        out[count] = found[count];
        count++;
    }
    return count;
}
