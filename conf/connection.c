#include "conf/connection.h"

#include "conf/kinds.h"

#include <inttypes.h>

#define AT(member)      offsetof(evs__connection_conf, member)
#define AUTH_AT(member) offsetof(evs__auth_conf, member)

enum { SHORTEST_MS = 1, LONGEST_MS = 10 * 60 * 1000, LONGEST_USERNAME = 255, MOST_ATTEMPTS = 10 };
enum { SHORTEST_KEEPALIVE_MS = 10, KEEPALIVE_MS = 15000 };
enum { MOST_CONNECTIONS = 1024 };

static void read_username(evs__reading *r, const evs__field *field, const evs__yaml *value,
                          void *at)
{
    const char *text = NULL;
    evs__read_text(r, field, value, &text);
    evs__username *username = text == NULL ? NULL
                                           : evs__arena_alloc(r->scratch, 1, sizeof *username);
    if (username == NULL) {
        if (text != NULL)
            evs__diagnostics_nomem(r->diags);
        return;
    }
    *username = (evs__username){text, value, 0};
    *(evs__username **)at = username;
}

static void read_source(evs__reading *r, evs__secret_kind kind, const evs__yaml *value, void *at)
{
    evs__secret *secret = evs__secret_new(r, kind, value);
    if (secret != NULL)
        *(evs__secret **)at = secret;
}

static void read_env(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    (void)field;
    read_source(r, EVS__SECRET_ENV, value, at);
}

static void read_file(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    (void)field;
    read_source(r, EVS__SECRET_FILE, value, at);
}

static void read_plain(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    (void)field;
    read_source(r, EVS__SECRET_PLAIN, value, at);
}

static const evs__field auth_fields[] = {
    {.name = "username",
     .read = read_username,
     .offset = AUTH_AT(username),
     .min = 1,
     .max = LONGEST_USERNAME},
    {.name = "password_env", .read = read_env, .offset = AUTH_AT(password)},
    {.name = "password_file", .read = read_file, .offset = AUTH_AT(password)},
    {.name = "password", .read = read_plain, .offset = AUTH_AT(password)},
};

const evs__kind evs__kind_auth = {
    .where = "in auth",
    .fields = auth_fields,
    .nfields = sizeof auth_fields / sizeof auth_fields[0],
};

/* One source per mapping; a source in an inner mapping replaces the one outside. */
static void check_one_source(evs__reading *r, const evs__yaml *auth)
{
    const evs__yaml *first = NULL;
    for (const evs__yaml *entry = auth->first; entry != NULL; entry = entry->next) {
        const char *key = entry->key->text.data;
        if (strcmp(key, "password") != 0 && strcmp(key, "password_env") != 0 &&
            strcmp(key, "password_file") != 0)
            continue;
        if (first == NULL) {
            first = entry->key;
            continue;
        }
        evs__complain(r->diags, "E265", entry->key->at,
                      "a second source for the password%s (first: %s at %d:%d)", evs__where(r),
                      first->text.data, first->at.line, first->at.column);
        evs__hint(r->diags, "keep one of password_env, password_file, password");
    }
}

void evs__read_auth(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    (void)field;
    if (evs__read_mapping(r, &evs__kind_auth, value, at))
        check_one_source(r, value);
}

#define RETRY_AT(member) offsetof(evs__retry_conf, member)

static void read_attempts(evs__reading *r, const evs__field *field, const evs__yaml *value,
                          void *at)
{
    evs__read_number(r, field, value, at, "E242");
}

static const evs__field retry_fields[] = {
    {.name = "attempts",
     .read = read_attempts,
     .offset = RETRY_AT(attempts),
     .min = 0,
     .max = MOST_ATTEMPTS},
    {.name = "backoff",
     .read = evs__read_duration,
     .offset = RETRY_AT(backoff_ms),
     .min = SHORTEST_MS,
     .max = LONGEST_MS},
};

const evs__kind evs__kind_retry = {
    .where = "in retry",
    .fields = retry_fields,
    .nfields = sizeof retry_fields / sizeof retry_fields[0],
};

static void read_retry(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    (void)field;
    evs__read_mapping(r, &evs__kind_retry, value, at);
}

static void read_keepalive(evs__reading *r, const evs__field *field, const evs__yaml *value,
                           void *at)
{
    if (value->kind == EVS__YAML_TEXT && strcmp(value->text.data, "off") == 0)
        *(unsigned *)at = 0;
    else
        evs__read_duration(r, field, value, at);
}

/* There is one answer, which may be said: calls of one client to one shard run in the order in
 * which they were submitted, which nobody could promise over two connections. */
static void read_connections(evs__reading *r, const evs__field *field, const evs__yaml *value,
                             void *at)
{
    uint64_t count = 1;
    (void)at;
    evs__read_number(r, field, value, &count, "E240");
    if (count == 1)
        return;
    evs__complain(r->diags, "E240", value->at,
                  "%s is %" PRIu64 ", and a client has one connection to a shard, which keeps its "
                  "calls in order",
                  evs__subject(r, value), count);
    evs__hint(r->diags, "calls pipeline on it; for a second connection open a second client");
}

#define DURATION(key, member)                                                              \
    {                                                                                      \
        .name = key, .read = evs__read_duration, .offset = AT(member), .min = SHORTEST_MS, \
        .max = LONGEST_MS                                                                  \
    }

static const evs__field fields[] = {
    {.name = "db", .read = evs__read_integer, .offset = AT(db), .min = 0, .max = 1023},
    {.name = "auth", .read = evs__read_auth, .offset = AT(auth)},
    DURATION("connect_timeout", connect_timeout_ms),
    DURATION("command_timeout", command_timeout_ms),
    DURATION("script_timeout", script_timeout_ms),
    {.name = "client_name", .read = evs__read_name, .offset = AT(client_name)},
    {.name = "tls", .read = evs__read_tls, .offset = AT(tls)},
    {.name = "connections", .read = read_connections, .min = 1, .max = MOST_CONNECTIONS},
    {.name = "keepalive",
     .read = read_keepalive,
     .offset = AT(keepalive_ms),
     .min = SHORTEST_KEEPALIVE_MS,
     .max = LONGEST_MS},
    {.name = "retry", .read = read_retry, .offset = AT(retry)},
};

const evs__kind evs__kind_connection = {
    .where = "in defaults, a pool or a shard",
    .fields = fields,
    .nfields = sizeof fields / sizeof fields[0],
};

evs__connection_conf evs__connection_default(void)
{
    return (evs__connection_conf){
        .connect_timeout_ms = 500,
        .command_timeout_ms = 1000,
        .client_name = "evalshard",
        .keepalive_ms = KEEPALIVE_MS,
        .retry = {.attempts = 1, .backoff_ms = 50},
    };
}

static void check_username(evs__reading *r, evs__username *username)
{
    if (username->blamed)
        return;
    username->blamed = 1;
    evs__complain(r->diags, "E264", username->at->at,
                  "the username has no password (auth of %s \"%s\")", r->noun, r->name);
    evs__hint(r->diags, "add password_env or password_file to auth");
}

void evs__connection_login(evs__reading *r, const evs__connection_conf *conf, evs__login *out)
{
    evs__username *username = conf->auth.username;
    out->db = (int)conf->db;
    out->connect_timeout_ms = conf->connect_timeout_ms;
    out->client_name = conf->client_name;
    out->link.backoff_ms = conf->retry.backoff_ms;
    out->link.keepalive_ms = conf->keepalive_ms;
    out->username = username == NULL ? NULL : username->text;
    out->password = NULL;
    out->source = NULL;
    if (conf->auth.password != NULL) {
        out->password = evs__secret_value(r, conf->auth.password);
        out->source = conf->auth.password->source;
    } else if (username != NULL)
        check_username(r, username);
}
