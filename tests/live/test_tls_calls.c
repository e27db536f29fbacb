/* Scripts over TLS: batches, large values, the commands, and a wire that is cut anywhere: whatever
 * the outcome of a call says is true. */
#include "tests/support/certificates.h"
#include "tests/support/fake_shard.h"
#include "tests/support/program.h"
#include "tests/support/proxy.h"
#include "tools/scratch/scratch.h"

#include <evalshard/evalshard.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    scratch *area;
    scratch_server *server;
    evs_registry *registry;
} common;

static const char COUNT[] = "return redis.call('INCR', KEYS[1])";
static const char BOTH_WAYS[] = "return ARGV[1] .. 'x'";

/* Over the unix socket, so in the clear. */
static long long do_plain(const char *command)
{
    redisContext *context = redisConnectUnix(scratch_socket(common.server));
    redisReply *reply = redisCommand(context, command);
    assert_non_null(reply);
    long long number = reply->type == REDIS_REPLY_INTEGER  ? reply->integer
                       : reply->type == REDIS_REPLY_STRING ? atoll(reply->str)
                                                           : 0;
    freeReplyObject(reply);
    redisFree(context);
    return number;
}

static int set_up(void **state)
{
    (void)state;
    if (scratch_new(&common.area) != SCRATCH_OK)
        return -1;
    certificates_make(scratch_folder(common.area));
    common.server = certificates_serve(common.area, "tls", "server", "no", "TLSv1.2 TLSv1.3");
    do_plain("ACL SETUSER app on >hunter2 ~* +@all");
    if (evs_registry_new(&common.registry, NULL, NULL) != EVS_OK ||
        evs_script_load(common.registry, "count", evs_text(COUNT), NULL, NULL) != EVS_OK ||
        evs_script_load(common.registry, "both_ways", evs_text(BOTH_WAYS), NULL, NULL) != EVS_OK)
        return -1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    evs_registry_free(common.registry);
    scratch_free(common.area);
    return 0;
}

/* A client on shards given as lines of YAML. */
static evs_client *open_client(const char *shards, const evs_client_options *opts)
{
    char yaml[2048];
    evs_error err;
    evs_shardmap *map;
    evs_client *client = NULL;
    int len = snprintf(yaml, sizeof yaml,
                       "evalshard: 1\n"
                       "defaults:\n"
                       "  {connect_timeout: 20s, command_timeout: 20s, tls: {ca_file: %s/ca.pem}}\n"
                       "shards:\n%s",
                       scratch_folder(common.area), shards);
    if (evs_shardmap_parse(&map, (evs_bytes){yaml, (size_t)len}, "test.yaml", NULL, &err) !=
            EVS_OK ||
        evs_client_open(&client, map, common.registry, opts, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
    return client;
}

static evs_client *open_on(int port, const evs_client_options *opts)
{
    char shards[128];
    snprintf(shards, sizeof shards, "  a: 127.0.0.1:%d\n", port);
    return open_client(shards, opts);
}

static void batches_of_ten_thousand_arrive_in_order(void **state)
{
    (void)state;
    enum { COUNT_OF_CALLS = 10000 };
    evs_error err;
    evs_batch *batch;
    evs_bytes key = evs_text("batch");
    evs_invocation call = {.script = "count", .keys = &key, .nkeys = 1, .timeout_ms = 60000};
    evs_client *client = open_on(scratch_port(common.server), NULL);
    do_plain("DEL batch");
    assert_int_equal(evs_batch_new(&batch, client, NULL, &err), EVS_OK);
    for (int i = 0; i < COUNT_OF_CALLS; i++)
        assert_int_equal(evs_batch_add(batch, &call, &err), EVS_OK);
    assert_int_equal(evs_batch_run(batch, &err), EVS_OK);
    assert_int_equal(evs_batch_failures(batch), 0);
    for (size_t i = 0; i < COUNT_OF_CALLS; i++)
        assert_int_equal(evs_reply_integer(evs_batch_result(batch, i)->reply), i + 1);
    evs_batch_free(batch);
    evs_client_free(client);
    assert_int_equal(do_plain("GET batch"), COUNT_OF_CALLS);
}

static void a_megabyte_goes_there_and_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {16383, 16384, 16385, 65536, 1 << 20, 3 << 20};
    evs_client_options opts = EVS_CLIENT_OPTIONS_INIT;
    for (int threaded = 0; threaded < 2; threaded++) {
        opts.threaded = threaded;
        evs_client *client = open_on(scratch_port(common.server), &opts);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            evs_error err;
            evs_reply *reply;
            char *text = malloc(sizes[i] + 1);
            assert_non_null(text);
            for (size_t n = 0; n < sizes[i]; n++)
                text[n] = (char)(n * 7 + n / 251);
            text[sizes[i]] = 'x';
            evs_bytes arg = {text, sizes[i]};
            evs_invocation call = {
                .script = "both_ways", .args = &arg, .nargs = 1, .shard = "a", .timeout_ms = 20000};
            if (evs_call(&reply, client, &call, &err) != EVS_OK)
                fail_msg("%s", err.message);
            evs_bytes got = evs_reply_bytes(reply);
            assert_int_equal(got.len, sizes[i] + 1);
            assert_memory_equal(got.data, text, got.len);
            evs_reply_free(reply);
            free(text);
        }
        evs_client_free(client);
    }
}

/* ---- a silent server keeps nobody waiting but those who asked it ---- */

typedef struct result {
    int done;
    evs_status status;
    evs_outcome outcome;
} result;

static long count_pings(void)
{
    static const char beginning[] = "cmdstat_ping:calls=";
    redisContext *context = redisConnectUnix(scratch_socket(common.server));
    redisReply *reply = redisCommand(context, "INFO commandstats");
    assert_non_null(reply);
    const char *at = strstr(reply->str, beginning);
    long count = at == NULL ? 0 : atol(at + sizeof beginning - 1);
    freeReplyObject(reply);
    redisFree(context);
    return count;
}

static void idle_connections_are_asked_by_tls_as_well(void **state)
{
    (void)state;
    char shards[128];
    evs_error err;
    evs_reply *reply;
    evs_client_stats stats;
    evs_bytes key = evs_text("idle");
    evs_invocation call = {.script = "count", .keys = &key, .nkeys = 1, .timeout_ms = 60000};
    snprintf(shards, sizeof shards, "  a: {address: \"127.0.0.1:%d\", keepalive: 2s}\n",
             scratch_port(common.server));
    evs_client *client = open_client(shards, NULL);
    assert_int_equal(evs_call(&reply, client, &call, &err), EVS_OK);
    evs_reply_free(reply);
    do_plain("CONFIG RESETSTAT");
    while (count_pings() < 2)
        assert_int_equal(evs_client_process(client, 20, &err), EVS_OK);
    assert_int_equal(evs_call(&reply, client, &call, &err), EVS_OK);
    evs_reply_free(reply);
    evs_client_stats_get(&stats, client);
    assert_int_equal(stats.connects, 1);
    evs_client_free(client);
}

static void note(void *arg, const evs_result *got)
{
    result *noted = arg;
    noted->done++;
    noted->status = got->status;
    noted->outcome = got->outcome;
}

static void a_silent_handshake_holds_up_no_other_shard(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_ACCEPT, FAKE_BYTES(5), FAKE_EOF};
    char shards[256];
    evs_error err;
    result silent = {0}, lively = {0};
    fake_shard *fake = FAKE_START(FAKE_TCP, steps);
    snprintf(shards, sizeof shards, "  a: 127.0.0.1:%d\n  b: %s\n", scratch_port(common.server),
             fake_shard_address(fake));
    evs_client *client = open_client(shards, NULL);
    evs_bytes arg = evs_text("x");
    evs_invocation call = {
        .script = "both_ways", .args = &arg, .nargs = 1, .shard = "b", .timeout_ms = 2000};
    assert_int_equal(evs_submit(client, &call, note, &silent, &err), EVS_OK);
    call.shard = "a";
    call.timeout_ms = 20000;
    assert_int_equal(evs_submit(client, &call, note, &lively, &err), EVS_OK);
    while (!silent.done || !lively.done)
        assert_int_equal(evs_client_process(client, 1000, &err), EVS_OK);
    assert_int_equal(lively.status, EVS_OK);
    assert_int_equal(silent.status, EVS_E_TIMEOUT);
    assert_int_equal(silent.outcome, EVS_NOT_EXECUTED);
    evs_client_free(client);
    fake_shard_stop(fake);
}

/* ---- a wire that is cut ---- */

typedef struct tally {
    int of[3]; /* by outcome */
} tally;

/* One call of a new client over a wire that is cut; then what the server says. */
static void call_over_cut_wire(proxy *wire, tally *seen)
{
    static unsigned number;
    char name[32], command[64];
    evs_error err = {0};
    evs_reply *reply = NULL;
    snprintf(name, sizeof name, "cut:%u", number++);
    evs_bytes key = evs_text(name);
    evs_invocation call = {.script = "count", .keys = &key, .nkeys = 1, .timeout_ms = 20000};
    evs_client *client = open_on(proxy_port(wire), NULL);
    evs_status status = evs_call(&reply, client, &call, &err);
    evs_outcome outcome = status == EVS_OK ? EVS_EXECUTED : err.outcome;
    evs_reply_free(reply);
    evs_client_free(client);
    assert_int_equal(ERR_peek_error(), 0); /* it is the thread's, not ours to leave something in */
    proxy_settle(wire);
    snprintf(command, sizeof command, "GET %s", name);
    long long ran = do_plain(command);
    if ((outcome == EVS_NOT_EXECUTED && ran != 0) || (outcome == EVS_EXECUTED && ran != 1) ||
        ran > 1)
        fail_msg("outcome %d, but the script ran %lld times: %s", (int)outcome, ran, err.message);
    seen->of[outcome]++;
}

static void cut_everywhere(proxy *wire, proxy_way way, tally *seen)
{
    tally whole = {{0}};
    proxy_harm(wire, NULL);
    call_over_cut_wire(wire, &whole);
    assert_int_equal(whole.of[EVS_EXECUTED], 1);
    size_t total = proxy_forwarded(wire, way);
    for (size_t cut = 1; cut < total; cut += cut + 64 < total ? total / 40 : 1) {
        proxy_harm(wire, &(proxy_fault){.what = PROXY_RESET, .way = way, .at = cut, .alone = 1});
        call_over_cut_wire(wire, seen);
    }
}

static void outcomes_over_a_cut_wire_are_true(void **state)
{
    (void)state;
    tally up = {{0}}, down = {{0}};
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%d", scratch_port(common.server));
    proxy *wire = proxy_start(address);
    cut_everywhere(wire, PROXY_UP, &up);
    cut_everywhere(wire, PROXY_DOWN, &down);
    proxy_stop(wire);
    print_message("cut upwards: %d not executed, %d executed, %d maybe; downwards: %d, %d, %d\n",
                  up.of[0], up.of[1], up.of[2], down.of[0], down.of[1], down.of[2]);
    assert_true(up.of[EVS_NOT_EXECUTED] >= 20 && up.of[EVS_MAYBE_EXECUTED] > 0);
    assert_true(down.of[EVS_NOT_EXECUTED] >= 20 && down.of[EVS_MAYBE_EXECUTED] > 0);
}

/* ---- the commands ---- */

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void the_commands_go_by_tls(void **state)
{
    (void)state;
    char map[512], path[256];
    program_run run;
    const char *folder = scratch_folder(common.area);
    const program_how how = {.settings = {"TLS_TEST_PASSWORD=hunter2"}};
    snprintf(map, sizeof map,
             "evalshard: 1\n"
             "defaults: {auth: {username: app, password_env: TLS_TEST_PASSWORD}, "
             "connect_timeout: 20s, command_timeout: 20s}\n"
             "shards:\n"
             "  a: {address: rediss://127.0.0.1:%d, tls: {ca_file: ca.pem}}\n",
             scratch_port(common.server));
    write_file(folder, "map.yaml", map);
    write_file(folder, "both_ways.lua", BOTH_WAYS);
    snprintf(path, sizeof path, "%s/map.yaml", folder);

    RUN(&run, &how, "tools/evalshard", "check", path);
    assert_int_equal(run.exit_code, 0);
    program_free(&run);
    RUN(&run, &how, "tools/evalshard", "load", "-m", path);
    if (run.exit_code != 0)
        fail_msg("%s%s", run.out, run.err);
    program_free(&run);
    RUN(&run, &how, "tools/evalshard", "call", "lock/acquire", "-k", "lock:x", "-a", "30", "me",
        "-m", path);
    if (run.exit_code != 0)
        fail_msg("%s%s", run.out, run.err);
    program_free(&run);
}

static void the_commands_say_why_tls_failed_and_keep_secrets(void **state)
{
    (void)state;
    char map[512], path[256];
    program_run run;
    const char *folder = scratch_folder(common.area);
    const program_how how = {.settings = {"TLS_TEST_PASSWORD=hunter3"}};
    static const struct {
        const char *tls, *message;
    } rows[] = {
        {"{ca_file: stranger.pem}", "it is from no CA we trust"},
        {"{ca_file: ca.pem, server_name: db.example}", "is not for db.example"},
        {"{ca_file: ca.pem}", "WRONGPASS"},
        {"{ca_file: ca.pem, cert_file: client.pem, key_file: locked.key}", "locked.key"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(map, sizeof map,
                 "evalshard: 1\n"
                 "defaults: {auth: {username: app, password_env: TLS_TEST_PASSWORD}, "
                 "connect_timeout: 20s, command_timeout: 20s}\n"
                 "shards:\n"
                 "  a: {address: rediss://127.0.0.1:%d, tls: %s}\n",
                 scratch_port(common.server), rows[i].tls);
        write_file(folder, "map.yaml", map);
        snprintf(path, sizeof path, "%s/map.yaml", folder);
        RUN(&run, &how, "tools/evalshard", "call", "lock/acquire", "-k", "lock:x", "-a", "30", "me",
            "-m", path);
        if (run.exit_code != 3 || strstr(run.err, rows[i].message) == NULL)
            fail_msg("%d: %s%s", run.exit_code, run.out, run.err);
        assert_null(strstr(run.err, "hunter"));
        assert_null(strstr(run.out, "hunter"));
        program_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_connections_are_asked_by_tls_as_well),
        cmocka_unit_test(batches_of_ten_thousand_arrive_in_order),
        cmocka_unit_test(a_megabyte_goes_there_and_back),
        cmocka_unit_test(a_silent_handshake_holds_up_no_other_shard),
        cmocka_unit_test(outcomes_over_a_cut_wire_are_true),
        cmocka_unit_test(the_commands_go_by_tls),
        cmocka_unit_test(the_commands_say_why_tls_failed_and_keep_secrets),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
