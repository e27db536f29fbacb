#include "scripts/audit/extract/scanner.h"

#include "scripts/audit/extract/language.h"

#include <string.h>

/* What bounds the work on texts that are no programs: literals in code in literals, and literals
 * without an end, each of which is read twice. */
enum { NESTING_MAX = 24, FAILURES_MAX = 200, BRACKETS_MAX = 4096 };

void evs__scanner_init(evs__scanner *scanner, const evs__language *language, evs__arena *arena,
                       evs_bytes source)
{
    memset(scanner, 0, sizeof *scanner);
    scanner->language = language;
    scanner->source = source;
    scanner->arena = arena;
}

/* ---- tokens ---- */

static int has_room(evs__scanner *scanner)
{
    if (scanner->ntokens < scanner->cap)
        return 1;
    size_t cap = scanner->cap * 2 + 256;
    evs__host_token *tokens = evs__arena_alloc(scanner->arena, cap, sizeof *tokens);
    if (tokens == NULL) {
        scanner->nomem = 1;
        return 0;
    }
    if (scanner->ntokens > 0)
        memcpy(tokens, scanner->tokens, scanner->ntokens * sizeof *tokens);
    scanner->tokens = tokens;
    scanner->cap = cap;
    return 1;
}

static void push(evs__scanner *scanner, evs__host_token token)
{
    token.new_line = (unsigned char)scanner->new_line;
    token.bracketed = scanner->brackets > 0;
    token.nesting = scanner->nesting;
    token.partner = scanner->ntokens;
    scanner->new_line = 0;
    scanner->last = token;
    scanner->any = 1;
    if (!scanner->quiet && has_room(scanner))
        scanner->tokens[scanner->ntokens++] = token;
}

static void push_plain(evs__scanner *scanner, evs__host_kind kind, size_t start)
{
    evs__host_token token = {.kind = kind, .start = start, .end = scanner->at};
    token.sign = kind == EVS__HOST_SIGN ? scanner->source.data[start] : '\0';
    push(scanner, token);
}

static int is_open(char c)
{
    return c == '(' || c == '[' || c == '{';
}

static int is_close(char c)
{
    return c == ')' || c == ']' || c == '}';
}

void evs__scan_sign(evs__scanner *scanner)
{
    char c = scanner->source.data[scanner->at++];
    if (is_close(c) && scanner->brackets > 0)
        scanner->brackets--;
    push_plain(scanner, EVS__HOST_SIGN, scanner->at - 1);
    scanner->brackets += is_open(c) != 0;
}

int evs__scan_starts(const evs__scanner *scanner, size_t at, const char *text)
{
    size_t len = strlen(text);
    return at <= scanner->source.len && len <= scanner->source.len - at &&
           memcmp(scanner->source.data + at, text, len) == 0;
}

int evs__scan_is_word(const evs__scanner *scanner, const evs__host_token *token, const char *word)
{
    return token->kind == EVS__HOST_WORD && token->end - token->start == strlen(word) &&
           evs__scan_starts(scanner, token->start, word);
}

/* ---- what is alike everywhere ---- */

static int is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

static void word(evs__scanner *scanner)
{
    size_t start = scanner->at;
    evs__host_kind kind = evs__is_digit_byte(evs__scan_peek(scanner, 0)) ? EVS__HOST_NUMBER
                                                                         : EVS__HOST_WORD;
    while (scanner->at < scanner->source.len && evs__is_word_byte(evs__scan_peek(scanner, 0)))
        scanner->at++;
    push_plain(scanner, kind, start);
}

void evs__scan_plain(evs__scanner *scanner)
{
    char c = evs__scan_peek(scanner, 0);
    if (is_line_end(c)) {
        scanner->new_line = 1;
        scanner->at = c == '\n' && scanner->resume > scanner->at ? scanner->resume
                                                                 : scanner->at + 1;
    } else if (c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\0') {
        scanner->at++;
    } else if (c == '\\' && is_line_end(evs__scan_peek(scanner, 1))) {
        scanner->at += evs__scan_starts(scanner, scanner->at + 1, "\r\n") ? 3 : 2;
    } else if (evs__is_word_byte(c)) {
        word(scanner);
    } else {
        evs__scan_sign(scanner);
    }
}

void evs__scan_line(evs__scanner *scanner)
{
    while (scanner->at < scanner->source.len && !is_line_end(evs__scan_peek(scanner, 0)))
        scanner->at++;
}

void evs__scan_past(evs__scanner *scanner, const char *close)
{
    size_t len = strlen(close);
    const char *from = scanner->source.data + scanner->at;
    size_t left = scanner->source.len - scanner->at;
    const char *found = left == 0 ? NULL : memmem(from, left, close, len);
    size_t skipped = found == NULL ? left : (size_t)(found - from) + len;
    if (skipped > 0 && memchr(from, '\n', skipped) != NULL)
        scanner->new_line = 1;
    scanner->at += skipped;
}

/* ---- literals ---- */

void evs__scan_found(evs__scanner *scanner, unsigned form, size_t body, size_t body_end, size_t end)
{
    evs__host_token token = {.kind = EVS__HOST_LITERAL,
                             .form = (unsigned char)form,
                             .start = scanner->at,
                             .end = end,
                             .body = body,
                             .body_end = body_end};
    push(scanner, token);
    scanner->at = end;
}

int evs__scan_code(evs__scanner *scanner)
{
    unsigned outside = scanner->brackets;
    int closed = 0;
    if (scanner->nesting >= NESTING_MAX)
        return 0;
    scanner->nesting++;
    scanner->brackets++;
    scanner->any = 0; /* at the beginning of an expression */
    while (!closed && scanner->at < scanner->source.len && !scanner->nomem) {
        size_t before = scanner->at;
        closed = evs__scan_peek(scanner, 0) == '}' && scanner->brackets == outside + 1;
        scanner->language->next(scanner);
        if (closed)
            scanner->at = before + 1;
    }
    scanner->nesting--;
    scanner->brackets = outside;
    return closed;
}

/* Behind the end of the literal whose body begins at scanner->at; 0 when there is none. */
static size_t find_end(evs__scanner *scanner, const evs__fence *fence)
{
    unsigned open = 0;
    while (scanner->at < scanner->source.len && !scanner->nomem) {
        char c = evs__scan_peek(scanner, 0);
        int twice = fence->doubled != '\0' && c == fence->doubled &&
                    evs__scan_peek(scanner, 1) == c;
        size_t len = twice || fence->opens == NULL ? 0 : fence->opens(scanner, scanner->at);
        if (len > 0) {
            scanner->at += len;
            if (!evs__scan_code(scanner))
                return 0;
        } else if (twice) {
            scanner->at += 2;
        } else if (fence->escapes && c == '\\') {
            scanner->at += evs__scan_starts(scanner, scanner->at + 1, "\r\n") ? 3 : 2;
        } else if (evs__scan_starts(scanner, scanner->at, fence->close) && open-- == 0) {
            return scanner->at + fence->close_len;
        } else if (is_line_end(c) && !fence->multiline) {
            return 0;
        } else {
            open += c == fence->open && c != '\0';
            scanner->at++;
        }
    }
    return 0;
}

int evs__scan_literal(evs__scanner *scanner, unsigned form, size_t opening, const evs__fence *fence)
{
    evs__scanner before = *scanner;
    evs__host_token token = {.kind = EVS__HOST_LITERAL, .form = (unsigned char)form};
    token.start = scanner->at;
    token.body = scanner->at + opening;
    if (scanner->failures <= FAILURES_MAX) {
        push(scanner, token);
        size_t index = scanner->ntokens;
        evs__host_token first = scanner->last;
        scanner->at += opening;
        first.end = find_end(scanner, fence);
        if (first.end > 0) {
            first.body_end = first.end - fence->close_len;
            if (!scanner->quiet && !scanner->nomem)
                scanner->tokens[index - 1] = first;
            scanner->last = first;
            scanner->any = 1;
            scanner->new_line = 0;
            scanner->at = first.end;
            return 1;
        }
        before.failures = scanner->failures + 1;
        before.tokens = scanner->tokens;
        before.cap = scanner->cap;
        before.nomem = scanner->nomem;
    }
    *scanner = before;
    evs__scan_sign(scanner);
    return 0;
}

/* ---- all ---- */

static char opposite(char c)
{
    return c == ')' ? '(' : c == ']' ? '[' : '{';
}

/* Where the bracket that `close` belongs to is on the stack, counted from 1; 0: nowhere near. Those
 * above it have no partner, as in code that does not compile. */
static size_t depth_of(const evs__scanner *scanner, const size_t *stack, size_t depth, char close)
{
    enum { LOOKED_AT = 16 };
    for (size_t i = depth; i > 0 && depth - i < LOOKED_AT; i--)
        if (scanner->tokens[stack[i - 1]].sign == opposite(close))
            return i;
    return 0;
}

static int find_partners(evs__scanner *scanner)
{
    size_t *stack = evs__arena_alloc(scanner->arena, BRACKETS_MAX, sizeof *stack);
    size_t depth = 0;
    if (stack == NULL)
        return 0;
    for (size_t i = 0; i < scanner->ntokens; i++) {
        evs__host_token *token = &scanner->tokens[i];
        token->partner = i;
        if (token->kind != EVS__HOST_SIGN)
            continue;
        if (is_open(token->sign) && depth < BRACKETS_MAX)
            stack[depth++] = i;
        size_t found = is_close(token->sign) ? depth_of(scanner, stack, depth, token->sign) : 0;
        if (found == 0)
            continue;
        depth = found - 1;
        token->partner = stack[depth];
        scanner->tokens[token->partner].partner = i;
    }
    return 1;
}

int evs__scanner_run(evs__scanner *scanner)
{
    while (scanner->at < scanner->source.len && !scanner->nomem)
        scanner->language->next(scanner);
    return !scanner->nomem && find_partners(scanner);
}
