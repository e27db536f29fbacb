/*
 * note.h - lines for whoever asked for a log. Without one they cost a test.
 */
#ifndef EVS_SCRIPTS_ENGINE_NOTE_H
#define EVS_SCRIPTS_ENGINE_NOTE_H

#include "scripts/engine/lane.h"

/* `status` EVS_OK makes it an information, anything else a warning. `script` may be NULL. */
void evs__note(const evs__lane *lane, const evs_script *script, evs_status status,
               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same about the client as a whole. */
void evs__note_client(const evs_client *client, evs_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
