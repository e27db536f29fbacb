#include "core/net/greeting.h"

#include "core/error.h"

#include <stdio.h>

/* ---- writing ---- */

static void word(evs__buf *buf, const char *text)
{
    evs__buf_format(buf, "$%zu\r\n", strlen(text));
    evs__buf_text(buf, text);
    evs__buf_text(buf, "\r\n");
}

static int wants_auth(const evs__login *login)
{
    return login->password != NULL;
}

static void write_auth(evs__buf *buf, const evs__login *login)
{
    evs__buf_text(buf, login->username == NULL ? "*2\r\n" : "*3\r\n");
    word(buf, "AUTH");
    if (login->username != NULL)
        word(buf, login->username);
    word(buf, login->password);
}

static int wants_select(const evs__login *login)
{
    return login->db != 0;
}

static void write_select(evs__buf *buf, const evs__login *login)
{
    char number[16];
    snprintf(number, sizeof number, "%d", login->db);
    evs__buf_text(buf, "*2\r\n");
    word(buf, "SELECT");
    word(buf, number);
}

static int wants_name(const evs__login *login)
{
    return login->client_name != NULL;
}

static void write_name(evs__buf *buf, const evs__login *login)
{
    evs__buf_text(buf, "*3\r\n");
    word(buf, "CLIENT");
    word(buf, "SETNAME");
    word(buf, login->client_name);
}

static int wants_ping(const evs__login *login)
{
    return !wants_auth(login) && !wants_select(login) && !wants_name(login);
}

static void write_ping(evs__buf *buf, const evs__login *login)
{
    (void)login;
    evs__buf_text(buf, "*1\r\n");
    word(buf, "PING");
}

/* ---- judging ---- */

/* A server that knows no AUTH repeats its arguments in the error: such text is not shown. */
static int repeats_password(const evs__login *login, evs_bytes text)
{
    static const char echo[] = "with args";
    if (memmem(text.data, text.len, echo, sizeof echo - 1) != NULL)
        return 1;
    size_t len = strlen(login->password);
    return len > 0 && memmem(text.data, text.len, login->password, len) != NULL;
}

static evs_status auth_refused(const evs__login *login, evs_bytes text, evs_error *err)
{
    if (repeats_password(login, text))
        return evs__fail(err, EVS_E_AUTH, "AUTH refused");
    return evs__fail(err, EVS_E_AUTH, "AUTH refused: %.*s", (int)text.len, text.data);
}

static evs_status select_refused(const evs__login *login, evs_bytes text, evs_error *err)
{
    return evs__fail(err, EVS_E_CONNECT, "db %d cannot be selected: %.*s", login->db, (int)text.len,
                     text.data);
}

/* Users without permission for CLIENT or PING may still run scripts. */
static evs_status never_mind(const evs__login *login, evs_bytes text, evs_error *err)
{
    (void)login;
    (void)text;
    (void)err;
    return EVS_OK;
}

static const struct step {
    const char *command;
    int (*wanted)(const evs__login *login);
    void (*write)(evs__buf *buf, const evs__login *login);
    evs_status (*refused)(const evs__login *login, evs_bytes text, evs_error *err);
} steps[EVS__GREETING_END] = {
    {"AUTH", wants_auth, write_auth, auth_refused},
    {"SELECT", wants_select, write_select, select_refused},
    {"CLIENT SETNAME", wants_name, write_name, never_mind},
    {"PING", wants_ping, write_ping, never_mind},
};

unsigned evs__greeting_next(const evs__login *login, unsigned from)
{
    while (from < EVS__GREETING_END && !steps[from].wanted(login))
        from++;
    return from;
}

void evs__greeting_write(evs__buf *buf, const evs__login *login)
{
    for (unsigned i = evs__greeting_next(login, 0); i < EVS__GREETING_END;
         i = evs__greeting_next(login, i + 1))
        steps[i].write(buf, login);
}

/* Errors that say the same whatever was asked. */
static const struct refusal {
    const char *prefix;
    evs_status status;
    const char *instead; /* of the server's text; NULL shows that */
} refusals[] = {
    {"NOAUTH", EVS_E_AUTH, "shard requires a password"},
    {"DENIED", EVS_E_DENIED, NULL},
    {"LOADING", EVS_E_LOADING, NULL},
    {"ERR max number of clients", EVS_E_CONNECT, NULL},
};

static int begins_with(evs_bytes text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static evs_status refuse(const evs__login *login, unsigned step, evs_bytes text, evs_error *err)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *row = &refusals[i];
        if (!begins_with(text, row->prefix))
            continue;
        if (row->instead != NULL)
            return evs__fail(err, row->status, "%s", row->instead);
        return evs__fail(err, row->status, "%.*s", (int)text.len, text.data);
    }
    if (steps[step].refused == select_refused && begins_with(text, "BUSY"))
        return evs__fail(err, EVS_E_BUSY, "%.*s", (int)text.len, text.data);
    return steps[step].refused(login, text, err);
}

evs_status evs__greeting_judge(const evs__login *login, unsigned step, const evs_reply *reply,
                               evs_error *err)
{
    evs_reply_type type = evs_reply_kind(reply);
    evs_bytes text = evs_reply_bytes(reply);
    if (type == EVS_REPLY_STATUS)
        return EVS_OK;
    if (type != EVS_REPLY_ERROR)
        return evs__fail(err, EVS_E_PROTOCOL, "%s was answered with something else than a status",
                         steps[step].command);
    if (text.len > 300)
        text.len = 300;
    return refuse(login, step, text, err);
}

const char *evs__greeting_guess(const char *data, size_t len)
{
    evs_bytes bytes = {data, len};
    if (begins_with(bytes, "HTTP/"))
        return "this looks like an HTTP server";
    if (begins_with(bytes, "SSH-"))
        return "this looks like an SSH server";
    if (len >= 2 && (data[0] == 0x15 || data[0] == 0x16) && data[1] == 3)
        return "this looks like a TLS server";
    return NULL;
}
