/*
 * SARIF 2.1.0, as GitHub code scanning and most other tools read it.
 *
 * Columns are Unicode code points there, so each is counted anew in its line. Paths become relative
 * URIs. Suppressed findings are results with a `suppressions`.
 */
#include "core/json.h"
#include "scripts/audit/reporter.h"

#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

/* GitHub's bound for texts of rules, less what cutting adds. */
enum { TEXT_MAX = 1000 };

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

/* ---- places ---- */

static int is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-._~/", c) != NULL;
}

/* A relative URI, or a file URI for an absolute path. */
static void uri(evs__json *json, const char *path)
{
    evs__buf text = EVS__BUF_INIT;
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    evs__buf_text(&text, path[0] == '/' ? "file://" : "");
    for (const char *at = strcmp(path, "-") == 0 ? "stdin" : path; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        evs__buf_format(&text, is_plain(c) ? "%c" : "%%%02X", c);
    }
    if (evs__buf_ok(&text))
        evs__json_text(json, "uri", text.data);
    else
        json->out->failed = 1;
    evs__buf_free(&text);
}

/* The column of a byte as a number of code points. */
static int column(const evs_report *report, const char *path, int line, int bytes)
{
    evs_bytes text = evs__origins_line(&report->origins, path, line);
    size_t before = (size_t)bytes - 1;
    size_t beyond = before > text.len ? before - text.len : 0;
    text.len -= text.len > before ? text.len - before : 0;
    return (int)(evs__utf8_count(text) + beyond) + 1;
}

static void location(evs__json *json, const evs_report *report, const char *path, evs_span at)
{
    evs__json_object(json, "physicalLocation");
    evs__json_object(json, "artifactLocation");
    uri(json, path);
    evs__json_close(json, '}');
    evs__json_object(json, "region");
    evs__json_number(json, "startLine", at.line);
    evs__json_number(json, "startColumn", column(report, path, at.line, at.column));
    evs__json_number(json, "endLine", at.end_line);
    evs__json_number(json, "endColumn", column(report, path, at.end_line, at.end_column));
    evs__json_close(json, '}');
    evs__json_close(json, '}');
}

/* ---- results ---- */

static void message(evs__json *json, const char *name, const char *text)
{
    evs__json_object(json, name);
    evs__json_text(json, "text", text[0] == '\0' ? "-" : text);
    evs__json_close(json, '}');
}

static void step(evs__json *json, const evs_report *report, const evs_trace_step *s)
{
    evs__json_object(json, NULL);
    evs__json_object(json, "location");
    message(json, "message", s->text);
    location(json, report, s->path, s->at);
    evs__json_close(json, '}');
    evs__json_close(json, '}');
}

static void flow(evs__json *json, const evs_report *report, const evs_finding *f)
{
    evs__json_list(json, "codeFlows");
    evs__json_object(json, NULL);
    evs__json_list(json, "threadFlows");
    evs__json_object(json, NULL);
    evs__json_list(json, "locations");
    for (size_t i = 0; i < f->nsteps; i++)
        step(json, report, &f->steps[i]);
    evs__json_close(json, ']');
    evs__json_close(json, '}');
    evs__json_close(json, ']');
    evs__json_close(json, '}');
    evs__json_close(json, ']');
}

static void suppressions(evs__json *json, const evs_finding *f)
{
    int in_source = f->suppressed == EVS_SUPPRESSED_IN_SOURCE;
    evs__json_list(json, "suppressions");
    if (f->suppressed != EVS_SUPPRESSED_NOT) {
        evs__json_object(json, NULL);
        evs__json_text(json, "kind", in_source ? "inSource" : "external");
        if (f->reason[0] != '\0')
            evs__json_text(json, "justification", f->reason);
        evs__json_close(json, '}');
    }
    evs__json_close(json, ']');
}

static size_t rule_index(const char *code)
{
    size_t count, i = 0;
    const evs_rule_info *const *rules = evs_rules(&count);
    while (i < count && strcmp(rules[i]->code, code) != 0)
        i++;
    return i;
}

static void result(evs__json *json, const evs_report *report, const evs_finding *f)
{
    evs__json_line(json);
    evs__json_object(json, NULL);
    evs__json_text(json, "ruleId", f->code);
    evs__json_number(json, "ruleIndex", (long long)rule_index(f->code));
    evs__json_text(json, "level", evs__severity_name(f->severity));
    message(json, "message", f->message);
    evs__json_list(json, "locations");
    evs__json_object(json, NULL);
    location(json, report, f->path, f->at);
    evs__json_close(json, '}');
    evs__json_close(json, ']');
    evs__json_object(json, "partialFingerprints");
    evs__json_text(json, "primaryLocationLineHash", f->fingerprint);
    evs__json_close(json, '}');
    if (f->nsteps > 1)
        flow(json, report, f);
    suppressions(json, f);
    evs__json_close(json, '}');
}

/* ---- rules ---- */

static void cut(evs__json *json, const char *name, const char *text)
{
    char part[TEXT_MAX + 4];
    size_t len = evs__utf8_copy(part, TEXT_MAX, evs_text(text));
    if (len + 1 < strlen(text))
        memcpy(part + len, "...", 4);
    message(json, name, part);
}

static void code_block(evs__buf *out, const char *title, const char *text)
{
    if (text[0] != '\0')
        evs__buf_format(out, "\n\n**%s**\n\n```lua\n%s\n```", title, text);
}

static void paragraph(evs__buf *out, const char *title, const char *text)
{
    if (text[0] != '\0')
        evs__buf_format(out, "\n\n**%s** %s", title, text);
}

static void help(evs__json *json, const evs_rule_info *rule)
{
    evs__buf text = EVS__BUF_INIT;
    evs__buf_text(&text, rule->why);
    code_block(&text, "Bad", rule->bad);
    code_block(&text, "Good", rule->good);
    paragraph(&text, "Except:", rule->exceptions);
    paragraph(&text, "The server says:", rule->server);
    paragraph(&text, "Fix:", rule->fix);
    evs__json_object(json, "help");
    evs__json_text(json, "text", rule->fix[0] != '\0' ? rule->fix : rule->why);
    if (evs__buf_ok(&text))
        evs__json_text(json, "markdown", text.data);
    else
        json->out->failed = 1;
    evs__json_close(json, '}');
    evs__buf_free(&text);
}

/* What a group of rules, told by its first digit, is about. */
static const char *tag_of(const char *code)
{
    static const char *const tags[] = {"analysis",    "keys",    "commands", "portability",
                                       "loops",       "replies", "style",    "determinism",
                                       "performance", "hygiene"};
    return code[2] >= '0' && code[2] <= '9' ? tags[code[2] - '0'] : "analysis";
}

static void properties(evs__json *json, const evs_rule_info *rule)
{
    static const char *const problem[] = {"recommendation", "warning", "error"};
    static const char *const precision[] = {"very-high", "high", "medium"};
    evs__json_object(json, "properties");
    evs__json_list(json, "tags");
    evs__json_text(json, NULL, "redis");
    evs__json_text(json, NULL, tag_of(rule->code));
    evs__json_close(json, ']');
    evs__json_text(json, "precision", precision[rule->tier]);
    evs__json_text(json, "problem.severity", problem[rule->severity]);
    evs__json_close(json, '}');
}

static void rule_object(evs__json *json, const evs_rule_info *rule)
{
    evs__json_line(json);
    evs__json_object(json, NULL);
    evs__json_text(json, "id", rule->code);
    evs__json_text(json, "name", rule->name);
    message(json, "shortDescription", rule->name);
    cut(json, "fullDescription", rule->why);
    help(json, rule);
    evs__json_object(json, "defaultConfiguration");
    evs__json_text(json, "level", evs__severity_name(rule->severity));
    evs__json_close(json, '}');
    properties(json, rule);
    evs__json_close(json, '}');
}

static void tool(evs__json *json)
{
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    evs__json_object(json, "tool");
    evs__json_object(json, "driver");
    evs__json_text(json, "name", "evalshard script-audit");
    evs__json_text(json, "semanticVersion", evs_version());
    evs__json_list(json, "rules");
    for (size_t i = 0; i < count; i++)
        rule_object(json, rules[i]);
    evs__json_close(json, ']');
    evs__json_close(json, '}');
    evs__json_close(json, '}');
}

/* ---- the run ---- */

static void invocation(evs__json *json, const evs__rendering *rendering)
{
    const evs_render_options *o = &rendering->options;
    evs__json_list(json, "invocations");
    evs__json_object(json, NULL);
    evs__json_truth(json, "executionSuccessful", o->nunread == 0);
    evs__json_list(json, "toolExecutionNotifications");
    for (size_t i = 0; i < o->nunread; i++) {
        evs__json_object(json, NULL);
        evs__json_text(json, "level", "error");
        message(json, "message", o->unread[i].why);
        evs__json_list(json, "locations");
        evs__json_object(json, NULL);
        evs__json_object(json, "physicalLocation");
        evs__json_object(json, "artifactLocation");
        uri(json, o->unread[i].path);
        evs__json_close(json, '}');
        evs__json_close(json, '}');
        evs__json_close(json, '}');
        evs__json_close(json, ']');
        evs__json_close(json, '}');
    }
    evs__json_close(json, ']');
    evs__json_close(json, '}');
    evs__json_close(json, ']');
}

static void automation(evs__json *json, const evs__rendering *rendering)
{
    char id[64];
    const char *profile = "cluster";
    if (rendering->count > 0)
        profile = rendering->reports[0]->setting.profile->name;
    snprintf(id, sizeof id, "script-audit/%s/", profile);
    evs__json_object(json, "automationDetails");
    evs__json_text(json, "id", id);
    evs__json_close(json, '}');
}

static void results(evs__json *json, const evs__rendering *rendering)
{
    evs__json_list(json, "results");
    for (size_t i = 0; i < rendering->count; i++) {
        const evs_report *report = rendering->reports[i];
        for (size_t k = 0; k < report->nfindings; k++)
            result(json, report, &report->findings[k]);
    }
    evs__json_close(json, ']');
}

static void render(evs__buf *out, const evs__rendering *rendering)
{
    evs__json json = {.out = out, .first = 1};
    evs__json_open(&json, '{');
    evs__json_text(&json, "$schema", SCHEMA);
    evs__json_text(&json, "version", "2.1.0");
    evs__json_list(&json, "runs");
    evs__json_object(&json, NULL);
    tool(&json);
    evs__json_text(&json, "columnKind", "unicodeCodePoints");
    automation(&json, rendering);
    invocation(&json, rendering);
    results(&json, rendering);
    evs__json_close(&json, '}');
    evs__json_close(&json, ']');
    evs__json_close(&json, '}');
    evs__buf_char(out, '\n');
}

const evs__reporter evs__reporter_sarif = {"sarif", render};
