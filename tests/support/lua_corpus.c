#include "tests/support/lua_corpus.h"

#include <dirent.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 2000, LONGEST = 1 << 17 };

static void add(lua_corpus *corpus, const char *name, const char *part, const char *text)
{
    assert_true(corpus->count < MOST);
    lua_script *script = &corpus->scripts[corpus->count++];
    snprintf(script->name, sizeof script->name, "%s%s", name, part);
    script->text = strdup(text);
    assert_non_null(script->text);
}

static json_t *load_json(const char *file)
{
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, "%s/tests/data/%s", EVS_TEST_SOURCE_DIR, file);
    json_t *all = json_load_file(path, 0, &error);
    if (all == NULL)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return all;
}

static void add_field(lua_corpus *corpus, const json_t *item, const char *id, const char *field)
{
    char part[32];
    const char *text = json_string_value(json_object_get(item, field));
    snprintf(part, sizeof part, " %s", field);
    if (text != NULL)
        add(corpus, json_string_value(json_object_get(item, id)), part, text);
}

static void add_json(lua_corpus *corpus)
{
    json_t *idioms = load_json("audit-idioms.json"), *rules = load_json("audit-rules.json"), *item;
    size_t i;
    json_array_foreach(idioms, i, item)
    {
        add_field(corpus, item, "id", "lua");
    }
    json_array_foreach(rules, i, item)
    {
        add_field(corpus, item, "code", "bad");
        add_field(corpus, item, "code", "good");
    }
    json_decref(idioms);
    json_decref(rules);
}

static void add_file(lua_corpus *corpus, const char *path, const char *name)
{
    static char text[LONGEST];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    add(corpus, name, "", text);
}

/* Folders in folders are gone into. */
static void add_folder(lua_corpus *corpus, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char path[1024];
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (strlen(name) > 4 && strcmp(name + strlen(name) - 4, ".lua") == 0)
            add_file(corpus, path, name);
        else if (entries[i]->d_type == DT_DIR && name[0] != '.')
            add_folder(corpus, path);
        free(entries[i]);
    }
    free(entries);
}

void lua_corpus_load(lua_corpus *out)
{
    out->count = 0;
    out->scripts = calloc(MOST, sizeof *out->scripts);
    assert_non_null(out->scripts);
    add_json(out);
    add_folder(out, EVS_TEST_SOURCE_DIR "/tests/scripts/audit/cases");
    add_folder(out, EVS_TEST_SOURCE_DIR "/scripts/lib");
}

void lua_corpus_free(lua_corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++)
        free(corpus->scripts[i].text);
    free(corpus->scripts);
}
