/*
 * fleet_print.c - scripts by shards as a matrix, as rows, as JSON.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tools/evalshard/fleet.h"
#include "tools/evalshard/json.h"
#include "tools/evalshard/table.h"

static const struct {
    const char *text;
    style which;
} looks[] = {
    [FLEET_UNREACHABLE] = {"unreachable", BAD}, [FLEET_REFUSED] = {"refused", BAD},
    [FLEET_MISSING] = {"missing", CAUTION},     [FLEET_WOULD_LOAD] = {"would load", CAUTION},
    [FLEET_LOADED] = {"loaded", GOOD},
};

/* No script has such a name. */
static const char NOT_OURS[] = "(not ours)";

/* "name@version", or the name alone when the script says no version; yours to free. */
static char *label(const fleet *f, size_t script)
{
    const evs_script *it = evs_registry_at(f->s->registry, script);
    char *text = NULL;
    int n = evs_script_version(it) > 0
                ? asprintf(&text, "%s@%d", evs_script_name(it), evs_script_version(it))
                : asprintf(&text, "%s", evs_script_name(it));
    return need(n == -1 ? NULL : text);
}

/* Whether not-ours was asked for anywhere. */
static int knows_others(const fleet *f)
{
    for (size_t i = 0; i < f->nshards; i++) {
        if (f->shards[i].not_ours >= 0)
            return 1;
    }
    return 0;
}

static void others_cell(const fleet *f, size_t shard, table *t)
{
    char text[24] = "?";
    int64_t n = f->shards[shard].not_ours;
    if (n >= 0)
        snprintf(text, sizeof text, "%lld", (long long)n);
    table_text(t, text, n > 0 ? CAUTION : PLAIN);
}

static void print_rows(const fleet *f)
{
    static const char *const headers[] = {"script", "pool", "shard", "state"};
    table *t = table_new(stdout, headers, 4);
    for (size_t script = 0; script < f->nscripts; script++) {
        char *name = label(f, script);
        for (size_t i = 0; i < f->nshards; i++) {
            fleet_state state = *fleet_at(f, script, i);
            table_text(t, name, PLAIN);
            table_text(t, f->shards[i].info.pool, PLAIN);
            table_text(t, f->shards[i].info.name, PLAIN);
            table_text(t, looks[state].text, looks[state].which);
        }
        free(name);
    }
    for (size_t i = 0; knows_others(f) && i < f->nshards; i++) {
        table_text(t, NOT_OURS, PLAIN);
        table_text(t, f->shards[i].info.pool, PLAIN);
        table_text(t, f->shards[i].info.name, PLAIN);
        others_cell(f, i, t);
    }
    table_finish(t);
}

static void print_matrix(const fleet *f, const char *const *headers)
{
    table *t = table_new(stdout, headers, f->nshards + 1);
    for (size_t script = 0; script < f->nscripts; script++) {
        char *name = label(f, script);
        table_text(t, name, PLAIN);
        for (size_t i = 0; i < f->nshards; i++) {
            fleet_state state = *fleet_at(f, script, i);
            table_text(t, looks[state].text, looks[state].which);
        }
        free(name);
    }
    if (knows_others(f)) {
        table_text(t, NOT_OURS, PLAIN);
        for (size_t i = 0; i < f->nshards; i++)
            others_cell(f, i, t);
    }
    table_finish(t);
}

static size_t at_least(size_t n, size_t least)
{
    return n > least ? n : least;
}

static int fits(const fleet *f, const char *const *headers)
{
    size_t width = columns_of(NOT_OURS);
    for (size_t i = 0; i < f->nscripts; i++) {
        char *name = label(f, i);
        width = at_least(columns_of(name), width);
        free(name);
    }
    for (size_t i = 1; i <= f->nshards; i++)
        width += at_least(columns_of(headers[i]), strlen("unreachable")) + 2;
    return width <= terminal_width(stdout);
}

void fleet_print(const fleet *f)
{
    const char **headers = need(calloc(f->nshards + 1, sizeof *headers));
    int one_pool = evs_shardmap_pool_count(f->s->map) == 1;
    headers[0] = "script";
    for (size_t i = 0; i < f->nshards; i++)
        headers[i + 1] = one_pool ? f->shards[i].info.name : f->shards[i].name;
    if (is_terminal(stdout) && fits(f, headers))
        print_matrix(f, headers);
    else
        print_rows(f);
    free(headers);
}

static void script_json(const fleet *f, json *j, size_t script)
{
    const evs_script *it = evs_registry_at(f->s->registry, script);
    json_line(j);
    json_open(j, '{');
    json_key(j, "name");
    json_text(j, evs_script_name(it));
    json_key(j, "version");
    json_number(j, evs_script_version(it));
    json_key(j, "sha1");
    json_text(j, evs_script_sha1(it));
    json_key(j, "on");
    json_open(j, '[');
    for (size_t i = 0; i < f->nshards; i++) {
        json_open(j, '{');
        json_key(j, "pool");
        json_text(j, f->shards[i].info.pool);
        json_key(j, "shard");
        json_text(j, f->shards[i].info.name);
        json_key(j, "state");
        json_text(j, looks[*fleet_at(f, script, i)].text);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

static void shard_json(const fleet_shard *shard, json *j)
{
    json_line(j);
    json_open(j, '{');
    json_key(j, "pool");
    json_text(j, shard->info.pool);
    json_key(j, "shard");
    json_text(j, shard->info.name);
    json_key(j, "address");
    json_text(j, shard->info.address);
    json_key(j, "reachable");
    json_flag(j, shard->is_reachable);
    json_key(j, "not_ours");
    if (shard->not_ours >= 0)
        json_number(j, shard->not_ours);
    else
        json_null(j);
    json_key(j, "problem");
    if (shard->problem[0] != '\0')
        json_text(j, shard->problem);
    else
        json_null(j);
    json_close(j, '}');
}

void fleet_print_json(const fleet *f)
{
    json j = {stdout, 0};
    json_open(&j, '{');
    json_key(&j, "scripts");
    json_open(&j, '[');
    for (size_t i = 0; i < f->nscripts; i++)
        script_json(f, &j, i);
    json_close(&j, ']');
    json_key(&j, "shards");
    json_open(&j, '[');
    for (size_t i = 0; i < f->nshards; i++)
        shard_json(&f->shards[i], &j);
    json_close(&j, ']');
    json_close(&j, '}');
    putchar('\n');
}
