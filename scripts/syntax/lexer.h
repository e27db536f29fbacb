/*
 * lexer.h - bytes to tokens, one at a time.
 *
 * Follows Lua 5.1 to the byte, its oddities included: a NUL counts as a second dot behind a dot
 * and as the exponent letter of a number. Letters are those of ASCII whatever the locale; the
 * decimal point is a point. `[[` inside of `[[` is noted and read like any text, as servers do
 * since the fix of CVE-2025-46819; older ones refuse it.
 *
 * The first error sticks: from then on every token is EOF.
 */
#ifndef EVS_SCRIPTS_SYNTAX_LEXER_H
#define EVS_SCRIPTS_SYNTAX_LEXER_H

#include "core/arena.h"
#include "core/buf.h"
#include "scripts/syntax/ast.h"

typedef struct evs__lexer {
    evs__arena *arena; /* the caller's */
    evs_bytes source;
    size_t at;     /* the next byte */
    int line;      /* its line: what Lua puts in front of a message */
    evs__buf text; /* of the string or number being read; kept to be used again */
    size_t *lines; /* where each line begins; in the arena */
    size_t nlines, line_room;
    evs__comment *comments; /* in the arena */
    size_t ncomments, comment_room;
    evs__span newer[EVS__NEWER_ESCAPES]; /* escapes that newer Luas read in another way */
    size_t nnewer;
    evs__span nested;       /* the first [[ inside [[ ]]; empty when there is none */
    evs__parse_error error; /* the first; problem OK while there is none */
    int failed;             /* there is an error, or memory ran out */
    int nomem;
} evs__lexer;

/* Begins at offset `at`, which is in the first line. */
void evs__lexer_init(evs__lexer *lexer, evs__arena *arena, evs_bytes source, size_t at);
void evs__lexer_free(evs__lexer *lexer);

/* Reads the next token; EOF at the end and after an error. */
void evs__lexer_next(evs__lexer *lexer, evs__token *out);

/* Records the first error, with the line where the lexer stands; later calls do nothing. A NULL
 * message means that memory ran out. _fail points at a stretch of source that is no whole token,
 * _blame at the token `now`. */
void evs__lexer_fail(evs__lexer *lexer, evs__parse_problem problem, evs__span at,
                     const char *message);
void evs__lexer_blame(evs__lexer *lexer, evs__parse_problem problem, const char *message,
                      const evs__token *now, const evs__token *before);

/* Records that memory ran out. */
void evs__lexer_nomem(evs__lexer *lexer);

/* A kind as Lua shows it in messages: "end", "(", "char(27)". In `room`, or static. */
const char *evs__token_text(int kind, char room[16]);

/* `message near 'TOKEN'`, as Lua words it; in the arena, NULL when out of memory. */
const char *evs__lexer_near(evs__lexer *lexer, const char *message, const evs__token *token);

#endif
