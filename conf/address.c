/*
 * address.c - one function per form an address can have, and one per way it goes wrong.
 */
#include "conf/address.h"

#include "conf/ascii.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/un.h>

enum {
    URL_PORT = 6379,
    LONGEST_HOST = 253,
    LONGEST_PATH = sizeof((struct sockaddr_un *)NULL)->sun_path - 1
};

static int bad(evs__reading *r, const evs__yaml *value, const char *why)
{
    evs__complain(r->diags, "E250", value->at, "%s is not an address%s: %s", evs__found(r, value),
                  evs__where(r), why);
    evs__hint(r->diags, "write host:port, \"[v6]:port\" or unix:/path");
    return 0;
}

static int starts_with(evs_bytes text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && strncasecmp(text.data, prefix, len) == 0;
}

evs__scheme evs__address_scheme(const evs__yaml *value)
{
    if (starts_with(value->text, "rediss://"))
        return EVS__SCHEME_REDISS;
    return starts_with(value->text, "redis://") ? EVS__SCHEME_REDIS : EVS__SCHEME_NONE;
}

static int unix_path(evs__reading *r, const evs__yaml *value, evs__endpoint *out)
{
    const char *path = out->text + strlen("unix:");
    size_t len = strlen(path);
    if (path[0] != '/')
        return bad(r, value, "the path of a unix socket begins with /");
    if (len > LONGEST_PATH)
        return bad(r, value, "the path of a unix socket is too long for the system");
    out->path = path;
    return 1;
}

static int login_in_address(evs__reading *r, const evs__yaml *value)
{
    evs__complain(r->diags, "E253", value->at, "an address holds a user or a password%s",
                  evs__where(r));
    evs__hint(r->diags, "use auth: with username and password_env or password_file");
    return 0;
}

/* The port behind the last colon. */
static int port(evs__reading *r, const evs__yaml *value, const char *digits, int *out)
{
    size_t len = strlen(digits), i = 0;
    while (evs__is_digit(digits[i]))
        i++;
    long number = i == len && len > 0 && len <= 5 ? strtol(digits, NULL, 10) : 0;
    if (number >= 1 && number <= 65535) {
        *out = (int)number;
        return 1;
    }
    evs__complain(r->diags, "E251", value->at, "the port of %s must be from 1 to 65535%s",
                  evs__found(r, value), evs__where(r));
    return 0;
}

/* In a URL the port may be missing. */
static int no_port(evs__reading *r, const evs__yaml *value, evs__endpoint *out)
{
    if (evs__address_scheme(value) != EVS__SCHEME_NONE) {
        out->port = URL_PORT;
        return 1;
    }
    evs__complain(r->diags, "E251", value->at, "%s has no port%s", evs__found(r, value),
                  evs__where(r));
    if (!value->secret && value->text.len <= LONGEST_HOST)
        evs__hint(r->diags, "%s:6379?", value->text.data);
    return 0;
}

/* [v6]:port, with an optional zone. */
static int bracketed(evs__reading *r, const evs__yaml *value, const char *text, evs__endpoint *out)
{
    struct in6_addr ignored;
    char number[64];
    const char *end = strchr(text, ']');
    if (end == NULL)
        return bad(r, value, "the [ is not closed");
    size_t len = (size_t)(end - text) - 1, digits = strcspn(text + 1, "%]");
    if (digits >= sizeof number)
        return bad(r, value, "what stands in brackets is not IPv6");
    memcpy(number, text + 1, digits);
    number[digits] = '\0';
    if (inet_pton(AF_INET6, number, &ignored) != 1)
        return bad(r, value, "what stands in brackets is not IPv6");
    out->host = evs__keep(r, (evs_bytes){text + 1, len});
    if (end[1] == '\0')
        return no_port(r, value, out) && out->host != NULL;
    if (end[1] != ':')
        return bad(r, value, "a colon and the port come behind the ]");
    return port(r, value, end + 2, &out->port) && out->host != NULL;
}

static int all_digits(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* Several colons without brackets: which one is in front of the port? */
static int ambiguous(evs__reading *r, const evs__yaml *value, const char *text)
{
    struct in6_addr ignored;
    const char *last = strrchr(text, ':');
    evs__complain(r->diags, "E252", value->at, "%s is ambiguous", evs__found(r, value));
    if (value->secret || inet_pton(AF_INET6, text, &ignored) != 1)
        evs__hint(r->diags,
                  "write host:port with one colon; IPv6 needs brackets, a weight is a key "
                  "of its own");
    else if (strlen(last + 1) >= 4 && all_digits(last + 1))
        evs__hint(r->diags, "write \"[%.*s]:%s\" (in quotes: a bare [ starts a YAML list)",
                  (int)(last - text), text, last + 1);
    else
        evs__hint(r->diags, "write \"[%s]:6379\" (in quotes: a bare [ starts a YAML list)", text);
    return 0;
}

static int host_port(evs__reading *r, const evs__yaml *value, const char *text, evs__endpoint *out)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL && evs__address_scheme(value) == EVS__SCHEME_NONE)
        return no_port(r, value, out);
    if (colon != NULL && strchr(text, ':') != colon)
        return ambiguous(r, value, text);
    size_t len = colon == NULL ? strlen(text) : (size_t)(colon - text);
    if (len == 0)
        return bad(r, value, "the host is missing");
    if (len > LONGEST_HOST)
        return bad(r, value, "the host is too long");
    for (size_t i = 0; i < len; i++) {
        if (!evs__is_alnum(text[i]) && strchr(".-_", text[i]) == NULL)
            return bad(r, value, "a host has letters, digits and . - _");
    }
    out->host = evs__keep(r, (evs_bytes){text, len});
    if (out->host == NULL)
        return 0;
    return colon == NULL ? no_port(r, value, out) : port(r, value, colon + 1, &out->port);
}

static int host(evs__reading *r, const evs__yaml *value, const char *text, evs__endpoint *out)
{
    return text[0] == '[' ? bracketed(r, value, text, out) : host_port(r, value, text, out);
}

/* One slash at the end changes nothing; a database behind it would be a second place for `db`. */
static int url(evs__reading *r, const evs__yaml *value, evs__endpoint *out)
{
    const char *rest = strstr(out->text, "://") + strlen("://");
    size_t len = strcspn(rest, "/?#");
    if (rest[len] != '\0' && strcmp(rest + len, "/") != 0) {
        evs__complain(r->diags, "E250", value->at, "%s holds more than host and port%s",
                      evs__found(r, value), evs__where(r));
        evs__hint(r->diags, "the database is a key of its own, db: 0");
        return 0;
    }
    const char *text = evs__arena_text(r->scratch, rest, len);
    if (text == NULL) {
        evs__diagnostics_nomem(r->diags);
        return 0;
    }
    return host(r, value, text, out);
}

int evs__read_address(evs__reading *r, const evs__yaml *value, evs__endpoint *out)
{
    if (!evs__want_text(r, value))
        return 0;
    if (value->text.len == 0)
        return bad(r, value, "it is empty");
    if (memchr(value->text.data, '\0', value->text.len) != NULL)
        return bad(r, value, "it holds a NUL character");

    *out = (evs__endpoint){.text = evs__keep(r, value->text)};
    if (out->text == NULL)
        return 0;
    if (starts_with(value->text, "unix:"))
        return unix_path(r, value, out);
    if (strchr(out->text, '@') != NULL)
        return login_in_address(r, value);
    if (evs__address_scheme(value) != EVS__SCHEME_NONE)
        return url(r, value, out);
    return host(r, value, out->text, out);
}
