/*
 * lexing.h - what lexer.c and lexer_string.c share: looking at bytes, moving over them,
 * complaining.
 */
#ifndef EVS_SCRIPTS_SYNTAX_LEXING_H
#define EVS_SCRIPTS_SYNTAX_LEXING_H

#include "scripts/syntax/lexer.h"

enum { NO_BYTE = -1 };

/* The byte `ahead` places on; NO_BYTE behind the end. */
static inline int peek(const evs__lexer *lexer, size_t ahead)
{
    if (ahead >= lexer->source.len - lexer->at)
        return NO_BYTE;
    return (unsigned char)lexer->source.data[lexer->at + ahead];
}

static inline int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static inline int is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline int is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static inline int is_line_end(int c)
{
    return c == '\n' || c == '\r';
}

/* Skips one end of line: LF, CR, or the two together in any order. */
void evs__lexer_end_line(evs__lexer *lexer);

/* Skips to the next line end, to one of the two bytes, or to the end. */
void evs__lexer_skip_plain(evs__lexer *lexer, int a, int b);

/* Takes the bytes from `start` to here into the token's text. */
void evs__lexer_keep(evs__lexer *lexer, size_t start);

/* A token that went wrong, with the bytes read so far. */
void evs__lexer_fail_text(evs__lexer *lexer, evs__token *token, const char *message);

/* A token that went wrong; Lua shows `near` and not what it read. */
void evs__lexer_fail_near(evs__lexer *lexer, evs__token *token, const char *message,
                          const char *near);

/* At the `[` or `]` of a possible long bracket: skips it and the `=` behind it, as Lua does.
 * Returns their number when the same bracket follows (it is not skipped), else -1 - number. */
int evs__lexer_level(evs__lexer *lexer);

/* The rest of a long string or comment, from its second bracket on. A string's value goes to the
 * lexer's text; `end_out` is where the closing bracket begins. Returns 0 after an error. */
int evs__lexer_long_bracket(evs__lexer *lexer, evs__token *token, int level, size_t *end_out);

/* A string, from its quote, or from the second bracket of its opening one. */
void evs__lexer_short_string(evs__lexer *lexer, evs__token *token);
void evs__lexer_long_string(evs__lexer *lexer, evs__token *token, int level);

#endif
