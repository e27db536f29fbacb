#include "tests/support/certificates.h"

#include "tests/support/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
