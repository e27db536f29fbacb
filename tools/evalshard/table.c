/*
 * table.c - rows of text, aligned on a terminal and tab-separated in a pipe. A column whose cells
 * are all numbers is aligned to the right.
 */
#include "tools/evalshard/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2 }; /* spaces between columns */

typedef struct cell {
    char *text;
    style which;
    int is_number;
} cell;

struct table {
    FILE *out;
    const char *const *headers;
    size_t ncolumns;
    cell *cells; /* row by row; empty when rows are printed at once */
    size_t ncells, room;
    int aligned;
    size_t indent;
};

table *table_new(FILE *out, const char *const *headers, size_t ncolumns)
{
    table *t = need(calloc(1, sizeof *t));
    t->out = out;
    t->headers = headers;
    t->ncolumns = ncolumns;
    t->aligned = is_terminal(out);
    return t;
}

void table_align(table *t, size_t indent)
{
    t->aligned = 1;
    t->indent = indent;
}

static void add(table *t, evs_bytes text, style which, int is_number)
{
    int ends_row = (t->ncells + 1) % t->ncolumns == 0;
    if (!t->aligned) {
        fwrite(text.data, 1, text.len, t->out);
        fputc(ends_row ? '\n' : '\t', t->out);
        t->ncells++;
        return;
    }
    if (t->ncells == t->room) {
        t->room = t->room * 2 + 64;
        t->cells = need(reallocarray(t->cells, t->room, sizeof *t->cells));
    }
    t->cells[t->ncells++] = (cell){shown(text, '\0'), which, is_number};
}

void table_bytes(table *t, evs_bytes text, style which)
{
    add(t, text, which, 0);
}

void table_text(table *t, const char *text, style which)
{
    add(t, evs_text(text), which, 0);
}

void table_number(table *t, int64_t number, style which)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    add(t, evs_text(text), which, 1);
}

static size_t width_of(const table *t, size_t column)
{
    size_t width = columns_of(t->headers[column]);
    for (size_t i = column; i < t->ncells; i += t->ncolumns) {
        size_t w = columns_of(t->cells[i].text);
        width = w > width ? w : width;
    }
    return width;
}

/* One cell of column `column`; the last column gets no padding behind it. */
static void print_cell(const table *t, const cell *c, size_t column, size_t width)
{
    int pad = (int)(width - columns_of(c->text));
    int last = column + 1 == t->ncolumns;
    const char *on = colour(t->out, c->which);
    if (c->is_number)
        fprintf(t->out, "%*s", pad, "");
    if (c->which == PLAIN || *on == '\0')
        fputs(c->text, t->out);
    else
        fprintf(t->out, "%s%s%s", on, c->text, colour(t->out, PLAIN));
    if (!last)
        fprintf(t->out, "%*s", (c->is_number ? 0 : pad) + GAP, "");
}

static void print_row(const table *t, const cell *row, const size_t *widths)
{
    fprintf(t->out, "%*s", (int)t->indent, "");
    for (size_t i = 0; i < t->ncolumns; i++)
        print_cell(t, &row[i], i, widths[i]);
    fputc('\n', t->out);
}

static void print_header(const table *t, const size_t *widths)
{
    cell *row = need(calloc(t->ncolumns, sizeof *row));
    for (size_t i = 0; i < t->ncolumns; i++) {
        int numbers = t->ncells > 0 && t->cells[i].is_number;
        row[i] = (cell){need(strdup(t->headers[i])), FAINT, numbers};
    }
    print_row(t, row, widths);
    for (size_t i = 0; i < t->ncolumns; i++)
        free(row[i].text);
    free(row);
}

void table_finish(table *t)
{
    if (t->aligned && t->ncells > 0) {
        size_t *widths = need(calloc(t->ncolumns, sizeof *widths));
        for (size_t i = 0; i < t->ncolumns; i++)
            widths[i] = width_of(t, i);
        print_header(t, widths);
        for (size_t i = 0; i + t->ncolumns <= t->ncells; i += t->ncolumns)
            print_row(t, &t->cells[i], widths);
        free(widths);
        for (size_t i = 0; i < t->ncells; i++)
            free(t->cells[i].text);
    }
    free(t->cells);
    free(t);
}
