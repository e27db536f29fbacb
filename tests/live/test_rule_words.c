/*
 * What rules say a server would say, it says: the bad example of every rule is run.
 *
 * Two servers: one alone, and a node of a cluster that has two slots, so that every other key is
 * elsewhere. A rule whose words are not to be had here says why. Servers other than Redis 7.0 use
 * other words; on those only that the examples run is tested.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/scene.h"
#include "tools/scratch/scratch.h"

#include <evalshard/audit.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

typedef enum place {
    ALONE,
    CLUSTER,
    FUNCTION, /* loaded with FUNCTION LOAD, then called as f */
    NOWHERE   /* the words are not to be had here */
} place;

static const struct {
    const char *code;
    place place;
    const char *why; /* of NOWHERE */
    int nkeys;
    const char *args[4]; /* keys, then arguments */
} rows[] = {
    {"ES001", ALONE, NULL, 0, {NULL}},
    {"ES002", ALONE, NULL, 0, {NULL}},
    {"ES003", ALONE, NULL, 0, {NULL}},
    {"ES004", ALONE, NULL, 0, {NULL}},
    {"ES005", ALONE, NULL, 0, {NULL}},
    {"ES101", CLUSTER, NULL, 1, {"{k}1"}},
    {"ES102", CLUSTER, NULL, 1, {"{k}1", "q"}},
    {"ES103", CLUSTER, NULL, 1, {"{k}list"}},
    {"ES104", CLUSTER, NULL, 1, {"k"}},
    {"ES106", CLUSTER, NULL, 1, {"{k}1"}},
    {"ES110", NOWHERE, "only ElastiCache Serverless says it", 0, {NULL}},
    {"ES111", CLUSTER, NULL, 1, {"{k}list"}},
    {"ES113", CLUSTER, NULL, 1, {"{k}1"}},
    {"ES114", CLUSTER, NULL, 1, {"{k}1", "channel"}},
    {"ES116", CLUSTER, NULL, 1, {"{k}1"}},
    {"ES117", NOWHERE, "Redis 7.0 has other words", 0, {NULL}},
    {"ES118", NOWHERE, "only proxies of Alibaba Cloud say it", 0, {NULL}},
    {"ES119", NOWHERE, "its slot would have to be on its way", 0, {NULL}},
    {"ES202", ALONE, NULL, 1, {"a"}},
    {"ES203", CLUSTER, NULL, 2, {"other", "{k}1"}},
    {"ES205", ALONE, NULL, 1, {"a"}},
    {"ES301", ALONE, NULL, 1, {"a"}},
    {"ES302", ALONE, NULL, 0, {NULL}},
    {"ES303", ALONE, NULL, 2, {"a", "b"}},
    {"ES304", NOWHERE, "an older server says it", 0, {NULL}},
    {"ES305", NOWHERE, "an older server says it", 0, {NULL}},
    {"ES307", ALONE, NULL, 1, {"stream"}},
    {"ES308", ALONE, NULL, 1, {"a", "{}"}},
    {"ES309", ALONE, NULL, 1, {"h"}},
    {"ES310", ALONE, NULL, 3, {"d", "a", "b"}},
    {"ES311", ALONE, NULL, 1, {"n", "3"}},
    {"ES312", ALONE, NULL, 1, {"p"}},
    {"ES401", NOWHERE, "it would never end", 0, {NULL}},
    {"ES402", NOWHERE, "it would never end", 0, {NULL}},
    {"ES403", NOWHERE, "it would never end", 0, {NULL}},
    {"ES406", NOWHERE, "another client is told that", 0, {NULL}},
    {"ES407", ALONE, NULL, 0, {NULL}},
    {"ES408", NOWHERE, "its argument is too long for this table", 0, {NULL}},
    {"ES412", NOWHERE, "another client is told that", 0, {NULL}},
    {"ES502", NOWHERE, "its example compares for equality, which is no error", 0, {NULL}},
    {"ES504", NOWHERE, "its example compares for equality, which is no error", 0, {NULL}},
    {"ES518", NOWHERE, "its example compares for equality, which is no error", 0, {NULL}},
    {"ES519", ALONE, NULL, 1, {"missing"}},
    {"ES601", ALONE, NULL, 0, {NULL}},
    {"ES602", ALONE, NULL, 1, {"a"}},
    {"ES603", ALONE, NULL, 0, {NULL}},
    {"ES604", ALONE, NULL, 0, {NULL}},
    {"ES608", ALONE, NULL, 0, {NULL}},
    {"ES609", ALONE, NULL, 1, {"a"}},
    {"ES611", FUNCTION, NULL, 1, {"a"}},
    {"ES615", ALONE, NULL, 0, {NULL}},
    {"ES616", ALONE, NULL, 0, {NULL}},
    {"ES617", NOWHERE, "it is inside of a reply that is deeper than clients read", 0, {NULL}},
    {"ES618", ALONE, NULL, 0, {NULL}},
    {"ES701", NOWHERE, "an older server says it", 0, {NULL}},
};

enum { ROWS = sizeof rows / sizeof *rows };

typedef struct servers {
    scratch *area;
    redisContext *alone, *cluster;
    int is_redis_7_0;
} servers;

static redisContext *start(scratch *area, const char *name, const scratch_options *o)
{
    scratch_server *server;
    if (scratch_start(&server, area, name, o) != SCRATCH_OK)
        return NULL;
    return redisConnectUnix(scratch_socket(server));
}

static void tell(redisContext *c, const char *line)
{
    redisReply *reply = redisCommand(c, line);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", line, reply->str);
    freeReplyObject(reply);
}

static void add_slot_of(redisContext *c, const char *key)
{
    redisReply *reply = redisCommand(c, "CLUSTER KEYSLOT %s", key);
    char line[64];
    assert_non_null(reply);
    snprintf(line, sizeof line, "CLUSTER ADDSLOTS %lld", reply->integer);
    freeReplyObject(reply);
    tell(c, line);
}

/* A cluster of one node, whose commands run although it has two slots only. */
static void make_cluster(redisContext *c)
{
    redisReply *reply;
    add_slot_of(c, "{k}");
    add_slot_of(c, "other");
    for (int up = 0; !up;) {
        reply = redisCommand(c, "CLUSTER INFO");
        assert_non_null(reply);
        up = strstr(reply->str, "cluster_state:ok") != NULL;
        freeReplyObject(reply);
    }
    tell(c, "RPUSH {k}list a b");
}

static int set_up(void **state)
{
    static servers s;
    char port[8];
    snprintf(port, sizeof port, "%d", scene_free_port());
    const char *const config[] = {"--cluster-enabled",
                                  "yes",
                                  "--cluster-port",
                                  port,
                                  "--cluster-require-full-coverage",
                                  "no"};
    scratch_options o = {SCRATCH_UNIX, config, sizeof config / sizeof *config};
    if (scratch_new(&s.area) != SCRATCH_OK)
        return -1;
    s.alone = start(s.area, "alone", NULL);
    s.cluster = start(s.area, "cluster", &o);
    if (s.alone == NULL || s.alone->err || s.cluster == NULL || s.cluster->err)
        return -1;
    redisReply *info = redisCommand(s.alone, "INFO server");
    s.is_redis_7_0 = info != NULL && strstr(info->str, "redis_version:7.0.") != NULL &&
                     strstr(info->str, "valkey") == NULL;
    freeReplyObject(info);
    make_cluster(s.cluster);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    servers *s = *state;
    redisFree(s->alone);
    redisFree(s->cluster);
    scratch_free(s->area);
    return 0;
}

static const evs_rule_info *rule_of(const char *code)
{
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rules[i]->code, code) == 0)
            return rules[i];
    return NULL;
}

/* EVAL bad nkeys args..., or FCALL f nkeys args... */
static redisReply *run(redisContext *c, size_t row, const char *first, const char *second)
{
    const char *argv[8] = {first, second};
    char nkeys[16];
    int argc = 3;
    snprintf(nkeys, sizeof nkeys, "%d", rows[row].nkeys);
    argv[2] = nkeys;
    for (int i = 0; i < 4 && rows[row].args[i] != NULL; i++)
        argv[argc++] = rows[row].args[i];
    return redisCommandArgv(c, argc, argv, NULL);
}

static void check_words(const servers *s, size_t row, const evs_rule_info *rule)
{
    redisReply *reply;
    if (rows[row].place == FUNCTION) {
        reply = redisCommand(s->alone, "FUNCTION LOAD %s", rule->bad);
        assert_non_null(reply);
        assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
        freeReplyObject(reply);
        reply = run(s->alone, row, "FCALL", "f");
    } else {
        reply = run(rows[row].place == CLUSTER ? s->cluster : s->alone, row, "EVAL", rule->bad);
    }
    assert_non_null(reply);
    if (s->is_redis_7_0 && reply->type != REDIS_REPLY_ERROR)
        fail_msg("%s: its bad example is fine to the server", rule->code);
    if (s->is_redis_7_0 && strstr(reply->str, rule->server) == NULL)
        fail_msg("%s: the server says: %s", rule->code, reply->str);
    freeReplyObject(reply);
}

static void servers_say_what_rules_say(void **state)
{
    for (size_t i = 0; i < ROWS; i++) {
        const evs_rule_info *rule = rule_of(rows[i].code);
        if (rule == NULL)
            fail_msg("there is no rule %s", rows[i].code);
        if (rows[i].place != NOWHERE)
            check_words(*state, i, rule);
    }
}

/* Of those about input, keys, their interface and commands. */
static void every_rule_that_quotes_a_server_is_listed(void **state)
{
    (void)state;
    size_t count;
    const evs_rule_info *const *rules = evs_rules(&count);
    for (size_t i = 0; i < count; i++) {
        int listed = rules[i]->server[0] == '\0' || strcmp(rules[i]->code, "ES4") > 0;
        for (size_t k = 0; k < ROWS; k++)
            listed |= strcmp(rows[k].code, rules[i]->code) == 0;
        if (!listed)
            fail_msg("%s quotes a server, and nobody has asked one", rules[i]->code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_say_what_rules_say),
        cmocka_unit_test(every_rule_that_quotes_a_server_is_listed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
