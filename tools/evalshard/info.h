/*
 * info.h - numbers out of the text that INFO answers with.
 */
#ifndef EVS_TOOLS_INFO_H
#define EVS_TOOLS_INFO_H

#include <evalshard/base.h>

/* The number in the line `name:number`; -1 when there is none. */
int64_t info_number(evs_bytes text, const char *name);

/* The number of `field` in the line `name:a=1,b=2`; 0 when there is none, for such lines appear
 * with the first event they count. */
int64_t info_field(evs_bytes text, const char *name, const char *field);

/* The text in the line `name:text`, borrowed; empty when there is none. */
evs_bytes info_text(evs_bytes text, const char *name);

#endif
