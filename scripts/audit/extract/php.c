/*
 * PHP, inside of <?php ... ?>: '...', "...$variable...{$code}...", heredocs and nowdocs, which lose
 * what their last line is indented by.
 */
#include "scripts/audit/extract/language.h"

#include <string.h>

enum { PLAIN, INTERPOLATED, NOWDOC, HEREDOC, NAME_MAX = 64 };

static const evs__escapes escapes = {
    .simple = "n\nt\tr\rv\ve\033f\f\\\\$$\"\"",
    .octal = 1,
    .hex = 2,
    .braces = 1,
    .keeps = 1,
};

static const evs__escapes here_escapes = {
    .simple = "n\nt\tr\rv\ve\033f\f\\\\$$",
    .octal = 1,
    .hex = 2,
    .braces = 1,
    .keeps = 1,
};

static const evs__escapes few = {.simple = "\\\\''", .keeps = 1};

static size_t opens(const evs__scanner *scanner, size_t at)
{
    return evs__scan_starts(scanner, at, "${") ? 2 : evs__scan_starts(scanner, at, "{$") ? 1 : 0;
}

static size_t word(evs_bytes source, size_t at)
{
    size_t n = 0;
    if (at < source.len && evs__is_digit_byte(source.data[at]))
        return 0;
    while (at + n < source.len && evs__is_word_byte(source.data[at + n]))
        n++;
    return n;
}

/* $name, $name[index] or $name->property. */
static size_t names(const evs__scanner *scanner, size_t at)
{
    evs_bytes source = scanner->source;
    size_t n = source.data[at] == '$' ? word(source, at + 1) : 0;
    if (n == 0)
        return 0;
    size_t end = at + 1 + n;
    if (evs__scan_starts(scanner, end, "->") && word(source, end + 2) > 0)
        return end + 2 + word(source, end + 2) - at;
    if (end >= source.len || source.data[end] != '[')
        return end - at;
    size_t close = end + 1;
    while (close < source.len && (evs__is_word_byte(source.data[close]) ||
                                  source.data[close] == '$' || source.data[close] == '-'))
        close++;
    int closed = close > end + 1 && close < source.len && source.data[close] == ']';
    return (closed ? close + 1 : end) - at;
}

/* From outside of the code into it. */
static void html(evs__scanner *scanner)
{
    evs__scan_past(scanner, "<?");
    if (evs__scan_starts(scanner, scanner->at, "php"))
        scanner->at += 3;
    scanner->any = 0;
}

/* A comment of one line ends at ?> as well. */
static void comment(evs__scanner *scanner)
{
    while (scanner->at < scanner->source.len && evs__scan_peek(scanner, 0) != '\n' &&
           !evs__scan_starts(scanner, scanner->at, "?>"))
        scanner->at++;
}

/* ---- heredocs ---- */

static int is_last_line(const evs__scanner *scanner, size_t at, const char *name, size_t *end)
{
    while (at < scanner->source.len &&
           (scanner->source.data[at] == ' ' || scanner->source.data[at] == '\t'))
        at++;
    *end = at + strlen(name);
    return evs__scan_starts(scanner, at, name) &&
           (*end == scanner->source.len || !evs__is_word_byte(scanner->source.data[*end]));
}

static size_t line_behind(evs_bytes source, size_t at)
{
    const char *end = at < source.len ? memchr(source.data + at, '\n', source.len - at) : NULL;
    return end == NULL ? source.len : (size_t)(end - source.data) + 1;
}

/* At <<<. 0 when it is no heredoc, or has no end. */
static int heredoc(evs__scanner *scanner)
{
    char name[NAME_MAX] = "";
    size_t at = scanner->at + 3, end = 0;
    evs_bytes source = scanner->source;
    while (at < source.len && (source.data[at] == ' ' || source.data[at] == '\t'))
        at++;
    char quote = at < source.len ? source.data[at] : '\0';
    at += quote == '"' || quote == '\'';
    size_t len = word(source, at);
    if (len == 0 || len >= NAME_MAX)
        return 0;
    memcpy(name, source.data + at, len);
    size_t body = line_behind(source, at), last = body;
    while (last < source.len && !is_last_line(scanner, last, name, &end))
        last = line_behind(source, last);
    if (last >= source.len) {
        scanner->failures++;
        return 0;
    }
    evs__scan_found(scanner, quote == '\'' ? NOWDOC : HEREDOC, body, last, end);
    return 1;
}

/* ---- all ---- */

static int is_comment(const evs__scanner *scanner)
{
    return evs__scan_starts(scanner, scanner->at, "//") ||
           (evs__scan_peek(scanner, 0) == '#' && evs__scan_peek(scanner, 1) != '[');
}

static void next(evs__scanner *scanner)
{
    static const evs__fence single = {.close = "'", .close_len = 1, .escapes = 1, .multiline = 1};
    static const evs__fence twice = {
        .close = "\"", .close_len = 1, .escapes = 1, .multiline = 1, .opens = opens};
    char c = evs__scan_peek(scanner, 0);
    if (scanner->at == 0 || evs__scan_starts(scanner, scanner->at, "?>"))
        html(scanner);
    else if (is_comment(scanner))
        comment(scanner);
    else if (evs__scan_starts(scanner, scanner->at, "/*"))
        evs__scan_past(scanner, "*/");
    else if (c == '\'')
        evs__scan_literal(scanner, PLAIN, 1, &single);
    else if (c == '"')
        evs__scan_literal(scanner, INTERPOLATED, 1, &twice);
    else if (!evs__scan_starts(scanner, scanner->at, "<<<") || scanner->failures > 100 ||
             !heredoc(scanner))
        evs__scan_plain(scanner);
}

/* The last line of a heredoc says what the others are indented by, and its line end is not meant.
 */
static evs__host_token trimmed(evs_bytes host, const evs__host_token *literal, size_t *indent)
{
    evs__host_token inner = *literal;
    size_t at = literal->body_end;
    for (*indent = 0; at + *indent < host.len &&
                      (host.data[at + *indent] == ' ' || host.data[at + *indent] == '\t');)
        ++*indent;
    if (inner.body_end > inner.body && host.data[inner.body_end - 1] == '\n')
        inner.body_end--;
    if (inner.body_end > inner.body && host.data[inner.body_end - 1] == '\r')
        inner.body_end--;
    return inner;
}

static void decode(evs__weave *weave, evs__scanner *scanner, const evs__host_token *literal)
{
    evs__spelling spelling = {.escapes = &few};
    evs__host_token inner = *literal;
    if (literal->form == NOWDOC || literal->form == HEREDOC)
        inner = trimmed(weave->host, literal, &spelling.indent);
    if (literal->form == NOWDOC)
        spelling.escapes = NULL;
    if (literal->form == INTERPOLATED || literal->form == HEREDOC) {
        spelling.escapes = literal->form == HEREDOC ? &here_escapes : &escapes;
        spelling.opens = opens;
        spelling.names = names;
    }
    evs__weave_spelled(weave, scanner, &inner, &spelling);
}

const evs__language evs__language_php = {
    .name = "php",
    .extensions = " .php ",
    .next = next,
    .decode = decode,
    .concat = '.',
    .joining = EVS__JOIN_FUNCTION,
    .join = " implode join ",
};
