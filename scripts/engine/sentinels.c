#include "scripts/engine/sentinels_inner.h"

#include "core/error.h"
#include "core/mem.h"
#include "scripts/engine/client.h"
#include "scripts/engine/note.h"
#include "scripts/engine/question.h"

enum {
    SHORTEST_PAUSE_MS = 25,
    LONGEST_PAUSE_MS = 500,
    ROUND_MS = 1000, /* no answer is waited for any longer */
    GRACE_MS = 50,
    SOON_MS = 250, /* to the first poll, where that may help; then twice as long each time */
    MOST_REPLY_BYTES = 1024 * 1024,
    MOST_DEPTH = 8,
    MOST_QUEUED_BYTES = 16 * 1024 * 1024
};

int evs__sentinels_are_over(const evs__sentinels *group)
{
    const evs_client *client = group->client;
    return group->stopped || client->closing || client->ending || client->conns == NULL;
}

/* ---- life ---- */

static int same_plan(const evs__sentinel_plan *a, const evs__sentinel_plan *b)
{
    int same = strcmp(a->name, b->name) == 0 && a->nhosts == b->nhosts &&
               a->refresh_ms == b->refresh_ms && a->quorum_reads == b->quorum_reads;
    for (size_t i = 0; same && i < a->nhosts; i++)
        same = evs__login_same(&a->hosts[i], &b->hosts[i]);
    return same;
}

static void tick(void *owner);
static void end_grace(void *owner);
static void serve(void *owner);

static void free_group(evs__sentinels *group)
{
    evs__timer_free(group->timer);
    evs__timer_free(group->grace);
    evs__timer_free(group->serving);
    evs__free(group->all);
    evs_shardmap_free(group->map);
    evs__free(group);
}

static evs__sentinels *make_group(evs_client *client, evs_shardmap *map,
                                  const evs__sentinel_plan *plan)
{
    evs__sentinels *group = evs__zalloc_array(1, sizeof *group);
    if (group == NULL)
        return NULL;
    group->client = client;
    group->map = evs_shardmap_ref(map);
    group->plan = plan;
    group->made_at = evs__loop_now_ms(client->loop);
    evs__ring_init(&group->primaries);
    group->all = evs__zalloc_array(plan->nhosts, sizeof *group->all);
    group->timer = evs__timer_new(client->loop, tick, group);
    group->grace = evs__timer_new(client->loop, end_grace, group);
    group->serving = evs__timer_new(client->loop, serve, group);
    if (group->all == NULL || group->timer == NULL || group->grace == NULL ||
        group->serving == NULL) {
        free_group(group);
        return NULL;
    }
    for (size_t i = 0; i < plan->nhosts; i++)
        group->all[i] = (evs__sentinel){.group = group, .login = &plan->hosts[i]};
    return group;
}

evs__sentinels *evs__sentinels_hold(evs_client *client, evs_shardmap *map,
                                    const evs__sentinel_plan *plan)
{
    evs__sentinels *group = client->sentinels;
    while (group != NULL && (group->stopped || !same_plan(group->plan, plan)))
        group = group->next;
    if (group == NULL) {
        group = make_group(client, map, plan);
        if (group == NULL)
            return NULL;
        group->next = client->sentinels;
        client->sentinels = group;
    }
    group->holders++;
    return group;
}

static void stop(evs__sentinels *group)
{
    group->stopped = 1;
    evs__timer_free(group->timer);
    evs__timer_free(group->grace);
    evs__timer_free(group->serving);
    group->timer = group->grace = group->serving = NULL;
}

void evs__sentinels_stop(evs_client *client)
{
    for (evs__sentinels *group = client->sentinels; group != NULL; group = group->next)
        stop(group);
}

static void close_conn(evs_client *client, evs__conn **conn)
{
    evs__conn *closed = *conn;
    *conn = NULL;
    if (closed != NULL && client->conns != NULL)
        evs__conns_close(client->conns, closed);
}

static void end_if_done(evs__sentinels *group)
{
    evs__sentinels **at = &group->client->sentinels;
    if (group->holders > 0 || group->busy > 0)
        return;
    while (*at != group)
        at = &(*at)->next;
    *at = group->next;
    group->busy++; /* questions that are lost now come here no more */
    stop(group);
    for (size_t i = 0; i < group->plan->nhosts; i++) {
        close_conn(group->client, &group->all[i].asked);
        close_conn(group->client, &group->all[i].heard);
    }
    free_group(group);
}

void evs__sentinels_drop(evs__sentinels *group)
{
    group->holders--;
    end_if_done(group);
}

void evs__sentinels_leave(evs__sentinels *group)
{
    group->busy--;
    end_if_done(group);
}

/* ---- all primaries, one after the other ---- */

/* Completions may take primaries to another group meanwhile. */
void evs__sentinels_each(evs__sentinels *group, void (*each)(evs__primary *primary))
{
    evs__ring left;
    evs__ring_init(&left);
    evs__ring_move(&left, &group->primaries);
    group->busy++;
    while (!evs__ring_empty(&left)) {
        evs__primary *primary = evs__sentinels_primary(left.next);
        evs__ring_remove(&primary->ring);
        evs__ring_append(&group->primaries, &primary->ring);
        each(primary);
    }
    evs__sentinels_leave(group);
}

static void judge_clear(evs__primary *primary)
{
    if (evs__primary_is_clear(primary))
        evs__primary_judge(primary, 0);
}

static void judge_in_the_end(evs__primary *primary)
{
    evs__primary_judge(primary, 1);
}

static int somebody_waits(const evs__sentinels *group)
{
    for (evs__ring *at = group->primaries.next; at != &group->primaries; at = at->next)
        if (evs__primary_is_sought(evs__sentinels_primary(at), 1))
            return 1;
    return 0;
}

static void serve(void *owner)
{
    evs__sentinels *group = owner;
    if (!evs__sentinels_are_over(group))
        evs__sentinels_each(group, evs__primary_serve);
}

void evs__sentinels_serve(evs__sentinels *group)
{
    if (!evs__sentinels_are_over(group))
        evs__timer_start(group->serving, 0);
}

/* ---- when ---- */

static uint64_t pause_of(const evs__sentinels *group)
{
    uint64_t pause = SHORTEST_PAUSE_MS;
    for (unsigned i = 1; i < group->rounds && pause < LONGEST_PAUSE_MS; i++)
        pause *= 2;
    return pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
}

void evs__sentinels_ask(evs__sentinels *group)
{
    if (evs__sentinels_are_over(group))
        return;
    if (group->owed > 0 || group->busy > 0) {
        group->again = 1;
        if (group->owed > 0)
            return;
    }
    uint64_t now = evs__loop_now_ms(group->client->loop);
    if (now > group->round_end + LONGEST_PAUSE_MS)
        group->rounds = 0;
    group->wanted = 1;
    group->polls = 0;
    uint64_t at = group->round_end == 0 ? now : group->round_end + pause_of(group);
    evs__timer_start(group->timer, at > now ? at - now : 0);
}

/* About all primaries, and without a pause. */
void evs__sentinels_ask_at_once(evs__sentinels *group)
{
    if (evs__sentinels_are_over(group))
        return;
    group->whole = 1;
    group->rounds = group->polls = 0;
    if (group->owed > 0)
        group->again = 1;
    else
        evs__timer_start(group->timer, 0);
}

/* The next round without a reason: soon at first, when replicas may be well soon. */
static uint64_t poll_of(const evs__sentinels *group)
{
    uint64_t soon = (uint64_t)SOON_MS << (group->polls < 8 ? group->polls : 8);
    if (soon < group->plan->refresh_ms)
        for (evs__ring *at = group->primaries.next; at != &group->primaries; at = at->next)
            if (evs__primary_hopes(evs__sentinels_primary(at)))
                return soon;
    return group->plan->refresh_ms;
}

static void end_round(evs__sentinels *group)
{
    group->busy++;
    evs__timer_stop(group->grace);
    group->decided = 1;
    evs__sentinels_each(group, judge_in_the_end);
    if (!evs__sentinels_are_over(group)) {
        int waits = somebody_waits(group) || group->again;
        group->round_end = evs__loop_now_ms(group->client->loop);
        group->rounds = waits || group->wanted ? group->rounds + 1 : 0;
        group->wanted = waits;
        group->whole |= !waits;
        group->again = 0;
        evs__timer_start(group->timer, waits ? pause_of(group) : poll_of(group));
        group->polls += !waits;
    }
    evs__sentinels_leave(group);
}

/* ---- connections ---- */

static void tell_news(void *owner, const evs__login *login, evs_status status, const char *text)
{
    const evs__sentinel *sentinel = owner;
    evs__sentinels *group = sentinel->group;
    evs__note_client(group->client, status, "sentinel %s: %s", login->endpoint.text, text);
    if (status != EVS_OK && group->owed == 0 && sentinel->heard != NULL &&
        evs__conn_state_of(sentinel->heard) == EVS__CONN_READY)
        evs__sentinels_ask(group); /* which listens again */
}

evs_status evs__sentinel_open(evs__sentinel *sentinel, evs__conn **conn, evs_error *err)
{
    int hears = conn == &sentinel->heard;
    evs__conn_limits *limits = &sentinel->limits[hears];
    evs_status status = EVS_OK;
    *limits = (evs__conn_limits){.max_reply_bytes = MOST_REPLY_BYTES,
                                 .max_reply_depth = MOST_DEPTH,
                                 .max_queued_bytes = MOST_QUEUED_BYTES,
                                 .protocol = 2,
                                 .news = tell_news,
                                 .news_owner = sentinel,
                                 .unasked = hears ? evs__sentinel_hear : NULL};
    if (*conn == NULL)
        status = evs__conns_make_with(conn, sentinel->group->client->conns, sentinel->login, limits,
                                      err);
    return status == EVS_OK ? evs__conn_prepare(*conn, err) : status;
}

/* ---- answers ---- */

void evs__sentinels_answered(evs__sentinel *sentinel, unsigned round, evs__primary *primary)
{
    evs__sentinels *group = sentinel->group;
    if (round != group->round || evs__sentinels_are_over(group))
        return;
    sentinel->owes--;
    group->busy++;
    if (primary != NULL && group->decided)
        evs__primary_judge(primary, 0);
    else if (primary != NULL && group->owed > 1 && evs__primary_is_clear(primary))
        evs__timer_start(group->grace, GRACE_MS);
    if (--group->owed == 0 && !evs__sentinels_are_over(group))
        end_round(group);
    evs__sentinels_leave(group);
}

int evs__sentinels_expect(const evs__sentinels *group, unsigned round)
{
    return round == group->round && !evs__sentinels_are_over(group);
}

/* ---- rounds ---- */

static void ask_all(evs__sentinel *sentinel)
{
    evs_error err;
    evs__sentinels *group = sentinel->group;
    size_t from = (size_t)(sentinel - group->all);
    evs_status status = evs__sentinel_open(sentinel, &sentinel->asked, &err);
    sentinel->owes = 0;
    for (evs__ring *at = group->primaries.next; at != &group->primaries; at = at->next) {
        evs__primary *primary = evs__sentinels_primary(at);
        if (!primary->meant)
            continue;
        if (status == EVS_OK)
            evs__question_ask(sentinel, primary);
        else
            evs__primary_untold(primary, from, &err);
    }
}

static void start_round(evs__sentinels *group)
{
    int whole = group->whole;
    group->round++;
    group->owed = 0;
    group->decided = group->again = group->whole = 0;
    for (evs__ring *at = group->primaries.next; at != &group->primaries; at = at->next)
        evs__primary_begin(evs__sentinels_primary(at), whole);
    evs__timer_start(group->timer, ROUND_MS);
    for (size_t i = 0; i < group->plan->nhosts; i++) {
        evs__sentinel_listen(&group->all[i]);
        ask_all(&group->all[i]);
    }
    if (group->owed == 0)
        end_round(group);
}

/* Who owes an answer for so long is no use now: its connection is made anew by the next round. */
static void cut_off(evs__sentinels *group)
{
    group->busy++;
    for (size_t i = 0; i < group->plan->nhosts && !evs__sentinels_are_over(group); i++)
        if (group->all[i].owes > 0)
            evs__conn_leave_server(group->all[i].asked, "no answer in time");
    if (group->owed > 0 && !evs__sentinels_are_over(group)) {
        group->round++; /* whatever comes now is late */
        group->owed = 0;
        end_round(group);
    }
    evs__sentinels_leave(group);
}

static void tick(void *owner)
{
    evs__sentinels *group = owner;
    if (evs__sentinels_are_over(group))
        return;
    if (group->owed > 0)
        cut_off(group);
    else
        start_round(group);
}

static void end_grace(void *owner)
{
    evs__sentinels *group = owner;
    if (evs__sentinels_are_over(group) || group->owed == 0)
        return;
    group->decided = 1;
    evs__sentinels_each(group, judge_clear);
}
