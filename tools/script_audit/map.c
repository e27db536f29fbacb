/*
 * The tag rule of a pool: its hash_tag, else what its compat implies.
 *
 * The styles of Codis and Jedis come down to "{}": what the audit says of a derived key is said of
 * keys with a complete tag that is not empty, and of those all three styles think alike. Appending
 * cannot make an earlier tag, nor can putting something without "{" in front.
 */
#include "tools/script_audit/map.h"

#include "conf/compat.h"
#include "conf/fields.h"
#include "conf/file.h"
#include "core/buf.h"
#include "core/similar.h"

#include "tools/script_audit/path.h"

#include <evalshard/audit.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 4 * 1024 * 1024 };

/* ---- one pool ---- */

static const char *default_tag(evs__reading *r, const evs__yaml *compat)
{
    const char *names[32];
    size_t count = 0;
    if (compat == NULL)
        return "{}";
    if (!evs__want_text(r, compat))
        return NULL;
    const evs__compat *preset = evs__compat_find(compat->text.data);
    if (preset != NULL)
        return preset->hash_tag;
    while (count < sizeof names / sizeof *names && evs__compat_name(count) != NULL) {
        names[count] = evs__compat_name(count);
        count++;
    }
    evs__complain(r->diags, "E204", compat->at, "compat must be one of %s, found %s",
                  evs__join(r, names, count), evs__found(r, compat));
    const char *near = evs__most_similar(compat->text, names, count);
    if (near != NULL)
        evs__hint(r->diags, "did you mean \"%s\"?", near);
    return NULL;
}

/* NULL after complaining. */
static const char *tag_of(evs__reading *r, const evs__yaml *pool)
{
    evs_audit_options options = EVS_AUDIT_OPTIONS_INIT;
    evs_error err;
    const char *implied = default_tag(r, evs__yaml_get(pool, "compat"));
    const evs__yaml *value = evs__yaml_get(pool, "hash_tag");
    if (value == NULL || implied == NULL)
        return implied;
    if (!evs__want_text(r, value))
        return NULL;
    options.hash_tag = evs__keep(r, value->text);
    if (options.hash_tag == NULL || evs_audit_options_check(&options, &err) == EVS_OK)
        return options.hash_tag;
    evs__complain(r->diags, "E206", value->at, "%s", err.message);
    return NULL;
}

/* ---- all of them ---- */

static void complain_no_pool(evs__reading *r, const evs__yaml *pools, const char *name)
{
    const char **names = evs__arena_alloc(r->scratch, pools->count + 1, sizeof *names);
    size_t count = 0;
    if (names == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    for (const evs__yaml *pool = pools->first; pool != NULL; pool = pool->next)
        names[count++] = evs__name_of(pool->key);
    const char *near = evs__most_similar(evs_text(name), names, count);
    evs__complain(r->diags, "E204", pools->key->at, "there is no pool \"%s\"", name);
    if (near != NULL)
        evs__hint(r->diags, "did you mean \"%s\"?", near);
    else
        evs__hint(r->diags, "pools: %s", evs__join_sorted(r, names, count));
}

static void complain_different(evs__reading *r, const evs__yaml *pools)
{
    evs__buf list = EVS__BUF_INIT;
    for (const evs__yaml *pool = pools->first; pool != NULL; pool = pool->next)
        evs__buf_format(&list, "%s%s %s", list.len == 0 ? "" : ", ", evs__name_of(pool->key),
                        tag_of(r, pool));
    evs__complain(r->diags, "E204", pools->key->at, "pools differ in their hash tags: %s",
                  evs__buf_ok(&list) ? list.data : "");
    evs__hint(r->diags, "name one with --pool, or as pool in the settings");
    evs__buf_free(&list);
}

/* NULL after complaining. */
static const char *common_tag(evs__reading *r, const evs__yaml *pools)
{
    const char *common = NULL;
    int known = 1, same = 1;
    for (const evs__yaml *pool = pools->first; pool != NULL; pool = pool->next) {
        const char *tag = tag_of(r, pool);
        known &= tag != NULL;
        same &= common == NULL || tag == NULL || strcmp(common, tag) == 0;
        common = tag != NULL ? tag : common;
    }
    if (!known)
        return NULL;
    if (!same)
        complain_different(r, pools);
    return same ? common : NULL;
}

static const char *tag_in_pools(evs__reading *r, const evs__yaml *pools, const char *name)
{
    if (pools->kind != EVS__YAML_MAP || pools->count == 0) {
        evs__complain(r->diags, "E121", pools->at, "pools must be a mapping with pools, found %s",
                      evs__found(r, pools));
        return NULL;
    }
    for (const evs__yaml *pool = pools->first; pool != NULL; pool = pool->next) {
        if (pool->kind == EVS__YAML_MAP)
            continue;
        evs__complain_no_mapping(r, pool);
        return NULL;
    }
    if (name == NULL)
        return common_tag(r, pools);
    const evs__yaml *pool = evs__yaml_get(pools, name);
    if (pool == NULL)
        complain_no_pool(r, pools, name);
    return pool == NULL ? NULL : tag_of(r, pool);
}

/* The short form, `shards` at the top, is a pool named default without settings. */
static const char *tag_in_map(evs__reading *r, const evs__yaml *root, const char *name)
{
    const evs__yaml *version = evs__yaml_get(root, "evalshard");
    const evs__yaml *pools = evs__yaml_get(root, "pools"), *shards = evs__yaml_get(root, "shards");
    if (version == NULL || version->kind != EVS__YAML_TEXT ||
        strcmp(version->text.data, "1") != 0) {
        evs__complain(r->diags, "E101", version == NULL ? root->at : version->at,
                      "this is not a shard map of version 1");
        evs__hint(r->diags, "it begins with \"evalshard: 1\"");
        return NULL;
    }
    if (pools != NULL)
        return tag_in_pools(r, pools, name);
    if (shards == NULL) {
        evs__complain(r->diags, "E121", root->at, "there are no pools");
        return NULL;
    }
    if (name == NULL || strcmp(name, "default") == 0)
        return "{}";
    evs__complain(r->diags, "E204", shards->key->at,
                  "there is no pool \"%s\": shards at the top are the pool \"default\"", name);
    return NULL;
}

/* ---- the file ---- */

static const char *read_text(evs__arena *arena, evs_bytes text, const char *shown, const char *pool)
{
    evs__arena scratch = EVS__ARENA_INIT;
    const char *tag = NULL;
    evs_diagnostics *diags = evs__diagnostics_new(shown, text);
    if (diags == NULL) {
        fputs("script-audit: out of memory\n", stderr);
        return NULL;
    }
    evs__reading r = {.arena = arena, .scratch = &scratch, .diags = diags, .noun = "map"};
    evs_error err;
    const evs__yaml *root = evs__yaml_read(&scratch, text, diags);
    if (root != NULL && root->kind == EVS__YAML_MAP)
        tag = tag_in_map(&r, root, pool);
    else if (!evs__diagnostics_bad(diags))
        evs__complain(diags, "E218", (evs__range){1, 1, 1, 2}, "the file holds no map");
    if (evs__diagnostics_finish(diags, &err) != EVS_OK)
        tag = NULL;
    fputs(evs_diagnostics_text(diags), stderr);
    evs_diagnostics_free(diags);
    evs__arena_free(&scratch);
    return tag;
}

map_got map_hash_tag(const char **out, evs__arena *arena, const char *path, const char *pool)
{
    evs__buf text = EVS__BUF_INIT;
    evs__file_got got = evs__file_read(&text, path, MOST_BYTES, NULL);
    char *shown = path_shown(path);
    const char *tag = NULL;
    if (got != EVS__FILE_READ)
        fprintf(stderr, "script-audit: %s: %s\n", shown == NULL ? path : shown,
                got == EVS__FILE_FAILED    ? strerror(errno)
                : got == EVS__FILE_TOO_BIG ? "larger than 4 MiB"
                                           : "out of memory");
    else
        tag = read_text(arena, (evs_bytes){text.len == 0 ? "" : text.data, text.len},
                        shown == NULL ? path : shown, pool);
    free(shown);
    evs__buf_free(&text);
    if (tag != NULL)
        *out = tag;
    return got != EVS__FILE_READ ? MAP_UNREADABLE : tag != NULL ? MAP_READ : MAP_BAD;
}
