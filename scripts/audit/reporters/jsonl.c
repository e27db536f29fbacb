/*
 * For programs that read lines: each line is what the list `scripts` of json has of a script.
 */
#include "scripts/audit/script_json.h"

static void render(evs__buf *out, const evs__rendering *rendering)
{
    for (size_t i = 0; i < rendering->count; i++) {
        evs__json json = {.out = out, .first = 1};
        evs__script_json(&json, rendering->reports[i]);
        evs__buf_char(out, '\n');
    }
}

const evs__reporter evs__reporter_jsonl = {"jsonl", render};
