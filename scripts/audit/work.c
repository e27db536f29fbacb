#include "scripts/audit/flow.h"

#include <string.h>

evs__work evs__work_of(const char *command)
{
    static const struct {
        const char *command;
        evs__work work;
    } works[] = {
#define EVS_WORK(command, work) {command, EVS__WORK_##work},
#include "scripts/audit/work.def"
#undef EVS_WORK
    };
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (works[i].command[0] == command[0] && strcmp(works[i].command, command) == 0)
            return works[i].work;
    return EVS__WORK_NONE;
}
