/*
 * address.c - one function per form an address can have, and one per way it goes wrong.
 */
#include "conf/address.h"

#include "conf/ascii.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/un.h>

enum { LONGEST_HOST = 253, LONGEST_PATH = sizeof((struct sockaddr_un *)NULL)->sun_path - 1 };

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

static int url(evs__reading *r, const evs__yaml *value)
{
    if (strchr(value->text.data, '@') != NULL) {
        evs__complain(r->diags, "E253", value->at, "an address holds a user or a password%s",
                      evs__where(r));
        evs__hint(r->diags, "use auth: with username and password_env or password_file");
        return 0;
    }
    evs__complain(r->diags, "E204", value->at, "%s: a URL cannot be used as an address%s",
                  evs__found(r, value), evs__where(r));
    evs__hint(r->diags, "URLs are not supported by this version of evalshard; write host:port");
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

static int no_port(evs__reading *r, const evs__yaml *value)
{
    evs__complain(r->diags, "E251", value->at, "%s has no port%s", evs__found(r, value),
                  evs__where(r));
    if (!value->secret && value->text.len <= LONGEST_HOST)
        evs__hint(r->diags, "%s:6379?", value->text.data);
    return 0;
}

/* [v6]:port, with an optional zone. */
static int bracketed(evs__reading *r, const evs__yaml *value, evs__endpoint *out)
{
    struct in6_addr ignored;
    char number[64];
    const char *text = out->text, *end = strchr(text, ']');
    if (end == NULL)
        return bad(r, value, "the [ is not closed");
    size_t len = (size_t)(end - text) - 1, digits = strcspn(text + 1, "%]");
    if (digits >= sizeof number)
        return bad(r, value, "what stands in brackets is not IPv6");
    memcpy(number, text + 1, digits);
    number[digits] = '\0';
    if (inet_pton(AF_INET6, number, &ignored) != 1)
        return bad(r, value, "what stands in brackets is not IPv6");
    if (end[1] == '\0')
        return no_port(r, value);
    if (end[1] != ':')
        return bad(r, value, "a colon and the port come behind the ]");
    out->host = evs__keep(r, (evs_bytes){text + 1, len});
    return port(r, value, end + 2, &out->port) && out->host != NULL;
}

static int all_digits(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* Several colons without brackets: which one is in front of the port? */
static int ambiguous(evs__reading *r, const evs__yaml *value)
{
    struct in6_addr ignored;
    const char *text = value->text.data, *last = strrchr(text, ':');
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

static int host_port(evs__reading *r, const evs__yaml *value, evs__endpoint *out)
{
    const char *text = out->text, *colon = strrchr(text, ':');
    if (colon == NULL)
        return no_port(r, value);
    if (strchr(text, ':') != colon)
        return ambiguous(r, value);
    size_t len = (size_t)(colon - text);
    if (len == 0)
        return bad(r, value, "the host is missing");
    if (len > LONGEST_HOST)
        return bad(r, value, "the host is too long");
    for (size_t i = 0; i < len; i++) {
        if (!evs__is_alnum(text[i]) && strchr(".-_", text[i]) == NULL)
            return bad(r, value, "a host has letters, digits and . - _");
    }
    out->host = evs__keep(r, (evs_bytes){text, len});
    return port(r, value, colon + 1, &out->port) && out->host != NULL;
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
    if (starts_with(value->text, "redis://") || starts_with(value->text, "rediss://") ||
        strchr(out->text, '@') != NULL)
        return url(r, value);
    return out->text[0] == '[' ? bracketed(r, value, out) : host_port(r, value, out);
}
