#include "core/endpoint.h"

#include <strings.h>

static int same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

int evs__endpoint_same(const evs__endpoint *a, const evs__endpoint *b)
{
    if (a->host == NULL && b->host == NULL && a->path == NULL && b->path == NULL)
        return same_text(a->text, b->text);
    if (a->host == NULL || b->host == NULL)
        return a->host == b->host && same_text(a->path, b->path);
    return strcasecmp(a->host, b->host) == 0 && a->port == b->port;
}

int evs__tls_conf_same(const evs__tls_conf *a, const evs__tls_conf *b)
{
    return same_text(a->ca_file, b->ca_file) && same_text(a->ca_dir, b->ca_dir) &&
           same_text(a->cert_file, b->cert_file) && same_text(a->key_file, b->key_file) &&
           a->verify == b->verify && a->only_1_3 == b->only_1_3;
}

static int same_tls(const evs__tls_conf *a, const evs__tls_conf *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return same_text(a->server_name, b->server_name) && evs__tls_conf_same(a, b);
}

int evs__login_same(const evs__login *a, const evs__login *b)
{
    return evs__endpoint_same(&a->endpoint, &b->endpoint) && a->db == b->db &&
           same_text(a->username, b->username) && same_text(a->password, b->password) &&
           same_text(a->client_name, b->client_name) && a->primary == b->primary &&
           a->replica == b->replica && a->readonly == b->readonly && same_tls(a->tls, b->tls);
}
