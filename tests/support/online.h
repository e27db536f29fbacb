/*
 * online.h - evalshard check --online against servers of a test: a map that names them, and what
 * the program says of each.
 *
 *     scratch_server *server = online_start("fit", SCRATCH_UNIX, NULL, 0);
 *     snprintf(map, sizeof map, "shards:\n  fit: %s\n", scratch_address(server));
 *     online_answer got = online_check(online_map(map));
 *     online_expect(&got, "default/fit", "", "");
 *     json_decref(got.root);
 */
#ifndef EVS_TESTS_SUPPORT_ONLINE_H
#define EVS_TESTS_SUPPORT_ONLINE_H

#include "tests/support/program.h"
#include "tools/scratch/scratch.h"
#include <jansson.h>

/* The area of the test that runs. */
extern scratch *online_area;

int online_set_up(void **state);
int online_tear_down(void **state);
#define ONLINE_TEST(test) cmocka_unit_test_setup_teardown(test, online_set_up, online_tear_down)

/* A server in the area; it ends with the test. */
scratch_server *online_start(const char *name, scratch_listen listen, const char *const *config,
                             size_t nconfig);
#define ONLINE_START(name, listen, ...)                            \
    online_start(name, listen, (const char *const[]){__VA_ARGS__}, \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* A map in the area's folder; `text` is what follows the version. Its path is in a static buffer.
 */
const char *online_map(const char *text);

/* What the program printed, which the caller drops by json_decref. */
typedef struct online_answer {
    json_t *root;
    int exit_code;
} online_answer;

online_answer online_check(const char *map);
/* `how` and `scripts`, a folder, may be NULL. */
online_answer online_check_with(const program_how *how, const char *map, const char *scripts);

/* What is said of a shard's server; the answer keeps it. */
const json_t *online_server(const online_answer *got, const char *shard);

/* The codes found for a server, such as "E506 E507"; and the findings must hold `part`. */
void online_expect(const online_answer *got, const char *shard, const char *codes,
                   const char *part);
void online_expect_of(const json_t *server, const char *codes, const char *part);
void online_expect_text(const online_answer *got, const char *shard, const char *key,
                        const char *value);

/* The same of the server at 127.0.0.1 and that port. */
const json_t *online_server_at(const online_answer *got, const char *shard, int port);
void online_expect_at(const online_answer *got, const char *shard, int port, const char *codes,
                      const char *part);

/* The same of the sentinel at that port, of the group "eu". */
const json_t *online_sentinel(const online_answer *got, int port);
void online_expect_sentinel(const online_answer *got, int port, const char *codes,
                            const char *part);

#endif
