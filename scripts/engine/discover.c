/*
 * discover.c - asking the nodes of a cluster who serves which slot.
 *
 * One question is under way at a time, whoever wants to know. A round asks node after node until
 * one tells something usable; a dead one costs its time limit at most. Rounds keep a distance,
 * which grows while they do not help those who wait.
 */
#include "scripts/engine/discover.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/note.h"
#include "scripts/engine/park.h"
#include "scripts/render.h"

enum { SHORTEST_PAUSE_MS = 25, LONGEST_PAUSE_MS = 200 };

typedef struct probe {
    evs__request request; /* first */
    evs__ring ring;       /* in the cluster's probes */
    evs__cluster *cluster;
    evs__node *node;
    evs__topology_form form;
} probe;

static probe *probe_of(evs__ring *ring)
{
    return (probe *)((char *)ring - offsetof(probe, ring));
}

static void drop(probe *one)
{
    if (one->cluster->asking == &one->ring)
        one->cluster->asking = NULL;
    evs__ring_remove(&one->ring);
    evs__free(one);
}

void evs__discover_drop(evs__cluster *cluster)
{
    while (!evs__ring_empty(&cluster->probes))
        drop(probe_of(cluster->probes.next));
}

/* ---- rounds ---- */

static int is_dead(const evs__cluster *cluster)
{
    const evs_client *client = cluster->client;
    return cluster->stopped || client->closing || client->ending;
}

static uint64_t pause_of(const evs__cluster *cluster)
{
    uint64_t pause = SHORTEST_PAUSE_MS;
    for (unsigned i = 1; i < cluster->rounds && pause < LONGEST_PAUSE_MS; i++)
        pause *= 2;
    return pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
}

static void end_round(evs__cluster *cluster)
{
    int waited_for = !evs__ring_empty(&cluster->waiting);
    cluster->round_end = evs__loop_now_ms(cluster->client->loop);
    cluster->left = 0;
    cluster->rounds = waited_for || cluster->again ? cluster->rounds + 1 : 0;
    if (waited_for || cluster->again)
        evs__timer_start(cluster->timer, pause_of(cluster));
    else
        evs__timer_start(cluster->timer, cluster->plan->refresh_ms);
    cluster->again = 0;
}

/* Nobody of those who wait can be helped by asking again. */
static int is_final(evs_status status)
{
    return status == EVS_E_AUTH || status == EVS_E_DENIED;
}

static void fail_waiting(evs__cluster *cluster)
{
    evs__ring leaving;
    evs__ring_init(&leaving);
    evs__ring_move(&leaving, &cluster->waiting);
    while (!evs__ring_empty(&leaving)) {
        evs_error err;
        evs__call *call = (evs__call *)leaving.next;
        evs__park_leave(call);
        evs__cluster_explain(call, &err);
        evs__call_fail(call, EVS_NOT_EXECUTED, &err);
    }
}

static void round_failed(evs__cluster *cluster, evs_status status)
{
    const evs__buf *reasons = &cluster->reasons;
    int impatient = cluster->client->options.patience == EVS_PATIENCE_NONE;
    evs__fail(cluster->trouble, status, "no node of the cluster tells its slots: %s",
              reasons->len == 0 ? "none could be asked" : reasons->data);
    evs__note(cluster->home, NULL, status, "%s", cluster->trouble->message);
    if (is_final(status) || impatient || evs__cluster_is_down(cluster))
        fail_waiting(cluster);
    end_round(cluster);
}

/* Notes why a node did not tell, and asks the next one. */
static void go_on(evs__cluster *cluster, const evs__node *node, const evs_error *why);

/* ---- one question ---- */

static void answered(evs__request *request, const evs__answer *answer);

static evs_status ask(evs__cluster *cluster, evs__node *node, evs__topology_form form,
                      evs_error *err)
{
    static const char *const words[] = {"SHARDS", "SLOTS"};
    evs__lane *lane = &node->lane;
    evs_status status = evs__lane_prepare(lane, 0, err);
    if (status != EVS_OK)
        return status;
    probe *one = evs__zalloc_array(1, sizeof *one);
    if (one == NULL)
        return evs__fail_nomem(err);
    *one = (probe){.request = {.done = answered, .servant = 1},
                   .cluster = cluster,
                   .node = node,
                   .form = form};
    evs_bytes args[] = {evs_text("CLUSTER"), evs_text(words[form])};
    evs__render_command(evs__conn_begin(lane->conn, &one->request), args, 2);
    if (!evs__conn_end(lane->conn, &one->request)) {
        evs__free(one);
        return evs__fail_nomem(err);
    }
    evs__ring_append(&cluster->probes, &one->ring);
    cluster->asking = &one->ring;
    evs__timer_start(cluster->timer,
                     lane->at->login.connect_timeout_ms + lane->at->command_timeout_ms);
    return EVS_OK;
}

/* At first all seeds; then whoever the newest topology lists, and the seeds again. */
static int may_tell(const evs__node *node)
{
    return node->listed || node->seed;
}

/* Ends: each node is asked once in a round. */
static void ask_next(evs__cluster *cluster, evs_status last)
{
    evs_error err;
    evs_status status = last;
    while (cluster->left > 0) {
        evs__node *node = cluster->nodes[cluster->candidate++ % cluster->nnodes];
        cluster->left--;
        if (!may_tell(node))
            continue;
        int slots = cluster->plan->asks == EVS__ASKS_SLOTS;
        status = ask(cluster, node, slots ? EVS__TOPOLOGY_SLOTS : EVS__TOPOLOGY_SHARDS, &err);
        if (status == EVS_OK)
            return;
        evs__buf_format(&cluster->reasons, "%s%s", cluster->reasons.len > 0 ? "; " : "",
                        err.message);
    }
    round_failed(cluster, status);
}

static void go_on(evs__cluster *cluster, const evs__node *node, const evs_error *why)
{
    int named = strstr(why->message, node->name) != NULL;
    evs__buf_format(&cluster->reasons, "%s%s%s%s", cluster->reasons.len > 0 ? "; " : "",
                    named ? "" : node->name, named ? "" : ": ", why->message);
    ask_next(cluster, why->status);
}

/* ---- answers ---- */

static evs_bytes host_of(const evs__topology_node *told, const evs__node *asked)
{
    return evs_text(told->host == NULL ? asked->host : told->host);
}

/* Numbers of our nodes by those of the topology; 0 when out of memory. */
static int number_nodes(evs__cluster *cluster, const evs__topology *topology,
                        const evs__node *asked, uint16_t *numbers)
{
    for (size_t i = 0; i < topology->nnodes; i++) {
        const evs__topology_node *told = &topology->nodes[i];
        evs__node *node = evs__cluster_node(cluster, host_of(told, asked), told->port);
        if (node == NULL)
            return 0;
        numbers[i] = (uint16_t)evs__cluster_number(cluster, node);
    }
    return 1;
}

static void forget(evs__node *node)
{
    node->listed = node->primary = 0;
    node->follows = NULL;
}

static void take(evs__cluster *cluster, const evs__topology *topology, const uint16_t *numbers)
{
    for (size_t i = 0; i < cluster->nnodes; i++)
        forget(cluster->nodes[i]);
    for (size_t i = 0; i < topology->nnodes; i++) {
        evs__node *node = cluster->nodes[numbers[i]];
        node->listed = 1;
        node->primary |= topology->nodes[i].primary;
        if (topology->nodes[i].follows != EVS__NOBODY)
            node->follows = cluster->nodes[numbers[topology->nodes[i].follows]];
    }
    for (size_t slot = 0; slot < EVS__SLOTS; slot++) {
        uint16_t owner = topology->owner[slot];
        cluster->owner[slot] = owner == EVS__NOBODY ? EVS__NOBODY : numbers[owner];
    }
    cluster->known = 1;
    cluster->client->stats.refreshes++;
}

static evs_status learn(evs__cluster *cluster, const probe *one, const evs_reply *reply,
                        evs_error *err)
{
    evs__arena arena = EVS__ARENA_INIT;
    evs__topology *topology;
    evs_status status = evs__topology_read(&topology, &arena, reply, one->form,
                                           cluster->home->at->login.tls != NULL, err);
    if (status == EVS_OK && topology->covered == 0)
        status = evs__fail(err, EVS_E_CLUSTER, "it knows no slots: it is in no cluster yet");
    else if (status == EVS_OK && topology->covered < EVS__SLOTS && !cluster->known &&
             !cluster->plan->allow_partial)
        status = evs__fail(err, EVS_E_CLUSTER, "only %zu of %d slots are served", topology->covered,
                           EVS__SLOTS);
    if (status == EVS_OK) {
        uint16_t *numbers = evs__arena_alloc(&arena, topology->nnodes, sizeof *numbers);
        if (numbers != NULL && number_nodes(cluster, topology, one->node, numbers))
            take(cluster, topology, numbers);
        else
            status = evs__fail_nomem(err);
    }
    evs__arena_free(&arena);
    return status;
}

static evs_status judge(evs__cluster *cluster, const probe *one, const evs__answer *answer,
                        evs_error *err)
{
    if (answer->got == EVS__GOT_LOST)
        return evs__fail_with(err, answer->why);
    if (answer->got != EVS__GOT_REPLY)
        return evs__fail(err, EVS_E_REPLY_TOO_BIG, "the topology is over a limit of replies");
    return learn(cluster, one, answer->reply, err);
}

/* Servers before Redis 7 do not know CLUSTER SHARDS, and later ones may name two primaries. */
static int ask_otherwise(evs__cluster *cluster, const probe *one, const evs__answer *answer)
{
    evs_error err;
    return one->form == EVS__TOPOLOGY_SHARDS && cluster->plan->asks == EVS__ASKS_AUTO &&
           answer->got == EVS__GOT_REPLY &&
           (evs_reply_kind(answer->reply) == EVS_REPLY_ERROR ||
            evs__topology_is_open(answer->reply)) &&
           ask(cluster, one->node, EVS__TOPOLOGY_SLOTS, &err) == EVS_OK;
}

static void answered(evs__request *request, const evs__answer *answer)
{
    evs_error err;
    probe one = *(probe *)request;
    evs__cluster *cluster = one.cluster;
    int late = cluster->asking != &((probe *)request)->ring;
    drop((probe *)request);
    if (late || is_dead(cluster))
        return;
    if (ask_otherwise(cluster, &one, answer))
        return;
    if (judge(cluster, &one, answer, &err) != EVS_OK) {
        go_on(cluster, one.node, &err);
        return;
    }
    cluster->left = 0;
    evs__park_release(&cluster->waiting);
    if (!is_dead(cluster))
        end_round(cluster);
}

/* ---- when ---- */

static void start_round(evs__cluster *cluster)
{
    evs__buf_clear(&cluster->reasons);
    cluster->again = 0;
    cluster->left = cluster->nnodes;
    ask_next(cluster, EVS_E_CONNECT);
}

static int under_way(const evs__cluster *cluster)
{
    return cluster->asking != NULL || cluster->left > 0;
}

void evs__discover(evs__cluster *cluster, const evs__node *first)
{
    if (is_dead(cluster))
        return;
    if (under_way(cluster)) {
        cluster->again = 1;
        return;
    }
    if (first != NULL)
        cluster->candidate = evs__cluster_number(cluster, first);
    uint64_t now = evs__loop_now_ms(cluster->client->loop);
    uint64_t at = cluster->round_end == 0 ? now : cluster->round_end + pause_of(cluster);
    evs__timer_start(cluster->timer, at > now ? at - now : 0);
}

static void time_out(evs__cluster *cluster)
{
    evs_error why;
    probe *one = probe_of(cluster->asking);
    cluster->asking = NULL;
    one->request.unwanted = 1;
    evs__fail(&why, EVS_E_TIMEOUT, "no answer in time");
    go_on(cluster, one->node, &why);
}

void evs__discover_tick(evs__cluster *cluster)
{
    if (is_dead(cluster))
        return;
    if (cluster->asking != NULL)
        time_out(cluster);
    else if (!under_way(cluster))
        start_round(cluster);
}
