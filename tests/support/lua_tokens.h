/*
 * lua_tokens.h - a script as a list of words, and scripts made by changing such lists at random.
 */
#ifndef EVS_TESTS_SUPPORT_LUA_TOKENS_H
#define EVS_TESTS_SUPPORT_LUA_TOKENS_H

#include "scripts/syntax/token.h"
#include "tests/support/lua_corpus.h"

enum { LUA_TOKENS_MAX = 4000, LUA_MUTANT_MAX = 1 << 16 };

/* One word; `text` points into the script it comes from. */
typedef struct lua_token {
    int kind; /* evs__token_kind, or a byte */
    evs_bytes text;
} lua_token;

typedef struct lua_tokens {
    lua_token items[LUA_TOKENS_MAX];
    size_t count;
} lua_tokens;

/* Up to the first thing that is no word, or to the end. Comments are left out. */
void lua_tokens_read(lua_tokens *out, const char *text);

int lua_token_is(const lua_token *token, const char *text);

/* Writes words with blanks between them into `out`, and into loops and functions calls of `fuel`,
 * which ends a script that would run for ever; 0 when there is no room. */
int lua_tokens_write(char out[LUA_MUTANT_MAX], const lua_tokens *tokens);

/* A script of the corpus with some changes: words replaced by words of the same kind, taken away,
 * said twice, exchanged; pieces of other scripts put in. Most of them parse. */
void lua_mutate(lua_tokens *out, const lua_corpus *corpus, uint64_t seed);

#endif
