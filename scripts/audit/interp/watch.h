/*
 * watch.h - noting facts of flow.h while the script is followed.
 *
 * What happened before a point is kept in slots of the store, so that branches, loops and calls
 * join it like anything else. Notes about one place are joined over all the ways it is reached.
 */
#ifndef EVS_SCRIPTS_AUDIT_INTERP_WATCH_H
#define EVS_SCRIPTS_AUDIT_INTERP_WATCH_H

#include "scripts/audit/interp/interp.h"

typedef struct evs__watch {
    evs__pool *pool;
    evs__flow *flow;
    evs__table index;             /* of notes by place */
    size_t written, random, repl; /* slots: nil, or what happened before */
    evs__loopfact *loop;          /* the innermost one that is being gone round, in any function */
    size_t raised;                /* counts what may end any loop */
    size_t kept;                  /* slots below outlive a call of a library's function */
    int serving;                  /* such a function runs */
} evs__watch;

/* These do nothing when the interpreter is not watched. */
void evs__watch_begin(evs__interp *in, evs__watch *watch, evs__flow *flow);
void evs__watch_end(evs__interp *in);
void evs__watch_serving(evs__interp *in, size_t kept);

/* A loop's note while it is gone round. */
typedef struct evs__watched_loop {
    evs__loopfact *fact;
    evs__loopfact *outer;
    size_t raised, returns;
} evs__watched_loop;

evs__watched_loop evs__watch_loop(evs__interp *in, const evs__stat *stat);
void evs__watch_bounds(evs__interp *in, const evs__watched_loop *loop, const evs__value *first,
                       const evs__value *limit);
void evs__watch_loop_left(evs__interp *in, const evs__watched_loop *loop);

void evs__watch_command(evs__interp *in, const evs__site *site, const evs__command *command,
                        const evs__seq *args);
void evs__watch_call(evs__interp *in, const evs__site *site, const evs__callable *callable,
                     const evs__seq *args, int sure);
/* Something is called that may be any function. */
void evs__watch_unknown(evs__interp *in);
void evs__watch_recursion(evs__interp *in, const evs__frame *again, const evs__site *site);
void evs__watch_return(evs__interp *in, const evs__exprs *values, const evs__seq *results);
void evs__watch_assign(evs__interp *in, const evs__local *local, evs__span at);
/* `key` may be NULL: something else than a field is changed. */
void evs__watch_write(evs__interp *in, const evs__value *object, const evs__value *key,
                      evs__span at);

#endif
