/*
 * facts.h - what the audit found out, in the words of rules.
 *
 * The interpreter (interp/) fills a recorder while it follows the script; evs__facts_make turns
 * that into facts, once. Rules and reporters read facts and never the tree.
 */
#ifndef EVS_SCRIPTS_AUDIT_FACTS_H
#define EVS_SCRIPTS_AUDIT_FACTS_H

#include "core/command.h"
#include "scripts/audit/flow.h"
#include "scripts/audit/object.h"
#include "scripts/audit/refusal.h"
#include "scripts/audit/seq.h"
#include "scripts/audit/setting.h"
#include "scripts/audit/sight.h"
#include "scripts/audit/value.h"
#include "scripts/syntax/parser.h"

#include <evalshard/audit.h>

/* Where a key comes from. */
typedef enum evs__origin {
    EVS__FROM_KEYS,      /* an element of KEYS: fine */
    EVS__FROM_DERIVED,   /* computed from an element of KEYS */
    EVS__FROM_CONSTANTS, /* literals and numbers */
    EVS__FROM_ARGV,
    EVS__FROM_REPLY,
    EVS__FROM_EITHER, /* KEYS on one path and something else on another */
    EVS__FROM_UNKNOWN
} evs__origin;

/* One way a key argument gets its value. */
typedef struct evs__cause {
    evs__origin origin;
    const char *what; /* "ARGV[1]", "the constant 'cfg'"; of UNKNOWN, the reason */
    const char *key;  /* "KEYS[2]": of EITHER, the good path; of DERIVED, what it is derived from */
    evs__shape shape; /* of DERIVED */
    int changed;      /* it was put together: "is built from" rather than "is" */
    int unlocated;    /* of UNKNOWN: which arguments are keys is not known */
    const evs_trace_step *steps;
    size_t nsteps;
} evs__cause;

/* One key argument of one call, over all the ways the call is reached. */
typedef struct evs__keyuse {
    evs_span at;
    const char *command; /* "?" when it is not a constant */
    int argument;
    evs_verdict verdict;
    const evs__expr *call;   /* tells calls apart; not to be looked at */
    const evs__value *value; /* what it may be, over all the ways the call is reached */
    int literal;             /* it is written KEYS[...] */
    int pattern;             /* a pattern of SORT, which names keys that are no arguments */
    const evs__cause *causes;
    size_t ncauses;
    const evs__atom *const *atoms; /* all of them, for reports */
    size_t natoms;
} evs__keyuse;

typedef enum evs__call_kind {
    EVS__CALL_KNOWN,
    EVS__CALL_UNKNOWN, /* no such command */
    EVS__CALL_DYNAMIC  /* the command's name is not a constant */
} evs__call_kind;

/* One redis.call with one command, in one context. callfact.h asks for its arguments. */
typedef struct evs__callfact {
    evs__call_kind kind;
    evs_span at; /* the name; of the arity, the whole call */
    evs_span whole;
    const char *name;    /* as written; of DYNAMIC, where it comes from */
    const char *similar; /* of UNKNOWN: a command that may be meant, or NULL */
    const evs__command *command;
    size_t least, most; /* arguments, the name counted; most is SIZE_MAX when not bounded */
    evs__seq args;      /* what they may be; the name is the first */
    int doubtful;       /* something before it was not followed: only literals are what they seem */
} evs__callfact;

typedef enum evs__access_kind {
    EVS__ACCESS_INDEX,   /* read at a constant place */
    EVS__ACCESS_SOME,    /* read at a place that is no constant */
    EVS__ACCESS_STRANGE, /* read at a constant that is no place of a list: 0, "1", 1.5 */
    EVS__ACCESS_WHOLE,   /* its length is taken, or all of it is read */
    EVS__ACCESS_PASSED,  /* it is given to redis.call as one argument */
    EVS__ACCESS_WRITE,   /* something is put into it */
    EVS__ACCESS_ORDER    /* it is sorted, or elements are removed: they stay elements */
} evs__access_kind;

/* A way that KEYS or ARGV is used. */
typedef struct evs__access {
    evs__given given;
    evs__access_kind kind;
    int index; /* of INDEX */
    evs_span at;
    const char *text; /* of STRANGE, the index as it is written */
} evs__access;

/* A command uses an element of KEYS that a command before it has deleted, on some path. */
typedef struct evs__revival {
    int index;
    evs_span deleted_at, at;
    const char *command;
} evs__revival;

/* A function with calls of commands that is never called. */
typedef struct evs__unreached {
    evs_span at;
    const char *name; /* "" when it has none */
} evs__unreached;

/* What the first line says. */
enum {
    EVS__SHEBANG_LUA = 1, /* there is one */
    EVS__SHEBANG_NO_WRITES = 2,
    EVS__SHEBANG_ALLOW_OOM = 4,
    EVS__SHEBANG_ALLOW_STALE = 8,
    EVS__SHEBANG_NO_CLUSTER = 16,
    EVS__SHEBANG_ALLOW_CROSS_SLOT = 32
};

/* Something the audit did not follow. */
typedef struct evs__gap {
    evs_span at;
    const char *reason;
} evs__gap;

typedef struct evs__directives evs__directives;

/* Where a hole is. */
typedef enum evs__hole_place {
    EVS__HOLE_IN_STRING,
    EVS__HOLE_VALUE, /* where a value, a variable or a name stands */
    EVS__HOLE_CODE,  /* where a statement stands: any code */
    EVS__HOLE_IN_COMMENT
} evs__hole_place;

/* Code of a program that puts text into the script when it runs: `${prefix}`. */
typedef struct evs__holefact {
    evs_span at;
    const char *code;
    evs__hole_place place;
} evs__holefact;

typedef struct evs__facts {
    const evs__setting *setting;       /* target, profile, what callers are expected to pass */
    const evs__directives *directives; /* what comments say; see directive.h */
    const evs__chunk *chunk;
    const char *syntax_message; /* NULL when it parsed */
    evs__refusal refusal;       /* why it did not */
    const char *refusal_text;   /* the same as a sentence, or NULL */
    evs_span syntax_at;
    int is_fragment;            /* it did not parse, and may be a part of a script only */
    const evs__holefact *holes; /* what programs put into it, in the order of the text */
    size_t nholes;
    const evs__keyuse *uses; /* in the order of the text */
    size_t nuses;
    const evs__callfact *calls;
    size_t ncalls;
    const evs__access *accesses;
    size_t naccesses;
    const evs__revival *revivals;
    size_t nrevivals;
    const evs__unreached *unreached;
    size_t nunreached;
    evs__sight *const *sights; /* in the order of the text */
    size_t nsights;
    const evs__gap *gaps;
    size_t ngaps;
    unsigned shebang;      /* EVS__SHEBANG_* */
    int asks_version;      /* it looks at the version of its server, and may go different ways */
    int measures;          /* it takes the length of a table, or looks for its first element */
    int has_functions;     /* it registers functions, which have KEYS and ARGV of their own */
    const evs__flow *flow; /* empty when it did not parse */
    evs_verdict verdict;
    int may_write;         /* 0: no command that is reached writes or is replicated */
    int may_return_errors; /* 0: whatever error its code gives, the server marks as a script's */
} evs__facts;

/* Fills in what is said of the holes of the chunk. */
void evs__facts_holes(evs__facts *out, evs__pool *pool, const evs__chunk *chunk);

/* Follows the script and says what was found; 0 when out of memory. Everything is in the arena. */
int evs__facts_of(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                  const evs__setting *setting);

#endif
