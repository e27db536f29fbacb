#include "scripts/audit/extract/weave.h"

#include "core/mem.h"

#include <string.h>

void evs__weave_init(evs__weave *weave, evs__arena *arena, evs_bytes host)
{
    memset(weave, 0, sizeof *weave);
    weave->arena = arena;
    weave->host = host;
}

void evs__weave_free(evs__weave *weave)
{
    evs__buf_free(&weave->text);
}

/* ---- pieces ---- */

static void *grown(evs__weave *weave, void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    size_t more = *cap * 2 + 16;
    void *copy = evs__arena_alloc(weave->arena, more, size);
    if (copy == NULL) {
        weave->nomem = 1;
        return NULL;
    }
    if (count > 0)
        memcpy(copy, items, count * size);
    *cap = more;
    return copy;
}

static void add_part(evs__weave *weave, size_t at, size_t length)
{
    evs_source_part *parts = grown(weave, weave->parts, weave->nparts, &weave->parts_cap,
                                   sizeof *parts);
    if (parts == NULL)
        return;
    evs_source_part part = {weave->text.len, 0, at, length};
    weave->parts = parts;
    parts[weave->nparts++] = part;
}

/* Does the last part end, verbatim, where `at` is? */
static int goes_on(const evs__weave *weave, size_t at)
{
    if (weave->nparts == 0)
        return 0;
    const evs_source_part *last = &weave->parts[weave->nparts - 1];
    return last->at + last->length == at && weave->text.len - last->begin == last->length;
}

void evs__weave_plain(evs__weave *weave, size_t at, size_t len)
{
    if (len == 0)
        return;
    if (goes_on(weave, at))
        weave->parts[weave->nparts - 1].length += len;
    else
        add_part(weave, at, len);
    evs__buf_append(&weave->text, weave->host.data + at, len);
}

void evs__weave_meant(evs__weave *weave, size_t at, size_t len, evs_bytes text)
{
    if (text.len == 0)
        return;
    add_part(weave, at, len);
    evs__buf_append(&weave->text, text.data, text.len);
}

/* The name that stands for code: the same code nearby has the same name. */
static size_t number_of(const evs__weave *weave, const char *code)
{
    enum { LOOKED_AT = 256 };
    size_t i = weave->nholes > LOOKED_AT ? weave->nholes - LOOKED_AT : 0;
    for (; i < weave->nholes; i++)
        if (strcmp(weave->holes[i].code, code) == 0)
            return i + 1;
    return weave->nholes + 1;
}

/* The name that is all of the code, which may be ${NAME}; empty when there is more to it. */
static evs_bytes only_name(evs_bytes host, size_t start, size_t end)
{
    while (start < end && strchr("$#{ ", host.data[start]) != NULL)
        start++;
    while (end > start && strchr("} ", host.data[end - 1]) != NULL)
        end--;
    evs_bytes name = {host.data + start, end - start};
    for (size_t i = 0; i < name.len; i++)
        if (!evs__is_word_byte(name.data[i]))
            name.len = 0;
    return name;
}

static int weave_constant(evs__weave *weave, size_t start, size_t end)
{
    enum { DEPTH_MAX = 4 };
    evs_bytes name = only_name(weave->host, start, end);
    if (weave->constant == NULL || name.len == 0 || weave->depth >= DEPTH_MAX)
        return 0;
    weave->depth++;
    int known = weave->constant(weave->context, weave, name);
    weave->depth--;
    return known;
}

void evs__weave_hole(evs__weave *weave, size_t start, size_t end)
{
    enum { SHOWN = 60 };
    if (weave_constant(weave, start, end))
        return;
    evs_hole *holes = grown(weave, weave->holes, weave->nholes, &weave->holes_cap, sizeof *holes);
    size_t shown = end - start > SHOWN ? SHOWN : end - start;
    char *code = evs__arena_format(weave->arena, "%.*s%s", (int)shown, weave->host.data + start,
                                   shown < end - start ? "..." : "");
    if (holes == NULL || code == NULL) {
        weave->nomem = 1;
        return;
    }
    for (char *c = code; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    size_t number = number_of(weave, code);
    weave->holes = holes;
    evs_hole *hole = &holes[weave->nholes++];
    hole->begin = weave->text.len;
    hole->code = code;
    add_part(weave, start, end - start);
    evs__buf_format(&weave->text, EVS__HOLE_NAME, number);
    hole->end = weave->text.len;
}

/* ---- escapes ---- */

static int digit(char c, unsigned base)
{
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;
    return value < (int)base ? value : -1;
}

/* Reads up to `most` digits at *at, and goes behind them. */
static unsigned long number(evs_bytes host, size_t *at, size_t end, unsigned base, unsigned most)
{
    unsigned long value = 0;
    for (unsigned i = 0; i < most && *at < end && digit(host.data[*at], base) >= 0; i++)
        value = (value * base + (unsigned long)digit(host.data[(*at)++], base)) & 0xffffffff;
    return value;
}

static evs_bytes utf8(char room[4], unsigned long code)
{
    evs_bytes text = {room, 0};
    if (code < 0x80) {
        room[text.len++] = (char)code;
    } else if (code < 0x800) {
        room[text.len++] = (char)(0xc0 | code >> 6);
        room[text.len++] = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        room[text.len++] = (char)(0xe0 | code >> 12);
        room[text.len++] = (char)(0x80 | (code >> 6 & 0x3f));
        room[text.len++] = (char)(0x80 | (code & 0x3f));
    } else {
        room[text.len++] = (char)(0xf0 | (code >> 18 & 7));
        room[text.len++] = (char)(0x80 | (code >> 12 & 0x3f));
        room[text.len++] = (char)(0x80 | (code >> 6 & 0x3f));
        room[text.len++] = (char)(0x80 | (code & 0x3f));
    }
    return text;
}

/* \x41, \u0041, \u{41}, \U00000041, \101: the length of it; 0 when it is none of these. */
static size_t numeric(evs_bytes *out, char room[4], evs_bytes host, size_t at, size_t end,
                      const evs__escapes *escapes)
{
    char c = host.data[at + 1];
    size_t next = at + 2;
    if (escapes->octal && digit(c, 8) >= 0) {
        next = at + 1;
        room[0] = (char)number(host, &next, end, 8, 3);
        *out = (evs_bytes){room, 1};
        return next - at;
    }
    if (c == 'x' && escapes->hex > 0) {
        room[0] = (char)number(host, &next, end, 16, escapes->hex);
        *out = (evs_bytes){room, 1};
    } else if (c == 'u' && escapes->braces && next < end && host.data[next] == '{') {
        next++;
        *out = utf8(room, number(host, &next, end, 16, 8));
        next += next < end && host.data[next] == '}';
    } else if ((c == 'u' && escapes->unicode) || (c == 'U' && escapes->wide)) {
        *out = utf8(room, number(host, &next, end, 16, c == 'u' ? 4 : 8));
    } else {
        return 0;
    }
    return next - at;
}

static size_t line_end(evs_bytes host, size_t at, size_t end)
{
    if (at >= end || (host.data[at] != '\n' && host.data[at] != '\r'))
        return 0;
    return host.data[at] == '\r' && at + 1 < end && host.data[at + 1] == '\n' ? 2 : 1;
}

/* At a backslash: weaves what it means, and returns how long it is. */
static size_t escape(evs__weave *weave, size_t at, size_t end, const evs__escapes *escapes)
{
    evs_bytes host = weave->host, meant;
    char room[4];
    if (at + 1 >= end) {
        evs__weave_plain(weave, at, 1);
        return 1;
    }
    for (const char *pair = escapes->simple; *pair != '\0'; pair += 2) {
        if (host.data[at + 1] != pair[0])
            continue;
        evs__weave_meant(weave, at, 2, (evs_bytes){pair + 1, 1});
        return 2;
    }
    size_t len = escapes->joins ? line_end(host, at + 1, end) : 0;
    if (len > 0)
        return 1 + len;
    len = numeric(&meant, room, host, at, end, escapes);
    if (len > 0) {
        evs__weave_meant(weave, at, len, meant);
        return len;
    }
    if (escapes->keeps)
        evs__weave_plain(weave, at, 2);
    else
        evs__weave_meant(weave, at, 2, (evs_bytes){host.data + at + 1, 1});
    return 2;
}

/* ---- literals ---- */

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

size_t evs__weave_indent(evs_bytes host, size_t body, size_t body_end, int last)
{
    size_t least = SIZE_MAX;
    for (size_t at = body; at <= body_end;) {
        size_t begin = at;
        while (at < body_end && is_blank(host.data[at]))
            at++;
        int empty = at < body_end ? host.data[at] == '\n' || host.data[at] == '\r' : !last;
        if (!empty && at - begin < least)
            least = at - begin;
        const char *end = at < body_end ? memchr(host.data + at, '\n', body_end - at) : NULL;
        at = end == NULL ? body_end + 1 : (size_t)(end - host.data) + 1;
    }
    return least == SIZE_MAX ? 0 : least;
}

/* Are there only blanks from `at` to the end of its line? */
static int ends_line(evs_bytes host, size_t at, size_t end)
{
    while (at < end && is_blank(host.data[at]))
        at++;
    return line_end(host, at, end) > 0;
}

/* Code in a literal: from what opens it to what closes it; 0 when there is none here. */
static size_t hole(evs__weave *weave, evs__scanner *scanner, size_t at,
                   const evs__spelling *spelling)
{
    size_t len = spelling->names == NULL ? 0 : spelling->names(scanner, at);
    if (len == 0 && spelling->opens != NULL) {
        len = spelling->opens(scanner, at);
        scanner->at = at + len;
        if (len == 0 || !evs__scan_code(scanner))
            return 0;
        len = scanner->at - at;
    }
    if (len > 0)
        evs__weave_hole(weave, at, at + len);
    return len;
}

/* Blanks that are not meant, at `at`; `*begins` tells that a line begins there. */
static size_t unmeant(evs_bytes host, size_t at, size_t end, int begins,
                      const evs__spelling *spelling)
{
    size_t len = 0;
    while (begins && len < spelling->indent && at + len < end && is_blank(host.data[at + len]))
        len++;
    if (spelling->trims && is_blank(host.data[at]) && ends_line(host, at, end))
        while (is_blank(host.data[at + len]))
            len++;
    return len;
}

void evs__weave_spelled(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal,
                        const evs__spelling *spelling)
{
    evs_bytes host = weave->host;
    size_t at = literal->body, end = literal->body_end, len;
    while (at < end && !weave->nomem) {
        char c = host.data[at];
        int begins = at == literal->body || host.data[at - 1] == '\n';
        if ((len = unmeant(host, at, end, begins, spelling)) > 0 ||
            (len = hole(weave, scanner, at, spelling)) > 0) {
            at += len;
        } else if (c == '\\' && spelling->escapes != NULL) {
            at += escape(weave, at, end, spelling->escapes);
        } else if (c != '\0' && (c == spelling->doubled || c == spelling->doubled_too) &&
                   at + 1 < end && host.data[at + 1] == c) {
            evs__weave_meant(weave, at, 2, (evs_bytes){host.data + at, 1});
            at += 2;
        } else {
            for (len = 1; is_blank(c) && at + len < end && is_blank(host.data[at + len]);)
                len++;
            evs__weave_plain(weave, at, len);
            at += len;
        }
    }
}
