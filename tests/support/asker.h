/*
 * asker.h - asks a connection things and remembers what came of each.
 *
 *     asker a;
 *     asker_begin(&a, FAKE_START(FAKE_UNIX, steps), NULL);
 *     ask *get = asker_ask(&a, "GET", "key", NULL);
 *     asker_run(&a);                         // until everything has an answer
 *     assert_string_equal(get->text, "value");
 *     asker_end(&a);
 */
#ifndef EVS_TESTS_SUPPORT_ASKER_H
#define EVS_TESTS_SUPPORT_ASKER_H

#include "core/net/conn.h"
#include "tests/support/fake_shard.h"

typedef struct asker asker;
typedef struct ask ask;

struct ask {
    evs__request request; /* first */
    asker *from;
    ask *next;
    void (*then)(ask *self); /* runs inside `done`, after everything below was noted; may be NULL */
    int answers;             /* how often `done` ran */
    size_t order;            /* among the answers, from 1 */
    evs__got got;
    int sent;
    evs_reply_type type;
    int64_t integer;
    size_t count;
    char text[256]; /* of a string, status or error */
    evs_error why;  /* of a loss */
};

struct asker {
    evs__loop *loop;
    evs__conn *conn;
    ask *asks; /* newest first */
    size_t waiting;
    size_t answered;
    fake_shard *fake; /* of asker_begin, else NULL */
    evs__login login; /* likewise */
};

/* A loop and a connection with limits of 1 MB per reply, depth 8 and 64 MB of queued bytes. */
void asker_open(asker *a, const evs__login *login);
void asker_open_limited(asker *a, const evs__login *login, const evs__conn_limits *limits);

/* A connection to a fake shard, which asker_end stops. `link` replaces that of the fake's login,
 * unless it is NULL. */
void asker_begin(asker *a, fake_shard *fake, const evs__link *link);
void asker_end(asker *a);

/* The same, and it has taken one question, which it answers "one" in asker_go_on. */
ask *asker_begin_unanswered(asker *a);

/* Prepares, queues a command of C strings, which ends with NULL. Fails the test when refused. */
ask *asker_ask(asker *a, ...);

/* Queues without preparing; `bytes` are a whole command. */
ask *asker_queue(asker *a, evs_bytes bytes);

/* Drives the loop until every question has an answer, or the connection is READY. */
void asker_run(asker *a);
void asker_run_ready(asker *a);

/* The fake shard that pauses goes on, and every question gets an answer. */
void asker_go_on(asker *a);

/* Frees connection, loop and questions. Accepts one of which the connection is freed already. */
void asker_close(asker *a);

#endif
