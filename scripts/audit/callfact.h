/*
 * callfact.h - asking a call for its arguments, and making the facts about calls.
 *
 * Argument 0 is the command's name, a subcommand is argument 1, as in core/command.h. Answers are
 * certain: what may be something else is "not known".
 */
#ifndef EVS_SCRIPTS_AUDIT_CALLFACT_H
#define EVS_SCRIPTS_AUDIT_CALLFACT_H

#include "scripts/audit/recorder.h"

/* Is argument `i` surely there? */
int evs__call_has(const evs__callfact *call, size_t i);

/* What argument `i` may be, when its place is certain; else NULL. */
const evs__value *evs__call_value(const evs__callfact *call, size_t i);

/* The constant that argument `i` surely is; NULL when that is not known. */
const evs__atom *evs__call_constant(const evs__callfact *call, size_t i);

/* Is argument `i` surely this word, in any case? */
int evs__call_is_word(const evs__callfact *call, size_t i, const char *word);

/* The whole number that argument `i` surely is, as the server reads it; 0 when that is not known.
 */
int evs__call_whole(const evs__callfact *call, size_t i, int64_t *out);

/* Where argument `i` stands; the whole call when that is not known. */
evs_span evs__call_span(const evs__facts *facts, const evs__callfact *call, size_t i);

/* The number of arguments; 0 when it is not known. */
size_t evs__call_count(const evs__callfact *call);

/* Going through the options of a call:
 *
 *     evs__options options = evs__options_of(call);
 *     while (evs__options_next(&options))
 *         use(options.option, options.at);
 *
 * It ends at the first argument that is no option, or may be something else. Then `complete` says
 * whether all options were seen. */
typedef struct evs__options {
    const evs__callfact *call;
    const evs__option *option;
    size_t at;   /* argument of the word */
    size_t next; /* argument to look at */
    int complete;
} evs__options;

evs__options evs__options_of(const evs__callfact *call);
int evs__options_next(evs__options *options);

/* The names of a call in a message: `name` as it is in the table. Does it have one of `names`, a
 * list that ends with NULL? */
int evs__call_is_one_of(const evs__callfact *call, const char *const *names);

/* ---- making (facts.c) ---- */

void evs__call_facts(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                     const evs__recorder *recorder);
void evs__access_facts(evs__facts *out, evs__pool *pool, const evs__chunk *chunk,
                       const evs__recorder *recorder, const evs__recorder *unreached);

#endif
