/*
 * value.h - what the audit knows of a Lua value: where it may have come from.
 *
 * A value stands for a set of concrete values:
 *
 *   types    which Lua types are among them
 *   atoms    where the strings, numbers and decoded tables among them come from
 *   calls    the functions among them: built-in ones and closures
 *   tables   the tables among them, as slots of the store (heap.h)
 *   range    which numbers are among them, or may be read from the strings among them
 *
 * Values never change once made and live in the arena of their audit. The join of two values stands
 * for both sets; it returns its first argument when the second adds nothing, so "did this change"
 * is a comparison of pointers. Every chain of joins is finite: when there are too many atoms,
 * constants become DATA and KEYS[i] becomes KEYS[?].
 *
 * A value may stand for more than what can happen, never for less. TOP is anything at all, with the
 * reason why more is not known.
 */
#ifndef EVS_SCRIPTS_AUDIT_VALUE_H
#define EVS_SCRIPTS_AUDIT_VALUE_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/command_reply.h"
#include "scripts/audit/forms.h"
#include "scripts/audit/range.h"

enum {
    EVS__TYPE_NIL = 1,
    EVS__TYPE_FALSE = 2,
    EVS__TYPE_TRUE = 4,
    EVS__TYPE_NUMBER = 8,
    EVS__TYPE_STRING = 16,
    EVS__TYPE_TABLE = 32,
    EVS__TYPE_FUNCTION = 64,
    EVS__TYPE_OTHER = 128, /* userdata (cjson.null), threads */
    EVS__TYPE_ANY = 255
};

enum {
    EVS__TYPE_BOOLEAN = EVS__TYPE_FALSE | EVS__TYPE_TRUE,
    EVS__TYPE_FALSY = EVS__TYPE_NIL | EVS__TYPE_FALSE,
    EVS__TYPE_DATA = EVS__TYPE_ANY & ~EVS__TYPE_FUNCTION, /* what a reply or a decoder can give */
    EVS__TYPE_KEYABLE = EVS__TYPE_STRING | EVS__TYPE_NUMBER
};

typedef enum evs__atom_kind {
    EVS__ATOM_CONSTANT, /* the string `text` */
    EVS__ATOM_NUMBER,   /* the number `number`, never NaN; a zero is 0 or -0 */
    EVS__ATOM_KEY,      /* an element of KEYS, unchanged */
    EVS__ATOM_DERIVED,  /* computed from an element of KEYS */
    EVS__ATOM_ARGUMENT, /* an element of ARGV, unchanged */
    EVS__ATOM_REPLY,    /* a reply of a command, or a part of one */
    EVS__ATOM_DATA,     /* computed from what `sources` says, and from no element of KEYS */
    EVS__ATOM_TOP       /* lost; `text` is the reason */
} evs__atom_kind;

/* How a derived key was made, as far as it matters for its slot. */
typedef enum evs__shape {
    EVS__SHAPE_SUFFIX, /* KEYS[i] .. x: same slot if KEYS[i] has a complete {tag} */
    EVS__SHAPE_PREFIX, /* x .. KEYS[i], x constant without "{": same slot if KEYS[i] has a {tag} */
    EVS__SHAPE_OPAQUE  /* anything else: the slot may differ */
} evs__shape;

enum {
    EVS__SOURCE_CONSTANT = 1,
    EVS__SOURCE_NUMBER = 2, /* lengths, counters, results of arithmetic */
    EVS__SOURCE_HOLE = 4,   /* text that a program puts in */
    EVS__SOURCE_ARGUMENT = 8,
    EVS__SOURCE_REPLY = 16,
    EVS__SOURCE_RANDOM = 32,
    EVS__SOURCE_DECODED = 64 /* it is in what cjson.decode made, as it was there */
};

typedef struct evs__atom {
    evs__atom_kind kind;
    evs__shape shape;               /* of DERIVED */
    unsigned sources;               /* of DATA */
    int index;                      /* of the element of KEYS or ARGV; 0: some element */
    unsigned short forms;           /* of REPLY: what it may be; see evs__reply_forms */
    unsigned short first, elements; /* of REPLY: what its first element may be, and the others */
    const evs__command_reply *row;  /* of REPLY: NULL when several may be right */
    double number;
    evs_bytes text;
    evs__span enters; /* where it came in */
    evs__span made;   /* where it was put together; end is 0 when it is as it came in */
} evs__atom;

struct evs__activation;
struct evs__builtin;
typedef struct evs__value evs__value;

/* A function: a built-in one, or a closure (its code, and the activation its upvalues are in). */
typedef struct evs__callable {
    const struct evs__builtin *builtin; /* NULL for a closure */
    const evs__value *bound;            /* what a built-in iterator walks over, or NULL */
    const evs__function *function;
    const struct evs__activation *outer;
} evs__callable;

enum { EVS__ATOMS_MAX = 8, EVS__CALLS_MAX = 8, EVS__TABLES_MAX = 4 };

struct evs__value {
    unsigned char types;
    unsigned char natoms;
    unsigned char ncalls;
    unsigned char ntables;
    unsigned char guarded; /* a test that was not understood may have excluded some of the atoms */
    unsigned char
        missing;      /* it is nil only if the caller passes fewer keys than the script names */
    evs__range range; /* read it by evs__value_range */
    const evs__atom *const *atoms; /* these three lie behind the value itself, most often */
    const evs__callable *const *calls;
    const size_t *tables;
};

/* Where values live. `failed` is set once memory ran out; functions then return a static value that
 * stands for anything, and the audit as a whole fails at its end. */
typedef struct evs__pool {
    evs__arena arena;
    int failed;
    char tag_open; /* begins a hash tag; NUL stands for { */
} evs__pool;

void *evs__pool_alloc(evs__pool *pool, size_t count, size_t size);
/* The same, not cleared. */
void *evs__pool_room(evs__pool *pool, size_t count, size_t size);

/* ---- making ---- */

/* Static: nil, a boolean, no value at all (the join's neutral element), anything. */
const evs__value *evs__value_nil(void);
const evs__value *evs__value_boolean(void);
const evs__value *evs__value_none(void);
const evs__value *evs__value_lost(void);

/* A value that is none but these types, without atoms. */
const evs__value *evs__value_types(evs__pool *pool, unsigned types);
const evs__value *evs__value_constant(evs__pool *pool, evs_bytes text, evs__span at);
const evs__value *evs__value_number(evs__pool *pool, double number, evs__span at);
const evs__value *evs__value_key(evs__pool *pool, int index, evs__span at);
const evs__value *evs__value_argument(evs__pool *pool, int index, evs__span at);
const evs__value *evs__value_reply(evs__pool *pool, const char *command, evs__span at);
/* The same with the kinds that `row` says, which may be NULL. */
const evs__value *evs__value_reply_as(evs__pool *pool, const char *command,
                                      const evs__command_reply *row, unsigned protocols,
                                      evs__span at);
/* The same replies, which may be errors as redis.pcall gives them. */
const evs__value *evs__value_caught(evs__pool *pool, const evs__value *value);
const evs__value *evs__value_data(evs__pool *pool, unsigned sources, unsigned types, evs__span at);
/* A string with a hole in it: nobody knows which string, but it is no element of KEYS. */
const evs__value *evs__value_holed(evs__pool *pool, const char *code, evs__span at);
const evs__value *evs__value_top(evs__pool *pool, const char *reason, evs__span at);
/* Numbers in `range` that no key and no argument had part in: lengths, counters. */
const evs__value *evs__value_within(evs__pool *pool, evs__range range, evs__span at);
const evs__value *evs__value_table(evs__pool *pool, size_t slot);
const evs__value *evs__value_callable(evs__pool *pool, const evs__callable *callable);

/* ---- combining ---- */

/* Both. `a` itself when `b` adds nothing. */
const evs__value *evs__value_join(evs__pool *pool, const evs__value *a, const evs__value *b);

/* The join for the head of a loop that does not settle: constants that differ become DATA. */
const evs__value *evs__value_widen(evs__pool *pool, const evs__value *a, const evs__value *b);

/* Only these types of it; atoms, functions and tables that can have none of them are dropped. */
const evs__value *evs__value_only(evs__pool *pool, const evs__value *value, unsigned types);

/* Without an atom: what a value is that is unequal to that constant. */
const evs__value *evs__value_without(evs__pool *pool, const evs__value *value,
                                     const evs__atom *gone);

/* The same, or nil because the caller passed fewer keys than the script names. */
const evs__value *evs__value_or_missing(evs__pool *pool, const evs__value *value);

/* The same, marked as tested in a way that was not understood. */
const evs__value *evs__value_guarded(evs__pool *pool, const evs__value *value);

/* The strings `a .. b`; folds constants. */
const evs__value *evs__value_concat(evs__pool *pool, const evs__value *a, const evs__value *b,
                                    evs__span at);

/* Something of `types` computed from a value in a way that keeps nothing of its form. */
const evs__value *evs__value_computed(evs__pool *pool, const evs__value *from, unsigned types,
                                      evs__span at);

/* The same, as cjson.decode gives it: what reaches an encoder like that is still a decoded value.
 */
const evs__value *evs__value_decoded(evs__pool *pool, const evs__value *value);

/* The same of two values. */
const evs__value *evs__value_mixed(evs__pool *pool, const evs__value *a, const evs__value *b,
                                   unsigned types, evs__span at);

/* The same, whose numbers are in `range`. */
const evs__value *evs__value_ranged(evs__pool *pool, const evs__value *value, evs__range range);

/* What is inside the untracked tables and decoded data that the value stands for: under `key`, or
 * anywhere when it is NULL. Then the keys of these tables. */
const evs__value *evs__value_inside(evs__pool *pool, const evs__value *value,
                                    const evs__value *key);
const evs__value *evs__value_inside_keys(evs__pool *pool, const evs__value *value);

/* Without what is none of `forms`, among replies; all else stays. */
const evs__value *evs__value_in_forms(evs__pool *pool, const evs__value *value, unsigned forms);

/* ---- asking ---- */

/* The only constant string or number that it stands for; NULL when it may be anything else. */
const evs__atom *evs__value_single(const evs__value *value);
int evs__value_is_truthy(const evs__value *value); /* never nil or false */
int evs__value_is_falsy(const evs__value *value);  /* always nil or false */
int evs__value_is_none(const evs__value *value);
/* The numbers that it is, or is read as where Lua wants a number. */
evs__range evs__value_range(const evs__value *value);
int evs__value_has(const evs__value *value, evs__atom_kind kind);
/* The forms that a reply among the atoms of `value` has there; 0 for any other atom. */
unsigned evs__reply_forms(const evs__value *value, const evs__atom *atom);
int evs__atom_same(const evs__atom *a, const evs__atom *b);
unsigned evs__atom_types(const evs__atom *atom);

/* "KEYS[1]", "ARGV[2]", "the constant 'cfg'", "a reply of GET", ... */
void evs__atom_describe(evs__buf *out, const evs__atom *atom);
const char *evs__atom_text(evs__pool *pool, const evs__atom *atom); /* in the pool */

/* A number as tostring shows it; 0 when that is not known: Lua keeps one constant for 0 and -0. */
int evs__number_text(char out[32], double number);

#endif
