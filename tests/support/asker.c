#include "tests/support/asker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { PATIENCE_MS = 60000 };

static const evs__conn_limits ROOMY = {
    .max_reply_bytes = 1 << 20, .max_reply_depth = 8, .max_queued_bytes = 64 << 20};

static void make(asker *a, const evs__login *login, const evs__conn_limits *limits)
{
    evs_error err = {0};
    if (evs__loop_new(&a->loop, &err) != EVS_OK ||
        evs__conn_new(&a->conn, a->loop, login, limits, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

void asker_open_limited(asker *a, const evs__login *login, const evs__conn_limits *limits)
{
    memset(a, 0, sizeof *a);
    make(a, login, limits);
}

void asker_open(asker *a, const evs__login *login)
{
    asker_open_limited(a, login, &ROOMY);
}

void asker_begin(asker *a, fake_shard *fake, const evs__link *link)
{
    memset(a, 0, sizeof *a);
    a->fake = fake;
    a->login = *fake_shard_login(fake);
    if (link != NULL)
        a->login.link = *link;
    make(a, &a->login, &ROOMY);
}

void asker_end(asker *a)
{
    fake_shard *fake = a->fake;
    asker_close(a);
    fake_shard_stop(fake);
}

static void note_reply(ask *self, const evs_reply *reply)
{
    evs_bytes text = evs_reply_bytes(reply);
    self->type = evs_reply_kind(reply);
    self->integer = evs_reply_integer(reply);
    self->count = evs_reply_count(reply);
    snprintf(self->text, sizeof self->text, "%.*s", (int)text.len,
             text.data == NULL ? "" : text.data);
}

static void note(evs__request *request, const evs__answer *answer)
{
    ask *self = (ask *)request;
    self->answers++;
    self->order = ++self->from->answered;
    self->from->waiting--;
    self->got = answer->got;
    self->sent = answer->sent;
    note_reply(self, answer->reply);
    if (answer->why != NULL)
        self->why = *answer->why;
    if (self->then != NULL)
        self->then(self);
}

static ask *new_ask(asker *a)
{
    ask *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->request.done = note;
    self->from = a;
    self->next = a->asks;
    a->asks = self;
    a->waiting++;
    return self;
}

ask *asker_queue(asker *a, evs_bytes bytes)
{
    ask *self = new_ask(a);
    evs__buf_append(evs__conn_begin(a->conn, &self->request), bytes.data, bytes.len);
    assert_true(evs__conn_end(a->conn, &self->request));
    return self;
}

ask *asker_ask(asker *a, ...)
{
    evs_error err = {0};
    if (evs__conn_prepare(a->conn, &err) != EVS_OK)
        fail_msg("%s", err.message);

    ask *self = new_ask(a);
    evs__buf *buf = evs__conn_begin(a->conn, &self->request);
    va_list count, words;
    va_start(words, a);
    va_copy(count, words);
    size_t n = 0;
    while (va_arg(count, const char *) != NULL)
        n++;
    va_end(count);
    evs__buf_format(buf, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++) {
        const char *word = va_arg(words, const char *);
        evs__buf_format(buf, "$%zu\r\n%s\r\n", strlen(word), word);
    }
    va_end(words);
    assert_true(evs__conn_end(a->conn, &self->request));
    return self;
}

ask *asker_begin_unanswered(asker *a)
{
    static const fake_step steps[] = {FAKE_GREET, FAKE_COMMANDS(1), FAKE_PAUSE,
                                      FAKE_SAY("+one\r\n")};
    asker_begin(a, FAKE_START(FAKE_UNIX, steps), NULL);
    ask *one = asker_ask(a, "A", NULL);
    fake_shard_await_on(a->fake, 3, a->loop);
    return one;
}

void asker_run(asker *a)
{
    uint64_t until = evs__loop_now_ms(a->loop) + PATIENCE_MS;
    while (a->waiting > 0) {
        if (evs__loop_now_ms(a->loop) > until)
            fail_msg("%zu questions have no answer after %d ms", a->waiting, PATIENCE_MS);
        evs__loop_run(a->loop, 100);
    }
}

void asker_run_ready(asker *a)
{
    uint64_t until = evs__loop_now_ms(a->loop) + PATIENCE_MS;
    while (evs__conn_state_of(a->conn) != EVS__CONN_READY) {
        if (evs__loop_now_ms(a->loop) > until)
            fail_msg("not ready after %d ms", PATIENCE_MS);
        evs__loop_run(a->loop, 100);
    }
}

void asker_go_on(asker *a)
{
    fake_shard_go(a->fake);
    asker_run(a);
}

void asker_close(asker *a)
{
    evs__conn_free(a->conn);
    evs__loop_free(a->loop);
    while (a->asks != NULL) {
        ask *old = a->asks;
        a->asks = old->next;
        free(old);
    }
    memset(a, 0, sizeof *a);
}
