/*
 * token.h - a place in a script, the words of Lua 5.1, and what can be wrong with a text.
 */
#ifndef EVS_SCRIPTS_SYNTAX_TOKEN_H
#define EVS_SCRIPTS_SYNTAX_TOKEN_H

#include <evalshard/base.h>
#include <stdint.h>

enum { EVS__NEWER_ESCAPES = 16 };

/* A stretch of the source. Offsets count bytes from 0, the shebang line included; `end` is the byte
 * after the last one. Line and column are those of `start`, both from 1, columns in bytes. A line
 * ends where Lua ends it: LF, CR, CR LF and LF CR are one end each. */
typedef struct evs__span {
    size_t start, end;
    int line, column;
} evs__span;

/* Kinds of tokens: name and the text Lua shows for it. Words first, in the order of the alphabet.
 * The single-character tokens, and any byte that begins no token, are their own value (0 to 255).
 */
#define EVS__TOKEN_MAP(X)   \
    X(AND, "and")           \
    X(BREAK, "break")       \
    X(DO, "do")             \
    X(ELSE, "else")         \
    X(ELSEIF, "elseif")     \
    X(END, "end")           \
    X(FALSE, "false")       \
    X(FOR, "for")           \
    X(FUNCTION, "function") \
    X(IF, "if")             \
    X(IN, "in")             \
    X(LOCAL, "local")       \
    X(NIL, "nil")           \
    X(NOT, "not")           \
    X(OR, "or")             \
    X(REPEAT, "repeat")     \
    X(RETURN, "return")     \
    X(THEN, "then")         \
    X(TRUE, "true")         \
    X(UNTIL, "until")       \
    X(WHILE, "while")       \
    X(CONCAT, "..")         \
    X(DOTS, "...")          \
    X(EQ, "==")             \
    X(GE, ">=")             \
    X(LE, "<=")             \
    X(NE, "~=")             \
    X(NUMBER, "<number>")   \
    X(NAME, "<name>")       \
    X(STRING, "<string>")   \
    X(EOF, "<eof>")

typedef enum evs__token_kind {
    EVS__TK_FIRST = 256,
#define EVS__TOKEN_ENUM(name, text) EVS__TK_##name,
    EVS__TOKEN_MAP(EVS__TOKEN_ENUM)
#undef EVS__TOKEN_ENUM
} evs__token_kind;

typedef struct evs__token {
    int kind; /* evs__token_kind, or a byte */
    evs__span at;
    evs_bytes text; /* of a NAME: a slice of the source; of a STRING: its value */
    double number;  /* of a NUMBER */
} evs__token;

typedef enum evs__parse_problem {
    EVS__PARSE_OK = 0,
    EVS__PARSE_SYNTAX, /* not Lua 5.1 */
    EVS__PARSE_LIMIT,  /* Lua 5.1, but too much of something */
    EVS__PARSE_SHEBANG /* the first line begins with #! and the server refuses it */
} evs__parse_problem;

typedef struct evs__parse_error {
    evs__parse_problem problem;
    const char *message; /* as the server says it, without "user_script:LINE: "; NULL when OK */
    int line;            /* as the server says it; it may be behind at.line. 0: it says none */
    evs__token token;    /* the token where the parse ended; kind EOF when it is no whole token */
    evs__token before;   /* the one before it; kind EOF at the beginning */
    evs__span at;        /* what to point at: the token, or the begun one that never ended */
} evs__parse_error;

#endif
