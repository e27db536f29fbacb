/*
 * object.h - what the audit knows of the contents of a Lua table.
 *
 *   items    the values at 1, 2, ... as far as they are told apart
 *   rest     what may be at any greater whole number
 *   pair     when elements come in twos, as `t[#t + 1] = k t[#t + 1] = v` in a loop makes them:
 * what is at the first, third, ... place behind the items and what at the places between. Then
 *            there are no holes, and the number of elements behind the items is even, or there is
 *            one more, `last`.
 *   fields   the values under constant strings
 *   keys     which other keys there may be, and `other`, what may be under them
 *   meta     what its metatable may be
 *
 * An object never changes once made: writing gives a new one. A read gives at least what may be
 * there, nil included. KEYS and ARGV are objects whose `rest` says "an element of KEYS"; as long as
 * they are as given, reading KEYS[3] says so exactly.
 */
#ifndef EVS_SCRIPTS_AUDIT_OBJECT_H
#define EVS_SCRIPTS_AUDIT_OBJECT_H

#include "scripts/audit/value.h"

enum { EVS__ITEMS_MAX = 64, EVS__FIELDS_MAX = 64 };

typedef enum evs__given {
    EVS__GIVEN_NOTHING,
    EVS__GIVEN_KEYS, /* an index that `items` does not have is that element of KEYS */
    EVS__GIVEN_ARGV
} evs__given;

typedef struct evs__field {
    evs_bytes name;
    const evs__value *value;
} evs__field;

typedef struct evs__object {
    const evs__value **items;
    size_t nitems;
    const evs__value *rest;    /* NULL: nothing there; covers `pair` and `last` */
    const evs__value *pair[2]; /* NULL: nothing known */
    const evs__value *last;    /* NULL: none */
    evs__field *fields;        /* in no order */
    size_t nfields;
    const evs__value *keys;  /* NULL: no other keys */
    const evs__value *other; /* NULL: nothing there */
    const evs__value *meta;  /* NULL: no metatable */
    evs__given given;
} evs__object;

const evs__object *evs__object_new(evs__pool *pool);

/* KEYS or ARGV. */
const evs__object *evs__object_given(evs__pool *pool, evs__given given);

/* What may be under `key`; `at` is where the read stands. Metatables are not looked at. */
const evs__value *evs__object_get(evs__pool *pool, const evs__object *object, const evs__value *key,
                                  evs__span at);
const evs__value *evs__object_field(const evs__object *object, evs_bytes name);

/* After a write. A weak one may not have happened to this object. */
const evs__object *evs__object_set(evs__pool *pool, const evs__object *object,
                                   const evs__value *key, const evs__value *value, int weak);

/* After `t[#t + 1] = value`. */
const evs__object *evs__object_append(evs__pool *pool, const evs__object *object,
                                      const evs__value *value, int weak);

/* The items in any order and number, as sorting, inserting and removing leave them; `more` (or
 * NULL) is added. */
const evs__object *evs__object_shuffle(evs__pool *pool, const evs__object *object,
                                       const evs__value *more);

const evs__object *evs__object_with_meta(evs__pool *pool, const evs__object *object,
                                         const evs__value *meta, int weak);

const evs__object *evs__object_join(evs__pool *pool, const evs__object *a, const evs__object *b);
const evs__object *evs__object_widen(evs__pool *pool, const evs__object *a, const evs__object *b);

/* All elements at whole numbers; all values; all keys. Never NULL; without nil. */
const evs__value *evs__object_elements(evs__pool *pool, const evs__object *object, evs__span at);
const evs__value *evs__object_values(evs__pool *pool, const evs__object *object, evs__span at);
const evs__value *evs__object_keys(evs__pool *pool, const evs__object *object, evs__span at);

/* May it have an element at a whole number? */
int evs__object_is_list(const evs__object *object);

/* How many items from 1 on are surely there. */
size_t evs__object_sure(const evs__object *object);

#endif
