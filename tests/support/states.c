#include "tests/support/states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TIMEOUT_MS = 60000 };

long long states_do(states *w, const char *command)
{
    redisReply *reply = redisCommand(w->side, command);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", command, reply->str);
    long long number = reply->type == REDIS_REPLY_INTEGER  ? reply->integer
                       : reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10)
                                                           : 0;
    freeReplyObject(reply);
    return number;
}

static void load_scripts(states *w)
{
    w->honest = shards_script(&w->set, "honest", "redis.call('INCR', KEYS[1]) return 'done'");
    w->liar = shards_script(&w->set, "liar", "return redis.pcall('INCR', KEYS[1])");
    w->reader = shards_script(&w->set, "reader",
                              "--- Reads.\n-- @key k any\n-- @retry read_only\n"
                              "return redis.pcall('GET', KEYS[1])");
}

void states_begin(states *w, const char *const *config, size_t nconfig)
{
    scratch_options options = {.config = config, .nconfig = nconfig};
    evs_client_options hasty = EVS_CLIENT_OPTIONS_INIT;
    hasty.patience = EVS_PATIENCE_NONE;
    memset(w, 0, sizeof *w);
    assert_int_equal(scratch_new(&w->set.area), SCRATCH_OK);
    if (scratch_start(&w->set.servers[0], w->set.area, "s0", &options) != SCRATCH_OK)
        fail_msg("%s", scratch_error(w->set.area));
    const char *address = scratch_address(w->set.servers[0]);
    shards_open(&w->set, &address, 1, NULL);
    assert_int_equal(evs_client_open(&w->hasty, w->set.map, w->set.registry, &hasty, NULL), EVS_OK);
    w->side = shards_side(&w->set);
    load_scripts(w);
}

void states_end(states *w)
{
    evs_client_free(w->hasty);
    shards_stop(&w->set);
}

void states_expect(states *w, evs_client *client, const evs_script *script, evs_status status,
                   evs_outcome outcome, long long ran)
{
    evs_error err = {0};
    evs_reply *reply = NULL;
    evs_bytes key = evs_text("c");
    long long before = states_do(w, "GET c");
    evs_invocation call = {.handle = script, .keys = &key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    evs_status got = evs_call(&reply, client, &call, &err);
    evs_reply_free(reply);
    if (got != status || (status != EVS_OK && err.outcome != outcome))
        fail_msg("%s: %s, %s: %s", evs_script_name(script), evs_status_name(got),
                 evs_outcome_text(err.outcome), err.message);
    assert_int_equal(states_do(w, "GET c") - before, ran);
}

static void note(void *arg, const evs_result *result)
{
    states_call *self = arg;
    self->done++;
    self->status = result->status;
    self->outcome = result->outcome;
}

void states_submit(evs_client *client, const evs_script *script, states_call *into)
{
    evs_bytes key = evs_text("c");
    evs_invocation call = {.handle = script, .keys = &key, .nkeys = 1, .timeout_ms = TIMEOUT_MS};
    assert_int_equal(evs_submit(client, &call, note, into, NULL), EVS_OK);
}

void states_finish(evs_client *client, const states_call *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        while (!all[i].done)
            evs_client_process(client, -1, NULL);
}
