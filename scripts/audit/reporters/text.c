/*
 * For people: each finding with the lines it is about, one line per script at its end.
 *
 *     error[ES102] undeclared-key-argument: key of HSET is built from ARGV[1], not taken from KEYS
 *       --> src/add.lua:3:18
 *        |
 *      1 | local prefix = ARGV[1]
 *        |                ------- 1. enters here
 *      3 | redis.call('HSET', key, 'name', ARGV[2])
 *        |                    ^^^ 2. key argument 1 of HSET
 *        = cluster: ERR Script attempted to access a non local key in a cluster node
 *        = fix: pass the complete key as a further KEYS element
 *        = script-audit --explain ES102
 *     src/add.lua: undeclared  sha1 351130589c  1 site: 1 undeclared
 */
#include "scripts/audit/reporter.h"
#include "scripts/audit/usage.h"

#include <stdio.h>
#include <string.h>

/* The line shown last: finding the end of a very long one again and again would take long. */
typedef struct shown_line {
    const char *path;
    int number; /* 0: none yet */
    evs_bytes text;
} shown_line;

typedef struct page {
    evs__buf *out;
    const evs_report *report;
    int colour;
    int gutter; /* width of line numbers */
    shown_line *last;
} page;

/* ---- colours ---- */

#define BOLD   "\033[1m"
#define RED    "\033[1;31m"
#define YELLOW "\033[1;33m"
#define GREEN  "\033[1;32m"
#define BLUE   "\033[1;34m"

static void paint(const page *p, const char *colour)
{
    if (p->colour)
        evs__buf_text(p->out, colour);
}

static void plain(const page *p)
{
    paint(p, "\033[0m");
}

static const char *severity_colour(evs_severity severity)
{
    static const char *const colours[] = {BLUE, YELLOW, RED};
    return colours[severity];
}

static const char *verdict_colour(evs_verdict verdict)
{
    switch (verdict) {
    case EVS_VERDICT_UNDECLARED:
    case EVS_VERDICT_NONE:
        return RED;
    case EVS_VERDICT_DERIVED:
    case EVS_VERDICT_UNPROVEN:
        return YELLOW;
    default:
        return GREEN;
    }
}

/* ---- lines of the source ---- */

static void bar(const page *p, int line)
{
    char number[16] = "";
    if (line > 0)
        snprintf(number, sizeof number, "%d", line);
    paint(p, BLUE);
    evs__buf_format(p->out, "%*s |", p->gutter, number);
    plain(p);
}

static evs_bytes line_text(const page *p, const char *path, int line)
{
    if (p->last->number != line || strcmp(p->last->path, path) != 0) {
        p->last->path = path;
        p->last->number = line;
        p->last->text = evs__origins_line(&p->report->origins, path, line);
    }
    return p->last->text;
}

/* Of a line that nobody can read whole, as minified scripts have, what stands around a place. */
static evs_bytes window(const page *p, const char *path, evs_span at, size_t *skipped)
{
    enum { LONG = 400, BEFORE = 100 };
    evs_bytes text = line_text(p, path, at.line);
    *skipped = 0;
    if (text.len <= LONG)
        return text;

    size_t begin = at.column > BEFORE ? (size_t)at.column - BEFORE : 0;
    if (begin > text.len)
        begin = text.len;
    while (begin > 0 && begin < text.len && ((unsigned char)text.data[begin] & 0xc0) == 0x80)
        begin--; /* not into a UTF-8 character: at most three rounds in valid text */
    *skipped = begin;
    evs_bytes part = {text.data + begin, text.len - begin};
    if (part.len > LONG)
        part.len = LONG;
    return part;
}

static int is_cut(const page *p, const char *path, evs_span at)
{
    size_t skipped;
    return window(p, path, at, &skipped).len < line_text(p, path, at.line).len;
}

/* Control characters would move what stands below; a tab stays one. */
static void source_line(const page *p, const char *path, evs_span at)
{
    size_t skipped;
    evs_bytes text = window(p, path, at, &skipped);
    bar(p, at.line);
    evs__buf_char(p->out, ' ');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        evs__buf_char(p->out, (c < ' ' && c != '\t') || c == 0x7f ? '?' : text.data[i]);
    }
    evs__buf_char(p->out, '\n');
}

/* Blanks as wide as the source before `column`: tabs are kept, bytes that continue a UTF-8
 * character take no room. */
static void indent(const page *p, evs_bytes text, int column)
{
    for (size_t i = 0; i + 1 < (size_t)column; i++) {
        unsigned char c = i < text.len ? (unsigned char)text.data[i] : ' ';
        if ((c & 0xc0) != 0x80)
            evs__buf_char(p->out, c == '\t' ? '\t' : ' ');
    }
}

/* A span of several lines is marked to the end of its first one. */
static size_t width(evs_bytes text, evs_span at)
{
    size_t begin = (size_t)at.column - 1;
    size_t end = at.end_line == at.line ? (size_t)at.end_column - 1 : text.len;
    size_t n = 0;
    for (size_t i = begin; i < end && i < text.len; i++)
        n += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return n == 0 ? 1 : n;
}

static void mark(const page *p, const char *path, evs_span at, char sign, const char *colour)
{
    size_t skipped;
    evs_bytes text = window(p, path, at, &skipped);
    at.column -= (int)skipped;
    at.end_column -= at.end_line == at.line ? (int)skipped : 0;
    bar(p, 0);
    evs__buf_char(p->out, ' ');
    indent(p, text, at.column);
    paint(p, colour);
    for (size_t n = width(text, at); n > 0; n--)
        evs__buf_char(p->out, sign);
}

/* ---- findings ---- */

static int digits(int n)
{
    int count = 1;
    while (n >= 10) {
        n /= 10;
        count++;
    }
    return count;
}

static int gutter(const evs_finding *finding)
{
    int last = finding->at.line;
    for (size_t i = 0; i < finding->nsteps; i++)
        if (finding->steps[i].at.line > last)
            last = finding->steps[i].at.line;
    int n = digits(last);
    return n < 2 ? 2 : n;
}

/* The line of a step, unless it is shown already; the file too when it is another one. */
static void step_line(const page *p, const evs_trace_step *step, const evs_trace_step *before,
                      const char *in)
{
    if (strcmp(step->path, before == NULL ? in : before->path) != 0) {
        paint(p, BLUE);
        evs__buf_format(p->out, "%*s:::", p->gutter, "");
        plain(p);
        evs__buf_format(p->out, " %s:%d:%d\n", step->path, step->at.line, step->at.column);
        before = NULL;
    }
    if (before == NULL || before->at.line != step->at.line || is_cut(p, step->path, step->at))
        source_line(p, step->path, step->at);
}

static void steps(const page *p, const evs_finding *finding)
{
    const char *colour = severity_colour(finding->severity);
    for (size_t i = 0; i < finding->nsteps; i++) {
        const evs_trace_step *step = &finding->steps[i];
        int last = i + 1 == finding->nsteps;
        step_line(p, step, i == 0 ? NULL : step - 1, finding->path);
        mark(p, step->path, step->at, last ? '^' : '-', last ? colour : BLUE);
        if (finding->nsteps == 1)
            evs__buf_format(p->out, " %s", step->text);
        else
            evs__buf_format(p->out, " %zu. %s", i + 1, step->text);
        plain(p);
        evs__buf_char(p->out, '\n');
    }
    if (finding->nsteps > 0)
        return;
    source_line(p, finding->path, finding->at);
    mark(p, finding->path, finding->at, '^', colour);
    plain(p);
    evs__buf_char(p->out, '\n');
}

static void remark(const page *p, const char *what, const char *text)
{
    if (text[0] == '\0')
        return;
    paint(p, BLUE);
    evs__buf_format(p->out, "%*s =", p->gutter, "");
    plain(p);
    evs__buf_format(p->out, " %s%s\n", what, text);
}

static void show(page *p, const evs_finding *finding)
{
    p->gutter = gutter(finding);
    paint(p, severity_colour(finding->severity));
    evs__buf_format(p->out, "%s[%s] %s", evs__severity_name(finding->severity), finding->code,
                    finding->name);
    plain(p);
    paint(p, BOLD);
    evs__buf_format(p->out, ": %s\n", finding->message);
    plain(p);
    paint(p, BLUE);
    evs__buf_format(p->out, "%*s-->", p->gutter, "");
    plain(p);
    evs__buf_format(p->out, " %s:%d:%d\n", finding->path, finding->at.line, finding->at.column);
    bar(p, 0);
    evs__buf_char(p->out, '\n');
    steps(p, finding);
    remark(p, "cluster: ", finding->code[2] == '1' ? finding->server : "");
    remark(p, "server: ", finding->code[2] == '1' ? "" : finding->server);
    remark(p, "fix: ", finding->fix);
    remark(p, "script-audit --explain ", finding->code);
}

/* ---- scripts ---- */

/* How many keys callers pass and how many of them are taken, when that is said. */
static void keys(const page *p)
{
    evs__usage usage;
    size_t used = 0;
    if (!evs__usage_of(&usage, p->report))
        p->out->failed = 1;
    if (usage.declared < 0 || p->report->chunk->main == NULL)
        return;
    for (size_t i = 1; i <= usage.keys.most; i++)
        used += evs__indices_has(&usage.keys, i) != 0;
    evs__buf_format(p->out, "  keys %ld", usage.declared);
    if (!usage.keys.dynamic)
        evs__buf_format(p->out, " used %zu", used);
}

static void closing(const page *p)
{
    static const evs_verdict shown[] = {EVS_VERDICT_DECLARED, EVS_VERDICT_DERIVED,
                                        EVS_VERDICT_UNDECLARED, EVS_VERDICT_UNPROVEN,
                                        EVS_VERDICT_UNREACHED};
    const evs_report *report = p->report;
    evs_verdict verdict = evs_report_verdict(report);
    size_t sites = report->facts.nuses;
    evs__report_name(p->out, report);
    evs__buf_text(p->out, ": ");
    paint(p, verdict_colour(verdict));
    evs__buf_text(p->out, verdict != EVS_VERDICT_NONE ? evs_verdict_name(verdict)
                          : report->facts.is_fragment ? "fragment"
                                                      : "does not parse");
    plain(p);
    keys(p);
    if (report->sha1[0] != '\0')
        evs__buf_format(p->out, "  sha1 %s", report->sha1);
    evs__buf_format(p->out, "  %zu site%s", sites, sites == 1 ? "" : "s");
    const char *before = ":";
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        size_t n = evs__report_sites_of(report, shown[i]);
        if (n == 0)
            continue;
        evs__buf_format(p->out, "%s %zu %s", before, n, evs_verdict_name(shown[i]));
        before = "";
    }
    evs__buf_text(p->out, evs_report_complete(report) || verdict == EVS_VERDICT_NONE
                              ? "\n"
                              : "  (not all of it was followed)\n");
}

/* ---- the end ---- */

static void counted(evs__buf *out, const char *before, size_t n, const char *what)
{
    if (n > 0)
        evs__buf_format(out, "%s%zu %s", before, n, what);
}

/* Of one script with nothing hidden, its own line says it all. */
static void ending(evs__buf *out, const evs__rendering *rendering)
{
    evs__totals totals;
    evs__totals_of(&totals, rendering);
    if (rendering->count < 2 && totals.suppressed == 0 && totals.hidden == 0)
        return;
    evs__buf_format(out, "%zu script%s", rendering->count, rendering->count == 1 ? "" : "s");
    const char *before = ": ";
    for (int v = EVS_VERDICT_NO_KEYS; v <= EVS_VERDICT_NONE; v++) {
        evs_verdict verdict = (evs_verdict)v;
        counted(out, before, totals.verdicts[v],
                verdict == EVS_VERDICT_NONE      ? "not parsed"
                : verdict == EVS_VERDICT_NO_KEYS ? "without keys"
                                                 : evs_verdict_name(verdict));
        before = totals.verdicts[v] > 0 ? ", " : before;
    }
    evs__buf_format(
        out, "; %zu error%s, %zu warning%s, %zu note%s", totals.findings[EVS_SEVERITY_ERROR],
        totals.findings[EVS_SEVERITY_ERROR] == 1 ? "" : "s", totals.findings[EVS_SEVERITY_WARNING],
        totals.findings[EVS_SEVERITY_WARNING] == 1 ? "" : "s", totals.findings[EVS_SEVERITY_NOTE],
        totals.findings[EVS_SEVERITY_NOTE] == 1 ? "" : "s");
    counted(out, ", ", totals.suppressed, "suppressed");
    if (totals.hidden > 0)
        evs__buf_format(out, " (%zu not shown: --show note)", totals.hidden);
    evs__buf_char(out, '\n');
}

static void render(evs__buf *out, const evs__rendering *rendering)
{
    for (size_t i = 0; i < rendering->count; i++) {
        shown_line last = {"", 0, {NULL, 0}};
        page p = {out, rendering->reports[i], rendering->options.colour, 2, &last};
        for (size_t k = 0; k < p.report->nfindings; k++)
            if (evs__finding_shown(rendering, &p.report->findings[k]))
                show(&p, &p.report->findings[k]);
        if (!rendering->options.quiet)
            closing(&p);
    }
    if (!rendering->options.quiet)
        ending(out, rendering);
}

const evs__reporter evs__reporter_text = {"text", render};
