/*
 * For deploy gates and for servers that want the hashes of certain scripts: SHA-1, verdict and
 * path, with tabs between. A script that its program completes has no hash yet.
 */
#include "scripts/audit/reporter.h"

static void render(evs__buf *out, const evs__rendering *rendering)
{
    for (size_t i = 0; i < rendering->count; i++) {
        const evs_report *report = rendering->reports[i];
        if (report->sha1[0] == '\0')
            continue;
        evs_verdict verdict = evs_report_verdict(report);
        evs__buf_format(out, "%s\t%s\t", report->sha1,
                        verdict == EVS_VERDICT_NONE ? "invalid" : evs_verdict_name(verdict));
        evs__report_name(out, report);
        evs__buf_char(out, '\n');
    }
}

const evs__reporter evs__reporter_sha_list = {"sha-list", render};
