#include "core/net/greeting.h"

#include "core/error.h"
#include "core/printable.h"

#include <stdio.h>

enum { QUOTED = 250 }; /* bytes of a server's text in a message */

/* ---- writing ---- */

static void word(evs__buf *buf, const char *text)
{
    evs__buf_format(buf, "$%zu\r\n", strlen(text));
    evs__buf_text(buf, text);
    evs__buf_text(buf, "\r\n");
}

static int wants_auth(const evs__greeting *greeting)
{
    return greeting->login->password != NULL;
}

static void write_auth(evs__buf *buf, const evs__login *login)
{
    evs__buf_text(buf, login->username == NULL ? "*2\r\n" : "*3\r\n");
    word(buf, "AUTH");
    if (login->username != NULL)
        word(buf, login->username);
    word(buf, login->password);
}

static int wants_hello(const evs__greeting *greeting)
{
    return greeting->protocol == 3;
}

static void write_hello(evs__buf *buf, const evs__login *login)
{
    (void)login;
    evs__buf_text(buf, "*2\r\n");
    word(buf, "HELLO");
    word(buf, "3");
}

static int wants_select(const evs__greeting *greeting)
{
    return greeting->login->db != 0;
}

static void write_select(evs__buf *buf, const evs__login *login)
{
    char number[16];
    snprintf(number, sizeof number, "%d", login->db);
    evs__buf_text(buf, "*2\r\n");
    word(buf, "SELECT");
    word(buf, number);
}

static int wants_name(const evs__greeting *greeting)
{
    return greeting->login->client_name != NULL;
}

static void write_name(evs__buf *buf, const evs__login *login)
{
    evs__buf_text(buf, "*3\r\n");
    word(buf, "CLIENT");
    word(buf, "SETNAME");
    word(buf, login->client_name);
}

static int wants_role(const evs__greeting *greeting)
{
    return greeting->login->primary || greeting->login->replica;
}

static void write_role(evs__buf *buf, const evs__login *login)
{
    (void)login;
    evs__buf_text(buf, "*1\r\n");
    word(buf, "ROLE");
}

static int wants_readonly(const evs__greeting *greeting)
{
    return greeting->login->readonly;
}

static void write_readonly(evs__buf *buf, const evs__login *login)
{
    (void)login;
    evs__buf_text(buf, "*1\r\n");
    word(buf, "READONLY");
}

static int wants_ping(const evs__greeting *greeting)
{
    return !wants_auth(greeting) && !wants_hello(greeting) && !wants_select(greeting) &&
           !wants_name(greeting) && !wants_role(greeting) && !wants_readonly(greeting);
}

static void write_ping(evs__buf *buf, const evs__login *login)
{
    (void)login;
    evs__buf_text(buf, "*1\r\n");
    word(buf, "PING");
}

/* ---- judging ---- */

/* `text` is what the server said, or nothing when it must not be shown. */
static evs_status auth_refused(const evs__login *login, const char *text, evs_error *err)
{
    (void)login;
    return evs__fail(err, EVS_E_AUTH, "AUTH refused%s%s", text[0] == '\0' ? "" : ": ", text);
}

/* The map asks for what the server, or this user, has not. */
static evs_status select_refused(const evs__login *login, const char *text, evs_error *err)
{
    return evs__fail(err, EVS_E_CONFIG, "db %d cannot be selected: %s", login->db, text);
}

static evs_status role_refused(const evs__login *login, const char *text, evs_error *err)
{
    (void)login;
    return evs__fail(err, EVS_E_DENIED,
                     "ROLE refused: %s; a user needs +role where sentinels name the servers", text);
}

static evs_status readonly_refused(const evs__login *login, const char *text, evs_error *err)
{
    (void)login;
    return evs__fail(err, EVS_E_DENIED,
                     "READONLY refused: %s; a user needs +readonly where replicas are read from",
                     text);
}

/* Users without permission for CLIENT or PING may still run scripts, and without HELLO the server
 * speaks RESP2. */
static evs_status never_mind(const evs__login *login, const char *text, evs_error *err)
{
    (void)login;
    (void)text;
    (void)err;
    return EVS_OK;
}

static const struct step {
    const char *command;
    int (*wanted)(const evs__greeting *greeting);
    void (*write)(evs__buf *buf, const evs__login *login);
    evs_status (*refused)(const evs__login *login, const char *text, evs_error *err);
} steps[EVS__GREETING_END] = {
    {"AUTH", wants_auth, write_auth, auth_refused},
    {"HELLO", wants_hello, write_hello, never_mind},
    {"SELECT", wants_select, write_select, select_refused},
    {"CLIENT SETNAME", wants_name, write_name, never_mind},
    {"PING", wants_ping, write_ping, never_mind},
    {"ROLE", wants_role, write_role, role_refused},
    {"READONLY", wants_readonly, write_readonly, readonly_refused},
};

unsigned evs__greeting_next(const evs__greeting *greeting, unsigned from)
{
    while (from < EVS__GREETING_END && !steps[from].wanted(greeting))
        from++;
    return from;
}

void evs__greeting_write(evs__buf *buf, const evs__greeting *greeting)
{
    for (unsigned i = evs__greeting_next(greeting, 0); i < EVS__GREETING_END;
         i = evs__greeting_next(greeting, i + 1))
        steps[i].write(buf, greeting->login);
}

enum { ANY_STEP = EVS__GREETING_END, SELECT_STEP = 2, READONLY_STEP = 6 };

/* Errors that do not depend on what was asked. */
static const struct refusal {
    const char *prefix;
    unsigned step;
    evs_status status;
    const char *instead; /* of the server's text; NULL shows that */
} refusals[] = {
    {"NOAUTH", ANY_STEP, EVS_E_AUTH, "shard requires a password"},
    {"DENIED", ANY_STEP, EVS_E_DENIED, NULL},
    {"LOADING", ANY_STEP, EVS_E_LOADING, NULL},
    {"ERR max number of clients", ANY_STEP, EVS_E_CONNECT, NULL},
    {"BUSY", SELECT_STEP, EVS_E_BUSY, NULL}, /* the others do not need their answer */
    {"BUSY", EVS__GREETING_ROLE, EVS_E_BUSY, NULL},
    {"BUSY", READONLY_STEP, EVS_E_BUSY, NULL},
};

static int begins_with(evs_bytes text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static const struct refusal *find_refusal(unsigned step, evs_bytes text)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const struct refusal *row = &refusals[i];
        if ((row->step == ANY_STEP || row->step == step) && begins_with(text, row->prefix))
            return row;
    }
    return NULL;
}

/* A server that knows no AUTH repeats its arguments in the error, cut and escaped in its own way:
 * such text is not shown, nor any other with the password in it. */
static int repeats_password(const evs__login *login, evs_bytes text)
{
    static const char echo[] = "with args";
    if (login->password == NULL)
        return 0;
    if (memmem(text.data, text.len, echo, sizeof echo - 1) != NULL)
        return 1;
    size_t len = strlen(login->password);
    return len > 0 && memmem(text.data, text.len, login->password, len) != NULL;
}

static evs_status refuse(const evs__login *login, unsigned step, evs_bytes text, evs_error *err)
{
    char shown[QUOTED] = "";
    if (!repeats_password(login, text))
        evs__printable(shown, sizeof shown, text);
    const struct refusal *row = find_refusal(step, text);
    if (row == NULL)
        return steps[step].refused(login, shown, err);
    return evs__fail(err, row->status, "%s", row->instead != NULL ? row->instead : shown);
}

static int is_word(const evs_reply *reply, const char *text)
{
    evs_bytes its = evs_reply_bytes(reply);
    return its.len == strlen(text) && memcmp(its.data, text, its.len) == 0;
}

static int is_role(const evs_reply *reply, const char *role)
{
    return evs_reply_kind(reply) == EVS_REPLY_ARRAY && evs_reply_count(reply) > 0 &&
           is_word(evs_reply_at(reply, 0), role);
}

/* The state of a replica's link is behind the address of its primary. */
static int is_linked(const evs_reply *reply)
{
    return evs_reply_count(reply) > 3 && is_word(evs_reply_at(reply, 3), "connected");
}

/* ROLE of somebody who is not what was meant. */
static evs_status judge_role(const evs__login *login, const evs_reply *reply, evs_error *err)
{
    if (login->replica && (reply == NULL || is_role(reply, "master")))
        return evs__fail(err, EVS_E_CONNECT, "it is a primary, not a replica");
    if (login->replica && is_role(reply, "slave"))
        return evs__fail(err, EVS_E_CONNECT, "it is a replica that has no link to its primary");
    if (is_role(reply, "sentinel"))
        return evs__fail(err, EVS_E_PROTOCOL, "this is a sentinel, not a shard");
    if (!is_role(reply, "slave"))
        return evs__fail(err, EVS_E_PROTOCOL, "ROLE was answered with something else than a role");
    return evs__fail(err, EVS_E_READONLY, "it is a replica, not the primary");
}

/* Only a primary, which lists its replicas, has a long answer to ROLE. An answer to HELLO that is
 * too big to be kept is not an error, and long because it lists modules.
 */
static int is_fine(const evs__login *login, unsigned step, const evs_reply *reply)
{
    if (step == EVS__GREETING_HELLO)
        return reply == NULL || evs_reply_kind(reply) == EVS_REPLY_MAP;
    if (step == EVS__GREETING_ROLE && login->replica)
        return reply != NULL && is_role(reply, "slave") && is_linked(reply);
    if (step == EVS__GREETING_ROLE)
        return reply == NULL || is_role(reply, "master");
    return evs_reply_kind(reply) == EVS_REPLY_STATUS;
}

evs_status evs__greeting_judge(const evs__greeting *greeting, unsigned step, const evs_reply *reply,
                               evs_error *err)
{
    if (is_fine(greeting->login, step, reply))
        return EVS_OK;
    if (step == EVS__GREETING_ROLE && evs_reply_kind(reply) != EVS_REPLY_ERROR)
        return judge_role(greeting->login, reply, err);
    if (evs_reply_kind(reply) != EVS_REPLY_ERROR)
        return evs__fail(err, EVS_E_PROTOCOL, "%s was answered with something else than a %s",
                         steps[step].command, step == EVS__GREETING_HELLO ? "map" : "status");
    return refuse(greeting->login, step, evs_reply_bytes(reply), err);
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
