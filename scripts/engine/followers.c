#include "scripts/engine/followers.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/note.h"
#include "scripts/engine/park.h"

#include <stdio.h>

/* ---- one replica ---- */

static void free_one(evs__follower *one)
{
    if (one != NULL) {
        evs__lane_clear(&one->reader.lane);
        evs__free(one->host);
        evs__free(one->text);
    }
    evs__free(one);
}

/* What the map says of the shard, with another address. */
static void describe(evs__follower *one, const evs__shard *shard, int port)
{
    evs__shard *its = &one->reader.shard;
    *its = *shard;
    its->login.endpoint = (evs__endpoint){.text = one->text, .host = one->host, .port = port};
    its->login.primary = 0;
    its->login.replica = 1;
}

static evs__place_at place_of(const evs__follower *one)
{
    return (evs__place_at){evs_text(one->host), one->reader.shard.login.endpoint.port};
}

static evs__follower *make(const evs__lane *home, const evs__place_at *place)
{
    evs__follower *one = evs__zalloc_lines(1, sizeof *one);
    if (one == NULL)
        return NULL;
    one->host = evs__copy_text(place->host.data, place->host.len);
    one->text = one->host == NULL ? NULL : evs__place_text(one->host, place->port);
    describe(one, home->at, place->port);
    if (evs__reader_init(&one->reader, home) && one->text != NULL)
        return one;
    free_one(one);
    return NULL;
}

static evs__follower *find(const evs__followers *followers, const evs__place_at *place)
{
    for (size_t i = 0; i < followers->count; i++) {
        evs__place_at at = place_of(followers->all[i]);
        if (evs__place_same(&at, place))
            return followers->all[i];
    }
    return NULL;
}

/* NULL when out of memory: the next round adds it. */
static evs__follower *find_or_add(evs__followers *followers, const evs__place_at *place)
{
    evs__follower *one = find(followers, place);
    if (one != NULL)
        return one;
    evs__follower **all = evs__realloc_array(followers->all, followers->count + 1,
                                             sizeof(evs__follower *));
    if (all == NULL)
        return NULL;
    followers->all = all;
    one = make(followers->primary->lane, place);
    if (one != NULL)
        all[followers->count++] = one;
    return one;
}

/* It takes no more calls, and goes when it has none. */
static void leave(const evs__followers *followers, evs__follower *one, const char *why)
{
    evs__lane *lane = &one->reader.lane;
    one->listed = 0;
    lane->retired = lane->watched = 1;
    evs__client_retire_soon(followers->primary->lane->client);
    if (lane->conn != NULL)
        evs__conn_leave_server(lane->conn, why);
}

/* ---- life ---- */

evs__followers *evs__followers_new(evs__primary *primary)
{
    evs__followers *followers = evs__zalloc_array(1, sizeof *followers);
    if (followers == NULL)
        return NULL;
    followers->primary = primary;
    evs__ring_init(&followers->waiting);
    return followers;
}

void evs__followers_free(evs__followers *followers)
{
    for (size_t i = 0; followers != NULL && i < followers->count; i++)
        free_one(followers->all[i]);
    if (followers != NULL) {
        evs__free(followers->all);
        evs__free(followers->trouble);
    }
    evs__free(followers);
}

evs__followers *evs__followers_of(const evs__lane *lane)
{
    const evs__primary *primary = lane->home->primary;
    return primary == NULL ? NULL : primary->followers;
}

static int are_read_from(const evs__followers *followers)
{
    return evs__reader_rule(followers->primary->lane) != EVS__READ_PRIMARY;
}

void evs__followers_set_map(evs__followers *followers)
{
    const evs__lane *home = followers->primary->lane;
    for (size_t i = 0; i < followers->count; i++) {
        evs__follower *one = followers->all[i];
        describe(one, home->at, one->reader.shard.login.endpoint.port);
        evs__lane_renew(&one->reader.lane, home->map);
    }
    if (are_read_from(followers)) {
        evs__followers_look(home);
        return;
    }
    for (size_t i = 0; i < followers->count; i++) {
        followers->all[i]->listed = 0;
        followers->all[i]->reader.lane.retired = followers->all[i]->reader.lane.watched = 1;
    }
    followers->known = 0;
    evs__client_retire_soon(home->client);
    if (evs__followers_want(followers)) /* they are sent on from the loop */
        evs__sentinels_serve(followers->primary->group);
}

/* ---- rounds ---- */

static int serves(const void *set, size_t i)
{
    const evs__follower *one = ((const evs__followers *)set)->all[i];
    return one->listed && !evs__reader_is_away(&one->reader);
}

static evs__candidates candidates(const evs__followers *followers)
{
    return (evs__candidates){followers, followers->count, serves};
}

static int somebody_serves(const evs__followers *followers)
{
    evs__candidates all = candidates(followers);
    return evs__candidates_serve(&all);
}

static void forget_round(evs__followers *followers)
{
    for (size_t i = 0; i < followers->count; i++) {
        evs__follower *one = followers->all[i];
        one->well = one->ill = 0;
        one->fault = NULL;
    }
}

/* What one sentinel says of all of them. */
static void read_list(evs__followers *followers, const evs_reply *list, const evs__place_at *now)
{
    for (size_t i = 0; i < evs_reply_count(list); i++) {
        evs__seen seen;
        if (!evs__replica_read(&seen, evs_reply_at(list, i)) || evs__place_same(&seen.place, now))
            continue;
        evs__follower *one = find_or_add(followers, &seen.place);
        if (one == NULL)
            continue;
        one->well += seen.fault == NULL;
        one->ill += seen.fault != NULL;
        one->fault = seen.fault != NULL ? seen.fault : one->fault;
    }
}

/* How many sentinels told. */
static size_t read_lists(evs__followers *followers, const evs__place_at *now)
{
    size_t told = 0;
    const evs__primary *primary = followers->primary;
    forget_round(followers);
    for (size_t i = 0; i < primary->nballots; i++) {
        const evs__ballot *ballot = &primary->ballots[i];
        if (!ballot->vote.given || ballot->replicas == NULL ||
            !evs__place_same(&ballot->vote.place, now) ||
            evs_reply_kind(ballot->replicas) == EVS_REPLY_ERROR)
            continue;
        read_list(followers, ballot->replicas, now);
        told++;
    }
    return told;
}

static void note_change(const evs__followers *followers, const evs__follower *one)
{
    const evs__lane *lane = followers->primary->lane;
    if (one->listed)
        evs__note(lane, NULL, EVS_OK, "its replica %s is read from", one->text);
    else
        evs__note(lane, NULL, EVS_OK, "its replica %s is not read from: %s", one->text,
                  one->fault != NULL ? one->fault : "sentinels do not name it any more");
}

static void take_one(const evs__followers *followers, evs__follower *one, int in_the_end)
{
    int was = one->listed, is_named = one->well + one->ill > 0;
    if (!is_named && !in_the_end)
        return; /* sentinels that are not heard yet may know it */
    one->listed = one->well > 0 && one->well >= one->ill;
    if (is_named)
        one->reader.lane.retired = 0;
    if (was != one->listed)
        note_change(followers, one);
    if (!is_named)
        leave(followers, one, "sentinels do not name this replica any more");
}

void evs__followers_promote(evs__followers *followers, const evs__place_at *place)
{
    evs__follower *one = find(followers, place);
    if (one != NULL && !one->reader.lane.retired)
        leave(followers, one, "this replica is the primary now");
}

/* Why nobody told; the last one that refused. */
static void keep_trouble(evs__followers *followers)
{
    const evs__primary *primary = followers->primary;
    const evs_reply *said = NULL;
    size_t from = 0;
    for (size_t i = 0; i < primary->nballots; i++)
        if (primary->ballots[i].replicas != NULL) {
            said = primary->ballots[i].replicas;
            from = i;
        }
    int is_new = followers->trouble == NULL;
    if (is_new)
        followers->trouble = evs__alloc_array(1, sizeof *followers->trouble);
    if (followers->trouble == NULL)
        return;
    evs__replicas_refused(followers->trouble, said,
                          primary->group->plan->hosts[from].endpoint.text);
    if (is_new)
        evs__note(primary->lane, NULL, followers->trouble->status, "%s",
                  followers->trouble->message);
}

/* What some say before the others is better than nothing, but not than what all said. */
static void take(evs__followers *followers, int in_the_end)
{
    const evs__primary *primary = followers->primary;
    evs__place_at now = {evs_text(primary->host), primary->login.endpoint.port};
    evs__followers_promote(followers, &now);
    if (followers->known && !in_the_end)
        return;
    if (read_lists(followers, &now) == 0) {
        if (in_the_end && !followers->known)
            keep_trouble(followers);
        return;
    }
    followers->known = 1;
    evs__free(followers->trouble);
    followers->trouble = NULL;
    for (size_t i = 0; i < followers->count; i++)
        take_one(followers, followers->all[i], in_the_end);
}

void evs__followers_judge(evs__followers *followers, int has_winner, int in_the_end)
{
    if (has_winner && followers->primary->host != NULL && are_read_from(followers))
        take(followers, in_the_end);
    if (in_the_end || somebody_serves(followers))
        evs__park_release(&followers->waiting);
}

void evs__followers_serve(evs__followers *followers)
{
    if (!are_read_from(followers))
        evs__park_release(&followers->waiting);
}

int evs__followers_want(const evs__followers *followers)
{
    return !evs__ring_empty(&followers->waiting);
}

/* One that sentinels find fault with may be well soon. */
int evs__followers_hope(const evs__followers *followers)
{
    for (size_t i = 0; i < followers->count; i++)
        if (!followers->all[i]->listed && !followers->all[i]->reader.lane.retired)
            return 1;
    return 0;
}

/* ---- calls ---- */

/* Nothing is known yet, not even where the primary is: then all wait for the same news. */
static int will_know(const evs__followers *followers)
{
    const evs__primary *primary = followers->primary;
    return !followers->known && followers->trouble == NULL && primary->host == NULL &&
           primary->trouble == NULL;
}

static int may_stay(const evs__call *call)
{
    const evs__follower *one = (const evs__follower *)call->lane;
    return call->lane->reads && one->listed && !evs__reader_is_away(&one->reader);
}

void evs__followers_choose(evs__call *call)
{
    evs__lane *home = call->lane->home;
    evs__followers *followers = evs__followers_of(home);
    evs__read_rule rule = evs__reader_rule(home);
    call->state.looks = 0;
    if (followers == NULL || rule == EVS__READ_PRIMARY) {
        call->lane = home;
        return;
    }
    if (may_stay(call))
        return;
    evs__candidates all = candidates(followers);
    size_t next = evs__candidates_next(&all, &followers->turn);
    call->lane = next == all.count ? home : &followers->all[next]->reader.lane;
    call->state.looks = next == all.count && (rule == EVS__READ_REPLICA || will_know(followers));
}

static int is_known(const evs__followers *followers)
{
    return followers->known || followers->trouble != NULL || followers->primary->trouble != NULL;
}

static evs_status fail_lacking(const evs__followers *followers, evs_error *err)
{
    evs__buf each = EVS__BUF_INIT;
    if (!followers->known && followers->trouble != NULL)
        return evs__fail_with(err, followers->trouble);
    if (!followers->known && followers->primary->trouble != NULL)
        return evs__fail_with(err, followers->primary->trouble);
    for (size_t i = 0; i < followers->count; i++) {
        const evs__follower *one = followers->all[i];
        if (one->reader.lane.retired)
            continue;
        const char *why = one->listed ? "it could not be reached, or not serve" : one->fault;
        evs__buf_format(&each, "%s%s: %s", each.len > 0 ? "; " : "", one->text,
                        why != NULL ? why : "it is the primary");
    }
    evs__buf_append(&each, "", 1);
    evs__fail(err, EVS_E_CONNECT, "no replica can be read from%s%s",
              evs__buf_ok(&each) && each.len > 1 ? ": " : "; its sentinels name none",
              evs__buf_ok(&each) ? each.data : "");
    evs__buf_free(&each);
    return EVS_E_CONNECT;
}

/* Waiting helps nobody: no sentinel will say anything else. */
static int is_final(const evs__followers *followers)
{
    const evs_error *why = followers->trouble;
    if (followers->known)
        return 0;
    why = why == NULL ? followers->primary->trouble : why;
    return why != NULL && (why->status == EVS_E_DENIED || why->status == EVS_E_AUTH ||
                           why->status == EVS_E_CONFIG);
}

evs_status evs__followers_admit(const evs__call *call, evs_error *err)
{
    const evs__lane *home = call->lane->home;
    const evs__followers *followers = evs__followers_of(home);
    const evs_client_options *options = &home->client->options;
    int is_hasty = !home->at->login.link.waits || (call->state.patience & EVS__MAY_REST) == 0 ||
                   is_final(followers);
    if (is_hasty && is_known(followers) && !somebody_serves(followers)) {
        evs__followers_look(home);
        return fail_lacking(followers, err);
    }
    if (home->parked >= options->max_in_flight || home->parked_bytes > options->max_queued_bytes)
        return evs__fail(err, EVS_E_QUEUE_FULL, "%zu calls wait for a replica already",
                         home->parked);
    return EVS_OK;
}

void evs__followers_wait(evs__call *call)
{
    evs__followers *followers = evs__followers_of(call->lane);
    call->lane = call->lane->home;
    evs__park_look(call, &followers->waiting);
    evs__sentinels_ask(followers->primary->group);
}

void evs__followers_look(const evs__lane *lane)
{
    const evs__followers *followers = evs__followers_of(lane);
    if (followers == NULL)
        return;
    followers->primary->group->whole = 1;
    evs__sentinels_ask(followers->primary->group);
}

void evs__followers_explain(const evs__call *call, evs_error *err)
{
    const evs__followers *followers = evs__followers_of(call->lane);
    evs__subject subject = evs__call_subject(call);
    if (is_known(followers))
        fail_lacking(followers, err);
    else
        evs__primary_explain(followers->primary, err);
    evs__explain_below(err, &subject);
}

/* ---- whose calls are finished ---- */

void evs__followers_forget_calls(evs__followers *followers)
{
    for (size_t i = 0; i < followers->count; i++)
        evs__lane_forget_calls(&followers->all[i]->reader.lane);
}

int evs__followers_are_in_use(const evs__followers *followers)
{
    for (size_t i = 0; i < followers->count; i++)
        if (evs__lane_is_in_use(&followers->all[i]->reader.lane))
            return 1;
    return 0;
}

void evs__followers_prune(evs__followers *followers)
{
    size_t kept = 0;
    for (size_t i = 0; i < followers->count; i++) {
        evs__follower *one = followers->all[i];
        if (!one->reader.lane.retired || evs__lane_is_in_use(&one->reader.lane)) {
            followers->all[kept++] = one;
            continue;
        }
        evs__lane_close(&one->reader.lane);
        free_one(one);
    }
    followers->count = kept;
}

void evs__followers_close(evs__followers *followers)
{
    for (size_t i = 0; i < followers->count; i++)
        evs__lane_close(&followers->all[i]->reader.lane);
}
