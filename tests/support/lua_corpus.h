/*
 * lua_corpus.h - all the Lua that is in this repository: idioms, what rules call bad and good, the
 * auditor's own cases, the scripts we ship.
 */
#ifndef EVS_TESTS_SUPPORT_LUA_CORPUS_H
#define EVS_TESTS_SUPPORT_LUA_CORPUS_H

#include <stddef.h>

typedef struct lua_script {
    char name[96];
    char *text;
} lua_script;

typedef struct lua_corpus {
    lua_script *scripts;
    size_t count;
} lua_corpus;

/* Ends the test program when something cannot be read. In the same order every time. */
void lua_corpus_load(lua_corpus *out);
void lua_corpus_free(lua_corpus *corpus);

#endif
