/* probe_sentinel.c - what a sentinel says of each primary, and whether all of a group say the same.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/evalshard/probe.h"
#include "tools/evalshard/term.h"

void probe_add_watch(probe *p, const char *master, const char *shard, const char *read_from)
{
    p->watches = need(reallocarray(p->watches, p->nwatches + 1, sizeof *p->watches));
    p->watches[p->nwatches++] = (probe_watch){
        .master = need(strdup(master)), .shard = need(strdup(shard)), .read_from = read_from};
}

static evs_reply *ask(const probe *p, const char *question, const char *master, evs_error *err)
{
    const char *words[] = {"SENTINEL", question, master};
    return probe_send(p, words, 3, err);
}

/* What was refused, or that there was no answer; yours to free. NULL: neither. */
static char *refusal(const evs_reply *reply, const evs_error *err)
{
    if (reply == NULL)
        return shown(evs_text(err->message), '\0');
    return evs_reply_kind(reply) == EVS_REPLY_ERROR ? shown(evs_reply_bytes(reply), '\0') : NULL;
}

/* ---- one primary ---- */

/* As a map would write it; yours to free. */
static char *address_of(evs_bytes host, evs_bytes port)
{
    char *address = NULL;
    int v6 = memchr(host.data, ':', host.len) != NULL;
    int len = asprintf(&address, "%s%.*s%s:%.*s", v6 ? "[" : "", (int)host.len, host.data,
                       v6 ? "]" : "", (int)port.len, port.data);
    return need(len == -1 ? NULL : address);
}

/* 0 when there is no use in asking more of it. */
static int ask_place(probe *p, probe_watch *w)
{
    evs_error err;
    evs_reply *reply = ask(p, "GET-MASTER-ADDR-BY-NAME", w->master, &err);
    char *why = refusal(reply, &err);
    if (why != NULL)
        probe_complain(p, PROBE_ERROR, "E523", "give the user +sentinel|get-master-addr-by-name",
                       "it does not tell where %s is: %s", w->master, why);
    else if (evs_reply_count(reply) != 2)
        probe_complain(p, PROBE_ERROR, "E521",
                       "look at master_name in the map, and at SENTINEL MASTERS on it",
                       "it watches no primary of the name %s (shard %s)", w->master, w->shard);
    else {
        w->place = address_of(evs_reply_bytes(evs_reply_at(reply, 0)),
                              evs_reply_bytes(evs_reply_at(reply, 1)));
    }
    free(why);
    evs_reply_free(reply);
    return w->place != NULL;
}

static evs_bytes text_at(const evs_reply *reply, const char *field)
{
    return evs_reply_bytes(evs_reply_map_get(reply, evs_text(field)));
}

static int64_t number_at(const evs_reply *reply, const char *field)
{
    int64_t number;
    return evs_reply_int(&number, evs_reply_map_get(reply, evs_text(field)), NULL) == EVS_OK
               ? number
               : 0;
}

static void complain_down(probe *p, const probe_watch *w, evs_bytes flags)
{
    if (memmem(flags.data, flags.len, "_down", 5) == NULL)
        return;
    probe_complain(p, PROBE_WARNING, "W527", "a failover may be under way; see its log",
                   "it takes the primary of %s at %s for down (%.*s)", w->master, w->place,
                   (int)flags.len, flags.data);
}

static void ask_details(probe *p, probe_watch *w)
{
    evs_error err;
    evs_reply *reply = ask(p, "MASTER", w->master, &err);
    char *why = refusal(reply, &err);
    if (why != NULL)
        probe_complain(p, PROBE_WARNING, "W523", "give the user +sentinel|master",
                       "it does not tell the epoch of %s, by which the newest of several primaries "
                       "is known: %s",
                       w->master, why);
    else {
        w->is_described = 1;
        w->quorum = number_at(reply, "quorum");
        w->others = number_at(reply, "num-other-sentinels");
        w->replicas = number_at(reply, "num-slaves");
        w->epoch = number_at(reply, "config-epoch");
        complain_down(p, w, text_at(reply, "flags"));
    }
    free(why);
    evs_reply_free(reply);
}

int probe_reads_replicas(const char *read_from)
{
    return strcmp(read_from, "primary") != 0;
}

/* One that has no address is none; the primary's is there for a while after a failover. */
static void see(probe *p, probe_watch *w, const evs_reply *reply)
{
    evs_bytes host = text_at(reply, "ip"), port = text_at(reply, "port");
    if (host.len == 0 || port.len == 0 || number_at(reply, "port") == 0)
        return;
    probe_seen one = {address_of(host, port), evs_replica_fault(reply)};
    w->seen = need(reallocarray(w->seen, w->nseen + 1, sizeof *w->seen));
    w->seen[w->nseen++] = one;
    if (one.fault != NULL && strcmp(one.address, w->place) != 0)
        probe_complain(p, PROBE_WARNING, "W535",
                       "see SENTINEL REPLICAS on it; SENTINEL RESET forgets one that is gone",
                       "by its word the replica of %s at %s is not to be read from (shard %s): %s",
                       w->master, one.address, w->shard, one.fault);
}

/* By `replica` nothing is read where nobody tells. */
static void ask_replicas(probe *p, probe_watch *w)
{
    evs_error err;
    evs_reply *reply = ask(p, "REPLICAS", w->master, &err);
    char *why = refusal(reply, &err);
    int bound = strcmp(w->read_from, "replica") == 0;
    if (why != NULL)
        probe_complain(p, bound ? PROBE_ERROR : PROBE_WARNING, bound ? "E530" : "W530",
                       "give the user +sentinel|replicas",
                       "it does not tell the replicas of %s, which shard %s is read from "
                       "(read_from: %s): %s",
                       w->master, w->shard, w->read_from, why);
    w->tells = why == NULL;
    for (size_t i = 0; w->tells && i < evs_reply_count(reply); i++)
        see(p, w, evs_reply_at(reply, i));
    free(why);
    evs_reply_free(reply);
}

/* It counts those that it can reach now. */
static void ask_quorum(probe *p, const probe_watch *w)
{
    evs_error err;
    evs_reply *reply = ask(p, "CKQUORUM", w->master, &err);
    evs_bytes text = reply != NULL ? evs_reply_bytes(reply) : (evs_bytes){NULL, 0};
    if (reply != NULL && evs_reply_kind(reply) == EVS_REPLY_ERROR && text.len >= 8 &&
        memcmp(text.data, "NOQUORUM", 8) == 0) {
        char *why = shown(text, '\0');
        probe_complain(p, PROBE_ERROR, "E524", "start the other sentinels, or correct its quorum",
                       "by its word nobody could replace the primary of %s: %s", w->master, why);
        free(why);
    }
    evs_reply_free(reply);
}

void probe_ask_sentinel(probe *p)
{
    for (size_t i = 0; i < p->nwatches; i++) {
        probe_watch *w = &p->watches[i];
        if (!ask_place(p, w))
            continue;
        ask_details(p, w);
        ask_quorum(p, w);
        if (probe_reads_replicas(w->read_from))
            ask_replicas(p, w);
    }
    probe_try_listening(p);
}

/* ---- all of a group ---- */

/* How many of them say that primary number `i` is there. */
static size_t count_for(const probe *all, size_t count, size_t i, const char *place)
{
    size_t votes = 0;
    for (size_t n = 0; n < count; n++)
        votes += all[n].watches[i].place != NULL && strcmp(all[n].watches[i].place, place) == 0;
    return votes;
}

/* Of several that as many name, the one named first. */
const char *probe_place(const probe *all, size_t count, size_t i)
{
    const char *best = NULL;
    size_t most = 0;
    for (size_t n = 0; n < count; n++) {
        const char *place = all[n].watches[i].place;
        size_t votes = place == NULL ? 0 : count_for(all, count, i, place);
        if (votes > most) {
            most = votes;
            best = place;
        }
    }
    return best;
}

static void compare_place(probe *all, size_t count, size_t n, size_t i)
{
    const probe_watch *w = &all[n].watches[i];
    const char *best = probe_place(all, count, i);
    if (w->place != NULL && strcmp(w->place, best) != 0)
        probe_complain(&all[n], PROBE_ERROR, "E525",
                       "a failover may be under way; else see SENTINEL MASTER on both",
                       "it says that %s is at %s, but %zu of %zu say %s", w->master, w->place,
                       count_for(all, count, i, best), count, best);
}

/* Sentinels find each other by the primary that they watch. */
static void compare_others(probe *p, const probe_watch *w, size_t count)
{
    if (!w->is_described || w->others == (int64_t)count - 1)
        return;
    int few = w->others < (int64_t)count - 1;
    probe_complain(p, few ? PROBE_WARNING : PROBE_NOTE, few ? "W526" : "N526",
                   few ? "do all of them watch the same primary?"
                       : "name all of them in the map, so that each is asked and heard",
                   "of %s it knows %" PRId64 " other sentinels, the map names %zu others",
                   w->master, w->others, count - 1);
}

static void compare_quorum(probe *all, size_t n, size_t i)
{
    const probe_watch *w = &all[n].watches[i];
    for (size_t k = 0; w->is_described && k < n; k++) {
        const probe_watch *other = &all[k].watches[i];
        if (!other->is_described)
            continue;
        if (other->quorum != w->quorum)
            probe_complain(&all[n], PROBE_WARNING, "W528", "SENTINEL SET NAME quorum N on each",
                           "its quorum for %s is %" PRId64 ", that of %s is %" PRId64, w->master,
                           w->quorum, all[k].address, other->quorum);
        return;
    }
}

static void describe(probe *p, const probe_watch *w)
{
    if (w->place != NULL && w->is_described)
        probe_complain(p, PROBE_NOTE, "N529", "",
                       "%s (shard %s) is at %s; quorum %" PRId64 ", %" PRId64
                       " other sentinels, %" PRId64 " replicas",
                       w->master, w->shard, w->place, w->quorum, w->others, w->replicas);
    else if (w->place != NULL)
        probe_complain(p, PROBE_NOTE, "N529", "", "%s (shard %s) is at %s", w->master, w->shard,
                       w->place);
}

void probe_compare_sentinels(probe *sentinels, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        probe *p = &sentinels[n];
        for (size_t i = 0; i < p->nwatches; i++) {
            describe(p, &p->watches[i]);
            compare_place(sentinels, count, n, i);
            compare_others(p, &p->watches[i], count);
            compare_quorum(sentinels, n, i);
        }
    }
}
