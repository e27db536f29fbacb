/*
 * For GitHub Actions: workflow commands that become annotations of a pull request.
 *
 * GitHub takes ten of each kind from a step, so the worst findings come first, and one more notice
 * at the end says how many there are in all.
 */
#include "core/mem.h"
#include "core/utf8.h"
#include "scripts/audit/reporter.h"

enum { MOST_PER_KIND = 10 };

/* Control characters and bytes that are no UTF-8 would break the line or the page. */
static void data(evs__buf *out, const char *text, int property)
{
    for (evs_bytes rest = evs_text(text); rest.len > 0;) {
        size_t n = evs__utf8_length(rest);
        unsigned char c = (unsigned char)rest.data[0];
        int special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
        if (n == 0)
            evs__buf_text(out, "\xef\xbf\xbd");
        else if (special)
            evs__buf_format(out, "%%%02X", c);
        else
            evs__buf_append(out, rest.data, n);
        n += n == 0;
        rest.data += n;
        rest.len -= n;
    }
}

static const char *kind(const evs_finding *finding)
{
    static const char *const names[] = {"notice", "warning", "error"};
    return names[finding->severity];
}

static void annotation(evs__buf *out, const evs_finding *f)
{
    evs__buf_format(out, "::%s file=", kind(f));
    data(out, f->path, 1);
    evs__buf_format(out, ",line=%d,endLine=%d", f->at.line, f->at.end_line);
    if (f->at.line == f->at.end_line)
        evs__buf_format(out, ",col=%d,endColumn=%d", f->at.column, f->at.end_column);
    evs__buf_format(out, ",title=%s %s::", f->code, f->name);
    data(out, f->message, 0);
    if (f->fix[0] != '\0') {
        evs__buf_text(out, "%0Afix: ");
        data(out, f->fix, 0);
    }
    evs__buf_char(out, '\n');
}

static void unread(evs__buf *out, const evs_unread *input)
{
    evs__buf_text(out, "::error file=");
    data(out, input->path, 1);
    evs__buf_text(out, ",title=not audited::");
    data(out, input->why, 0);
    evs__buf_char(out, '\n');
}

/* The notice comes first in the limit of its kind when it is needed most: notes make room. */
static void summary(evs__buf *out, const evs__rendering *rendering, size_t shown, size_t found)
{
    evs__totals totals;
    evs__totals_of(&totals, rendering);
    evs__buf_format(
        out,
        "::notice title=script-audit::%zu script%s: %zu error%s, %zu warning%s, %zu "
        "note%s",
        rendering->count, rendering->count == 1 ? "" : "s", totals.findings[EVS_SEVERITY_ERROR],
        totals.findings[EVS_SEVERITY_ERROR] == 1 ? "" : "s", totals.findings[EVS_SEVERITY_WARNING],
        totals.findings[EVS_SEVERITY_WARNING] == 1 ? "" : "s", totals.findings[EVS_SEVERITY_NOTE],
        totals.findings[EVS_SEVERITY_NOTE] == 1 ? "" : "s");
    if (shown < found)
        evs__buf_format(out, "; %zu of %zu are shown here", shown, found);
    evs__buf_char(out, '\n');
}

static void render(evs__buf *out, const evs__rendering *rendering)
{
    /* One notice is the summary, and errors share with inputs that could not be read. */
    size_t left[] = {MOST_PER_KIND - 1, MOST_PER_KIND, MOST_PER_KIND}, count, shown = 0;
    evs__hit *hits = evs__hits(&count, out, rendering);
    for (size_t i = 0; i < rendering->options.nunread && left[EVS_SEVERITY_ERROR] > 0; i++) {
        unread(out, &rendering->options.unread[i]);
        left[EVS_SEVERITY_ERROR]--;
    }
    for (size_t i = 0; i < count; i++) {
        size_t *room = &left[hits[i].finding->severity];
        if (*room == 0)
            continue;
        annotation(out, hits[i].finding);
        --*room;
        shown++;
    }
    summary(out, rendering, shown, count);
    evs__free(hits);
}

const evs__reporter evs__reporter_github = {"github", render};
