/*
 * JavaScript and TypeScript: '...', "...", `...${code}...`; a slash may begin a regular expression.
 */
#include "scripts/audit/extract/language.h"

enum { QUOTED, TEMPLATE };

static const evs__escapes escapes = {
    .simple = "n\nt\tr\rb\bf\fv\v",
    .octal = 1,
    .hex = 2,
    .unicode = 1,
    .braces = 1,
    .joins = 1,
};

static size_t opens(const evs__scanner *scanner, size_t at)
{
    return evs__scan_starts(scanner, at, "${") ? 2 : 0;
}

/* Words behind which an expression begins, so that a slash divides nothing. */
static int begins_expression(const evs__scanner *scanner)
{
    static const char *const words[] = {"return", "typeof", "case",  "in",        "of",
                                        "delete", "void",   "new",   "do",        "else",
                                        "throw",  "await",  "yield", "instanceof"};
    const evs__host_token *last = &scanner->last;
    if (!scanner->any)
        return 1;
    if (last->kind == EVS__HOST_SIGN)
        return last->sign != ')' && last->sign != ']';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (evs__scan_is_word(scanner, last, words[i]))
            return 1;
    return 0;
}

/* At a slash. A regular expression ends in its line; what does not is a division. */
static void regular_expression(evs__scanner *scanner)
{
    size_t at = scanner->at + 1;
    int in_class = 0;
    for (; at < scanner->source.len; at++) {
        char c = scanner->source.data[at];
        if (c == '\n' || c == '\r' || (c == '/' && !in_class))
            break;
        in_class = c == '[' ? 1 : c == ']' ? 0 : in_class;
        at += c == '\\' && at + 1 < scanner->source.len && scanner->source.data[at + 1] != '\n';
    }
    if (at >= scanner->source.len || scanner->source.data[at] != '/') {
        evs__scan_sign(scanner);
        return;
    }
    /* An expression is over; its flags are a word. */
    evs__scan_found(scanner, QUOTED, at, at, at + 1);
}

static void next(evs__scanner *scanner)
{
    static const evs__fence single = {.close = "'", .close_len = 1, .escapes = 1};
    static const evs__fence twice = {.close = "\"", .close_len = 1, .escapes = 1};
    static const evs__fence template = {
        .close = "`", .close_len = 1, .escapes = 1, .multiline = 1, .opens = opens};
    char c = evs__scan_peek(scanner, 0);
    if (evs__scan_starts(scanner, scanner->at, "//") ||
        (scanner->at == 0 && evs__scan_starts(scanner, 0, "#!")))
        evs__scan_line(scanner);
    else if (evs__scan_starts(scanner, scanner->at, "/*"))
        evs__scan_past(scanner, "*/");
    else if (c == '/' && begins_expression(scanner))
        regular_expression(scanner);
    else if (c == '\'' || c == '"')
        evs__scan_literal(scanner, QUOTED, 1, c == '"' ? &twice : &single);
    else if (c == '`')
        evs__scan_literal(scanner, TEMPLATE, 1, &template);
    else
        evs__scan_plain(scanner);
}

static void decode(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal)
{
    evs__spelling spelling = {.escapes = &escapes};
    spelling.opens = literal->form == TEMPLATE ? opens : NULL;
    evs__weave_spelled(weave, scanner, literal, &spelling);
}

const evs__language evs__language_javascript = {
    .name = "javascript",
    .extensions = " .js .mjs .cjs .jsx .ts .mts .cts .tsx ",
    .next = next,
    .decode = decode,
    .concat = '+',
    .joining = EVS__JOIN_LIST,
};
