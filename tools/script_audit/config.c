/*
 * The keys of .script-audit.yaml as tables, read by conf's YAML reader.
 */
#include "tools/script_audit/config.h"

#include "conf/fields.h"
#include "conf/file.h"
#include "core/buf.h"

#include "tools/script_audit/map.h"
#include "tools/script_audit/path.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1024 * 1024, LONGEST_TEXT = 4000 };

/* ---- values ---- */

/* A text, or a list of texts, as one text with commas between. NULL when it is neither. */
static const char *comma_list(evs__reading *r, const evs__yaml *value)
{
    evs__buf text = EVS__BUF_INIT;
    if (value->kind != EVS__YAML_LIST)
        return evs__want_text(r, value) ? evs__keep(r, value->text) : NULL;
    for (const evs__yaml *item = value->first; item != NULL; item = item->next) {
        if (!evs__want_text(r, item)) {
            evs__buf_free(&text);
            return NULL;
        }
        evs__buf_format(&text, "%s%s", text.len == 0 ? "" : ",", item->text.data);
    }
    const char *all = evs__buf_ok(&text) ? evs__keep(r, (evs_bytes){text.data, text.len}) : NULL;
    evs__buf_free(&text);
    return all;
}

/* Complains of a value with the words of the library, which come behind the name of an option. */
static int check(evs__reading *r, const evs__yaml *value, const evs_audit_options *options)
{
    evs_error err;
    if (evs_audit_options_check(options, &err) == EVS_OK)
        return 1;
    evs__complain(r->diags, "E204", value->at, "%s", err.message);
    return 0;
}

static void read_codes(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    (void)field;
    options.select = comma_list(r, value);
    if (options.select != NULL && check(r, value, &options))
        *(const char **)at = options.select;
}

/* A list of "NAME=KEYS", or a mapping NAME: KEYS. */
static void read_commands(evs__reading *r, const evs__field *field, const evs__yaml *value,
                          void *at)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    evs__buf text = EVS__BUF_INIT;
    (void)field;
    if (value->kind != EVS__YAML_MAP) {
        options.commands = comma_list(r, value);
        if (options.commands != NULL && check(r, value, &options))
            *(const char **)at = options.commands;
        return;
    }
    for (const evs__yaml *entry = value->first; entry != NULL; entry = entry->next) {
        size_t before = text.len;
        if (!evs__want_text(r, entry))
            continue;
        evs__buf_format(&text, "%s%s=%s", before == 0 ? "" : ",", entry->key->text.data,
                        entry->text.data);
        options.commands = evs__buf_ok(&text) ? text.data + before + (before > 0) : NULL;
        check(r, entry, &options);
    }
    if (evs__buf_ok(&text) && text.len > 0)
        *(const char **)at = evs__keep(r, (evs_bytes){text.data, text.len});
    evs__buf_free(&text);
}

static void read_globals(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    (void)field;
    options.globals = comma_list(r, value);
    if (options.globals != NULL && check(r, value, &options))
        *(const char **)at = options.globals;
}

/* CODE: severity */
static void read_severities(evs__reading *r, const evs__field *field, const evs__yaml *value,
                            void *at)
{
    evs__buf text = EVS__BUF_INIT;
    (void)field;
    if (value->kind != EVS__YAML_MAP) {
        evs__complain_no_mapping(r, value);
        return;
    }
    for (const evs__yaml *entry = value->first; entry != NULL; entry = entry->next) {
        evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
        size_t before = text.len;
        if (!evs__want_text(r, entry))
            continue;
        evs__buf_format(&text, "%s%s=%s", before == 0 ? "" : ",", entry->key->text.data,
                        entry->text.data);
        options.severities = evs__buf_ok(&text) ? text.data + before + (before > 0) : NULL;
        check(r, entry, &options);
    }
    if (evs__buf_ok(&text) && text.len > 0)
        *(const char **)at = evs__keep(r, (evs_bytes){text.data, text.len});
    evs__buf_free(&text);
}

static void read_target(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    (void)field;
    options.target = comma_list(r, value);
    if (options.target != NULL && check(r, value, &options))
        *(const char **)at = options.target;
}

static void read_profile(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    (void)field;
    options.profile = evs__want_text(r, value) ? evs__keep(r, value->text) : NULL;
    if (options.profile != NULL && check(r, value, &options))
        *(const char **)at = options.profile;
}

static void read_hash_tag(evs__reading *r, const evs__field *field, const evs__yaml *value,
                          void *at)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    (void)field;
    options.hash_tag = evs__want_text(r, value) ? evs__keep(r, value->text) : NULL;
    if (options.hash_tag != NULL && check(r, value, &options))
        *(const char **)at = options.hash_tag;
}

static const char *contract_of(evs__reading *r, const evs__yaml *value)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    options.contract = evs__want_text(r, value) ? evs__keep(r, value->text) : NULL;
    return options.contract != NULL && check(r, value, &options) ? options.contract : NULL;
}

static void read_contract(evs__reading *r, const evs__field *field, const evs__yaml *value,
                          void *at)
{
    (void)field;
    *(const char **)at = contract_of(r, value);
}

/* ---- lists ---- */

typedef struct texts {
    const char **items;
    size_t count;
} texts;

static void read_texts(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    texts all = {evs__arena_alloc(r->arena, value->count + 1, sizeof(char *)), 0};
    (void)field;
    if (all.items == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    const evs__yaml *item = value->kind == EVS__YAML_LIST ? value->first : value;
    for (; item != NULL; item = value->kind == EVS__YAML_LIST ? item->next : NULL)
        if (evs__want_text(r, item))
            all.items[all.count++] = evs__keep(r, item->text);
    *(texts *)at = all;
}

/* ---- the tables ---- */

/* As it is read. */
typedef struct conf {
    const char *target, *profile, *hash_tag;
    const char *pool;
    const evs__yaml *map;
    config_files all;
    uint64_t unpack_limit;
    int fail_on, show, allow_derived, keys_from_name, includes;
    const char *baseline;
    texts exclude, include_paths;
    const evs__yaml *files, *contracts, *concat;
} conf;

static const evs__word fail_words[] = {
    {"error", EVS_FAIL_ON_ERROR},     {"warning", EVS_FAIL_ON_WARNING},
    {"note", EVS_FAIL_ON_NOTE},       {"unproven", EVS_FAIL_ON_UNPROVEN},
    {"derived", EVS_FAIL_ON_DERIVED}, {"never", EVS_FAIL_ON_NEVER},
};
static const evs__word show_words[] = {
    {"error", EVS_SEVERITY_ERROR}, {"warning", EVS_SEVERITY_WARNING}, {"note", EVS_SEVERITY_NOTE}};

#define AT(field)           offsetof(conf, field), 0, 0, NULL, 0
#define WORDS(field, words) offsetof(conf, field), 0, 0, words, sizeof words / sizeof words[0]
#define TEXT(field)         offsetof(conf, field), 1, LONGEST_TEXT, NULL, 0

static const evs__field top_fields[] = {
    {"target", read_target, AT(target)},
    {"profile", read_profile, AT(profile)},
    {"hash_tag", read_hash_tag, AT(hash_tag)},
    {"map", evs__read_node, AT(map)},
    {"pool", evs__read_text, TEXT(pool)},
    {"select", read_codes, AT(all.select)},
    {"extend_select", read_codes, AT(all.extend_select)},
    {"ignore", read_codes, AT(all.ignore)},
    {"severity", read_severities, AT(all.severities)},
    {"commands", read_commands, AT(all.commands)},
    {"globals", read_globals, AT(all.globals)},
    {"fail_on", evs__read_word, WORDS(fail_on, fail_words)},
    {"show", evs__read_word, WORDS(show, show_words)},
    {"allow_derived", evs__read_true, AT(allow_derived)},
    {"keys_from_name", evs__read_true, AT(keys_from_name)},
    {"unpack_limit", evs__read_integer, offsetof(conf, unpack_limit), 1, 1000000, NULL, 0},
    {"baseline", evs__read_text, TEXT(baseline)},
    {"exclude", read_texts, AT(exclude)},
    {"files", evs__read_node, AT(files)},
    {"contracts", evs__read_node, AT(contracts)},
    {"includes", evs__read_true, AT(includes)},
    {"include_paths", read_texts, AT(include_paths)},
    {"concat", evs__read_node, AT(concat)},
};

static const evs__kind top = {
    "settings", "at the top", top_fields, sizeof top_fields / sizeof top_fields[0], NULL, 0};

#undef AT
#undef TEXT
#define AT(field)   offsetof(config_files, field), 0, 0, NULL, 0
#define TEXT(field) offsetof(config_files, field), 1, LONGEST_TEXT, NULL, 0

static const evs__field files_fields[] = {
    {"glob", evs__read_text, TEXT(glob)},
    {"select", read_codes, AT(select)},
    {"extend_select", read_codes, AT(extend_select)},
    {"ignore", read_codes, AT(ignore)},
    {"severity", read_severities, AT(severities)},
    {"commands", read_commands, AT(commands)},
    {"globals", read_globals, AT(globals)},
    {"contract", read_contract, AT(contract)},
};

static const evs__kind files_kind = {"files",      "in an entry of files",
                                     files_fields, sizeof files_fields / sizeof files_fields[0],
                                     NULL,         0};

typedef struct concat_conf {
    const char *name;
    texts files;
} concat_conf;

static const evs__field concat_fields[] = {
    {"name", evs__read_text, offsetof(concat_conf, name), 1, LONGEST_TEXT, NULL, 0},
    {"files", read_texts, offsetof(concat_conf, files), 0, 0, NULL, 0},
};

static const evs__kind concat_kind = {"concat", "in an entry of concat", concat_fields, 2, NULL, 0};

static const evs__kind *const kinds[] = {&top, &files_kind, &concat_kind};

/* ---- reading ---- */

static void complain_missing(evs__reading *r, const evs__yaml *entry, const char *what)
{
    evs__complain(r->diags, "E216", entry->at, "%s is missing in this entry", what);
}

static int is_list(evs__reading *r, const evs__yaml *value, const char *name)
{
    if (value->kind == EVS__YAML_LIST)
        return 1;
    evs__complain(r->diags, "E215", value->at, "%s must be a list of mappings, found %s", name,
                  evs__found(r, value));
    return 0;
}

static void add_files(evs__reading *r, config *c, const evs__yaml *list)
{
    if (list == NULL || !is_list(r, list, "files"))
        return;
    r->noun = "files";
    for (const evs__yaml *entry = list->first; entry != NULL; entry = entry->next) {
        config_files *files = &c->files[c->nfiles];
        if (!evs__read_mapping(r, &files_kind, entry, files))
            continue;
        if (files->glob == NULL)
            complain_missing(r, entry, "glob");
        else
            c->nfiles++;
    }
}

static void add_contracts(evs__reading *r, config *c, const evs__yaml *map)
{
    if (map == NULL)
        return;
    r->noun = "contracts";
    if (map->kind != EVS__YAML_MAP) {
        evs__complain_no_mapping(r, map);
        return;
    }
    for (const evs__yaml *entry = map->first; entry != NULL; entry = entry->next) {
        config_files *files = &c->files[c->nfiles];
        files->glob = evs__keep(r, entry->key->text);
        files->contract = contract_of(r, entry);
        if (files->glob != NULL && files->contract != NULL)
            c->nfiles++;
    }
}

static void add_concat(evs__reading *r, config *c, const evs__yaml *list)
{
    if (list == NULL || !is_list(r, list, "concat"))
        return;
    r->noun = "concat";
    c->concat = evs__arena_zalloc(r->arena, list->count + 1, sizeof *c->concat);
    for (const evs__yaml *entry = list->first; entry != NULL && c->concat != NULL;
         entry = entry->next) {
        concat_conf one = {NULL, {NULL, 0}};
        if (!evs__read_mapping(r, &concat_kind, entry, &one))
            continue;
        if (one.name == NULL || one.files.count == 0) {
            complain_missing(r, entry, one.name == NULL ? "name" : "files");
            continue;
        }
        c->concat[c->nconcat++] = (config_concat){one.name, one.files.items, one.files.count};
    }
}

/* The map is read when all settings are. */
static void add_map(evs__reading *r, config *c, const conf *read)
{
    const evs__yaml *map = read->map;
    if (map != NULL && read->hash_tag != NULL) {
        evs__complain(r->diags, "E120", map->key->at, "hash_tag and map cannot stand together");
        evs__hint(r->diags, "the map says what its hash tags are");
    }
    if (map != NULL && evs__want_text(r, map))
        c->map = evs__keep(r, map->text);
    c->pool = read->pool;
}

static void take(config *c, const conf *read)
{
    c->target = read->target;
    c->profile = read->profile;
    c->hash_tag = read->hash_tag;
    c->all = read->all;
    c->fail_on = read->fail_on;
    c->show = read->show;
    c->allow_derived = read->allow_derived;
    c->keys_from_name = read->keys_from_name;
    c->unpack_limit = (long)read->unpack_limit;
    c->includes = read->includes;
    c->baseline = read->baseline;
    c->exclude = read->exclude.items;
    c->nexclude = read->exclude.count;
    c->include_paths = read->include_paths.items;
    c->ninclude_paths = read->include_paths.count;
}

static size_t children(const evs__yaml *node)
{
    return node == NULL ? 0 : node->count;
}

static void read_root(evs__reading *r, config *c, const evs__yaml *root)
{
    conf read = {.fail_on = CONFIG_UNSET, .show = CONFIG_UNSET, .includes = 1};
    if (evs__yaml_empty(root) || !evs__read_mapping(r, &top, root, &read))
        return;
    take(c, &read);
    add_map(r, c, &read);
    c->files = evs__arena_zalloc(r->arena, children(read.files) + children(read.contracts) + 1,
                                 sizeof *c->files);
    if (c->files == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    add_files(r, c, read.files);
    add_contracts(r, c, read.contracts);
    add_concat(r, c, read.concat);
}

static int read_text(config *c, evs_bytes text)
{
    evs__arena scratch = EVS__ARENA_INIT;
    evs_diagnostics *diags = evs__diagnostics_new(c->path, text);
    if (diags == NULL) {
        fputs("script-audit: out of memory\n", stderr);
        return 0;
    }
    evs__reading r = {.arena = &c->arena,
                      .scratch = &scratch,
                      .diags = diags,
                      .kinds = kinds,
                      .nkinds = sizeof kinds / sizeof kinds[0]};
    evs_error err;
    const evs__yaml *root = evs__yaml_read(&scratch, text, diags);
    if (root != NULL)
        read_root(&r, c, root);
    evs_status status = evs__diagnostics_finish(diags, &err);
    fputs(evs_diagnostics_text(diags), stderr);
    if (status == EVS_E_NOMEM)
        fputs("script-audit: out of memory\n", stderr);
    evs_diagnostics_free(diags);
    evs__arena_free(&scratch);
    return status == EVS_OK;
}

/* The absolute path of the folder that the file is in. */
static const char *folder_of(config *c, const char *path)
{
    char *real = realpath(path, NULL);
    if (real == NULL)
        return NULL;
    char *slash = strrchr(real, '/');
    const char *folder = evs__arena_text(&c->arena, real,
                                         slash == real ? 1 : (size_t)(slash - real));
    free(real);
    return folder;
}

/* The hash tags of the map that the settings name. */
static int ask_map(config *c, const config_choice *choice, int *unreadable)
{
    if (c->map == NULL || choice->tag_given)
        return 1;
    char *path = path_join(c->folder, c->map);
    map_got got = path == NULL ? MAP_BAD
                               : map_hash_tag(&c->hash_tag, &c->arena, path,
                                              choice->pool != NULL ? choice->pool : c->pool);
    free(path);
    *unreadable |= got == MAP_UNREADABLE;
    return got == MAP_READ;
}

static int fill(config *c, const char *path)
{
    evs__buf text = EVS__BUF_INIT;
    evs__file_got got = evs__file_read(&text, path, MOST_BYTES, NULL);
    if (got != EVS__FILE_READ) {
        fprintf(stderr, "script-audit: %s: %s\n", path,
                got == EVS__FILE_FAILED    ? strerror(errno)
                : got == EVS__FILE_TOO_BIG ? "larger than 1 MiB"
                                           : "out of memory");
        evs__buf_free(&text);
        return 0;
    }
    char *shown = path_shown(path);
    c->path = shown == NULL ? NULL : evs__arena_text(&c->arena, shown, strlen(shown));
    free(shown);
    c->folder = folder_of(c, path);
    int done = c->path != NULL && c->folder != NULL &&
               read_text(c, (evs_bytes){text.len == 0 ? "" : text.data, text.len});
    evs__buf_free(&text);
    return done;
}

config *config_read(const char *path, const config_choice *choice, int *unreadable)
{
    config *c = calloc(1, sizeof *c);
    if (c == NULL) {
        fputs("script-audit: out of memory\n", stderr);
        return NULL;
    }
    c->fail_on = c->show = CONFIG_UNSET;
    c->includes = 1;
    if (!fill(c, path) || !ask_map(c, choice, unreadable)) {
        config_free(c);
        return NULL;
    }
    return c;
}

void config_free(config *c)
{
    if (c == NULL)
        return;
    evs__arena_free(&c->arena);
    free(c);
}
