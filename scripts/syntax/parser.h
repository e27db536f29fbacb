/*
 * parser.h - Lua 5.1 text to a tree. Knows no Redis, but for its first line.
 *
 * Accepts what SCRIPT LOAD of Redis 7 accepts, no more and no less: the grammar of Lua 5.1, its
 * compile limits (200 locals, 60 upvalues, 200 levels, 250 registers, ...), and a shebang line that
 * the server understands. The first error ends the parse and is told in Lua's words.
 *
 *   lexer.h       bytes to tokens
 *   state.h       the parser's state; the productions are in statement.c, loop.c, assignment.c,
 *                 function.c, expression.c and constructor.c, one function each
 *   scope.h       what a name means
 *   operand.h     what Lua's own compiler would run out of, over code.h and constants.h
 *   shebang.h     the first line
 */
#ifndef EVS_SCRIPTS_SYNTAX_PARSER_H
#define EVS_SCRIPTS_SYNTAX_PARSER_H

#include "scripts/syntax/ast.h"

#include <evalshard/audit.h>

typedef struct evs__chunk {
    evs_bytes source;    /* borrowed from the caller */
    evs__function *main; /* NULL when it did not parse */
    evs__parse_error error;
    evs_bytes shebang;            /* "#!lua ..." without its line feed; empty when there is none */
    int is_library;               /* its first line names a library of functions: whoever hid that
                                     line from the parser says so */
    const evs__comment *comments; /* in order; those before the error when there is one */
    size_t ncomments;
    evs__span nested; /* the first [[ inside [[ ]], which older servers refuse (see lexer.h);
                         empty when there is none */
    evs__span newer[EVS__NEWER_ESCAPES]; /* escapes in strings that newer Luas read in another way;
                                            the first ones of many */
    size_t nnewer;
    size_t nfunctions;   /* the main one included: evs__function.number is below this */
    const size_t *lines; /* offset where each line begins, as far as the parse came */
    size_t nlines;
    const evs_hole *holes; /* what is not known of the source; set by whoever knows */
    size_t nholes;
} evs__chunk;

/* Parses `source`, which must outlive the tree. 1 and a chunk, whose `error` tells whether it
 * parsed; 0 when out of memory, `*out` untouched. All memory is the arena's. */
int evs__lua_parse(evs__chunk **out, evs__arena *arena, evs_bytes source);

/* The same for a text that a script compiles, a string that stands at `at`: there is no shebang,
 * and all nodes are at that place, in the source of the script. */
int evs__lua_parse_inside(evs__chunk **out, evs__arena *arena, evs_bytes source, evs__span at);

/* A span as the public headers have it, end exclusive. */
evs_span evs__span_public(const evs__chunk *chunk, evs__span span);

/* The first hole that the span has a part in; NULL when all of it is known. */
const evs_hole *evs__chunk_hole(const evs__chunk *chunk, evs__span span);

/* Line and column of an offset, both from 1. */
void evs__chunk_place(const evs__chunk *chunk, size_t offset, int *line, int *column);

#endif
