/*
 * setting.h - what a script is audited for: the options, understood.
 */
#ifndef EVS_SCRIPTS_AUDIT_SETTING_H
#define EVS_SCRIPTS_AUDIT_SETTING_H

#include "core/arena.h"
#include "scripts/audit/extra.h"
#include "scripts/audit/profile.h"
#include "scripts/audit/target.h"

#include <stdint.h>

/* What callers pass and what they rely on, as far as anybody said so: the header block of the
 * script, or the options. */
typedef struct evs__expected {
    long keys_least, keys_most; /* -1: nothing is said; LONG_MAX: no limit */
    long args_least, args_most;
    int readonly;       /* it is called by EVALSHA_RO, say */
    int hashtag;        /* callers pass keys with one {tag} */
    int opted_out;      /* of places where each key has to be declared: what is found is a note */
    const char *excuse; /* what it says about that, for messages; NULL: nothing */
    uint64_t small;     /* bit N-1: what KEYS[N] holds is small */
} evs__expected;

typedef struct evs__setting {
    evs_audit_options options; /* its texts are borrowed */
    evs__targets targets;
    evs__extra extra;
    const evs__profile *profile;
    char tag_open, tag_close; /* around a hash tag; both NUL: there are none */
    evs__expected said;       /* by the options */
    evs__expected expected;
    evs_error block; /* what is wrong with the header block; status OK when nothing */
} evs__setting;

/* Understands `opts`, which may be NULL, and what `source` says of itself. Fails with
 * EVS_E_INVALID and EVS_E_NOMEM. */
evs_status evs__setting_make(evs__setting *out, evs__arena *arena, evs_bytes source,
                             const evs_audit_options *opts, evs_error *err);

/* Does a rule run? */
int evs__setting_runs(const evs__setting *setting, const evs_rule_info *rule);

/* Why findings of a rule may not matter to whoever wrote the script; NULL. */
const char *evs__setting_excuse(const evs__setting *setting, const evs_rule_info *rule);

/* The weight of its findings before the rule itself has looked at them. */
evs_severity evs__setting_severity(const evs__setting *setting, const evs_rule_info *rule);

/* The weight that the user gave to a rule, whatever it says; EVS__SEVERITY_DEFAULT when none. */
int evs__setting_override(const evs__setting *setting, const char *code);

#endif
