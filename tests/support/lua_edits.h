/*
 * lua_edits.h - ways to rewrite a script that change nothing it does.
 */
#ifndef EVS_TESTS_SUPPORT_LUA_EDITS_H
#define EVS_TESTS_SUPPORT_LUA_EDITS_H

#include <stddef.h>

typedef enum lua_edit_kind {
    LUA_RENAME_LOCALS,    /* every local, but for self and arg */
    LUA_WRAP_IN_FUNCTION, /* all of it in a function that is called once */
    LUA_ALIAS_CALLS,      /* redis.call and redis.pcall by a local variable */
    LUA_SPLIT_TEXTS,      /* 'text' becomes ('te' .. 'xt') */
    LUA_SWAP_LOCALS,      /* neighbours that do not need each other change places */
    LUA_DEAD_CODE,        /* code between statements that never runs */
    LUA_PARENTHESES,      /* around names and constants that are read */
    LUA_EDITS
} lua_edit_kind;

const char *lua_edit_name(lua_edit_kind kind);

/* The script rewritten, to be freed; NULL when there was nothing to do or it does not parse. */
char *lua_edit(const char *source, lua_edit_kind kind);

#endif
