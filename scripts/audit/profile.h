/*
 * profile.h - the kinds of places that scripts run in.
 *
 * A profile changes how much findings weigh and nothing else: what a rule finds is the same
 * everywhere. It may run rules that are otherwise opt-in, leave out those that mean nothing there,
 * and it says which servers are there unless the user does.
 */
#ifndef EVS_SCRIPTS_AUDIT_PROFILE_H
#define EVS_SCRIPTS_AUDIT_PROFILE_H

#include <evalshard/audit.h>

enum { EVS__SEVERITY_OFF = -1, EVS__SEVERITY_DEFAULT = -2 };

/* What a profile makes of a rule. */
typedef struct evs__change_of_weight {
    const char *code; /* NULL ends the list */
    int severity;     /* an evs_severity, or EVS__SEVERITY_OFF */
} evs__change_of_weight;

typedef struct evs__profile {
    const char *name;
    const char *target; /* unless one is given */
    const evs__change_of_weight *changes;
} evs__profile;

/* NULL is the profile "cluster". Fails with EVS_E_INVALID for an unknown name. */
evs_status evs__profile_find(const evs__profile **out, const char *name, evs_error *err);

/* An evs_severity or EVS__SEVERITY_OFF; EVS__SEVERITY_DEFAULT when it leaves the rule alone. */
int evs__profile_severity(const evs__profile *profile, const char *code);

#endif
