/*
 * diagnostics.c - collecting, sorting and rendering complaints.
 *
 * Everything is kept up to a bound far above what anybody reads, and counted beyond it. The text
 * shows the first SHOWN errors and as many warnings and says how many more there are.
 */
#include "conf/diagnostics.h"

#include "conf/excerpt.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_KEPT = 1000, SHOWN = 20 };

typedef struct complaint {
    char code[8];
    evs__range at;
    size_t order; /* of discovery, so that sorting is stable */
    const char *message;
    const char *hint;
} complaint;

struct evs_diagnostics {
    evs__arena arena;
    char *file;
    evs__excerpts excerpts;
    complaint *items; /* ours */
    size_t count, cap;
    complaint *latest; /* NULL when it was not kept */
    size_t nerrors, nwarnings;
    int nomem;
    char *text; /* ours; NULL until finish */
};

static int is_error(const complaint *c)
{
    return c->code[0] == 'E';
}

static const char *severity(const complaint *c)
{
    if (c->code[0] == 'E')
        return "error";
    return c->code[0] == 'W' ? "warning" : "note";
}

evs_diagnostics *evs__diagnostics_new(const char *file, evs_bytes source)
{
    evs_diagnostics *diags = evs__zalloc_array(1, sizeof *diags);
    if (diags == NULL)
        return NULL;
    diags->file = evs__copy_text(file, strlen(file));
    diags->excerpts.source = source;
    if (diags->file == NULL) {
        evs_diagnostics_free(diags);
        return NULL;
    }
    return diags;
}

void evs_diagnostics_free(evs_diagnostics *diags)
{
    if (diags == NULL)
        return;
    evs__arena_free(&diags->arena);
    evs__excerpts_free(&diags->excerpts);
    evs__free(diags->file);
    evs__free(diags->items);
    evs__free(diags->text);
    evs__free(diags);
}

/* Names in a message are the file's and may hold anything, lines too. */
static void make_one_line(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
    }
}

/* Formats into the arena, as one line. NULL when out of memory, which is remembered. */
static const char *format_text(evs_diagnostics *diags, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = len < 0 ? NULL : evs__arena_alloc(&diags->arena, (size_t)len + 1, 1);
    if (text == NULL) {
        diags->nomem = 1;
        return NULL;
    }
    vsnprintf(text, (size_t)len + 1, format, args);
    make_one_line(text);
    return text;
}

/* Room for one more; NULL when the bound or the memory is reached. */
static complaint *new_complaint(evs_diagnostics *diags)
{
    if (diags->count >= MOST_KEPT)
        return NULL;
    if (diags->count == diags->cap) {
        size_t cap = diags->cap == 0 ? 16 : diags->cap * 2;
        complaint *items = evs__realloc_array(diags->items, cap, sizeof *items);
        if (items == NULL) {
            diags->nomem = 1;
            return NULL;
        }
        diags->items = items;
        diags->cap = cap;
    }
    return &diags->items[diags->count];
}

void evs__complain(evs_diagnostics *diags, const char *code, evs__range at, const char *format, ...)
{
    va_list args;
    if (code[0] == 'E')
        diags->nerrors++;
    else if (code[0] == 'W')
        diags->nwarnings++;

    complaint *c = diags->latest = new_complaint(diags);
    if (c == NULL)
        return;
    va_start(args, format);
    *c = (complaint){
        .at = at,
        .order = diags->count,
        .message = format_text(diags, format, args),
        .hint = "",
    };
    va_end(args);
    snprintf(c->code, sizeof c->code, "%s", code);
    if (c->message == NULL)
        diags->latest = NULL;
    else
        diags->count++;
}

void evs__hint(evs_diagnostics *diags, const char *format, ...)
{
    va_list args;
    if (diags->latest == NULL)
        return;
    va_start(args, format);
    const char *text = format_text(diags, format, args);
    va_end(args);
    if (text != NULL)
        diags->latest->hint = text;
}

void evs__conceal(evs_diagnostics *diags, evs__range at)
{
    if (!evs__excerpts_conceal(&diags->excerpts, at))
        diags->nomem = 1;
}

void evs__conceal_done(evs_diagnostics *diags)
{
    diags->excerpts.all_concealed = 1;
}

void evs__diagnostics_nomem(evs_diagnostics *diags)
{
    diags->nomem = 1;
}

int evs__diagnostics_bad(const evs_diagnostics *diags)
{
    return diags->nomem || diags->nerrors > 0;
}

static int place_order(const void *a, const void *b)
{
    const complaint *x = a, *y = b;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    if (x->at.column != y->at.column)
        return x->at.column < y->at.column ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* `file:line:col: error[E204]: message`, without a line end. */
static void put_heading(evs__buf *out, const evs_diagnostics *diags, const complaint *c)
{
    evs__buf_text(out, diags->file);
    if (c->at.line > 0)
        evs__buf_format(out, ":%d:%d", c->at.line, c->at.column);
    evs__buf_format(out, ": %s[%s]: %s", severity(c), c->code, c->message);
}

static void put_complaint(evs__buf *out, evs_diagnostics *diags, const complaint *c)
{
    put_heading(out, diags, c);
    evs__buf_char(out, '\n');
    if (c->at.line > 0)
        evs__excerpt(out, &diags->excerpts, c->at);
    if (c->hint[0] != '\0')
        evs__buf_format(out, "   hint: %s\n", c->hint);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void put_rest(evs__buf *out, const evs_diagnostics *diags, size_t errors, size_t warnings)
{
    if (errors == 0 && warnings == 0)
        return;
    evs__buf_format(out, "%s: note: ", diags->file);
    if (errors > 0)
        evs__buf_format(out, "%zu more error%s", errors, plural(errors));
    if (errors > 0 && warnings > 0)
        evs__buf_text(out, " and ");
    if (warnings > 0)
        evs__buf_format(out, "%zu more warning%s", warnings, plural(warnings));
    evs__buf_text(out, " not shown\n");
}

static void render(evs_diagnostics *diags)
{
    evs__buf out = EVS__BUF_INIT;
    size_t errors = 0, others = 0;
    for (size_t i = 0; i < diags->count; i++) {
        size_t *shown = is_error(&diags->items[i]) ? &errors : &others;
        if (*shown == SHOWN)
            continue;
        ++*shown;
        put_complaint(&out, diags, &diags->items[i]);
    }
    put_rest(&out, diags, diags->nerrors - errors,
             diags->nwarnings > others ? diags->nwarnings - others : 0);
    diags->text = evs__buf_take(&out);
    if (diags->text == NULL)
        diags->nomem = 1;
}

static evs_status status_of(const char *code)
{
    static const char *const secret[] = {"E266", "E267"};
    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++) {
        if (strcmp(code, secret[i]) == 0)
            return EVS_E_SECRET;
    }
    if (strncmp(code, "E10", 3) == 0 && strcmp(code, "E101") != 0)
        return EVS_E_YAML;
    return EVS_E_CONFIG;
}

/* The first error of the gravest kind: YAML before content before secrets. */
static const complaint *gravest(const evs_diagnostics *diags)
{
    static const evs_status order[] = {EVS_E_YAML, EVS_E_CONFIG, EVS_E_SECRET};
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        for (size_t i = 0; i < diags->count; i++) {
            const complaint *c = &diags->items[i];
            if (is_error(c) && status_of(c->code) == order[k])
                return c;
        }
    }
    return NULL;
}

static evs_status report(evs_diagnostics *diags, evs_error *err)
{
    const complaint *c = gravest(diags);
    evs__buf text = EVS__BUF_INIT;
    assert(c != NULL);
    put_heading(&text, diags, c);
    if (diags->nerrors > 1)
        evs__buf_format(&text, " (and %zu more)", diags->nerrors - 1);
    if (!evs__buf_ok(&text)) {
        evs__buf_free(&text);
        return evs__fail_nomem(err);
    }
    evs_status status = evs__fail(err, status_of(c->code), "%s", text.data);
    evs__buf_free(&text);
    if (err != NULL) {
        err->line = c->at.line;
        err->column = c->at.column;
    }
    return status;
}

evs_status evs__diagnostics_finish(evs_diagnostics *diags, evs_error *err)
{
    if (diags->count > 0)
        qsort(diags->items, diags->count, sizeof *diags->items, place_order);
    diags->latest = NULL;
    render(diags);
    diags->excerpts.source = (evs_bytes){NULL, 0};
    if (diags->nomem)
        return evs__fail_nomem(err);
    return diags->nerrors > 0 ? report(diags, err) : EVS_OK;
}

size_t evs_diagnostics_errors(const evs_diagnostics *diags)
{
    return diags == NULL ? 0 : diags->nerrors;
}

size_t evs_diagnostics_warnings(const evs_diagnostics *diags)
{
    return diags == NULL ? 0 : diags->nwarnings;
}

size_t evs_diagnostics_count(const evs_diagnostics *diags)
{
    return diags == NULL ? 0 : diags->count;
}

evs_status evs_diagnostics_at(evs_diagnostic *out, const evs_diagnostics *diags, size_t index,
                              evs_error *err)
{
    if (index >= evs_diagnostics_count(diags))
        return evs__fail(err, EVS_E_INVALID, "there is no diagnostic number %zu of %zu", index,
                         evs_diagnostics_count(diags));
    const complaint *c = &diags->items[index];
    *out = (evs_diagnostic){
        .severity = severity(c),
        .code = c->code,
        .message = c->message,
        .hint = c->hint,
        .line = c->at.line,
        .column = c->at.column,
    };
    return EVS_OK;
}

const char *evs_diagnostics_text(const evs_diagnostics *diags)
{
    return diags == NULL || diags->text == NULL ? "" : diags->text;
}
