/* Where the calls of a client live, and looking at all of them. */
#include "scripts/engine/call.h"

#include "core/mem.h"
#include "scripts/engine/lane.h"

static evs__call *add_block(evs__calls *calls)
{
    evs__call **blocks = evs__realloc_array(calls->blocks, calls->nblocks + 1, sizeof(evs__call *));
    if (blocks == NULL)
        return NULL;
    calls->blocks = blocks;
    evs__call *block = evs__alloc_lines(EVS__CALL_BLOCK, sizeof *block);
    for (size_t i = 0; block != NULL && i < EVS__CALL_BLOCK; i++) {
        block[i].request.place = (uint32_t)(calls->nblocks * EVS__CALL_BLOCK + i);
        block[i].state.held = EVS__FREE;
    }
    if (block != NULL)
        blocks[calls->nblocks++] = block;
    return block;
}

int evs__calls_grow(evs__calls *calls)
{
    if (calls->begun == calls->nblocks && add_block(calls) == NULL)
        return 0;
    calls->next = calls->blocks[calls->begun++];
    calls->end = calls->next + EVS__CALL_BLOCK;
    return 1;
}

static evs__call *at_place(const evs__calls *calls, size_t place)
{
    if (place / EVS__CALL_BLOCK >= calls->nblocks)
        return NULL;
    return &calls->blocks[place / EVS__CALL_BLOCK][place % EVS__CALL_BLOCK];
}

evs__call *evs__calls_find(const evs__calls *calls, evs_ticket ticket)
{
    evs__call *call = at_place(calls, (uint32_t)ticket - 1);
    if (call == NULL || call->state.held == EVS__FREE || call->state.finished ||
        call->serial != (uint32_t)(ticket >> 32))
        return NULL;
    return call;
}

static size_t count_places(const evs__calls *calls)
{
    return calls->nblocks * EVS__CALL_BLOCK;
}

void evs__call_drop_aside(evs__call *call)
{
    evs__buf_free(&call->with.aside->bytes);
    evs_reply_free(call->with.aside->claim);
    evs__free(call->with.aside);
}

void evs__calls_free(evs__calls *calls)
{
    for (size_t i = 0; i < count_places(calls); i++) {
        evs__call *call = at_place(calls, i);
        if (call->state.held != EVS__FREE && call->with.aside != NULL)
            evs__call_drop_aside(call);
    }
    for (size_t i = 0; i < calls->nblocks; i++)
        evs__free(calls->blocks[i]);
    evs__free(calls->blocks);
    *calls = (evs__calls){.serial = calls->serial};
}

void evs__calls_trim(evs__calls *calls)
{
    if (calls->used == 0)
        evs__calls_free(calls);
}

const evs__call *evs__calls_next(const evs__calls *calls, size_t *place)
{
    while (*place < count_places(calls)) {
        const evs__call *call = at_place(calls, (*place)++);
        if (call->state.held != EVS__FREE && !call->state.finished)
            return call;
    }
    return NULL;
}

void evs__calls_mark_lanes(const evs__calls *calls)
{
    const evs__call *call;
    for (size_t at = 0; (call = evs__calls_next(calls, &at)) != NULL;)
        call->lane->busy = 1;
}

void evs__calls_abort_parked(evs__calls *calls)
{
    for (size_t i = 0; i < count_places(calls); i++) {
        evs__call *call = at_place(calls, i);
        if (call->state.held == EVS__WAITING || call->state.held == EVS__RESTING ||
            call->state.held == EVS__LOOKING)
            evs__call_release(call, EVS_E_CANCELED);
    }
}
