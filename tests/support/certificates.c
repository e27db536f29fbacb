#include "tests/support/certificates.h"

#include "tests/support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

static const char MAKE[] =
    "set -e; cd \"$1\"; umask 077\n"
    "new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "alone() { openssl req -x509 $new -days 30 -subj \"/CN=$1\" -keyout $1.key -out $1.pem; }\n"
    "signed() {\n"
    "  openssl req $new -subj \"/CN=$1\" -keyout $1.key -out $1.csr\n"
    "  printf '%s' \"$3\" >$1.ext\n"
    "  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $2 \\\n"
    "    -extfile $1.ext -out $1.pem\n"
    "}\n"
    "local='subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'\n"
    "alone ca; alone stranger\n"
    "signed server 30 \"$local\"\n"
    "signed other 30 subjectAltName=DNS:other.example\n"
    "signed old -1 \"$local\"\n"
    "signed client 30 ''\n"
    "openssl ec -in client.key -aes128 -passout pass:hunter2 -out locked.key\n";

void certificates_make(const char *folder)
{
    program_run run;
    RUN(&run, NULL, "/bin/sh", "-c", MAKE, "certificates", folder);
    if (run.exit_code != 0)
        fail_msg("certificates: %s", run.err);
    program_free(&run);
}

scratch_server *certificates_serve(scratch *area, const char *name, const char *cert,
                                   const char *clients, const char *versions)
{
    char pem[256], key[256], ca[256];
    const char *folder = scratch_folder(area);
    snprintf(pem, sizeof pem, "%s/%s.pem", folder, cert);
    snprintf(key, sizeof key, "%s/%s.key", folder, cert);
    snprintf(ca, sizeof ca, "%s/ca.pem", folder);
    const char *config[] = {"--tls-cert-file",    pem,      "--tls-key-file",     key,
                            "--tls-ca-cert-file", ca,       "--tls-auth-clients", clients,
                            "--tls-protocols",    versions, "--protected-mode",   "no"};
    const scratch_options opts = {SCRATCH_UNIX_AND_TLS, config, sizeof config / sizeof config[0]};
    scratch_server *server;
    if (scratch_start(&server, area, name, &opts) != SCRATCH_OK)
        fail_msg("%s", scratch_error(area));
    return server;
}
