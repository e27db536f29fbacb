/*
 * tls_context.c - from settings to an SSL_CTX, one per distinct settings.
 *
 * A context remembers what its files looked like. Whoever connects after one was replaced, as a
 * certificate is every few weeks, gets a new context; connections that are there keep theirs.
 */
#include "core/net/tls_inner.h"

#include "core/arena.h"
#include "core/mem.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES = 4 };

/* A file at one moment; all 0 for none. */
typedef struct stamp {
    struct timespec changed;
    off_t size;
    ino_t inode;
} stamp;

typedef struct context {
    struct context *next;
    evs__tls_conf conf; /* its texts are in `texts` */
    evs__arena texts;
    SSL_CTX *made; /* ours */
    stamp stamps[FILES];
} context;

struct evs__tls_contexts {
    context *first;
    BIO_METHOD *transport;
};

evs__tls_contexts *evs__tls_contexts_new(void)
{
    evs__tls_contexts *contexts = evs__zalloc_array(1, sizeof *contexts);
    if (contexts == NULL)
        return NULL;
    contexts->transport = evs__tls_transport_new();
    if (contexts->transport != NULL)
        return contexts;
    evs__free(contexts);
    return NULL;
}

const BIO_METHOD *evs__tls_transport(const evs__tls_contexts *contexts)
{
    return contexts->transport;
}

static void drop(context *old)
{
    if (old == NULL)
        return;
    SSL_CTX_free(old->made);
    evs__arena_free(&old->texts);
    evs__free(old);
}

void evs__tls_contexts_free(evs__tls_contexts *contexts)
{
    if (contexts == NULL)
        return;
    while (contexts->first != NULL) {
        context *first = contexts->first;
        contexts->first = first->next;
        drop(first);
    }
    BIO_meth_free(contexts->transport);
    evs__free(contexts);
}

/* ---- settings ---- */

static void take_stamps(stamp stamps[FILES], const evs__tls_conf *conf)
{
    const char *paths[FILES] = {conf->ca_file, conf->ca_dir, conf->cert_file, conf->key_file};
    memset(stamps, 0, FILES * sizeof *stamps);
    for (size_t i = 0; i < FILES; i++) {
        struct stat about;
        if (paths[i] == NULL || stat(paths[i], &about) != 0)
            continue;
        stamps[i].changed = about.st_mtim;
        stamps[i].size = about.st_size;
        stamps[i].inode = about.st_ino;
    }
}

static int copy_text(evs__arena *texts, const char **out, const char *text)
{
    *out = text == NULL ? NULL : evs__arena_text(texts, text, strlen(text));
    return text == NULL || *out != NULL;
}

static int copy_conf(context *out, const evs__tls_conf *conf)
{
    evs__tls_conf *own = &out->conf;
    *own = *conf;
    own->server_name = NULL;
    return copy_text(&out->texts, &own->ca_file, conf->ca_file) &&
           copy_text(&out->texts, &own->ca_dir, conf->ca_dir) &&
           copy_text(&out->texts, &own->cert_file, conf->cert_file) &&
           copy_text(&out->texts, &own->key_file, conf->key_file);
}

/* ---- making one ---- */

/* The oldest error that OpenSSL wrote down: the newer ones are its consequences. */
static int refuse(char *problem, const char *what, const char *path)
{
    unsigned long code = ERR_peek_error();
    const char *why = ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                                             : ERR_reason_error_string(code);
    snprintf(problem, EVS__TLS_PROBLEM, "%s %s cannot be used: %s", what, path,
             why == NULL ? "unknown reason" : why);
    return 0;
}

/* Otherwise OpenSSL would ask for the password of a key at the terminal. */
static int no_password(char *buf, int size, int writing, void *data)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

static int load_trust(SSL_CTX *made, const evs__tls_conf *conf, char *problem)
{
    if (conf->ca_file == NULL && conf->ca_dir == NULL) {
        SSL_CTX_set_default_verify_paths(made); /* nothing there: no server is trusted */
        return 1;
    }
    if (conf->ca_file != NULL && !SSL_CTX_load_verify_file(made, conf->ca_file))
        return refuse(problem, "ca_file", conf->ca_file);
    if (conf->ca_dir != NULL && !SSL_CTX_load_verify_dir(made, conf->ca_dir))
        return refuse(problem, "ca_dir", conf->ca_dir);
    return 1;
}

static int load_own(SSL_CTX *made, const evs__tls_conf *conf, char *problem)
{
    if (conf->cert_file == NULL || conf->key_file == NULL)
        return 1;
    if (SSL_CTX_use_certificate_chain_file(made, conf->cert_file) != 1)
        return refuse(problem, "cert_file", conf->cert_file);
    if (SSL_CTX_use_PrivateKey_file(made, conf->key_file, SSL_FILETYPE_PEM) != 1)
        return refuse(problem, "key_file", conf->key_file);
    return 1;
}

static void set_manners(SSL_CTX *made, const evs__tls_conf *conf)
{
    SSL_CTX_set_min_proto_version(made, conf->only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_verify(made, conf->verify == EVS__VERIFY_NONE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       NULL);
    SSL_CTX_set_default_passwd_cb(made, no_password);
    /* Writing never has to read first, and servers that end without a farewell are none the worse.
     */
    SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(made, evs__tls_new_session);
}

static SSL_CTX *make(const evs__tls_conf *conf, char *problem)
{
    SSL_CTX *made = SSL_CTX_new(TLS_client_method());
    if (made == NULL) {
        snprintf(problem, EVS__TLS_PROBLEM, "OpenSSL cannot make a context");
        return NULL;
    }
    set_manners(made, conf);
    if (load_trust(made, conf, problem) && load_own(made, conf, problem))
        return made;
    SSL_CTX_free(made);
    return NULL;
}

static context *add(evs__tls_contexts *contexts, const evs__tls_conf *conf, char *problem)
{
    context *fresh = evs__zalloc_array(1, sizeof *fresh);
    if (fresh == NULL || !copy_conf(fresh, conf)) {
        snprintf(problem, EVS__TLS_PROBLEM, "out of memory");
        drop(fresh);
        return NULL;
    }
    take_stamps(fresh->stamps, conf);
    fresh->made = make(conf, problem);
    if (fresh->made == NULL) {
        drop(fresh);
        return NULL;
    }
    fresh->next = contexts->first;
    contexts->first = fresh;
    return fresh;
}

/* The place of the context for these settings in the list, or of the list's end. */
static context **find(evs__tls_contexts *contexts, const evs__tls_conf *conf)
{
    context **at = &contexts->first;
    while (*at != NULL && !evs__tls_conf_same(&(*at)->conf, conf))
        at = &(*at)->next;
    return at;
}

SSL_CTX *evs__tls_context(evs__tls_contexts *contexts, const evs__tls_conf *conf, char *problem)
{
    stamp now[FILES];
    context **at = find(contexts, conf), *found = *at;
    take_stamps(now, conf);
    if (found != NULL && memcmp(now, found->stamps, sizeof now) == 0)
        return found->made;
    if (found != NULL) {
        *at = found->next;
        drop(found);
    }
    ERR_clear_error();
    found = add(contexts, conf, problem);
    ERR_clear_error();
    return found == NULL ? NULL : found->made;
}
