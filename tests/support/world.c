#include "tests/support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>

void world_open(world *w, fake_listen listen, const fake_step *steps, size_t nsteps,
                const evs_client_options *options)
{
    memset(w, 0, sizeof *w);
    w->fake = fake_shard_start(listen, steps, nsteps);
    const char *address = fake_shard_address(w->fake);
    shards_open(&w->set, &address, 1, NULL);
    w->script = shards_script(&w->set, "one", "return 1");
    if (options == NULL)
        return;
    evs_client_free(w->set.client);
    assert_int_equal(evs_client_open(&w->set.client, w->set.map, w->set.registry, options, NULL),
                     EVS_OK);
}

void world_close(world *w)
{
    evs_client_free(w->set.client);
    w->set.client = NULL;
    fake_shard_stop(w->fake);
    shards_stop(&w->set);
}

static void note(void *arg, const evs_result *result)
{
    slot *self = arg;
    self->done++;
    self->order = ++self->all->done;
    self->status = result->status;
    self->outcome = result->outcome;
    self->number = evs_reply_integer(result->reply);
    if (self->then != NULL)
        self->then(self);
}

evs_status world_submit(world *w, slot *self, unsigned timeout_ms)
{
    evs_bytes key = evs_text("k");
    evs_invocation call = {.handle = w->script,
                           .keys = &key,
                           .nkeys = 1,
                           .timeout_ms = timeout_ms,
                           .ticket = &self->ticket};
    self->all = w;
    return evs_submit(w->set.client, &call, note, self, NULL);
}

void world_finish(world *w)
{
    while (evs_client_pending(w->set.client) > 0)
        assert_int_equal(evs_client_process(w->set.client, -1, NULL), EVS_OK);
}

void world_poll(world *w)
{
    struct pollfd wait = {.events = POLLIN};
    assert_int_equal(evs_client_fd(&wait.fd, w->set.client, NULL), EVS_OK);
    while (evs_client_pending(w->set.client) > 0) {
        assert_int_equal(poll(&wait, 1, WORLD_PATIENCE_MS), 1);
        assert_int_equal(evs_client_process(w->set.client, 0, NULL), EVS_OK);
    }
}
