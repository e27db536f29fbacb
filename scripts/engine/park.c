#include "scripts/engine/park.h"

#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/decide.h"

enum { FIRST_REST_MS = 10, LONGEST_REST_MS = 500 };

/* ---- counting ---- */

static void enter(evs__call *call, evs__held held)
{
    call->state.held = (unsigned char)held;
    call->lane->parked++;
    call->lane->parked_bytes += call->with.aside->bytes.len;
}

void evs__park_leave(evs__call *call)
{
    if (call->state.held != EVS__RESTING)
        evs__ring_remove(&call->request.ring);
    call->state.held = EVS__HELD_BY_NOBODY;
    call->lane->parked--;
    call->lane->parked_bytes -= call->with.aside->bytes.len;
}

/* ---- looking for a server ---- */

void evs__park_look(evs__call *call, evs__ring *with)
{
    enter(call, EVS__LOOKING);
    evs__ring_append(with, &call->request.ring);
}

/* Those who have to wait again stand in the other ring then. */
void evs__park_release(evs__ring *all)
{
    evs__ring leaving;
    evs__ring_init(&leaving);
    evs__ring_move(&leaving, all);
    while (!evs__ring_empty(&leaving)) {
        evs__call *call = (evs__call *)leaving.next;
        evs__park_leave(call);
        evs__call_send_again(call);
    }
}

/* ---- waiting for a turn ---- */

int evs__park_must_wait(const evs__lane *lane)
{
    return lane->turn != NULL || !evs__ring_empty(&lane->waiting);
}

void evs__park_wait(evs__call *call)
{
    enter(call, EVS__WAITING);
    evs__ring_append(&call->lane->waiting, &call->request.ring);
}

/* NULL when it is somebody's turn already, or nobody waits. */
static evs__call *next_in_turn(evs__lane *lane)
{
    if (lane->turn != NULL || evs__ring_empty(&lane->waiting))
        return NULL;
    return (evs__call *)lane->waiting.next;
}

/* In a loop: a call that cannot be sent is finished at once, and comes back here. */
static void pass_turn(evs__lane *lane)
{
    if (lane->passing)
        return;
    lane->passing = 1;
    for (evs__call *next; (next = next_in_turn(lane)) != NULL;) {
        evs__park_leave(next);
        lane->turn = next;
        evs__call_send_again(next);
    }
    lane->passing = 0;
}

/* ---- room ---- */

static void tell_room(evs__lane *lane)
{
    const evs_client *client = lane->client;
    size_t count = lane->parked, bytes = lane->parked_bytes;
    if (lane->conn != NULL) {
        count += evs__conn_queued(lane->conn);
        bytes += evs__conn_queued_bytes(lane->conn);
    }
    if (count > client->options.max_in_flight / 2 || bytes > client->options.max_queued_bytes / 2)
        return;
    lane->wants_room = 0;
    client->options.room(client->options.room_arg, lane->at->name);
}

void evs__park_settled(evs__lane *lane, const evs__call *call)
{
    evs_client *client = lane->client;
    if (client->closing || client->ending)
        return;
    if (lane->turn == call) {
        lane->turn = NULL;
        pass_turn(lane);
    }
    if (lane->wants_room && !client->closing)
        tell_room(lane);
    lane->watched = lane->wants_room || lane->retired || client->options.order == EVS_ORDER_STRICT;
    if (lane->retired)
        evs__client_retire_soon(client);
}

/* ---- resting ---- */

static uint64_t rest_of(const evs__lane *lane, unsigned tries)
{
    evs_client *client = lane->client;
    const evs__pool *pool = &lane->home->map->pools[lane->at->pool];
    uint64_t rest = pool->cluster == NULL ? FIRST_REST_MS : pool->cluster->tryagain_backoff_ms;
    for (unsigned i = 0; i < tries && rest < LONGEST_REST_MS; i++)
        rest *= 2;
    if (rest > LONGEST_REST_MS)
        rest = LONGEST_REST_MS;
    client->random = client->random * 6364136223846793005u + 1442695040888963407u;
    return rest - rest / 4 + (client->random >> 33) % (rest / 2 + 1);
}

static int keep_claim(evs__aside *aside, const evs_reply *reply)
{
    evs_reply *claim = NULL;
    if (evs_reply_copy(&claim, reply, NULL) != EVS_OK)
        return 0;
    evs_reply_free(aside->claim);
    aside->claim = claim;
    return 1;
}

int evs__park_rest(evs__call *call, const evs_reply *reply)
{
    evs_client *client = call->lane->client;
    const evs__aside *before = call->with.aside;
    uint64_t now = evs__loop_now_ms(client->loop);
    uint64_t rest = evs__park_fit(rest_of(call->lane, before == NULL ? 0 : before->tries), now,
                                  call->due.at);
    if (rest == 0)
        return 0;
    evs__aside *aside = evs__call_set_aside(call);
    if (aside == NULL || !keep_claim(aside, reply))
        return 0;

    aside->deadline = call->due.at;
    aside->tries++;
    client->stats.retries++;
    enter(call, EVS__RESTING);
    evs__wheel_remove(&call->due);
    call->due.at = now + rest;
    evs__wheel_add(&client->wheel, &call->due);
    if (call->due.at < client->sweep_at)
        evs__client_watch(client, call->due.at);
    return 1;
}

void evs__park_wake(evs__call *call)
{
    evs_client *client = call->lane->client;
    evs__aside *aside = call->with.aside;
    evs__park_leave(call);
    call->due.at = aside->deadline;
    if (evs__loop_now_ms(client->loop) >= aside->deadline) {
        evs__call_give_up(call, aside->claim);
        return;
    }
    evs__wheel_add(&client->wheel, &call->due);
    evs__call_send_again(call);
}
