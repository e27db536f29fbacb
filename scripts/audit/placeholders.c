/*
 * Strings with a hole in them: ${id}, {{id}}, #{id}; and %s or %d in an argument of a command,
 * which no format filled in.
 */
#include "scripts/audit/passes.h"
#include "scripts/syntax/visit.h"

#include <string.h>

typedef struct walk {
    evs__flow *flow;
    evs__pool *pool;
} walk;

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Where a name between `open` and `close` begins in `text`; 0 when nowhere. `*len` is of all. */
static int find_hole(evs_bytes text, const char *open, const char *close, evs_bytes *hole)
{
    size_t n = strlen(open), m = strlen(close);
    for (size_t i = 0; i + n + m < text.len; i++) {
        if (memcmp(text.data + i, open, n) != 0)
            continue;
        size_t k = i + n;
        while (k < text.len && text.data[k] == ' ')
            k++;
        if (k == text.len || !is_letter(text.data[k]))
            continue;
        while (k < text.len && (is_letter(text.data[k]) || text.data[k] == '.' ||
                                (text.data[k] >= '0' && text.data[k] <= '9')))
            k++;
        while (k < text.len && text.data[k] == ' ')
            k++;
        if (k + m <= text.len && memcmp(text.data + k, close, m) == 0) {
            hole->data = text.data + i;
            hole->len = k + m - i;
            return 1;
        }
    }
    return 0;
}

static void note(const walk *w, evs__span at, evs_bytes hole)
{
    for (const evs__placeholder *p = w->flow->placeholders; p != NULL; p = p->next)
        if (p->at.start == at.start)
            return;
    evs__placeholder *made = evs__pool_alloc(w->pool, 1, sizeof *made);
    char *text = evs__arena_text(&w->pool->arena, hole.data, hole.len);
    w->pool->failed |= text == NULL;
    if (made == NULL || text == NULL)
        return;
    made->at = at;
    made->text = text;
    made->next = w->flow->placeholders;
    w->flow->placeholders = made;
}

static void look(void *context, const evs__expr *expr)
{
    const walk *w = context;
    evs_bytes hole;
    if (expr->kind != EVS__EXPR_STRING)
        return;
    if (find_hole(expr->as.string, "${", "}", &hole) ||
        find_hole(expr->as.string, "#{", "}", &hole) ||
        find_hole(expr->as.string, "{{", "}}", &hole))
        note(w, expr->at, hole);
}

/* %s or %d that is not followed by more of a pattern. */
static int find_directive(evs_bytes text, evs_bytes *hole)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] != '%' || (text.data[i + 1] != 's' && text.data[i + 1] != 'd'))
            continue;
        hole->data = text.data + i;
        hole->len = 2;
        return 1;
    }
    return 0;
}

static void look_command(const walk *w, const evs__commanduse *use)
{
    evs_bytes hole;
    for (size_t i = 1; i < use->args.count; i++) {
        const evs__atom *atom = evs__value_single(use->args.items[i].value);
        if (atom != NULL && atom->kind == EVS__ATOM_CONSTANT && find_directive(atom->text, &hole))
            note(w, use->args.items[i].at, hole);
    }
}

void evs__find_placeholders(evs__flow *flow, evs__pool *pool, const evs__chunk *chunk)
{
    walk w = {flow, pool};
    evs__visitor visitor = {.context = &w, .expr = look};
    evs__visit_block(&visitor, &chunk->main->body);
    for (const evs__commanduse *use = flow->commands; use != NULL; use = use->next)
        look_command(&w, use);
}
