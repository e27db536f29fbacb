/*
 * format_lines.c - how far each line is indented: two blanks a level, items of a list one level
 * below their key. What goes on over lines (brackets, long texts) moves as its first line does.
 */
#include "conf/format.h"

#include "conf/source.h"

enum { STEP = 2 };

typedef struct making {
    evs__lines *out;
    evs__arena *arena;
} making;

static size_t blanks(evs_bytes text)
{
    size_t n = 0;
    while (n < text.len && text.data[n] == ' ')
        n++;
    return n;
}

static evs__line_kind look(evs_bytes text, size_t indent)
{
    size_t at = indent;
    while (at < text.len && text.data[at] == '\t')
        at++;
    if (at == text.len)
        return EVS__LINE_BLANK;
    if (text.data[indent] == '#')
        return EVS__LINE_COMMENT;
    if (indent == 0 &&
        (text.data[0] == '%' ||
         (text.len >= 3 && (memcmp(text.data, "---", 3) == 0 || memcmp(text.data, "...", 3) == 0))))
        return EVS__LINE_RAW;
    return EVS__LINE_BEGINS;
}

static int split(making *m, evs_bytes text)
{
    size_t count = 1, n = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    m->out->lines = evs__arena_zalloc(m->arena, count, sizeof *m->out->lines);
    if (m->out->lines == NULL)
        return 0;
    for (const char *at = text.data, *end = text.data + text.len; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        evs__line *line = &m->out->lines[n++];
        line->text = (evs_bytes){at, (size_t)((stop == NULL ? end : stop) - at)};
        line->old_indent = blanks(line->text);
        line->kind = look(line->text, line->old_indent);
        at = stop == NULL ? end : stop + 1;
    }
    m->out->nlines = n;
    return 1;
}

/* ---- texts ---- */

/* The byte of a line where character `column` (from 1) begins. */
static size_t byte_of(evs_bytes text, int column)
{
    size_t at = 0;
    for (int i = 1; i < column && at < text.len; i++)
        at += evs__char_len(text, at);
    return at;
}

static size_t count_texts(const evs__yaml *node)
{
    size_t lines = (size_t)(node->at.end_line - node->at.line) + 1, count = 0;
    if (node->key != NULL)
        count += (size_t)(node->key->at.end_line - node->key->at.line) + 1;
    for (const evs__yaml *child = node->first; child != NULL; child = child->next)
        count += count_texts(child);
    return count + (node->kind == EVS__YAML_TEXT ? lines : 0);
}

/* The parts of its lines that a text takes. A block of text ends before its last line. */
static void add_text(making *m, const evs__yaml *node)
{
    evs__range at = node->at;
    for (int n = at.line; n <= at.end_line && (size_t)n <= m->out->nlines; n++) {
        evs__line *line = &m->out->lines[n - 1];
        size_t start = n == at.line ? byte_of(line->text, at.column) : 0;
        size_t end = n == at.end_line ? byte_of(line->text, at.end_column) : line->text.len;
        if (n > at.line && (n < at.end_line || end > 0)) {
            line->kind = n < at.end_line ? EVS__LINE_RAW : EVS__LINE_GOES_ON;
            line->owner = (size_t)at.line - 1;
        }
        if (end == start)
            continue;
        if (line->npieces++ == 0)
            line->first_piece = m->out->npieces;
        m->out->pieces[m->out->npieces++] = (evs__piece){start, end};
    }
}

static void add_texts(making *m, const evs__yaml *node)
{
    if (node->key != NULL)
        add_text(m, node->key);
    if (node->kind == EVS__YAML_TEXT)
        add_text(m, node);
    for (const evs__yaml *child = node->first; child != NULL; child = child->next)
        add_texts(m, child);
}

/* ---- places ---- */

static void place(making *m, size_t line, size_t indent)
{
    evs__line *at = &m->out->lines[line];
    if (at->is_placed || at->kind != EVS__LINE_BEGINS)
        return;
    at->is_placed = 1;
    at->new_indent = indent;
}

static int begins_line(const making *m, const evs__yaml *node)
{
    const evs__line *line = &m->out->lines[node->at.line - 1];
    return byte_of(line->text, node->at.column) == line->old_indent;
}

static int in_brackets(const making *m, const evs__yaml *node)
{
    const evs__line *line = &m->out->lines[node->at.line - 1];
    size_t at = byte_of(line->text, node->at.column);
    return at < line->text.len && (line->text.data[at] == '{' || line->text.data[at] == '[');
}

/* Lines of brackets behind the first. */
static void follow(making *m, const evs__yaml *node)
{
    for (int n = node->at.line + 1; n <= node->at.end_line; n++) {
        evs__line *line = &m->out->lines[n - 1];
        if (line->kind == EVS__LINE_RAW || line->kind == EVS__LINE_GOES_ON)
            continue;
        line->kind = line->kind == EVS__LINE_BLANK ? EVS__LINE_BLANK : EVS__LINE_GOES_ON;
        line->owner = (size_t)node->at.line - 1;
    }
}

/* The line with the dash of an item, which may stand alone above it. */
static size_t dash_line(const making *m, const evs__yaml *item)
{
    size_t n = (size_t)item->at.line - 1;
    for (; n > 0; n--) {
        const evs__line *line = &m->out->lines[n];
        const char *first = line->text.data + line->old_indent;
        size_t left = line->text.len - line->old_indent;
        if (line->kind == EVS__LINE_BEGINS && left > 0 && first[0] == '-' &&
            (left == 1 || first[1] == ' ' || first[1] == '\t'))
            return n;
    }
    return n;
}

/* A node whose own line is indented by `indent` when it begins one. The depth of a tree is bounded.
 */
static void place_node(making *m, const evs__yaml *node, size_t indent)
{
    int is_text = node->kind == EVS__YAML_TEXT, brackets = !is_text && in_brackets(m, node);
    if (is_text || brackets) {
        if (begins_line(m, node))
            place(m, (size_t)node->at.line - 1, indent);
        if (brackets)
            follow(m, node);
        return;
    }
    for (const evs__yaml *child = node->first; child != NULL; child = child->next) {
        if (node->kind == EVS__YAML_LIST)
            place(m, dash_line(m, child), indent);
        else if (begins_line(m, child->key))
            place(m, (size_t)child->key->at.line - 1, indent);
        place_node(m, child, indent + STEP);
    }
}

/* Where a comment goes: as the line below it, or, when it stood deeper, as the lines above that
 * stood there, or below the one that it stood below. */
static size_t comment_indent(const evs__lines *all, size_t n)
{
    size_t old = all->lines[n].old_indent, below = n + 1;
    while (below < all->nlines && all->lines[below].kind != EVS__LINE_BEGINS)
        below++;
    if (below < all->nlines && old <= all->lines[below].old_indent)
        return all->lines[below].new_indent;
    for (size_t i = n; old > 0 && i-- > 0;) {
        const evs__line *above = &all->lines[i];
        if (above->kind == EVS__LINE_BEGINS && above->old_indent <= old)
            return above->new_indent + (above->old_indent < old ? STEP : 0);
    }
    return 0;
}

static void place_rest(evs__lines *all)
{
    for (size_t n = 0; n < all->nlines; n++) {
        evs__line *line = &all->lines[n];
        if (line->kind == EVS__LINE_BEGINS && !line->is_placed)
            line->new_indent = line->old_indent;
    }
    for (size_t n = 0; n < all->nlines; n++) {
        evs__line *line = &all->lines[n];
        if (line->kind == EVS__LINE_COMMENT)
            line->new_indent = comment_indent(all, n);
    }
    for (size_t n = 0; n < all->nlines; n++) {
        evs__line *line = &all->lines[n];
        const evs__line *owner = &all->lines[line->owner];
        size_t wanted = line->old_indent + owner->new_indent;
        if (line->kind == EVS__LINE_GOES_ON || (line->kind == EVS__LINE_RAW && line->owner != n))
            line->new_indent = wanted > owner->old_indent ? wanted - owner->old_indent : 0;
    }
}

int evs__lines_make(evs__lines *out, evs__arena *arena, evs_bytes text, const evs__yaml *root)
{
    making m = {out, arena};
    *out = (evs__lines){.npieces = 0};
    if (!split(&m, text))
        return 0;
    out->pieces = evs__arena_alloc(arena, count_texts(root) + 1, sizeof *out->pieces);
    if (out->pieces == NULL)
        return 0;
    for (size_t n = 0; n < out->nlines; n++)
        out->lines[n].owner = n;
    add_texts(&m, root);
    place_node(&m, root, 0);
    place_rest(out);
    return 1;
}
