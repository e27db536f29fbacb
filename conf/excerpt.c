/*
 * excerpt.c - shows a line so that a caret can stand below it: every character becomes one column,
 * tabs and control characters become a space or a question mark, secrets become asterisks.
 */
#include "conf/excerpt.h"

#include "conf/secretive.h"
#include "conf/source.h"
#include "core/mem.h"

#include <stdio.h>

enum { WINDOW = 100, BEFORE = 40 };

int evs__excerpts_conceal(evs__excerpts *excerpts, evs__range at)
{
    if (excerpts->nsecrets == excerpts->cap) {
        size_t cap = excerpts->cap == 0 ? 8 : excerpts->cap * 2;
        evs__range *secrets = evs__realloc_array(excerpts->secrets, cap, sizeof *secrets);
        if (secrets == NULL)
            return 0;
        excerpts->secrets = secrets;
        excerpts->cap = cap;
    }
    excerpts->secrets[excerpts->nsecrets++] = at;
    return 1;
}

void evs__excerpts_free(evs__excerpts *excerpts)
{
    evs__free(excerpts->secrets);
    excerpts->secrets = NULL;
    excerpts->nsecrets = excerpts->cap = 0;
}

static int inside(const evs__range *range, int line, int column)
{
    if (line < range->line || (line == range->line && column < range->column))
        return 0;
    return line < range->end_line || (line == range->end_line && column < range->end_column);
}

static int concealed(const evs__excerpts *excerpts, int line, int column)
{
    for (size_t i = 0; i < excerpts->nsecrets; i++) {
        if (inside(&excerpts->secrets[i], line, column))
            return 1;
    }
    return 0;
}

/* One character as one column. */
static void put_char(evs__buf *out, evs_bytes line, size_t at, size_t len)
{
    unsigned char c = (unsigned char)line.data[at];
    if (len > 1)
        evs__buf_append(out, line.data + at, len);
    else if (c == '\t')
        evs__buf_char(out, ' ');
    else
        evs__buf_char(out, c < 0x20 || c >= 0x7f ? '?' : (char)c);
}

/* Columns from `first` to before `last` of the line, cut ends marked. */
static void put_window(evs__buf *out, const evs__excerpts *excerpts, evs_bytes line,
                       evs__range window)
{
    int column = 1;
    size_t at = 0;
    if (window.column > 1)
        evs__buf_text(out, "...");
    for (; at < line.len && column < window.end_column; column++) {
        size_t len = evs__char_len(line, at);
        if (column >= window.column) {
            if (concealed(excerpts, window.line, column))
                evs__buf_char(out, '*');
            else
                put_char(out, line, at, len);
        }
        at += len;
    }
    if (at < line.len)
        evs__buf_text(out, "...");
}

static int columns(evs_bytes line)
{
    int count = 0;
    for (size_t at = 0; at < line.len; at += evs__char_len(line, at))
        count++;
    return count;
}

static void put_caret(evs__buf *out, evs__range at, int before, int width)
{
    int end = at.end_line > at.line ? width + 1 : at.end_column;
    if (end > width + 1)
        end = width + 1;
    evs__buf_format(out, "%*s^", before, "");
    for (int i = at.column + 1; i < end; i++)
        evs__buf_char(out, '~');
    evs__buf_char(out, '\n');
}

/* A copy of the line in which everything that looks like a secret is hidden. */
static evs_bytes masked(evs__buf *copy, evs_bytes source, int number, evs_bytes line)
{
    evs_bytes previous = {"", 0};
    if (number > 1)
        previous = evs__source_line(source, number - 1);
    evs__buf_append(copy, line.data, line.len);
    if (!evs__buf_ok(copy))
        return (evs_bytes){"", 0};
    evs__mask_line(copy->data, copy->len, previous);
    return (evs_bytes){copy->data, copy->len};
}

void evs__excerpt(evs__buf *out, const evs__excerpts *excerpts, evs__range at)
{
    evs__buf copy = EVS__BUF_INIT;
    evs_bytes line = evs__source_line(excerpts->source, at.line);
    if (!excerpts->all_concealed)
        line = masked(&copy, excerpts->source, at.line, line);

    int total = columns(line), first = 1, last = total;
    if (total > WINDOW) {
        first = at.column > BEFORE ? at.column - BEFORE : 1;
        last = first + WINDOW < total ? first + WINDOW : total;
    }
    char number[16];
    int digits = snprintf(number, sizeof number, "%4d", at.line);
    evs__buf_format(out, "%s | ", number);
    put_window(out, excerpts, line, (evs__range){at.line, first, at.line, last + 1});
    evs__buf_format(out, "\n%*s | ", digits, "");
    put_caret(out, at, at.column - first + (first > 1 ? 3 : 0), last);
    evs__buf_free(&copy);
}
