/*
 * builtin.h - the functions and tables a script finds in its sandbox.
 *
 * A function is one row of builtins.def: the table it is in, its name, the C function that knows
 * what it does, and the types it gives. Most only compute something from their arguments and share
 * one C function.
 *
 *   base.c  globals     strings.c  string     tables.c  table, pairs, unpack
 *   math.c  math, bit   redis.c redis
 *   meta.c     what is followed only in part or not at all
 */
#ifndef EVS_SCRIPTS_AUDIT_BUILTINS_BUILTIN_H
#define EVS_SCRIPTS_AUDIT_BUILTINS_BUILTIN_H

#include "scripts/audit/interp/interp.h"

typedef struct evs__builtin evs__builtin;

/* One call of a built-in function. */
typedef struct evs__builtin_call {
    const evs__site *site;
    const evs__callable *callable;
    evs__seq args;
} evs__builtin_call;

typedef evs__seq evs__builtin_run(evs__interp *in, const evs__builtin_call *call);

struct evs__builtin {
    const char *table; /* "" for a global */
    const char *name;
    evs__builtin_run *run;
    unsigned types; /* of the result, or of what is no function */
    int some;       /* some servers, or some places of a library, do not have it */
};

/* The implementations, one per name in the third column of builtins.def. */
#define EVS__BUILTIN_RUNS(X) \
    X(assert)                \
    X(bit)                   \
    X(command)               \
    X(computed)              \
    X(concat)                \
    X(coroutine)             \
    X(decode)                \
    X(encode)                \
    X(error)                 \
    X(error_reply)           \
    X(foreach)               \
    X(format)                \
    X(getmetatable)          \
    X(gmatch)                \
    X(gsub)                  \
    X(inert)                 \
    X(insert)                \
    X(ipairs)                \
    X(length)                \
    X(letters)               \
    X(loadstring)            \
    X(math)                  \
    X(next)                  \
    X(pairs)                 \
    X(pcall)                 \
    X(random)                \
    X(rawget)                \
    X(rawset)                \
    X(register)              \
    X(remove)                \
    X(select)                \
    X(setmetatable)          \
    X(setresp)               \
    X(several)               \
    X(sort)                  \
    X(status_reply)          \
    X(tonumber)              \
    X(tostring)              \
    X(truth)                 \
    X(type)                  \
    X(unfollowed)            \
    X(unpack)                \
    X(value)                 \
    X(xpcall)
#define EVS__BUILTIN_DECLARE(name) evs__builtin_run evs__builtin_##name;
EVS__BUILTIN_RUNS(EVS__BUILTIN_DECLARE)
#undef EVS__BUILTIN_DECLARE

/* Makes the globals. */
void evs__builtins_install(evs__interp *in);

/* Is `name` one of the globals? */
int evs__builtins_has_global(evs_bytes name);

/* Is there a table of that name; is `name` in it? */
int evs__builtins_has_table(evs_bytes table);
int evs__builtins_has(evs_bytes table, evs_bytes name);

/* What may be meant by `name`, in any case: a global, or something in `table` (empty: in any).
 * NULL when nothing is like it. */
const char *evs__builtins_similar(evs__pool *pool, evs_bytes table, evs_bytes name);

/* ---- for the implementations ---- */

/* Notes what becomes of an argument. */
void evs__builtin_note(evs__interp *in, const evs__builtin_call *call, evs__sight_kind kind,
                       size_t i);

/* One argument, from 0; nil when it is missing. */
const evs__value *evs__builtin_arg(evs__interp *in, const evs__builtin_call *call, size_t i);

/* Gives one value, or anything. */
evs__seq evs__builtin_give(evs__interp *in, const evs__builtin_call *call, const evs__value *value);
evs__seq evs__builtin_lost(evs__interp *in, const evs__builtin_call *call, const char *reason);

/* C code of the sandbox calls `callee`: an error that a built-in function raises there has no line
 * of the script. */
void evs__calls_back(evs__interp *in, const evs__value *callee);

/* Something computed from all arguments, and from what is in the tables among them. */
const evs__value *evs__builtin_mix(evs__interp *in, const evs__builtin_call *call, unsigned types);

/* `value` as the string that tostring makes of it. */
const evs__value *evs__to_string(evs__interp *in, const evs__value *value, evs__span at);

/* The keys and the values that going through `table` gives, without nil. */
const evs__value *evs__walk_keys(evs__interp *in, const evs__value *table, evs__span at);
const evs__value *evs__walk_values(evs__interp *in, const evs__value *table, evs__span at);
const evs__value *evs__walk_elements(evs__interp *in, const evs__value *table, evs__span at);

#endif
