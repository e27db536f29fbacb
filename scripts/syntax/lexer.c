/*
 * lexer.c - the lexical grammar of Lua 5.1.
 *
 * Read `scan` first: it says which byte begins what. Line ends are counted in one place,
 * `end_line`; everything else moves by `lexer->at`.
 */
#include "scripts/syntax/lexer.h"

#include "scripts/syntax/lexing.h"
#include "scripts/syntax/number.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAST_WORD = EVS__TK_WHILE };

static const char *const token_texts[] = {
#define TEXT(name, text) text,
    EVS__TOKEN_MAP(TEXT)
#undef TEXT
};

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

void evs__lexer_end_line(evs__lexer *lexer)
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

void evs__lexer_fail_text(evs__lexer *lexer, evs__token *token, const char *message)
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

void evs__lexer_fail_near(evs__lexer *lexer, evs__token *token, const char *message,
                          const char *near)
{
    token->at.end = lexer->at;
    message = evs__arena_format(lexer->arena, "%s near '%s'", message, near);
    evs__lexer_fail(lexer, EVS__PARSE_SYNTAX, token->at, message);
}

void evs__lexer_keep(evs__lexer *lexer, size_t start)
{
    evs__buf_append(&lexer->text, lexer->source.data + start, lexer->at - start);
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
    evs__lexer_keep(lexer, token->at.start);
    token->kind = EVS__TK_NUMBER;
    if (!evs__buf_ok(&lexer->text))
        evs__lexer_nomem(lexer);
    else if (!evs__number_read(&token->number, lexer->text.data))
        evs__lexer_fail_text(lexer, token, "malformed number");
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
    int level = peek(lexer, 0) == '[' ? evs__lexer_level(lexer) : -1;
    if (level >= 0) {
        found.is_long = 1;
        text = lexer->at + 1;
        token->kind = EVS__TK_EOF;
        if (!evs__lexer_long_bracket(lexer, token, level, &end))
            return;
        lexer->text.len = 0;
    } else {
        evs__lexer_skip_plain(lexer, NO_BYTE, NO_BYTE);
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
            evs__lexer_end_line(lexer);
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
    int level = evs__lexer_level(lexer);
    if (level >= 0) {
        evs__lexer_long_string(lexer, token, level);
    } else if (level == -1) {
        token->kind = '[';
    } else {
        evs__lexer_keep(lexer, token->at.start);
        evs__lexer_fail_text(lexer, token, "invalid long string delimiter");
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
        evs__lexer_short_string(lexer, token);
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
