/*
 * lexer_string.c - strings, short and long, and the long brackets of comments.
 */
#include "scripts/syntax/lexing.h"

#include <limits.h>
#include <string.h>

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

int evs__lexer_level(evs__lexer *lexer)
{
    int bracket = peek(lexer, 0);
    int level = 0;
    lexer->at++;
    for (; peek(lexer, 0) == '='; lexer->at++)
        level++;
    return peek(lexer, 0) == bracket ? level : -1 - level;
}

void evs__lexer_skip_plain(evs__lexer *lexer, int a, int b)
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

int evs__lexer_long_bracket(evs__lexer *lexer, evs__token *token, int level, size_t *end_out)
{
    int is_string = token->kind == EVS__TK_STRING;
    lexer->at++;
    if (is_line_end(peek(lexer, 0)))
        evs__lexer_end_line(lexer);
    for (;;) {
        size_t start = lexer->at;
        int c = peek(lexer, 0);
        if (c == NO_BYTE) {
            evs__lexer_fail_near(lexer, token,
                                 is_string ? "unfinished long string" : "unfinished long comment",
                                 "<eof>");
            return 0;
        }
        if (is_line_end(c)) {
            evs__lexer_end_line(lexer);
            evs__buf_char(&lexer->text, '\n');
        } else if (c == '[' || c == ']') {
            int found = evs__lexer_level(lexer);
            lexer->at += found == level;
            if (found == level && c == '[' && level == 0)
                note_nested(lexer, start);
            if (found == level && c == ']') {
                *end_out = start;
                return 1;
            }
            evs__lexer_keep(lexer, start);
        } else {
            evs__lexer_skip_plain(lexer, '[', ']');
            evs__lexer_keep(lexer, start);
        }
    }
}

void evs__lexer_long_string(evs__lexer *lexer, evs__token *token, int level)
{
    size_t end;
    token->kind = EVS__TK_STRING;
    if (evs__lexer_long_bracket(lexer, token, level, &end))
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
        evs__lexer_fail_text(lexer, token, "escape sequence too large");
        return;
    }
    evs__buf_char(&lexer->text, (char)value);
}

static int is_hex(int c)
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* `\x41`, `\z` and `\u{41}` are letters to Lua 5.1. The lexer stands at the letter. */
static void note_newer(evs__lexer *lexer, int letter)
{
    int next = peek(lexer, 1);
    int meant = letter == 'z' || (letter == 'u' ? next == '{' : is_hex(next));
    if (!meant || lexer->nnewer == EVS__NEWER_ESCAPES)
        return;
    size_t start = lexer->at - 1;
    int column = (int)(start - lexer->lines[lexer->nlines - 1]) + 1;
    lexer->newer[lexer->nnewer++] = (evs__span){start, lexer->at + 1, lexer->line, column};
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
        evs__lexer_end_line(lexer);
        evs__buf_char(&lexer->text, '\n');
        return;
    }
    if (is_digit(c)) {
        decimal_escape(lexer, token);
        return;
    }
    const char *letter = c == 0 ? NULL : strchr(letters, c);
    if (c == 'x' || c == 'z' || c == 'u')
        note_newer(lexer, c);
    evs__buf_char(&lexer->text, letter == NULL ? (char)c : values[letter - letters]);
    lexer->at++;
}

void evs__lexer_short_string(evs__lexer *lexer, evs__token *token)
{
    int quote = peek(lexer, 0);
    evs__buf_char(&lexer->text, (char)quote);
    lexer->at++;
    while (!lexer->failed && peek(lexer, 0) != quote) {
        size_t start = lexer->at;
        int c = peek(lexer, 0);
        if (c == NO_BYTE) {
            evs__lexer_fail_near(lexer, token, "unfinished string", "<eof>");
        } else if (is_line_end(c)) {
            evs__lexer_fail_text(lexer, token, "unfinished string");
        } else if (c == '\\') {
            escape(lexer, token);
        } else {
            evs__lexer_skip_plain(lexer, quote, '\\');
            evs__lexer_keep(lexer, start);
        }
    }
    if (lexer->failed)
        return;
    lexer->at++;
    finish_string(lexer, token, 1);
}
