/* Counters per script and shard, and the lines of the log. */
#include "tests/support/fake_shard.h"
#include "tests/support/shards.h"

#include "scripts/engine/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define SHA_REPLY "$40\r\n" SHA "\r\n"
#define SHA       "e0e1f9fabfc9d4800c877a703b823ac0578ff8db" /* of "return 1" */
#define NOSCRIPT  "-NOSCRIPT No matching script.\r\n"

typedef struct heard {
    char lines[2000];
    size_t count;
} heard;

static void hear(void *arg, const evs_log_event *event)
{
    heard *self = arg;
    size_t len = strlen(self->lines);
    snprintf(self->lines + len, sizeof self->lines - len, "%d|%s|%s|%s|%s\n", (int)event->level,
             evs_status_name(event->status), event->shard, event->script, event->message);
    self->count++;
}

static void call_once(shards *set, evs_status expected)
{
    evs_bytes key = evs_text("k");
    evs_reply *reply = NULL;
    evs_error err;
    evs_invocation call = {.script = "one", .keys = &key, .nkeys = 1, .timeout_ms = 60000};
    assert_int_equal(evs_call(&reply, set->client, &call, &err), expected);
    evs_reply_free(reply);
}

static void calls_are_counted_and_told(void **state)
{
    (void)state;
    const fake_step steps[] = {
        FAKE_GREET,
        FAKE_COMMANDS(2),
        FAKE_SAY(SHA_REPLY NOSCRIPT), /* healed */
        FAKE_COMMANDS(2),
        FAKE_SAY("*1\r\n:0\r\n" SHA_REPLY),
        FAKE_ANSWER(1, ":1\r\n"),
        FAKE_ANSWER(2, "-MYERR own\r\n"),
        FAKE_ANSWER(1, "-OOM full\r\n"),
        FAKE_COMMANDS(1),
        FAKE_CLOSE,
    };
    heard log = {0};
    shards set = {0};
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    const char *address = fake_shard_address(fake);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.log = hear;
    options.log_arg = &log;
    shards_open(&set, &address, 1, NULL);
    evs_client_free(set.client);
    assert_int_equal(evs_client_open(&set.client, set.map, set.registry, &options, NULL), EVS_OK);
    shards_script(&set, "one", "return 1");
    shards_script(&set, "another", "return 2"); /* never called */
    call_once(&set, EVS_OK);
    call_once(&set, EVS_E_SCRIPT);
    call_once(&set, EVS_E_SCRIPT);
    call_once(&set, EVS_E_OOM);
    call_once(&set, EVS_E_CLOSED);

    evs_stats *stats = NULL;
    assert_int_equal(evs_stats_snapshot(&stats, set.client, NULL), EVS_OK);
    assert_int_equal(evs_stats_count(stats), 1);
    const evs_stats_row *row = evs_stats_at(stats, 0);
    assert_string_equal(row->script, "one");
    assert_string_equal(row->shard, "s0");
    assert_string_equal(row->pool, "main");
    assert_int_equal(row->calls, 5);
    assert_int_equal(row->errors, 4);
    assert_int_equal(row->in_flight, 0);
    assert_int_equal(row->heals, 1);
    assert_int_equal(row->resends, 0);
    assert_int_equal(row->nby_status, 3);
    assert_int_equal(row->by_status[0].status, EVS_E_SCRIPT);
    assert_int_equal(row->by_status[0].count, 2);
    assert_int_equal(row->by_status[1].status, EVS_E_OOM);
    assert_int_equal(row->by_status[2].status, EVS_E_CLOSED);
    assert_int_equal(row->bytes % 6, 0); /* six EVALSHA of one size */
    assert_true(row->bytes / 6 > 60);
    assert_null(evs_stats_at(stats, 1));
    evs_stats_free(stats);

    assert_non_null(strstr(log.lines, "0|EVS_OK|s0||connected\n"));
    assert_non_null(strstr(log.lines, "1|EVS_E_NO_SCRIPT|s0|one|the server did not know"));
    assert_non_null(strstr(log.lines, "1|EVS_E_CLOSED|s0||connection closed by the server\n"));
    evs_client_free(set.client);
    set.client = NULL;
    fake_shard_stop(fake);
    shards_stop(&set);
}

static evs__tally_sum sum_of(const evs__tallies *tallies, const evs_script *script)
{
    evs__tally_sum sum;
    assert_true(evs__tally_at(&sum, tallies, evs__tally_place(script)));
    return sum;
}

static void tallies_are_found_among_many(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static evs_script scripts[COUNT];
    evs__tallies *tallies = evs__tallies_new();
    evs__tally_sum sum;
    assert_non_null(tallies);
    for (size_t i = 0; i < COUNT; i++) {
        scripts[i].id = i * 7919 % COUNT;
        for (size_t k = 0; k <= scripts[i].id % 3; k++)
            evs__tally_call(tallies, &scripts[i], 100 + scripts[i].id);
    }
    for (size_t i = 0; i < COUNT; i++) {
        size_t id = scripts[i].id, calls = id % 3 + 1;
        assert_int_equal(sum_of(tallies, &scripts[i]).calls, calls);
        assert_int_equal(sum_of(tallies, &scripts[i]).bytes, calls * (100 + id));
        assert_null(sum_of(tallies, &scripts[i]).trouble);
    }
    assert_false(evs__tally_at(&sum, tallies, evs__tally_place(NULL)));
    evs__tally_error(tallies, NULL, EVS_E_TIMEOUT);
    evs__tally_mishap(tallies, &scripts[7], EVS__MISHAP_RETRY);
    assert_int_equal(sum_of(tallies, NULL).trouble->errors[0].count, 1);
    assert_int_equal(sum_of(tallies, &scripts[7]).trouble->mishaps[EVS__MISHAP_RETRY], 1);
    evs__tallies_free(tallies);
}

static void counts_go_beyond_32_bits(void **state)
{
    (void)state;
    static evs_script near = {.id = 1}, far = {.id = 100};
    const uint64_t half = (uint64_t)1 << 31;
    evs__tallies *tallies = evs__tallies_new();
    assert_non_null(tallies);
    for (size_t i = 0; i < 5; i++) {
        evs__tally_call(tallies, &near, half);
        evs__tally_call(tallies, &far, half);
    }
    evs__tally_bytes(tallies, &near, 6 * half + 1);
    assert_true(sum_of(tallies, &near).bytes == 11 * half + 1);
    assert_true(sum_of(tallies, &far).bytes == 5 * half);
    tallies->first.tallies[evs__tally_place(&near)].calls = UINT32_MAX;
    evs__tally_call(tallies, &near, 0);
    assert_true(sum_of(tallies, &near).calls == 2 * half);
    evs__tallies_free(tallies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_counted_and_told),
        cmocka_unit_test(tallies_are_found_among_many),
        cmocka_unit_test(counts_go_beyond_32_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
