/*
 * reply.h - what a server answered.
 *
 * A reply is a tree that never changes. Strings are binary safe. A reply you got through an
 * out-pointer is yours to free with evs_reply_free, which frees the whole tree; a reply handed to a
 * completion is borrowed and gone when the completion returns: take evs_reply_copy to keep it.
 * Any thread may read a reply; nothing here but evs_reply_copy allocates.
 *
 * Servers speak RESP2 unless the client asks for RESP3 (see evs_client_options). RESP3 has more
 * types, and a script decides which one it returns, as {double=0.5} or {map={...}}. RESP2 has a
 * poorer type for each of them. The accessors make one program work with both: ask for what you
 * need (evs_reply_int, evs_reply_double, evs_reply_bool, evs_reply_str, evs_reply_map_get) rather
 * than for the type.
 */
#ifndef EVALSHARD_REPLY_H
#define EVALSHARD_REPLY_H

#include <evalshard/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evs_reply evs_reply;

typedef enum evs_reply_type {
    EVS_REPLY_NIL = 0,
    EVS_REPLY_STRING = 1,
    EVS_REPLY_STATUS = 2, /* a simple string such as OK */
    EVS_REPLY_ERROR = 3,
    EVS_REPLY_INTEGER = 4,
    EVS_REPLY_ARRAY = 5,
    /* RESP3 alone; in brackets what RESP2 has instead */
    EVS_REPLY_DOUBLE = 6,     /* [a string] */
    EVS_REPLY_BOOL = 7,       /* [1, and 0 or nil] */
    EVS_REPLY_BIG_NUMBER = 8, /* a whole number of any size [a string] */
    EVS_REPLY_VERBATIM = 9,   /* a string with a format such as txt or mkd [a string] */
    EVS_REPLY_MAP = 10,       /* key, value, key, value, ... [an array of the same] */
    EVS_REPLY_SET = 11        /* [an array] */
} evs_reply_type;

/* NIL for NULL. */
EVS_API evs_reply_type evs_reply_kind(const evs_reply *reply);

/* "nil", "string", "big number", ...; "unknown" for a number not in the list. Static text. */
EVS_API const char *evs_reply_kind_name(evs_reply_type type);

/* The bytes of whatever is text: a string, a status, an error (without its leading '-'), a verbatim
 * string (without its format), and a double or a big number as the server wrote it. Empty for the
 * rest. There is a NUL behind them. */
EVS_API evs_bytes evs_reply_bytes(const evs_reply *reply);

/* The format of a verbatim string, three bytes; empty for the rest. */
EVS_API evs_bytes evs_reply_format(const evs_reply *reply);

/* The number that evs_reply_int gives, 0 when it gives none. */
EVS_API int64_t evs_reply_integer(const evs_reply *reply);

/* The number of elements of an array or a set, of keys and values together of a map; 0 for the
 * rest. */
EVS_API size_t evs_reply_count(const evs_reply *reply);

/* Element `index` of an array, a set or a map (whose keys are at even places), borrowed; NULL when
 * there is none. */
EVS_API const evs_reply *evs_reply_at(const evs_reply *reply, size_t index);

/* The value of `key` in a map, or in an array of keys and values, which is what RESP2 has for a
 * map; borrowed. Keys are compared as text, an integer by its decimal digits. NULL when there is
 * none. Of several the first one counts. Takes time in proportion to the size. */
EVS_API const evs_reply *evs_reply_map_get(const evs_reply *reply, evs_bytes key);

/*
 * Conversions. Nothing is cut, rounded to a whole number or guessed: what does not fit fails with
 * EVS_E_INVALID, and the message says what the reply is instead. `*out` is then untouched. An error
 * reply converts to nothing; the message has its text.
 */

/* A whole number of 64 bits: an integer; a bool as 0 or 1; a string, big number or double whose
 * text is nothing but [+-]digits. Too large a number fails, and so does 3.0. */
EVS_API evs_status evs_reply_int(int64_t *out, const evs_reply *reply, evs_error *err);

/* The nearest double: of a double; an integer; a string or big number whose text is a number as in
 * C (12, -0.5, 1e9), inf or nan. A number beyond the largest double fails. */
EVS_API evs_status evs_reply_double(double *out, const evs_reply *reply, evs_error *err);

/* 0 or 1: a bool; the integers 0 and 1; nil as 0. Scripts answer true with 1 and false with nil,
 * unless they chose RESP3 themselves by redis.setresp(3). */
EVS_API evs_status evs_reply_bool(int *out, const evs_reply *reply, evs_error *err);

/* The bytes as of evs_reply_bytes, borrowed, but nil, an error and what is no text fail. */
EVS_API evs_status evs_reply_str(evs_bytes *out, const evs_reply *reply, evs_error *err);

/* A copy that owns all its memory, in one block. `*out` is yours to free.
 * Fails with EVS_E_NOMEM. */
EVS_API evs_status evs_reply_copy(evs_reply **out, const evs_reply *reply, evs_error *err);

EVS_API void evs_reply_free(evs_reply *reply);

#ifdef __cplusplus
}
#endif

#endif
