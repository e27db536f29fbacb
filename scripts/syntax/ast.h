/*
 * ast.h - a Lua 5.1 script as a tree.
 *
 * The tree lives in the arena given to evs__lua_parse and dies with it; names are slices of the
 * source, which must live as long. Nothing changes after parsing. Every node has a span.
 *
 * Names are resolved: a name is a global, or it points to the declaration it means. Declarations
 * say how often they are assigned and whether closures capture them.
 *
 * How deep trees are. Blocks, and expressions nested to the right or in parentheses, are at most
 * 200 levels deep, as in Lua. To the left there is no bound: `1+1+1+...` is a left spine of BINARY
 * nodes as long as the script, and `a.b.c...` or `f()()()...` one of INDEX, CALL and METHOD nodes.
 * `height` says how deep a node is, so whoever walks by recursion can decline in time.
 *
 * Syntactic sugar is kept where it is visible: `a.b` and `a["b"]` are both INDEX (flag `dotted`),
 * `function t:m()` is a FUNCTION statement with the target `t.m` whose function has a first
 * parameter of kind SELF, `f"x"` and `f{...}` are CALLs with one argument.
 */
#ifndef EVS_SCRIPTS_SYNTAX_AST_H
#define EVS_SCRIPTS_SYNTAX_AST_H

#include "core/arena.h"
#include "core/buf.h"
#include "scripts/syntax/token.h"

typedef struct evs__expr evs__expr;
typedef struct evs__stat evs__stat;
typedef struct evs__function evs__function;

/* ---- names ---- */

typedef enum evs__local_kind {
    EVS__LOCAL_PLAIN,     /* local x */
    EVS__LOCAL_FUNCTION,  /* local function f */
    EVS__LOCAL_PARAMETER, /* function (p) */
    EVS__LOCAL_SELF,      /* the `self` of function t:m() */
    EVS__LOCAL_ARG, /* the `arg` that a function with `...` has besides; never in the main one */
    EVS__LOCAL_FOR  /* a variable of a numeric or generic for */
} evs__local_kind;

/* A declaration. One that is never assigned holds its first value for good; for a captured one that
 * is assigned, `assigned_by_closure` and the offsets say how much order is known. */
typedef struct evs__local {
    evs__local_kind kind;
    evs_bytes name;
    evs__span at;               /* the name; of SELF and ARG, where they come from */
    const evs__function *owner; /* the function it is local to */
    size_t index;               /* counts the declarations of its function, from 0 */
    unsigned loops;             /* loops of its function around the declaration */
    unsigned assignments;       /* besides the declaration's own value */
    unsigned uses;              /* reads and assignments, also from closures */
    int captured;               /* some function inside uses it */
    int assigned_by_closure;    /* some function inside assigns it */
    int assigned_in_loop;   /* an assignment stands in a loop that the declaration is outside of,
                               or in a function inside */
    size_t first_capture;   /* start of the first function that captures it */
    size_t last_assignment; /* offset of the last assignment in the text */
} evs__local;

typedef enum evs__binding {
    EVS__BOUND_GLOBAL,
    EVS__BOUND_LOCAL,  /* declared in the function where the name stands */
    EVS__BOUND_UPVALUE /* declared in a function around it */
} evs__binding;

/* ---- expressions ---- */

typedef struct evs__exprs {
    evs__expr **items;
    size_t count;
} evs__exprs;

typedef enum evs__expr_kind {
    EVS__EXPR_NIL,
    EVS__EXPR_TRUE,
    EVS__EXPR_FALSE,
    EVS__EXPR_NUMBER,   /* as.number */
    EVS__EXPR_STRING,   /* as.string */
    EVS__EXPR_VARARG,   /* ... */
    EVS__EXPR_FUNCTION, /* as.function */
    EVS__EXPR_NAME,     /* as.name */
    EVS__EXPR_INDEX,    /* as.index */
    EVS__EXPR_CALL,     /* as.call */
    EVS__EXPR_METHOD,   /* as.method */
    EVS__EXPR_BINARY,   /* as.binary */
    EVS__EXPR_UNARY,    /* as.unary */
    EVS__EXPR_TABLE,    /* as.table */
    EVS__EXPR_PAREN     /* as.paren: exactly one value */
} evs__expr_kind;

typedef enum evs__binary_op {
    EVS__OP_ADD,
    EVS__OP_SUB,
    EVS__OP_MUL,
    EVS__OP_DIV,
    EVS__OP_MOD,
    EVS__OP_POW,
    EVS__OP_CONCAT,
    EVS__OP_NE,
    EVS__OP_EQ,
    EVS__OP_LT,
    EVS__OP_LE,
    EVS__OP_GT,
    EVS__OP_GE,
    EVS__OP_AND,
    EVS__OP_OR
} evs__binary_op;

typedef enum evs__unary_op { EVS__OP_NEG, EVS__OP_NOT, EVS__OP_LEN } evs__unary_op;

typedef struct evs__name {
    evs_bytes text;
    evs__binding binding;
    evs__local *local; /* NULL for a global */
} evs__name;

/* object.key (dotted) or object[key]. A dotted key is a STRING whose span is the name. */
typedef struct evs__index {
    evs__expr *object;
    evs__expr *key;
    int dotted;
} evs__index;

/* The last argument, if it is a CALL, METHOD or VARARG, passes all its values. */
typedef struct evs__call_expr {
    evs__expr *callee;
    evs__exprs args;
} evs__call_expr;

/* object:name(args) */
typedef struct evs__method_expr {
    evs__expr *object;
    evs_bytes name;
    evs__span name_at;
    evs__exprs args;
} evs__method_expr;

typedef struct evs__binary {
    evs__binary_op op;
    evs__span op_at;
    evs__expr *left;
    evs__expr *right;
} evs__binary;

typedef struct evs__unary {
    evs__unary_op op;
    evs__expr *operand;
} evs__unary;

typedef enum evs__item_kind {
    EVS__ITEM_POSITION, /* value: the next of 1, 2, ...; the last one may pass all its values */
    EVS__ITEM_NAME,     /* name = value: the key is a STRING whose span is the name */
    EVS__ITEM_KEY       /* [key] = value */
} evs__item_kind;

typedef struct evs__item {
    evs__item_kind kind;
    evs__expr *key; /* NULL for POSITION */
    evs__expr *value;
} evs__item;

typedef struct evs__table_expr {
    evs__item *items;
    size_t count;
} evs__table_expr;

struct evs__expr {
    evs__expr_kind kind;
    unsigned
        height; /* 1 for a leaf, else 1 + that of the highest child; functions count as leaves */
    evs__span at;
    union {
        double number;
        evs_bytes string;
        evs__function *function;
        evs__name name;
        evs__index index;
        evs__call_expr call;
        evs__method_expr method;
        evs__binary binary;
        evs__unary unary;
        evs__table_expr table;
        evs__expr *paren;
    } as;
};

/* ---- statements ---- */

typedef struct evs__block {
    evs__stat *first; /* a list by `next`; NULL when empty */
    evs__span at;     /* from the first statement to the last; empty when there is none */
} evs__block;

/* A function expression, the function of a statement, or the main chunk. */
struct evs__function {
    evs__span at;          /* from `function` to the end of `end`; the main one: everything */
    evs__function *parent; /* NULL for the main function */
    unsigned depth;        /* 0 for the main function */
    size_t number; /* counts the functions of the chunk in the order of the text, main is 0 */
    evs__local **parameters; /* SELF first when there is one; without ARG */
    size_t nparameters;
    int vararg;            /* it has `...`; always so for the main function */
    evs__local *arg;       /* the implicit `arg`; NULL without `...` and in the main function */
    evs__local **upvalues; /* what it captures, also on behalf of functions inside it */
    size_t nupvalues;
    size_t nlocals; /* declarations in it, parameters included: evs__local.index is below this */
    evs__block body;
};

typedef enum evs__stat_kind {
    EVS__STAT_LOCAL,          /* as.local */
    EVS__STAT_LOCAL_FUNCTION, /* as.local_function */
    EVS__STAT_ASSIGN,         /* as.assign */
    EVS__STAT_CALL,           /* as.call: a CALL or METHOD expression */
    EVS__STAT_DO,             /* as.block */
    EVS__STAT_WHILE,          /* as.loop */
    EVS__STAT_REPEAT,         /* as.loop: the condition sees the block's locals */
    EVS__STAT_IF,             /* as.branch */
    EVS__STAT_FOR,            /* as.count */
    EVS__STAT_FOR_IN,         /* as.each */
    EVS__STAT_FUNCTION,       /* as.function */
    EVS__STAT_RETURN,         /* as.values */
    EVS__STAT_BREAK
} evs__stat_kind;

typedef struct evs__local_stat {
    evs__local **names;
    size_t nnames;
    evs__exprs values; /* may be fewer or more than names */
} evs__local_stat;

/* The function sees its own name. */
typedef struct evs__local_function_stat {
    evs__local *name;
    evs__expr *function; /* a FUNCTION expression */
} evs__local_function_stat;

typedef struct evs__assign_stat {
    evs__exprs targets; /* NAME or INDEX */
    evs__exprs values;
} evs__assign_stat;

typedef struct evs__loop_stat {
    evs__expr *condition;
    evs__block block;
} evs__loop_stat;

typedef struct evs__arm {
    evs__expr *condition; /* NULL for `else` */
    evs__block block;
} evs__arm;

typedef struct evs__branch_stat {
    evs__arm *arms; /* at least one; only the last can be `else` */
    size_t narms;
} evs__branch_stat;

typedef struct evs__count_stat {
    evs__local *name;
    evs__expr *start;
    evs__expr *limit;
    evs__expr *step; /* NULL when not written: 1 */
    evs__block block;
} evs__count_stat;

typedef struct evs__each_stat {
    evs__local **names; /* at least one */
    size_t nnames;
    evs__exprs values;
    evs__block block;
} evs__each_stat;

/* function a.b.c() and function a.b:c(): the target is a NAME, or INDEX nodes (all dotted). */
typedef struct evs__function_stat {
    evs__expr *target;
    evs__expr *function; /* a FUNCTION expression */
    int method;          /* written with a colon: the first parameter is SELF */
} evs__function_stat;

struct evs__stat {
    evs__stat_kind kind;
    evs__span at; /* without a `;` behind it */
    evs__stat *next;
    union {
        evs__local_stat local;
        evs__local_function_stat local_function;
        evs__assign_stat assign;
        evs__expr *call;
        evs__block block;
        evs__loop_stat loop;
        evs__branch_stat branch;
        evs__count_stat count;
        evs__each_stat each;
        evs__function_stat function;
        evs__exprs values;
    } as;
};

/* ---- the whole ---- */

typedef struct evs__comment {
    evs__span at;   /* all of it, without the end of the line behind a short one */
    evs_bytes text; /* behind `--`, or between the long brackets; a slice of the source */
    int is_long;    /* --[[ ]] or --[=[ ]=] */
    int own_line;   /* only blanks stand before it on its line */
} evs__comment;

/* Text as Lua writes it: (local (a) (1 "x")). For tests and for people; the form may change.
 * Strings are quoted with \ddd for bytes outside of printable ASCII. */
void evs__ast_dump(evs__buf *out, const evs__function *main);
void evs__ast_dump_expr(evs__buf *out, const evs__expr *expr);

/* "+", "and", "==", ...; "-", "not", "#". Static. */
const char *evs__binary_text(evs__binary_op op);
const char *evs__unary_text(evs__unary_op op);

#endif
