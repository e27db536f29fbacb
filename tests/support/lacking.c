/* lacking.c - allocations of calls that fail in turn, and what is said of those calls. */
#include "tests/support/lacking.h"

#include "core/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

int lacking_begin(lacking *l, const char *yaml)
{
    evs_error err;
    evs_bytes text = evs_text("redis.call('INCR', KEYS[1]) return 'done'");
    if (evs_shardmap_parse(&l->map, evs_text(yaml), "test.yaml", NULL, &err) == EVS_OK &&
        evs_registry_new(&l->registry, NULL, &err) == EVS_OK &&
        evs_script_load(l->registry, "count", text, NULL, &err) == EVS_OK)
        return 0;
    print_error("%s\n", err.message);
    return -1;
}

void lacking_end(lacking *l)
{
    evs_registry_free(l->registry);
    evs_shardmap_free(l->map);
}

evs_client *lacking_open(const lacking *l, int threaded)
{
    evs_error err;
    evs_client *client;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.threaded = threaded;
    if (evs_client_open(&client, l->map, l->registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return client;
}

static evs_status call(evs_client *client, const char *text, unsigned timeout_ms, evs_error *err)
{
    evs_reply *reply = NULL;
    evs_bytes key = evs_text(text);
    evs_invocation one = {.script = "count", .keys = &key, .nkeys = 1, .timeout_ms = timeout_ms};
    err->outcome = EVS_EXECUTED;
    evs_status status = evs_call(&reply, client, &one, err);
    evs_reply_free(reply);
    return status;
}

lacking_said lacking_call(evs_client *client, const char *key, const lack *one, unsigned timeout_ms)
{
    evs_error err;
    one->arm(one->n);
    evs_status status = call(client, key, timeout_ms, &err);
    size_t count = evs__mem_count();
    evs__mem_fail_at(0);
    return (lacking_said){status, err.outcome, count >= one->n};
}

void lacking_judge(const char *what, const lack *one, const lacking_said *said, long long ran)
{
    if (ran > 1 || (said->status == EVS_OK && ran != 1) ||
        (said->outcome == EVS_NOT_EXECUTED && ran > 0))
        fail_msg("%s, allocation %zu: %s, %s, ran %lld times", what, one->n,
                 evs_status_name(said->status), evs_outcome_text(said->outcome), ran);
}

void lacking_works(evs_client *client, const char *key)
{
    evs_error err;
    evs_status status = EVS_E_NOMEM;
    for (int i = 0; status != EVS_OK && i < 10000; i++) {
        status = call(client, key, LACKING_LONG_MS, &err);
        if (status != EVS_OK && status != EVS_E_NOMEM)
            fail_msg("%s", err.message);
        usleep(status == EVS_OK ? 0 : 1000);
    }
    assert_int_equal(status, EVS_OK);
}

void lacking_everywhere(const char *name, lacking_try *attempt, const void *what, size_t at_most)
{
    lack lacks[] = {{evs__mem_fail_once_at, 1}, {evs__mem_fail_at, 1}};
    size_t said[3] = {0}, tried = 0;
    for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
        for (int reached = 1; reached && lacks[i].n < at_most; lacks[i].n++) {
            lacking_said one = attempt(what, &lacks[i]);
            said[one.outcome]++;
            reached = one.reached;
            tried += (size_t)reached;
        }
    }
    print_message("%s: %zu allocations failed; NOT %zu, EXECUTED %zu, MAYBE %zu\n", name, tried,
                  said[EVS_NOT_EXECUTED], said[EVS_EXECUTED], said[EVS_MAYBE_EXECUTED]);
    assert_true(tried > 0);
}
