#include "scripts/audit/api.h"

#include <string.h>

enum { ALWAYS = EVS__VERSION_ALWAYS, NEVER = EVS__VERSION_NEVER };

static int is(evs_bytes bytes, const char *text)
{
    return bytes.len == strlen(text) && memcmp(bytes.data, text, bytes.len) == 0;
}

const evs__api *evs__api_find(evs_bytes table, evs_bytes name)
{
    static const evs__api apis[] = {
#define EVS_SANDBOX(table, name, redis, redis_until, valkey, valkey_until) \
    {table, name, {redis, valkey}, {redis_until, valkey_until}},
#include "scripts/audit/api.def"
#undef EVS_SANDBOX
    };
    for (size_t i = 0; i < sizeof apis / sizeof *apis; i++)
        if (is(table, apis[i].table) && is(name, apis[i].name))
            return &apis[i];
    return NULL;
}

int evs__api_is_gone(const evs__api *api)
{
    int no_redis = api->from.redis == NEVER || api->until.redis != NEVER;
    int no_valkey = api->from.valkey == NEVER || api->until.valkey != NEVER;
    return no_redis && no_valkey;
}

const evs__target *evs__api_missing(const evs__api *api, const evs__targets *targets)
{
    const evs__target *old = evs__target_before(targets, api->from);
    return old != NULL ? old : evs__target_from(targets, api->until);
}
