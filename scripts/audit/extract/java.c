/*
 * Java: "...", and text blocks, whose lines lose what all of them are indented by.
 */
#include "scripts/audit/extract/language.h"

enum { QUOTED, BLOCK, CHARACTER };

static const evs__escapes escapes = {
    .simple = "n\nt\tr\rb\bf\fs \\\\''\"\"",
    .octal = 1,
    .unicode = 1,
    .joins = 1,
};

/* The bytes from the quotes of a text block to behind their line; 0: it is none. */
static size_t block_opening(const evs__scanner *scanner)
{
    if (!evs__scan_starts(scanner, scanner->at, "\"\"\""))
        return 0;
    size_t len = 3;
    char c = evs__scan_peek(scanner, len);
    while (c == ' ' || c == '\t' || c == '\f' || c == '\r')
        c = evs__scan_peek(scanner, ++len);
    return c == '\n' ? len + 1 : 0;
}

static void next(evs__scanner *scanner)
{
    static const evs__fence quoted = {.close = "\"", .close_len = 1, .escapes = 1};
    static const evs__fence character = {.close = "'", .close_len = 1, .escapes = 1};
    static const evs__fence block = {
        .close = "\"\"\"", .close_len = 3, .escapes = 1, .multiline = 1};
    char c = evs__scan_peek(scanner, 0);
    size_t opening = block_opening(scanner);
    if (evs__scan_starts(scanner, scanner->at, "//"))
        evs__scan_line(scanner);
    else if (evs__scan_starts(scanner, scanner->at, "/*"))
        evs__scan_past(scanner, "*/");
    else if (opening > 0)
        evs__scan_literal(scanner, BLOCK, opening, &block);
    else if (c == '"')
        evs__scan_literal(scanner, QUOTED, 1, &quoted);
    else if (c == '\'')
        evs__scan_literal(scanner, CHARACTER, 1, &character);
    else
        evs__scan_plain(scanner);
}

static void decode(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal)
{
    evs__spelling spelling = {.escapes = &escapes};
    if (literal->form == BLOCK) {
        spelling.indent = evs__weave_indent(weave->host, literal->body, literal->body_end, 1);
        spelling.trims = 1;
    }
    evs__weave_spelled(weave, scanner, literal, &spelling);
}

const evs__language evs__language_java = {
    .name = "java",
    .extensions = " .java ",
    .next = next,
    .decode = decode,
    .concat = '+',
    .joining = EVS__JOIN_FUNCTION,
    .join = " join ",
};
