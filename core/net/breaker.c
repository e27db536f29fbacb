/*
 * breaker.c - how often a server that cannot be reached is tried, and who may wait for that.
 *
 *   works --> failing: tried again after `backoff`, then after twice as long each time, up to 2 s
 *     ^          |
 *     |          +-- down_after failures in a row --> down: tried every retry_after
 *     +---------------------------------------------------+
 *
 * A connection that worked and is lost is made again at once. One that is lost before it answered
 * anything counts as a failure, so a server that greets and then dies is found out, too. Delays are
 * up to a quarter longer, or before a server is down also shorter, so that many clients do not come
 * back together.
 *
 * While a server is down one attempt at a time is under way and requests are refused at once, also
 * during the attempt: nobody waits in vain to find out. The timer makes it, for as long as somebody
 * was refused a minute before. When nobody drove the loop by then, the next request is what finds
 * out. Where the link says that requests wait, all of them do, for whatever attempt comes next.
 */
#include "core/net/conn_inner.h"

#include <stdio.h>
#include <time.h>

enum { FIRST_DELAY_MS = 50, LONGEST_DELAY_MS = 2000, WANTED_FOR_S = 60 };

/* ---- when ---- */

/* Marsaglia's xorshift64; its quality is far more than jitter needs. */
static uint64_t next_random(evs__loop *loop)
{
    uint64_t x = loop->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    loop->random = x;
    return x;
}

static int is_beaten(const evs__conn *conn)
{
    const evs__link *link = &conn->login->link;
    return link->down_after > 0 && conn->failures >= link->down_after;
}

static uint64_t first_delay(const evs__conn *conn)
{
    unsigned backoff = conn->login->link.backoff_ms;
    return backoff == 0 ? FIRST_DELAY_MS : backoff;
}

static uint64_t back_off(evs__conn *conn)
{
    uint64_t delay = first_delay(conn);
    uint64_t longest = delay > LONGEST_DELAY_MS ? delay : LONGEST_DELAY_MS;
    for (unsigned i = 1; i < conn->failures && delay < longest; i++)
        delay *= 2;
    if (delay > longest)
        delay = longest;
    return delay - delay / 4 + next_random(conn->loop) % (delay < 2 ? 1 : delay / 2);
}

int evs__conn_is_young(const evs__conn *conn)
{
    uint32_t age = (uint32_t)evs__loop_now_ms(conn->loop) - conn->ready_since;
    return age < first_delay(conn);
}

uint64_t evs__conn_retry_delay(evs__conn *conn)
{
    uint64_t after = conn->login->link.retry_after_ms;
    return after + next_random(conn->loop) % (after / 4 + 1);
}

static uint64_t delay_of(evs__conn *conn)
{
    return is_beaten(conn) ? evs__conn_retry_delay(conn) : back_off(conn);
}

uint64_t evs__conn_wait(const evs__conn *conn)
{
    if (conn->retry_at == 0)
        return 0;
    uint64_t now = evs__loop_now_ms(conn->loop);
    return conn->retry_at > now ? conn->retry_at - now : 0;
}

/* ---- what is known ---- */

int evs__conn_is_failing(const evs__conn *conn)
{
    return conn->state != EVS__CONN_READY && conn->failures > 0;
}

int evs__conn_is_down(const evs__conn *conn)
{
    return evs__conn_is_silent(conn) || (conn->state != EVS__CONN_READY && is_beaten(conn));
}

int evs__conn_may_mend(evs_status why)
{
    return why == EVS_E_CONNECT || why == EVS_E_CLOSED || why == EVS_E_LOADING || why == EVS_E_BUSY;
}

/* A connection that was lost is one that cannot be had. */
static evs_status status_of(const evs__conn *conn)
{
    return conn->status == EVS_E_CLOSED ? EVS_E_CONNECT : conn->status;
}

void evs__conn_write_since(const evs__conn *conn, char *out, size_t cap)
{
    struct tm parts;
    time_t seconds = (time_t)conn->down_since;
    if (gmtime_r(&seconds, &parts) == NULL || strftime(out, cap, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(out, cap, "?");
}

static evs_status why_silent(const evs__conn *conn, evs_error *err)
{
    char since[32], text[160];
    evs__conn_write_since(conn, since, sizeof since);
    snprintf(text, sizeof text, "no answer since %s (%u calls waited in vain, retry in %llu ms)",
             since, conn->unanswered, (unsigned long long)evs__conn_wait(conn));
    return evs__conn_fail(conn, err, EVS_E_CONNECT, text);
}

evs_status evs__conn_why(const evs__conn *conn, evs_error *err)
{
    char since[32], next[40] = "being tried now", text[480];
    const char *last = conn->problem == NULL ? evs_status_text(conn->status) : conn->problem;
    if (evs__conn_is_silent(conn))
        return why_silent(conn, err);
    if (!evs__conn_is_down(conn))
        return evs__conn_fail(conn, err, status_of(conn), last);
    evs__conn_write_since(conn, since, sizeof since);
    if (conn->state == EVS__CONN_IDLE)
        snprintf(next, sizeof next, "retry in %llu ms", (unsigned long long)evs__conn_wait(conn));
    snprintf(text, sizeof text, "down since %s (%u failures, last: %s, %s)", since, conn->failures,
             last, next);
    return evs__conn_fail(conn, err, status_of(conn), text);
}

/* ---- the timer ---- */

static uint32_t seconds(const evs__conn *conn)
{
    return (uint32_t)(evs__loop_now_ms(conn->loop) / 1000);
}

void evs__conn_want(evs__conn *conn)
{
    uint32_t twice = 2 * conn->login->link.retry_after_ms / 1000;
    conn->wanted_until = seconds(conn) + (twice > WANTED_FOR_S ? twice : WANTED_FOR_S);
}

int evs__conn_is_wanted(const evs__conn *conn)
{
    return seconds(conn) < conn->wanted_until;
}

static int is_wanted(const evs__conn *conn)
{
    return is_beaten(conn) && evs__conn_is_wanted(conn);
}

static void try_again(void *owner);

int evs__conn_arm(evs__conn *conn)
{
    if (conn->armed)
        return 1;
    if (conn->again == NULL)
        conn->again = evs__timer_new(conn->loop, try_again, conn);
    if (conn->again == NULL)
        return 0;
    conn->armed = 1;
    evs__timer_start(conn->again, evs__conn_wait(conn));
    return 1;
}

/* IDLE, and the time is over. */
static void open_again(evs__conn *conn)
{
    int idle = evs__ring_empty(&conn->queue);
    if (evs__conn_wait(conn) > 0) {
        evs__conn_arm(conn);
    } else if (!idle || is_wanted(conn)) {
        conn->probing = (unsigned char)idle;
        evs__conn_open(conn);
    }
}

static void try_again(void *owner)
{
    evs__conn *conn = owner;
    conn->armed = 0;
    if (conn->state != EVS__CONN_IDLE && !evs__conn_is_silent(conn))
        return;
    evs__conn_enter(conn);
    if (evs__conn_is_silent(conn))
        evs__conn_probe(conn);
    else
        open_again(conn);
    evs__conn_tell_lost(conn);
    evs__conn_leave(conn);
}

/* ---- what happens ---- */

void evs__conn_tell_news(const evs__conn *conn, evs_status status, const char *text)
{
    if (conn->limits->news != NULL)
        conn->limits->news(conn->limits->news_owner, conn->login, status, text);
}

static void tell_down(evs__conn *conn)
{
    char text[480];
    conn->told_down = 1;
    conn->loop->counts.downs++;
    snprintf(text, sizeof text, "down after %u failures in a row, will be tried every %u ms: %s",
             conn->failures, conn->login->link.retry_after_ms,
             conn->problem == NULL ? evs_status_text(conn->status) : conn->problem);
    evs__conn_tell_news(conn, status_of(conn), text);
}

void evs__conn_tell_up(evs__conn *conn)
{
    char since[32], text[80];
    conn->told_down = 0;
    conn->loop->counts.ups++;
    evs__conn_write_since(conn, since, sizeof since);
    snprintf(text, sizeof text, "up again, was down since %s", since);
    evs__conn_tell_news(conn, EVS_OK, text);
}

/* Our own lack of memory says nothing about a server. */
static void count(evs__conn *conn)
{
    conn->probing = 0;
    conn->reread = 0;
    if (conn->status == EVS_E_NOMEM)
        return;
    if (conn->failures++ == 0)
        conn->down_since = (uint32_t)time(NULL);
    if (!evs__ring_empty(&conn->queue))
        evs__conn_want(conn);
    if (is_beaten(conn) && !conn->told_down)
        tell_down(conn);
}

void evs__conn_failed(evs__conn *conn)
{
    count(conn);
    conn->retry_at = evs__loop_now_ms(conn->loop) + delay_of(conn);
    if (conn->told_down && is_wanted(conn))
        evs__conn_arm(conn);
}

static int is_proven(const evs__conn *conn)
{
    return conn->proven || evs__conn_first(conn) != conn->seen;
}

void evs__conn_fell(evs__conn *conn)
{
    conn->retry_at = 0;
    if (evs__ring_empty(&conn->queue) || is_proven(conn)) {
        conn->failures = 0;
        return;
    }
    count(conn);
    if (!is_beaten(conn))
        return;
    conn->retry_at = evs__loop_now_ms(conn->loop) + delay_of(conn);
    evs__conn_arm(conn);
}

void evs__conn_rose(evs__conn *conn)
{
    conn->retry_at = 0;
    conn->probing = 0;
    conn->reread = 0;
    conn->armed = 0;
    conn->seen = evs__conn_first(conn);
    conn->ready_since = (uint32_t)evs__loop_now_ms(conn->loop);
    conn->proven = 0;
    evs__timer_free(conn->again);
    conn->again = NULL;
    if (conn->told_down)
        evs__conn_tell_up(conn);
}

/* ---- who asks ---- */

evs_status evs__conn_refuse(evs__conn *conn, evs_error *err)
{
    conn->loop->counts.refusals++;
    evs__conn_want(conn);
    if (conn->state == EVS__CONN_IDLE || evs__conn_is_silent(conn))
        evs__conn_arm(conn);
    return evs__conn_why(conn, err);
}

/* Somebody finds out already, unless nobody drove the loop until the time for that was over. */
static int is_being_tried(const evs__conn *conn)
{
    const evs__attempt *attempt = conn->attempt;
    return (conn->probing || !evs__ring_empty(&conn->queue)) &&
           (attempt->deadline == 0 || attempt->deadline > evs__loop_now_ms(conn->loop));
}

static int let_wait(evs__conn *conn)
{
    if (!evs__conn_may_mend(conn->status) || (is_beaten(conn) && !conn->login->link.waits))
        return 0;
    if (!evs__conn_arm(conn))
        return 0;
    conn->awaited = 1;
    return 1;
}

evs_status evs__conn_reach(evs__conn *conn, int patiently, evs_error *err)
{
    int refuses = is_beaten(conn) && !conn->login->link.waits;
    if (conn->state != EVS__CONN_IDLE)
        return refuses && is_being_tried(conn) ? evs__conn_refuse(conn, err) : EVS_OK;
    uint64_t wait = evs__conn_wait(conn);
    if (wait == 0) {
        evs__conn_open(conn);
        if (conn->state != EVS__CONN_IDLE)
            return EVS_OK;
    }
    if (patiently && let_wait(conn))
        return EVS_OK;
    return wait > 0 && refuses ? evs__conn_refuse(conn, err) : evs__conn_problem(conn, wait, err);
}
