/*
 * Comments are read in order; each that begins with "evalshard:" is a directive. What is wrong in
 * one is noted with its place and the rest of that comment is left alone.
 */
#include "scripts/audit/directive.h"

#include "core/similar.h"
#include "scripts/audit/contract_word.h"
#include "scripts/syntax/visit.h"

#include <string.h>

enum { RULES_MAX = 256 };

typedef struct reader {
    evs__directives *out;
    evs__pool *pool;
    const evs__chunk *chunk;
    evs__expected *expected;
    const evs__comment *comment;
    evs_bytes rest; /* of its text */
} reader;

/* ---- text ---- */

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip(reader *r, size_t n)
{
    r->rest.data += n;
    r->rest.len -= n;
}

static void skip_blanks(reader *r)
{
    while (r->rest.len > 0 && is_blank(r->rest.data[0]))
        skip(r, 1);
}

static int begins(evs_bytes text, const char *with)
{
    size_t n = strlen(with);
    return text.len >= n && memcmp(text.data, with, n) == 0;
}

static int equals(evs_bytes text, const char *with)
{
    return text.len == strlen(with) && begins(text, with);
}

/* Takes bytes up to one of `ends` or a blank. */
static evs_bytes word(reader *r, const char *ends)
{
    evs_bytes found = {r->rest.data, 0};
    while (r->rest.len > 0 && !is_blank(r->rest.data[0]) &&
           (r->rest.data[0] == '\0' || strchr(ends, r->rest.data[0]) == NULL)) {
        skip(r, 1);
        found.len++;
    }
    return found;
}

static evs_span place_of(const reader *r, evs_bytes text)
{
    evs__span span = {.start = (size_t)(text.data - r->chunk->source.data)};
    span.end = span.start + (text.len > 0 ? text.len : 1);
    evs__chunk_place(r->chunk, span.start, &span.line, &span.column);
    return evs__span_public(r->chunk, span);
}

/* How much of a word a message shows. */
static int shown(evs_bytes text)
{
    return text.len > 40 ? 40 : (int)text.len;
}

#define FAULT(r, text, ...) \
    evs__remark_add(&(r)->out->faults, (r)->pool, place_of((r), (text)), __VA_ARGS__)

/* ---- what an ignore is for ---- */

/* Where the next token begins, behind blanks and comments; the end of the source when there is
 * none. */
static size_t next_code(const reader *r)
{
    const evs__comment *comment = r->comment;
    const evs__comment *last = r->chunk->comments + r->chunk->ncomments;
    size_t at = comment->at.end;
    for (;;) { /* each turn passes a comment */
        while (at < r->chunk->source.len && is_blank(r->chunk->source.data[at]))
            at++;
        while (comment < last && comment->at.start < at)
            comment++;
        if (comment == last || comment->at.start != at)
            return at;
        at = comment->at.end;
    }
}

/* The outermost statement that begins at an offset. */
typedef struct search {
    size_t start, end; /* end 0: not found */
} search;

static void match(void *context, const evs__stat *stat)
{
    search *s = context;
    if (stat->at.start == s->start && s->end == 0)
        s->end = stat->at.end;
}

static void set_scope(const reader *r, evs__ignore *ignore)
{
    int column;
    size_t start = next_code(r);
    search s = {start, 0};
    evs__visitor visitor = {.context = &s, .stat = match};
    ignore->first_line = ignore->last_line = r->comment->at.line;
    if (!r->comment->own_line)
        return;
    if (r->chunk->main != NULL)
        evs__visit_block(&visitor, &r->chunk->main->body);
    evs__chunk_place(r->chunk, start, &ignore->first_line, &column);
    evs__chunk_place(r->chunk, s.end > start ? s.end - 1 : start, &ignore->last_line, &column);
}

static int is_in_front(const reader *r)
{
    const evs__function *main = r->chunk->main;
    return main == NULL || main->body.first == NULL ||
           r->comment->at.start < main->body.first->at.start;
}

/* ---- ignore ---- */

static const evs_rule_info *rule_called(evs_bytes name)
{
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++)
        if (equals(name, rules[i]->code) || equals(name, rules[i]->name))
            return rules[i];
    return NULL;
}

static void fault_rule(reader *r, evs_bytes name)
{
    const char *names[2 * RULES_MAX];
    size_t count, n = 0;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count && i < RULES_MAX; i++) {
        names[n++] = rules[i]->code;
        names[n++] = rules[i]->name;
    }
    const char *likely = evs__most_similar(name, names, n);
    if (name.len == 0)
        FAULT(r, name, "a rule is missing here");
    else if (likely != NULL)
        FAULT(r, name, "there is no rule %.*s, did you mean %s?", shown(name), name.data, likely);
    else
        FAULT(r, name, "there is no rule %.*s", shown(name), name.data);
}

static int add_rule(reader *r, evs__ignore *ignore, evs_bytes name)
{
    const evs_rule_info *rule = rule_called(name);
    if (rule == NULL || ignore->nrules == RULES_MAX) {
        fault_rule(r, name);
        return 0;
    }
    if (ignore->rules == NULL)
        ignore->rules = evs__pool_alloc(r->pool, RULES_MAX, sizeof *ignore->rules);
    if (ignore->rules == NULL)
        return 0;
    ignore->rules[ignore->nrules++] = (evs__ignored){rule, place_of(r, name), 0};
    return 1;
}

/* "[" rule {"," rule} "]" */
static int rule_list(reader *r, evs__ignore *ignore)
{
    do {
        skip(r, 1); /* the bracket, then each comma */
        skip_blanks(r);
        if (!add_rule(r, ignore, word(r, ",]")))
            return 0;
        skip_blanks(r);
    } while (begins(r->rest, ","));
    if (!begins(r->rest, "]")) {
        FAULT(r, r->rest, "']' is missing here");
        return 0;
    }
    skip(r, 1);
    return 1;
}

static int add_ignore(reader *r, const evs__ignore *ignore)
{
    evs__directives *out = r->out;
    if (out->nignores == out->ignores_cap) {
        size_t cap = out->ignores_cap * 2 + 8;
        evs__ignore *items = evs__pool_alloc(r->pool, cap, sizeof *items);
        if (items == NULL)
            return 0;
        if (out->nignores > 0)
            memcpy(items, out->ignores, out->nignores * sizeof *items);
        out->ignores = items;
        out->ignores_cap = cap;
    }
    out->ignores[out->nignores++] = *ignore;
    return 1;
}

static void read_ignore(reader *r, evs_bytes name, int whole_file)
{
    evs__ignore ignore = {.at = evs__span_public(r->chunk, r->comment->at)};
    if (begins(r->rest, "[") && !rule_list(r, &ignore))
        return;
    if (whole_file && !is_in_front(r)) {
        FAULT(r, name, "ignore-file must stand in front of all code");
        return;
    }
    set_scope(r, &ignore);
    if (whole_file) {
        ignore.first_line = 1;
        ignore.last_line = INT32_MAX;
    }
    skip_blanks(r);
    while (r->rest.len > 0 && is_blank(r->rest.data[r->rest.len - 1]))
        r->rest.len--;
    ignore.reason = evs__arena_text(&r->pool->arena, r->rest.data, r->rest.len);
    if (ignore.reason == NULL || !add_ignore(r, &ignore))
        r->pool->failed = 1;
}

/* ---- contracts ---- */

static int read_word(reader *r)
{
    char message[300];
    evs_bytes name = word(r, ",");
    evs__remarks *remarks = &r->out->conflicts;
    evs__word_result result = evs__contract_word(r->expected, name, message, sizeof message);
    if (result == EVS__WORD_FINE)
        return 1;
    if (result == EVS__WORD_FAULT)
        remarks = &r->out->faults;
    evs__remark_add(remarks, r->pool, place_of(r, name), "%s", message);
    return result != EVS__WORD_FAULT;
}

/* ---- comments ---- */

static void read_directive(reader *r)
{
    skip_blanks(r);
    const evs_bytes all = r->rest;
    evs_bytes first = word(r, "[,");
    int whole_file = equals(first, "ignore-file");
    if (whole_file || equals(first, "ignore")) {
        read_ignore(r, first, whole_file);
        return;
    }
    r->rest = all;
    if (all.len == 0)
        read_word(r); /* nothing is said */
    while (r->rest.len > 0 && read_word(r))
        while (r->rest.len > 0 && (is_blank(r->rest.data[0]) || r->rest.data[0] == ','))
            skip(r, 1);
}

static void read_comment(reader *r)
{
    static const char mark[] = "evalshard:";
    r->rest = r->comment->text;
    while (r->rest.len > 0 && r->rest.data[0] == '-')
        skip(r, 1);
    skip_blanks(r);
    if (!begins(r->rest, mark))
        return;
    skip(r, sizeof mark - 1);
    read_directive(r);
}

/* The settings against the header block. */
static void compare_counts(reader *r, const char *what, long said, long least, long most)
{
    evs_span top = {1, 1, 1, 2};
    if (said >= 0 && (said < least || said > most))
        evs__remark_add(&r->out->conflicts, r->pool, top,
                        "the settings say %s=%ld, the header block says %ld", what, said, least);
}

static void check_block(reader *r, const evs__setting *setting)
{
    const evs_error *e = &setting->block;
    evs_span at = {e->line, e->column, e->line, e->column + 1};
    if (e->status != EVS_OK)
        evs__remark_add(&r->out->blocks, r->pool, at, "%s", e->message);
    const evs__expected *x = &setting->expected;
    compare_counts(r, "keys", setting->said.keys_least, x->keys_least, x->keys_most);
    compare_counts(r, "argv", setting->said.args_least, x->args_least, x->args_most);
}

static int has(evs_bytes line, const char *word)
{
    return memmem(line.data, line.len, word, strlen(word)) != NULL;
}

/* `#!lua flags=no-cluster`, and for Dragonfly `--!df flags=allow-undeclared-keys` in the first
 * line: whoever wrote that knows. */
static void read_excuse(evs__expected *out, const evs__chunk *chunk, const evs__setting *setting)
{
    evs_bytes first = chunk->source;
    const char *end = first.len == 0 ? NULL : memchr(first.data, '\n', first.len);
    if (end != NULL)
        first.len = (size_t)(end - first.data);
    if (chunk->shebang.len > 0 && has(chunk->shebang, "no-cluster")) {
        out->opted_out = 1;
        out->excuse = "opted out of clusters by flags=no-cluster";
    } else if (begins(first, "--!df flags=") && has(first, "allow-undeclared-keys")) {
        out->opted_out = strcmp(setting->profile->name, "dragonfly") == 0;
        out->excuse = out->opted_out ? "opted out for Dragonfly" : "opted out for Dragonfly only";
    }
}

int evs__directives_read(evs__directives *out, evs__pool *pool, const evs__chunk *chunk,
                         evs__setting *setting)
{
    reader r = {.out = out, .pool = pool, .chunk = chunk, .expected = &setting->expected};
    memset(out, 0, sizeof *out);
    check_block(&r, setting);
    read_excuse(&setting->expected, chunk, setting);
    for (size_t i = 0; i < chunk->ncomments; i++) {
        r.comment = &chunk->comments[i];
        read_comment(&r);
    }
    return !pool->failed;
}
