#include "scripts/engine/redirect.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/discover.h"
#include "scripts/engine/note.h"
#include "scripts/engine/reader.h"
#include "scripts/render.h"

/* ---- following ---- */

static evs_bytes host_of(const evs__call *call, const evs__redirect *to)
{
    return to->host.len > 0 ? to->host : evs_text(call->lane->at->login.endpoint.host);
}

/* Where the words lead; NULL when out of memory. */
static evs__node *take(evs__call *call, const evs__redirect *to)
{
    evs__cluster *cluster = call->lane->cluster;
    evs__node *node = evs__cluster_node(cluster, host_of(call, to), to->port);
    if (node == NULL || to->ask)
        return node;
    uint16_t owner = (uint16_t)evs__cluster_number(cluster, node);
    if (cluster->owner[to->slot] == owner)
        evs__reader_leave(call->lane); /* it does not serve what its primary has */
    cluster->owner[to->slot] = owner;
    evs__discover(cluster, node);
    return node;
}

/* The call's bytes are aside. 0 when it may not be sent on. */
static int follow(evs__call *call, const evs__redirect *to)
{
    evs__aside *aside = call->with.aside;
    evs__node *node = take(call, to);
    if (node == NULL || aside->redirects >= call->lane->cluster->plan->max_redirects)
        return 0;
    aside->redirects++;
    evs__call_mishap(call, EVS__MISHAP_REDIRECT);
    call->lane->client->stats.redirects++;
    call->state.asking = (unsigned char)(to->ask != 0);
    call->lane = &node->lane;
    evs__call_send_again(call);
    return 1;
}

/* ---- asking first ---- */

static evs__call *call_of(evs__request *side)
{
    return ((evs__aside *)((char *)side - offsetof(evs__aside, side)))->call;
}

/* Behind ASKING, a node runs also what it does not serve for others yet. */
static int is_true(const evs__call *call, const evs__redirect *to, evs__slot_view view)
{
    if (view == EVS__SLOT_ELSEWHERE)
        return 1;
    if (call->state.asking)
        return 0;
    return view == EVS__SLOT_ARRIVING || (view == EVS__SLOT_LEAVING && to->ask);
}

static evs_bytes nodes_text(const evs__answer *answer)
{
    evs_bytes none = {NULL, 0};
    if (answer->got != EVS__GOT_REPLY || evs_reply_kind(answer->reply) == EVS_REPLY_ERROR)
        return none;
    return evs_reply_bytes(answer->reply);
}

static void fail_true(evs__call *call, const evs_reply *claim)
{
    evs_error err;
    evs__subject subject = evs__call_subject(call);
    evs_bytes text = evs_reply_bytes(claim);
    evs__explain(&err, &subject, EVS_E_MOVED, "%.*s", (int)text.len, text.data);
    evs__call_fail(call, EVS_NOT_EXECUTED, &err);
}

/* CLUSTER NODES was answered. */
static void settled(evs__request *side, const evs__answer *answer)
{
    evs__redirect to;
    evs__call *call = call_of(side);
    const evs_reply *claim = call->with.aside->claim;
    call->state.held = EVS__HELD_BY_NOBODY;
    if (call->state.finished) {
        evs__call_drop(call);
        return;
    }
    evs__slot_view view = evs__slot_seen(nodes_text(answer), call->slot);
    if (!evs__redirect_read(&to, evs_reply_bytes(claim)) || !is_true(call, &to, view))
        evs__call_give_up(call, claim);
    else if (call->lane->client->ending || !follow(call, &to))
        fail_true(call, claim);
}

static int settle(evs__call *call, const evs_reply *reply)
{
    evs__aside *aside = call->with.aside;
    evs__conn *conn = call->lane->conn;
    evs_reply_free(aside->claim);
    aside->claim = NULL;
    if (evs_reply_copy(&aside->claim, reply, NULL) != EVS_OK)
        return 0;
    aside->call = call;
    aside->side = (evs__request){.done = settled, .servant = 1};
    evs_bytes args[] = {evs_text("CLUSTER"), evs_text("NODES")};
    evs__render_command(evs__conn_begin(conn, &aside->side), args, 2);
    if (!evs__conn_end(conn, &aside->side))
        return 0;
    call->state.held = EVS__HELD_BY_HEAL;
    evs__note(call->lane, call->script, EVS_E_MOVED, "the node is asked whether this is so: %.*s",
              (int)evs_reply_bytes(reply).len, evs_reply_bytes(reply).data);
    return 1;
}

int evs__redirect_call(evs__call *call, const evs__decision *decision, const evs_reply *reply)
{
    evs__redirect to;
    const evs_client *client = call->lane->client;
    if (call->lane->cluster == NULL || client->closing || client->ending ||
        !evs__redirect_read(&to, evs_reply_bytes(reply)) || to.slot != call->slot ||
        evs__call_set_aside(call) == NULL)
        return 0;
    if (decision->action != EVS__REROUTE)
        return settle(call, reply);
    call->state.maybe |= (unsigned char)(decision->outcome != EVS_NOT_EXECUTED);
    return follow(call, &to);
}

/* ---- ASKING ---- */

/* What it says does not matter: the answer behind it decides. */
static void asked(evs__request *side, const evs__answer *answer)
{
    (void)side;
    (void)answer;
}

int evs__redirect_ask(evs__call *call)
{
    evs__request *side = &call->with.aside->side;
    evs__conn *conn = call->lane->conn;
    evs_bytes asking = evs_text("ASKING");
    *side = (evs__request){.done = asked, .unwanted = 1};
    evs__render_command(evs__conn_begin(conn, side), &asking, 1);
    return evs__conn_end(conn, side);
}
