/* online_print.c - servers as a table with the findings below, and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/evalshard/online.h"
#include "tools/evalshard/table.h"
#include "tools/evalshard/term.h"

static const struct {
    const char *text;
    style which;
} looks[] = {
    [PROBE_NOTE] = {"note", FAINT},
    [PROBE_WARNING] = {"warning", CAUTION},
    [PROBE_ERROR] = {"error", BAD},
};

/* "ok", or the codes of what is wrong. */
static void state_cell(table *t, const probe *p)
{
    char text[160] = "";
    probe_severity worst = PROBE_NOTE;
    size_t len = 0;
    for (size_t i = 0; i < p->nfindings && len < sizeof text - 8; i++) {
        if (p->findings[i].severity == PROBE_NOTE)
            continue;
        worst = p->findings[i].severity > worst ? p->findings[i].severity : worst;
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", len > 0 ? "," : "",
                                p->findings[i].code);
    }
    table_text(t, len > 0 ? text : "ok", len > 0 ? looks[worst].which : GOOD);
}

static void scripts_cell(const online *o, table *t, const probe *p)
{
    char text[64] = "?";
    if (p->loaded >= 0)
        snprintf(text, sizeof text, "%" PRId64 " of %zu", p->loaded,
                 evs_registry_count(o->s->registry));
    table_text(t, p->registry == NULL || p->is_sentinel ? "-" : text, PLAIN);
}

static void clock_cell(table *t, const probe *p)
{
    char text[32] = "?";
    if (p->knows_time)
        snprintf(text, sizeof text, "%+" PRId64 " ms", p->skew_ms);
    table_text(t, p->is_sentinel ? "-" : p->knows_time && p->skew_ms == 0 ? "right" : text, PLAIN);
}

static void print_table(const online *o)
{
    static const char *const headers[] = {"shard",   "address", "server", "role",
                                          "scripts", "clock",   "state"};
    table *t = table_new(stdout, headers, 7);
    table_align(t, 2);
    for (size_t i = 0; i < o->nservers; i++) {
        const probe *p = &o->servers[i];
        table_text(t, p->name, PLAIN);
        table_text(t, p->address, PLAIN);
        table_text(t, p->server[0] == '\0' ? "?" : p->server, PLAIN);
        table_text(t, p->role[0] == '\0' ? "?" : p->role, PLAIN);
        scripts_cell(o, t, p);
        clock_cell(t, p);
        state_cell(t, p);
    }
    table_finish(t);
}

void online_print(const online *o)
{
    print_table(o);
    for (size_t i = 0; i < o->nservers; i++) {
        const probe *p = &o->servers[i];
        for (size_t k = 0; k < p->nfindings; k++) {
            const probe_finding *f = &p->findings[k];
            printf("%s at %s: %s%s[%s]%s: %s\n", p->name, p->address,
                   colour(stdout, looks[f->severity].which), looks[f->severity].text, f->code,
                   colour(stdout, PLAIN), f->message);
            if (f->hint[0] != '\0')
                printf("  hint: %s\n", f->hint);
        }
    }
}

/* ---- JSON ---- */

static void text_or_null(json *j, const char *key, const char *text)
{
    json_key(j, key);
    if (text[0] == '\0')
        json_null(j);
    else
        json_text(j, text);
}

static void may_or_null(json *j, const char *key, probe_may may)
{
    json_key(j, key);
    if (may == PROBE_UNKNOWN)
        json_null(j);
    else
        json_flag(j, may == PROBE_MAY);
}

static void number_or_null(json *j, const char *key, int known, int64_t number)
{
    json_key(j, key);
    if (known)
        json_number(j, number);
    else
        json_null(j);
}

static void print_findings(json *j, const probe *p)
{
    json_key(j, "findings");
    json_open(j, '[');
    for (size_t i = 0; i < p->nfindings; i++) {
        const probe_finding *f = &p->findings[i];
        json_open(j, '{');
        json_key(j, "severity");
        json_text(j, looks[f->severity].text);
        json_key(j, "code");
        json_text(j, f->code);
        json_key(j, "message");
        json_text(j, f->message);
        json_key(j, "hint");
        json_text(j, f->hint);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void print_watch(json *j, const probe_watch *w)
{
    json_open(j, '{');
    json_key(j, "shard");
    json_text(j, w->shard);
    json_key(j, "master_name");
    json_text(j, w->master);
    text_or_null(j, "primary", w->place == NULL ? "" : w->place);
    number_or_null(j, "quorum", w->is_described, w->quorum);
    number_or_null(j, "other_sentinels", w->is_described, w->others);
    number_or_null(j, "replicas", w->is_described, w->replicas);
    number_or_null(j, "config_epoch", w->is_described, w->epoch);
    json_close(j, '}');
}

/* What a sentinel says of primaries. */
static void print_watches(json *j, const probe *p)
{
    json_key(j, "watches");
    json_open(j, '[');
    for (size_t i = 0; i < p->nwatches; i++)
        print_watch(j, &p->watches[i]);
    json_close(j, ']');
}

static void print_server(json *j, const probe *p)
{
    json_line(j);
    json_open(j, '{');
    json_key(j, "shard");
    json_text(j, p->name);
    json_key(j, "address");
    json_text(j, p->address);
    json_key(j, "reachable");
    json_flag(j, p->is_reachable);
    text_or_null(j, "server", p->server);
    text_or_null(j, "role", p->role);
    json_key(j, "resp3");
    json_flag(j, p->speaks_resp3);
    text_or_null(j, "node", p->id);
    number_or_null(j, "skew_ms", p->knows_time, p->skew_ms);
    number_or_null(j, "scripts_loaded", p->loaded >= 0, p->loaded);
    may_or_null(j, "may_run_scripts", p->may_run);
    may_or_null(j, "may_load_scripts", p->may_load);
    may_or_null(j, "may_run_read_only_scripts", p->may_read);
    if (p->is_sentinel)
        print_watches(j, p);
    print_findings(j, p);
    json_close(j, '}');
}

void online_print_json(const online *o, json *j)
{
    json_key(j, "servers");
    json_open(j, '[');
    for (size_t i = 0; i < o->nservers; i++)
        print_server(j, &o->servers[i]);
    json_close(j, ']');
}
