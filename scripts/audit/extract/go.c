/*
 * Go: "...", and `...` as it stands but for carriage returns.
 */
#include "scripts/audit/extract/language.h"

enum { INTERPRETED, RAW, RUNE };

static const evs__escapes escapes = {
    .simple = "n\nt\tr\rb\bf\fv\va\a\\\\''\"\"",
    .octal = 1,
    .hex = 2,
    .unicode = 1,
    .wide = 1,
};

static void next(evs__scanner *scanner)
{
    static const evs__fence interpreted = {.close = "\"", .close_len = 1, .escapes = 1};
    static const evs__fence rune = {.close = "'", .close_len = 1, .escapes = 1};
    static const evs__fence raw = {.close = "`", .close_len = 1, .multiline = 1};
    char c = evs__scan_peek(scanner, 0);
    if (evs__scan_starts(scanner, scanner->at, "//"))
        evs__scan_line(scanner);
    else if (evs__scan_starts(scanner, scanner->at, "/*"))
        evs__scan_past(scanner, "*/");
    else if (c == '"')
        evs__scan_literal(scanner, INTERPRETED, 1, &interpreted);
    else if (c == '`')
        evs__scan_literal(scanner, RAW, 1, &raw);
    else if (c == '\'')
        evs__scan_literal(scanner, RUNE, 1, &rune);
    else
        evs__scan_plain(scanner);
}

static void raw_string(evs__weave *weave, const evs__host_token *literal)
{
    size_t from = literal->body;
    for (size_t at = from; at < literal->body_end; at++) {
        if (weave->host.data[at] != '\r')
            continue;
        evs__weave_plain(weave, from, at - from);
        from = at + 1;
    }
    evs__weave_plain(weave, from, literal->body_end - from);
}

static void decode(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal)
{
    static const evs__spelling interpreted = {.escapes = &escapes};
    if (literal->form == RAW)
        raw_string(weave, literal);
    else
        evs__weave_spelled(weave, scanner, literal, &interpreted);
}

const evs__language evs__language_go = {
    .name = "go",
    .extensions = " .go ",
    .next = next,
    .decode = decode,
    .concat = '+',
    .joining = EVS__JOIN_BEHIND,
    .join = " Join ",
};
