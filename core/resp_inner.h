/*
 * resp_inner.h - the reader of replies as the files that make it up see it.
 *
 *   resp.c         the phases: any bytes, in pieces of any size
 *   resp_quick.h   clean numbers and strings that are there as a whole
 *   resp_problem.c what is said of bytes that are no reply
 *   resp_build.c   the reply while it is being built, with its stack and limits
 *
 * Over a limit, or told to, the reader skips: nothing is built or allocated, and because the shape
 * does not matter any more, the stack becomes one number, how many values are still to come.
 * Attributes are read in the same way, only that building goes on behind them.
 */
#ifndef EVS_CORE_RESP_INNER_H
#define EVS_CORE_RESP_INNER_H

#include "core/buf.h"
#include "core/resp_build.h"

enum { EVS__RESP_HEAD = 24 /* a line with a number: sign, digits of 64 bits, CRLF */ };

/* How a type continues behind its first byte. */
typedef enum evs__resp_shape {
    EVS__SHAPE_NONE,   /* no type */
    EVS__SHAPE_TEXT,   /* the line is the value */
    EVS__SHAPE_WORD,   /* the line is one of a few words */
    EVS__SHAPE_NUMBER, /* the line is a number, and that is the value */
    EVS__SHAPE_BYTES,  /* the line is a number, and so many bytes follow */
    EVS__SHAPE_ITEMS,  /* the line is a number, and so many values follow */
    EVS__SHAPE_PAIRS,  /* the line is a number, and twice as many values follow */
    EVS__SHAPE_PUSH,   /* as ITEMS, but it is no reply */
    EVS__SHAPE_ASIDE   /* as PAIRS, but the value comes behind them */
} evs__resp_shape;

typedef struct evs__resp_row {
    unsigned char shape; /* evs__resp_shape */
    unsigned char type;  /* evs_reply_type */
} evs__resp_row;

/* By first byte. */
extern const evs__resp_row evs__resp_rows[256];

typedef enum evs__resp_phase {
    EVS__AT_REPLY,   /* before a reply */
    EVS__AT_SKIPPED, /* before a reply that will be skipped */
    EVS__AT_TYPE,    /* before a value in a reply */
    EVS__IN_HEAD,    /* in a line with a number, of which `head` has the beginning */
    EVS__IN_TEXT,    /* in a line of text, of which `text` has the beginning */
    EVS__IN_BYTES,   /* in a string, `missing` bytes before its end */
    EVS__AT_CR,      /* behind the bytes of a string */
    EVS__AT_LF,
    EVS__COMPLETE, /* behind a reply */
    EVS__LOST      /* behind nonsense */
} evs__resp_phase;

struct evs__resp {
    evs__build build;

    unsigned char phase;     /* evs__resp_phase */
    unsigned char type;      /* the first byte of the value that is being read */
    unsigned char cr;        /* the last byte of `text`, or of what was skipped of it, is a CR */
    unsigned char first;     /* the next value is the reply itself */
    unsigned char kind;      /* the first byte of the reply; '|': something in front of it, of which
                              * memory lacks for all that comes */
    unsigned char push;      /* what is being read is no reply but a push */
    unsigned char skip_next; /* behind the push, a reply is to be skipped */
    unsigned char skipped;   /* the reply is skipped, and `verdict` is why */
    unsigned char aside;     /* only an attribute is skipped; the reply is being built */
    unsigned char verdict;   /* evs__resp_got */
    unsigned char head_len;
    char head[EVS__RESP_HEAD];
    evs__buf text;

    char *bytes;      /* where the string goes on */
    uint64_t missing; /* bytes of it to come */
    uint64_t pending; /* values to come of what is skipped */

    char problem[128];
};

/* resp_problem.c. Each returns `p`, where the stream is lost. */

/* `what` tells what was expected there. */
const char *evs__resp_lose(evs__resp *resp, const char *what, const char *p, const char *end);
/* The line behind the type byte cannot be. */
const char *evs__resp_lose_line(evs__resp *resp, evs_bytes line, const char *p);
const char *evs__resp_lose_number(evs__resp *resp, int64_t n, const char *p);

#endif
