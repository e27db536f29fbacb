/*
 * The main job on real servers: route, load, call, heal. What happened is read from the servers'
 * own counters, over connections that the client does not know.
 */
#include "core/mem.h"
#include "tests/support/shards.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { CROWD = 1000 };

typedef struct crowd {
    size_t done;
    size_t by_status[100];
    size_t by_outcome[3];
} crowd;

static void count(void *arg, const evs_result *result)
{
    crowd *all = arg;
    all->done++;
    all->by_status[result->status]++;
    all->by_outcome[result->outcome]++;
}

static evs_invocation one_key(const evs_script *script, const evs_bytes *key)
{
    evs_invocation call = {.handle = script, .keys = key, .nkeys = 1, .timeout_ms = 60000};
    return call;
}

static void run_crowd(shards *set, crowd *all, const evs_script *script, const char *key_text)
{
    evs_error err;
    evs_bytes key = evs_text(key_text);
    evs_invocation call = one_key(script, &key);
    memset(all, 0, sizeof *all);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(evs_submit(set->client, &call, count, all, &err), EVS_OK);
    while (evs_client_pending(set->client) > 0)
        assert_int_equal(evs_client_process(set->client, -1, &err), EVS_OK);
    assert_int_equal(all->done, CROWD);
}

static long loads(shards *set, size_t server)
{
    return shards_info(set, server, "commandstats", "cmdstat_script|load:calls=");
}

static void every_key_is_called_on_its_shard(void **state)
{
    (void)state;
    shards set;
    shards_start(&set, 3, NULL);
    const evs_script *script = shards_script(&set, "set",
                                             "return redis.call('SET', KEYS[1], ARGV[1])");
    evs_error err;
    long expected[3] = {0, 0, 0};

    for (int i = 0; i < 300; i++) {
        char text[32];
        snprintf(text, sizeof text, "user:%d", i);
        evs_bytes key = evs_text(text), value = {"a\0b", 3};
        evs_invocation call = one_key(script, &key);
        call.args = &value;
        call.nargs = 1;
        evs_reply *reply;
        assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_OK);
        assert_int_equal(evs_reply_kind(reply), EVS_REPLY_STATUS);
        evs_reply_free(reply);
        evs_route route;
        assert_int_equal(evs_shardmap_route(&route, set.map, key, &err), EVS_OK);
        expected[route.shard]++;
    }
    for (size_t i = 0; i < 3; i++) {
        assert_true(expected[i] > 0);
        assert_int_equal(shards_do(&set, i, "DBSIZE"), expected[i]);
        assert_int_equal(loads(&set, i), 1);
    }
    shards_stop(&set);
}

static void a_first_call_is_one_round_trip(void **state)
{
    (void)state;
    shards set;
    shards_start(&set, 1, NULL);
    const evs_script *script = shards_script(&set, "one", "return 1");
    evs_bytes key = evs_text("k");
    evs_invocation call = one_key(script, &key);
    evs_error err;
    evs_reply *reply;

    evs_plain_command ping = {.args = (evs_bytes[]){evs_text("PING")}, .nargs = 1, .shard = "s0"};
    assert_int_equal(evs_command(&reply, set.client, &ping, &err), EVS_OK);
    evs_reply_free(reply);
    evs_client_stats before, after;
    evs_client_stats_get(&before, set.client);
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_OK);
    evs_reply_free(reply);
    evs_client_stats_get(&after, set.client);
    assert_int_equal(after.writes - before.writes, 1);
    assert_int_equal(after.loads, 1);
    shards_stop(&set);
}

static void a_thousand_first_calls_cause_one_load(void **state)
{
    (void)state;
    shards set;
    crowd all;
    char key[32];
    shards_start(&set, 3, NULL);
    const evs_script *script = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    for (size_t i = 0; i < 3; i++) {
        run_crowd(&set, &all, script, shards_key(&set, i, key));
        assert_int_equal(all.by_status[EVS_OK], CROWD);
        assert_int_equal(loads(&set, i), 1);
    }
    shards_stop(&set);
}

static void a_thousand_calls_that_meet_noscript_cause_one_more_load(void **state)
{
    (void)state;
    shards set;
    crowd all;
    char key[32];
    shards_start(&set, 1, NULL);
    const evs_script *script = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    shards_key(&set, 0, key);
    run_crowd(&set, &all, script, key);
    shards_do(&set, 0, "SCRIPT FLUSH");
    run_crowd(&set, &all, script, key);
    assert_int_equal(all.by_status[EVS_OK], CROWD);
    assert_int_equal(all.by_outcome[EVS_EXECUTED], CROWD);
    assert_int_equal(loads(&set, 0), 2);
    assert_int_equal(shards_info(&set, 0, "errorstats", "errorstat_NOSCRIPT:count="), CROWD);

    char get[64];
    snprintf(get, sizeof get, "INCRBY %s 0", key);
    assert_int_equal(shards_do(&set, 0, get), 2 * CROWD);
    shards_stop(&set);
}

static void a_flush_in_the_middle_of_calls_is_healed(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    shards_start(&set, 1, NULL);
    const evs_script *script = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    evs_bytes key = evs_text("n");
    evs_invocation call = one_key(script, &key);
    for (int i = 1; i <= 20; i++) {
        if (i % 5 == 0)
            shards_do(&set, 0, "SCRIPT FLUSH");
        assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_OK);
        assert_int_equal(evs_reply_integer(reply), i);
        evs_reply_free(reply);
    }
    evs_client_stats stats;
    evs_client_stats_get(&stats, set.client);
    assert_int_equal(stats.heals, 4);
    assert_int_equal(loads(&set, 0), 5);
    shards_stop(&set);
}

static void a_script_that_says_busy_is_not_run_again(void **state)
{
    (void)state;
    static const char *const lies[] = {
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "NOSCRIPT No matching script. Please use EVAL.",
        "LOADING Redis is loading the dataset in memory",
        "MOVED 1 127.0.0.1:1",
    };
    shards set;
    shards_start(&set, 1, NULL);
    const evs_script *script = shards_script(
        &set, "liar", "redis.call('INCR', KEYS[1]) return redis.error_reply(ARGV[1])");
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        char name[16], get[32];
        snprintf(name, sizeof name, "n%zu", i);
        snprintf(get, sizeof get, "INCRBY %s 0", name);
        evs_bytes key = evs_text(name), lie = evs_text(lies[i]);
        evs_invocation call = one_key(script, &key);
        call.args = &lie;
        call.nargs = 1;
        evs_error err;
        evs_reply *reply = NULL;
        evs_status status = evs_call(&reply, set.client, &call, &err);
        assert_int_not_equal(status, EVS_OK);
        assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
        assert_non_null(strstr(err.message, "liar"));
        evs_reply_free(reply);
        assert_int_equal(shards_do(&set, 0, get), 1);
    }
    shards_stop(&set);
}

static void a_user_who_may_not_load_runs_what_was_preloaded(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    shards_start(&set, 1, NULL);
    shards_do(&set, 0, "ACL SETUSER app on >secret ~* &* +@all -script|load");
    char address[128];
    snprintf(address, sizeof address, "%s", scratch_address(set.servers[0]));

    shards app = {0};
    const char *addresses[] = {address};
    shards_open(&app, addresses, 1, "    auth: {username: app, password: secret}\n");
    shards_script(&app, "preloaded", "return redis.call('INCR', KEYS[1])");
    shards_script(&app, "absent", "return redis.call('DECR', KEYS[1])");

    evs_bytes load[] = {evs_text("SCRIPT"), evs_text("LOAD"),
                        evs_text("return redis.call('INCR', KEYS[1])")};
    evs_plain_command command = {.args = load, .nargs = 3, .shard = "s0"};
    assert_int_equal(evs_command(&reply, set.client, &command, &err), EVS_OK);
    evs_reply_free(reply);

    evs_bytes key = evs_text("k");
    evs_invocation call = {.script = "preloaded", .keys = &key, .nkeys = 1};
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(evs_call(&reply, app.client, &call, &err), EVS_OK);
        assert_int_equal(evs_reply_integer(reply), i);
        evs_reply_free(reply);
    }
    evs_client_stats stats;
    evs_client_stats_get(&stats, app.client);
    assert_int_equal(stats.loads, 1);

    call.script = "absent";
    assert_int_equal(evs_call(&reply, app.client, &call, &err), EVS_E_DENIED);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_non_null(strstr(err.message, "absent"));
    assert_non_null(strstr(err.message, "script|load"));
    shards_stop(&app);
    shards_stop(&set);
}

/* What the server would say is known before it is asked. */
static void a_script_that_does_not_compile_is_refused_in_the_servers_words(void **state)
{
    (void)state;
    static const char source[] = "local a = 1\nlocal b = 2\nreturn + a";
    shards set;
    evs_error err;
    evs_reply *reply;
    shards_start(&set, 1, NULL);
    assert_int_equal(evs_script_load(set.registry, "sum", evs_text(source), NULL, &err),
                     EVS_E_COMPILE);
    assert_non_null(strstr(err.message, "sum"));
    assert_int_equal(err.line, 3);

    evs_bytes args[] = {evs_text("SCRIPT"), evs_text("LOAD"), evs_text(source)};
    evs_plain_command load = {.args = args, .nargs = 3, .shard = "s0"};
    assert_int_equal(evs_command(&reply, set.client, &load, &err), EVS_OK);
    evs_bytes text = evs_reply_bytes(reply);
    static const char words[] = "unexpected symbol near '+'";
    assert_non_null(memmem(text.data, text.len, words, sizeof words - 1));
    assert_int_equal(evs_script_load(set.registry, "sum", evs_text(source), NULL, &err),
                     EVS_E_COMPILE);
    assert_non_null(strstr(err.message, words));
    evs_reply_free(reply);
    shards_stop(&set);
}

/* It takes as long as its server is stopped. */
static void a_slow_script_releases_its_caller_at_the_deadline(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply = NULL;
    shards_start(&set, 1, NULL);
    shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    evs_bytes key = evs_text("k");
    evs_invocation fast = {.script = "incr", .keys = &key, .nkeys = 1, .timeout_ms = 30000};
    evs_invocation slow = {.script = "incr", .keys = &key, .nkeys = 1, .timeout_ms = 500};
    assert_int_equal(evs_call(&reply, set.client, &fast, &err), EVS_OK);
    evs_reply_free(reply);
    reply = NULL;
    kill(scratch_pid(set.servers[0]), SIGSTOP);
    do { /* on a busy machine its time may be over before the request has left */
        assert_int_equal(evs_call(&reply, set.client, &slow, &err), EVS_E_TIMEOUT);
        assert_null(reply);
    } while (err.outcome == EVS_NOT_EXECUTED);
    assert_int_equal(err.outcome, EVS_MAYBE_EXECUTED);
    kill(scratch_pid(set.servers[0]), SIGCONT);
    assert_int_equal(evs_call(&reply, set.client, &fast, &err), EVS_OK);
    assert_int_equal(evs_reply_integer(reply), 3); /* the slow one ran, its reply was skipped */
    evs_reply_free(reply);
    shards_stop(&set);
}

static void a_restarted_server_is_noticed_before_the_next_call(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    shards_start(&set, 1, NULL);
    const evs_script *script = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    evs_bytes key = evs_text("n");
    evs_invocation call = one_key(script, &key);
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_OK);
    evs_reply_free(reply);

    scratch_kill(set.servers[0]);
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_E_CONNECT);
    assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
    assert_string_equal(err.shard, "s0");
    assert_int_equal(scratch_restart(set.servers[0]), SCRATCH_OK);

    evs_status status = EVS_E_CONNECT;
    for (int i = 0; i < 200 && status != EVS_OK; i++) { /* backing off takes at most 2 s */
        status = evs_call(&reply, set.client, &call, &err);
        if (status != EVS_OK) {
            assert_int_equal(err.outcome, EVS_NOT_EXECUTED);
            usleep(20000);
        }
    }
    assert_int_equal(status, EVS_OK);
    assert_int_equal(evs_reply_integer(reply), 1);
    evs_reply_free(reply);

    scratch_kill(set.servers[0]); /* and without a call in between nobody notices at all */
    assert_int_equal(scratch_restart(set.servers[0]), SCRATCH_OK);
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_OK);
    evs_reply_free(reply);
    shards_stop(&set);
}

static void a_forked_child_gets_a_clear_status(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    shards_start(&set, 1, NULL);
    const evs_script *script = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    evs_bytes key = evs_text("n");
    evs_invocation call = one_key(script, &key);
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_OK);
    evs_reply_free(reply);

    pid_t child = fork();
    if (child == 0) {
        int refused = evs_call(&reply, set.client, &call, &err) == EVS_E_STATE &&
                      strstr(err.message, "process") != NULL;
        evs_client_free(set.client);
        _exit(refused ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_OK);
    assert_int_equal(evs_reply_integer(reply), 2);
    evs_reply_free(reply);
    evs_client_stats stats;
    evs_client_stats_get(&stats, set.client);
    assert_int_equal(stats.connects, 1);
    shards_stop(&set);
}

typedef struct quitter {
    evs_client *client;
    evs_status waiting;
    size_t done;
    size_t canceled;
} quitter;

static void quit(void *arg, const evs_result *result)
{
    quitter *self = arg;
    self->done++;
    self->canceled += result->status == EVS_E_CANCELED;
    if (self->done > 1)
        return;
    evs_reply *reply;
    evs_plain_command ping = {.args = (evs_bytes[]){evs_text("PING")}, .nargs = 1, .shard = "s0"};
    self->waiting = evs_command(&reply, self->client, &ping, NULL);
    evs_client_free(self->client);
}

static void a_completion_may_free_the_client(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    shards_start(&set, 1, NULL);
    const evs_script *script = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    evs_bytes key = evs_text("n");
    evs_invocation call = one_key(script, &key);
    quitter self = {set.client, EVS_OK, 0, 0};
    for (int i = 0; i < 10; i++)
        assert_int_equal(evs_submit(set.client, &call, quit, &self, &err), EVS_OK);
    while (self.done == 0)
        evs_client_process(set.client, -1, &err);
    assert_int_equal(self.done, 10); /* each exactly once */
    assert_int_equal(self.waiting, EVS_E_STATE);
    set.client = NULL;
    shards_stop(&set);
}

static void replies_keep_their_types(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    shards_start(&set, 1, NULL);
    shards_script(&set, "types",
                  "return {1, 'a\\0b', false, {ok = 'FINE'}, {err = 'E x'}, {2, {}}, '42'}");
    evs_bytes key = evs_text("k");
    evs_invocation call = {.script = "types", .keys = &key, .nkeys = 1};
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_OK);
    assert_int_equal(evs_reply_count(reply), 7);
    assert_int_equal(evs_reply_integer(evs_reply_at(reply, 0)), 1);
    assert_memory_equal(evs_reply_bytes(evs_reply_at(reply, 1)).data, "a\0b", 3);
    assert_int_equal(evs_reply_kind(evs_reply_at(reply, 2)), EVS_REPLY_NIL);
    assert_int_equal(evs_reply_kind(evs_reply_at(reply, 3)), EVS_REPLY_STATUS);
    assert_int_equal(evs_reply_kind(evs_reply_at(reply, 4)), EVS_REPLY_ERROR);
    assert_int_equal(evs_reply_count(evs_reply_at(evs_reply_at(reply, 5), 1)), 0);
    assert_int_equal(evs_reply_integer(evs_reply_at(reply, 6)), 42);
    assert_null(evs_reply_at(reply, 7));
    evs_reply_free(reply);
    shards_stop(&set);
}

static void a_scripts_own_error_comes_with_its_reply(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply = NULL;
    shards_start(&set, 1, NULL);
    shards_script(&set, "fails",
                  "redis.call('SET', KEYS[1], 'x')\nreturn redis.call('INCR', KEYS[1])");
    evs_bytes key = evs_text("k");
    evs_invocation call = {.script = "fails", .keys = &key, .nkeys = 1};
    assert_int_equal(evs_call(&reply, set.client, &call, &err), EVS_E_SCRIPT);
    assert_int_equal(err.outcome, EVS_EXECUTED);
    assert_int_equal(err.line, 2);
    assert_int_equal(evs_reply_kind(reply), EVS_REPLY_ERROR);
    assert_non_null(strstr(err.message, "script fails, key \"k\", shard s0: "));
    evs_reply_free(reply);
    shards_stop(&set);
}

static void plain_commands_go_where_their_keys_are(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    evs_reply *reply;
    char key[32];
    shards_start(&set, 2, NULL);
    for (size_t i = 0; i < 2; i++) {
        evs_bytes args[] = {evs_text("SET"), evs_text(shards_key(&set, i, key)), evs_text("v")};
        evs_plain_command set_it = {.args = args, .nargs = 3};
        assert_int_equal(evs_command(&reply, set.client, &set_it, &err), EVS_OK);
        evs_reply_free(reply);
        assert_int_equal(shards_do(&set, i, "DBSIZE"), 1);
    }
    evs_bytes select[] = {evs_text("select"), evs_text("1")};
    evs_plain_command stateful = {.args = select, .nargs = 2, .shard = "s0"};
    assert_int_equal(evs_command(&reply, set.client, &stateful, &err), EVS_E_INVALID);
    evs_plain_command keyless = {.args = (evs_bytes[]){evs_text("DBSIZE")}, .nargs = 1};
    assert_int_equal(evs_command(&reply, set.client, &keyless, &err), EVS_E_NO_KEYS);
    shards_stop(&set);
}

static void a_full_queue_is_told_at_once(void **state)
{
    (void)state;
    shards set;
    evs_error err;
    crowd all = {0};
    shards_start(&set, 1, NULL);
    evs_client_free(set.client);
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    options.max_in_flight = 10;
    assert_int_equal(evs_client_open(&set.client, set.map, set.registry, &options, &err), EVS_OK);
    const evs_script *script = shards_script(&set, "incr", "return redis.call('INCR', KEYS[1])");
    evs_bytes key = evs_text("n");
    evs_invocation call = one_key(script, &key);
    size_t queued = 0;
    while (queued < 100 && evs_submit(set.client, &call, count, &all, &err) == EVS_OK)
        queued++;
    assert_in_range(queued, 9, 10); /* the SCRIPT LOAD counts too */
    assert_int_equal(err.status, EVS_E_QUEUE_FULL);
    assert_string_equal(err.shard, "s0");
    assert_non_null(strstr(err.message, "script incr, key \"n\""));
    while (evs_client_pending(set.client) > 0)
        evs_client_process(set.client, -1, &err);
    assert_int_equal(all.by_status[EVS_OK], queued);
    assert_int_equal(evs_submit(set.client, &call, count, &all, &err), EVS_OK);
    shards_stop(&set);
    assert_int_equal(all.by_status[EVS_E_CANCELED], 1);
}

/* Every allocation of opening, connecting, loading, calling and closing fails in turn. The status
 * is NOMEM, or what the lack led to: a connection that could not be made. */
static void memory_may_run_out_at_any_point_of_a_call(void **state)
{
    (void)state;
    shards set;
    shards_start(&set, 1, NULL);
    shards_script(&set, "list", "return {'a', {'b'}, ARGV[1]}");
    evs_client_free(set.client);
    evs_bytes key = evs_text("k"), arg = evs_text("x");
    evs_invocation call = {.script = "list", .keys = &key, .nkeys = 1, .args = &arg, .nargs = 1};
    evs_status status = EVS_E_NOMEM;
    size_t failures = 0;

    for (size_t n = 1; status != EVS_OK; n++, failures++) {
        evs_error err;
        evs_reply *reply = NULL;
        set.client = NULL;
        evs__mem_fail_at(n);
        status = evs_client_open(&set.client, set.map, set.registry, NULL, &err);
        if (status == EVS_OK)
            status = evs_call(&reply, set.client, &call, &err);
        evs__mem_fail_at(0);
        evs_reply_free(reply);
        evs_client_free(set.client);
        assert_true(n < 10000);
    }
    assert_true(failures > 10);
    set.client = NULL;
    shards_stop(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_called_on_its_shard),
        cmocka_unit_test(a_first_call_is_one_round_trip),
        cmocka_unit_test(a_thousand_first_calls_cause_one_load),
        cmocka_unit_test(a_thousand_calls_that_meet_noscript_cause_one_more_load),
        cmocka_unit_test(a_flush_in_the_middle_of_calls_is_healed),
        cmocka_unit_test(a_script_that_says_busy_is_not_run_again),
        cmocka_unit_test(a_user_who_may_not_load_runs_what_was_preloaded),
        cmocka_unit_test(a_script_that_does_not_compile_is_refused_in_the_servers_words),
        cmocka_unit_test(a_slow_script_releases_its_caller_at_the_deadline),
        cmocka_unit_test(a_restarted_server_is_noticed_before_the_next_call),
        cmocka_unit_test(a_forked_child_gets_a_clear_status),
        cmocka_unit_test(a_completion_may_free_the_client),
        cmocka_unit_test(replies_keep_their_types),
        cmocka_unit_test(a_scripts_own_error_comes_with_its_reply),
        cmocka_unit_test(plain_commands_go_where_their_keys_are),
        cmocka_unit_test(a_full_queue_is_told_at_once),
        cmocka_unit_test(memory_may_run_out_at_any_point_of_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
