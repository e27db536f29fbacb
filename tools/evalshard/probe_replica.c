/*
 * probe_replica.c - replicas that a client reads from by the word of sentinels: which those are,
 * and whether a server is one.
 *
 * As the client does, those sentinels are believed that name the primary which was chosen; what one
 * of them finds wrong with a replica is asked of the library.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evalshard/probe.h"
#include "tools/evalshard/term.h"

/* ---- which ---- */

/* What is said of the replicas of one primary. */
typedef struct hearing {
    const probe *sentinels;
    size_t count, watch;
    const char *place; /* of the primary */
} hearing;

/* What sentinel number `n` says, if it is believed. */
static const probe_watch *told(const hearing *h, size_t n)
{
    const probe_watch *w = &h->sentinels[n].watches[h->watch];
    return w->tells && w->place != NULL && strcmp(w->place, h->place) == 0 ? w : NULL;
}

static const probe_seen *find(const probe_watch *w, const char *address)
{
    for (size_t i = 0; w != NULL && i < w->nseen; i++)
        if (strcasecmp(w->seen[i].address, address) == 0)
            return &w->seen[i];
    return NULL;
}

/* Did a sentinel before number `n` name it? */
static int was_named(const hearing *h, size_t n, const char *address)
{
    for (size_t i = 0; i < n; i++)
        if (find(told(h, i), address) != NULL)
            return 1;
    return 0;
}

static int is_read_from(const hearing *h, const char *address)
{
    size_t well = 0, ill = 0;
    for (size_t i = 0; i < h->count; i++) {
        const probe_seen *seen = find(told(h, i), address);
        well += seen != NULL && seen->fault == NULL;
        ill += seen != NULL && seen->fault != NULL;
    }
    return well > 0 && well >= ill && strcasecmp(address, h->place) != 0;
}

static void list_told(FILE *list, const hearing *h, size_t n)
{
    const probe_watch *w = told(h, n);
    for (size_t i = 0; w != NULL && i < w->nseen; i++) {
        const char *address = w->seen[i].address;
        if (!was_named(h, n, address) && is_read_from(h, address))
            fprintf(list, "%s%s", ftell(list) > 0 ? "," : "", address);
    }
}

char *probe_list_replicas(const probe *sentinels, size_t count, size_t watch)
{
    char *text = NULL;
    size_t len = 0, tell = 0;
    hearing h = {sentinels, count, watch, probe_place(sentinels, count, watch)};
    for (size_t n = 0; h.place != NULL && n < count; n++)
        tell += told(&h, n) != NULL;
    if (tell == 0)
        return NULL;
    FILE *list = need(open_memstream(&text, &len));
    for (size_t n = 0; n < count; n++)
        list_told(list, &h, n);
    fclose(list);
    return need(text);
}

/* ---- whether it is one ---- */

static void complain_refused(probe *p, const evs_reply *reply, const evs_error *err)
{
    char *why = shown(reply == NULL ? evs_text(probe_bare(p, err)) : evs_reply_bytes(reply), '\0');
    probe_complain(p, PROBE_ERROR, "E533", "give the user +role", "ROLE refused: %s", why);
    free(why);
}

/* The question with which a client begins each connection to it. What comes of no answer was found
 * before. */
void probe_ask_replica(probe *p)
{
    static const char *const words[] = {"ROLE"};
    evs_error err;
    evs_reply *reply = probe_send(p, words, 1, &err);
    if (reply == NULL ? err.status == EVS_E_DENIED : evs_reply_kind(reply) == EVS_REPLY_ERROR) {
        complain_refused(p, reply, &err);
    } else if (reply != NULL) {
        evs_bytes role = evs_reply_bytes(evs_reply_at(reply, 0));
        if (role.len != 5 || memcmp(role.data, "slave", 5) != 0)
            probe_complain(p, PROBE_ERROR, "E534",
                           "a failover may be under way; else see SENTINEL REPLICAS on sentinels",
                           "it is no replica, but its sentinels name it as one (ROLE: %.*s)",
                           (int)role.len, role.data);
    }
    evs_reply_free(reply);
}

void probe_compare_replica(probe *p, const probe *primary)
{
    if (p->follows == NULL || p->replid[0] == '\0' || primary->replid[0] == '\0' ||
        strcmp(primary->role, "primary") != 0 || strcmp(p->replid, primary->replid) == 0)
        return;
    probe_complain(p, PROBE_ERROR, "E534",
                   "a failover may be under way; else make it a replica of that one (REPLICAOF)",
                   "it replicates %s, whose data is not that of the primary of %s (master_replid)",
                   p->follows, p->name);
}
