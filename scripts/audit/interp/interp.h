/*
 * interp.h - running a script without running it.
 *
 * An abstract interpreter over the tree. It goes through statements in order with the state of
 * store.h; branches are both taken and joined; a loop is gone round until its state no longer
 * grows; a call runs the body of the function once per calling context. What a path cannot do is
 * only left out when that is certain (`if false`, behind `return`).
 *
 * Sound: what it cannot follow, it says (evs__give_up), and from then on, on that path, no key is
 * believed to be declared. Two kinds of imprecision remain and only ever make a verdict worse:
 * values that are joined, and paths whose conditions contradict each other.
 *
 *   interp.c       activations, giving up, entry points
 *   exec.c         statements      loop.c    fixpoints
 *   eval.c         expressions     table.c   indexing, tables
 *   narrow.c       what a condition says about variables
 *   invoke.c       calls, closures, recursion
 *   command.c      redis.call: which arguments are keys
 *   answer.c       and which reply it gives
 *   witness.c      what becomes of values, for rules
 *   reply.c        what goes to the client
 *   access.c       how KEYS and ARGV are used      vanish.c   keys that the script deletes
 *   watch.c        noting facts about the way that is taken
 *   ../builtins/   the functions of the sandbox
 */
#ifndef EVS_SCRIPTS_AUDIT_INTERP_INTERP_H
#define EVS_SCRIPTS_AUDIT_INTERP_INTERP_H

#include "scripts/audit/extra.h"
#include "scripts/audit/recorder.h"
#include "scripts/audit/seq.h"
#include "scripts/audit/store.h"

/* A slot that belongs to a node in an activation: a table constructor's table, the control variable
 * of a loop. What stands before `slot` is its key in a table. */
typedef struct evs__node_slot {
    const struct evs__activation *activation;
    const void *node;
    size_t slot;
} evs__node_slot;

/* A function called from one place in one context. The same call in a loop is the same activation.
 * The first four are its key in a table. */
typedef struct evs__activation {
    const evs__function *function;
    const struct evs__activation *outer;  /* where its upvalues are */
    const struct evs__activation *caller; /* NULL for an entry point */
    const evs__expr *call;                /* NULL for an entry point */
    size_t locals;                        /* the first of function->nlocals slots */
} evs__activation;

/* A loop being gone round. */
typedef struct evs__loop {
    size_t mark;
    evs__changes exits; /* the states in which it is left */
    struct evs__loop *outer;
} evs__loop;

/* An activation being run. */
typedef struct evs__frame {
    evs__activation *activation;
    struct evs__frame *below;
    evs__loop *loop; /* of the caller, while this one runs */
    size_t mark;
    evs__changes exits;   /* the states in which it returns */
    evs__seq results;     /* what it returns */
    evs__seq arguments;   /* what it was called with */
    evs__seq varargs;     /* `...` */
    evs__changes entries; /* states in which it calls itself, from the mark */
    int recursive;        /* it was called while it ran */
    int again;            /* it must be run once more for that */
    size_t returns;       /* counts the return statements that it came to */
} evs__frame;

/* A function that redis.register_function was given. */
typedef struct evs__entry {
    const evs__value *callback;
    const evs__expr *call;
    struct evs__entry *next;
} evs__entry;

struct evs__watch;

typedef struct evs__interp {
    evs__pool *pool;
    evs__recorder *recorder;
    struct evs__watch *watch; /* NULL, or notes the facts of flow.h */
    const evs__chunk *chunk;
    const evs__extra *extra;
    evs__store store;
    evs__table slots; /* of nodes */
    evs__table activations;
    evs__table texts; /* constants that were compiled, and their chunks */
    evs__frame *frame;
    evs__loop *loop;                     /* the innermost one */
    size_t globals, keys, argv, strings; /* slots of objects */
    size_t library_end;         /* slots below are those of built-in tables, KEYS and ARGV */
    size_t lost;                /* slot: set on paths behind something that was not followed */
    size_t deleted;             /* slot: the elements of KEYS that were deleted on the way */
    size_t inside;              /* slot: set once a table that is not followed was changed */
    const evs__expr *condition; /* being evaluated, as the test of a branch or a part of one */
    size_t protocol;            /* slot: what redis.setresp was given, or 2 */
    evs__entry *entries;
    int dead;         /* the present point is never reached */
    int over;         /* everything was given up */
    unsigned calls;   /* nested calls */
    unsigned nesting; /* nested nodes */
    size_t steps;
    size_t memory;            /* what the arena had given out at the beginning */
    int has_metatables;       /* setmetatable was called */
    int has_computed_methods; /* a function was stored under a computed name */
} evs__interp;

/* Where a call stands. */
typedef struct evs__site {
    const evs__expr *call;
    evs__span at;
} evs__site;

/* Follows the whole chunk. */
void evs__interp_run(evs__pool *pool, evs__recorder *recorder, const evs__chunk *chunk,
                     const evs__extra *extra);

/* ---- interp.c ---- */

/* Something cannot be followed: notes it and stops believing what comes behind. */
void evs__give_up(evs__interp *in, evs__span at, const char *reason);

/* Gives up on the whole script. */
void evs__stop(evs__interp *in, evs__span at, const char *reason);

/* One more step down; 0 when the script is too big or too deep, and then all is given up. */
int evs__descend(evs__interp *in, evs__span at);
void evs__ascend(evs__interp *in);

size_t evs__node_slot_of(evs__interp *in, const void *node);
size_t evs__local_slot(const evs__interp *in, const evs__local *local);
/* A variable is set whose name stands at `at`: it may be any when there is a hole. */
void evs__check_variable(evs__interp *in, evs__span at);
void evs__declare(evs__interp *in, const evs__local *local, const evs__value *value);
evs__activation *evs__activation_of(evs__interp *in, const evs__callable *callable,
                                    const evs__expr *call);

/* ---- branches (loop.c) ----
 *
 *     mark = evs__store_mark; first branch; left = evs__branch_end(in, mark);
 *     second branch; evs__branch_meet(in, mark, &left);
 */
evs__changes evs__branch_end(evs__interp *in, size_t mark);
void evs__branch_meet(evs__interp *in, size_t mark, const evs__changes *other);

/* Goes round until the state no longer grows. `round` runs the body once and calls evs__loop_leave
 * wherever the loop may end. */
typedef void evs__round(evs__interp *in, void *context);
void evs__iterate(evs__interp *in, evs__round *round, void *context);
void evs__loop_leave(evs__interp *in);

/* ---- exec.c, eval.c, table.c, narrow.c ---- */

void evs__exec_block(evs__interp *in, const evs__block *block);

const evs__value *evs__eval(evs__interp *in, const evs__expr *expr);
evs__seq evs__eval_all(evs__interp *in, const evs__exprs *exprs);
evs__seq evs__eval_open(evs__interp *in, const evs__expr *expr); /* all the values of one */
/* An operand that gave `value`, as it is once the operands behind it have run: Lua reads a local
 * only when the operation does, so a call may have assigned it in between. */
const evs__value *evs__reread(evs__interp *in, const evs__expr *expr, const evs__value *value);

const evs__value *evs__eval_table(evs__interp *in, const evs__expr *expr);
const evs__value *evs__read_index(evs__interp *in, const evs__value *object, const evs__value *key,
                                  evs__span at);
void evs__write_index(evs__interp *in, const evs__value *object, const evs__value *key,
                      const evs__value *value, evs__span at);
/* t[#t + 1] = value */
void evs__append(evs__interp *in, const evs__value *object, const evs__value *value, evs__span at);
/* Is it a table of the sandbox? Servers differ in what is in them. */
int evs__is_library(const evs__interp *in, size_t slot);
/* What is in the tables that `object` may be and that are not followed one by one: under `key`, or
 * anywhere when it is NULL; and the keys of these tables. */
const evs__value *evs__inside(evs__interp *in, const evs__value *object, const evs__value *key,
                              evs__span at);
const evs__value *evs__inside_keys(evs__interp *in, const evs__value *object, evs__span at);
/* Everything in the tables that `value` may be, at any depth, and the value itself. */
const evs__value *evs__deep(evs__interp *in, const evs__value *value, evs__span at);
/* The server or a library's C code reads fields of `value`, or of tables in it: that may run a
 * function __index. */
const evs__value *evs__touch(evs__interp *in, const evs__value *value, evs__span at);
/* A new table made by `node`, with these contents. */
const evs__value *evs__new_table(evs__interp *in, const void *node, const evs__object *contents);
/* Replaces the contents of every table that `object` may be by what `change` makes of them. */
typedef const evs__object *evs__object_change(evs__pool *pool, const evs__object *object,
                                              const evs__value *value, int weak);
void evs__change_tables(evs__interp *in, const evs__value *object, evs__object_change *change,
                        const evs__value *value, evs__span at);

/* The state becomes the one in which `expr`, whose value is `value`, is true or false. */
void evs__assume(evs__interp *in, const evs__expr *expr, const evs__value *value, int truth);

/* Does evaluating it call nothing? */
int evs__is_calm(const evs__expr *expr);

/* ---- reply.c ---- */

/* The server makes a reply of `value`. */
void evs__note_reply(evs__interp *in, const evs__value *value, evs__span at);

/* ---- witness.c: for rules about types and replies ---- */

void evs__note_binary(evs__interp *in, const evs__expr *expr, const evs__value *a,
                      const evs__value *b);
/* `expr` decides what happens next: of `expr and next`, `next`; NULL when it is all. */
void evs__note_condition(evs__interp *in, const evs__expr *expr, const evs__value *value,
                         const evs__expr *next);
void evs__note_sight(evs__interp *in, evs__sight_kind kind, const evs__expr *node, size_t index,
                     evs__arg arg);
void evs__note_index(evs__interp *in, const evs__expr *expr, const evs__value *object,
                     const evs__value *key);
/* The client gets this. */
void evs__note_return(evs__interp *in, const void *node, evs__arg arg);

/* Evaluates the test of a branch or a loop. */
const evs__value *evs__eval_condition(evs__interp *in, const evs__expr *expr);

/* ---- invoke.c ---- */

evs__seq evs__eval_call(evs__interp *in, const evs__expr *expr);
evs__seq evs__invoke(evs__interp *in, const evs__site *site, const evs__value *callee,
                     evs__seq args);
/* Runs the body of a closure, called by `call` (NULL: by the server). */
evs__seq evs__run_closure(evs__interp *in, const evs__callable *callable, const evs__expr *call,
                          evs__seq args);
/* Called any number of times. */
void evs__invoke_often(evs__interp *in, const evs__site *site, const evs__value *callee,
                       evs__seq args);
/* Functions in `args` get into hands nobody knows: they may be called with anything. */
void evs__escape(evs__interp *in, const evs__site *site, const evs__seq *args);

/* ---- access.c ---- */

/* `object[key]` is read. */
void evs__note_read(evs__interp *in, const evs__value *object, const evs__value *key, evs__span at);
/* `value`, or each of `args`, is used in that way as far as it is KEYS or ARGV. */
void evs__note_use(evs__interp *in, const evs__value *value, evs__access_kind kind, evs__span at);
void evs__note_arguments(evs__interp *in, const evs__seq *args, evs__access_kind kind,
                         evs__span at);

/* ---- vanish.c ---- */

void evs__note_key_used(evs__interp *in, const evs__value *value, const char *command,
                        evs__span at);
void evs__note_keys_deleted(evs__interp *in, const char *command, const evs__seq *args,
                            evs__span at);

/* Is it next, or the iterator of ipairs? NULL is not. (builtins/tables.c) */
int evs__builtin_gives_pairs(const struct evs__builtin *builtin);

/* ---- command.c ---- */

/* redis.call with these arguments; returns the reply. */
const evs__value *evs__run_command(evs__interp *in, const evs__site *site, const evs__seq *args);

/* What `command` (its upper-case name) replies to these arguments. */
const evs__value *evs__answer(evs__interp *in, const evs__site *site, const char *command,
                              const evs__seq *args);

#endif
