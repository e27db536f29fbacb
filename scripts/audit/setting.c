/*
 * Options to a setting. Lists of codes stay the text they are: they are short, and are read once
 * per rule.
 */
#include "scripts/audit/setting.h"

#include "core/error.h"
#include "core/trim.h"
#include "scripts/audit/contract.h"
#include "scripts/audit/contract_word.h"

#include <limits.h>
#include <string.h>

/* ---- lists of codes ---- */

/* One entry of a list: `code` or `code=value`. */
typedef struct entry {
    evs_bytes code;
    evs_bytes value; /* data is NULL without "=" */
} entry;

/* The next entry; moves `*list` behind it. 0 at the end. */
static int next(entry *out, const char **list)
{
    if (*list == NULL || **list == '\0')
        return 0;
    evs_bytes text = {*list, strcspn(*list, ",")};
    *list += text.len + ((*list)[text.len] == ',');
    const char *equals = text.len == 0 ? NULL : memchr(text.data, '=', text.len);
    out->code = text;
    out->value.data = NULL;
    out->value.len = 0;
    if (equals != NULL) {
        out->code.len = (size_t)(equals - text.data);
        out->value.data = equals + 1;
        out->value.len = text.len - out->code.len - 1;
        out->value = evs__trim(out->value);
    }
    out->code = evs__trim(out->code);
    return 1;
}

static int begins(const char *code, evs_bytes with)
{
    return with.len > 0 && strlen(code) >= with.len && memcmp(code, with.data, with.len) == 0;
}

/* The length of the longest beginning of `code` in the list, 0 for none; its value goes to
 * `*value` unless that is NULL. */
static size_t longest(const char *list, const char *code, evs_bytes *value)
{
    entry e;
    size_t len = 0;
    while (next(&e, &list)) {
        if (!begins(code, e.code) || e.code.len < len)
            continue;
        len = e.code.len;
        if (value != NULL)
            *value = e.value;
    }
    return len;
}

static int severity_of(evs_bytes word)
{
    static const char *const names[] = {"note", "warning", "error"};
    for (int i = 0; i < 3; i++)
        if (word.len == strlen(names[i]) && memcmp(word.data, names[i], word.len) == 0)
            return i;
    return EVS__SEVERITY_DEFAULT;
}

static int is_beginning(evs_bytes text)
{
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++)
        if (begins(rules[i]->code, text))
            return 1;
    return 0;
}

static evs_status check_list(const char *option, const char *list, int has_values, evs_error *err)
{
    entry e;
    while (next(&e, &list)) {
        if (!is_beginning(e.code))
            return evs__fail(err, EVS_E_INVALID, "%s: no rule begins with '%.*s'", option,
                             (int)e.code.len, e.code.data);
        if (!has_values && e.value.data != NULL)
            return evs__fail(err, EVS_E_INVALID, "%s: '%.*s' takes no value", option,
                             (int)e.code.len, e.code.data);
        if (has_values && severity_of(e.value) == EVS__SEVERITY_DEFAULT)
            return evs__fail(err, EVS_E_INVALID, "%s: '%.*s' must be note, warning or error",
                             option, (int)e.code.len, e.code.data);
    }
    return EVS_OK;
}

static evs_status check_lists(const evs_audit_options *o, evs_error *err)
{
    const struct {
        const char *option, *list;
        int has_values;
    } lists[] = {{"select", o->select, 0},
                 {"extend_select", o->extend_select, 0},
                 {"ignore", o->ignore, 0},
                 {"severities", o->severities, 1}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        evs_status status = check_list(lists[i].option, lists[i].list, lists[i].has_values, err);
        if (status != EVS_OK)
            return status;
    }
    return EVS_OK;
}

/* ---- expected ---- */

static long limit(size_t n)
{
    return n > LONG_MAX ? LONG_MAX : (long)n;
}

/* A faulty header block says nothing. */
static evs_status expect(evs__setting *setting, evs__arena *arena, evs_bytes source, evs_error *err)
{
    evs__expected *out = &setting->expected;
    evs__contract contract;
    *out = setting->said;
    evs_status status = evs__contract_read(&contract, arena, source, &setting->block);
    if (status == EVS_E_NOMEM)
        return evs__fail_nomem(err);
    if (status != EVS_OK || !contract.present)
        return EVS_OK;
    out->readonly |= contract.retry == EVS_RETRY_READ_ONLY;
    if (!contract.counts)
        return EVS_OK;
    out->keys_least = limit(evs__params_min(&contract.keys));
    out->keys_most = limit(evs__params_max(&contract.keys));
    out->args_least = limit(evs__params_min(&contract.args));
    out->args_most = limit(evs__params_max(&contract.args));
    return EVS_OK;
}

/* ---- all ---- */

/* Two characters, or "off". */
static evs_status read_tag(evs__setting *out, evs_error *err)
{
    const char *tag = out->options.hash_tag == NULL ? "{}" : out->options.hash_tag;
    if (strcmp(tag, "off") == 0)
        return EVS_OK;
    if (strlen(tag) != 2 || (tag[0] & 0x80) != 0 || (tag[1] & 0x80) != 0)
        return evs__fail(err, EVS_E_INVALID,
                         "hash_tag '%.40s': it must be two characters in ASCII, such as {}, or off",
                         tag);
    out->tag_open = tag[0];
    out->tag_close = tag[1];
    return EVS_OK;
}

static evs_status understand(evs__setting *out, evs__arena *arena, const evs_audit_options *opts,
                             evs_error *err)
{
    const evs_audit_options defaults = EVS_AUDIT_OPTIONS_INIT;
    memset(out, 0, sizeof *out);
    out->options = defaults;
    if (opts != NULL)
        memcpy(&out->options, opts,
               opts->struct_size < sizeof defaults ? opts->struct_size : sizeof defaults);

    evs_status status = evs__profile_find(&out->profile, out->options.profile, err);
    if (status != EVS_OK)
        return status;
    const char *target = out->options.target;
    status = evs__targets_read(&out->targets, target != NULL ? target : out->profile->target, err);
    if (status != EVS_OK)
        return status;
    status = read_tag(out, err);
    if (status == EVS_OK)
        status = evs__extra_read(&out->extra, arena, &out->options, err);
    if (status != EVS_OK)
        return status;
    out->said.keys_least = out->said.keys_most = out->options.keys;
    out->said.args_least = out->said.args_most = out->options.args;
    if (out->options.contract != NULL)
        status = evs__contract_words(&out->said, out->options.contract, err);
    if (status != EVS_OK)
        return status;
    if (out->options.keys < -1 || out->options.args < -1)
        return evs__fail(err, EVS_E_INVALID, "keys and args cannot be less than -1");
    if (out->options.unpack_limit < 0)
        return evs__fail(err, EVS_E_INVALID, "unpack_limit cannot be less than 0");
    return check_lists(&out->options, err);
}

evs_status evs_audit_options_check(const evs_audit_options *opts, evs_error *err)
{
    evs__setting setting;
    evs__arena arena = EVS__ARENA_INIT;
    evs_status status = understand(&setting, &arena, opts, err);
    evs__arena_free(&arena);
    return status;
}

evs_status evs__setting_make(evs__setting *out, evs__arena *arena, evs_bytes source,
                             const evs_audit_options *opts, evs_error *err)
{
    evs_status status = understand(out, arena, opts, err);
    if (status != EVS_OK)
        return status;
    return expect(out, arena, source, err);
}

int evs__setting_runs(const evs__setting *setting, const evs_rule_info *rule)
{
    const evs_audit_options *o = &setting->options;
    int severity = evs__profile_severity(setting->profile, rule->code);
    int chosen = o->select != NULL || o->extend_select != NULL || o->ignore != NULL;
    if (!chosen) /* most often */
        return severity != EVS__SEVERITY_OFF && (rule->tier != EVS_TIER_C || severity >= 0);
    size_t on = longest(o->select, rule->code, NULL);
    size_t more = longest(o->extend_select, rule->code, NULL);
    size_t off = longest(o->ignore, rule->code, NULL);
    on = more > on ? more : on;
    int whole = on == strlen(rule->code);
    if (rule->tier == EVS_TIER_C && severity < 0 && !whole)
        return 0;
    if (on > 0 || off > 0)
        return on > off;
    if (o->select != NULL || severity == EVS__SEVERITY_OFF)
        return 0;
    return rule->tier != EVS_TIER_C || severity != EVS__SEVERITY_DEFAULT;
}

static int is_about_keys(const evs_rule_info *rule)
{
    return rule->code[2] == '1';
}

const char *evs__setting_excuse(const evs__setting *setting, const evs_rule_info *rule)
{
    return is_about_keys(rule) ? setting->expected.excuse : NULL;
}

evs_severity evs__setting_severity(const evs__setting *setting, const evs_rule_info *rule)
{
    int severity = evs__profile_severity(setting->profile, rule->code);
    if (setting->expected.opted_out && is_about_keys(rule))
        return EVS_SEVERITY_NOTE;
    return severity < 0 ? rule->severity : (evs_severity)severity;
}

int evs__setting_override(const evs__setting *setting, const char *code)
{
    evs_bytes value;
    if (longest(setting->options.severities, code, &value) == 0)
        return EVS__SEVERITY_DEFAULT;
    return severity_of(value);
}
