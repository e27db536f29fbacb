/*
 * error_reply(text), {err = text} that is returned, and the same when it is raised. Not
 * error(text): the server puts ERR and the place before that.
 */
#include "scripts/audit/passes.h"

typedef struct walk {
    evs__flow *flow;
    evs__pool *pool;
} walk;

static void note(const walk *w, evs__span at, const evs__value *text)
{
    for (size_t i = 0; text != NULL && i < text->natoms; i++) {
        if (text->atoms[i]->kind != EVS__ATOM_CONSTANT)
            continue;
        evs__error_text *made = evs__pool_alloc(w->pool, 1, sizeof *made);
        if (made == NULL)
            return;
        made->at = at;
        made->text = text->atoms[i]->text;
        made->next = w->flow->errors;
        w->flow->errors = made;
    }
}

void evs__find_error_texts(evs__flow *flow, evs__pool *pool)
{
    walk w = {flow, pool};
    for (const evs__apiuse *use = flow->apis; use != NULL; use = use->next)
        if (evs__is_api(use, "redis", "error_reply") && !use->args.none && use->args.count > 0)
            note(&w, use->at, use->args.items[0].value);
    for (const evs__given_back *back = flow->returned; back != NULL; back = back->next)
        note(&w, back->at, back->err);
    for (const evs__given_back *back = flow->raised; back != NULL; back = back->next)
        if (back->uncaught)
            note(&w, back->at, back->err);
}
