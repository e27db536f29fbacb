/* What the parts of a call that runs on every shard came to, and so the whole. */
#include "core/error.h"
#include "core/reply.h"
#include "scripts/engine/explain.h"
#include "scripts/engine/spread_inner.h"

#include <stdio.h>

static void keep_failure(evs__spread *self, const evs_result *result)
{
    self->why = *result->error;
    if (result->reply == NULL)
        return;
    self->error = evs__reply_copy_to(&self->arena, result->reply);
    self->nomem |= self->error == NULL;
}

static void keep_reply(evs__spread_part *one, const evs_reply *reply)
{
    one->reply = evs__reply_copy_to(&one->whole->arena, reply);
    one->whole->nomem |= one->reply == NULL;
}

void evs__spread_tell(evs__spread_part *one, const evs_result *result)
{
    evs__spread *self = one->whole;
    self->told++;
    self->executed += result->outcome == EVS_EXECUTED;
    self->unsure += result->outcome == EVS_MAYBE_EXECUTED;
    if (result->status == EVS_OK)
        keep_reply(one, result->reply);
    else if (self->why.status == EVS_OK)
        keep_failure(self, result);
}

void evs__spread_refuse(evs__spread_part *one, evs_error *err)
{
    evs__subject subject = {one->whole->script->name, {NULL, 0}, NULL};
    if (err->script[0] == '\0')
        evs__explain_below(err, &subject);
    evs_result refused = {err->status, EVS_NOT_EXECUTED, NULL, err};
    evs__spread_tell(one, &refused);
}

static evs_outcome outcome_of(const evs__spread *self)
{
    if (self->executed == 0 && self->unsure == 0)
        return EVS_NOT_EXECUTED;
    return self->executed == self->told ? EVS_EXECUTED : EVS_MAYBE_EXECUTED;
}

evs_status evs__spread_explain(const evs__spread *self, evs_error *err)
{
    evs_error lost;
    const evs_error *why = &self->why;
    if (self->why.status == EVS_OK || (self->nomem && self->why.status == EVS_E_SCRIPT)) {
        evs__fail_nomem(&lost);
        why = &lost;
    }
    if (err == NULL)
        return why->status;
    *err = *why;
    err->outcome = outcome_of(self);
    if (self->told > 0)
        snprintf(err->message, sizeof err->message, "ran on %zu%s of %zu shards: %.900s",
                 self->executed, self->unsure > 0 ? " or more" : "", self->told, why->message);
    return err->status;
}

evs_reply *evs__spread_gather(evs__spread *self)
{
    evs_reply *all = evs__arena_alloc(&self->arena, self->count + 1, sizeof *all);
    if (all == NULL || self->nomem)
        return NULL;
    for (size_t i = 0; i < self->count; i++)
        all[1 + i] = *self->parts[i].reply;
    *all = (evs_reply){EVS_REPLY_ARRAY, self->count, {.items = all + 1}};
    return all;
}
