#include "scripts/engine/sentinels_inner.h"

#include "scripts/engine/client.h"
#include "scripts/engine/note.h"
#include "scripts/render.h"

#include <string.h>

enum { UNHEARD_MS = 200 }; /* so long an answer counts without a subscription behind it */

static void note_refused(const evs__sentinel *sentinel, const evs_reply *reply)
{
    evs_bytes text = evs_reply_bytes(reply);
    evs__note_client(sentinel->group->client, EVS_E_DENIED, "sentinel %s: SUBSCRIBE refused: %.*s",
                     sentinel->login->endpoint.text, (int)text.len, text.data);
}

static void subscribed(evs__request *request, const evs__answer *answer)
{
    evs__sentinel *sentinel = (evs__sentinel *)((char *)request -
                                                offsetof(evs__sentinel, subscribe));
    evs__sentinels *group = sentinel->group;
    sentinel->subscribing = 0;
    if (evs__sentinels_are_over(group) || answer->got != EVS__GOT_REPLY)
        return;
    group->heard = 1;
    if (evs_reply_kind(answer->reply) != EVS_REPLY_ERROR)
        evs__sentinels_ask_at_once(group); /* what was told before may have changed unheard */
    else
        note_refused(sentinel, answer->reply);
}

/* A message may stand in front of the answer. */
static void subscribed_also(evs__request *request, const evs__answer *answer)
{
    evs__sentinel *sentinel = (evs__sentinel *)((char *)request -
                                                offsetof(evs__sentinel, subscribe_also));
    sentinel->subscribing_also = 0;
    if (evs__sentinels_are_over(sentinel->group) || answer->got != EVS__GOT_REPLY)
        return;
    if (evs_reply_kind(answer->reply) == EVS_REPLY_ERROR)
        note_refused(sentinel, answer->reply);
    else
        evs__sentinel_hear(sentinel, answer->reply);
}

static int subscribe(evs__conn *conn, evs__request *request, const evs_bytes *args, size_t nargs)
{
    evs__render_command(evs__conn_begin(conn, request), args, nargs);
    return evs__conn_end(conn, request);
}

/* To what is said of replicas. A user may have no permission for these channels. */
static void listen_also(evs__sentinel *sentinel)
{
    uint64_t epoch = evs__conn_epoch(sentinel->heard) + 1;
    if (sentinel->subscribing_also || sentinel->epoch_also == epoch)
        return;
    evs_bytes args[] = {evs_text("SUBSCRIBE"),
                        evs_text("+slave"),
                        evs_text("+sdown"),
                        evs_text("-sdown"),
                        evs_text("+slave-reconf-done"),
                        evs_text("+convert-to-slave"),
                        evs_text("+reboot")};
    sentinel->subscribe_also = (evs__request){.done = subscribed_also};
    sentinel->subscribing_also = subscribe(sentinel->heard, &sentinel->subscribe_also, args,
                                           sizeof args / sizeof args[0]);
    if (sentinel->subscribing_also)
        sentinel->epoch_also = epoch;
}

static int reads_replicas(const evs__sentinels *group)
{
    for (evs__ring *at = group->primaries.next; at != &group->primaries; at = at->next)
        if (evs__primary_is_read_beside(evs__sentinels_primary(at)))
            return 1;
    return 0;
}

void evs__sentinel_listen(evs__sentinel *sentinel)
{
    evs_error err;
    if (evs__sentinel_open(sentinel, &sentinel->heard, &err) != EVS_OK)
        return;
    uint64_t epoch = evs__conn_epoch(sentinel->heard) + 1;
    if (!sentinel->subscribing && sentinel->epoch != epoch) {
        evs_bytes args[] = {evs_text("SUBSCRIBE"), evs_text("+switch-master")};
        sentinel->subscribe = (evs__request){.done = subscribed};
        sentinel->subscribing = subscribe(sentinel->heard, &sentinel->subscribe, args, 2);
        if (sentinel->subscribing)
            sentinel->epoch = epoch;
    }
    if (sentinel->epoch == epoch && reads_replicas(sentinel->group))
        listen_also(sentinel);
}

static int has_name(const evs__primary *primary, evs_bytes name)
{
    const char *its = primary->lane->at->master_name;
    return strlen(its) == name.len && memcmp(its, name.data, name.len) == 0;
}

static void hear_of(evs__primary *primary)
{
    evs__sentinels *group = primary->group;
    const evs__switched *told = group->told;
    if (told != NULL && has_name(primary, told->name) && evs__primary_switched(primary, told))
        evs__sentinels_ask_at_once(group);
}

/* Something happened to a replica of a primary of that name. */
static void hear_of_replica(evs__sentinels *group, evs_bytes name)
{
    for (evs__ring *at = group->primaries.next; at != &group->primaries; at = at->next) {
        const evs__primary *primary = evs__sentinels_primary(at);
        if (!evs__primary_is_read_beside(primary) || !has_name(primary, name))
            continue;
        group->whole = 1;
        evs__sentinels_ask(group);
        return;
    }
}

void evs__sentinel_hear(void *owner, const evs_reply *reply)
{
    evs__sentinels *group = ((const evs__sentinel *)owner)->group;
    evs__switched told;
    if (evs__sentinels_are_over(group))
        return;
    if (!evs__switch_read(&told, reply)) {
        hear_of_replica(group, evs__replica_news_read(reply));
        return;
    }
    group->busy++;
    group->told = &told;
    evs__sentinels_each(group, hear_of);
    group->told = NULL;
    evs__sentinels_leave(group);
}

/* A message would be told there. */
static int is_subscribed(const evs__sentinel *sentinel)
{
    return sentinel->heard != NULL && !sentinel->subscribing &&
           evs__conn_state_of(sentinel->heard) == EVS__CONN_READY &&
           sentinel->epoch == evs__conn_epoch(sentinel->heard) + 1;
}

/* Who is driven may have slept before it had subscribed anywhere. When subscriptions are lost
 * later, all sentinels are probably dead, and nobody replaces a primary then. */
int evs__sentinels_are_deaf(const evs__sentinels *group)
{
    size_t quiet = 0;
    for (size_t i = 0; i < group->plan->nhosts; i++) {
        const evs__sentinel *sentinel = &group->all[i];
        if (sentinel->heard != NULL && evs__conn_is_stirred(sentinel->heard))
            return 1;
        quiet += (size_t)is_subscribed(sentinel);
    }
    uint64_t now = evs__loop_now_ms(group->client->loop);
    uint64_t since = group->round_end > group->made_at ? group->round_end : group->made_at;
    uint64_t trust = group->heard ? 2 * (uint64_t)group->plan->refresh_ms : UNHEARD_MS;
    return quiet == 0 && now > since + trust;
}
