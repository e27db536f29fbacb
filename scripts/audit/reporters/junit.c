/*
 * For CI servers that know JUnit: a test case per script, so the number of tests does not depend on
 * what is found. Findings that are too much are failures, the others stand in <system-out>.
 */
#include "core/utf8.h"
#include "scripts/audit/reporter.h"

/* XML 1.0 allows no control characters but these, not even escaped. */
static int is_allowed(unsigned char c)
{
    return c >= ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void character(evs__buf *out, unsigned char c, int attribute)
{
    if (c == '&')
        evs__buf_text(out, "&amp;");
    else if (c == '<')
        evs__buf_text(out, "&lt;");
    else if (c == '>')
        evs__buf_text(out, "&gt;");
    else if (c == '"')
        evs__buf_text(out, "&quot;");
    else if (!is_allowed(c))
        evs__buf_text(out, "\xef\xbf\xbd");
    else if (c < ' ' && (attribute || c == '\r')) /* a reader would make a blank of it */
        evs__buf_format(out, "&#%d;", c);
    else
        evs__buf_char(out, (char)c);
}

/* U+FFFE and U+FFFF are characters of UTF-8 but not of XML. */
static int is_noncharacter(const char *text, size_t n)
{
    return n == 3 && memcmp(text, "\xef\xbf", 2) == 0 && (unsigned char)text[2] >= 0xbe;
}

static void xml(evs__buf *out, const char *text, int attribute)
{
    for (evs_bytes rest = evs_text(text); rest.len > 0;) {
        size_t n = evs__utf8_length(rest);
        if (n == 1)
            character(out, (unsigned char)rest.data[0], attribute);
        else if (n == 0 || is_noncharacter(rest.data, n))
            evs__buf_text(out, "\xef\xbf\xbd");
        else
            evs__buf_append(out, rest.data, n);
        n += n == 0;
        rest.data += n;
        rest.len -= n;
    }
}

static void finding_text(evs__buf *out, const evs_finding *f)
{
    evs__buf text = EVS__BUF_INIT;
    evs__buf_format(&text, "%s:%d:%d: %s[%s] %s: %s\n", f->path, f->at.line, f->at.column,
                    evs__severity_name(f->severity), f->code, f->name, f->message);
    for (size_t i = 0; f->nsteps > 1 && i < f->nsteps; i++)
        evs__buf_format(&text, "  %zu. %s:%d:%d %s\n", i + 1, f->steps[i].path, f->steps[i].at.line,
                        f->steps[i].at.column, f->steps[i].text);
    if (f->fix[0] != '\0')
        evs__buf_format(&text, "  fix: %s\n", f->fix);
    if (evs__buf_ok(&text))
        xml(out, text.data, 0);
    else
        out->failed = 1;
    evs__buf_free(&text);
}

static void failure(evs__buf *out, const evs_finding *f)
{
    evs__buf_format(out, "    <failure type=\"%s\" message=\"", f->code);
    xml(out, f->message, 1);
    evs__buf_text(out, "\">");
    finding_text(out, f);
    evs__buf_text(out, "</failure>\n");
}

static void failures(evs__buf *out, const evs__rendering *rendering, const evs_report *report)
{
    for (size_t i = 0; i < report->nfindings; i++)
        if (evs__finding_fails(report, &report->findings[i], rendering->options.fail_on))
            failure(out, &report->findings[i]);
}

static void others(evs__buf *out, const evs__rendering *rendering, const evs_report *report)
{
    int any = 0;
    for (size_t i = 0; i < report->nfindings; i++) {
        const evs_finding *f = &report->findings[i];
        if (!evs__finding_shown(rendering, f) ||
            evs__finding_fails(report, f, rendering->options.fail_on))
            continue;
        evs__buf_text(out, any ? "" : "    <system-out>");
        finding_text(out, f);
        any = 1;
    }
    evs__buf_text(out, any ? "</system-out>\n" : "");
}

static void open_case(evs__buf *out, const char *path)
{
    evs__buf_text(out, "  <testcase classname=\"");
    xml(out, path, 1);
    evs__buf_text(out, "\" name=\"cluster-safety\">\n");
}

static void render(evs__buf *out, const evs__rendering *rendering)
{
    size_t unread = rendering->options.nunread, failed = 0;
    for (size_t i = 0; i < rendering->count; i++)
        failed += evs_report_fails(rendering->reports[i], rendering->options.fail_on) != 0;
    evs__buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    evs__buf_format(out,
                    "<testsuite name=\"script-audit\" tests=\"%zu\" failures=\"%zu\" "
                    "errors=\"%zu\" skipped=\"0\">\n",
                    rendering->count + unread, failed, unread);
    for (size_t i = 0; i < rendering->count; i++) {
        open_case(out, rendering->reports[i]->path);
        failures(out, rendering, rendering->reports[i]);
        others(out, rendering, rendering->reports[i]);
        evs__buf_text(out, "  </testcase>\n");
    }
    for (size_t i = 0; i < unread; i++) {
        open_case(out, rendering->options.unread[i].path);
        evs__buf_text(out, "    <error message=\"");
        xml(out, rendering->options.unread[i].why, 1);
        evs__buf_text(out, "\"/>\n  </testcase>\n");
    }
    evs__buf_text(out, "</testsuite>\n");
}

const evs__reporter evs__reporter_junit = {"junit", render};
