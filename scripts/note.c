#include "scripts/note.h"

#include "core/printable.h"
#include "scripts/client.h"

#include <stdarg.h>
#include <stdio.h>

void evs__note(const evs__lane *lane, const evs_script *script, evs_status status,
               const char *format, ...)
{
    const evs_client *client = lane->client;
    if (client->options.log == NULL)
        return;
    char text[400], line[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    evs__printable(line, sizeof line, evs_text(text));
    evs_log_event event = {status == EVS_OK ? EVS_LOG_INFO : EVS_LOG_WARNING, status,
                           lane->at->name, script == NULL ? "" : script->name, line};
    client->options.log(client->options.log_arg, &event);
}
