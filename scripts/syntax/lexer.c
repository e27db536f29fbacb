/*
 * lexer.c - the lexical grammar of Lua 5.1.
 *
 * Read `scan` first: it says which byte begins what. Line ends are counted in one place,
 * `end_line`; everything else moves by `lexer->at`.
 */
#include "scripts/syntax/lexer.h"

#include "scripts/syntax/number.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_BYTE = -1, LAST_WORD = EVS__TK_WHILE };

static const char *const token_texts[] = {
#define TEXT(name, text) text,
    EVS__TOKEN_MAP(TEXT)
#undef TEXT
};

/* The byte `ahead` places on; NO_BYTE behind the end. */
static int peek(const evs__lexer *lexer, size_t ahead)
{
    if (ahead >= lexer->source.len - lexer->at)
        return NO_BYTE;
    return (unsigned char)lexer->source.data[lexer->at + ahead];
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static int is_line_end(int c)
{
    return c == '\n' || c == '\r';
}

void evs__lexer_nomem(evs__lexer *lexer)
{
    lexer->nomem = 1;
    lexer->failed = 1;
}

void evs__lexer_fail(evs__lexer *lexer, evs__parse_problem problem, evs__span at,
                     const char *message)
{
    if (lexer->failed)
        return;
    lexer->failed = 1;
    if (message == NULL) {
        lexer->nomem = 1;
        return;
    }
    lexer->error.problem = problem;
    lexer->error.message = message;
    lexer->error.line = lexer->line;
    lexer->error.at = at;
    lexer->error.token.kind = EVS__TK_EOF;
    lexer->error.token.at = at;
}

void evs__lexer_blame(evs__lexer *lexer, evs__parse_problem problem, const char *message,
                      const evs__token *now, const evs__token *before)
{
    if (lexer->failed)
        return;
    evs__lexer_fail(lexer, problem, now->at, message);
    lexer->error.token = *now;
    lexer->error.before = *before;
}

/* Arrays of the arena grow by doubling; the old one stays behind until the arena goes. */
static void *grow(evs__lexer *lexer, void *old, size_t *room, size_t size)
{
    size_t wanted = *room == 0 ? 64 : *room * 2;
    void *items = evs__arena_alloc(lexer->arena, wanted, size);
    if (items == NULL) {
        evs__lexer_nomem(lexer);
        return NULL;
    }
    if (*room > 0)
        memcpy(items, old, *room * size);
    *room = wanted;
    return items;
}

static void begin_line(evs__lexer *lexer)
{
    if (lexer->nlines == lexer->line_room) {
        size_t *lines = grow(lexer, lexer->lines, &lexer->line_room, sizeof *lines);
        if (lines == NULL)
            return;
        lexer->lines = lines;
    }
    lexer->lines[lexer->nlines++] = lexer->at;
    lexer->line++;
}

void evs__lexer_init(evs__lexer *lexer, evs__arena *arena, evs_bytes source, size_t at)
{
    *lexer = (evs__lexer){.arena = arena, .source = source, .text = EVS__BUF_INIT};
    lexer->error.before.kind = EVS__TK_EOF;
    begin_line(lexer);
    lexer->at = at;
}

void evs__lexer_free(evs__lexer *lexer)
{
    evs__buf_free(&lexer->text);
}

/* Skips one end of line: LF, CR, or the two together in any order. */
static void end_line(evs__lexer *lexer)
{
    int first = peek(lexer, 0);
    int second = peek(lexer, 1);
    lexer->at += is_line_end(second) && second != first ? 2 : 1;
    begin_line(lexer);
}

const char *evs__token_text(int kind, char room[16])
{
    if (kind > EVS__TK_FIRST)
        return token_texts[kind - EVS__TK_FIRST - 1];
    if (kind < ' ' || kind == 127)
        snprintf(room, 16, "char(%d)", kind & 0x7f);
    else
        snprintf(room, 16, "%c", kind);
    return room;
}

/* How many bytes of `token` are its opening quote or bracket. */
static size_t opening(const evs__lexer *lexer, const evs__token *token)
{
    const char *start = lexer->source.data + token->at.start;
    if (*start != '[')
        return 1;
    size_t level = 0;
    while (start[1 + level] == '=')
        level++;
    return level + 2;
}

/* Lua shows names and numbers as written, and strings decoded between their quotes; all as C
 * strings, so that they end at a NUL. A token that is a NUL itself is not shown at all. */
const char *evs__lexer_near(evs__lexer *lexer, const char *message, const evs__token *token)
{
    char room[16];
    const char *source = lexer->source.data;
    int len = (int)(token->at.end - token->at.start);
    if (token->kind == 0)
        return message;
    if (token->kind == EVS__TK_NAME || token->kind == EVS__TK_NUMBER)
        return evs__arena_format(lexer->arena, "%s near '%.*s'", message, len,
                                 source + token->at.start);
    if (token->kind == EVS__TK_STRING) {
        int quote = (int)opening(lexer, token);
        int cut = strlen(token->text.data) < token->text.len;
        return evs__arena_format(lexer->arena, "%s near '%.*s%s%.*s'", message, quote,
                                 source + token->at.start, token->text.data, cut ? 0 : quote,
                                 source + token->at.end - quote);
    }
    return evs__arena_format(lexer->arena, "%s near '%s'", message,
                             evs__token_text(token->kind, room));
}

/* A token that went wrong, with the bytes read so far. */
static void fail_text(evs__lexer *lexer, evs__token *token, const char *message)
{
    token->at.end = lexer->at;
    evs__buf_char(&lexer->text, '\0');
    if (!evs__buf_ok(&lexer->text)) {
        evs__lexer_nomem(lexer);
        return;
    }
    message = evs__arena_format(lexer->arena, "%s near '%s'", message, lexer->text.data);
    evs__lexer_fail(lexer, EVS__PARSE_SYNTAX, token->at, message);
}

/* A token that went wrong; Lua shows `near` and not what it read. */
static void fail_near(evs__lexer *lexer, evs__token *token, const char *message, const char *near)
{
    token->at.end = lexer->at;
    message = evs__arena_format(lexer->arena, "%s near '%s'", message, near);
    evs__lexer_fail(lexer, EVS__PARSE_SYNTAX, token->at, message);
}

/* Takes the bytes from `start` to here into the token's text. */
static void keep_from(evs__lexer *lexer, size_t start)
{
    evs__buf_append(&lexer->text, lexer->source.data + start, lexer->at - start);
}

/* The text without `skip` bytes at its beginning is the token's value. */
static void finish_string(evs__lexer *lexer, evs__token *token, size_t skip)
{
    const evs__buf *text = &lexer->text;
    size_t len = text->len - (evs__buf_ok(text) ? skip : text->len);
    token->text.data = evs__arena_text(lexer->arena, evs__buf_ok(text) ? text->data + skip : "",
                                       len);
    token->text.len = len;
    token->kind = EVS__TK_STRING;
    if (token->text.data == NULL || !evs__buf_ok(text))
        evs__lexer_nomem(lexer);
}

/* At the `[` or `]` of a possible long bracket: skips it and the `=` behind it, as Lua does.
 * Returns their number when the same bracket follows (it is not skipped), else -1 - number. */
static int skip_level(evs__lexer *lexer)
{
    int bracket = peek(lexer, 0);
    int level = 0;
    lexer->at++;
    for (; peek(lexer, 0) == '='; lexer->at++)
        level++;
    return peek(lexer, 0) == bracket ? level : -1 - level;
}

/* Skips to the next line end, to one of the two bytes, or to the end. */
static void skip_plain(evs__lexer *lexer, int a, int b)
{
    int c = peek(lexer, 0);
    while (c != NO_BYTE && !is_line_end(c) && c != a && c != b) {
        lexer->at++;
        c = peek(lexer, 0);
    }
}

/* Remembers the first `[[` inside a long bracket of level 0. */
static void note_nested(evs__lexer *lexer, size_t start)
{
    if (lexer->nested.end > 0)
        return;
    int column = (int)(start - lexer->lines[lexer->nlines - 1]) + 1;
    lexer->nested = (evs__span){start, lexer->at, lexer->line, column};
}

/* The rest of a long string or comment, from its second bracket on. A string's value goes to the
 * lexer's text; `end_out` is where the closing bracket begins. Returns 0 after an error. */
static int long_bracket(evs__lexer *lexer, evs__token *token, int level, size_t *end_out)
{
    int is_string = token->kind == EVS__TK_STRING;
    lexer->at++;
    if (is_line_end(peek(lexer, 0)))
        end_line(lexer);
    for (;;) {
        size_t start = lexer->at;
        int c = peek(lexer, 0);
        if (c == NO_BYTE) {
            fail_near(lexer, token,
                      is_string ? "unfinished long string" : "unfinished long comment", "<eof>");
            return 0;
        }
        if (is_line_end(c)) {
            end_line(lexer);
            evs__buf_char(&lexer->text, '\n');
        } else if (c == '[' || c == ']') {
            int found = skip_level(lexer);
            lexer->at += found == level;
            if (found == level && c == '[' && level == 0)
                note_nested(lexer, start);
            if (found == level && c == ']') {
                *end_out = start;
                return 1;
            }
            keep_from(lexer, start);
        } else {
            skip_plain(lexer, '[', ']');
            keep_from(lexer, start);
        }
    }
}

static void long_string(evs__lexer *lexer, evs__token *token, int level)
{
    size_t end;
    token->kind = EVS__TK_STRING;
    if (long_bracket(lexer, token, level, &end))
        finish_string(lexer, token, 0);
}

/* The decimal escape at the digits behind a backslash: up to three, at most 255. */
static void decimal_escape(evs__lexer *lexer, evs__token *token)
{
    int value = 0;
    for (int i = 0; i < 3 && is_digit(peek(lexer, 0)); i++) {
        value = 10 * value + (peek(lexer, 0) - '0');
        lexer->at++;
    }
    if (value > UCHAR_MAX) {
        fail_text(lexer, token, "escape sequence too large");
        return;
    }
    evs__buf_char(&lexer->text, (char)value);
}

static void escape(evs__lexer *lexer, evs__token *token)
{
    static const char letters[] = "abfnrtv";
    static const char values[] = "\a\b\f\n\r\t\v";
    lexer->at++;
    int c = peek(lexer, 0);
    if (c == NO_BYTE)
        return; /* the string turns out to be unfinished */
    if (is_line_end(c)) {
        end_line(lexer);
        evs__buf_char(&lexer->text, '\n');
        return;
    }
    if (is_digit(c)) {
        decimal_escape(lexer, token);
        return;
    }
    const char *letter = c == 0 ? NULL : strchr(letters, c);
    evs__buf_char(&lexer->text, letter == NULL ? (char)c : values[letter - letters]);
    lexer->at++;
}

static void short_string(evs__lexer *lexer, evs__token *token)
{
    int quote = peek(lexer, 0);
    evs__buf_char(&lexer->text, (char)quote);
    lexer->at++;
    while (!lexer->failed && peek(lexer, 0) != quote) {
        size_t start = lexer->at;
        int c = peek(lexer, 0);
        if (c == NO_BYTE) {
            fail_near(lexer, token, "unfinished string", "<eof>");
        } else if (is_line_end(c)) {
            fail_text(lexer, token, "unfinished string");
        } else if (c == '\\') {
            escape(lexer, token);
        } else {
            skip_plain(lexer, quote, '\\');
            keep_from(lexer, start);
        }
    }
    if (lexer->failed)
        return;
    lexer->at++;
    finish_string(lexer, token, 1);
}

/* Skips the next byte if it is `a` or `b`. Lua asks strchr, which finds a NUL in every set. */
static int skip_either(evs__lexer *lexer, int a, int b)
{
    int c = peek(lexer, 0);
    if (c != a && c != b && c != 0)
        return 0;
    lexer->at++;
    return 1;
}

/* From the first digit, or the digit behind a point. What is no number is found out at the end. */
static void number(evs__lexer *lexer, evs__token *token)
{
    while (is_digit(peek(lexer, 0)) || peek(lexer, 0) == '.')
        lexer->at++;
    if (skip_either(lexer, 'E', 'e'))
        skip_either(lexer, '+', '-');
    while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
        lexer->at++;
    keep_from(lexer, token->at.start);
    token->kind = EVS__TK_NUMBER;
    if (!evs__buf_ok(&lexer->text))
        evs__lexer_nomem(lexer);
    else if (!evs__number_read(&token->number, lexer->text.data))
        fail_text(lexer, token, "malformed number");
}

static int compare_word(const void *key, const void *row)
{
    const evs_bytes *name = key;
    const char *word = *(const char *const *)row;
    int order = strncmp(name->data, word, name->len);
    return order != 0 ? order : -(word[name->len] != '\0');
}

static void name(evs__lexer *lexer, evs__token *token)
{
    while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
        lexer->at++;
    token->text.data = lexer->source.data + token->at.start;
    token->text.len = lexer->at - token->at.start;
    const char *const *word = bsearch(&token->text, token_texts, LAST_WORD - EVS__TK_FIRST,
                                      sizeof *token_texts, compare_word);
    token->kind = word == NULL ? EVS__TK_NAME : EVS__TK_FIRST + 1 + (int)(word - token_texts);
}

static void add_comment(evs__lexer *lexer, const evs__comment *comment)
{
    if (lexer->ncomments == lexer->comment_room) {
        evs__comment *all = grow(lexer, lexer->comments, &lexer->comment_room,
                                 sizeof *lexer->comments);
        if (all == NULL)
            return;
        lexer->comments = all;
    }
    lexer->comments[lexer->ncomments++] = *comment;
}

static int begins_line(const evs__lexer *lexer, evs__span at)
{
    size_t i = at.start - (size_t)(at.column - 1);
    while (i < at.start && is_blank((unsigned char)lexer->source.data[i]))
        i++;
    return i == at.start;
}

/* At `--`. The token is only the place; there is none when the comment ends well. */
static void comment(evs__lexer *lexer, evs__token *token)
{
    evs__comment found = {.own_line = begins_line(lexer, token->at)};
    lexer->at += 2;
    size_t text = lexer->at;
    size_t end = 0;
    int level = peek(lexer, 0) == '[' ? skip_level(lexer) : -1;
    if (level >= 0) {
        found.is_long = 1;
        text = lexer->at + 1;
        token->kind = EVS__TK_EOF;
        if (!long_bracket(lexer, token, level, &end))
            return;
        lexer->text.len = 0;
    } else {
        skip_plain(lexer, NO_BYTE, NO_BYTE);
        end = lexer->at;
    }
    found.at = token->at;
    found.at.end = lexer->at;
    found.text.data = lexer->source.data + text;
    found.text.len = end - text;
    add_comment(lexer, &found);
}

/* Skips blanks, line ends and comments; leaves the token's start. */
static void skip_space(evs__lexer *lexer, evs__token *token)
{
    while (!lexer->failed) {
        int c = peek(lexer, 0);
        token->at.start = token->at.end = lexer->at;
        token->at.line = lexer->line;
        token->at.column = (int)(lexer->at - lexer->lines[lexer->nlines - 1]) + 1;
        if (is_line_end(c))
            end_line(lexer);
        else if (is_blank(c))
            lexer->at++;
        else if (c == '-' && peek(lexer, 1) == '-')
            comment(lexer, token);
        else
            return;
    }
}

/* A `[`: a long string, a bracket, or a long bracket that never got its second half. */
static void bracket(evs__lexer *lexer, evs__token *token)
{
    int level = skip_level(lexer);
    if (level >= 0) {
        long_string(lexer, token, level);
    } else if (level == -1) {
        token->kind = '[';
    } else {
        keep_from(lexer, token->at.start);
        fail_text(lexer, token, "invalid long string delimiter");
    }
}

/* A dot: one, two (concatenation) or three, or the beginning of a number. */
static void dots(evs__lexer *lexer, evs__token *token)
{
    lexer->at++;
    token->kind = '.';
    if (skip_either(lexer, '.', '.'))
        token->kind = skip_either(lexer, '.', '.') ? EVS__TK_DOTS : EVS__TK_CONCAT;
    else if (is_digit(peek(lexer, 0)))
        number(lexer, token);
}

/* `=`, `<`, `>` or `~`, alone or with a `=` behind it. */
static void comparison(evs__lexer *lexer, evs__token *token, int with_equals)
{
    token->kind = peek(lexer, 0);
    lexer->at++;
    if (peek(lexer, 0) == '=') {
        lexer->at++;
        token->kind = with_equals;
    }
}

static void scan(evs__lexer *lexer, evs__token *token)
{
    int c = peek(lexer, 0);
    if (c == NO_BYTE)
        token->kind = EVS__TK_EOF;
    else if (is_letter(c))
        name(lexer, token);
    else if (is_digit(c))
        number(lexer, token);
    else if (c == '"' || c == '\'')
        short_string(lexer, token);
    else if (c == '[')
        bracket(lexer, token);
    else if (c == '.')
        dots(lexer, token);
    else if (c == '=')
        comparison(lexer, token, EVS__TK_EQ);
    else if (c == '<')
        comparison(lexer, token, EVS__TK_LE);
    else if (c == '>')
        comparison(lexer, token, EVS__TK_GE);
    else if (c == '~')
        comparison(lexer, token, EVS__TK_NE);
    else {
        token->kind = c;
        lexer->at++;
    }
}

void evs__lexer_next(evs__lexer *lexer, evs__token *out)
{
    *out = (evs__token){.kind = EVS__TK_EOF};
    evs__buf_clear(&lexer->text);
    skip_space(lexer, out);
    if (!lexer->failed)
        scan(lexer, out);
    if (lexer->failed)
        out->kind = EVS__TK_EOF;
    out->at.end = lexer->at;
}
