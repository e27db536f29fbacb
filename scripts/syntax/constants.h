/*
 * constants.h - the constants of one function, each once, numbered as Lua's compiler numbers them.
 *
 * The numbers matter: an instruction can name only the first 256 directly, a later one costs a
 * register; and there can be at most 262,143.
 */
#ifndef EVS_SCRIPTS_SYNTAX_CONSTANTS_H
#define EVS_SCRIPTS_SYNTAX_CONSTANTS_H

#include "core/arena.h"
#include <stdint.h>

enum { EVS__CONSTANTS_MAX = (1 << 18) - 1 };

typedef enum evs__constant_kind {
    EVS__CONSTANT_NIL,
    EVS__CONSTANT_FALSE,
    EVS__CONSTANT_TRUE,
    EVS__CONSTANT_NUMBER,
    EVS__CONSTANT_STRING
} evs__constant_kind;

typedef struct evs__constant {
    evs__constant_kind kind;
    double number;
    evs_bytes text; /* borrowed */
} evs__constant;

/* All zero is the empty set. */
typedef struct evs__constants {
    evs__constant *items; /* in the arena, by number */
    uint32_t *slots;      /* in the arena: 1 + number, 0 for a free one */
    size_t count;
    size_t nslots; /* a power of two, at least twice the count; 0 at the beginning */
} evs__constants;

/* The number of `constant`, which is added when it is new. -1 when out of memory. */
int evs__constants_number(evs__constants *set, evs__arena *arena, const evs__constant *constant);

#endif
