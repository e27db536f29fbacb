/*
 * For editors and problem matchers: path:line:col: CODE message, one line each.
 */
#include "scripts/audit/reporter.h"

static void render(evs__buf *out, const evs__rendering *rendering)
{
    for (size_t i = 0; i < rendering->count; i++) {
        const evs_report *report = rendering->reports[i];
        for (size_t k = 0; k < report->nfindings; k++) {
            const evs_finding *f = &report->findings[k];
            if (evs__finding_shown(rendering, f))
                evs__buf_format(out, "%s:%d:%d: %s %s\n", f->path, f->at.line, f->at.column,
                                f->code, f->message);
        }
    }
}

const evs__reporter evs__reporter_concise = {"concise", render};
