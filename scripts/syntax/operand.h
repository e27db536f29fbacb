/*
 * operand.h - where the value of an expression would be while Lua compiles it.
 *
 * Lua's compiler keeps each expression in a description until it knows what the value is for: a
 * local variable stays where it is, a constant goes into an instruction, a call's result gets a
 * register. How many registers a script needs follows from that, so the parser carries the same
 * descriptions along and discards them (see code.h for why).
 */
#ifndef EVS_SCRIPTS_SYNTAX_OPERAND_H
#define EVS_SCRIPTS_SYNTAX_OPERAND_H

#include "scripts/syntax/code.h"

typedef enum evs__operand_kind {
    EVS__OPERAND_VOID, /* an empty list of expressions */
    EVS__OPERAND_NIL,
    EVS__OPERAND_TRUE,
    EVS__OPERAND_FALSE,
    EVS__OPERAND_STRING,  /* `constant` */
    EVS__OPERAND_NUMBER,  /* `number` */
    EVS__OPERAND_LOCAL,   /* `at` */
    EVS__OPERAND_UPVALUE, /* not fetched yet */
    EVS__OPERAND_GLOBAL,  /* not fetched yet */
    EVS__OPERAND_INDEXED, /* object in `at`, key in `key`; not fetched yet */
    EVS__OPERAND_JUMP,    /* a comparison: `jump` is taken when it is true */
    EVS__OPERAND_LOOSE,   /* computed, the instruction can still choose its register */
    EVS__OPERAND_FIXED,   /* in register `at` */
    EVS__OPERAND_CALL,    /* results from register `at` on, as many as wanted */
    EVS__OPERAND_VARARG   /* as many values as wanted */
} evs__operand_kind;

/* Which instruction made a LOOSE value, where that makes a difference. */
typedef enum evs__operand_maker {
    EVS__MADE_ANYHOW,
    EVS__MADE_BY_NOT,   /* a condition swallows it */
    EVS__MADE_BY_CONCAT /* a concatenation to its left swallows it */
} evs__operand_maker;

typedef struct evs__operand {
    evs__operand_kind kind;
    evs__operand_maker maker;
    int at;
    int key; /* -1 for a constant */
    int constant;
    double number;
    evs__jumps jump;
    evs__jumps yes; /* jumps that leave the expression when it is true */
    evs__jumps no;  /* and when it is false */
} evs__operand;

evs__operand evs__operand_of(evs__operand_kind kind);
evs__operand evs__operand_in(evs__operand_kind kind, int at);

int evs__operand_is_many(const evs__operand *v);

/* Fetches a variable; a call or `...` gives one value. */
void evs__operand_load(evs__code *code, evs__operand *v);
/* Into the next free register. */
void evs__operand_next(evs__code *code, evs__operand *v);
/* Into any register. */
void evs__operand_any(evs__code *code, evs__operand *v);
/* A value, no pending jumps. */
void evs__operand_value(evs__code *code, evs__operand *v);
/* Into a register, or a constant that an instruction can name. */
void evs__operand_nameable(evs__code *code, evs__operand *v);
/* Lets a call or `...` give as many values as it has, or as many as are wanted. */
void evs__operand_spread(evs__code *code, const evs__operand *v);

/* `table` becomes table[key]. */
void evs__operand_index(evs__code *code, evs__operand *table, evs__operand *key);
/* `object` becomes the function object:key, with the object behind it. */
void evs__operand_self(evs__code *code, evs__operand *object, evs__operand *key);
/* variable = value */
void evs__operand_store(evs__code *code, const evs__operand *variable, evs__operand *value);

/* The jumps that are taken when `v` is false; goes on when it is true. */
evs__jumps evs__operand_condition(evs__code *code, evs__operand *v);

/* An operator in front of `v`; one behind `v`, before and after its right operand was read. */
void evs__operand_unary(evs__code *code, evs__unary_op op, evs__operand *v);
void evs__operand_left(evs__code *code, evs__binary_op op, evs__operand *v);
void evs__operand_binary(evs__code *code, evs__binary_op op, evs__operand *left,
                         evs__operand *right);

#endif
