/*
 * ballots.c - what sentinels answered about one primary, who is elected by that, and in which words
 * nobody was.
 */
#include "scripts/engine/ballots.h"

#include "core/error.h"
#include "core/mem.h"

#include <stdio.h>

/* ---- in a round ---- */

static void clear_ballot(evs__ballot *ballot)
{
    evs__free((char *)(uintptr_t)ballot->vote.place.host.data);
    evs__free(ballot->why);
    evs_reply_free(ballot->replicas);
    *ballot = (evs__ballot){.status = EVS_OK};
}

int evs__ballots_begin(evs__primary *primary)
{
    size_t count = primary->group->plan->nhosts;
    if (primary->meant && primary->ballots == NULL) {
        primary->ballots = evs__zalloc_array(count, sizeof *primary->ballots);
        primary->nballots = primary->ballots == NULL ? 0 : count;
    }
    for (size_t i = 0; i < primary->nballots; i++)
        clear_ballot(&primary->ballots[i]);
    return primary->ballots != NULL;
}

void evs__ballots_free(evs__primary *primary)
{
    for (size_t i = 0; i < primary->nballots; i++)
        clear_ballot(&primary->ballots[i]);
    evs__free(primary->ballots);
    primary->ballots = NULL;
    primary->nballots = 0;
}

void evs__primary_told(evs__primary *primary, size_t from, const evs__vote *vote,
                       evs_reply *replicas)
{
    evs__ballot *ballot = &primary->ballots[from];
    char *host = evs__copy_text(vote->place.host.data, vote->place.host.len);
    clear_ballot(ballot);
    if (host == NULL) {
        evs_reply_free(replicas);
        return;
    }
    ballot->vote = *vote;
    ballot->vote.place.host.data = host;
    ballot->replicas = replicas;
}

void evs__primary_untold(evs__primary *primary, size_t from, const evs_error *why)
{
    evs__ballot *ballot = &primary->ballots[from];
    clear_ballot(ballot);
    ballot->status = why->status;
    ballot->why = evs__copy_text(why->message, strlen(why->message));
}

int evs__ballots_elect(const evs__primary *primary, int works)
{
    evs__vote votes[64];
    size_t count = primary->nballots < 64 ? primary->nballots : 64; /* as a map may have */
    evs__known_primary known = {.epoch = primary->epoch, .works = works};
    if (primary->host != NULL)
        known.place = (evs__place_at){evs_text(primary->host), primary->login.endpoint.port};
    for (size_t i = 0; i < count; i++)
        votes[i] = primary->ballots[i].vote;
    return evs__elect(votes, count, primary->group->plan->quorum_reads, &known);
}

/* ---- nobody was elected ---- */

static evs_status worst_of(const evs__primary *primary)
{
    evs_status status = primary->ballots[0].status;
    for (size_t i = 0; i < primary->nballots; i++) {
        const evs__ballot *ballot = &primary->ballots[i];
        if (ballot->vote.given || ballot->status != status || ballot->status == EVS_OK)
            return EVS_E_CONNECT;
    }
    return status == EVS_E_CLOSED || status == EVS_E_TIMEOUT ? EVS_E_CONNECT : status;
}

int evs__ballots_are_final(const evs__primary *primary)
{
    for (size_t i = 0; i < primary->nballots; i++) {
        evs_status status = primary->ballots[i].status;
        if (primary->ballots[i].vote.given || status == EVS_OK || evs__may_work_elsewhere(status) ||
            status == EVS_E_TIMEOUT || status == EVS_E_NOMEM)
            return 0;
    }
    return 1;
}

static void write_ballot(evs__buf *out, const evs__primary *primary, size_t i)
{
    const evs__ballot *ballot = &primary->ballots[i];
    const char *name = primary->group->plan->hosts[i].endpoint.text;
    const char *why = ballot->why == NULL ? "no answer in time" : ballot->why;
    int named = strstr(why, name) != NULL;
    evs__buf_text(out, i > 0 ? "; " : "");
    if (ballot->vote.given)
        evs__buf_format(out, "%s says %.*s:%d", name, (int)ballot->vote.place.host.len,
                        ballot->vote.place.host.data, ballot->vote.place.port);
    else
        evs__buf_format(out, "%s%s%s", named ? "" : name, named ? "" : ": ", why);
}

void evs__ballots_explain(evs_error *err, const evs__primary *primary)
{
    evs__buf reasons = EVS__BUF_INIT;
    for (size_t i = 0; i < primary->nballots; i++)
        write_ballot(&reasons, primary, i);
    evs__fail(err, worst_of(primary), "no sentinel of \"%s\" tells the primary of \"%s\": %s",
              primary->group->plan->name, primary->lane->at->master_name,
              evs__buf_ok(&reasons) && reasons.len > 0 ? reasons.data : "out of memory");
    evs__buf_free(&reasons);
    const unsigned quorum = primary->group->plan->quorum_reads;
    if (quorum > 1 && err->status == EVS_E_CONNECT) {
        char text[sizeof err->message];
        snprintf(text, sizeof text, "%.900s (%u have to agree)", err->message, quorum);
        evs__fail(err, EVS_E_CONNECT, "%s", text);
    }
}
