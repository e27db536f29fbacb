/*
 * script_json.h - one report as a JSON object: what json and jsonl show of a script.
 */
#ifndef EVS_SCRIPTS_AUDIT_SCRIPT_JSON_H
#define EVS_SCRIPTS_AUDIT_SCRIPT_JSON_H

#include "core/json.h"
#include "scripts/audit/reporter.h"

/* A value of a list. */
void evs__script_json(evs__json *json, const evs_report *report);

/* The members `tool`, `target` (of the first report; they are audited alike), `summary`. */
void evs__tool_json(evs__json *json);
void evs__target_json(evs__json *json, const evs__rendering *rendering);
void evs__summary_json(evs__json *json, const evs__rendering *rendering);

/* The member `unread`: inputs that there is no report of. */
void evs__unread_json(evs__json *json, const evs__rendering *rendering);

#endif
