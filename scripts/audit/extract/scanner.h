/*
 * scanner.h - the text of a host program as tokens.
 *
 * Only as much of a language is understood as is needed to know where its string literals begin and
 * end and what stands around them: comments vanish, words and numbers are one token each, every
 * other byte is a sign. Code inside of literals is scanned like all code; its tokens follow that of
 * the literal, and `nesting` counts the literals around.
 *
 * A program that does not compile, or a dialect that is not known, costs what stands there and no
 * more: a quote without its end is a sign like any other.
 */
#ifndef EVS_SCRIPTS_AUDIT_EXTRACT_SCANNER_H
#define EVS_SCRIPTS_AUDIT_EXTRACT_SCANNER_H

#include "core/arena.h"

#include <evalshard/base.h>

typedef struct evs__language evs__language;

typedef enum evs__host_kind {
    EVS__HOST_WORD,
    EVS__HOST_NUMBER,
    EVS__HOST_SIGN,
    EVS__HOST_LITERAL
} evs__host_kind;

typedef struct evs__host_token {
    evs__host_kind kind;
    char sign;               /* of SIGN */
    unsigned char form;      /* of LITERAL: which of the language's literals, below 32 */
    unsigned char new_line;  /* a line ends between the token before and this one */
    unsigned char bracketed; /* inside of some ( or [ or { */
    unsigned nesting;
    size_t start, end;
    size_t body, body_end; /* of LITERAL: what stands between its quotes */
    size_t partner;        /* of a bracket: the index of the other one; of others, its own */
} evs__host_token;

typedef struct evs__scanner {
    const evs__language *language;
    evs_bytes source;
    size_t at;            /* the next byte */
    evs__host_token last; /* the token before */
    int any;              /* there was one */
    int new_line;
    unsigned nesting;
    unsigned brackets; /* that are open */
    unsigned failures; /* literals that had no end */
    int quiet;         /* tokens are not kept */
    int nomem;
    evs__arena *arena;
    evs__host_token *tokens; /* the arena's */
    size_t ntokens, cap;
    size_t resume; /* behind heredocs that began in this line; 0: there is none */
} evs__scanner;

/* How far a literal goes. */
typedef struct evs__fence {
    const char *close; /* what ends it */
    size_t close_len;
    char open;    /* counts a further `close`, as in %q( () ); 0: nothing does */
    char doubled; /* twice opens nothing, as { in f-strings; 0: nothing is doubled */
    int escapes;  /* a backslash takes the next byte with it */
    int multiline;
    /* The length of what opens code at `at`, which a } closes; 0 when nothing opens it. */
    size_t (*opens)(const evs__scanner *scanner, size_t at);
} evs__fence;

void evs__scanner_init(evs__scanner *scanner, const evs__language *language, evs__arena *arena,
                       evs_bytes source);

/* Reads everything, and finds the partners of brackets. 0 when out of memory. */
int evs__scanner_run(evs__scanner *scanner);

/* ---- for languages ---- */

/* The byte `ahead` places on; 0 behind the end. */
static inline char evs__scan_peek(const evs__scanner *scanner, size_t ahead)
{
    return ahead < scanner->source.len - scanner->at ? scanner->source.data[scanner->at + ahead]
                                                     : '\0';
}

static inline int evs__is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static inline int evs__is_digit_byte(char c)
{
    return c >= '0' && c <= '9';
}

int evs__scan_starts(const evs__scanner *scanner, size_t at, const char *text);
int evs__scan_is_word(const evs__scanner *scanner, const evs__host_token *token, const char *word);

/* A blank, a line end, a word, a number or a sign. */
void evs__scan_plain(evs__scanner *scanner);
void evs__scan_line(evs__scanner *scanner);                    /* to the end of the line */
void evs__scan_past(evs__scanner *scanner, const char *close); /* behind `close`, or to the end */

/* The literal that begins at scanner->at with `opening` bytes of prefix and quote. Without an end
 * it is only its first byte, and 0 is returned. */
int evs__scan_literal(evs__scanner *scanner, unsigned form, size_t opening,
                      const evs__fence *fence);

/* A literal of which all is known; goes on behind it. */
void evs__scan_found(evs__scanner *scanner, unsigned form, size_t body, size_t body_end,
                     size_t end);

/* From inside of { to behind its }; 0 when there is none. */
int evs__scan_code(evs__scanner *scanner);

/* The byte at scanner->at alone. */
void evs__scan_sign(evs__scanner *scanner);

#endif
