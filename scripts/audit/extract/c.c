/*
 * C and C++: "...", R"x(...)x", literals side by side, and macros between them.
 */
#include "scripts/audit/extract/language.h"

#include <string.h>

enum { QUOTED, RAW, CHARACTER, DELIMITER_MAX = 16, PREFIX_MAX = 3 };

static const evs__escapes escapes = {
    .simple = "n\nt\tr\rb\bf\fv\va\ae\033\\\\''\"\"??",
    .octal = 1,
    .hex = 8,
    .unicode = 1,
    .wide = 1,
    .joins = 1,
};

/* The letters in front of a double quote (L, u8R, ...); PREFIX_MAX + 1 when there is no such quote.
 */
static size_t prefix(const evs__scanner *scanner)
{
    size_t n = 0;
    while (n <= PREFIX_MAX) {
        char c = evs__scan_peek(scanner, n);
        if (c == '"')
            return n;
        if (c == '\0' || strchr("LuU8R", c) == NULL || (c == '8' && n == 0))
            break;
        n++;
    }
    return PREFIX_MAX + 1;
}

/* A raw string, whose quote is `letters` bytes on. 0 when it is none. */
static int raw_string(evs__scanner *scanner, size_t letters)
{
    char close[DELIMITER_MAX + 3] = ")";
    size_t len = 1;
    char c = evs__scan_peek(scanner, letters + 1);
    if (letters == 0 || evs__scan_peek(scanner, letters - 1) != 'R')
        return 0;
    while (c != '(' && c != '\0' && c != ' ' && c != ')' && c != '\\' && len <= DELIMITER_MAX) {
        close[len++] = c;
        c = evs__scan_peek(scanner, letters + len);
    }
    if (c != '(')
        return 0;
    close[len++] = '"';
    evs__fence fence = {.close = close, .close_len = len, .multiline = 1};
    evs__scan_literal(scanner, RAW, letters + len, &fence);
    return 1;
}

static void next(evs__scanner *scanner)
{
    static const evs__fence quoted = {.close = "\"", .close_len = 1, .escapes = 1};
    static const evs__fence character = {.close = "'", .close_len = 1, .escapes = 1};
    size_t letters = prefix(scanner);
    if (evs__scan_starts(scanner, scanner->at, "//"))
        evs__scan_line(scanner);
    else if (evs__scan_starts(scanner, scanner->at, "/*"))
        evs__scan_past(scanner, "*/");
    else if (letters <= PREFIX_MAX && raw_string(scanner, letters))
        return;
    else if (letters <= PREFIX_MAX)
        evs__scan_literal(scanner, QUOTED, letters + 1, &quoted);
    else if (evs__scan_peek(scanner, 0) == '\'' &&
             !(scanner->last.kind == EVS__HOST_NUMBER && scanner->last.end == scanner->at))
        evs__scan_literal(scanner, CHARACTER, 1, &character); /* not 1'000'000 */
    else
        evs__scan_plain(scanner);
}

static void decode(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal)
{
    static const evs__spelling quoted = {.escapes = &escapes}, raw = {.escapes = NULL};
    evs__weave_spelled(weave, scanner, literal, literal->form == RAW ? &raw : &quoted);
}

const evs__language evs__language_c = {
    .name = "c",
    .extensions = " .c .h .cc .cpp .cxx .hh .hpp .hxx ",
    .next = next,
    .decode = decode,
    .concat = '+',
    .adjacent = EVS__ADJACENT_ANYWHERE,
};
