/*
 * JSON is YAML, so the YAML reader reads baselines, with places in its complaints.
 */
#include "tools/script_audit/baseline.h"

#include "tools/script_audit/path.h"

#include "conf/fields.h"
#include "conf/file.h"
#include "core/buf.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 64 * 1024 * 1024, LONGEST_TEXT = 4000, MOST_FINDINGS = 1000000 };

/* ---- reading ---- */

typedef struct entry_conf {
    const char *path, *code;
    uint64_t count;
    const evs__yaml *hash;
} entry_conf;

typedef struct top_conf {
    uint64_t schema;
    const evs__yaml *findings;
} top_conf;

static const evs__field entry_fields[] = {
    {"path", evs__read_text, offsetof(entry_conf, path), 1, LONGEST_TEXT, NULL, 0},
    {"code", evs__read_text, offsetof(entry_conf, code), 1, 16, NULL, 0},
    {"count", evs__read_integer, offsetof(entry_conf, count), 1, MOST_FINDINGS, NULL, 0},
    {"hash", evs__read_node, offsetof(entry_conf, hash), 0, 0, NULL, 0},
};
static const evs__kind entry_kind = {"findings", "in an entry of findings", entry_fields, 4, NULL,
                                     0};

static const evs__field top_fields[] = {
    {"schema", evs__read_integer, offsetof(top_conf, schema), 1, 1, NULL, 0},
    {"findings", evs__read_node, offsetof(top_conf, findings), 0, 0, NULL, 0},
};
static const evs__kind top_kind = {"baseline", "at the top", top_fields, 2, NULL, 0};

static const evs__kind *const kinds[] = {&top_kind, &entry_kind};

static void read_hashes(evs__reading *r, evs_known *known, const evs__yaml *list)
{
    const char **prints = evs__arena_zalloc(r->arena, list->count + 1, sizeof *prints);
    if (prints == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    for (const evs__yaml *item = list->first; item != NULL; item = item->next)
        if (evs__want_text(r, item))
            prints[known->nfingerprints++] = evs__keep(r, item->text);
    known->fingerprints = prints;
}

static void read_entry(evs__reading *r, baseline *b, const evs__yaml *value)
{
    entry_conf one = {NULL, NULL, 1, NULL};
    if (!evs__read_mapping(r, &entry_kind, value, &one))
        return;
    if (one.path == NULL || one.code == NULL) {
        evs__complain(r->diags, "E216", value->at, "%s is missing in this entry",
                      one.path == NULL ? "path" : "code");
        return;
    }
    baseline_entry *entry = &b->entries[b->count++];
    entry->path = one.path;
    entry->known.code = one.code;
    entry->known.count = (size_t)one.count;
    entry->known.line = value->at.line;
    if (one.hash != NULL && one.hash->kind == EVS__YAML_LIST)
        read_hashes(r, &entry->known, one.hash);
}

static int entry_order(const void *a, const void *b)
{
    const baseline_entry *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order != 0 ? order : strcmp(x->known.code, y->known.code);
}

static void complain_none(evs__reading *r, evs__range at)
{
    evs__complain(r->diags, "E218", at, "this is no baseline");
    evs__hint(r->diags, "--write-baseline writes one");
}

static void read_root(evs__reading *r, baseline *b, const evs__yaml *root)
{
    top_conf all = {0, NULL};
    if (!evs__read_mapping(r, &top_kind, root, &all))
        return;
    if (all.findings == NULL || all.schema == 0) {
        complain_none(r, root->at);
        return;
    }
    if (all.findings->kind != EVS__YAML_LIST) {
        evs__complain(r->diags, "E215", all.findings->at, "findings must be a list");
        return;
    }
    size_t room = all.findings->count + 1;
    b->entries = evs__arena_zalloc(r->arena, room, sizeof *b->entries);
    b->known = evs__arena_zalloc(r->arena, room, sizeof *b->known);
    if (b->entries == NULL || b->known == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    r->noun = "findings";
    for (const evs__yaml *item = all.findings->first; item != NULL; item = item->next)
        read_entry(r, b, item);
    qsort(b->entries, b->count, sizeof *b->entries, entry_order);
    for (size_t i = 0; i < b->count; i++)
        b->known[i] = b->entries[i].known;
}

static int read_text(baseline *b, evs_bytes text)
{
    evs__arena scratch = EVS__ARENA_INIT;
    evs_diagnostics *diags = evs__diagnostics_new(b->path, text);
    if (diags == NULL)
        return 0;
    evs__reading r = {
        .arena = &b->arena, .scratch = &scratch, .diags = diags, .kinds = kinds, .nkinds = 2};
    evs_error err;
    const evs__yaml *root = evs__yaml_read(&scratch, text, diags);
    if (root != NULL)
        read_root(&r, b, root);
    else if (!evs__diagnostics_bad(diags))
        complain_none(&r, (evs__range){1, 1, 1, 2});
    evs_status status = evs__diagnostics_finish(diags, &err);
    fputs(evs_diagnostics_text(diags), stderr);
    evs_diagnostics_free(diags);
    evs__arena_free(&scratch);
    return status == EVS_OK;
}

static int fill(baseline *b, const char *path)
{
    evs__buf text = EVS__BUF_INIT;
    evs__file_got got = evs__file_read(&text, path, MOST_BYTES, NULL);
    int why = errno;
    char *folder = path_folder(path), *real = folder == NULL ? NULL : realpath(folder, NULL);
    char *shown = path_shown(path);
    if (shown != NULL && real != NULL) {
        b->path = evs__arena_text(&b->arena, shown, strlen(shown));
        b->folder = evs__arena_text(&b->arena, real, strlen(real));
    }
    int done = got == EVS__FILE_READ && b->path != NULL && b->folder != NULL;
    if (!done)
        fprintf(stderr, "script-audit: %s: %s\n", path,
                got == EVS__FILE_FAILED ? strerror(why) : "cannot be read");
    done = done && read_text(b, (evs_bytes){text.len == 0 ? "" : text.data, text.len});
    free(shown);
    free(real);
    free(folder);
    evs__buf_free(&text);
    return done;
}

baseline *baseline_read(const char *path)
{
    baseline *b = calloc(1, sizeof *b);
    if (b == NULL || !fill(b, path)) {
        baseline_free(b);
        return NULL;
    }
    return b;
}

const evs_known *baseline_of(baseline *b, const char *name, size_t *count)
{
    char *path = path_from(b->folder, name);
    size_t first = 0;
    *count = 0;
    while (path != NULL && first < b->count && strcmp(b->entries[first].path, path) < 0)
        first++;
    for (size_t i = first; path != NULL && i < b->count; i++) {
        if (strcmp(b->entries[i].path, path) != 0)
            break;
        b->entries[i].used = 1;
        ++*count;
    }
    free(path);
    return b->known + first;
}

void baseline_take(baseline *b, const evs_report *report)
{
    size_t count, nknown;
    const evs_finding *findings = evs_report_findings(report, &count);
    const evs_known *first = baseline_of(b, evs_report_path(report), &nknown);
    evs_known *known = b->known + (first - b->known);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < nknown && findings[i].suppressed == EVS_SUPPRESSED_BASELINE; k++)
            if (known[k].count > 0 && strcmp(known[k].code, findings[i].code) == 0) {
                known[k].count--;
                break;
            }
}

void baseline_find_gone(baseline *b)
{
    for (size_t i = 0; i < b->count; i++) {
        baseline_entry *entry = &b->entries[i];
        char *path = path_join(b->folder, entry->path);
        entry->gone = !entry->used && path != NULL && access(path, F_OK) != 0;
        if (entry->gone)
            fprintf(stderr, "script-audit: %s:%d: ES901 %s is not there any more\n", b->path,
                    entry->known.line, entry->path);
        free(path);
    }
}

void baseline_free(baseline *b)
{
    if (b == NULL)
        return;
    evs__arena_free(&b->arena);
    free(b);
}
