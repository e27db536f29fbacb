#include "scripts/audit/profile.h"

#include "core/error.h"
#include "core/similar.h"

#include <string.h>

/* Where keys are not spread, an undeclared one is hidden from access control and clients, and no
 * more than that; slots mean nothing. */
static const evs__change_of_weight standalone[] = {{"ES101", EVS_SEVERITY_WARNING},
                                                   {"ES102", EVS_SEVERITY_WARNING},
                                                   {"ES103", EVS_SEVERITY_WARNING},
                                                   {"ES104", EVS_SEVERITY_NOTE},
                                                   {"ES106", EVS_SEVERITY_WARNING},
                                                   {"ES109", EVS_SEVERITY_WARNING},
                                                   {"ES111", EVS_SEVERITY_WARNING},
                                                   {"ES113", EVS__SEVERITY_OFF},
                                                   {"ES114", EVS__SEVERITY_OFF},
                                                   {"ES116", EVS_SEVERITY_NOTE},
                                                   {"ES117", EVS__SEVERITY_OFF},
                                                   {"ES119", EVS__SEVERITY_OFF},
                                                   {NULL, 0}};

/* Each access is checked against KEYS: a derived key is refused like any other. */
static const evs__change_of_weight strict[] = {{"ES104", EVS_SEVERITY_ERROR}, {NULL, 0}};

/* The same, and a script without keys is refused as well. */
static const evs__change_of_weight strict_with_keys[] = {
    {"ES104", EVS_SEVERITY_ERROR}, {"ES110", EVS_SEVERITY_ERROR}, {NULL, 0}};

/* Its proxies read the text of scripts. */
static const evs__change_of_weight aliyun[] = {{"ES104", EVS_SEVERITY_ERROR},
                                               {"ES110", EVS_SEVERITY_ERROR},
                                               {"ES118", EVS_SEVERITY_ERROR},
                                               {NULL, 0}};

static const evs__change_of_weight nothing[] = {{NULL, 0}};

static const evs__profile profiles[] = {
    {"cluster", "redis:7.0..", nothing},
    {"standalone", "redis:7.0..", standalone},
    {"valkey", "valkey:7.2..", nothing},
    {"elasticache-serverless", "redis:7.0,valkey:7.2..", strict_with_keys},
    {"aliyun", "redis:5.0..7.0", aliyun},
    {"dragonfly", "redis:7.0", strict},
    {"kvrocks-strict", "redis:7.0", strict},
};

enum { PROFILES = sizeof profiles / sizeof *profiles };

evs_status evs__profile_find(const evs__profile **out, const char *name, evs_error *err)
{
    const char *names[PROFILES];
    if (name == NULL || strcmp(name, "oss") == 0)
        name = "cluster";
    for (size_t i = 0; i < PROFILES; i++) {
        names[i] = profiles[i].name;
        if (strcmp(name, names[i]) == 0) {
            *out = &profiles[i];
            return EVS_OK;
        }
    }
    const char *like = evs__most_similar(evs_text(name), names, PROFILES);
    if (like != NULL)
        return evs__fail(err, EVS_E_INVALID, "profile '%s': no such profile, did you mean %s?",
                         name, like);
    return evs__fail(err, EVS_E_INVALID,
                     "profile '%s': must be cluster, standalone, valkey, elasticache-serverless, "
                     "aliyun, dragonfly or kvrocks-strict",
                     name);
}

int evs__profile_severity(const evs__profile *profile, const char *code)
{
    for (const evs__change_of_weight *c = profile->changes; c->code != NULL; c++)
        if (strcmp(c->code, code) == 0)
            return c->severity;
    return EVS__SEVERITY_DEFAULT;
}
