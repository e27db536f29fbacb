/*
 * yaml_problem.c - one function per kind of mistake people make in YAML.
 *
 * libyaml notices many mistakes only on the next line, or at the end of the file, and says what its
 * grammar expected. Each recogniser below looks at the sentence and at the lines around it, and
 * either complains about the real place or leaves the problem to the next one. The last one takes
 * everything. Values are never quoted, because any of them may be a secret.
 */
#include "conf/yaml_problem.h"

#include "conf/ascii.h"
#include "conf/quoted.h"
#include "conf/secretive.h"
#include "conf/source.h"
#include "core/buf.h"

typedef struct scene {
    evs_diagnostics *diags;
    evs_bytes source;
    const evs__yaml_problem *p;
    evs_bytes line; /* that the problem is on */
    evs__arena *scratch;
} scene;

static int says(const scene *s, const char *sentence)
{
    return strstr(s->p->problem, sentence) != NULL;
}

static evs__range spot(int line, size_t column, size_t width)
{
    int first = (int)column + 1;
    return (evs__range){line, first, line, first + (int)width};
}

static size_t skip_blanks(evs_bytes line, size_t at)
{
    while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
        at++;
    return at;
}

/* The byte of the line that column `column` (from 1) begins at. */
static size_t byte_of(evs_bytes line, int column)
{
    size_t at = 0;
    for (int i = 1; i < column && at < line.len; i++)
        at += evs__char_len(line, at);
    return at;
}

static char char_at(evs_bytes line, size_t at)
{
    return at < line.len ? line.data[at] : '\0';
}

int evs__yaml_missing_space(evs_bytes line, evs_bytes *word, size_t *at)
{
    size_t start = skip_blanks(line, 0);
    if (char_at(line, start) == '-' && char_at(line, start + 1) == ' ')
        start = skip_blanks(line, start + 1);
    size_t end = start;
    while (evs__is_alnum(char_at(line, end)) ||
           (end < line.len && strchr("_.-", line.data[end]) != NULL && line.data[end] != '\0'))
        end++;
    char behind = char_at(line, end + 1);
    if (end == start || char_at(line, end) != ':' || behind == '\0' || behind == ' ' ||
        behind == '\t')
        return 0;
    *word = (evs_bytes){line.data + start, end - start};
    *at = start;
    return 1;
}

/* A tab stands in the blanks that the line begins with, or is what the scanner stumbled over. */
static int tab(const scene *s)
{
    size_t blanks = skip_blanks(s->line, 0);
    size_t at = byte_of(s->line, s->p->at.column);
    const char *first = blanks == 0 ? NULL : memchr(s->line.data, '\t', blanks);
    if (first == NULL && !(char_at(s->line, at) == '\t' && says(s, "cannot start any token")))
        return 0;
    size_t column = first != NULL ? (size_t)(first - s->line.data) : at;
    evs__complain(s->diags, "E102", spot(s->p->at.line, column, 1),
                  "a tab is used for indentation");
    evs__hint(s->diags, "YAML allows only spaces there");
    return 1;
}

static int wants_colon(const scene *s)
{
    return says(s, "mapping values are not allowed") || says(s, "could not find expected ':'");
}

/* The nearest line above `line` that is not blank; 0 when there is none. */
static int line_above(const scene *s, int line)
{
    while (--line > 0) {
        evs_bytes text = evs__source_line(s->source, line);
        if (skip_blanks(text, 0) < text.len)
            return line;
    }
    return 0;
}

/* The line that an error about colons is really about. */
static int suspect_line(const scene *s)
{
    return says(s, "could not find") ? s->p->context_at.line : line_above(s, s->p->at.line);
}

/* Whether an excerpt would hide a part of this line. */
static int may_hold_secret(const scene *s, int number, evs_bytes line)
{
    evs__buf copy = EVS__BUF_INIT;
    evs_bytes previous = {"", 0};
    if (number > 1)
        previous = evs__source_line(s->source, number - 1);
    evs__buf_append(&copy, line.data, line.len);
    int hidden = !evs__buf_ok(&copy);
    if (!hidden) {
        evs__mask_line(copy.data, copy.len, previous);
        hidden = memcmp(copy.data, line.data, line.len) != 0;
    }
    evs__buf_free(&copy);
    return hidden;
}

static int missing_space_on(const scene *s, int number)
{
    evs_bytes word, line = evs__source_line(s->source, number);
    size_t at;
    if (number == 0 || !evs__yaml_missing_space(line, &word, &at))
        return 0;
    size_t width = line.len - at;
    evs_bytes shown = {line.data + at, width};
    if (may_hold_secret(s, number, line))
        evs__complain(s->diags, "E103", spot(number, at, word.len + 1),
                      "expected \"key: value\"; a space is missing after the colon");
    else
        evs__complain(s->diags, "E103", spot(number, at, width),
                      "expected \"key: value\"; a space is missing after the colon in %s",
                      evs__quoted(s->scratch, shown));
    return 1;
}

/* `db:1` and the line behind it are one long text, until another colon comes. */
static int missing_space(const scene *s)
{
    if (!wants_colon(s))
        return 0;
    return missing_space_on(s, suspect_line(s));
}

/* `shards` alone on its line swallows the line behind it. */
static int missing_colon(const scene *s)
{
    if (!wants_colon(s))
        return 0;
    int number = suspect_line(s);
    evs_bytes line = evs__source_line(s->source, number);
    size_t start = skip_blanks(line, 0), end = start;
    while (end < line.len && !evs__is_blank(line.data[end]) && line.data[end] != '#')
        end++;
    size_t behind = skip_blanks(line, end);
    int alone = behind == line.len || line.data[behind] == '#';
    if (number == 0 || end == start || !alone || memchr(line.data, ':', line.len) != NULL ||
        line.data[start] == '-')
        return 0;
    evs__complain(s->diags, "E104", spot(number, start, end - start),
                  "a colon is missing at the end of this word");
    return 1;
}

static int second_colon(const scene *s)
{
    size_t at = byte_of(s->line, s->p->at.column);
    if (!says(s, "mapping values are not allowed"))
        return 0;
    for (size_t i = 0; i + 1 < at && i + 1 < s->line.len; i++) {
        if (s->line.data[i] != ':' || s->line.data[i + 1] != ' ')
            continue;
        evs__complain(s->diags, "E104", s->p->at, "a second \": \" in one value");
        evs__hint(s->diags, "put the value in quotes if the colon belongs to it");
        return 1;
    }
    return 0;
}

static int too_deep_line(const scene *s)
{
    if (!says(s, "mapping values are not allowed"))
        return 0;
    size_t start = skip_blanks(s->line, 0);
    evs__complain(s->diags, "E104", spot(s->p->at.line, start, 1),
                  "this line is indented deeper than the line above, which has a value already");
    evs__hint(s->diags, "keys of one mapping begin in the same column");
    return 1;
}

static int open_quote(const scene *s)
{
    if (strstr(s->p->context, "quoted scalar") == NULL || !says(s, "unexpected"))
        return 0;
    evs__complain(s->diags, "E104", s->p->context_at, "the quote that opens here is never closed");
    return 1;
}

/* A quote that was forgotten swallows everything up to the next one. */
static int late_quote(const scene *s)
{
    const evs__range *q = &s->p->quoted;
    if (q->line == 0 || q->end_line == q->line || q->end_line != s->p->at.line)
        return 0;
    evs__complain(s->diags, "E104", (evs__range){q->line, q->column, q->line, q->column + 1},
                  "the quote that opens here is closed only on line %d", q->end_line);
    evs__hint(s->diags, "is a quote missing at the end of line %d?", q->line);
    return 1;
}

/* [2001:db8::7]:6379 without quotes is a list, and then nonsense. */
static int bare_ipv6(const scene *s)
{
    const char *open = s->line.len == 0 ? NULL : memchr(s->line.data, '[', s->line.len);
    if (open == NULL)
        return 0;
    size_t start = (size_t)(open - s->line.data), end = start + 1, colons = 0;
    for (; evs__is_hex(char_at(s->line, end)) || char_at(s->line, end) == ':'; end++)
        colons += s->line.data[end] == ':';
    if (char_at(s->line, end) != ']' || char_at(s->line, end + 1) != ':' || colons < 2)
        return 0;
    size_t stop = end + 2;
    while (evs__is_digit(char_at(s->line, stop)))
        stop++;
    int width = (int)(stop - start);
    evs__complain(s->diags, "E252", spot(s->p->at.line, start, stop - start),
                  "a bare [ starts a YAML list, so this is not an address");
    evs__hint(s->diags, "write \"%.*s\" in quotes", width, open);
    return 1;
}

static int star(const scene *s)
{
    if (strstr(s->p->context, "while scanning an a") == NULL) /* an alias, an anchor */
        return 0;
    evs__complain(s->diags, "E105", s->p->context_at,
                  "aliases and anchors (*, &, <<) are not supported");
    evs__hint(s->diags, "put the value in quotes if it is meant to begin with this character");
    return 1;
}

static int bad_start(const scene *s)
{
    char c = char_at(s->line, byte_of(s->line, s->p->at.column));
    if (!says(s, "cannot start any token") || c == '\0')
        return 0;
    evs__complain(s->diags, "E104", s->p->at, "a value cannot begin with %c", c);
    evs__hint(s->diags, "put the value in quotes");
    return 1;
}

static int open_bracket(const scene *s)
{
    int map = strstr(s->p->context, "flow mapping") != NULL;
    if (!map && strstr(s->p->context, "flow sequence") == NULL)
        return 0;
    evs__complain(s->diags, "E104", s->p->context_at, "the %s that opens here is not closed",
                  map ? "{" : "[");
    evs__hint(s->diags, "expected \",\" or \"%s\" at %d:%d", map ? "}" : "]", s->p->at.line,
              s->p->at.column);
    return 1;
}

static int bad_indent(const scene *s)
{
    int map = strstr(s->p->context, "block mapping") != NULL;
    if (!map && strstr(s->p->context, "block collection") == NULL)
        return 0;
    evs__complain(s->diags, "E104", s->p->at, "this does not fit into the %s that begins at %d:%d",
                  map ? "mapping" : "list", s->p->context_at.line, s->p->context_at.column);
    evs__hint(s->diags, map ? "keys of one mapping begin in the same column, one on each line"
                            : "items of one list begin with \"- \" in the same column");
    return 1;
}

static int version(const scene *s)
{
    if (!says(s, "incompatible YAML document"))
        return 0;
    evs__complain(s->diags, "E104", s->p->at, "this version of YAML is not supported");
    evs__hint(s->diags, "leave out the %%YAML line");
    return 1;
}

void evs__yaml_complain(evs_diagnostics *diags, evs__arena *scratch, evs_bytes source,
                        const evs__yaml_problem *p)
{
    static int (*const recognisers[])(const scene *) = {
        tab,           late_quote,   open_quote,    bare_ipv6, missing_space,
        missing_colon, second_colon, too_deep_line, star,      bad_start,
        open_bracket,  bad_indent,   version,
    };
    scene s = {diags, source, p, evs__source_line(source, p->at.line), scratch};
    for (size_t i = 0; i < sizeof recognisers / sizeof recognisers[0]; i++) {
        if (recognisers[i](&s))
            return;
    }
    evs__complain(diags, "E104", p->at, "not valid YAML: %s", p->problem);
    if (p->context[0] != '\0')
        evs__hint(diags, "%s that begins at %d:%d", p->context, p->context_at.line,
                  p->context_at.column);
}
