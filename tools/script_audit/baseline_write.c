#include "tools/script_audit/baseline.h"

#include "tools/script_audit/path.h"

#include "core/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A finding that goes into the baseline. */
typedef struct item {
    const char *path; /* ours */
    const char *code, *print;
} item;

typedef struct items {
    item *list;
    size_t count, cap;
} items;

static int item_order(const void *a, const void *b)
{
    const item *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    if (order == 0)
        order = strcmp(x->code, y->code);
    return order != 0 ? order : strcmp(x->print, y->print);
}

/* What says that the script is none, or that a comment is wrong, is not for a baseline. */
static int is_kept(const evs_finding *finding)
{
    return finding->suppressed != EVS_SUPPRESSED_IN_SOURCE && strcmp(finding->code, "ES001") != 0 &&
           (finding->code[2] != '9' || strcmp(finding->code, "ES903") == 0);
}

static int add(items *all, const char *path, const evs_finding *finding)
{
    if (all->count == all->cap) {
        size_t cap = all->cap * 2 + 64;
        item *list = realloc(all->list, cap * sizeof *list);
        if (list == NULL)
            return 0;
        all->list = list;
        all->cap = cap;
    }
    item *one = &all->list[all->count];
    one->path = strdup(path);
    if (one->path == NULL)
        return 0;
    one->code = finding->code;
    one->print = finding->fingerprint;
    all->count++;
    return 1;
}

static int add_report(items *all, const char *folder, const evs_report *report)
{
    size_t count;
    const evs_finding *findings = evs_report_findings(report, &count);
    char *path = path_from(folder, evs_report_path(report));
    int done = path != NULL;
    for (size_t i = 0; i < count && done; i++)
        if (is_kept(&findings[i]))
            done = add(all, path, &findings[i]);
    free(path);
    return done;
}

static void string(evs__buf *out, const char *text)
{
    evs__buf_char(out, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            evs__buf_char(out, '\\');
        if (c < ' ')
            evs__buf_format(out, "\\u%04x", c);
        else
            evs__buf_char(out, *text);
    }
    evs__buf_char(out, '"');
}

/* The entry of the findings from `first` on; returns the number behind its last one. */
static size_t entry(evs__buf *out, const items *all, size_t first)
{
    size_t end = first;
    while (end < all->count && strcmp(all->list[end].path, all->list[first].path) == 0 &&
           strcmp(all->list[end].code, all->list[first].code) == 0)
        end++;
    evs__buf_text(out, first == 0 ? "{\"path\":" : ",\n{\"path\":");
    string(out, all->list[first].path);
    evs__buf_format(out, ",\"code\":\"%s\",\"count\":%zu,\"hash\":[", all->list[first].code,
                    end - first);
    for (size_t i = first; i < end; i++)
        evs__buf_format(out, "%s\"%s\"", i == first ? "" : ",", all->list[i].print);
    evs__buf_text(out, "]}");
    return end;
}

static int put(const char *path, const evs__buf *text)
{
    FILE *file = fopen(path, "wb");
    int done = file != NULL && fwrite(text->data, 1, text->len, file) == text->len;
    if (file != NULL && fclose(file) != 0)
        done = 0;
    if (!done)
        fprintf(stderr, "script-audit: %s: %s\n", path, strerror(errno));
    return done;
}

static void render(evs__buf *out, items *all)
{
    if (all->count > 0)
        qsort(all->list, all->count, sizeof *all->list, item_order);
    evs__buf_text(out, "{\"schema\":1,\"findings\":[\n");
    for (size_t i = 0; i < all->count;)
        i = entry(out, all, i);
    evs__buf_text(out, all->count == 0 ? "]}\n" : "\n]}\n");
}

int baseline_write(const char *path, const evs_report *const *reports, size_t count)
{
    items all = {NULL, 0, 0};
    evs__buf text = EVS__BUF_INIT;
    char *folder = path_folder(path), *real = folder == NULL ? NULL : realpath(folder, NULL);
    int done = real != NULL;
    if (!done)
        fprintf(stderr, "script-audit: %s: %s\n", path, strerror(errno));
    for (size_t i = 0; i < count && done; i++)
        done = add_report(&all, real, reports[i]);
    if (done)
        render(&text, &all);
    if (done && evs__buf_ok(&text) && (done = put(path, &text)))
        fprintf(stderr, "script-audit: %s has %zu finding%s now\n", path, all.count,
                all.count == 1 ? "" : "s");
    for (size_t i = 0; i < all.count; i++)
        free((char *)all.list[i].path);
    free(all.list);
    free(real);
    free(folder);
    evs__buf_free(&text);
    return done;
}
