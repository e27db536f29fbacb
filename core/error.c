#include "core/error.h"

#include <stdio.h>

/* Text from a server or a file may hold line ends. */
static void to_one_line(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n' || *text == '\r')
            *text = ' ';
    }
}

/* The arguments may point into `err`: "%s: more", err->message. */
evs_status evs__fail_v(evs_error *err, evs_status status, const char *format, va_list args)
{
    if (err == NULL)
        return status;
    char message[sizeof err->message];
    vsnprintf(message, sizeof message, format, args);
    to_one_line(message);
    memset(err, 0, sizeof *err);
    err->status = status;
    memcpy(err->message, message, strlen(message));
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
