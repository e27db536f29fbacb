/*
 * One script: made from its text, asked for what it is, and judged.
 *
 * Judging goes by the key arguments of the calls rather than by the verdict of the script alone,
 * which is the worst of them: a script may have an unproven key, which a reason excuses, and a
 * derived one, which nothing excuses.
 */
#include "scripts/script.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/audit/report.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- errors ---- */

/* "ORIGIN:LINE:COLUMN: message", or without the place when there is none. */
static evs_status fail_at(evs_error *err, evs_status status, const evs_script *script, evs_span at,
                          const char *format, ...) __attribute__((format(printf, 5, 6)));

static evs_status fail_at(evs_error *err, evs_status status, const evs_script *script, evs_span at,
                          const char *format, ...)
{
    char text[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);

    if (at.line == 0)
        evs__fail(err, status, "%s: %s", script->origin, text);
    else
        evs__fail(err, status, "%s:%d:%d: %s", script->origin, at.line, at.column, text);
    if (err != NULL) {
        err->line = at.line;
        err->column = at.column;
        snprintf(err->script, sizeof err->script, "%s", script->name);
    }
    return status;
}

/* ---- make and free ---- */

static int copy_texts(evs_script *script, const evs__script_text *text)
{
    evs__arena *arena = &script->arena;
    const char *reason = text->allow_unproven;
    script->name = evs__arena_text(arena, text->name, strlen(text->name));
    if (text->path == NULL)
        script->origin = evs__arena_format(arena, "script %s", text->name);
    else
        script->origin = evs__arena_text(arena, text->path, strlen(text->path));
    if (reason != NULL && reason[0] != '\0') {
        script->allow_unproven = evs__arena_text(arena, reason, strlen(reason));
        if (script->allow_unproven == NULL)
            return 0;
    }
    return script->name != NULL && script->origin != NULL;
}

static evs_status read_contract(evs_script *script, evs_bytes source, evs_error *err)
{
    evs_error why;
    evs_status status = evs__contract_read(&script->contract, &script->arena, source, &why);
    if (status == EVS_E_INVALID) {
        evs_span at = {why.line, why.column, why.line, why.column};
        return fail_at(err, status, script, at, "%s", why.message);
    }
    if (status != EVS_OK)
        return evs__fail_with(err, &why);
    script->retry = script->contract.retry;
    return EVS_OK;
}

/* A text that does not parse is the finding ES001, which comes alone. */
static evs_status fail_compile(const evs_script *script, evs_error *err)
{
    static const evs_span nowhere = {0, 0, 0, 0};
    size_t count;
    const evs_finding *findings = evs_report_findings(script->report, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(findings[i].code, "ES001") == 0)
            return fail_at(err, EVS_E_COMPILE, script, findings[i].at, "%s", findings[i].message);
    return fail_at(err, EVS_E_COMPILE, script, nowhere, "%s", evs_status_text(EVS_E_COMPILE));
}

static evs_status audit(evs_script *script, const evs__script_text *text, evs_error *err)
{
    evs_audit_options opts = EVS_AUDIT_OPTIONS_INIT;
    opts.path = text->path == NULL ? script->name : text->path;
    evs_status status = evs_audit(&script->report, text->source, &opts, err);
    if (status != EVS_OK)
        return status;
    script->sha1 = evs_report_sha1(script->report);
    script->may_write = evs_report_may_write(script->report);
    script->may_return_errors = evs_report_may_return_errors(script->report);
    script->source = script->report->source;
    if (evs_report_verdict(script->report) == EVS_VERDICT_NONE)
        return fail_compile(script, err);
    return EVS_OK;
}

evs_status evs__script_new(evs_script **out, const evs__script_text *text, evs_error *err)
{
    evs_script *script = evs__zalloc_array(1, sizeof *script);
    if (script == NULL)
        return evs__fail_nomem(err);

    evs_status status = EVS_OK;
    if (!copy_texts(script, text))
        status = evs__fail_nomem(err);
    if (status == EVS_OK)
        status = read_contract(script, text->source, err);
    if (status == EVS_OK)
        status = audit(script, text, err);
    if (status != EVS_OK) {
        evs__script_free(script);
        return status;
    }
    *out = script;
    return EVS_OK;
}

void evs__script_free(evs_script *script)
{
    if (script == NULL)
        return;
    evs_report_free(script->report);
    evs__arena_free(&script->arena);
    evs__free(script);
}

/* ---- what it is ---- */

const char *evs_script_name(const evs_script *script)
{
    return script->name;
}

evs_bytes evs_script_source(const evs_script *script)
{
    return script->source;
}

const char *evs_script_sha1(const evs_script *script)
{
    return script->sha1;
}

const evs_report *evs_script_report(const evs_script *script)
{
    return script->report;
}

evs_retry evs_script_retry(const evs_script *script)
{
    return script->retry;
}

const char *evs_script_summary(const evs_script *script)
{
    return script->contract.summary;
}

const char *evs_script_returns(const evs_script *script)
{
    return script->contract.returns;
}

int evs_script_version(const evs_script *script)
{
    return script->contract.version;
}

/* ---- arity ---- */

/* A line that is cut at its end rather than grown. */
typedef struct phrase {
    char text[400];
    size_t len;
} phrase;

static void say(phrase *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(phrase *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(p->text + p->len, sizeof p->text - p->len, format, args);
    va_end(args);
    size_t room = sizeof p->text - 1 - p->len;
    p->len += len < 0 ? 0 : (size_t)len < room ? (size_t)len : room;
}

static void say_count(phrase *p, size_t count, const char *noun)
{
    say(p, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

/* (user, status), (id, fields...); long lists are cut and say so. */
static void say_names(phrase *p, const evs__params *params)
{
    enum { ROOM_FOR_LAST = 80 };

    for (size_t i = 0; i < params->count; i++) {
        if (p->len + strlen(params->items[i].name) + ROOM_FOR_LAST > sizeof p->text) {
            say(p, ", and %zu more)", params->count - i);
            return;
        }
        say(p, "%s%s", i == 0 ? " (" : ", ", params->items[i].name);
    }
    say(p, params->tail ? "...)" : ")");
}

/* 2 keys (user, status); at least 1 argument (id, fields...); any number of keys (all...) */
static void say_params(phrase *p, const evs__params *params, const char *noun)
{
    if (params->count == 0) {
        say(p, "no %ss", noun);
        return;
    }
    size_t min = evs__params_min(params);
    if (params->tail && min == 0) {
        say(p, "any number of %ss", noun);
    } else {
        if (params->tail)
            say(p, "at least ");
        say_count(p, min, noun);
    }
    say_names(p, params);
}

static int fits(const evs__params *params, size_t count)
{
    return count >= evs__params_min(params) && count <= evs__params_max(params);
}

evs_status evs_script_check_arity(const evs_script *script, size_t nkeys, size_t nargs,
                                  evs_error *err)
{
    const evs__contract *contract = &script->contract;
    int keys_fit = fits(&contract->keys, nkeys), args_fit = fits(&contract->args, nargs);
    if (!contract->counts || (keys_fit && args_fit))
        return EVS_OK;

    phrase keys = {"", 0}, args = {"", 0}, got = {"", 0};
    say_params(&keys, &contract->keys, "key");
    say_params(&args, &contract->args, "argument");
    if (!keys_fit)
        say_count(&got, nkeys, "key");
    if (!args_fit) {
        say(&got, keys_fit ? "" : " and ");
        say_count(&got, nargs, "argument");
    }
    evs__fail(err, EVS_E_ARITY, "%s takes %s and %s; got %s", script->name, keys.text, args.text,
              got.text);
    if (err != NULL)
        snprintf(err->script, sizeof err->script, "%s", script->name);
    return EVS_E_ARITY;
}

/* ---- policy ---- */

/* 1 when a key with this verdict is refused under deny. */
static int refused(const evs_script *script, evs_verdict verdict)
{
    switch (verdict) {
    case EVS_VERDICT_DERIVED:
    case EVS_VERDICT_UNDECLARED:
        return 1;
    case EVS_VERDICT_UNPROVEN:
        return script->allow_unproven == NULL;
    default:
        return 0;
    }
}

/* The first of the worst sites that are refused; NULL when none is. */
static const evs_site *find_refused(const evs_script *script)
{
    size_t count;
    const evs_site *sites = evs_report_sites(script->report, &count), *found = NULL;
    for (size_t i = 0; i < count; i++)
        if (refused(script, sites[i].verdict) &&
            (found == NULL || sites[i].verdict > found->verdict))
            found = &sites[i];
    return found;
}

static int is_about_keys(const evs_finding *finding)
{
    return strncmp(finding->code, "ES10", 4) == 0 || strcmp(finding->code, "ES006") == 0;
}

/* The finding about keys at `at`, or the first one anywhere when `at` is NULL. */
static const evs_finding *find_finding(const evs_script *script, const evs_span *at)
{
    size_t count;
    const evs_finding *findings = evs_report_findings(script->report, &count);
    for (size_t i = 0; i < count; i++)
        if (is_about_keys(&findings[i]) && (at == NULL || (findings[i].at.line == at->line &&
                                                           findings[i].at.column == at->column)))
            return &findings[i];
    return NULL;
}

static evs_status refuse(const evs_script *script, evs_verdict verdict, const evs_site *site,
                         evs_error *err)
{
    static const evs_span nowhere = {0, 0, 0, 0};
    const evs_finding *finding = find_finding(script, site == NULL ? NULL : &site->at);
    const char *unless = verdict == EVS_VERDICT_UNPROVEN
                             ? " unless the script is loaded with a reason in allow_unproven"
                             : "";
    if (finding != NULL)
        return fail_at(err, EVS_E_AUDIT, script, finding->at,
                       "%s %s (%s: the audit policy deny refuses that%s)", finding->code,
                       finding->message, evs_verdict_name(verdict), unless);
    return fail_at(
        err, EVS_E_AUDIT, script, site == NULL ? nowhere : site->at,
        "%s of %s is %s (the audit policy deny refuses that%s)", site == NULL ? "a key" : "the key",
        site == NULL ? "some command" : site->command, evs_verdict_name(verdict), unless);
}

evs_status evs__script_allowed(const evs_script *script, evs_audit_policy policy, evs_error *err)
{
    if (policy != EVS_AUDIT_DENY)
        return EVS_OK;
    const evs_site *site = find_refused(script);
    if (site != NULL)
        return refuse(script, site->verdict, site, err);
    evs_verdict verdict = evs_report_verdict(script->report);
    if (!evs_report_complete(script->report) && verdict < EVS_VERDICT_UNPROVEN)
        verdict = EVS_VERDICT_UNPROVEN;
    if (refused(script, verdict))
        return refuse(script, verdict, NULL, err);
    return EVS_OK;
}

/* ---- joining a registry ---- */

/* Where a shebang does not say no-writes, the server takes the script for one that writes. */
static int may_be_read_only(evs_bytes source)
{
    static const char flag[] = "no-writes";
    const char *end = memchr(source.data, '\n', source.len);
    size_t len = end == NULL ? source.len : (size_t)(end - source.data);
    return len < 2 || memcmp(source.data, "#!", 2) != 0 ||
           memmem(source.data, len, flag, sizeof flag - 1) != NULL;
}

void evs__script_join(evs_script *script, const evs_registry *registry)
{
    const evs__contract *contract = &script->contract;
    evs__script_use *use = &script->use;
    *use = (evs__script_use){.registry = registry, .max_keys = SIZE_MAX, .max_args = SIZE_MAX};
    if (contract->counts) {
        use->min_keys = evs__params_min(&contract->keys);
        use->max_keys = evs__params_max(&contract->keys);
        use->min_args = evs__params_min(&contract->args);
        use->max_args = evs__params_max(&contract->args);
    }
    use->denied = evs__script_allowed(script, EVS_AUDIT_DENY, NULL) != EVS_OK;
    use->one_key = !use->denied && use->min_keys <= 1 && use->max_keys >= 1;
    use->reads = script->retry == EVS_RETRY_READ_ONLY && may_be_read_only(script->source);
    evs__head_render(&use->head, script->sha1);
}
