#include "conf/tls_conf.h"

#include "conf/address.h"
#include "conf/kinds.h"
#include "conf/path.h"
#include "conf/quoted.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef EVS_TLS
enum { BUILT = 1 };
#else
enum { BUILT = 0 };
#endif

enum { LONGEST_HOST = 253 };

#define AT(member) offsetof(evs__tls_keys, member)

static void read_path(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    const char *text = NULL;
    evs__read_text(r, field, value, &text);
    if (text == NULL)
        return;
    evs__tls_path *path = evs__arena_zalloc(r->scratch, 1, sizeof *path);
    if (path == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    path->at = value;
    *(evs__tls_path **)at = path;
}

static void read_verify(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    evs__read_word(r, field, value, at);
    if (value->kind != EVS__YAML_TEXT || strcmp(value->text.data, "none") != 0)
        return;
    evs__complain(r->diags, "W341", value->at,
                  "with verify: none anybody can pretend to be the server%s", evs__where(r));
    evs__hint(r->diags, "name the CA of the servers in ca_file");
}

static const evs__word verifies[] = {
    {"full", EVS__VERIFY_FULL}, {"ca", EVS__VERIFY_CA}, {"none", EVS__VERIFY_NONE}};

static const evs__word versions[] = {{"1.2", 0}, {"1.3", 1}};

#define PATH(key)                                                                 \
    {                                                                             \
        .name = #key, .read = read_path, .offset = AT(key), .min = 1, .max = 4000 \
    }
#define WORDS(table) .words = table, .nwords = sizeof table / sizeof table[0]

static const evs__field fields[] = {
    PATH(ca_file),
    PATH(ca_dir),
    PATH(cert_file),
    PATH(key_file),
    {.name = "verify", .read = read_verify, .offset = AT(verify), WORDS(verifies)},
    {.name = "server_name",
     .read = evs__read_text,
     .offset = AT(server_name),
     .min = 1,
     .max = LONGEST_HOST},
    {.name = "min_version", .read = evs__read_word, .offset = AT(only_1_3), WORDS(versions)},
};

const evs__kind evs__kind_tls = {
    .where = "in tls",
    .fields = fields,
    .nfields = sizeof fields / sizeof fields[0],
};

void evs__read_tls(evs__reading *r, const evs__field *field, const evs__yaml *value, void *at)
{
    evs__tls_keys *keys = at;
    if (value->kind == EVS__YAML_MAP) {
        keys->wanted = evs__read_mapping(r, &evs__kind_tls, value, keys);
        keys->on = value;
        return;
    }
    if (!evs__want_filled(r, value))
        return;
    if (value->kind == EVS__YAML_LIST) {
        evs__complain(r->diags, "E215", value->at, "%s must be true, false or a mapping, found %s",
                      evs__subject(r, value), evs__found(r, value));
        return;
    }
    evs__read_true(r, field, value, &keys->wanted);
    keys->on = value;
}

/* ---- what a shard gets ---- */

static void check_key_mode(evs__reading *r, const evs__tls_path *path, mode_t mode)
{
    if ((mode & (S_IRGRP | S_IROTH)) == 0)
        return;
    evs__complain(r->diags, "W340", path->at->at, "others than its owner may read key file %s",
                  evs__quoted(r->scratch, path->at->text));
    evs__hint(r->diags, "chmod go-r on it");
}

/* 0 when it can be read, else an errno. */
static int look(const char *path, int want_folder, struct stat *about)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno;
    int problem = fstat(fd, about) == 0 ? 0 : errno;
    close(fd);
    if (problem == 0 && !S_ISDIR(about->st_mode) && want_folder)
        return ENOTDIR;
    return problem == 0 && S_ISDIR(about->st_mode) && !want_folder ? EISDIR : problem;
}

static void check_file(evs__reading *r, const evs__tls_path *path, const char *full)
{
    struct stat about;
    const char *key = path->at->key->text.data;
    int problem = look(full, strcmp(key, "ca_dir") == 0, &about);
    if (problem != 0)
        evs__complain(r->diags, "E262", path->at->at, "%s %s cannot be read: %s", key,
                      evs__quoted(r->scratch, path->at->text), strerror(problem));
    else if (strcmp(key, "key_file") == 0)
        check_key_mode(r, path, about.st_mode);
}

static const char *path_of(evs__reading *r, evs__tls_path *path)
{
    if (path == NULL || path->tried)
        return path == NULL ? NULL : path->path;
    path->tried = 1;
    const char *full = evs__full_path(r, path->at->text.data);
    if (full == NULL)
        return NULL;
    if (!r->bare)
        check_file(r, path, full);
    path->path = evs__keep(r, evs_text(full));
    return path->path;
}

/* Across mappings: defaults may hold the certificate and a shard the key. */
static void check_pair(evs__reading *r, const evs__tls_keys *keys)
{
    evs__tls_path *alone = keys->cert_file == NULL ? keys->key_file : keys->cert_file;
    if ((keys->cert_file == NULL) == (keys->key_file == NULL) || alone->blamed)
        return;
    alone->blamed = 1;
    evs__complain(r->diags, "E263", alone->at->key->at, "%s without %s (tls of %s \"%s\")",
                  alone->at->key->text.data, keys->cert_file == NULL ? "cert_file" : "key_file",
                  r->noun, r->name);
    evs__hint(r->diags, "a client certificate takes both");
}

/* The address and the key may both say whether TLS is wanted. 0 after complaining. */
static int agree(evs__reading *r, const evs__tls_keys *keys, const evs__yaml *address, int is_unix)
{
    evs__scheme scheme = evs__address_scheme(address);
    const char *problem = NULL, *hint = "";
    if (keys->on != NULL && keys->wanted && is_unix) {
        problem = "is a unix socket, where servers do not speak TLS";
        hint = "write tls: false for this shard";
    } else if (keys->on != NULL && keys->wanted && scheme == EVS__SCHEME_REDIS) {
        problem = "is without TLS, but tls is on";
        hint = "write rediss:// or host:port, or tls: false for this shard";
    } else if (keys->on != NULL && !keys->wanted && scheme == EVS__SCHEME_REDISS) {
        problem = "is by TLS, but tls is off";
        hint = "write redis:// or host:port, or leave tls: false out";
    }
    if (problem == NULL)
        return 1;
    evs__complain(r->diags, "E261", address->at, "%s %s (tls at %d:%d)%s", evs__found(r, address),
                  problem, keys->on->at.line, keys->on->at.column, evs__where(r));
    evs__hint(r->diags, "%s", hint);
    return 0;
}

static void check_built(evs__reading *r, const evs__tls_keys *keys, const evs__yaml *address)
{
    if (BUILT)
        return;
    evs__complain(r->diags, "E203", keys->on == NULL ? address->at : keys->on->at,
                  "TLS is not supported%s", evs__where(r));
    evs__hint(r->diags, "this build of evalshard was made without TLS (EVS_TLS)");
}

void evs__tls_login(evs__reading *r, const evs__tls_keys *keys, const evs__yaml *address,
                    evs__login *login)
{
    int is_unix = login->endpoint.path != NULL;
    if (!agree(r, keys, address, is_unix) ||
        !(keys->wanted || evs__address_scheme(address) == EVS__SCHEME_REDISS))
        return;
    check_built(r, keys, address);
    check_pair(r, keys);
    evs__tls_conf *conf = evs__arena_zalloc(r->arena, 1, sizeof *conf);
    if (conf == NULL) {
        evs__diagnostics_nomem(r->diags);
        return;
    }
    *conf = (evs__tls_conf){
        .ca_file = path_of(r, keys->ca_file),
        .ca_dir = path_of(r, keys->ca_dir),
        .cert_file = path_of(r, keys->cert_file),
        .key_file = path_of(r, keys->key_file),
        .server_name = keys->server_name,
        .verify = (evs__tls_verify)keys->verify,
        .only_1_3 = keys->only_1_3,
    };
    login->tls = conf;
}
