/*
 * import_twemproxy.c - from a nutcracker.yml to a shard map that places keys alike.
 *
 * A pool of twemproxy becomes a pool of a map. What enters its ring is written down (ring_name), so
 * that shards may move to other hosts; what a map has no word for is a warning. A password is not
 * copied: the map says which variable holds it.
 */
#include "conf/ascii.h"
#include "conf/file.h"
#include "conf/quoted.h"
#include "conf/yaml_tree.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/table.h"

#include <errno.h>

enum { MOST_BYTES = 4 * 1024 * 1024, LONGEST_NAME = 63, LONGEST_RING_NAME = 255 };

typedef struct import {
    evs__arena scratch;
    evs_diagnostics *diags;
    evs__buf out;
    evs__table names; /* of shards written so far */
} import;

/* A line of `servers`: "host:port:weight name". */
typedef struct server {
    evs_bytes address; /* host:port, or a path */
    evs_bytes weight;
    evs_bytes name; /* empty: none */
} server;

static const char *quoted(import *in, const evs__yaml *value)
{
    return value->kind == EVS__YAML_TEXT ? evs__quoted(&in->scratch, value->text)
                                         : "a list or a mapping";
}

static const evs__yaml *entry(const evs__yaml *map, const char *key)
{
    for (const evs__yaml *e = map->kind == EVS__YAML_MAP ? map->first : NULL; e; e = e->next) {
        if (strcmp(e->key->text.data, key) == 0)
            return e;
    }
    return NULL;
}

static int is_text(const evs__yaml *value, const char *text)
{
    return value != NULL && value->kind == EVS__YAML_TEXT && strcmp(value->text.data, text) == 0;
}

/* The last `c` in `text`; NULL when there is none. */
static const char *last_of(evs_bytes text, char c)
{
    return text.len == 0 ? NULL : memrchr(text.data, c, text.len);
}

static int all_digits(evs_bytes text)
{
    size_t i = 0;
    while (i < text.len && evs__is_digit(text.data[i]))
        i++;
    return i > 0 && i == text.len;
}

/* Read from the end, as twemproxy does: a name behind the last blank, a weight behind the last
 * colon. */
static int parse_server(evs_bytes line, server *out)
{
    const char *end = line.data + line.len, *blank = last_of(line, ' ');
    out->name = blank == NULL ? (evs_bytes){end, 0}
                              : (evs_bytes){blank + 1, (size_t)(end - blank - 1)};
    line.len = blank == NULL ? line.len : (size_t)(blank - line.data);
    const char *colon = last_of(line, ':');
    if (colon == NULL)
        return 0;
    out->weight = (evs_bytes){colon + 1, (size_t)(line.data + line.len - colon - 1)};
    out->address = (evs_bytes){line.data, (size_t)(colon - line.data)};
    if (out->address.len > 0 && out->address.data[0] == '/')
        return all_digits(out->weight);
    colon = last_of(out->address, ':');
    return colon != NULL && colon > out->address.data && all_digits(out->weight) &&
           all_digits(
               (evs_bytes){colon + 1, (size_t)(out->address.data + out->address.len - colon - 1)});
}

/* What twemproxy hashes: the name; else the host alone with port 11211, the path and a colon of a
 * unix socket, and host:port otherwise. */
static const char *ring_name(import *in, const server *s)
{
    static const char port[] = ":11211";
    size_t len = sizeof port - 1;
    if (s->name.len > 0)
        return evs__arena_text(&in->scratch, s->name.data, s->name.len);
    if (s->address.data[0] == '/')
        return evs__arena_format(&in->scratch, "%.*s:", (int)s->address.len, s->address.data);
    if (s->address.len > len && memcmp(s->address.data + s->address.len - len, port, len) == 0)
        return evs__arena_text(&in->scratch, s->address.data, s->address.len - len);
    return evs__arena_text(&in->scratch, s->address.data, s->address.len);
}

/* A name of a shard made of a ring name: letters, digits and a few marks, unique. */
static const char *shard_name(import *in, const char *ring)
{
    char base[LONGEST_NAME + 1];
    size_t len = 0, most = LONGEST_NAME - 5;
    for (const char *c = ring; *c != '\0' && len < most; c++) {
        int fine = evs__is_alnum(*c) || ((*c == '.' || *c == '_' || *c == '-') && len > 0);
        if (fine || len > 0)
            base[len++] = *c == ':' || !fine ? '-' : *c;
    }
    while (len > 0 && base[len - 1] == '-')
        len--;
    base[len] = '\0';
    const char *name = evs__arena_text(&in->scratch, len > 0 ? base : "shard", len > 0 ? len : 5);
    for (unsigned n = 2; name != NULL && evs__table_get(&in->names, evs_text(name)) != NULL; n++)
        name = evs__arena_format(&in->scratch, "%s-%u", len > 0 ? base : "shard", n);
    return name;
}

/* Text in double quotes of YAML. */
static void put_quoted(evs__buf *out, const char *text)
{
    evs__buf_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            evs__buf_char(out, '\\');
        evs__buf_char(out, *text);
    }
    evs__buf_char(out, '"');
}

static void put_server(import *in, const evs__yaml *line)
{
    server s;
    if (line->kind != EVS__YAML_TEXT || !parse_server(line->text, &s)) {
        evs__complain(in->diags, "E290", line->at, "%s is no server", quoted(in, line));
        evs__hint(in->diags, "twemproxy wants host:port:weight, and perhaps a blank and a name");
        return;
    }
    const char *ring = ring_name(in, &s);
    const char *name = ring == NULL ? NULL : shard_name(in, ring);
    if (name == NULL || !evs__table_set(&in->names, evs_text(name), in)) {
        evs__diagnostics_nomem(in->diags);
        return;
    }
    if (strlen(ring) > LONGEST_RING_NAME)
        evs__complain(in->diags, "E290", line->at, "a ring name has up to %d bytes",
                      LONGEST_RING_NAME);
    int path = s.address.data[0] == '/';
    evs__buf_format(&in->out, "      %s: {address: ", name);
    const char *address = evs__arena_format(&in->scratch, "%s%.*s", path ? "unix:" : "",
                                            (int)s.address.len, s.address.data);
    if (address == NULL) {
        evs__diagnostics_nomem(in->diags);
        return;
    }
    put_quoted(&in->out, address);
    if (strcmp(ring, name) != 0) {
        evs__buf_text(&in->out, ", ring_name: ");
        put_quoted(&in->out, ring);
    }
    evs__buf_format(&in->out, ", weight: %.*s}\n", (int)s.weight.len, s.weight.data);
}

static void put_servers(import *in, const evs__yaml *pool)
{
    const evs__yaml *servers = entry(pool, "servers");
    if (servers == NULL || servers->kind != EVS__YAML_LIST || servers->count == 0) {
        evs__complain(in->diags, "E290", pool->key->at, "pool \"%s\" has no servers",
                      pool->key->text.data);
        return;
    }
    evs__buf_text(&in->out, "    shards:\n");
    for (const evs__yaml *line = servers->first; line != NULL; line = line->next)
        put_server(in, line);
}

static void put_distribution(import *in, const evs__yaml *pool)
{
    const evs__yaml *value = entry(pool, "distribution"), *hash = entry(pool, "hash");
    if (is_text(value, "random")) {
        evs__complain(in->diags, "E290", value->at,
                      "distribution random puts a key on any server, which no map can do");
        return;
    }
    evs__buf_format(&in->out, "    distribution: %s\n",
                    value == NULL ? "ketama" : value->text.data);
    evs__buf_format(&in->out, "    hash: %s\n", hash == NULL ? "fnv1a_64" : hash->text.data);
}

static void put_tag(import *in, const evs__yaml *pool)
{
    const evs__yaml *tag = entry(pool, "hash_tag");
    if (tag != NULL && (tag->kind != EVS__YAML_TEXT || tag->text.len != 2))
        evs__complain(in->diags, "E290", tag->at, "hash_tag must be two characters");
    evs__buf_text(&in->out, "    hash_tag: ");
    put_quoted(&in->out, tag == NULL || tag->kind != EVS__YAML_TEXT ? "off" : tag->text.data);
    evs__buf_char(&in->out, '\n');
}

/* A number of an option; NULL when it is missing, or none, which is complained of. */
static const char *number_of(import *in, const evs__yaml *pool, const char *key)
{
    const evs__yaml *value = entry(pool, key);
    if (value == NULL)
        return NULL;
    if (value->kind == EVS__YAML_TEXT && value->text.len < 10 && all_digits(value->text))
        return value->text.data;
    evs__complain(in->diags, "E290", value->at, "%s must be a number, found %s", key,
                  quoted(in, value));
    return NULL;
}

/* What twemproxy looks at only to eject hosts; here it says when a shard is down. */
static void put_down(import *in, const evs__yaml *pool)
{
    const char *limit = number_of(in, pool, "server_failure_limit");
    const char *retry = number_of(in, pool, "server_retry_timeout");
    if (!is_text(entry(pool, "auto_eject_hosts"), "true"))
        return;
    if (limit != NULL)
        evs__buf_format(&in->out, "    down_after: %s\n", limit);
    if (retry != NULL)
        evs__buf_format(&in->out, "    retry_after: %sms\n", retry);
}

/* redis_auth, redis_db and timeout. */
static void put_connection(import *in, const evs__yaml *pool)
{
    const evs__yaml *auth = entry(pool, "redis_auth"), *db = entry(pool, "redis_db");
    const char *timeout = number_of(in, pool, "timeout");
    if (db != NULL && db->kind == EVS__YAML_TEXT)
        evs__buf_format(&in->out, "    db: %s\n", db->text.data);
    if (timeout != NULL)
        evs__buf_format(&in->out, "    command_timeout: %sms\n", timeout);
    if (auth == NULL)
        return;
    evs__conceal(in->diags, auth->at);
    evs__buf_text(&in->out, "    auth: {password_env: EVALSHARD_PASSWORD}\n");
    evs__complain(in->diags, "W390", auth->key->at,
                  "the password of redis_auth is not copied into the map");
    evs__hint(in->diags, "put it into the environment variable EVALSHARD_PASSWORD");
}

/* Options that a map has no word for, and what there is in their place. */
static const struct option {
    const char *name, *hint;
} options[] = {
    {"listen", "there is no proxy: clients connect to the shards themselves"},
    {"backlog", "there is no proxy that clients connect to"},
    {"client_connections", "there is no proxy that clients connect to"},
    {"reuseport", "there is no proxy that clients connect to"},
    {"tcpkeepalive", "connections to shards are probed anyway: see keepalive"},
    {"preconnect", "a connection is made when it is first needed"},
    {"server_connections", "a client has one connection to each shard, and pipelines on it"},
    {"auto_eject_hosts", "a dead shard keeps its keys: calls to it fail until it is back"},
    {"server_failure_limit", "without auto_eject_hosts it does nothing; see down_after"},
    {"server_retry_timeout", "without auto_eject_hosts it does nothing; see retry_after"},
};

static const char *hint_of(const char *name)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(options[i].name, name) == 0)
            return options[i].hint;
    }
    return NULL;
}

static int is_taken(const evs__yaml *pool, const char *key)
{
    static const char *const taken[] = {"servers",  "distribution", "hash",
                                        "hash_tag", "redis_db",     "redis_auth",
                                        "timeout",  "redis",        NULL};
    static const char *const ejecting[] = {"server_failure_limit", "server_retry_timeout", NULL};
    for (size_t i = 0; taken[i] != NULL; i++) {
        if (strcmp(key, taken[i]) == 0)
            return 1;
    }
    for (size_t i = 0; ejecting[i] != NULL; i++) {
        if (strcmp(key, ejecting[i]) == 0)
            return is_text(entry(pool, "auto_eject_hosts"), "true");
    }
    return 0;
}

/* What twemproxy does and a map has no word for: every key that was not taken. */
static void warn_of_rest(import *in, const evs__yaml *pool)
{
    const evs__yaml *redis = entry(pool, "redis");
    if (!is_text(redis, "true"))
        evs__complain(in->diags, "W390", redis == NULL ? pool->key->at : redis->at,
                      "pool \"%s\" speaks the protocol of memcached, and evalshard that of Redis",
                      pool->key->text.data);
    for (const evs__yaml *e = pool->first; e != NULL; e = e->next) {
        const char *key = e->key->text.data, *hint = hint_of(key);
        if (is_taken(pool, key))
            continue;
        evs__complain(in->diags, "W390", e->key->at,
                      hint == NULL ? "%s is no option that this version knows of twemproxy"
                                   : "%s has no counterpart in a shard map",
                      key);
        if (hint != NULL)
            evs__hint(in->diags, "%s", hint);
    }
}

static void put_pool(import *in, const evs__yaml *pool)
{
    evs__buf_format(&in->out,
                    "# Keys are where the pool \"%s\" of twemproxy has put them.\n"
                    "evalshard: 1\npools:\n  %s:\n    compat: twemproxy\n",
                    pool->key->text.data, pool->key->text.data);
    put_distribution(in, pool);
    put_tag(in, pool);
    put_connection(in, pool);
    put_down(in, pool);
    put_servers(in, pool);
    warn_of_rest(in, pool);
}

static const char *pool_names(import *in, const evs__yaml *root)
{
    const char *names = "";
    for (const evs__yaml *e = root->first; e != NULL && names != NULL; e = e->next)
        names = evs__arena_format(&in->scratch, "%s%s%s", names, names[0] == '\0' ? "" : ", ",
                                  e->key->text.data);
    return names == NULL ? "" : names;
}

/* The pool that is asked for, or the only one. */
static const evs__yaml *choose(import *in, const evs__yaml *root, const char *name)
{
    evs__range start = {1, 1, 1, 1};
    if (root->kind != EVS__YAML_MAP || root->count == 0) {
        evs__complain(in->diags, "E290", start, "there are no pools of twemproxy in this file");
        return NULL;
    }
    if (name == NULL && root->count > 1) {
        evs__complain(in->diags, "E291", start, "there are %zu pools: name one", root->count);
        evs__hint(in->diags, "pools: %s", pool_names(in, root));
        return NULL;
    }
    const evs__yaml *pool = name == NULL ? root->first : entry(root, name);
    if (pool == NULL) {
        evs__complain(in->diags, "E291", start, "there is no pool \"%s\"", name);
        evs__hint(in->diags, "pools: %s", pool_names(in, root));
    } else if (pool->kind != EVS__YAML_MAP) {
        evs__complain(in->diags, "E290", pool->at, "pool \"%s\" is no mapping",
                      pool->key->text.data);
        return NULL;
    }
    return pool;
}

/* Wrong hashes, weights and names show when the map is read. A missing password may be missing. */
static void verify(import *in, const evs__yaml *pool)
{
    evs_shardmap *map = NULL;
    evs_error err;
    if (!evs__buf_ok(&in->out) || evs__diagnostics_bad(in->diags))
        return;
    evs_status status = evs_shardmap_parse(&map, (evs_bytes){in->out.data, in->out.len}, "map",
                                           NULL, &err);
    if (status == EVS_E_NOMEM)
        evs__diagnostics_nomem(in->diags);
    else if (status != EVS_OK && status != EVS_E_SECRET)
        evs__complain(in->diags, "E290", pool->key->at, "pool \"%s\" makes no usable map: %s",
                      pool->key->text.data, err.message);
    evs_shardmap_free(map);
}

static void convert(import *in, evs_bytes text, const char *name)
{
    const evs__yaml *root = evs__yaml_read(&in->scratch, text, in->diags);
    const evs__yaml *pool = NULL;
    if (root != NULL)
        pool = choose(in, root, name);
    else if (!evs__diagnostics_bad(in->diags))
        evs__complain(in->diags, "E290", (evs__range){1, 1, 1, 1}, "the file holds nothing");
    if (pool != NULL) {
        put_pool(in, pool);
        verify(in, pool);
    }
    if (!evs__buf_ok(&in->out))
        evs__diagnostics_nomem(in->diags);
}

/* Hands over the map and what was said of the file. */
static evs_status finish(char **out, import *in, evs_diagnostics **diags, evs_error *err)
{
    evs_status status = evs__diagnostics_finish(in->diags, err);
    if (status == EVS_OK) {
        *out = evs__buf_take(&in->out);
        if (*out == NULL)
            status = evs__fail_nomem(err);
    }
    if (diags != NULL)
        *diags = in->diags;
    else
        evs_diagnostics_free(in->diags);
    return status;
}

evs_status evs_shardmap_import_twemproxy(char **out, const char *path, const char *pool,
                                         evs_diagnostics **diags, evs_error *err)
{
    evs__buf text = EVS__BUF_INIT;
    evs__file_got got = evs__file_read(&text, path, MOST_BYTES, NULL);
    int why = errno;
import in = {.scratch = EVS__ARENA_INIT, .diags = evs__diagnostics_new(path, (evs_bytes){text.data, text.len }), .out = EVS__BUF_INIT, .names = EVS__TABLE_INIT };
    evs_status status;
    if (diags != NULL)
        *diags = NULL;
    if (in.diags == NULL || got == EVS__FILE_NOMEM) {
        evs_diagnostics_free(in.diags);
        status = evs__fail_nomem(err);
    } else {
        if (got == EVS__FILE_READ)
            convert(&in, (evs_bytes){text.data, text.len}, pool);
        else
            evs__complain(in.diags, "E100", (evs__range){0, 0, 0, 0}, "cannot read the file: %s",
                          got == EVS__FILE_TOO_BIG ? "it is too large" : strerror(why));
        status = finish(out, &in, diags, err);
    }
    evs__buf_free(&in.out);
    evs__buf_free(&text);
    evs__table_free(&in.names);
    evs__arena_free(&in.scratch);
    return status;
}
