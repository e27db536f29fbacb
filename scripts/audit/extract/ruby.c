/*
 * Ruby: '...', "...#{code}...", %q(...) and its kin, heredocs. A slash may begin a regular
 * expression, and the text of a heredoc begins in the line behind.
 */
#include "scripts/audit/extract/language.h"

#include <string.h>

enum { PLAIN, INTERPOLATED, HERE_PLAIN, HERE_INTERPOLATED, OTHER, NAME_MAX = 64 };
enum { SQUIGGLY = 16 }; /* of the forms of heredocs: lines lose their indentation */

static const evs__escapes escapes = {
    .simple = "n\nt\tr\rb\bf\fv\va\ae\033s ",
    .octal = 1,
    .hex = 2,
    .unicode = 1,
    .braces = 1,
    .joins = 1,
};

static const evs__escapes few = {.simple = "\\\\''", .keeps = 1};

static size_t opens(const evs__scanner *scanner, size_t at)
{
    return evs__scan_starts(scanner, at, "#{") ? 2 : 0;
}

/* ---- where an expression may begin ---- */

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

static int is_keyword(const evs__scanner *scanner)
{
    static const char *const words[] = {"return", "if",   "unless", "while", "until", "when",
                                        "and",    "or",   "not",    "then",  "do",    "else",
                                        "elsif",  "puts", "yield",  "in",    "case"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (evs__scan_is_word(scanner, &scanner->last, words[i]))
            return 1;
    return 0;
}

/* Behind a word, `x /y/` and `x %(y)` are arguments; `x / y` and `x % y` are not. */
static int begins_expression(const evs__scanner *scanner, size_t len)
{
    const evs__host_token *last = &scanner->last;
    if (!scanner->any || scanner->new_line)
        return 1;
    if (last->kind == EVS__HOST_SIGN)
        return last->sign != ')' && last->sign != ']' && last->sign != '}';
    if (last->kind != EVS__HOST_WORD)
        return 0;
    return is_keyword(scanner) ||
           (last->end < scanner->at && !is_space(evs__scan_peek(scanner, len)) &&
            evs__scan_peek(scanner, len) != '=');
}

/* ---- %q( ) ---- */

static char closing(char c)
{
    return c == '(' ? ')' : c == '[' ? ']' : c == '{' ? '}' : c == '<' ? '>' : c;
}

static int percent(evs__scanner *scanner)
{
    char letter = evs__scan_peek(scanner, 1), open = letter;
    size_t opening = 2;
    if (letter != '\0' && strchr("qQwWiIrsx", letter) != NULL) {
        open = evs__scan_peek(scanner, 2);
        opening = 3;
    }
    if (is_space(open) || evs__is_word_byte(open) || !begins_expression(scanner, 1))
        return 0;
    if (opening == 2 && strchr("([{<|!", open) == NULL)
        return 0;
    char close[2] = {closing(open), '\0'};
    int plain = letter == 'q' || letter == 'w' || letter == 'i' || letter == 's';
    evs__fence fence = {.close = close, .close_len = 1, .escapes = 1, .multiline = 1};
    fence.open = close[0] == open ? '\0' : open;
    fence.opens = plain ? NULL : opens;
    unsigned form = letter == 'q' ? PLAIN : opening == 2 || letter == 'Q' ? INTERPOLATED : OTHER;
    return evs__scan_literal(scanner, form, opening, &fence);
}

/* ---- heredocs ---- */

/* The name behind <<, <<- or <<~, and the form it gives; its length with all that, or 0. */
static size_t here_name(const evs__scanner *scanner, char name[NAME_MAX], unsigned *form)
{
    size_t at = 2, n = 0;
    char kind = evs__scan_peek(scanner, at);
    at += kind == '~' || kind == '-';
    char quote = evs__scan_peek(scanner, at);
    int quoted = quote == '\'' || quote == '"' || quote == '`';
    at += quoted != 0;
    char c = evs__scan_peek(scanner, at);
    if (!evs__is_word_byte(c) || evs__is_digit_byte(c))
        return 0;
    if (!quoted && kind != '~' && kind != '-' &&
        (c < 'A' || c > 'Z' || !begins_expression(scanner, 2)))
        return 0;
    while (n + 1 < NAME_MAX && evs__is_word_byte(c)) {
        name[n++] = c;
        c = evs__scan_peek(scanner, ++at);
    }
    name[n] = '\0';
    if (quoted && c != quote)
        return 0;
    *form = (quote == '\'' ? HERE_PLAIN : HERE_INTERPOLATED) | (kind == '~' ? SQUIGGLY : 0);
    return at + (quoted != 0);
}

static size_t line_behind(evs_bytes source, size_t at)
{
    const char *end = at < source.len ? memchr(source.data + at, '\n', source.len - at) : NULL;
    return end == NULL ? source.len : (size_t)(end - source.data) + 1;
}

static int is_last_line(const evs__scanner *scanner, size_t at, const char *name)
{
    while (at < scanner->source.len &&
           (scanner->source.data[at] == ' ' || scanner->source.data[at] == '\t'))
        at++;
    if (!evs__scan_starts(scanner, at, name))
        return 0;
    at += strlen(name);
    return at == scanner->source.len || is_space(scanner->source.data[at]);
}

static int heredoc(evs__scanner *scanner)
{
    char name[NAME_MAX];
    unsigned form;
    size_t len = here_name(scanner, name, &form);
    if (len == 0)
        return 0;
    size_t body = scanner->resume > scanner->at ? scanner->resume
                                                : line_behind(scanner->source, scanner->at);
    size_t end = body;
    while (end < scanner->source.len && !is_last_line(scanner, end, name))
        end = line_behind(scanner->source, end);
    if (end >= scanner->source.len) {
        scanner->failures++;
        return 0;
    }
    evs__scan_found(scanner, form, body, end, scanner->at + len);
    scanner->resume = line_behind(scanner->source, end);
    return 1;
}

/* ---- all ---- */

static int is_at_line_start(const evs__scanner *scanner)
{
    return scanner->at == 0 || scanner->source.data[scanner->at - 1] == '\n';
}

static int comment(evs__scanner *scanner)
{
    if (evs__scan_peek(scanner, 0) == '#') {
        evs__scan_line(scanner);
        return 1;
    }
    if (!is_at_line_start(scanner))
        return 0;
    if (evs__scan_starts(scanner, scanner->at, "=begin"))
        evs__scan_past(scanner, "\n=end");
    else if (evs__scan_starts(scanner, scanner->at, "__END__"))
        scanner->at = scanner->source.len;
    else
        return 0;
    return 1;
}

/* A quote that is a character (?") or a variable ($'). */
static int odd_quote(evs__scanner *scanner)
{
    char c = evs__scan_peek(scanner, 0), then = evs__scan_peek(scanner, 1);
    if ((c != '?' && c != '$') || (then != '"' && then != '\'' && then != '`'))
        return 0;
    evs__scan_found(scanner, OTHER, scanner->at, scanner->at, scanner->at + 2);
    return 1;
}

static int quoted(evs__scanner *scanner)
{
    static const evs__fence single = {.close = "'", .close_len = 1, .escapes = 1, .multiline = 1};
    static const evs__fence twice = {
        .close = "\"", .close_len = 1, .escapes = 1, .multiline = 1, .opens = opens};
    static const evs__fence shell = {
        .close = "`", .close_len = 1, .escapes = 1, .multiline = 1, .opens = opens};
    static const evs__fence regular = {.close = "/", .close_len = 1, .escapes = 1, .opens = opens};
    switch (evs__scan_peek(scanner, 0)) {
    case '\'':
        evs__scan_literal(scanner, PLAIN, 1, &single);
        return 1;
    case '"':
        evs__scan_literal(scanner, INTERPOLATED, 1, &twice);
        return 1;
    case '`':
        evs__scan_literal(scanner, OTHER, 1, &shell);
        return 1;
    case '/':
        return begins_expression(scanner, 1) && evs__scan_literal(scanner, OTHER, 1, &regular);
    case '%':
        return percent(scanner);
    case '<':
        return evs__scan_peek(scanner, 1) == '<' && scanner->failures < 100 && heredoc(scanner);
    default:
        return 0;
    }
}

static void next(evs__scanner *scanner)
{
    size_t before = scanner->at;
    if (comment(scanner) || odd_quote(scanner) || quoted(scanner))
        return;
    if (scanner->at == before)
        evs__scan_plain(scanner);
}

static void decode(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal)
{
    unsigned form = literal->form & ~(unsigned)SQUIGGLY;
    evs__spelling spelling = {.escapes = NULL};
    if (form == OTHER)
        return;
    if (form == PLAIN)
        spelling.escapes = &few;
    if (form == INTERPOLATED || form == HERE_INTERPOLATED) {
        spelling.escapes = &escapes;
        spelling.opens = opens;
    }
    if (literal->form & SQUIGGLY)
        spelling.indent = evs__weave_indent(weave->host, literal->body, literal->body_end, 0);
    evs__weave_spelled(weave, scanner, literal, &spelling);
}

const evs__language evs__language_ruby = {
    .name = "ruby",
    .extensions = " .rb .rake ",
    .next = next,
    .decode = decode,
    .concat = '+',
    .adjacent = EVS__ADJACENT_IN_LINE,
    .joining = EVS__JOIN_LIST,
};
