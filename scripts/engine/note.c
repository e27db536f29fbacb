#include "scripts/engine/note.h"

#include "core/printable.h"
#include "scripts/engine/client.h"

#include <stdarg.h>
#include <stdio.h>

static void tell(const evs_client *client, evs_log_event *event, const char *text)
{
    char line[700];
    evs__printable(line, sizeof line, evs_text(text));
    event->level = event->status == EVS_OK ? EVS_LOG_INFO : EVS_LOG_WARNING;
    event->message = line;
    client->options.log(client->options.log_arg, event);
}

void evs__note(const evs__lane *lane, const evs_script *script, evs_status status,
               const char *format, ...)
{
    char text[400];
    va_list args;
    if (lane->client->options.log == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    evs_log_event event = {
        .status = status, .shard = lane->at->name, .script = script == NULL ? "" : script->name};
    tell(lane->client, &event, text);
}

void evs__note_client(const evs_client *client, evs_status status, const char *format, ...)
{
    char text[700];
    va_list args;
    if (client->options.log == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    evs_log_event event = {.status = status, .shard = "", .script = ""};
    tell(client, &event, text);
}
