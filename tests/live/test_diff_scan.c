/* evalshard diff --scan: keys of real servers, a server that is dead, a cluster, and Ctrl-C. */
#include "tests/support/fake_shard.h"
#include "tests/support/program.h"
#include "tools/scratch/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hiredis/hiredis.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <evalshard/shardmap.h>

enum { KEYS = 3000 };

static const char EVALSHARD[] = "tools/evalshard";

static struct {
    scratch *area;
    scratch_server *servers[3];
    char old[256], new[256];
} stage;

static void write_map(char *path, size_t size, const char *name, const char *text)
{
    program_write_map(path, size, scratch_folder(stage.area), name, text);
}

/* Each key where the old map puts it. */
static void fill(void)
{
    evs_shardmap *map;
    redisContext *links[2];
    assert_int_equal(evs_shardmap_load(&map, stage.old, NULL, NULL), EVS_OK);
    for (int i = 0; i < 2; i++)
        links[i] = redisConnectUnix(scratch_socket(stage.servers[i]));
    for (int n = 0; n < KEYS; n++) {
        char key[24];
        evs_route route;
        snprintf(key, sizeof key, "user:%d", n);
        assert_int_equal(evs_shardmap_route(&route, map, evs_text(key), NULL), EVS_OK);
        freeReplyObject(redisCommand(links[route.shard], "SET %s x", key));
    }
    for (int i = 0; i < 2; i++)
        redisFree(links[i]);
    evs_shardmap_free(map);
}

static int set_up(void **state)
{
    (void)state;
    char text[1024];
    if (scratch_new(&stage.area) != SCRATCH_OK)
        return -1;
    for (int i = 0; i < 3; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        if (scratch_start(&stage.servers[i], stage.area, name, NULL) != SCRATCH_OK)
            return -1;
    }
    snprintf(text, sizeof text, "shards:\n  a: %s\n  b: %s\n", scratch_address(stage.servers[0]),
             scratch_address(stage.servers[1]));
    write_map(stage.old, sizeof stage.old, "old.yaml", text);
    snprintf(text, sizeof text, "generation: 1\nshards:\n  a: %s\n  b: %s\n  c: %s\n",
             scratch_address(stage.servers[0]), scratch_address(stage.servers[1]),
             scratch_address(stage.servers[2]));
    write_map(stage.new, sizeof stage.new, "new.yaml", text);
    fill();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_free(stage.area);
    return 0;
}

static json_t *json_of(const program_run *run)
{
    json_t *root = json_loadb(run->out, run->out_len, 0, NULL);
    if (root == NULL)
        fail_msg("no JSON: %s%s", run->out, run->err);
    return root;
}

static long long number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void moves_of_the_keys_there_are_counted(void **state)
{
    (void)state;
    program_run run;
    RUN(&run, NULL, EVALSHARD, "diff", stage.old, stage.new, "--scan", "--json");
    assert_int_equal(run.exit_code, 1);
    json_t *root = json_of(&run);
    assert_int_equal(number(root, "keys"), KEYS);
    assert_in_range(number(root, "moved"), KEYS / 4, KEYS / 2);
    assert_int_equal(number(root, "needless"), 0);
    assert_int_equal(number(root, "strays"), 0);
    assert_true(json_is_true(json_object_get(root, "complete")));
    assert_int_equal(json_array_size(json_object_get(root, "pairs")), 2); /* a to c, b to c */
    json_decref(root);
    program_free(&run);

    RUN(&run, NULL, EVALSHARD, "diff", stage.old, stage.old, "--scan");
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.err, "0 of 3000 keys move"));
    program_free(&run);

    RUN(&run, NULL, EVALSHARD, "diff", stage.old, stage.new, "--scan", "--limit", "100");
    assert_int_equal(run.exit_code, 1);
    assert_non_null(strstr(run.err, " of 200 keys move"));
    program_free(&run);
}

static void keys_in_a_wrong_place_move_from_there(void **state)
{
    (void)state;
    program_run run;
    redisContext *link = redisConnectUnix(scratch_socket(stage.servers[0]));
    freeReplyObject(redisCommand(link, "FLUSHALL"));
    for (int n = 0; n < KEYS; n++)
        freeReplyObject(redisCommand(link, "SET user:%d x", n));
    redisFree(link);
    RUN(&run, NULL, EVALSHARD, "diff", stage.old, stage.old, "--scan");
    assert_int_equal(run.exit_code, 1);
    assert_non_null(strstr(run.out, "default/a\tdefault/b\t"));
    assert_non_null(strstr(run.err, " keys are not where the old map puts them"));
    program_free(&run);
}

static void two_pools_on_one_server_count_its_keys_once(void **state)
{
    (void)state;
    program_run run;
    char text[1024], path[256];
    snprintf(text, sizeof text,
             "pools:\n  x: {shards: {a: \"%s\"}}\n  y: {shards: {a: \"%s\"}}\n"
             "routes: [{prefix: u, pool: y}, {default: true, pool: x}]\n",
             scratch_address(stage.servers[0]), scratch_address(stage.servers[0]));
    write_map(path, sizeof path, "two.yaml", text);
    RUN(&run, NULL, EVALSHARD, "diff", path, path, "--scan");
    assert_int_equal(run.exit_code, 0);
    assert_null(strstr(run.err, "are not where"));
    assert_non_null(strstr(run.err, "0 of "));
    program_free(&run);
}

static void what_cannot_be_compared_is_said(void **state)
{
    (void)state;
    program_run run;
    char text[1024], path[256];
    snprintf(text, sizeof text,
             "pools:\n  x: {shards: {a: \"%s\"}}\n"
             "  catalog: {cluster: {seeds: [\"127.0.0.1:1\"]}}\n"
             "routes: [{prefix: c, pool: catalog}, {default: true, pool: x}]\n",
             scratch_address(stage.servers[0]));
    write_map(path, sizeof path, "cluster.yaml", text);
    RUN(&run, NULL, EVALSHARD, "diff", path, path, "--scan", "--json");
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.err, "pool catalog is a cluster: its keys are not scanned"));
    json_t *root = json_of(&run);
    assert_true(json_is_false(json_object_get(root, "complete")));
    json_decref(root);
    program_free(&run);

    RUN(&run, NULL, EVALSHARD, "diff", path, path, "--sample", "100");
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.err, "pool catalog is a cluster: moves inside of it are not seen"));
    program_free(&run);

    scratch_kill(stage.servers[1]);
    RUN(&run, NULL, EVALSHARD, "diff", stage.old, stage.new, "--scan");
    assert_int_equal(run.exit_code, 3);
    assert_non_null(strstr(run.err, "shard b at unix:"));
    assert_non_null(strstr(run.out, "default/a\tdefault/c\t"));
    program_free(&run);
}

/* ---- Ctrl-C ---- */

typedef struct scanning {
    char map[256], pid[256];
    program_run run;
} scanning;

static void *scan(void *arg)
{
    scanning *self = arg;
    RUN(&self->run, NULL, "/bin/sh", "-c",
        "\"$0\" diff \"$1\" \"$1\" --scan & echo $! >\"$2\"; wait $!",
        EVS_TEST_BINARY_DIR "/tools/evalshard", self->map, self->pid);
    return NULL;
}

static pid_t pid_in(const char *path)
{
    long pid = 0;
    while (pid == 0) {
        FILE *file = fopen(path, "r");
        if (file == NULL || fscanf(file, "%ld", &pid) != 1)
            pid = 0;
        if (file != NULL)
            fclose(file);
    }
    return (pid_t)pid;
}

#define PIECE "*2\r\n$1\r\n7\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"

/* The server would never be done. */
static void an_interrupt_shows_what_there_is(void **state)
{
    (void)state;
    static const fake_step steps[] = {FAKE_GREET, FAKE_ANSWER(2, PIECE), FAKE_COMMANDS(1),
                                      FAKE_PAUSE, FAKE_SAY(PIECE),       FAKE_EOF};
    scanning self;
    char text[512];
    pthread_t thread;
    fake_shard *fake = FAKE_START(FAKE_UNIX, steps);
    snprintf(text, sizeof text,
             "defaults: {connect_timeout: 1m, command_timeout: 1m}\nshards:\n  a: %s\n",
             fake_shard_address(fake));
    write_map(self.map, sizeof self.map, "endless.yaml", text);
    snprintf(self.pid, sizeof self.pid, "%s/pid", scratch_folder(stage.area));
    assert_int_equal(pthread_create(&thread, NULL, scan, &self), 0);
    fake_shard_await(fake, 4); /* the third question is there */
    assert_int_equal(kill(pid_in(self.pid), SIGINT), 0);
    fake_shard_go(fake);
    pthread_join(thread, NULL);
    assert_int_equal(self.run.exit_code, 130);
    assert_non_null(strstr(self.run.err, "0 of 6 keys move"));
    assert_non_null(strstr(self.run.err, "interrupted: the rest of the keys was not compared"));
    program_free(&self.run);
    fake_shard_stop(fake);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(moves_of_the_keys_there_are_counted),
        LIVE(keys_in_a_wrong_place_move_from_there),
        LIVE(two_pools_on_one_server_count_its_keys_once),
        LIVE(what_cannot_be_compared_is_said),
        LIVE(an_interrupt_shows_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
