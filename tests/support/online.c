#include "tests/support/online.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char EVALSHARD[] = "tools/evalshard";

scratch *online_area;

int online_set_up(void **state)
{
    (void)state;
    return scratch_new(&online_area) == SCRATCH_OK ? 0 : -1;
}

int online_tear_down(void **state)
{
    (void)state;
    scratch_free(online_area);
    return 0;
}

scratch_server *online_start(const char *name, scratch_listen listen, const char *const *config,
                             size_t nconfig)
{
    scratch_server *server;
    const scratch_options options = {listen, config, nconfig};
    if (scratch_start(&server, online_area, name, &options) != SCRATCH_OK)
        fail_msg("%s", scratch_error(online_area));
    return server;
}

const char *online_map(const char *text)
{
    static char path[512];
    program_write_map(path, sizeof path, scratch_folder(online_area), "map.yaml", text);
    return path;
}

online_answer online_check_with(const program_how *how, const char *map, const char *scripts)
{
    program_run run;
    if (scripts != NULL)
        RUN(&run, how, EVALSHARD, "check", "--online", "--json", "-s", scripts, map);
    else
        RUN(&run, how, EVALSHARD, "check", "--online", "--json", map);
    online_answer got = {json_loadb(run.out, run.out_len, 0, NULL), run.exit_code};
    if (got.root == NULL)
        fail_msg("no JSON: %s%s", run.out, run.err);
    assert_int_equal(run.err_len, 0);
    program_free(&run);
    return got;
}

online_answer online_check(const char *map)
{
    return online_check_with(NULL, map, NULL);
}

const json_t *online_server(const online_answer *got, const char *shard)
{
    size_t i;
    json_t *server;
    json_array_foreach(json_object_get(got->root, "servers"), i, server)
    {
        if (strcmp(json_string_value(json_object_get(server, "shard")), shard) == 0)
            return server;
    }
    fail_msg("no server %s", shard);
    return NULL;
}

void online_expect_of(const json_t *server, const char *codes, const char *part)
{
    char found[256] = "";
    size_t i, len = 0;
    json_t *finding;
    const json_t *findings = json_object_get(server, "findings");
    json_array_foreach(findings, i, finding)
    {
        const char *code = json_string_value(json_object_get(finding, "code"));
        len += (size_t)snprintf(found + len, sizeof found - len, i > 0 ? " %s" : "%s", code);
        assert_true(len < sizeof found);
    }
    char *text = json_dumps(findings, 0);
    if (strcmp(found, codes) != 0 || strstr(text, part) == NULL)
        fail_msg("%s: expected %s with \"%s\", found %s",
                 json_string_value(json_object_get(server, "shard")), codes, part, text);
    assert_null(strstr(text, "hunter"));
    free(text);
}

void online_expect(const online_answer *got, const char *shard, const char *codes, const char *part)
{
    online_expect_of(online_server(got, shard), codes, part);
}

const json_t *online_server_at(const online_answer *got, const char *shard, int port)
{
    size_t i;
    char address[32];
    json_t *server;
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    json_array_foreach(json_object_get(got->root, "servers"), i, server)
    {
        if (strcmp(json_string_value(json_object_get(server, "shard")), shard) == 0 &&
            strcmp(json_string_value(json_object_get(server, "address")), address) == 0)
            return server;
    }
    fail_msg("no server of %s at %s", shard, address);
    return NULL;
}

void online_expect_at(const online_answer *got, const char *shard, int port, const char *codes,
                      const char *part)
{
    online_expect_of(online_server_at(got, shard, port), codes, part);
}

const json_t *online_sentinel(const online_answer *got, int port)
{
    return online_server_at(got, "sentinels/eu", port);
}

void online_expect_sentinel(const online_answer *got, int port, const char *codes, const char *part)
{
    online_expect_of(online_sentinel(got, port), codes, part);
}

void online_expect_text(const online_answer *got, const char *shard, const char *key,
                        const char *value)
{
    const char *text = json_string_value(json_object_get(online_server(got, shard), key));
    if (text == NULL || strcmp(text, value) != 0)
        fail_msg("%s of %s is %s", key, shard, text == NULL ? "missing" : text);
}
