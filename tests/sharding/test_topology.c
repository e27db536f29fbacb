/*
 * What nodes say of their cluster, as Redis 7.0 and Valkey 8 say it. Replies are written as words:
 * [3 begins a list of three, {2 a map of two pairs, :5 is a number, -ERR an error, nil is nil.
 */
#include "core/resp.h"
#include "sharding/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static evs__arena arena;

static size_t put_word(char *out, const char *word)
{
    if (word[0] == '[')
        return (size_t)sprintf(out, "*%s\r\n", word + 1);
    if (word[0] == '{')
        return (size_t)sprintf(out, "%%%s\r\n", word + 1);
    if ((word[0] == ':' && word[1] != ':') || word[0] == '-')
        return (size_t)sprintf(out, "%s\r\n", word);
    if (strcmp(word, "nil") == 0)
        return (size_t)sprintf(out, "$-1\r\n");
    if (strcmp(word, "''") == 0)
        return (size_t)sprintf(out, "$0\r\n\r\n");
    return (size_t)sprintf(out, "$%zu\r\n%s\r\n", strlen(word), word);
}

static const evs_reply *reply_of(const char *words)
{
    static char resp[8192], copy[8192];
    size_t len = 0, used;
    const evs_reply *reply = NULL;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " \n"); word != NULL; word = strtok(NULL, " \n"))
        len += put_word(resp + len, word);
    evs__resp *reader = evs__resp_new(&arena, 1 << 20, 16);
    assert_int_equal(evs__resp_read(reader, resp, len, &used, &reply), EVS__RESP_REPLY);
    assert_int_equal(used, len);
    evs__resp_free(reader);
    return reply;
}

static evs__topology *read_words(const char *words, evs__topology_form form, int tls)
{
    evs__topology *topology = NULL;
    evs_error err;
    if (evs__topology_read(&topology, &arena, reply_of(words), form, tls, &err) != EVS_OK)
        fail_msg("%s", err.message);
    return topology;
}

static void check_owner(const evs__topology *topology, unsigned slot, const char *host, int port)
{
    assert_int_not_equal(topology->owner[slot], EVS__NOBODY);
    const evs__topology_node *node = &topology->nodes[topology->owner[slot]];
    assert_int_equal(node->port, port);
    assert_true(node->primary);
    if (host == NULL)
        assert_null(node->host);
    else
        assert_string_equal(node->host, host);
}

static void slots_are_read_with_their_nodes(void **state)
{
    (void)state;
    evs__topology *t = read_words(
        "[3 [4 :0 :5460 [4 127.0.0.1 :24010 id0 [0 [4 127.0.0.1 :24013 id3 [0"
        " [3 :5461 :16382 [4 node1.example.test :24011 id1 [2 ip 127.0.0.1"
        " [3 :16383 :16383 [4 127.0.0.1 :24010 id0 [0",
        EVS__TOPOLOGY_SLOTS, 0);
    assert_int_equal(t->nnodes, 3);
    assert_int_equal(t->covered, 16384);
    check_owner(t, 0, "127.0.0.1", 24010);
    check_owner(t, 5460, "127.0.0.1", 24010);
    check_owner(t, 5461, "node1.example.test", 24011);
    check_owner(t, 16383, "127.0.0.1", 24010);
    assert_false(t->nodes[1].primary);
    assert_int_equal(t->nodes[1].follows, t->owner[0]);
    assert_int_equal(t->nodes[0].follows, EVS__NOBODY);
}

static void hosts_that_are_not_told_are_null(void **state)
{
    (void)state;
    evs__topology *t = read_words("[3 [3 :0 :0 [4 nil :7000 a [0 [3 :1 :1 [4 ? :7001 b [0"
                                  " [3 :2 :2 [4 '' :7002 c [0",
                                  EVS__TOPOLOGY_SLOTS, 0);
    check_owner(t, 0, NULL, 7000);
    check_owner(t, 1, NULL, 7001);
    check_owner(t, 2, NULL, 7002);
    assert_int_equal(t->owner[3], EVS__NOBODY);
    assert_int_equal(t->covered, 3);
}

/* As Redis 7.0 says it over RESP2: pairs as flat lists. */
static const char shards[] =
    "[2 [4 slots [4 :0 :8190 :8192 :8192 nodes [2 "
    "[14 id a port :24010 ip 127.0.0.1 endpoint 127.0.0.1 role replica replication-offset :0 "
    "health loading "
    "[14 id b port :24011 ip 127.0.0.1 endpoint 127.0.0.1 role master replication-offset :9 "
    "health online "
    "[4 slots [2 :8191 :8191 nodes [1 "
    "[18 id c port :24012 tls-port :34012 ip ::1 endpoint ::1 hostname n.example role master "
    "replication-offset :9 health online";

static void shards_are_read_with_their_nodes(void **state)
{
    (void)state;
    evs__topology *t = read_words(shards, EVS__TOPOLOGY_SHARDS, 0);
    assert_int_equal(t->nnodes, 3);
    assert_int_equal(t->covered, 8193);
    check_owner(t, 0, "127.0.0.1", 24011);
    check_owner(t, 8192, "127.0.0.1", 24011);
    check_owner(t, 8191, "::1", 24012);
    assert_int_equal(t->owner[8193], EVS__NOBODY);
    assert_int_equal(t->nodes[1].port, 24010);
    assert_false(t->nodes[1].primary);
    assert_int_equal(t->nodes[1].follows, EVS__NOBODY); /* it has no data yet */
    t = read_words(shards, EVS__TOPOLOGY_SHARDS, 1);
    check_owner(t, 8191, "::1", 34012);
}

/* Where nobody is asked otherwise. */
static void of_two_primaries_the_one_that_works_counts(void **state)
{
    (void)state;
    evs__topology *t = read_words(
        "[2 {2 slots [2 :0 :16383 nodes [2 "
        "{4 endpoint a port :1 role master health fail {4 endpoint b port :2 role master health "
        "online {2 slots [0 nodes [1 {4 endpoint c port :3 role master health online",
        EVS__TOPOLOGY_SHARDS, 0);
    check_owner(t, 77, "b", 2);
    assert_int_equal(t->nnodes, 3);
    assert_false(t->nodes[1].primary);
    assert_false(t->nodes[2].primary);
}

/* Whose slots they are is not told then. */
static void two_primaries_leave_it_open(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        int open;
    } rows[] = {
        /* Valkey 8.1, Redis 8.0, and Redis when it knows that the old one is gone */
        {"[1 {2 slots [2 :0 :99 nodes [2 {2 role master health online {2 role master health online",
         1},
        {"[1 {2 slots [0 nodes [2 {2 role master health online {2 role master health online", 1},
        {"[1 {2 slots [0 nodes [2 {2 role master health fail {2 role master health online", 1},
        {"[2 {2 slots [2 :0 :9 nodes [1 {2 role master health online {2 slots [2 :10 :99 nodes [3 "
         "{2 role master health online {2 role replica health online {2 role master health online",
         1},
        {"[1 {2 slots [2 :0 :99 nodes [2 {2 role replica health online {2 role master health "
         "online",
         0},
        {"[2 {2 slots [0 nodes [1 {2 role master health fail {2 slots [2 :0 :9 nodes [1 {2 role "
         "master health online",
         0}, /* Redis 7.0 */
        {"[0", 0},
        {"-ERR", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(evs__topology_is_open(reply_of(rows[i].words)), rows[i].open);
    assert_false(evs__topology_is_open(reply_of(shards)));
}

static void replicas_are_told_with_their_primary(void **state)
{
    (void)state;
    evs__topology *t = read_words(
        "[2 {2 slots [2 :0 :99 nodes [4 "
        "{4 endpoint a port :1 role replica health online {4 endpoint a port :2 role master health "
        "online {4 endpoint a port :3 role replica health fail {4 endpoint a port :4 role replica "
        "health online {2 slots [0 nodes [1 {4 endpoint a port :5 role replica health online",
        EVS__TOPOLOGY_SHARDS, 0);
    static const int follows[] = {2, 0, 0, 2, 0}; /* the port, by one's own */
    assert_int_equal(t->nnodes, 5);
    for (size_t i = 0; i < t->nnodes; i++) {
        const evs__topology_node *node = &t->nodes[i];
        int port = node->follows == EVS__NOBODY ? 0 : t->nodes[node->follows].port;
        assert_int_equal(port, follows[node->port - 1]);
    }
}

static void other_replies_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        evs__topology_form form;
        const char *says;
    } rows[] = {
        {"-ERR", EVS__TOPOLOGY_SHARDS, "ERR"},
        {":5", EVS__TOPOLOGY_SLOTS, "integer"},
        {"[1 [3 :0 :16384 [2 h :1", EVS__TOPOLOGY_SLOTS, "slots"},
        {"[1 [3 :5 :4 [2 h :1", EVS__TOPOLOGY_SLOTS, "slots"},
        {"[1 [4 slots [2 :-1 :4 nodes [1 [6 endpoint h port :1 role master", EVS__TOPOLOGY_SHARDS,
         "slots"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        evs_error err;
        evs__topology *none = NULL;
        assert_int_equal(
            evs__topology_read(&none, &arena, reply_of(rows[i].words), rows[i].form, 0, &err),
            EVS_E_CLUSTER);
        assert_non_null(strstr(err.message, rows[i].says));
    }
    assert_int_equal(read_words("[0", EVS__TOPOLOGY_SLOTS, 0)->covered, 0);
    assert_int_equal(read_words("[2 nil [2 slots nodes", EVS__TOPOLOGY_SHARDS, 0)->nnodes, 0);
}

static void redirects_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int fine, ask;
        unsigned slot;
        const char *host;
        int port;
    } rows[] = {
        {"MOVED 8579 127.0.0.1:24011", 1, 0, 8579, "127.0.0.1", 24011},
        {"ASK 449 node1.example.test:7", 1, 1, 449, "node1.example.test", 7},
        {"MOVED 0 ::1:7000", 1, 0, 0, "::1", 7000},
        {"MOVED 16383 ?:24011", 1, 0, 16383, "", 24011},
        {"MOVED 1 :24011", 1, 0, 1, "", 24011},
        {"MOVED 16384 a:1", 0, 0, 0, "", 0},
        {"MOVED -1 a:1", 0, 0, 0, "", 0},
        {"MOVED 1 a:0", 0, 0, 0, "", 0},
        {"MOVED 1 a:65536", 0, 0, 0, "", 0},
        {"MOVED 1 a", 0, 0, 0, "", 0},
        {"MOVED 1 a:1 b", 0, 0, 0, "", 0},
        {"MOVED 1x a:1", 0, 0, 0, "", 0},
        {"MOVED", 0, 0, 0, "", 0},
        {"MOVEDX 1 a:1", 0, 0, 0, "", 0},
        {"", 0, 0, 0, "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        evs__redirect to;
        assert_int_equal(evs__redirect_read(&to, evs_text(rows[i].text)), rows[i].fine);
        if (!rows[i].fine)
            continue;
        assert_int_equal(to.ask, rows[i].ask);
        assert_int_equal(to.slot, rows[i].slot);
        assert_int_equal(to.port, rows[i].port);
        assert_int_equal(to.host.len, strlen(rows[i].host));
        assert_memory_equal(to.host.data, rows[i].host, to.host.len);
    }
}

static const char nodes[] =
    "aaa 127.0.0.1:24011@24411,node1.example.test master - 0 1700 2 connected 5461-10922\n"
    "bbb 127.0.0.1:24010@24410 myself,master - 0 1700 1 connected 0-448 450-5460 449 "
    "[449->-aaa] [7000-<-aaa]\n"
    "ccc 127.0.0.1:24012@24412 slave aaa 0 1700 2 connected\n";

static void a_node_tells_how_it_stands_to_a_slot(void **state)
{
    (void)state;
    static const struct {
        unsigned slot;
        evs__slot_view view;
    } rows[] = {
        {0, EVS__SLOT_MINE},    {448, EVS__SLOT_MINE},        {449, EVS__SLOT_LEAVING},
        {5460, EVS__SLOT_MINE}, {5461, EVS__SLOT_ELSEWHERE},  {7000, EVS__SLOT_ARRIVING},
        {44, EVS__SLOT_MINE},   {16383, EVS__SLOT_ELSEWHERE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(evs__slot_seen(evs_text(nodes), rows[i].slot), rows[i].view);
    assert_int_equal(evs__slot_seen(evs_text(""), 1), EVS__SLOT_UNKNOWN);
    assert_int_equal(evs__slot_seen(evs_text("aaa h:1@2 master - 0 0 0 connected 0-9\n"), 1),
                     EVS__SLOT_UNKNOWN);
    assert_int_equal(evs__slot_seen(evs_text("a h:1@2 myself,slave b 0 0 0 connected"), 1),
                     EVS__SLOT_ELSEWHERE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_read_with_their_nodes),
        cmocka_unit_test(hosts_that_are_not_told_are_null),
        cmocka_unit_test(shards_are_read_with_their_nodes),
        cmocka_unit_test(of_two_primaries_the_one_that_works_counts),
        cmocka_unit_test(two_primaries_leave_it_open),
        cmocka_unit_test(replicas_are_told_with_their_primary),
        cmocka_unit_test(other_replies_are_refused),
        cmocka_unit_test(redirects_are_read),
        cmocka_unit_test(a_node_tells_how_it_stands_to_a_slot),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    evs__arena_free(&arena);
    return failed;
}
