/*
 * Calls that threads hand to a client and do not wait for: those of one thread to one shard run in
 * the order in which it submitted them, and complete in it, whatever others do.
 */
#include "tests/support/crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

typedef struct one_call {
    long number; /* of the calls of its worker, from 1 */
    struct line *line;
} one_call;

/* What became of the calls of one worker. */
typedef struct line {
    one_call calls[CROWD_EACH];
    atomic_long done, wrong;
} line;

static line lines[CROWD_MOST];

static void take(void *arg, const evs_result *result)
{
    const one_call *self = arg;
    long completed = 1 + atomic_fetch_add(&self->line->done, 1);
    if (result->status != EVS_OK || evs_reply_integer(result->reply) != self->number ||
        completed != self->number)
        atomic_fetch_add(&self->line->wrong, 1);
}

static void *submit_in_a_row(void *arg)
{
    crowd_worker *self = arg;
    char text[32];
    snprintf(text, sizeof text, "{c:%zu}", self->number);
    evs_bytes key = evs_text(text);
    evs_invocation call = crowd_call(crowd.incr, &key);
    line *mine = &lines[self->number];
    for (int i = 0; i < CROWD_EACH; i++) {
        mine->calls[i] = (one_call){i + 1, mine};
        self->ok += evs_submit(self->client, &call, take, &mine->calls[i], NULL) == EVS_OK;
    }
    return NULL;
}

/* Each call counts at its worker's key, and the count is its answer. */
static void calls_of_a_thread_keep_their_order(void **state)
{
    (void)state;
    static const evs_order orders[] = {EVS_ORDER_LOOSE, EVS_ORDER_STRICT};
    crowd_worker workers[CROWD_MOST];
    for (size_t i = 0; i < 2; i++) {
        evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
        options.order = orders[i];
        crowd_empty_servers(state);
        memset(lines, 0, sizeof lines);
        evs_client *client = crowd_open(&options);
        crowd_run(workers, CROWD_MOST, client, submit_in_a_row);
        crowd_join(workers, CROWD_MOST);
        assert_int_equal(evs_client_close(client, EVS_CLOSE_DRAIN, -1, NULL), EVS_OK);
        for (size_t w = 0; w < CROWD_MOST; w++) {
            assert_int_equal(workers[w].ok, CROWD_EACH);
            assert_int_equal(lines[w].done, CROWD_EACH);
            assert_int_equal(lines[w].wrong, 0);
        }
        evs_client_free(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_of_a_thread_keep_their_order),
    };
    return cmocka_run_group_tests(tests, crowd_set_up, crowd_tear_down);
}
