/* probe_cluster.c - what a node of a cluster says about the whole, and who the other nodes are. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/evalshard/info.h"
#include "tools/evalshard/probe.h"
#include "tools/evalshard/term.h"

enum { SLOTS = 16384 };

/* The reply to a command of two words when it is none of an error; else NULL. */
static evs_reply *ask(const probe *p, const char *first, const char *second)
{
    const char *words[] = {first, second};
    evs_reply *reply = probe_send(p, words, 2, NULL);
    if (reply == NULL || evs_reply_kind(reply) != EVS_REPLY_ERROR)
        return reply;
    evs_reply_free(reply);
    return NULL;
}

static void ask_id(probe *p)
{
    evs_reply *reply = ask(p, "CLUSTER", "MYID");
    if (reply != NULL && evs_reply_bytes(reply).len < sizeof p->id)
        snprintf(p->id, sizeof p->id, "%.*s", (int)evs_reply_bytes(reply).len,
                 evs_reply_bytes(reply).data);
    evs_reply_free(reply);
}

static void ask_state(probe *p)
{
    evs_reply *reply = ask(p, "CLUSTER", "INFO");
    if (reply == NULL)
        return;
    evs_bytes info = evs_reply_bytes(reply), state = info_text(info, "cluster_state");
    int64_t assigned = info_number(info, "cluster_slots_assigned");
    int64_t failing = info_number(info, "cluster_slots_pfail") +
                      info_number(info, "cluster_slots_fail");
    if (assigned < SLOTS)
        probe_complain(p, PROBE_ERROR, "E519",
                       "`redis-cli --cluster fix` gives them to nodes; see allow_partial, too",
                       "nobody owns %" PRId64 " of the %d slots", SLOTS - assigned, SLOTS);
    else if (state.len != 2 || memcmp(state.data, "ok", 2) != 0)
        probe_complain(p, PROBE_ERROR, "E519", "look at CLUSTER NODES on it",
                       "by its word the cluster is down (cluster_state:%.*s)", (int)state.len,
                       state.data);
    if (failing > 0)
        probe_complain(p, PROBE_WARNING, "W519", "look at CLUSTER NODES on it",
                       "by its word the owners of %" PRId64 " slots do not answer", failing);
    evs_reply_free(reply);
}

/* The host of `address`, to which a node belongs that does not know its own. */
static evs_bytes host_of(const char *address)
{
    const char *start = strstr(address, "://"), *colon = strrchr(address, ':');
    start = start == NULL ? address : start + 3;
    if (start[0] == '[')
        return (evs_bytes){start + 1, strcspn(start + 1, "]")};
    return (evs_bytes){start,
                       colon == NULL || colon < start ? strlen(start) : (size_t)(colon - start)};
}

static int is_known(const probe *p, evs_bytes id)
{
    for (size_t i = 0; i < p->nnodes; i++) {
        if (strlen(p->nodes[i].id) == id.len && memcmp(p->nodes[i].id, id.data, id.len) == 0)
            return 1;
    }
    return 0;
}

static void add_node(probe *p, evs_bytes id, evs_bytes host, int64_t port)
{
    char *address = NULL;
    if (id.len == 0 || port == 0 || is_known(p, id))
        return;
    if (host.len == 0 || (host.len == 1 && host.data[0] == '?'))
        host = host_of(p->address);
    int v6 = memchr(host.data, ':', host.len) != NULL;
    int len = asprintf(&address, "%s%.*s%s:%" PRId64, v6 ? "[" : "", (int)host.len, host.data,
                       v6 ? "]" : "", port);
    p->nodes = need(reallocarray(p->nodes, p->nnodes + 1, sizeof *p->nodes));
    p->nodes[p->nnodes++] = (probe_node){need(strndup(id.data, id.len)),
                                         need(len == -1 ? NULL : address)};
}

/* As clients are told of nodes; replicas that have nothing yet are left out. */
static void ask_slots(probe *p)
{
    evs_reply *reply = ask(p, "CLUSTER", "SLOTS");
    for (size_t i = 0; reply != NULL && i < evs_reply_count(reply); i++) {
        const evs_reply *range = evs_reply_at(reply, i);
        for (size_t k = 2; k < evs_reply_count(range); k++) {
            const evs_reply *node = evs_reply_at(range, k); /* [host, port, id, ...] */
            add_node(p, evs_reply_bytes(evs_reply_at(node, 2)),
                     evs_reply_bytes(evs_reply_at(node, 0)),
                     evs_reply_integer(evs_reply_at(node, 1)));
        }
    }
    evs_reply_free(reply);
}

static evs_bytes until(evs_bytes *rest, const char *stops)
{
    size_t n = 0;
    while (n < rest->len && strchr(stops, rest->data[n]) == NULL)
        n++;
    evs_bytes word = {rest->data, n};
    rest->data += n < rest->len ? n + 1 : n;
    rest->len -= n < rest->len ? n + 1 : n;
    return word;
}

/* `id host:port@bus[,hostname[,...]] flags ...` */
static void read_node(probe *p, evs_bytes line)
{
    evs_bytes id = until(&line, " "), where = until(&line, " "), flags = until(&line, " ");
    evs_bytes place = until(&where, ",@");
    evs_bytes bus = until(&where, ","), name = until(&where, ",");
    const char *colon = place.len == 0 ? NULL : memrchr(place.data, ':', place.len);
    if (colon == NULL || bus.len == 0 || memmem(flags.data, flags.len, "noaddr", 6) != NULL ||
        memmem(flags.data, flags.len, "handshake", 9) != NULL)
        return;
    evs_bytes host = {place.data, (size_t)(colon - place.data)};
    add_node(p, id, name.len > 0 ? name : host, strtol(colon + 1, NULL, 10));
}

/* All nodes, those without slots, too. */
static void ask_nodes(probe *p)
{
    evs_reply *reply = ask(p, "CLUSTER", "NODES");
    evs_bytes rest = evs_reply_bytes(reply);
    while (rest.len > 0)
        read_node(p, until(&rest, "\r\n"));
    evs_reply_free(reply);
}

void probe_ask_cluster(probe *p)
{
    ask_id(p);
    ask_state(p);
    ask_slots(p);
    ask_nodes(p);
}
