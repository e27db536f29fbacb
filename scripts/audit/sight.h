/*
 * sight.h - what becomes of values: what is compared, tested, computed, indexed and returned.
 *
 * The interpreter notes every such place with the values it met there, joined over all the ways it
 * came by. Rules about types and replies read them. A sight is certain only of what its values rule
 * out: "never a number" is, "sometimes a string" is not.
 */
#ifndef EVS_SCRIPTS_AUDIT_SIGHT_H
#define EVS_SCRIPTS_AUDIT_SIGHT_H

#include "core/table.h"
#include "scripts/audit/value.h"

#include <evalshard/audit.h>

typedef enum evs__sight_kind {
    EVS__SIGHT_CONDITION,  /* a is tested for truth */
    EVS__SIGHT_COMPARE,    /* a op b */
    EVS__SIGHT_ARITHMETIC, /* a op b */
    EVS__SIGHT_CONCAT,     /* a .. b */
    EVS__SIGHT_INDEX,      /* a[b] */
    EVS__SIGHT_NUMBER,     /* a literal beyond what a double holds exactly */
    EVS__SIGHT_READ,       /* tonumber(a) */
    EVS__SIGHT_SHOWN,      /* a number or string becomes text: tostring, %s, table.concat */
    EVS__SIGHT_BITS,       /* an argument of bit.* */
    EVS__SIGHT_ENCODED,    /* cjson.encode(a); see EVS__ENCODED_* */
    EVS__SIGHT_RETURNED,   /* a goes to the client, or (`depth` > 0) is in a table that does */
    EVS__SIGHT_HOLE,  /* a, at place `index` of a returned table, may be nil, with more behind */
    EVS__SIGHT_FIELD, /* a, under the string `text` of a returned table */
    EVS__SIGHT_CYCLE  /* a returned table is in itself */
} evs__sight_kind;

/* The `index` of ENCODED: its argument, all that is in it, and once more when that is a list that
 * may be empty. */
enum { EVS__ENCODED_ALL = 1, EVS__ENCODED_EMPTY = 2 };

typedef struct evs__sight {
    evs__sight_kind kind;
    evs__binary_op op;
    evs__span span;
    evs_span at;
    const evs__value *a, *b;        /* b is NULL where there is none */
    const evs__local *variables[2]; /* what a and b are read from, or NULL */
    int lengths[2];                 /* a, b are the lengths of these variables */
    evs_bytes text;
    size_t index;
    int depth;
    int is_guard; /* of CONDITION: `x and f(x)`, which only asks whether there is an x */
    int doubtful; /* something before it was not followed, or may lead here */
    int in_function;
} evs__sight;

/* All sights of a script. */
typedef struct evs__sights {
    evs__pool *pool;
    evs__sight **items; /* the pool's */
    size_t count, cap;
    evs__table index; /* by kind, node and index */
} evs__sights;

void evs__sights_init(evs__sights *sights, evs__pool *pool);
void evs__sights_free(evs__sights *sights);

/* ---- for rules ---- */

/* Is it nothing but replies of commands? */
int evs__value_is_reply(const evs__value *value);
/* All forms that the replies among it may have; 0 when there are none. */
unsigned evs__value_forms(const evs__value *value);
/* Is it surely a string, or surely a number, where it is neither nil nor false? */
int evs__value_is_text(const evs__value *value);
int evs__value_is_number(const evs__value *value);
/* "ARGV[1]", "a reply of GET": what it is first of all. In the pool. */
const char *evs__value_describe(evs__pool *pool, const evs__value *value);
/* Is the operator <, <=, > or >=? */
int evs__op_is_order(evs__binary_op op);
struct evs__facts;
/* Is the variable tested for being there anywhere in the script but at `here`? */
int evs__is_tested(const struct evs__facts *facts, const evs__local *variable,
                   const evs__sight *here);
/* Is the length of the variable compared with something, or asked by next()? */
int evs__is_measured(const struct evs__facts *facts, const evs__local *variable);

/* ---- making ---- */

/* Adds one that stands at `node` of the tree, or joins it with the one that is there. */
void evs__sights_add(evs__sights *sights, const evs__sight *sight, const void *node);

#endif
