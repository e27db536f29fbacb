/*
 * Python: '...', "...", the same three times, and prefixes. Braces of f-strings are code.
 */
#include "scripts/audit/extract/language.h"

#include <string.h>

enum { RAW = 1, FORMATTED = 2 };

static const evs__escapes escapes = {
    .simple = "n\nt\tr\rb\bf\fv\va\a\\\\''\"\"",
    .octal = 1,
    .hex = 2,
    .unicode = 1,
    .wide = 1,
    .joins = 1,
    .keeps = 1,
};

static size_t opens(const evs__scanner *scanner, size_t at)
{
    return scanner->source.data[at] == '{';
}

/* The letters in front of a quote; `*form` is what they say. NO_PREFIX when there is no quote. */
enum { PREFIX_MAX = 2, NO_PREFIX = PREFIX_MAX + 1 };

static size_t prefix(const evs__scanner *scanner, unsigned *form)
{
    *form = 0;
    for (size_t i = 0; i <= PREFIX_MAX; i++) {
        char c = evs__scan_peek(scanner, i);
        if (c == '"' || c == '\'')
            return i;
        if (c == '\0' || strchr("rRbBuUfFtT", c) == NULL)
            return NO_PREFIX;
        *form |= c == 'r' || c == 'R' ? RAW : 0;
        *form |= c == 'f' || c == 'F' || c == 't' || c == 'T' ? FORMATTED : 0;
    }
    return NO_PREFIX;
}

static void next(evs__scanner *scanner)
{
    unsigned form;
    if (evs__scan_peek(scanner, 0) == '#') {
        evs__scan_line(scanner);
        return;
    }
    size_t letters = prefix(scanner, &form);
    if (letters == NO_PREFIX) {
        evs__scan_plain(scanner);
        return;
    }
    char quote = evs__scan_peek(scanner, letters);
    const char *three = quote == '"' ? "\"\"\"" : "'''";
    int triple = evs__scan_starts(scanner, scanner->at + letters, three);
    evs__fence fence = {.close = triple ? three : three + 2, .close_len = triple ? 3 : 1};
    fence.escapes = 1; /* in raw ones too: they end at no quote behind a backslash */
    fence.multiline = triple;
    fence.opens = form & FORMATTED ? opens : NULL;
    fence.doubled = form & FORMATTED ? '{' : '\0';
    evs__scan_literal(scanner, form, letters + fence.close_len, &fence);
}

static void decode(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal)
{
    evs__spelling spelling = {.escapes = literal->form & RAW ? NULL : &escapes};
    if (literal->form & FORMATTED) {
        spelling.opens = opens;
        spelling.doubled = '{';
        spelling.doubled_too = '}';
    }
    evs__weave_spelled(weave, scanner, literal, &spelling);
}

const evs__language evs__language_python = {
    .name = "python",
    .extensions = " .py .pyi ",
    .next = next,
    .decode = decode,
    .concat = '+',
    .adjacent = EVS__ADJACENT_IN_LINE,
    .joining = EVS__JOIN_SEPARATOR,
};
