/*
 * facts.h - what the audit found out, in the words of rules.
 *
 * The interpreter (interp/) fills a recorder while it follows the script; evs__facts_make turns
 * that into facts, once. Rules and reporters read facts and never the tree.
 */
#ifndef EVS_SCRIPTS_AUDIT_FACTS_H
#define EVS_SCRIPTS_AUDIT_FACTS_H

#include "core/command.h"
#include "scripts/audit/setting.h"
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

/* One redis.call with one command. */
typedef struct evs__callfact {
    evs__call_kind kind;
    evs_span at; /* the name; of the arity, the whole call */
    evs_span whole;
    const char *name;    /* as written; of DYNAMIC, where it comes from */
    const char *similar; /* of UNKNOWN: a command that may be meant, or NULL */
    const evs__command *command;
    size_t least, most; /* arguments, the name counted; most is SIZE_MAX when not bounded */
} evs__callfact;

/* Something the audit did not follow. */
typedef struct evs__gap {
    evs_span at;
    const char *reason;
} evs__gap;

typedef struct evs__facts {
    const evs__setting *setting; /* target, profile, what callers are expected to pass */
    const evs__chunk *chunk;
    const char *syntax_message; /* NULL when it parsed */
    evs_span syntax_at;
    const evs__keyuse *uses; /* in the order of the text */
    size_t nuses;
    const evs__callfact *calls;
    size_t ncalls;
    const evs__gap *gaps;
    size_t ngaps;
    evs_verdict verdict;
    int may_write;         /* 0: no command that is reached writes or is replicated */
    int may_return_errors; /* 0: whatever error its code gives, the server marks as a script's */
} evs__facts;

/* Follows the script and says what was found; 0 when out of memory. Everything is in the arena. */
int evs__facts_of(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                  const evs__setting *setting);

#endif
