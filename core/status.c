/* The texts of base.h: statuses, outcomes, version. */
#include <evalshard/base.h>

const char *evs_status_name(evs_status status)
{
    switch (status) {
#define NAME(name, number, text) \
    case EVS_##name:             \
        return "EVS_" #name;
        EVS_STATUS_MAP(NAME)
#undef NAME
    }
    return "EVS_UNKNOWN";
}

const char *evs_status_text(evs_status status)
{
    switch (status) {
#define TEXT(name, number, text) \
    case EVS_##name:             \
        return text;
        EVS_STATUS_MAP(TEXT)
#undef TEXT
    }
    return "unknown status";
}

const char *evs_outcome_text(evs_outcome outcome)
{
    switch (outcome) {
    case EVS_NOT_EXECUTED:
        return "not executed";
    case EVS_EXECUTED:
        return "executed";
    case EVS_MAYBE_EXECUTED:
        return "maybe executed";
    }
    return "unknown outcome";
}

#define QUOTE(x)                     #x
#define VERSION(major, minor, patch) QUOTE(major) "." QUOTE(minor) "." QUOTE(patch)

const char *evs_version(void)
{
    return VERSION(EVS_VERSION_MAJOR, EVS_VERSION_MINOR, EVS_VERSION_PATCH);
}
