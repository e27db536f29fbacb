/*
 * For deploy gates and for servers that want the hashes of certain scripts: SHA-1, verdict and
 * path, with tabs between.
 */
#include "scripts/audit/reporter.h"

static void render(evs__buf *out, const evs__rendering *rendering)
{
    for (size_t i = 0; i < rendering->count; i++) {
        const evs_report *report = rendering->reports[i];
        evs_verdict verdict = evs_report_verdict(report);
        evs__buf_format(out, "%s\t%s\t%s\n", report->sha1,
                        verdict == EVS_VERDICT_NONE ? "invalid" : evs_verdict_name(verdict),
                        report->path);
    }
}

const evs__reporter evs__reporter_sha_list = {"sha-list", render};
