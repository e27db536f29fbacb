#include "core/error.h"

#include <stdio.h>

evs_status evs__fail_v(evs_error *err, evs_status status, const char *format, va_list args)
{
    if (err == NULL)
        return status;
    memset(err, 0, sizeof *err);
    err->status = status;
    vsnprintf(err->message, sizeof err->message, format, args);
    return status;
}

evs_status evs__fail(evs_error *err, evs_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    evs__fail_v(err, status, format, args);
    va_end(args);
    return status;
}

evs_status evs__fail_nomem(evs_error *err)
{
    return evs__fail(err, EVS_E_NOMEM, "out of memory");
}

evs_status evs__fail_with(evs_error *err, const evs_error *from)
{
    if (err != NULL && err != from)
        *err = *from;
    return from->status;
}
