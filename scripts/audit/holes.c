/*
 * Where the holes of a script are, told by its tokens.
 */
#include "scripts/audit/facts.h"

#include "scripts/syntax/lexer.h"

/* A hole in the token makes its place known; one that is in no token is in a comment. */
static void look(evs__holefact *holes, const evs__chunk *chunk, const evs__token *token,
                 int is_called)
{
    const evs_hole *hole = evs__chunk_hole(chunk, token->at);
    for (; hole != NULL && hole < chunk->holes + chunk->nholes && hole->begin < token->at.end;
         hole++)
        holes[hole - chunk->holes].place = token->kind == EVS__TK_STRING ? EVS__HOLE_IN_STRING
                                           : is_called                   ? EVS__HOLE_CODE
                                                                         : EVS__HOLE_VALUE;
}

/* A hole that is a call reaches to behind its parentheses. */
static int is_call(const evs__chunk *chunk, const evs__token *token)
{
    const evs_hole *hole = evs__chunk_hole(chunk, token->at);
    return token->kind == EVS__TK_NAME && hole != NULL && hole->end > token->at.end;
}

static void look_at_tokens(evs__holefact *holes, evs__arena *arena, const evs__chunk *chunk)
{
    evs__lexer lexer;
    evs__token token;
    int called = 0;
    evs__lexer_init(&lexer, arena, chunk->source, chunk->shebang.len);
    do {
        evs__lexer_next(&lexer, &token);
        called = is_call(chunk, &token) || (called && (token.kind == '(' || token.kind == ')'));
        if (token.kind != EVS__TK_EOF)
            look(holes, chunk, &token, called);
    } while (token.kind != EVS__TK_EOF);
    evs__lexer_free(&lexer);
}

void evs__facts_holes(evs__facts *out, evs__pool *pool, const evs__chunk *chunk)
{
    if (chunk->nholes == 0)
        return;
    evs__holefact *holes = evs__pool_alloc(pool, chunk->nholes, sizeof *holes);
    if (holes == NULL)
        return;
    for (size_t i = 0; i < chunk->nholes; i++) {
        evs__span at = {chunk->holes[i].begin, chunk->holes[i].end, 1, 1};
        evs__chunk_place(chunk, at.start, &at.line, &at.column);
        holes[i].at = evs__span_public(chunk, at);
        holes[i].code = chunk->holes[i].code;
        holes[i].place = EVS__HOLE_IN_COMMENT;
    }
    look_at_tokens(holes, &pool->arena, chunk);
    out->holes = holes;
    out->nholes = chunk->nholes;
}
