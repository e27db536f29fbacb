/*
 * A client that follows the file of its map. No server is needed: nothing is called.
 */
#include "core/mem.h"
#include <evalshard/evalshard.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000, ROOM = 200 };

static char folder[ROOM];
static evs_registry *registry;

static const char *at(const char *name, char out[ROOM])
{
    snprintf(out, ROOM, "%.120s/%.60s", folder, name);
    return out;
}

static void write_text(const char *path, const char *text, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static const char *map_text(unsigned generation, int port, char out[ROOM])
{
    snprintf(out, ROOM, "evalshard: 1\ngeneration: %u\nshards: {a: \"127.0.0.1:%d\"}\n", generation,
             port);
    return out;
}

static void write_map(const char *name, unsigned generation, int port)
{
    char path[ROOM], text[ROOM];
    write_text(at(name, path), map_text(generation, port, text), O_TRUNC);
}

static void turn_link(const char *target, const char *name)
{
    char next[ROOM], path[ROOM];
    assert_int_equal(symlink(target, at("..next", next)), 0);
    assert_int_equal(rename(next, at(name, path)), 0);
}

/* ---- the client ---- */

typedef struct follower {
    evs_client *client;
    char line[1200]; /* the last one of the log */
    unsigned warnings;
    sem_t told;
} follower;

static void keep_line(void *arg, const evs_log_event *event)
{
    follower *self = arg;
    snprintf(self->line, sizeof self->line, "%s", event->message);
    self->warnings += event->level == EVS_LOG_WARNING;
    sem_post(&self->told);
}

static void open_on(follower *self, const char *path, int threaded)
{
    evs_error err;
    evs_shardmap *map = NULL;
    evs_client_options options = EVS_CLIENT_OPTIONS_INIT;
    memset(self, 0, sizeof *self);
    sem_init(&self->told, 0, 0);
    options.log = keep_line;
    options.log_arg = self;
    options.threaded = threaded;
    if (evs_shardmap_load(&map, path, NULL, &err) != EVS_OK ||
        evs_client_open(&self->client, map, registry, &options, &err) != EVS_OK)
        fail_msg("%s", err.message);
    evs_shardmap_free(map);
}

static void follow(follower *self, const char *path, int threaded)
{
    evs_error err;
    open_on(self, path, threaded);
    if (evs_client_follow(self->client, path, &err) != EVS_OK)
        fail_msg("%s", err.message);
}

static void end(follower *self)
{
    evs_client_free(self->client);
    sem_destroy(&self->told);
}

static evs_client_stats stats_of(const follower *self)
{
    evs_client_stats stats;
    evs_client_stats_get(&stats, self->client);
    return stats;
}

/* Drives the client by its descriptor, as another event loop does, until the counters of reloads
 * and failures are these together. */
static void await(follower *self, uint64_t count)
{
    int fd;
    evs_client_stats stats = stats_of(self);
    assert_int_equal(evs_client_fd(&fd, self->client, NULL), EVS_OK);
    while (stats.reloads + stats.reload_failures < count) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, PATIENCE_MS) != 1)
            fail_msg("nothing was noticed of the file");
        assert_int_equal(evs_client_process(self->client, 0, NULL), EVS_OK);
        stats = stats_of(self);
    }
    assert_int_equal(stats.reloads + stats.reload_failures, count);
}

static void assert_address(const follower *self, const char *address)
{
    evs_shard_info shard;
    evs_shardmap *map = evs_client_map(self->client);
    assert_int_equal(evs_shardmap_shard(&shard, map, 0, NULL), EVS_OK);
    assert_string_equal(shard.address, address);
    evs_shardmap_free(map);
}

/* ---- the tests ---- */

static void following_takes_what_is_in_the_file_now(void **state)
{
    (void)state;
    char path[ROOM];
    follower self;
    write_map("map.yaml", 1, 1001);
    open_on(&self, at("map.yaml", path), 0);
    write_map("map.yaml", 1, 1002);
    assert_int_equal(evs_client_follow(self.client, path, NULL), EVS_OK);
    assert_address(&self, "127.0.0.1:1002");
    assert_int_equal(stats_of(&self).reloads, 1);
    end(&self);
}

static void a_file_that_cannot_be_used_is_not_followed(void **state)
{
    (void)state;
    char path[ROOM], other[ROOM];
    evs_error err;
    follower self;
    write_map("map.yaml", 1, 1001);
    open_on(&self, at("map.yaml", path), 0);
    assert_int_equal(evs_client_follow(self.client, at("none.yaml", other), &err), EVS_E_YAML);
    assert_non_null(strstr(err.message, "E100"));
    write_map("older.yaml", 0, 1001);
    assert_int_equal(evs_client_follow(self.client, at("older.yaml", other), &err), EVS_E_CONFIG);
    assert_non_null(strstr(err.message, "E111"));
    assert_int_equal(stats_of(&self).reload_failures, 2);
    assert_int_equal(evs_client_follow(self.client, NULL, &err), EVS_OK);
    end(&self);
}

static void a_file_that_is_renamed_over_it_is_noticed(void **state)
{
    (void)state;
    char path[ROOM], next[ROOM];
    follower self;
    write_map("map.yaml", 1, 1001);
    follow(&self, at("map.yaml", path), 0);
    write_map("next", 1, 1002);
    assert_int_equal(rename(at("next", next), path), 0);
    await(&self, 2);
    assert_address(&self, "127.0.0.1:1002");
    end(&self);
}

static void an_editor_that_writes_in_pieces_is_waited_for(void **state)
{
    (void)state;
    char path[ROOM], text[ROOM];
    follower self;
    write_map("map.yaml", 1, 1001);
    follow(&self, at("map.yaml", path), 0);
    map_text(2, 1002, text);
    write_text(path, "", O_TRUNC);
    for (const char *c = text; *c != '\0'; c++) {
        write_text(path, (char[2]){*c, '\0'}, O_APPEND);
        evs_client_process(self.client, 0, NULL);
    }
    await(&self, 2);
    assert_address(&self, "127.0.0.1:1002");
    assert_int_equal(self.warnings, 0);
    end(&self);
}

static void a_mounted_folder_is_swapped_by_a_link(void **state)
{
    (void)state;
    char path[ROOM], other[ROOM];
    follower self;
    mkdir(at("..v1", other), 0700);
    mkdir(at("..v2", other), 0700);
    write_map("..v1/linked.yaml", 1, 1001);
    write_map("..v2/linked.yaml", 1, 1002);
    turn_link("..v1", "..data");
    assert_int_equal(symlink("..data/linked.yaml", at("linked.yaml", path)), 0);
    follow(&self, path, 0);
    assert_address(&self, "127.0.0.1:1001");
    turn_link("..v2", "..data");
    await(&self, 2);
    assert_address(&self, "127.0.0.1:1002");
    end(&self);
}

/* No event tells of the target of a link in another folder. */
static void a_change_in_another_folder_is_noticed_by_looking(void **state)
{
    (void)state;
    char path[ROOM], other[ROOM];
    follower self;
    mkdir(at("far", other), 0700);
    write_map("far/map.yaml", 1, 1001);
    assert_int_equal(symlink("far/map.yaml", at("far.yaml", path)), 0);
    follow(&self, path, 0);
    write_map("far/map.yaml", 1, 1002);
    await(&self, 2);
    assert_address(&self, "127.0.0.1:1002");
    end(&self);
}

static void a_broken_file_changes_nothing_and_is_told_of(void **state)
{
    (void)state;
    char path[ROOM];
    follower self;
    write_map("map.yaml", 1, 1001);
    follow(&self, at("map.yaml", path), 0);
    write_text(path, "evalshard: 1\nshards: {a: nowhere}\n", O_TRUNC);
    await(&self, 2);
    assert_non_null(strstr(self.line, "the map stays as it was: "));
    assert_non_null(strstr(self.line, "map.yaml:2:13: error[E251]"));
    assert_address(&self, "127.0.0.1:1001");
    unlink(path);
    await(&self, 3);
    assert_non_null(strstr(self.line, "E100"));
    write_map("map.yaml", 1, 1003);
    await(&self, 4);
    assert_address(&self, "127.0.0.1:1003");
    assert_int_equal(stats_of(&self).reload_failures, 2);
    assert_int_equal(stats_of(&self).reloads, 2);
    end(&self);
}

static void a_file_that_moves_keys_needs_a_larger_generation(void **state)
{
    (void)state;
    char path[ROOM];
    follower self;
    write_map("map.yaml", 1, 1001);
    follow(&self, at("map.yaml", path), 0);
    write_text(path, "evalshard: 1\ngeneration: 1\nshards: {a: 127.0.0.1:1, b: 127.0.0.1:2}\n",
               O_TRUNC);
    await(&self, 2);
    assert_non_null(strstr(self.line, "map.yaml:2:1: error[E110]: this file moves "));
    assert_non_null(strstr(self.line, "set \"generation: 2\""));
    assert_null(strstr(self.line, "map.yaml: ")); /* the file is named once */
    write_text(path, "evalshard: 1\ngeneration: 2\nshards: {a: 127.0.0.1:1, b: 127.0.0.1:2}\n",
               O_TRUNC);
    await(&self, 3);
    assert_int_equal(stats_of(&self).map_generation, 2);
    end(&self);
}

/* A pool that says which placement it expects guards against a larger generation, too. */
static void a_file_that_places_otherwise_than_it_expects_is_refused(void **state)
{
    (void)state;
    char path[ROOM];
    evs_error err;
    follower self;
    write_map("map.yaml", 1, 1001);
    follow(&self, at("map.yaml", path), 0);
    write_text(path,
               "evalshard: 1\ngeneration: 2\npools:\n  default:\n"
               "    expect_fingerprint: 00000000\n    shards: {a: 127.0.0.1:1}\n",
               O_TRUNC);
    await(&self, 2);
    assert_non_null(strstr(self.line, "the map stays as it was: "));
    assert_non_null(strstr(self.line, "map.yaml:5:25: error[E112]"));
    assert_int_equal(evs_client_refusal(self.client, &err), EVS_E_CONFIG);
    assert_non_null(strstr(err.message, "error[E112]"));
    assert_int_equal(stats_of(&self).reload_failures, 1);
    assert_int_equal(stats_of(&self).map_generation, 1);
    assert_address(&self, "127.0.0.1:1001");
    end(&self);
}

static void a_client_with_a_thread_follows_by_itself(void **state)
{
    (void)state;
    char path[ROOM];
    follower self;
    write_map("map.yaml", 1, 1001);
    follow(&self, at("map.yaml", path), 1);
    sem_wait(&self.told); /* of the first map */
    write_map("map.yaml", 1, 1002);
    sem_wait(&self.told);
    assert_address(&self, "127.0.0.1:1002");
    assert_int_equal(evs_client_follow(self.client, NULL, NULL), EVS_OK);
    end(&self);
}

static void a_client_may_end_while_its_file_is_read(void **state)
{
    (void)state;
    char path[ROOM];
    for (int threaded = 0; threaded <= 1; threaded++) {
        follower self;
        write_map("map.yaml", 1, 1001);
        follow(&self, at("map.yaml", path), threaded);
        write_map("map.yaml", 1, 1002);
        for (int i = 0; i < 100 && !threaded; i++)
            evs_client_process(self.client, 0, NULL);
        end(&self);
    }
}

static void a_forked_child_takes_nothing_from_its_parent(void **state)
{
    (void)state;
    int status;
    char path[ROOM];
    follower self;
    write_map("map.yaml", 1, 1001);
    follow(&self, at("map.yaml", path), 0);
    pid_t child = fork();
    if (child == 0) {
        int refused = evs_client_follow(self.client, path, NULL) == EVS_E_STATE;
        evs_client_free(self.client);
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    write_map("map.yaml", 1, 1002);
    await(&self, 2);
    end(&self);
}

static void out_of_memory_nothing_is_followed_and_nothing_changed(void **state)
{
    (void)state;
    char path[ROOM];
    evs_error err;
    follower self;
    evs_status status;
    size_t fail_at = 0;
    write_map("map.yaml", 1, 1001);
    open_on(&self, at("map.yaml", path), 0);
    write_map("map.yaml", 1, 1002);
    for (;;) {
        evs__mem_fail_at(++fail_at);
        status = evs_client_follow(self.client, path, &err);
        evs__mem_fail_at(0);
        if (status == EVS_OK)
            break;
        assert_int_equal(status, EVS_E_NOMEM);
        assert_address(&self, "127.0.0.1:1001");
    }
    assert_true(fail_at > 10);
    assert_address(&self, "127.0.0.1:1002");
    end(&self);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/evs-follow-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    return evs_registry_new(&registry, NULL, NULL) == EVS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const files[] = {"map.yaml",
                                        "older.yaml",
                                        "..v1/linked.yaml",
                                        "..v2/linked.yaml",
                                        "..data",
                                        "linked.yaml",
                                        "far/map.yaml",
                                        "far.yaml",
                                        "..v1",
                                        "..v2",
                                        "far"};
    char path[ROOM];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        remove(at(files[i], path));
    evs_registry_free(registry);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(following_takes_what_is_in_the_file_now),
        cmocka_unit_test(a_file_that_cannot_be_used_is_not_followed),
        cmocka_unit_test(a_file_that_is_renamed_over_it_is_noticed),
        cmocka_unit_test(an_editor_that_writes_in_pieces_is_waited_for),
        cmocka_unit_test(a_mounted_folder_is_swapped_by_a_link),
        cmocka_unit_test(a_change_in_another_folder_is_noticed_by_looking),
        cmocka_unit_test(a_broken_file_changes_nothing_and_is_told_of),
        cmocka_unit_test(a_file_that_moves_keys_needs_a_larger_generation),
        cmocka_unit_test(a_file_that_places_otherwise_than_it_expects_is_refused),
        cmocka_unit_test(a_client_with_a_thread_follows_by_itself),
        cmocka_unit_test(a_client_may_end_while_its_file_is_read),
        cmocka_unit_test(a_forked_child_takes_nothing_from_its_parent),
        cmocka_unit_test(out_of_memory_nothing_is_followed_and_nothing_changed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
