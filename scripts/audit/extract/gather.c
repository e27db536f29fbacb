#include "scripts/audit/extract/gather.h"

#include <string.h>

/* ---- looking at tokens ---- */

static const evs__host_token *token(const evs__gathering *g, size_t i)
{
    static const evs__host_token none = {.kind = EVS__HOST_SIGN, .sign = ';'};
    return i < g->scanner->ntokens ? &g->scanner->tokens[i] : &none;
}

static int is_sign(const evs__gathering *g, size_t i, char sign)
{
    const evs__host_token *t = token(g, i);
    return t->kind == EVS__HOST_SIGN && t->sign == sign;
}

static int is_literal(const evs__gathering *g, size_t i)
{
    return token(g, i)->kind == EVS__HOST_LITERAL;
}

/* Two signs that touch each other, as in -> and ++. */
static int is_pair(const evs__gathering *g, size_t i, const char *pair)
{
    return is_sign(g, i, pair[0]) && is_sign(g, i + 1, pair[1]) &&
           token(g, i)->end == token(g, i + 1)->start;
}

/* The token behind; what stands in code inside of a literal is a part of it. */
static size_t behind(const evs__gathering *g, size_t i)
{
    size_t next = i + 1;
    while (next < g->scanner->ntokens && token(g, next)->nesting > token(g, i)->nesting)
        next++;
    return next;
}

static int is_one_of(const evs__gathering *g, size_t i, const char *words)
{
    const evs__host_token *t = token(g, i);
    size_t len = t->end - t->start;
    const char *text = g->scanner->source.data + t->start;
    if (t->kind != EVS__HOST_WORD)
        return 0;
    for (const char *at = words; at[0] != '\0' && at[1] != '\0';) {
        size_t n = strcspn(at + 1, " ");
        if (n == len && memcmp(at + 1, text, n) == 0)
            return 1;
        at += 1 + n;
    }
    return 0;
}

static int is_concat(const evs__gathering *g, size_t i)
{
    char sign = g->scanner->language->concat;
    const char twice[] = {sign, sign, '\0'}, assigned[] = {sign, '=', '\0'};
    return sign != '\0' && is_sign(g, i, sign) && !is_pair(g, i, twice) &&
           !is_pair(g, i, assigned) && !(i > 0 && is_pair(g, i - 1, twice));
}

/* ---- operands ---- */

static int is_stop(const evs__gathering *g, size_t i)
{
    return is_one_of(g, i, " return if unless else elsif for in and or while then do case ") ||
           is_one_of(g, i, " throw const let var echo print ");
}

/* Does a statement end between these two, for want of a semicolon? */
static int is_end_of_line(const evs__gathering *g, size_t i)
{
    const evs__host_token *before = token(g, i - 1), *t = token(g, i);
    int open = before->kind == EVS__HOST_SIGN && strchr(")]}", before->sign) == NULL;
    return t->new_line && t->kind != EVS__HOST_SIGN && !open;
}

/* Behind the code that begins at `i`: as far as an operand of a sum goes. */
static size_t operand_end(const evs__gathering *g, size_t i)
{
    unsigned nesting = token(g, i)->nesting;
    while (i < g->scanner->ntokens && token(g, i)->nesting >= nesting) {
        const evs__host_token *t = token(g, i);
        if (is_stop(g, i) || (i > 0 && is_end_of_line(g, i)))
            return i;
        if (is_pair(g, i, "->") || is_pair(g, i, "::") || is_pair(g, i, "?.")) {
            i += 2;
            continue;
        }
        if (t->kind == EVS__HOST_SIGN &&
            (is_concat(g, i) || strchr(",;:?=<>&|)]}", t->sign) != NULL))
            return i;
        i = t->kind == EVS__HOST_SIGN && t->partner > i ? t->partner + 1 : behind(g, i);
    }
    return i;
}

static void decode(const evs__gathering *g, evs__weave *weave, size_t i)
{
    g->scanner->language->decode(weave, g->spare, token(g, i));
    g->used[i] = 1;
}

/* Behind a macro that stands between two literals: NAME or NAME(x); `i` when it is none. */
static size_t macro(const evs__gathering *g, size_t i)
{
    size_t next = i + 1;
    if (g->scanner->language->adjacent != EVS__ADJACENT_ANYWHERE ||
        token(g, i)->kind != EVS__HOST_WORD)
        return i;
    if (is_sign(g, next, '(') && token(g, next)->partner > next)
        next = token(g, next)->partner + 1;
    return is_literal(g, next) ? next : i;
}

/* Literals side by side, from the first one on. */
static size_t adjacent(const evs__gathering *g, evs__weave *weave, size_t i)
{
    evs__adjacent how = g->scanner->language->adjacent;
    decode(g, weave, i);
    size_t next = behind(g, i);
    while (how != EVS__ADJACENT_NEVER && next < g->scanner->ntokens) {
        const evs__host_token *t = token(g, next);
        int near = how == EVS__ADJACENT_ANYWHERE || !t->new_line || t->bracketed;
        size_t over = macro(g, next);
        if (over > next) {
            evs__weave_hole(weave, t->start, token(g, over - 1)->end);
            next = over;
        } else if (t->kind == EVS__HOST_LITERAL && near) {
            decode(g, weave, next);
            next = behind(g, next);
        } else {
            break;
        }
    }
    return next;
}

/* A sum of literals and code, from its first operand on. */
static size_t sum(const evs__gathering *g, evs__weave *weave, size_t i)
{
    for (;;) {
        int literal = is_literal(g, i);
        /* What is done with a literal ("x".trim()) is not followed. */
        size_t next = operand_end(g, literal ? adjacent(g, weave, i) : i);
        if (!literal && next > i)
            evs__weave_hole(weave, token(g, i)->start, token(g, next - 1)->end);
        if (!is_concat(g, next) || next + 1 >= g->scanner->ntokens)
            return next;
        i = next + 1;
    }
}

/* Where the code in front of the `+` in front of `i` begins; `i` when there is none. */
static size_t leading(const evs__gathering *g, size_t i)
{
    size_t k = i;
    if (i < 2 || !is_concat(g, i - 1))
        return i;
    while (k > 0) {
        const evs__host_token *t = token(g, k - 1);
        int boundary = t->kind == EVS__HOST_SIGN && strchr("([{,;:?=<>&|!}", t->sign) != NULL;
        if (t->nesting < token(g, i)->nesting || is_stop(g, k - 1) ||
            (boundary && !(k > 1 && (is_pair(g, k - 2, "->") || is_pair(g, k - 2, "::")))))
            break;
        if (k < i && is_end_of_line(g, k))
            break;
        k = t->kind == EVS__HOST_SIGN && t->partner < k - 1 ? t->partner : k - 1;
    }
    return k < i - 1 ? k : i;
}

/* ---- lists ---- */

/* A list that is joined: the brackets around it, and the literal between its members. */
typedef struct list {
    size_t open, close; /* members stand between these */
    size_t separator;
    size_t behind;
} list;

/* [a, b].join(x) */
static int list_joined(const evs__gathering *g, size_t i, list *out)
{
    size_t close = token(g, i)->partner;
    if (!is_sign(g, i, '[') || close <= i || !is_sign(g, close + 1, '.') ||
        !is_one_of(g, close + 2, " join ") || !is_sign(g, close + 3, '(') ||
        !is_literal(g, close + 4) || !is_sign(g, close + 5, ')'))
        return 0;
    *out = (list){i, close, close + 4, close + 6};
    return 1;
}

/* x.join([a, b]) */
static int joined_by_separator(const evs__gathering *g, size_t i, list *out)
{
    if (!is_literal(g, i) || !is_sign(g, i + 1, '.') || !is_one_of(g, i + 2, " join ") ||
        !is_sign(g, i + 3, '('))
        return 0;
    size_t open = i + 4, close = token(g, open)->partner;
    if ((!is_sign(g, open, '[') && !is_sign(g, open, '(')) || close <= open)
        return 0;
    *out = (list){open, close, i, close + 1};
    return 1;
}

/* f(x, a, b) and f(x, [a, b]) */
static int joined_by_function(const evs__gathering *g, size_t i, list *out)
{
    size_t open = i + 1, close = token(g, open)->partner;
    if (!is_one_of(g, i, g->scanner->language->join) || !is_sign(g, open, '(') || close <= open ||
        !is_literal(g, i + 2) || !is_sign(g, i + 3, ','))
        return 0;
    *out = (list){i + 3, close, i + 2, close + 1};
    if (is_sign(g, i + 4, '[') && token(g, i + 4)->partner > i + 4) {
        out->open = i + 4;
        out->close = token(g, i + 4)->partner;
    }
    return 1;
}

/* f([]T{a, b}, x) */
static int joined_behind(const evs__gathering *g, size_t i, list *out)
{
    if (!is_one_of(g, i, g->scanner->language->join) || !is_sign(g, i + 1, '(') ||
        !is_sign(g, i + 2, '[') || !is_sign(g, i + 3, ']') || !is_sign(g, i + 5, '{'))
        return 0;
    size_t close = token(g, i + 5)->partner;
    if (close <= i + 5 || !is_sign(g, close + 1, ',') || !is_literal(g, close + 2))
        return 0;
    *out = (list){i + 5, close, close + 2, close + 3};
    return 1;
}

static int find_list(const evs__gathering *g, size_t i, list *out)
{
    switch (g->scanner->language->joining) {
    case EVS__JOIN_LIST:
        return list_joined(g, i, out);
    case EVS__JOIN_SEPARATOR:
        return joined_by_separator(g, i, out);
    case EVS__JOIN_FUNCTION:
        return joined_by_function(g, i, out);
    case EVS__JOIN_BEHIND:
        return joined_behind(g, i, out);
    case EVS__JOIN_NONE:
        break;
    }
    return 0;
}

/* 0 when some member is more than a sum, or none is a literal. */
static int weave_list(const evs__gathering *g, evs__weave *weave, const list *l)
{
    size_t i = l->open + 1;
    int literals = 0;
    while (i < l->close) {
        literals |= is_literal(g, i);
        i = sum(g, weave, i);
        if (i < l->close && !is_sign(g, i, ','))
            return 0;
        i++;
        if (i < l->close)
            decode(g, weave, l->separator);
    }
    return literals;
}

/* ---- constants ---- */

static const evs__host_token twice; /* the name is set more than once */

static evs_bytes name_of(const evs__gathering *g, size_t i)
{
    const evs__host_token *t = token(g, i);
    evs_bytes name = {g->scanner->source.data + t->start, t->end - t->start};
    return name;
}

/* NAME = "...", in capitals as constants are in all these languages. */
static int is_constant(const evs__gathering *g, size_t i)
{
    evs_bytes name = name_of(g, i);
    if (token(g, i)->kind != EVS__HOST_WORD || name.len < 2)
        return 0;
    for (size_t k = 0; k < name.len; k++)
        if (name.data[k] >= 'a' && name.data[k] <= 'z')
            return 0;
    return is_sign(g, i + 1, '=') && !is_pair(g, i + 1, "==") && !is_pair(g, i + 1, "=>");
}

int evs__gather_constants(evs__gathering *g)
{
    for (size_t i = 0; i < g->scanner->ntokens; i++) {
        if (!is_constant(g, i))
            continue;
        int known = (is_literal(g, i + 2) || is_concat(g, i + 3)) &&
                    evs__table_get(&g->constants, name_of(g, i)) == NULL;
        const evs__host_token *value = known ? token(g, i + 2) : &twice;
        if (!evs__table_set(&g->constants, name_of(g, i), (void *)value))
            return 0;
    }
    return 1;
}

void evs__gather_free(evs__gathering *g)
{
    evs__table_free(&g->constants);
}

static int weave_constant(void *context, evs__weave *weave, evs_bytes name)
{
    const evs__gathering *g = context;
    const evs__host_token *value = evs__table_get(&g->constants, name);
    if (value == NULL || value == &twice)
        return 0;
    sum(g, weave, (size_t)(value - g->scanner->tokens));
    return 1;
}

/* ---- what stands around ---- */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Has the name of token `i` one of these parts, which are in lower case? */
static int has_part(const evs__gathering *g, size_t i, const char *const *parts)
{
    const evs__host_token *t = token(g, i);
    const char *name = g->scanner->source.data + t->start;
    for (; t->kind != EVS__HOST_SIGN && *parts != NULL; parts++) {
        size_t n = strlen(*parts);
        for (size_t at = 0; t->end - t->start >= n && at <= t->end - t->start - n; at++) {
            size_t same = 0;
            while (same < n && lower(name[at + same]) == (*parts)[same])
                same++;
            if (same == n)
                return 1;
        }
    }
    return 0;
}

/* eval(TEXT, client.script('LOAD', TEXT, new RedisScript<>(TEXT, lua: TEXT */
static int is_run(const evs__gathering *g, size_t first)
{
    static const char *const parts[] = {
        "eval", "registerscript", "register_script", "newscript", "script", "lua", "scriptload",
        NULL};
    for (size_t back = 1; back <= 4 && back <= first; back++) {
        const evs__host_token *t = token(g, first - back);
        if (t->kind == EVS__HOST_SIGN && strchr(";{}", t->sign) != NULL)
            return 0;
        if (t->kind != EVS__HOST_SIGN && has_part(g, first - back, parts))
            return 1;
    }
    return 0;
}

/* x += TEXT, x.append(TEXT), x << TEXT */
static int is_appended(const evs__gathering *g, size_t first)
{
    static const char *const parts[] = {"append", "concat", "write", "push", "add", NULL};
    const char assigned[] = {g->scanner->language->concat, '=', '\0'};
    if (first < 2)
        return 0;
    return is_pair(g, first - 2, assigned) || is_pair(g, first - 2, "<<") ||
           (is_sign(g, first - 1, '(') && has_part(g, first - 2, parts));
}

/* ---- all ---- */

static int next_list(evs__gathering *g, evs__weave *weave, evs__gathered *out)
{
    list l;
    if (!find_list(g, g->at, &l))
        return 0;
    if (!weave_list(g, weave, &l)) {
        memset(g->used + l.open, 0, l.close - l.open);
        return 0;
    }
    *out = (evs__gathered){.first = g->at, .behind = l.behind};
    return 1;
}

static void forget(evs__weave *weave)
{
    evs__buf_clear(&weave->text);
    weave->nparts = weave->nholes = 0;
}

/* The sum that the literal at g->at is in, from its first operand on. */
static void next_sum(evs__gathering *g, evs__weave *weave, evs__gathered *out)
{
    size_t first = leading(g, g->at), behind_it = sum(g, weave, first);
    if (!g->used[g->at]) { /* the operands in front are more than sums are */
        forget(weave);
        evs__weave_hole(weave, token(g, first)->start, token(g, g->at - 2)->end);
        behind_it = sum(g, weave, g->at);
    }
    *out = (evs__gathered){.first = first, .behind = behind_it};
    out->appended = is_appended(g, first);
    out->is_run = is_run(g, first);
    out->is_argument = is_sign(g, first - 1, '(') || is_sign(g, first - 1, ',');
    out->is_constant = first >= 2 && is_constant(g, first - 2);
}

int evs__gather_next(evs__gathering *g, evs__weave *weave, evs__gathered *out)
{
    weave->constant = weave_constant;
    weave->context = g;
    for (; g->at < g->scanner->ntokens; g->at++) {
        if (next_list(g, weave, out))
            return 1;
        forget(weave); /* of a list that was none: its members are looked at one by one */
        if (!is_literal(g, g->at) || g->used[g->at])
            continue;
        next_sum(g, weave, out);
        return 1;
    }
    return 0;
}
