/*
 * token.h - a place in a script, and the words of Lua 5.1.
 */
#ifndef EVS_SCRIPTS_SYNTAX_TOKEN_H
#define EVS_SCRIPTS_SYNTAX_TOKEN_H

#include <evalshard/base.h>
#include <stdint.h>

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

#endif
