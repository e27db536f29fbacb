/* Sentinels with a password and certificates of their own: neither is the servers'. */
#include "tests/support/certificates.h"
#include "tests/support/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static watched set;
static scratch *area;
static char ca[256], lines[1024];
static const watched_options options = {.password = "hunter2", .tls = lines};

static const char ADD[] = "--- Counts.\n-- @key k a counter\nreturn redis.call('INCR', KEYS[1])";

/* One call by a map with this group of sentinels. */
static evs_status call_by(const char *group, evs_error *err)
{
    char yaml[2048];
    evs_shardmap *map = NULL;
    evs_registry *registry = NULL;
    evs_client *client = NULL;
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("{k}");
    evs_invocation one = {.script = "add", .keys = &key, .nkeys = 1};
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\ndefaults: {connect_timeout: 20s, command_timeout: 20s}\n%s"
                       "shards: {a: {sentinel: eu, master_name: ledger-1}}\n",
                       group);
    evs_status status = evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "t", NULL, err);
    if (status == EVS_OK)
        status = evs_registry_new(&registry, NULL, err);
    if (status == EVS_OK)
        status = evs_script_load(registry, "add", evs_text(ADD), NULL, err);
    if (status == EVS_OK)
        status = evs_client_open(&client, map, registry, NULL, err);
    if (status == EVS_OK)
        status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    evs_client_free(client);
    evs_registry_free(registry);
    evs_shardmap_free(map);
    return status;
}

static void check(const char *more, int tls, evs_status status, const char *text)
{
    evs_error err = {0};
    char group[512];
    evs_status got = call_by(watched_group(&set, more, tls, group), &err);
    if (got != status || strstr(err.message, text) == NULL)
        fail_msg("%s: %s: %s", more, evs_status_name(got), err.message);
    assert_null(strstr(err.message, "hunter2"));
    assert_null(strstr(err.message, "wrong one"));
}

static void the_right_password_opens_sentinels(void **state)
{
    (void)state;
    setenv("EVS_TEST_SENTINEL", "hunter2", 1);
    check(", auth: {password_env: EVS_TEST_SENTINEL}", 0, EVS_OK, "");
    unsetenv("EVS_TEST_SENTINEL");
}

static void without_it_the_reason_is_clear_and_nobody_waits(void **state)
{
    (void)state;
    setenv("EVS_TEST_SENTINEL", "wrong one", 1);
    check("", 0, EVS_E_AUTH, "requires a password");
    check(", auth: {password_env: EVS_TEST_SENTINEL}", 0, EVS_E_AUTH, "AUTH refused");
    unsetenv("EVS_TEST_SENTINEL");
}

static void sentinels_are_reached_by_tls(void **state)
{
    (void)state;
    char more[512];
    setenv("EVS_TEST_SENTINEL", "hunter2", 1);
    snprintf(more, sizeof more, ", auth: {password_env: EVS_TEST_SENTINEL}, tls: {ca_file: \"%s\"}",
             ca);
    check(more, 1, EVS_OK, "");
    check(", auth: {password_env: EVS_TEST_SENTINEL}, tls: true", 1, EVS_E_TLS, "certificate");
    unsetenv("EVS_TEST_SENTINEL");
}

static int set_up(void **state)
{
    (void)state;
    if (scratch_new(&area) != SCRATCH_OK)
        return -1;
    const char *folder = scratch_folder(area);
    certificates_make(folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    snprintf(lines, sizeof lines,
             "tls-cert-file %s/server.pem\ntls-key-file %s/server.key\ntls-ca-cert-file %s\n"
             "tls-auth-clients no\n",
             folder, folder, ca);
    watched_start(&set, &options);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    watched_stop(&set);
    scratch_free(area);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_password_opens_sentinels),
        cmocka_unit_test(without_it_the_reason_is_clear_and_nobody_waits),
        cmocka_unit_test(sentinels_are_reached_by_tls),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
