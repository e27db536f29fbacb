/*
 * For programs: one object, schema 1.
 */
#include "scripts/audit/script_json.h"

static void render(evs__buf *out, const evs__rendering *rendering)
{
    evs__json json = {.out = out, .first = 1};
    evs__json_open(&json, '{');
    evs__json_number(&json, "schema", 1);
    evs__tool_json(&json);
    evs__target_json(&json, rendering);
    evs__json_list(&json, "scripts");
    for (size_t i = 0; i < rendering->count; i++) {
        evs__json_line(&json);
        evs__script_json(&json, rendering->reports[i]);
    }
    evs__json_close(&json, ']');
    evs__json_line(&json);
    evs__unread_json(&json, rendering);
    evs__summary_json(&json, rendering);
    evs__json_close(&json, '}');
    evs__buf_char(out, '\n');
}

const evs__reporter evs__reporter_json = {"json", render};
