/*
 * Every form of address that a map may have, against real servers; and the ways in which TLS is set
 * up wrongly, each with its own status and words, as a caller of a script sees them.
 */
#include "tests/support/certificates.h"
#include "tools/scratch/scratch.h"

#include <evalshard/evalshard.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 256 };

static struct {
    scratch *area;
    scratch_server *clear, *tls;
    evs_registry *registry;
} common;

static const char NAME[] = "--- Who is it?\n-- @key k anything\nreturn redis.call('GET', 'me')";

static scratch_server *start_tls(const char *name, const char *cert, const char *clients)
{
    return certificates_serve(common.area, name, cert, clients, "TLSv1.2 TLSv1.3");
}

static int set_up(void **state)
{
    (void)state;
    /* a minus in front: as well, where the machine has it */
    static const char *const config[] = {"--bind", "127.0.0.1", "-::1"};
    const scratch_options opts = {SCRATCH_UNIX_AND_TCP, config, 3};
    if (scratch_new(&common.area) != SCRATCH_OK ||
        scratch_start(&common.clear, common.area, "clear", &opts) != SCRATCH_OK)
        return -1;
    certificates_make(scratch_folder(common.area));
    common.tls = start_tls("tls", "server", "no");
    return evs_registry_new(&common.registry, NULL, NULL) == EVS_OK &&
                   evs_script_load(common.registry, "name", evs_text(NAME), NULL, NULL) == EVS_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    evs_registry_free(common.registry);
    scratch_free(common.area);
    return 0;
}

/* One call to a shard at that address; a relative path of `tls` is one in the servers' folder. */
static evs_status call(const char *address, const char *tls, unsigned connect_ms, evs_error *err)
{
    char yaml[1024], file[ROOM];
    evs_shardmap *map = NULL;
    evs_client *client = NULL;
    evs_reply *reply = NULL;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\n"
                       "defaults: {connect_timeout: %ums, command_timeout: 60s}\n"
                       "shards:\n  a: {address: \"%s\"%s}\n",
                       connect_ms, address, tls);
    snprintf(file, sizeof file, "%s/map.yaml", scratch_folder(common.area));
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(yaml, 1, (size_t)len, out), len);
    fclose(out);
    if (evs_shardmap_load(&map, file, NULL, err) != EVS_OK ||
        evs_client_open(&client, map, common.registry, NULL, err) != EVS_OK)
        fail_msg("%s", err->message);
    evs_bytes key = evs_text("k");
    evs_invocation one = {.script = "name", .keys = &key, .nkeys = 1};
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    evs_client_free(client);
    evs_shardmap_free(map);
    return status;
}

static void reaches(const char *address, const char *tls)
{
    evs_error err;
    if (call(address, tls, 20000, &err) != EVS_OK)
        fail_msg("%s: %s", address, err.message);
}

/* `form` holds a %d for the port. */
static void reaches_form(const char *form, const scratch_server *server, const char *tls)
{
    char address[ROOM];
    const char *port = strstr(form, "%d");
    assert_non_null(port);
    snprintf(address, sizeof address, "%.*s%d%s", (int)(port - form), form, scratch_port(server),
             port + 2);
    reaches(address, tls);
}

/* ---- forms ---- */

static int has_ipv6(void)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int works = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        close(fd);
    return works;
}

static void hosts_and_sockets_are_reached(void **state)
{
    (void)state;
    static const char *const forms[] = {"127.0.0.1:%d", "localhost:%d", "redis://127.0.0.1:%d",
                                        "redis://localhost:%d/"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        reaches_form(forms[i], common.clear, "");
    reaches(scratch_address(common.clear), "");
}

static void so_are_addresses_of_ipv6(void **state)
{
    (void)state;
    if (!has_ipv6())
        skip();
    reaches_form("[::1]:%d", common.clear, "");
    reaches_form("redis://[::1]:%d", common.clear, "");
}

static void a_scheme_or_a_key_says_tls(void **state)
{
    (void)state;
    reaches_form("rediss://127.0.0.1:%d", common.tls, ", tls: {ca_file: ca.pem}");
    reaches_form("rediss://localhost:%d/", common.tls, ", tls: {ca_file: ca.pem}");
    reaches_form("127.0.0.1:%d", common.tls, ", tls: {ca_file: ca.pem}");
    reaches_form("127.0.0.1:%d", common.tls,
                 ", tls: {ca_file: ca.pem, server_name: localhost, min_version: \"1.3\"}");
    reaches_form("127.0.0.1:%d", common.tls, ", tls: {verify: none}");
    reaches_form("127.0.0.1:%d", common.tls,
                 ", tls: {ca_file: ca.pem, server_name: db.example, verify: ca}");
}

/* OpenSSL takes them from where SSL_CERT_FILE and SSL_CERT_DIR say. */
static void without_a_file_the_authorities_of_the_system_count(void **state)
{
    (void)state;
    char path[ROOM];
    snprintf(path, sizeof path, "%s/ca.pem", scratch_folder(common.area));
    assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
    reaches_form("rediss://127.0.0.1:%d", common.tls, "");
    reaches_form("127.0.0.1:%d", common.tls, ", tls: true");
    snprintf(path, sizeof path, "%s/stranger.pem", scratch_folder(common.area));
    assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
    evs_error err;
    snprintf(path, sizeof path, "rediss://127.0.0.1:%d", scratch_port(common.tls));
    assert_int_equal(call(path, "", 20000, &err), EVS_E_TLS);
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
}

/* ---- set up wrongly ---- */

static void fails(int port, const char *tls, evs_status status, const char *words)
{
    char address[ROOM];
    evs_error err;
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    evs_status got = call(address, tls, status == EVS_E_CONNECT ? 3000 : 20000, &err);
    print_message("%s\n", err.message);
    if (got != status || err.outcome != EVS_NOT_EXECUTED || strstr(err.message, words) == NULL)
        fail_msg("%s, not \"%s\": %s", evs_status_name(got), words, err.message);
}

/* A redis-server in the clear waits for the end of a line, which a handshake has none of, and so
 * says nothing at all. */
static void each_mistake_has_its_own_words(void **state)
{
    (void)state;
    scratch_server *other = start_tls("other", "other", "no");
    scratch_server *expired = start_tls("expired", "old", "no");
    scratch_server *strict = start_tls("strict", "server", "yes");
    fails(scratch_port(common.tls), ", tls: {ca_file: stranger.pem}", EVS_E_TLS,
          "it is from no CA we trust");
    fails(scratch_port(other), ", tls: {ca_file: ca.pem}", EVS_E_TLS,
          "the server's certificate is not for 127.0.0.1");
    fails(scratch_port(expired), ", tls: {ca_file: ca.pem}", EVS_E_TLS, "certificate has expired");
    fails(scratch_port(strict), ", tls: {ca_file: ca.pem}", EVS_E_TLS,
          "the server requires a client certificate (cert_file, key_file)");
    fails(scratch_port(common.clear), ", tls: {ca_file: ca.pem}", EVS_E_CONNECT,
          "in the TLS handshake: does it speak TLS at this port?");
    scratch_stop(other);
    scratch_stop(expired);
    scratch_stop(strict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_and_sockets_are_reached),
        cmocka_unit_test(so_are_addresses_of_ipv6),
        cmocka_unit_test(a_scheme_or_a_key_says_tls),
        cmocka_unit_test(without_a_file_the_authorities_of_the_system_count),
        cmocka_unit_test(each_mistake_has_its_own_words),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
