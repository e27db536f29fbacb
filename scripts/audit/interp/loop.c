/*
 * Branches and loops.
 *
 * A loop's head is joined with what comes back to it until nothing new comes. Values are widened
 * from the third round on, so there is an end; the last round has seen every state that the loop's
 * body can run in. When a slot became "many" in a round, another one follows, because the beginning
 * of this one did not know yet.
 */
#include "scripts/audit/interp/interp.h"

enum { EXACT_ROUNDS = 3, ROUNDS_MAX = 60 };

evs__changes evs__branch_end(evs__interp *in, size_t mark)
{
    evs__changes changes = {NULL, 0, 1};
    if (!in->dead)
        changes = evs__store_diff(&in->store, mark);
    evs__store_undo(&in->store, mark);
    in->dead = in->over;
    return changes;
}

void evs__branch_meet(evs__interp *in, size_t mark, const evs__changes *other)
{
    if (other->dead)
        return;
    if (!in->dead) {
        evs__store_merge(&in->store, mark, other);
        return;
    }
    evs__store_undo(&in->store, mark);
    evs__store_apply(&in->store, other);
    in->dead = in->over;
}

void evs__loop_leave(evs__interp *in)
{
    if (in->dead)
        return;
    evs__changes here = evs__store_diff(&in->store, in->loop->mark);
    evs__changes_join(&in->store, &in->loop->exits, &here);
}

void evs__iterate(evs__interp *in, evs__round *round, void *context)
{
    evs__loop loop = {evs__store_mark(&in->store), {NULL, 0, 1}, in->loop};
    in->loop = &loop;
    int more = !in->dead;
    for (int n = 0; more && n < ROUNDS_MAX; n++) {
        size_t head = evs__store_mark(&in->store);
        size_t promotions = in->store.promotions;
        round(in, context);
        evs__changes tail = evs__branch_end(in, head);
        more = !tail.dead && evs__store_grow(&in->store, &tail, n >= EXACT_ROUNDS);
        more |= in->store.promotions != promotions;
        more &= !in->over && !in->pool->failed;
    }
    if (more)
        evs__stop(in, in->chunk->main->at, "a loop does not settle");
    in->loop = loop.outer;
    evs__store_undo(&in->store, loop.mark);
    in->dead = loop.exits.dead || in->over;
    if (!in->dead)
        evs__store_apply(&in->store, &loop.exits);
}
