/*
 * loss.c - the end of a connection, and what its requests are told.
 */
#include "core/net/conn_inner.h"

#include "core/error.h"
#include "core/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { LONGEST_PROBLEM = 400 };

/* ---- messages ---- */

static evs_status compose(const evs__conn *conn, evs_error *err, evs_status status,
                          const char *text, uint64_t wait)
{
    if (err == NULL)
        return status;
    const char *name = conn->login->name;
    const char *noun = conn->login->noun == NULL ? "shard" : conn->login->noun;
    const char *address = conn->login->endpoint.text;
    if (wait == 0)
        evs__fail(err, status, "%s %s at %s: %s", noun, name, address, text);
    else
        evs__fail(err, status, "%s %s at %s: %s (retry in %llu ms)", noun, name, address, text,
                  (unsigned long long)wait);
    snprintf(err->shard, sizeof err->shard, "%s", name);
    return status;
}

evs_status evs__conn_fail(const evs__conn *conn, evs_error *err, evs_status status,
                          const char *text)
{
    return compose(conn, err, status, text, 0);
}

evs_status evs__conn_problem(const evs__conn *conn, uint64_t wait, evs_error *err)
{
    const char *text = conn->problem == NULL ? evs_status_text(conn->status) : conn->problem;
    return compose(conn, err, conn->status, text, wait);
}

/* ---- requests ---- */

void evs__conn_strand(evs__conn *conn)
{
    /* Those lost before are told before anything is written again: none of the later ones was. */
    if (evs__ring_empty(&conn->lost))
        conn->lost_written = conn->written;
    evs__ring_move(&conn->lost, &conn->queue);
    conn->holes = 0;
    conn->written = evs__conn_tail(conn);
    conn->lost_end = conn->written;
}

/* The list is taken from one by one: a completion may withdraw requests, queue new ones for the
 * next connection, or free this one, which tells the rest. What a server cannot take is none of
 * those of which it got no byte: they have lost a connection like any other. */
void evs__conn_tell(evs__conn *conn, const evs_error *why)
{
    evs_error behind = *why;
    if (why->status == EVS_E_PROTOCOL && conn->was_ready)
        behind.status = EVS_E_CLOSED;
    int tied = 0; /* the one in front serves this one, and was not taken */
    while (!evs__ring_empty(&conn->lost)) {
        evs__request *request = (evs__request *)conn->lost.next;
        evs__ring_remove(&request->ring);
        conn->count--;
        evs__answer answer = {.got = EVS__GOT_LOST, .sent = request->end <= conn->lost_written};
        answer.why = tied || request->start < conn->lost_written ? why : &behind;
        tied = request->servant && !answer.sent && answer.why == why;
        evs__loop_stir(conn->loop);
        request->done(request, &answer);
    }
    evs__conn_discard(conn);
}

void evs__conn_tell_lost(evs__conn *conn)
{
    if (evs__ring_empty(&conn->lost))
        return;
    evs_error why;
    evs__conn_problem(conn, 0, &why);
    evs__conn_tell(conn, &why);
}

/* ---- the end ---- */

static char *write_problem(const char *format, va_list args)
{
    char text[LONGEST_PROBLEM];
    vsnprintf(text, sizeof text, format, args);
    return evs__copy_text(text, strlen(text));
}

static void close_socket(evs__conn *conn)
{
    evs__conn_drop_attempt(conn);
    evs__conn_leave_pulse(conn);
    evs__socket_close(conn->socket);
    conn->socket = NULL;
    evs__conn_end_silence(conn);
    conn->blocked = 0;
    conn->send_problem = 0;
    conn->resp3 = 0;
    conn->halfway = 0;
    conn->skipping = 0;
    if (conn->reader != NULL)
        evs__resp_reset(conn->reader->resp);
}

void evs__conn_restart(evs__conn *conn)
{
    close_socket(conn);
    conn->state = EVS__CONN_IDLE;
    conn->epoch++;
    evs__conn_open(conn);
}

static void end(evs__conn *conn)
{
    conn->was_ready = conn->state == EVS__CONN_READY;
    if (conn->state == EVS__CONN_READY)
        evs__conn_fell(conn);
    else
        evs__conn_failed(conn);
    close_socket(conn);
    conn->state = EVS__CONN_IDLE;
    conn->epoch++;
    evs__conn_strand(conn);
    if (!evs__ring_empty(&conn->lost))
        evs__loop_mark(conn->loop, &conn->dirty);
}

/* What was never READY has lost nothing: whoever finds servers may know another one. */
static int seeks_on(evs__conn *conn, evs_status status, const char *text)
{
    return conn->finder != NULL && conn->state != EVS__CONN_READY && status != EVS_E_NOMEM &&
           !conn->closing && conn->finder->failed(conn->finder, conn, status, text);
}

void evs__conn_down(evs__conn *conn, evs_status status, const char *format, ...)
{
    conn->status = status;
    va_list args;
    va_start(args, format);
    evs__free(conn->problem);
    conn->problem = write_problem(format, args);
    va_end(args);
    const char *text = conn->problem == NULL ? evs_status_text(status) : conn->problem;
    if (conn->limits->news != NULL)
        conn->limits->news(conn->limits->news_owner, conn->login, status, text);
    if (!seeks_on(conn, status, text)) {
        end(conn);
        return;
    }
    close_socket(conn);
    evs__conn_open(conn);
}

/* ---- where there is nobody ---- */

void evs__conn_rest(evs__conn *conn)
{
    assert(evs__conn_is_seeking(conn) && evs__ring_empty(&conn->queue));
    close_socket(conn);
    conn->state = EVS__CONN_IDLE;
}

void evs__conn_not_found(evs__conn *conn, const evs_error *why)
{
    assert(evs__conn_is_seeking(conn));
    evs__conn_enter(conn);
    conn->status = why->status;
    evs__free(conn->problem);
    conn->problem = evs__copy_text(why->message, strlen(why->message));
    end(conn);
    evs__conn_tell_lost(conn);
    evs__conn_leave(conn);
}

void evs__conn_leave_server(evs__conn *conn, const char *text)
{
    if (conn->state == EVS__CONN_IDLE || evs__conn_is_seeking(conn))
        return;
    evs__conn_enter(conn);
    evs__conn_down(conn, EVS_E_CLOSED, "%s", text);
    evs__conn_tell_lost(conn);
    evs__conn_leave(conn);
}
