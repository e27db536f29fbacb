/*
 * lua_writer.h - random scripts, made of the ways in which scripts get at keys.
 *
 * Each call of a command has its line as its last argument, as in "L17"; calls that go through a
 * wrapper have its line too. Scripts end, whatever is in KEYS and ARGV: they have fuel.
 */
#ifndef EVS_TESTS_SUPPORT_LUA_WRITER_H
#define EVS_TESTS_SUPPORT_LUA_WRITER_H

#include <stddef.h>
#include <stdint.h>

enum { LUA_WRITER_MAX = 65536 };

typedef struct lua_writer {
    char text[LUA_WRITER_MAX];
    size_t len;
    int line;
    int wrapper_line; /* of the call that others go through */
    uint64_t random;
    unsigned bad; /* one in how many expressions is no key; 0: none */
    int reads;    /* no command writes */
    int derives;  /* keys go through functions that make strings of strings */
    int in_function;
    int loops;
} lua_writer;

/* A script, or a library with the function "g". The same seed gives the same text. */
void lua_write(lua_writer *w, uint64_t seed, int is_library);

#endif
