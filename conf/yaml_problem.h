/*
 * yaml_problem.h - what libyaml says, in words that help. Knows its sentences, not its types.
 */
#ifndef EVS_CONF_YAML_PROBLEM_H
#define EVS_CONF_YAML_PROBLEM_H

#include "conf/diagnostics.h"
#include "core/arena.h"

typedef struct evs__yaml_problem {
    const char *problem; /* libyaml's sentence */
    const char *context; /* "" when there is none */
    evs__range at;       /* one character */
    evs__range context_at;
    evs__range quoted; /* the last text in quotes that was read; line 0: none */
} evs__yaml_problem;

/* `scratch` takes the texts of the message. */
void evs__yaml_complain(evs_diagnostics *diags, evs__arena *scratch, evs_bytes source,
                        const evs__yaml_problem *p);

/* Whether `line` begins, behind blanks and a dash, with `word:` and something right behind the
 * colon. `word` gets the word, `at` where in the line it begins (bytes). */
int evs__yaml_missing_space(evs_bytes line, evs_bytes *word, size_t *at);

#endif
