#include "scripts/engine/spread.h"

#include "core/error.h"
#include "core/mem.h"
#include "core/reply.h"
#include "scripts/engine/client.h"

#include <evalshard/batch.h>
#include <stdio.h>
#include <stdlib.h>

/* What one shard answered. */
typedef struct answer {
    size_t shard, order; /* numbers in the map, and among the answers */
    evs_reply *reply;    /* in the arena; NULL: nil */
} answer;

typedef struct spread {
    evs__arena arena;
    answer *answers; /* ours */
    size_t room, count;
    size_t told, executed, unsure; /* shards that answered, kept or not, and what they did */
    evs_reply *error;              /* ours: of the first that failed, when it is a reply */
    int nomem;
} spread;

int evs__spread_wanted(evs_client *client, const evs_invocation *call)
{
    if (call->nkeys > 0 || call->shard != NULL)
        return 0;
    evs__view view = evs__client_view(client);
    int wanted = evs__route_spreads(view.map, call->pool);
    evs__view_end(&view);
    return wanted;
}

static int reserve(spread *self)
{
    if (self->count < self->room)
        return 1;
    size_t room = self->room == 0 ? 8 : 2 * self->room;
    answer *more = evs__realloc_array(self->answers, room, sizeof *more);
    if (more == NULL)
        return 0;
    self->answers = more;
    self->room = room;
    return 1;
}

static void keep(spread *self, size_t shard, const evs_reply *reply)
{
    evs_reply *copy = reply == NULL ? NULL : evs__reply_copy_to(&self->arena, reply);
    if ((reply != NULL && copy == NULL) || !reserve(self)) {
        self->nomem = 1;
        return;
    }
    self->answers[self->count] = (answer){shard, self->count, copy};
    self->count++;
}

static void take(void *arg, size_t shard, const evs_result *result)
{
    spread *self = arg;
    self->told++;
    self->executed += result->outcome == EVS_EXECUTED;
    self->unsure += result->outcome == EVS_MAYBE_EXECUTED;
    if (result->status != EVS_OK && result->reply != NULL && self->error == NULL)
        self->nomem |= evs_reply_copy(&self->error, result->reply, NULL) != EVS_OK;
    keep(self, shard, result->status == EVS_OK ? result->reply : NULL);
}

static int by_shard(const void *a, const void *b)
{
    const answer *left = a, *right = b;
    if (left->shard != right->shard)
        return left->shard < right->shard ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

static evs_status gather(evs_reply **out, spread *self, evs_error *err)
{
    static const evs_reply nil = {EVS_REPLY_NIL, 0, {0}};
    evs_reply *items = evs__arena_alloc(&self->arena, self->count + 1, sizeof *items);
    if (items == NULL || self->nomem)
        return evs__fail_nomem(err);
    if (self->count > 0)
        qsort(self->answers, self->count, sizeof *self->answers, by_shard);
    for (size_t i = 0; i < self->count; i++)
        items[i] = self->answers[i].reply == NULL ? nil : *self->answers[i].reply;
    evs_reply all = {EVS_REPLY_ARRAY, self->count, {.items = items}};
    return evs_reply_copy(out, &all, err);
}

static evs_outcome outcome_of(const spread *self)
{
    if (self->executed == 0 && self->unsure == 0)
        return EVS_NOT_EXECUTED;
    return self->executed == self->told ? EVS_EXECUTED : EVS_MAYBE_EXECUTED;
}

/* `why` is the first failure. */
static evs_status fail(evs_reply **out, spread *self, const evs_error *why, evs_error *err)
{
    if (self->error != NULL && why->status == EVS_E_SCRIPT) {
        *out = self->error;
        self->error = NULL;
    }
    evs__fail_with(err, why);
    if (err == NULL || self->told == 0)
        return why->status;
    snprintf(err->message, sizeof err->message, "ran on %zu%s of %zu shards: %.900s",
             self->executed, self->unsure > 0 ? " or more" : "", self->told, why->message);
    err->outcome = outcome_of(self);
    return why->status;
}

evs_status evs__spread_call(evs_reply **out, evs_client *client, const evs_invocation *call,
                            evs_error *err)
{
    spread self = {.arena = EVS__ARENA_INIT};
    evs_error why = {0};
    evs_status status = evs_broadcast(client, call, take, &self, &why);
    if (status != EVS_OK)
        status = fail(out, &self, &why, err);
    else {
        status = gather(out, &self, err);
        if (status != EVS_OK && err != NULL)
            err->outcome = outcome_of(&self);
    }
    evs__arena_free(&self.arena);
    evs_reply_free(self.error);
    evs__free(self.answers);
    return status;
}
