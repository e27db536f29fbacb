#include "tests/support/one_server.h"

#include "tools/scratch/scratch.h"

#include <hiredis/hiredis.h>

static scratch *area;

int one_server_begin(void **state)
{
    scratch_server *server;
    if (scratch_new(&area) != SCRATCH_OK || scratch_start(&server, area, "one", NULL) != SCRATCH_OK)
        return -1;
    redisContext *c = redisConnectUnix(scratch_socket(server));
    *state = c;
    return c == NULL || c->err ? -1 : 0;
}

int one_server_end(void **state)
{
    if (*state != NULL)
        redisFree(*state);
    scratch_free(area);
    return 0;
}
