/* A replica of a real cluster that speaks TLS alone is read from. */
#include "tests/support/certificates.h"
#include "tests/support/readers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PATH_ROOM = 300, REPLICA = 1, READS = 20 };

static const char *folder; /* of the certificates */

static evs_client *open_trusting(const char *authority, evs_patience patience)
{
    char rule[4 * PATH_ROOM];
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.patience = patience;
    snprintf(rule, sizeof rule,
             "replica\n    tls: {ca_file: %s/%s, cert_file: %s/client.pem, key_file: "
             "%s/client.key}",
             folder, authority, folder, folder);
    return readers_open(rule, &options);
}

static void a_replica_is_read_from_by_tls(void **state)
{
    (void)state;
    evs_client *client = open_trusting("ca.pem", EVS_PATIENCE_DEADLINE);
    nodes_count_anew(&readers.set);
    for (int i = 0; i < READS; i++)
        reading_read(client, "get", reading_key(i));
    assert_int_equal(nodes_ran(&readers.set, 0, "evalsha_ro"), 0);
    assert_true(nodes_ran(&readers.set, REPLICA, "evalsha_ro") >= READS);
    evs_client_free(client);
}

static void a_stranger_is_not_believed(void **state)
{
    (void)state;
    evs_error err;
    evs_client *client = open_trusting("stranger.pem", EVS_PATIENCE_NONE);
    assert_int_equal(reading_try(client, "get", reading_key(0), 0, &err), EVS_E_TLS);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "certificate"));
    evs_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_is_read_from_by_tls),
        cmocka_unit_test(a_stranger_is_not_believed),
    };
    scratch *papers;
    char pem[PATH_ROOM], key[PATH_ROOM], ca[PATH_ROOM];
    if (scratch_new(&papers) != SCRATCH_OK)
        abort();
    folder = scratch_folder(papers);
    certificates_make(folder);
    snprintf(pem, sizeof pem, "%s/server.pem", folder);
    snprintf(key, sizeof key, "%s/server.key", folder);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    const char *config[] = {"--tls-cert-file",    pem,   "--tls-key-file",     key,
                            "--tls-ca-cert-file", ca,    "--tls-auth-clients", "yes",
                            "--tls-cluster",      "yes", "--tls-replication",  "yes"};
    scratch_options how = {SCRATCH_UNIX_AND_TLS, config, sizeof config / sizeof config[0]};
    readers_start(1, 1, &how);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    readers_stop();
    scratch_free(papers);
    return failed;
}
