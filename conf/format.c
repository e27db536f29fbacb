/*
 * format.c - a shard map in its canonical form: the same map, the same comments, other blanks.
 *
 * What came out is read again and compared with what went in, node by node and comment by comment:
 * a text that this does not understand is refused, never spoiled.
 */
#include "conf/format.h"

#include "conf/source.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/utf8.h"

#include <evalshard/audit.h>

enum { BEFORE_COMMENT = 1, WIDEST = 100 };

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- one line ---- */

/* A line being written: what stands before, and whether a blank was there. */
typedef struct spacing {
    evs__buf *out;
    char before; /* the last sign; 't' for a text, '\0' at the beginning */
    int blank;
} spacing;

/* A blank stands behind ":", "," and the dash of an item, and nowhere else inside of brackets. */
static int wants_blank(const spacing *s, char next)
{
    int closes = strchr(",}]", next) != NULL;
    switch (s->before) {
    case '\0':
    case '{':
    case '[':
        return 0;
    case ':':
    case '-':
        return 1;
    case ',':
        return !closes || s->blank;
    default:
        return !closes && next != ':' && s->blank;
    }
}

static void put(spacing *s, char sign, evs_bytes text)
{
    if (wants_blank(s, sign))
        evs__buf_char(s->out, ' ');
    evs__buf_append(s->out, text.data, text.len);
    s->before = sign;
    s->blank = 0;
}

/* Writes the line but for its comment, whose place is returned; the length when there is none. */
static size_t space(evs__buf *out, const evs__lines *all, const evs__line *line)
{
    evs_bytes text = line->text;
    const evs__piece *piece = &all->pieces[line->first_piece], *end = piece + line->npieces;
    spacing s = {out, '\0', 1};
    for (size_t at = line->old_indent < text.len ? line->old_indent : text.len; at < text.len;) {
        while (piece < end && piece->end <= at)
            piece++;
        if (piece < end && piece->start <= at) {
            put(&s, 't', (evs_bytes){text.data + at, piece->end - at});
            at = piece->end;
        } else if (is_blank(text.data[at])) {
            s.blank = 1;
            at++;
        } else if (text.data[at] == '#' && s.blank) {
            return at;
        } else {
            put(&s, text.data[at], (evs_bytes){text.data + at, 1});
            at++;
        }
    }
    return text.len;
}

/* ---- all lines ---- */

/* What a line becomes: what is in it, then perhaps a comment. */
typedef struct written {
    size_t start, len; /* in the buffer of contents */
    evs_bytes comment;
    int is_raw, is_blank;
} written;

static evs_bytes trimmed(evs_bytes text)
{
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

static void write_line(evs__buf *contents, written *out, const evs__lines *all,
                       const evs__line *line)
{
    evs_bytes rest = {line->text.data + line->old_indent, line->text.len - line->old_indent};
    *out = (written){.start = contents->len, .is_raw = line->kind == EVS__LINE_RAW};
    out->is_blank = line->kind == EVS__LINE_BLANK;
    if (!out->is_blank && rest.len > 0)
        evs__buf_format(contents, "%*s", (int)line->new_indent, "");
    if (line->kind == EVS__LINE_RAW)
        evs__buf_append(contents, rest.data, rest.len);
    else if (line->kind == EVS__LINE_COMMENT)
        evs__buf_append(contents, rest.data, trimmed(rest).len);
    else if (!out->is_blank) {
        size_t at = space(contents, all, line);
        out->comment = trimmed((evs_bytes){line->text.data + at, line->text.len - at});
        if (contents->len == out->start + line->new_indent) { /* a comment alone, in brackets */
            evs__buf_append(contents, out->comment.data, out->comment.len);
            out->comment.len = 0;
        }
    }
    out->len = contents->len - out->start;
}

static size_t width_of(const evs__buf *contents, const written *line)
{
    return evs__utf8_count((evs_bytes){contents->data + line->start, line->len});
}

/* The column of the comments of lines that follow each other. */
static size_t comment_column(const evs__buf *contents, const written *lines, size_t first,
                             size_t end)
{
    size_t widest = 0;
    for (size_t n = first; n < end; n++) {
        size_t width = width_of(contents, &lines[n]);
        widest = width > widest ? width : widest;
    }
    return widest + BEFORE_COMMENT;
}

static size_t end_of_comments(const written *lines, size_t n, size_t count)
{
    while (n < count && lines[n].comment.len > 0)
        n++;
    return n;
}

/* Runs of blank lines become one, those at both ends none. */
static void join(evs__buf *out, const evs__buf *contents, const written *lines, size_t count)
{
    size_t column = 0, run = 0;
    int blank = 0;
    for (size_t n = 0; n < count; n++) {
        const written *line = &lines[n];
        if (line->is_blank) {
            blank = out->len > 0;
            continue;
        }
        if (blank)
            evs__buf_char(out, '\n');
        blank = 0;
        evs__buf_append(out, contents->data + line->start, line->len);
        if (line->comment.len > 0) {
            if (n >= run) {
                run = end_of_comments(lines, n, count);
                column = comment_column(contents, lines, n, run);
            }
            size_t width = width_of(contents, line);
            int wide = column + evs__utf8_count(line->comment) > WIDEST;
            int gap = wide ? BEFORE_COMMENT : (int)(column - width);
            evs__buf_format(out, "%*s", gap, "");
            evs__buf_append(out, line->comment.data, line->comment.len);
        }
        evs__buf_char(out, '\n');
    }
}

static int write_all(evs__buf *out, evs__arena *arena, const evs__lines *all)
{
    evs__buf contents = EVS__BUF_INIT;
    written *lines = evs__arena_alloc(arena, all->nlines + 1, sizeof *lines);
    for (size_t n = 0; lines != NULL && n < all->nlines; n++)
        write_line(&contents, &lines[n], all, &all->lines[n]);
    int good = lines != NULL && evs__buf_ok(&contents);
    if (good)
        join(out, &contents, lines, all->nlines);
    evs__buf_free(&contents);
    return good && evs__buf_ok(out);
}

/* ---- is it still the same? ---- */

static int same_bytes(evs_bytes a, evs_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static int same_node(const evs__yaml *a, const evs__yaml *b)
{
    if (a->kind != b->kind || a->quoted != b->quoted || a->count != b->count ||
        !same_bytes(a->text, b->text) || (a->key == NULL) != (b->key == NULL) ||
        (a->key != NULL && !same_bytes(a->key->text, b->key->text)))
        return 0;
    const evs__yaml *left = a->first, *right = b->first;
    for (; left != NULL && right != NULL; left = left->next, right = right->next) {
        if (!same_node(left, right))
            return 0;
    }
    return left == right;
}

/* The next comment from line *n on; empty behind the last. */
static evs_bytes next_comment(const evs__lines *all, evs__buf *scratch, size_t *n)
{
    while (*n < all->nlines) {
        const evs__line *line = &all->lines[(*n)++];
        evs_bytes text = {line->text.data + line->old_indent, line->text.len - line->old_indent};
        if (line->kind == EVS__LINE_COMMENT)
            return trimmed(text);
        if (line->kind == EVS__LINE_RAW || line->kind == EVS__LINE_BLANK)
            continue;
        evs__buf_clear(scratch);
        size_t at = space(scratch, all, line);
        if (at < line->text.len)
            return trimmed((evs_bytes){line->text.data + at, line->text.len - at});
    }
    return (evs_bytes){"", 0};
}

static int same_comments(const evs__lines *a, const evs__lines *b)
{
    evs__buf scratch = EVS__BUF_INIT;
    size_t n = 0, k = 0;
    evs_bytes left, right;
    do {
        left = next_comment(a, &scratch, &n);
        right = next_comment(b, &scratch, &k);
    } while (left.len > 0 && same_bytes(left, right));
    evs__buf_free(&scratch);
    return left.len == 0 && right.len == 0;
}

/* ---- the whole ---- */

/* Without byte order mark and carriage returns. 0 for breaks that count lines otherwise. */
static int take_in(evs__buf *out, evs_bytes yaml)
{
    for (size_t at = evs__source_start(yaml); at < yaml.len;) {
        size_t len = evs__break_len(yaml, at);
        if (len > 0 && yaml.data[at] != '\n' && len != 2)
            return 0;
        if (len > 0 && yaml.data[at] != '\n' && yaml.data[at] != '\r')
            return 0;
        evs__buf_char(out, len > 0 ? '\n' : yaml.data[at]);
        at += len > 0 ? len : 1;
    }
    return 1;
}

typedef struct reading {
    evs__arena arena;
    evs_diagnostics *diags;
} reading;

/* A text that was a map a moment ago; NULL when it is none, or out of memory. */
static const evs__yaml *read_again(reading *r, evs_bytes text)
{
    evs_diagnostics_free(r->diags);
    r->diags = evs__diagnostics_new("-", text);
    const evs__yaml *root = r->diags == NULL ? NULL : evs__yaml_read(&r->arena, text, r->diags);
    return root == NULL || evs__diagnostics_bad(r->diags) ? NULL : root;
}

static evs_status refuse(evs_error *err)
{
    return evs__fail(err, EVS_E_INVALID,
                     "this file is written in a way that cannot be formatted "
                     "without a risk; it stays as it is");
}

/* Is `made` the text `before` with other blanks? */
static evs_status compare(reading *r, const evs__yaml *root, const evs__lines *before,
                          evs_bytes made, evs_error *err)
{
    evs__lines after;
    const evs__yaml *again = read_again(r, made);
    if (again == NULL) {
        int is_short = r->diags == NULL || evs__diagnostics_finish(r->diags, err) == EVS_E_NOMEM;
        return is_short ? evs__fail_nomem(err) : refuse(err);
    }
    if (!evs__lines_make(&after, &r->arena, made, again))
        return evs__fail_nomem(err);
    return same_node(root, again) && same_comments(before, &after) ? EVS_OK : refuse(err);
}

static evs_status format(evs__buf *out, evs_bytes text, evs_error *err)
{
    reading r = {EVS__ARENA_INIT, NULL};
    evs__lines before;
    const evs__yaml *root = read_again(&r, text);
    evs_status status = EVS_OK;
    if (root == NULL || !evs__lines_make(&before, &r.arena, text, root) ||
        !write_all(out, &r.arena, &before))
        status = evs__fail_nomem(err);
    else
        status = compare(&r, root, &before, (evs_bytes){out->data, out->len}, err);
    evs_diagnostics_free(r.diags);
    evs__arena_free(&r.arena);
    return status;
}

evs_status evs_shardmap_format(char **out, evs_bytes yaml, const char *name,
                               evs_diagnostics **diags, evs_error *err)
{
    evs__buf text = EVS__BUF_INIT, made = EVS__BUF_INIT;
    evs_shardmap *map = NULL;
    evs_status status = evs_shardmap_parse_bare(&map, yaml, name, diags, err);
    evs_shardmap_free(map);
    if (status == EVS_OK && !take_in(&text, yaml))
        status = refuse(err);
    if (status == EVS_OK && !evs__buf_ok(&text))
        status = evs__fail_nomem(err);
    if (status == EVS_OK)
        status = format(&made, (evs_bytes){text.data, text.len}, err);
    if (status == EVS_OK) {
        char *taken = evs__buf_take(&made);
        status = taken == NULL ? evs__fail_nomem(err) : EVS_OK;
        if (taken != NULL)
            *out = taken;
    }
    evs__buf_free(&text);
    evs__buf_free(&made);
    return status;
}
