#include "scripts/engine/primary.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/ballots.h"
#include "scripts/engine/client.h"
#include "scripts/engine/followers.h"
#include "scripts/engine/lease.h"
#include "scripts/engine/note.h"

#include <stdio.h>

enum { FRESH_MS = 200 /* so long an address needs no second round */ };

/* ---- finding, for connections ---- */

static evs__primary *primary_of(evs__finder *finder)
{
    return (evs__primary *)finder;
}

static uint64_t now_of(const evs__primary *primary)
{
    return evs__loop_now_ms(primary->group->client->loop);
}

static int is_fresh(const evs__primary *primary)
{
    return primary->taken_at != 0 && now_of(primary) < primary->taken_at + FRESH_MS;
}

static void seek(evs__finder *finder, evs__conn *conn)
{
    evs__primary *primary = primary_of(finder);
    (void)conn;
    if (is_fresh(primary))
        evs__sentinels_serve(primary->group);
    else
        evs__sentinels_ask(primary->group);
}

static void keep_trouble(evs__primary *primary, const evs_error *why)
{
    if (primary->trouble == NULL)
        primary->trouble = evs__alloc_array(1, sizeof *primary->trouble);
    if (primary->trouble != NULL)
        *primary->trouble = *why;
}

/* Those who wait are to be told at once. */
static int is_hasty(const evs__primary *primary)
{
    return !primary->login.link.waits ||
           primary->group->client->options.patience == EVS_PATIENCE_NONE;
}

static int failed(evs__finder *finder, evs__conn *conn, evs_status status, const char *text)
{
    evs__primary *primary = primary_of(finder);
    const evs_client *client = primary->group->client;
    evs_error why;
    (void)conn;
    primary->taken_at = 0;
    evs__fail(&why, status, "its primary at %s: %s", primary->login.endpoint.text, text);
    keep_trouble(primary, &why);
    return evs__may_work_elsewhere(status) && !client->closing && !client->ending &&
           !is_hasty(primary);
}

void evs__primary_watch(evs__primary *primary, evs__conn *conn)
{
    evs__conn_set_finder(conn, &primary->finder);
}

/* ---- life ---- */

static void describe(evs__primary *primary)
{
    evs__endpoint now = primary->login.endpoint;
    primary->login = primary->lane->at->login;
    if (primary->host != NULL)
        primary->login.endpoint = now;
}

evs__primary *evs__primary_new(evs__lane *lane, evs__sentinels *group)
{
    evs__primary *primary = evs__zalloc_array(1, sizeof *primary);
    if (primary == NULL)
        return NULL;
    primary->finder = (evs__finder){seek, failed};
    primary->lane = lane;
    primary->group = group;
    evs__ring_init(&primary->questions);
    evs__ring_append(&group->primaries, &primary->ring);
    describe(primary);
    return primary;
}

/* Answers to questions that are under way are for nobody. */
static void leave_questions(evs__primary *primary)
{
    while (!evs__ring_empty(&primary->questions)) {
        evs__ring *first = primary->questions.next;
        evs__ring_remove(first);
        evs__ring_init(first);
    }
}

void evs__primary_free(evs__primary *primary)
{
    if (primary == NULL)
        return;
    leave_questions(primary);
    evs__ring_remove(&primary->ring);
    evs__sentinels_drop(primary->group);
    if (primary->later != NULL)
        evs__sentinels_drop(primary->later);
    evs__ballots_free(primary);
    evs__followers_free(primary->followers);
    evs__free(primary->trouble);
    evs__free(primary->host);
    evs__free(primary->text);
    evs__free(primary);
}

/* ---- its connections ---- */

/* Number `i` of them; NULL past the end. */
static evs__conn *conn_at(const evs__primary *primary, size_t i)
{
    const evs__lease *lease = primary->lane->leases;
    if (primary->lane->conn != NULL && i-- == 0)
        return primary->lane->conn;
    for (; lease != NULL && i > 0; i--)
        lease = lease->next;
    return lease == NULL ? NULL : lease->lane.conn;
}

/* The next map's sentinels are asked from now on. */
static void change_group(evs__primary *primary)
{
    evs__sentinels *before = primary->group;
    if (before == primary->later) {
        evs__sentinels_drop(before);
        primary->later = NULL;
        return;
    }
    leave_questions(primary);
    evs__ballots_free(primary);
    evs__ring_remove(&primary->ring);
    primary->group = primary->later;
    primary->later = NULL;
    primary->meant = 0;
    evs__ring_append(&primary->group->primaries, &primary->ring);
    evs__sentinels_drop(before);
    primary->group->whole = 1;
    evs__sentinels_ask(primary->group);
}

void evs__primary_set_shard(evs__primary *primary)
{
    evs__conn *conn;
    describe(primary);
    for (size_t i = 0; (conn = conn_at(primary, i)) != NULL; i++)
        evs__conn_set_login(conn, &primary->login);
    if (primary->later != NULL)
        change_group(primary);
    if (primary->followers != NULL)
        evs__followers_set_map(primary->followers);
}

int evs__primary_is_read_beside(const evs__primary *primary)
{
    return primary->followers != NULL && evs__reader_rule(primary->lane) != EVS__READ_PRIMARY;
}

int evs__primary_hopes(const evs__primary *primary)
{
    return evs__primary_is_read_beside(primary) && evs__followers_hope(primary->followers);
}

int evs__primary_is_sought(const evs__primary *primary, int urgently)
{
    evs__conn *conn;
    for (size_t i = 0; (conn = conn_at(primary, i)) != NULL; i++)
        if (evs__conn_is_seeking(conn) && (!urgently || evs__conn_queued(conn) > 0))
            return 1;
    return primary->followers != NULL && evs__followers_want(primary->followers);
}

static int works(const evs__primary *primary)
{
    evs__conn *conn;
    for (size_t i = 0; (conn = conn_at(primary, i)) != NULL; i++)
        if (evs__conn_state_of(conn) == EVS__CONN_READY)
            return 1;
    return 0;
}

static void leave_all(const evs__primary *primary, const char *why)
{
    evs__conn *conn;
    for (size_t i = 0; (conn = conn_at(primary, i)) != NULL; i++)
        evs__conn_leave_server(conn, why);
}

static void give_address(const evs__primary *primary)
{
    evs__conn *conn;
    for (size_t i = 0; (conn = conn_at(primary, i)) != NULL; i++)
        if (evs__conn_is_seeking(conn))
            evs__conn_found(conn);
}

void evs__primary_serve(evs__primary *primary)
{
    if (is_fresh(primary))
        give_address(primary);
    else if (evs__primary_is_sought(primary, 0))
        evs__sentinels_ask(primary->group);
    if (primary->followers != NULL)
        evs__followers_serve(primary->followers);
}

void evs__primary_check(evs__primary *primary, evs__conn *conn)
{
    if (evs__conn_is_idle(conn) && evs__sentinels_are_deaf(primary->group))
        evs__conn_leave_server(conn, "sentinels may know another primary by now");
}

void evs__primary_ask(evs__primary *primary)
{
    primary->group->whole = 1;
    evs__sentinels_ask(primary->group);
}

void evs__primary_doubt(evs__primary *primary, evs__conn *conn)
{
    primary->taken_at = 0;
    evs__conn_retire(conn, EVS__CONN_NO_PRIMARY);
    evs__primary_ask(primary);
}

/* ---- answers ---- */

void evs__primary_begin(evs__primary *primary, int whole)
{
    leave_questions(primary);
    primary->meant = whole || evs__primary_is_sought(primary, 0);
    primary->meant &= evs__ballots_begin(primary);
}

int evs__primary_is_clear(const evs__primary *primary)
{
    return primary->meant && evs__ballots_elect(primary, works(primary)) >= 0;
}

/* ---- the primary there is ---- */

char *evs__place_text(const char *host, int port)
{
    size_t room = strlen(host) + sizeof "[]:65535";
    char *text = evs__alloc_array(room, 1);
    if (text != NULL)
        snprintf(text, room, strchr(host, ':') != NULL ? "[%s]:%d" : "%s:%d", host, port);
    return text;
}

static void note_switch(evs__primary *primary, const char *before)
{
    primary->group->client->stats.switches++;
    evs__note(primary->lane, NULL, EVS_OK, "the primary is %s now, before it was %s", primary->text,
              before);
}

/* Out of memory, the next round takes it. */
static int set_address(evs__primary *primary, const evs__place_at *place)
{
    char *host = evs__copy_text(place->host.data, place->host.len);
    char *text = host == NULL ? NULL : evs__place_text(host, place->port), *before = primary->text;
    if (text == NULL) {
        evs__free(host);
        return 0;
    }
    evs__free(primary->host);
    primary->host = host;
    primary->text = text;
    primary->login.endpoint = (evs__endpoint){.text = text, .host = host, .port = place->port};
    if (before != NULL)
        note_switch(primary, before);
    evs__free(before);
    return 1;
}

static void take(evs__primary *primary, const evs__vote *vote)
{
    evs__place_at now = {{NULL, 0}, 0};
    if (primary->host != NULL)
        now = (evs__place_at){evs_text(primary->host), primary->login.endpoint.port};
    int moved = !evs__place_same(&now, &vote->place);
    primary->epoch = vote->epoch;
    if (moved && !set_address(primary, &vote->place))
        return;
    primary->taken_at = now_of(primary);
    if (moved) {
        char why[400];
        snprintf(why, sizeof why, "the primary is %s now", primary->text);
        evs__free(primary->trouble);
        primary->trouble = NULL;
        leave_all(primary, why);
    }
    give_address(primary);
}

int evs__primary_switched(evs__primary *primary, const evs__switched *told)
{
    evs__place_at now = {{NULL, 0}, 0};
    char why[400];
    if (primary->host != NULL)
        now = (evs__place_at){evs_text(primary->host), primary->login.endpoint.port};
    if (evs__place_same(&now, &told->after))
        return 0;
    if (!evs__place_same(&now, &told->before))
        return 1;
    primary->taken_at = 0;
    snprintf(why, sizeof why, "a sentinel says that the primary is %.*s:%d now",
             (int)told->after.host.len, told->after.host.data, told->after.port);
    leave_all(primary, why);
    if (primary->followers != NULL)
        evs__followers_promote(primary->followers, &told->after);
    return 1;
}

/* ---- trouble ---- */

static void tell_seekers(evs__primary *primary)
{
    evs_error why;
    evs__conn *conn;
    evs__ballots_explain(&why, primary);
    int is_new = primary->trouble == NULL || strcmp(primary->trouble->message, why.message) != 0;
    keep_trouble(primary, &why);
    if (is_new)
        evs__note(primary->lane, NULL, why.status, "%s", why.message);
    int ends = evs__ballots_are_final(primary) || is_hasty(primary);
    for (size_t i = 0; (conn = conn_at(primary, i)) != NULL; i++) {
        if (!evs__conn_is_seeking(conn))
            continue;
        if (ends)
            evs__conn_not_found(conn, &why);
        else if (evs__conn_queued(conn) == 0)
            evs__conn_rest(conn);
    }
}

void evs__primary_judge(evs__primary *primary, int in_the_end)
{
    int winner = primary->meant ? evs__ballots_elect(primary, works(primary)) : -1;
    if (winner >= 0)
        take(primary, &(evs__vote){1, primary->ballots[winner].vote.place,
                                   primary->ballots[winner].vote.epoch});
    else if (in_the_end && primary->meant && evs__primary_is_sought(primary, 0))
        tell_seekers(primary);
    if (primary->followers != NULL && primary->meant)
        evs__followers_judge(primary->followers, winner >= 0, in_the_end);
}

void evs__primary_explain(const evs__primary *primary, evs_error *err)
{
    if (primary->trouble != NULL)
        evs__fail_with(err, primary->trouble);
    else if (primary->host != NULL)
        evs__fail(err, EVS_E_TIMEOUT, "no connection to its primary at %s before the deadline",
                  primary->text);
    else
        evs__fail(err, EVS_E_TIMEOUT, "no sentinel told its primary before the deadline");
}
