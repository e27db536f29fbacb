/*
 * For programs: one object, schema 1. Numbers and names of fields never change their meaning within
 * a schema; new fields may come.
 */
#include "scripts/audit/reporter.h"

typedef struct writer {
    evs__buf *out;
    int first; /* no comma before the next member */
} writer;

/* ---- writing ---- */

/* The length of the UTF-8 character at the beginning of `text`; 0 when it is none. */
static size_t character(const unsigned char *text, size_t len)
{
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = text[0];
    size_t n = c < 0x80             ? 1
               : (c & 0xe0) == 0xc0 ? 2
               : (c & 0xf0) == 0xe0 ? 3
               : (c & 0xf8) == 0xf0 ? 4
                                    : 0;
    if (n == 0 || n > len)
        return 0;
    unsigned code = n == 1 ? c : c & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    if (n > 1 && (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))
        return 0;
    return n;
}

static void escaped(evs__buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        evs__buf_text(out, "\\\"");
        return;
    case '\\':
        evs__buf_text(out, "\\\\");
        return;
    case '\n':
        evs__buf_text(out, "\\n");
        return;
    case '\t':
        evs__buf_text(out, "\\t");
        return;
    default:
        evs__buf_format(out, "\\u%04x", c);
        return;
    }
}

/* Bytes that are no UTF-8 become U+FFFD. */
static void string(evs__buf *out, evs_bytes text)
{
    evs__buf_char(out, '"');
    for (size_t i = 0; i < text.len;) {
        const unsigned char *at = (const unsigned char *)text.data + i;
        size_t n = character(at, text.len - i);
        if (n == 0)
            evs__buf_text(out, "\xef\xbf\xbd");
        else if (n == 1 && (*at < ' ' || *at == '"' || *at == '\\'))
            escaped(out, *at);
        else
            evs__buf_append(out, at, n);
        i += n == 0 ? 1 : n;
    }
    evs__buf_char(out, '"');
}

static void comma(writer *w)
{
    if (!w->first)
        evs__buf_char(w->out, ',');
    w->first = 0;
}

static void name(writer *w, const char *text)
{
    comma(w);
    evs__buf_format(w->out, "\"%s\":", text);
}

static void open(writer *w, char c)
{
    evs__buf_char(w->out, c);
    w->first = 1;
}

static void close(writer *w, char c)
{
    evs__buf_char(w->out, c);
    w->first = 0;
}

static void text_member(writer *w, const char *key, const char *text)
{
    name(w, key);
    string(w->out, evs_text(text));
}

static void number_member(writer *w, const char *key, long long number)
{
    name(w, key);
    evs__buf_format(w->out, "%lld", number);
}

static void bool_member(writer *w, const char *key, int truth)
{
    name(w, key);
    evs__buf_text(w->out, truth ? "true" : "false");
}

/* ---- sites ---- */

static const char *atom_kind(const evs__atom *atom)
{
    static const char *const names[] = {
        [EVS__ATOM_CONSTANT] = "CONST",  [EVS__ATOM_NUMBER] = "NUM",    [EVS__ATOM_KEY] = "KEY",
        [EVS__ATOM_DERIVED] = "DERIVED", [EVS__ATOM_ARGUMENT] = "ARGV", [EVS__ATOM_REPLY] = "REPLY",
        [EVS__ATOM_DATA] = "DATA",       [EVS__ATOM_TOP] = "TOP"};
    return names[atom->kind];
}

static void atom(writer *w, const evs__atom *a)
{
    comma(w);
    open(w, '{');
    text_member(w, "kind", atom_kind(a));
    if (a->index > 0)
        number_member(w, "index", a->index);
    if (a->kind == EVS__ATOM_CONSTANT || a->kind == EVS__ATOM_TOP) {
        name(w, a->kind == EVS__ATOM_TOP ? "reason" : "text");
        string(w->out, a->text);
    }
    if (a->enters.end > 0) {
        number_member(w, "line", a->enters.line);
        number_member(w, "col", a->enters.column);
    }
    close(w, '}');
}

static void site(writer *w, const evs__keyuse *use)
{
    comma(w);
    open(w, '{');
    number_member(w, "line", use->at.line);
    number_member(w, "col", use->at.column);
    text_member(w, "command", use->command);
    number_member(w, "arg", use->argument);
    text_member(w, "verdict", evs_verdict_name(use->verdict));
    name(w, "atoms");
    open(w, '[');
    for (size_t i = 0; i < use->natoms; i++)
        atom(w, use->atoms[i]);
    close(w, ']');
    close(w, '}');
}

/* ---- findings ---- */

static void span(writer *w, evs_span at)
{
    number_member(w, "line", at.line);
    number_member(w, "col", at.column);
    number_member(w, "endLine", at.end_line);
    number_member(w, "endCol", at.end_column);
}

static void finding(writer *w, const evs_finding *f)
{
    comma(w);
    open(w, '{');
    text_member(w, "code", f->code);
    text_member(w, "name", f->name);
    text_member(w, "severity", evs__severity_name(f->severity));
    span(w, f->at);
    text_member(w, "message", f->message);
    name(w, "trace");
    open(w, '[');
    for (size_t i = 0; i < f->nsteps; i++) {
        comma(w);
        open(w, '{');
        span(w, f->steps[i].at);
        text_member(w, "text", f->steps[i].text);
        close(w, '}');
    }
    close(w, ']');
    close(w, '}');
}

/* ---- scripts ---- */

static void script(writer *w, const evs_report *report)
{
    comma(w);
    evs__buf_char(w->out, '\n');
    open(w, '{');
    text_member(w, "path", report->path);
    text_member(w, "kind", report->is_library ? "function" : "eval");
    text_member(w, "sha1", report->sha1);
    if (evs_report_verdict(report) == EVS_VERDICT_NONE) {
        name(w, "verdict");
        evs__buf_text(w->out, "null");
    } else {
        text_member(w, "verdict", evs_verdict_name(evs_report_verdict(report)));
    }
    bool_member(w, "complete", evs_report_complete(report));
    name(w, "sites");
    open(w, '[');
    for (size_t i = 0; i < report->facts.nuses; i++)
        site(w, &report->facts.uses[i]);
    close(w, ']');
    name(w, "findings");
    open(w, '[');
    for (size_t i = 0; i < report->nfindings; i++)
        finding(w, &report->findings[i]);
    close(w, ']');
    close(w, '}');
}

/* ---- summary ---- */

static size_t scripts_of(const evs__rendering *rendering, evs_verdict verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < rendering->count; i++)
        n += evs_report_verdict(rendering->reports[i]) == verdict;
    return n;
}

static void summary(writer *w, const evs__rendering *rendering)
{
    static const evs_verdict verdicts[] = {EVS_VERDICT_DECLARED, EVS_VERDICT_DERIVED,
                                           EVS_VERDICT_UNDECLARED, EVS_VERDICT_UNPROVEN,
                                           EVS_VERDICT_NO_KEYS};
    name(w, "summary");
    open(w, '{');
    number_member(w, "scripts", (long long)rendering->count);
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        number_member(w, evs_verdict_name(verdicts[i]),
                      (long long)scripts_of(rendering, verdicts[i]));
    number_member(w, "invalid", (long long)scripts_of(rendering, EVS_VERDICT_NONE));
    name(w, "findings");
    open(w, '{');
    for (int severity = EVS_SEVERITY_ERROR; severity >= EVS_SEVERITY_NOTE; severity--) {
        size_t n = 0;
        for (size_t i = 0; i < rendering->count; i++)
            n += evs__report_count(rendering->reports[i], (evs_severity)severity);
        number_member(w, evs__severity_name((evs_severity)severity), (long long)n);
    }
    close(w, '}');
    close(w, '}');
}

static void render(evs__buf *out, const evs__rendering *rendering)
{
    writer w = {out, 1};
    open(&w, '{');
    number_member(&w, "schema", 1);
    name(&w, "tool");
    open(&w, '{');
    text_member(&w, "name", "evalshard script-audit");
    text_member(&w, "version", evs_version());
    close(&w, '}');
    name(&w, "scripts");
    open(&w, '[');
    for (size_t i = 0; i < rendering->count; i++)
        script(&w, rendering->reports[i]);
    close(&w, ']');
    evs__buf_char(out, '\n');
    summary(&w, rendering);
    close(&w, '}');
    evs__buf_char(out, '\n');
}

const evs__reporter evs__reporter_json = {"json", render};
