/*
 * flow.h - facts about the way a script takes: its loops, what it calls of the sandbox, in which
 * order it reads, writes and fails.
 *
 * The interpreter notes them while it follows the script (interp/flow.c); loops.c then says how
 * often loops are gone round, names.c what globals are used. What happened before a point is told
 * by values, as everything else of a state: `written` holds nil when nothing may have been
 * written before, and an atom for each write that may have been the last one.
 */
#ifndef EVS_SCRIPTS_AUDIT_FLOW_H
#define EVS_SCRIPTS_AUDIT_FLOW_H

#include "core/command.h"
#include "core/table.h"
#include "scripts/audit/seq.h"
#include "scripts/syntax/parser.h"

/* What a command is to a loop: the words of work.def. */
typedef enum evs__work {
    EVS__WORK_NONE,
    EVS__WORK_ALL,
    EVS__WORK_RANGE,
    EVS__WORK_LIMIT,
    EVS__WORK_SIZE,
    EVS__WORK_POP,
    EVS__WORK_TAKE,
    EVS__WORK_SCAN,
    EVS__WORK_CLOCK
} evs__work;

evs__work evs__work_of(const char *command);

/* ---- commands ---- */

/* One call of one command, over all the ways it is reached. */
typedef struct evs__commanduse {
    const evs__expr *call;
    evs__span at;
    const evs__command *command;
    evs__seq args;             /* the command's name is the first */
    const evs__value *written; /* before it */
    const evs__value *random;  /* the commands before it whose replies are not determined */
    const evs__value *repl;    /* calls of set_repl before it that switched something off */
    int unbounded;             /* its reply may be a whole collection */
    int looped;                /* it stands in a loop that was entered */
    int loading;               /* it is reached while a library is loaded */
    struct evs__commanduse *next;
} evs__commanduse;

/* ---- the sandbox ---- */

/* One call of a function of the sandbox. */
typedef struct evs__apiuse {
    const evs__expr *call;
    evs__span at;
    const char *table; /* "" for a global */
    const char *name;
    evs__seq args;
    const evs__value *written; /* before it */
    const evs__expr *argument; /* the text of its first argument, when that can be told */
    const char *text; /* it, when it is a global or a field of one: "redis.LOG_DEBUG"; or "" */
    int method;       /* it is called with a colon */
    int sure;         /* it can be no other function */
    int looped;       /* it stands in a loop that was entered */
    int loading;      /* it is called while a library is loaded */
    const evs__value *rest; /* of unpack: what fills the table, when nobody knows how far */
    int of_keys, of_argv;   /* of unpack: it may be KEYS, or ARGV */
    const char *size; /* of unpack and string.rep: what decides how much it makes; NULL when that is
                         little, or not known */
    double count;     /* of these: how much, when that is a constant; else 0 */
    int key;          /* of unpack: N when it gives what KEYS[N] holds, else 0 */
    struct evs__apiuse *next;
} evs__apiuse;

/* A table of the sandbox is written to, or is given a metatable. */
typedef struct evs__intrusion {
    evs__span at;
    const char *table;
    const char *field; /* NULL when it is not a constant */
    struct evs__intrusion *next;
} evs__intrusion;

/* A callback of a library changes what outlives the call. */
typedef struct evs__keepsake {
    evs__span at;
    const char *name; /* of the variable; NULL: a table */
    struct evs__keepsake *next;
} evs__keepsake;

/* A table that is returned to the client, or raised as an error. */
typedef struct evs__given_back {
    evs__span at;
    const evs__value *value;
    const evs__value *err;     /* the field err of the tables that it may be; NULL: never one */
    const evs__value *written; /* before it */
    int plain;                 /* for sure a table, and without a string err */
    int cyclic;                /* a table in it holds itself */
    int uncaught;              /* no pcall is around it */
    struct evs__given_back *next;
} evs__given_back;

/* ---- loops ---- */

typedef enum evs__bound {
    EVS__BOUND_PROVEN,   /* it ends soon, whatever is passed and stored */
    EVS__BOUND_CALLER,   /* an argument says how often it is gone round */
    EVS__BOUND_DATA,     /* once per element of a whole collection */
    EVS__BOUND_DRAIN,    /* until a collection is empty */
    EVS__BOUND_CURSOR,   /* until a cursor has come to its end */
    EVS__BOUND_CLOCK,    /* until a time has come */
    EVS__BOUND_UNPROVEN, /* perhaps for ever */
    EVS__BOUND_NONE      /* for ever */
} evs__bound;

enum {
    EVS__DOES_COMMAND = 1,
    EVS__DOES_WRITE = 2,
    EVS__DOES_TAKE = 4, /* removes something */
    EVS__DOES_POP = 8,
    EVS__DOES_SCAN = 16,
    EVS__DOES_CLOCK = 32
};

enum {
    EVS__LEAVES_END = 1, /* its condition, or a break */
    EVS__LEAVES_RETURN = 2,
    EVS__LEAVES_ERROR = 4, /* error(), a failing assert, or something that is not followed */
    EVS__LEAVES_NOT_FOLLOWED = 8
};

/* A loop that was entered. */
typedef struct evs__loopfact {
    const evs__stat *stat;
    evs__span at;              /* its head */
    const evs__value *first;   /* of a numeric for: the start; of a generic one: what is called */
    const evs__value *limit;   /* of a numeric for; of a generic one: what is gone through */
    const evs__value *counted; /* of `for i = 1, #x`: x; else NULL */
    const evs__value *written; /* before it */
    evs__span write_at;        /* the first write inside; end is 0 when there is none */
    unsigned does, leaves;
    evs__bound bound;
    const char *what; /* what bounds it: "ARGV[1]", "SMEMBERS"; "" when that says nothing */
    int key;          /* N when that is what KEYS[N] holds, else 0 */
    int given;        /* it goes through KEYS or ARGV, or counts to how many there are */
    int unordered;    /* a generic for, through a table with other keys than 1, 2, ... */
    struct evs__loopfact *outer; /* the one that was being gone round when it began */
    struct evs__loopfact *next;
} evs__loopfact;

/* A call of a function that is running. */
typedef struct evs__cyclefact {
    const evs__function *function;
    evs__span at;
    const evs__value *written; /* before it */
    int tail;                  /* it is a tail call: the stack does not grow */
    int descends;              /* some argument on the way gets smaller, or is counted */
    struct evs__cyclefact *next;
} evs__cyclefact;

/* s = s .. x */
typedef struct evs__growth {
    evs__span at;
    evs_bytes name;
    struct evs__growth *next;
} evs__growth;

/* The order in which pairs goes through a table shows. */
typedef struct evs__disorder {
    evs__span at;
    const char *sink;
    struct evs__disorder *next;
} evs__disorder;

/* Something was written, and then the script fails: error, assert, an error as its reply. */
typedef struct evs__late_failure {
    evs__span at;
    evs__span write_at;
    const char *command; /* that wrote */
    const char *how;     /* "error()" */
    struct evs__late_failure *next;
} evs__late_failure;

/* A constant that becomes the text of an error for the client. */
typedef struct evs__error_text {
    evs__span at;
    evs_bytes text;
    struct evs__error_text *next;
} evs__error_text;

/* What FUNCTION LOAD, or a function of a library, would complain of. */
typedef struct evs__library_fault {
    evs__span at;
    const char *text;
    struct evs__library_fault *next;
} evs__library_fault;

/* A string with a hole for a template engine: ${id}. */
typedef struct evs__placeholder {
    evs__span at;
    const char *text;
    struct evs__placeholder *next;
} evs__placeholder;

/* ---- names ---- */

typedef enum evs__name_kind {
    EVS__NAME_READ,    /* of a global that is in no sandbox */
    EVS__NAME_WRITE,   /* of a global */
    EVS__NAME_SHADOW,  /* a local variable hides one, and is something else */
    EVS__NAME_API,     /* something of the sandbox that not every server has */
    EVS__NAME_MISSING, /* a function is called that is not in its table */
    EVS__NAME_LOADING, /* something that is not there while a library is loaded */
    EVS__NAME_GIVEN,   /* KEYS or ARGV */
    EVS__NAME_CODE     /* the sandbox is searched for a computed name */
} evs__name_kind;

typedef struct evs__nameuse {
    evs__name_kind kind;
    evs__span at;
    const char *name;           /* "os.clock" */
    const char *similar;        /* what may be meant, or NULL */
    const struct evs__api *api; /* of API */
    int guarded;                /* a test asks first whether it is there */
    struct evs__nameuse *next;
} evs__nameuse;

/* ---- all ---- */

typedef struct evs__flow {
    evs__commanduse *commands;
    evs__apiuse *apis;
    evs__intrusion *intrusions;
    evs__keepsake *keepsakes;
    evs__given_back *returned, *raised;
    evs__loopfact *loops;
    evs__cyclefact *cycles;
    evs__growth *growths;
    evs__disorder *disorders;
    evs__late_failure *late;
    evs__error_text *errors;
    evs__library_fault *faults;
    evs__placeholder *placeholders;
    evs__nameuse *names;
    int is_library;
    int registers; /* a function is registered */
} evs__flow;

/* N when the first key of the command is KEYS[N], else 0. */
int evs__key_of(const evs__commanduse *use);

/* Is it a call of that function? */
int evs__is_api(const evs__apiuse *use, const char *table, const char *name);

/* An empty one for `chunk`; NULL when out of memory. */
evs__flow *evs__flow_new(evs__pool *pool, const evs__chunk *chunk);

/* Adds what is found in the text, once the script was followed. */
void evs__flow_finish(evs__pool *pool, evs__flow *flow, const evs__chunk *chunk);

/* May something have happened before, and is that certain? Of written, random and repl. */
int evs__happened(const evs__value *before);
int evs__surely_happened(const evs__value *before);

#endif
