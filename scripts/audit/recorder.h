/*
 * recorder.h - what the interpreter notes on its way: which calls it reached and what their
 * arguments were. Notes about one place in one context are joined, because a loop is gone through
 * several times; facts.c makes facts of them at the end.
 */
#ifndef EVS_SCRIPTS_AUDIT_RECORDER_H
#define EVS_SCRIPTS_AUDIT_RECORDER_H

#include "core/table.h"
#include "scripts/audit/facts.h"
#include "scripts/audit/seq.h"
#include "scripts/audit/sight.h"

struct evs__activation;

/* Where in which context: what notes are joined by. */
typedef struct evs__place {
    const evs__expr *call;
    const struct evs__activation *context;
    const char *command; /* static, or in the arena once per text */
    size_t argument;
} evs__place;

/* A key argument. */
typedef struct evs__visit {
    evs__place place;
    const evs__value *value;
    evs__span at;
    int unsure;    /* it may be no key: the number of keys, or the options, are not known */
    int pattern;   /* a pattern of SORT: the keys it names are no arguments */
    int unlocated; /* it stands for all arguments: nobody knows where the keys are */
    size_t order;  /* of the call: tells calls apart that stand at one place */
} evs__visit;

/* A call of a command. */
typedef struct evs__called {
    evs__place place;
    evs__call_kind kind;
    evs__span name_at;
    const char *name;
    const evs__command *command;
    evs__seq args; /* its name is the first */
    int doubtful;  /* something before it was not followed: only literals are what they seem */
} evs__called;

/* A way that KEYS or ARGV is used. */
typedef struct evs__noted_access {
    evs__given given;
    evs__access_kind kind;
    int index; /* of INDEX */
    evs__span at;
    const char *text; /* of STRANGE, the index */
} evs__noted_access;

/* A command uses a key that the script has deleted. */
typedef struct evs__noted_revival {
    int index; /* of KEYS */
    evs__span deleted_at, at;
    const char *command;
} evs__noted_revival;

/* What a client may be told, as far as it matters for believing error replies. */
typedef struct evs__speech {
    int returns_error;  /* a table that may have a field `err` */
    int returns_reply;  /* what redis.call gave, or a part of it, and that may be a table */
    int raises_table;   /* error() with what may be a table */
    int raises_nowhere; /* an error may be raised where the server sees no line of the script */
    int has_metatables; /* setmetatable is called */
    int speaks_resp3;   /* redis.setresp is called with something else than 2 */
} evs__speech;

typedef struct evs__recorder {
    evs__pool *pool;
    evs__visit **visits; /* the pool's, as all here */
    size_t nvisits, visits_cap;
    evs__called **called;
    size_t ncalled, called_cap;
    evs__gap *gaps;
    size_t ngaps, gaps_cap;
    evs__noted_access *accesses;
    size_t naccesses, accesses_cap;
    evs__noted_revival *revivals;
    size_t nrevivals, revivals_cap;
    const evs__function **never; /* functions with calls that were never run */
    size_t nnever, never_cap;
    evs__table index;   /* of visits and calls by place */
    evs__table reached; /* call expressions, and functions that were run */
    evs__table names;   /* of commands that are not in the table */
    evs__speech speech;
    evs__sights sights;
    int asks_version;  /* it looks at the version of its server */
    int measures;      /* it takes the length of a table, or looks for its first element */
    int has_functions; /* it registers functions */
    int over;          /* it gave up on everything */
    evs__flow *flow;   /* NULL: facts of flow.h are not wanted */
} evs__recorder;

void evs__recorder_init(evs__recorder *recorder, evs__pool *pool);
void evs__recorder_free(evs__recorder *recorder);

void evs__record_visit(evs__recorder *recorder, const evs__visit *visit);
void evs__record_call(evs__recorder *recorder, const evs__called *called);
void evs__record_gap(evs__recorder *recorder, evs_span at, const char *reason);
void evs__record_access(evs__recorder *recorder, const evs__noted_access *access);
void evs__record_revival(evs__recorder *recorder, const evs__noted_revival *revival);
void evs__record_never(evs__recorder *recorder, const evs__function *function);
/* `node` is a call expression or a function. */
void evs__record_reached(evs__recorder *recorder, const void *node);
int evs__recorder_reached(const evs__recorder *recorder, const void *node);

/* Fills in the sights. */
void evs__sight_facts(evs__facts *out, const evs__chunk *chunk, const evs__recorder *recorder);

/* The one copy of `name`. */
const char *evs__recorder_name(evs__recorder *recorder, const char *name);

#endif
