/*
 * state.h - what the files of the parser share: its state, and moving over the tokens.
 *
 * An error sticks: the current token becomes EOF, and every production runs to its end without
 * finding anything more. When memory runs out, the functions that make nodes return a spare one,
 * so that productions need not ask; nobody sees that tree.
 */
#ifndef EVS_SCRIPTS_SYNTAX_STATE_H
#define EVS_SCRIPTS_SYNTAX_STATE_H

#include "scripts/syntax/lexer.h"
#include "scripts/syntax/operand.h"
#include "scripts/syntax/parser.h"

/* Lua's LUAI_MAXCCALLS: blocks and expressions around a token. */
enum { EVS__MOST_LEVELS = 200 };

/* A block being parsed. */
typedef struct evs__scope {
    struct evs__scope *outer;
    int nactive;  /* locals in scope around it */
    int is_loop;  /* a `break` inside ends it */
    int captured; /* one of its locals is an upvalue somewhere */
    evs__jumps breaks;
} evs__scope;

/* A function being parsed. */
typedef struct evs__frame {
    struct evs__frame *outer;
    evs__function *function;
    evs__scope *scope; /* the innermost block */
    int line;          /* where Lua says that it begins; 0 for the main function */
    size_t base;       /* its first entry in evs__parser.active */
    unsigned loops;    /* blocks around that are loops */
    int ndeclared;     /* as Lua counts, with the hidden variables of loops */
    evs__code code;
} evs__frame;

typedef struct evs__parser {
    evs__lexer lexer;
    evs__arena *arena;
    const evs__span *inside; /* of all nodes, when the text is a string of a script; or NULL */
    evs__token now;          /* the current token */
    evs__token ahead;        /* the next one, when `has_ahead` */
    evs__token before;       /* the last one that was passed */
    int has_ahead;
    int before_line; /* where the lexer stood when it had read `before` */
    int levels;      /* of nesting */
    size_t nfunctions;
    evs__frame *frame;
    evs__local **active; /* ours: locals of all frames, declared and about to be; NULL if hidden */
    size_t active_room;
    struct {
        evs__expr expr;
        evs__stat stat;
        evs__function function;
        evs__local local;
    } spare;
} evs__parser;

/* The current token is dealt with. */
void evs__parser_advance(evs__parser *parser);
/* Reads the token behind the current one into `ahead`. */
void evs__parser_look(evs__parser *parser);
/* Passes a token of that kind and returns 1; 0 when it is another. */
int evs__parser_accept(evs__parser *parser, int kind);
/* The same, but another token is an error. */
void evs__parser_expect(evs__parser *parser, int kind);
/* Expects `close`, which ends what `open` began in line `line`. */
void evs__parser_close(evs__parser *parser, int close, int open, int line);
/* Passes a name. */
evs__token evs__parser_name(evs__parser *parser);

/* The current token is not what should be there. */
void evs__parser_fail(evs__parser *parser, const char *message);
/* More than `limit` of something in the function of `frame`. */
void evs__parser_check_limit(evs__parser *parser, const evs__frame *frame, int value, int limit,
                             const char *what);

/* One level deeper, of 200; and back. */
void evs__parser_enter(evs__parser *parser);
void evs__parser_leave(evs__parser *parser);

/* From the start of `first` to the end of the last passed token. */
evs__span evs__parser_since(const evs__parser *parser, evs__span first);

/* Nodes. */
evs__expr *evs__parser_expr(evs__parser *parser, evs__expr_kind kind, evs__span start);
evs__stat *evs__parser_stat(evs__parser *parser, evs__stat_kind kind, evs__span start);

/* Room for one more behind `count` items: the array, or a copy of it, which may then be larger.
 * NULL when out of memory, which is recorded. */
void *evs__parser_room(evs__parser *parser, void *items, size_t count, size_t size);
void evs__parser_push(evs__parser *parser, evs__exprs *list, evs__expr *expr);
void evs__parser_push_local(evs__parser *parser, evs__local ***names, size_t *count,
                            evs__local *local);

/* Productions that more than one file uses. `v` is what the compiler would know of the value. */

/* expr -> subexpr */
evs__expr *evs__parse_expr(evs__parser *parser, evs__operand *v);
/* explist1 -> expr {',' expr}; `v` is the last one, the others are in registers */
evs__exprs evs__parse_exprs(evs__parser *parser, evs__operand *v);
/* primaryexp -> prefixexp {'.' NAME | '[' expr ']' | ':' NAME funcargs | funcargs} */
evs__expr *evs__parse_primary(evs__parser *parser, evs__operand *v);
/* constructor -> '{' [field {(',' | ';') field} [',' | ';']] '}' */
evs__expr *evs__parse_constructor(evs__parser *parser, evs__operand *v);
/* A name, resolved. */
evs__expr *evs__parse_variable(evs__parser *parser, evs__operand *v);
/* A passed name as a key, and what the compiler knows of a string. */
evs__expr *evs__parse_key(evs__parser *parser, const evs__token *token);
evs__operand evs__parse_string(evs__parser *parser, evs_bytes text);
/* '.' NAME behind `object`; or ':' NAME, in the name of a method */
evs__expr *evs__parse_field(evs__parser *parser, evs__expr *object, evs__operand *v);
/* body -> '(' parlist ')' chunk END; the expression begins at `start`, and has a parameter `self`
 * when that is a token. Lua says that the function begins in `line`. */
evs__expr *evs__parse_body(evs__parser *parser, evs__span start, const evs__token *self, int line,
                           evs__operand *v);
/* chunk -> {statement [';']} */
evs__block evs__parse_chunk(evs__parser *parser);
/* block -> chunk, with a scope of its own */
evs__block evs__parse_block(evs__parser *parser);
/* cond -> expr; the jumps that are taken when it is false go to `*exit` */
evs__expr *evs__parse_condition(evs__parser *parser, evs__jumps *exit);
/* whilestat, repeatstat and forstat, which begin in line `line`; breakstat; exprstat */
evs__stat *evs__parse_while(evs__parser *parser, int line);
evs__stat *evs__parse_repeat(evs__parser *parser, int line);
evs__stat *evs__parse_for(evs__parser *parser, int line);
evs__stat *evs__parse_break(evs__parser *parser);
evs__stat *evs__parse_exprstat(evs__parser *parser);
/* Brings a list of `have` values, of which `v` is the last, to `wanted` registers. */
void evs__parse_adjust(evs__code *code, int wanted, int have, evs__operand *v);
/* A keyword that ends a chunk, or the end of everything. */
int evs__parse_ends_block(const evs__parser *parser);

#endif
