/*
 * For GitLab: a Code Quality report.
 */
#include "core/json.h"
#include "core/mem.h"
#include "scripts/audit/reporter.h"

static const char *severity(const evs_finding *finding)
{
    static const char *const names[] = {"info", "minor", "major"};
    return names[finding->severity];
}

static void one(evs__json *json, const evs__hit *hit)
{
    const evs_finding *f = hit->finding;
    evs__buf id = EVS__BUF_INIT;
    evs__buf_format(&id, "%s:%s", f->path, f->fingerprint);
    if (!evs__buf_ok(&id))
        json->out->failed = 1;
    evs__json_line(json);
    evs__json_object(json, NULL);
    evs__json_text(json, "description", f->message);
    evs__json_text(json, "check_name", f->code);
    evs__json_text(json, "fingerprint", evs__buf_ok(&id) ? id.data : "");
    evs__json_text(json, "severity", severity(f));
    evs__json_object(json, "location");
    evs__json_text(json, "path", f->path);
    evs__json_object(json, "lines");
    evs__json_number(json, "begin", f->at.line);
    evs__json_close(json, '}');
    evs__json_close(json, '}');
    evs__json_close(json, '}');
    evs__buf_free(&id);
}

static void render(evs__buf *out, const evs__rendering *rendering)
{
    evs__json json = {.out = out, .first = 1};
    size_t count;
    evs__hit *hits = evs__hits(&count, out, rendering);
    evs__json_open(&json, '[');
    for (size_t i = 0; i < count; i++)
        one(&json, &hits[i]);
    evs__json_close(&json, ']');
    evs__buf_char(out, '\n');
    evs__free(hits);
}

const evs__reporter evs__reporter_gitlab = {"gitlab", render};
