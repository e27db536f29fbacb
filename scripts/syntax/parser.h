/*
 * parser.h - Lua 5.1 text to a tree. Knows no Redis, but for its first line.
 *
 * Accepts what SCRIPT LOAD of Redis 7 accepts, no more and no less: the grammar of Lua 5.1, its
 * compile limits (200 locals, 60 upvalues, 200 levels, 250 registers, ...), and a shebang line that
 * the server understands. The first error ends the parse and is told in Lua's words.
 *
 *   lexer.h     bytes to tokens
 *   scope.h     what a name means
 *   registers.h what Lua's own compiler would run out of
 *   statement.c, expression.c   the grammar, one function per production
 */
#ifndef EVS_SCRIPTS_SYNTAX_PARSER_H
#define EVS_SCRIPTS_SYNTAX_PARSER_H

#include "scripts/syntax/ast.h"

#include <evalshard/audit.h>

typedef enum evs__parse_problem {
    EVS__PARSE_OK = 0,
    EVS__PARSE_SYNTAX, /* not Lua 5.1 */
    EVS__PARSE_LIMIT,  /* Lua 5.1, but too much of something */
    EVS__PARSE_SHEBANG /* the first line begins with #! and the server refuses it */
} evs__parse_problem;

typedef struct evs__parse_error {
    evs__parse_problem problem;
    const char *message; /* as the server says it, without "user_script:LINE: "; NULL when OK */
    int line;            /* as the server says it; it may be behind at.line. 0: it says none */
    evs__token token;    /* the token where the parse ended */
    evs__token before;   /* the one before it; kind EOF at the beginning */
    evs__span at;        /* what to point at: the token's span, or a better one */
} evs__parse_error;

typedef struct evs__chunk {
    evs_bytes source;    /* borrowed from the caller */
    evs__function *main; /* NULL when it did not parse */
    evs__parse_error error;
    evs_bytes shebang;            /* "#!lua ..." without its line feed; empty when there is none */
    const evs__comment *comments; /* in order; those before the error when there is one */
    size_t ncomments;
    size_t nfunctions;   /* the main one included: evs__function.number is below this */
    const size_t *lines; /* offset where each line begins, as far as the parse came */
    size_t nlines;
} evs__chunk;

/* Parses `source`, which must outlive the tree. 1 and a chunk, whose `error` tells whether it
 * parsed; 0 when out of memory, `*out` untouched. All memory is the arena's. */
int evs__lua_parse(evs__chunk **out, evs__arena *arena, evs_bytes source);

/* A span as the public headers have it, end exclusive. */
evs_span evs__span_public(const evs__chunk *chunk, evs__span span);

/* Line and column of an offset, both from 1. */
void evs__chunk_place(const evs__chunk *chunk, size_t offset, int *line, int *column);

#endif
