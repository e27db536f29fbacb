/*
 * rule.h - one thing a script can do wrong.
 *
 * A rule is one file in rules/ with one const struct, and one row in rules.def. It carries its own
 * documentation (script-audit --explain) and its own test: `bad` gives a finding of the rule,
 * `good` does not. Its check reads facts and never the tree.
 */
#ifndef EVS_SCRIPTS_AUDIT_RULE_H
#define EVS_SCRIPTS_AUDIT_RULE_H

#include "scripts/audit/facts.h"

typedef struct evs__rule evs__rule;

/* Findings being collected. */
typedef struct evs__findings {
    evs__pool *pool;
    const evs__rule *rule; /* whose check runs */
    evs_severity severity; /* of its findings, unless it says otherwise */
    const char *excuse;    /* what the script says of such findings, or NULL */
    evs_finding *items;    /* the pool's */
    size_t count, cap;
} evs__findings;

struct evs__rule {
    evs_rule_info info;
    void (*check)(const evs__facts *facts, evs__findings *out);
    int late; /* it runs when all others have, and it is known which findings are suppressed */
};

/* Runs the checks that the setting wants: those that are not late, then those that are. */
void evs__rules_run(const evs__facts *facts, evs__findings *out);
void evs__rules_run_late(const evs__facts *facts, evs__findings *out);

/* Puts the findings into the order of the text; those of other files come last. */
void evs__findings_sort(evs__findings *findings);

/* Adds a finding of the running rule. NULL when out of memory. */
evs_finding *evs__finding_add(evs__findings *out, evs_span at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a cause of a key use, with its steps. */
evs_finding *evs__finding_add_use(evs__findings *out, const evs__keyuse *use,
                                  const evs__cause *cause, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Does the script say that what KEYS[key] holds is small? */
int evs__key_is_small(const evs__facts *facts, int key);

/* Adds a step to the way that `finding` shows; nothing when it is NULL. */
void evs__finding_step(evs__findings *out, const evs__facts *facts, evs_finding *finding,
                       evs__span at, const char *text);

/* Gives a finding of the running rule two steps, the second of them where it is. */
void evs__finding_steps(evs__findings *out, evs_finding *finding, evs_span first,
                        const char *first_text, evs_span second, const char *second_text);

/* Findings for every use that has a cause of `origin`: "key of GET is ARGV[1], not taken from
 * KEYS". */
void evs__report_origin(const evs__facts *facts, evs__findings *out, evs__origin origin);

#endif
